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

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connect_sandbox.rehearsal.contact_maker import ContactMaker
    from connect_sandbox.workbench.for_tests import Run, TestSandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a project say which account and Region its sandbox is, and where its run is written."""
    told = "file of what happens in the fixture `sandbox`, for `connect-sandbox show` (default: in pytest's cache)"
    parser.addini("sandbox_run", told, default="")
    parser.getgroup("connect-sandbox").addoption("--sandbox-run", metavar="FILE", default="", help=told)
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
    folder = tmp_path_factory.mktemp("connect-sandbox")
    with Run.start(folder, account, region, _run_file(pytestconfig, folder)) as running:
        yield running


def _run_file(config: pytest.Config, scratch: Path) -> Path:
    """Return where the run is written: one file for each worker of pytest-xdist."""
    named = str(config.getoption("sandbox_run") or config.getini("sandbox_run"))
    if named:
        path = config.rootpath / named
    else:
        cache = getattr(config, "cache", None)  # None without the plugin of pytest's cache
        path = (scratch if cache is None else cache.mkdir("connect-sandbox")) / "run.jsonl"
    # Not its environment variable, which a pytest that a test starts inherits.
    worker = getattr(config, "workerinput", {}).get("workerid")
    return path.with_name(f"{path.stem}-{worker}{path.suffix}") if worker else path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say how to look at the last call of a test that failed."""
    report = yield
    shown = getattr(getattr(item, "funcargs", {}).get("sandbox"), "shown", None)
    if report.when == "call" and report.failed and shown is not None and (command := shown()):
        report.sections.append(("What happened on the call", command))
    return report


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
