"""A pytest plugin that records what random tests draw: a digest of each example, in the file DRAWS_RECORD."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis.internal.conjecture.data import ConjectureData

_freeze = ConjectureData.freeze
_drawn: dict[str, list[str]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record the choices of each example that this test plays, when hypothesis has made the last of them."""

    def freeze(self: ConjectureData) -> None:
        if not self.frozen:
            written = repr(self.choices).encode("utf-8", "surrogatepass")
            _drawn.setdefault(item.nodeid, []).append(hashlib.sha256(written).hexdigest()[:16])
        _freeze(self)

    ConjectureData.freeze = freeze
    try:
        return (yield)
    finally:
        ConjectureData.freeze = _freeze


def pytest_sessionfinish() -> None:
    """Write them down."""
    Path(os.environ["DRAWS_RECORD"]).write_text(json.dumps(_drawn))
