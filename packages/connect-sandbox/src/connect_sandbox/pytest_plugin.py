"""The pytest plugin: the fixture `contact`, which calls a flow from a file.

def test_members_reach_an_agent(contact):
    call = contact.calls("flow.json", values={...}, lambdas={"fetch": {"answers": {"found": "true"}}})
    call.hears("Welcome back").ends(queued="Support")

pytest loads it in every project that has connect-sandbox installed, so it imports nothing until a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connect_sandbox.rehearsal.contact_maker import ContactMaker


@pytest.fixture
def contact(request: pytest.FixtureRequest) -> ContactMaker:
    """Call or chat with a flow: `contact.calls(…)`, `contact.chats(…)`. Paths are relative to the test's file.

    A flow that is not there is looked for from pytest's root folder. Keyword arguments set the contact up, as `setup`
    does in scenario files: `contact.calls("flow.json", queues={"support": {"at_capacity": True}})`.
    """
    from connect_sandbox.rehearsal.contact_maker import ContactMaker  # noqa: PLC0415

    return ContactMaker(request.path.parent, request.config.rootpath)
