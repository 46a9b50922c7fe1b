"""How pytest-xdist's workers share the tests (`pytest -n 2`): a pytest plugin.

What deploys or synthesizes does so once in a run: the tests of such a folder go to one worker, which keeps their
session fixtures. All others go file by file, which keeps the fixtures of modules. The longest begin first, so that no
worker ends long after the others.

The ids of tests stay as they are. Groups by mark (`--dist loadgroup`) add a suffix to the id, from which hypothesis
draws the examples of a parametrized test: it would draw others than alone.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Folders whose tests stay together, and files that take long: the longest first.
ORDER = (
    "tests/rehearsals/",
    "tests/synth/",
    "tests/recovery/",
    "tests/faults/",
    "tests/wheel/",
    "tests/unit/test_draws.py",
    "tests/unit/runtime/biometrics/test_model.py",
)


class Together(LoadScopeScheduling):
    """Hands out whole folders and whole files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((folder for folder in ORDER if path.startswith(folder)), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Replace xdist's default way; another one that was asked for by `--dist` stays."""
    return Together(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first, in workers only: who runs tests in one process wants them in the order of the files."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((place for place, path in enumerate(ORDER) if nodeid.startswith(path)), len(ORDER))
