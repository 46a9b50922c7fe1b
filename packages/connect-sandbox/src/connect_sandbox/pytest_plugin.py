"""The pytest plugin: the fixture `contact` calls a flow from a file, the fixture `sandbox` an app that it has deployed.

def test_members_reach_an_agent(contact):
    call = contact.calls("flow.json", values={...}, lambdas={"fetch": {"answers": {"found": "true"}}})
    call.hears("Welcome back").ends(queued="Support")

def test_members_are_greeted(sandbox):
    sandbox.deploy("support-line.json")
    sandbox.call("Support line").hears("Welcome").presses("1").ends(queued="Support")

pytest loads it in every project that has connect-sandbox installed, so it imports nothing until a test asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connect_sandbox.rehearsal.contact_maker import ContactMaker
    from connect_sandbox.workbench.for_tests import Run, TestSandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project say in its pytest settings which account and Region its sandbox is."""
    parser.addini(
        "connect_sandbox_account", "account of the fixture `sandbox`: 12 digits", default="123456789012"
    )
    parser.addini("connect_sandbox_region", "Region of the fixture `sandbox`", default="us-east-1")


@pytest.fixture
def contact(request: pytest.FixtureRequest) -> ContactMaker:
    """Call or chat with a flow: `contact.calls(…)`, `contact.chats(…)`. Paths are relative to the test's file.

    A flow that is not there is looked for from pytest's root folder. Keyword arguments set the contact up, as `setup`
    does in scenario files: `contact.calls("flow.json", queues={"support": {"at_capacity": True}})`.
    """
    from connect_sandbox.rehearsal.contact_maker import ContactMaker  # noqa: PLC0415

    return ContactMaker(request.path.parent, request.config.rootpath)


@pytest.fixture(scope="session")
def connect_sandbox_run(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """Keep one sandbox for a whole pytest run; with pytest-xdist, for each worker."""
    from connect_sandbox.workbench.for_tests import Run  # noqa: PLC0415

    account, region = (str(pytestconfig.getini(f"connect_sandbox_{of}")) for of in ("account", "region"))
    with Run.start(tmp_path_factory.mktemp("connect-sandbox"), account, region) as running:
        yield running


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, connect_sandbox_run: Run) -> Iterator[TestSandbox]:
    """Deploy an own app and call it: `sandbox.deploy("…")`, `sandbox.call("Support line")`.

    Paths are relative to the test's file, else to pytest's root folder. What is deployed stays for the other tests of
    the run; after each test everything else is set back to how it was deployed.
    """
    from connect_sandbox.workbench.for_tests import TestSandbox  # noqa: PLC0415

    here = TestSandbox(connect_sandbox_run, request.path.parent, request.config.rootpath)
    try:
        yield here
    finally:
        here.ended()
