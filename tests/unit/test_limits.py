"""Every test ends, and says why: what hangs here is ended by tests/support/limits.py, in a pytest of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.support import ROOT

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run tests that are written down in place, with a limit of 0.3 s each, and 1 s before the process is ended."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    pytester.makeini("[pytest]\ntimeout = 0.3\naddopts = -p no:cacheprovider -p limits_with_less_grace")
    pytester.makepyfile(
        limits_with_less_grace="""
        from tests.support import limits
        from tests.support.limits import *
        limits.GRACE = 1.0
        """
    )

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=source)
        return pytester.runpytest_subprocess(*arguments, timeout=50)

    return run


def test_a_test_that_hangs_fails_by_name_and_the_run_goes_on(run: Run) -> None:
    result = run(
        """
        import threading

        def test_hangs():
            threading.Thread(target=threading.Event().wait, name="the other one", daemon=True).start()
            threading.Event().wait()

        def test_after():
            pass
        """
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*TimeLimitExceeded: test_it.py::test_hangs took longer than its limit of 0.3 s*",
            "*stacks of the other threads*",
            "the other one*:",
        ]
    )


def test_the_code_under_test_cannot_catch_the_end_of_its_time(run: Run) -> None:
    result = run(
        """
        import threading

        def test_hangs():
            while True:
                try:
                    threading.Event().wait()
                except Exception:
                    pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*took longer than its limit of 0.3 s*"])


def test_a_random_test_that_hangs_is_not_played_again(run: Run) -> None:
    result = run(
        """
        import threading
        from hypothesis import given, strategies

        @given(strategies.integers())
        def test_hangs(number):
            if number > 1000:
                threading.Event().wait()
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*took longer than its limit of 0.3 s*"])


def test_a_session_fixture_has_longer_and_its_failure_is_kept_for_all_who_ask_for_it(run: Run) -> None:
    result = run(
        """
        import threading
        import pytest

        @pytest.fixture(scope="session")
        def slow():
            threading.Event().wait(0.6)

        setups = []

        @pytest.fixture(scope="session")
        def hangs():
            setups.append("once")
            threading.Event().wait()

        @pytest.mark.timeout(0.1)
        def test_pays_for_the_setup(slow): pass
        def test_hangs(hangs): pass
        def test_asks_for_the_same(hangs): pass
        def test_it_was_not_tried_again(): assert setups == ["once"]
        """
    )
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*the setup of test_it.py::test_hangs took longer than its limit of 1.5 s*"])


def test_a_teardown_after_a_test_that_hung_is_bounded_too(run: Run) -> None:
    result = run(
        """
        import threading
        import pytest

        @pytest.fixture
        def stubborn():
            yield
            threading.Event().wait()

        def test_hangs(stubborn):
            threading.Event().wait()
        """
    )
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*the teardown of test_it.py::test_hangs took longer than its limit of 1.5 s*"]
    )


def test_a_mark_gives_one_test_longer(run: Run) -> None:
    result = run(
        """
        import threading
        import pytest

        @pytest.mark.timeout(30)
        def test_takes_its_time():
            threading.Event().wait(0.5)
        """
    )
    result.assert_outcomes(passed=1)


NEVER_RETURNS = """
    import itertools

    def test_never_comes_back_to_the_interpreter():
        sum(itertools.repeat(0))

    def test_after():
        pass
"""


def test_code_that_no_signal_reaches_ends_the_process_with_its_stack(run: Run) -> None:
    result = run(NEVER_RETURNS)
    assert result.ret == 1
    result.stderr.fnmatch_lines(["Timeout (0:00:01*", "*in test_never_comes_back_to_the_interpreter"])


def test_code_that_no_signal_reaches_ends_one_worker_only(run: Run) -> None:
    result = run(NEVER_RETURNS, "-n", "1")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*crashed while running*test_never_comes_back_to_the_interpreter*"])
