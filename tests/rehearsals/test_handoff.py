"""What the handoff pages of the documents and of the unit tests are made from has the form of what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rehearsals.scenarios import Deployment
from tests.support.handoff import RECORDED, record, recorded

pytestmark = pytest.mark.sandbox


def form(fact: Any) -> Any:
    """Return a fact's names and kinds, without what differs from one deployment to the next."""
    if isinstance(fact, Mapping):
        return {name: form(inner) for name, inner in fact.items()}
    return type(fact).__name__


def test_the_record_has_the_form_of_what_is_deployed(deployment: Deployment) -> None:
    now = {
        (stack["name"], bridge["path"]): form(bridge["facts"])
        for stack in record(deployment)
        for bridge in stack["bridges"]
    }
    then = {
        (name, bridge.path): form(bridge.facts)
        for name, stack in recorded().items()
        for bridge in stack.bridges
    }
    assert now == then, f"{RECORDED.name} is old: make handoff-sample RECORD=1"
