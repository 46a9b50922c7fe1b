"""How pytest-xdist parts the tests between its workers: file by file, and those that share a sandbox together.

Not by the mark `xdist_group`, which pytest-xdist 3.8 does not see with pytest 9.2 (its issue 1386).
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/rehearsals/", "tests/sandbox/cloud/")
"""Folders whose tests share one sandbox, which takes long to deploy to."""


def scope(nodeid: str) -> str:
    """Return what a test is sent to a worker with: its folder if that shares a sandbox, else its file."""
    shared = next((folder for folder in TOGETHER if nodeid.startswith(folder)), None)
    return shared or nodeid.partition("::")[0]


class ByDeployment(LoadScopeScheduling):
    """Sends each scope to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByDeployment:
    """Use this scheduler, whatever `--dist` says."""
    return ByDeployment(config, log)
