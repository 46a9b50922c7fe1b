"""Every test ends: a pytest plugin that bounds each test's setup, call and teardown.

A test's call may take `timeout` seconds: pyproject's, or those of `@pytest.mark.timeout(300)`. Its setup and its
teardown may each take SETUP_TIMES as long, and never less than that of pyproject's limit, because the first test that
asks for a session fixture pays for it: one of them deploys the apps. What takes longer fails with a message and the
stacks of the other threads, and the run goes on.

Code that never comes back to Python's interpreter cannot be interrupted that way: GRACE seconds later the process
prints all stacks and ends. With pytest-xdist that is one worker: it is replaced, and the test is reported by name.

pytest-timeout reads option, setting and mark. Its own alarm is not used: it is one for the three phases together,
cannot print under xdist, and raises what makes hypothesis play the example that hung once more, without a limit.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator

import pytest
import pytest_timeout

SETUP_TIMES = 5
GRACE = 20.0

_limit = pytest.StashKey[float]()
_stderr = pytest.StashKey[int]()


class TimeLimitExceeded(BaseException):
    """A test's call took longer than its limit. Not an Exception: the code under test must not catch it."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep the standard error that pytest found, before it captures what tests write there."""
    config.stash[_stderr] = os.dup(sys.__stderr__.fileno() if sys.__stderr__ else 2)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give that standard error back."""
    faulthandler.cancel_dump_traceback_later()
    os.close(config.stash[_stderr])


@pytest.hookimpl(optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> bool | None:
    """Take the limit that pytest-timeout has read; None leaves its alarm to it where there are no signals."""
    if not hasattr(signal, "SIGALRM") or pytest_timeout.is_debugging():
        return None
    item.stash[_limit] = float(settings.timeout)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Bound the fixtures' setup."""
    with _limited(item, "setup", SETUP_TIMES):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Bound the test itself."""
    with _limited(item, "call", 1):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Bound the fixtures' teardown."""
    with _limited(item, "teardown", SETUP_TIMES):
        return (yield)


def pytest_enter_pdb() -> None:
    """Whoever is debugging has all the time in the world."""
    _disarm()


@contextlib.contextmanager
def _limited(item: pytest.Item, phase: str, times: int) -> Iterator[None]:
    limit = item.stash.get(_limit, None)
    if limit is None:  # --timeout=0, a debugger, or pytest-timeout's own alarm
        yield
        return
    if (
        phase != "call"
    ):  # a short limit is meant for the test, not for the session's fixtures that it comes upon first
        limit = max(limit, float(item.config.getini("timeout") or 0))
    seconds = limit * times

    def ring(_number: int, _frame: object) -> None:
        item.add_report_section(phase, "stacks of the other threads", _other_stacks())
        if phase == "call":
            raise TimeLimitExceeded(
                f"{item.nodeid} took longer than its limit of {seconds:g} s; one that must take longer is marked "
                "@pytest.mark.timeout(seconds)"
            )
        # pytest keeps what a fixture's setup fails with for the other tests that ask for it, if it is one of its own.
        pytest.fail(f"the {phase} of {item.nodeid} took longer than its limit of {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=item.config.stash[_stderr])
    try:
        yield
    finally:
        _disarm()
        signal.signal(signal.SIGALRM, before)


def _disarm() -> None:
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()


def _other_stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, 'unknown thread')}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    )
