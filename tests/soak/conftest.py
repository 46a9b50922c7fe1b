"""Soak tests take minutes: they run when asked for by name (`make soak`), not with all the others."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked_for = any("soak" in str(argument) for argument in config.invocation_params.args)
    return None if asked_for else True
