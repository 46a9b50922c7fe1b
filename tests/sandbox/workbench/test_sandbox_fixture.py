"""The fixture `sandbox`, as a project sees it that has connect-sandbox installed: one run of pytest elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from connect_sandbox.runs import Run

from tests.support.own_line import write

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.sandbox
OWN = """
import time

import pytest

@pytest.fixture
def line(sandbox):
    sandbox.deploy("support-line.json")
    return sandbox

def test_a_caller_reaches_an_agent(line):
    line.call("Support line", number="+12065550142").hears("Welcome, Ada.").presses("1").ends(queued="Support")
    assert line.table("Callers").items() == [{"number": "+12065550142"}]
    assert any("looking up +12065550142" in said for said in line.logs("Lookup"))
    assert line.denied() == []

def test_the_next_test_finds_the_stack_as_it_was_deployed(line):
    assert line.table("Callers").items() == []
    assert line.logs("Lookup") == []
    stacks = line.cloud.boto3_client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackStatus"] for stack in stacks] == ["CREATE_COMPLETE"]  # not updated: not deployed again
    assert stacks[0]["StackId"].split(":")[3:5] == ["eu-west-1", "123456789012"]

def test_keys_are_pressed_when_the_flow_asks(line):
    call = line.call("Support line").hears("Press 1 for an agent.").does_not_hear("Please call again.")
    call.presses("2").hears("Please call again.").ends("disconnected")
    with pytest.raises(AssertionError, match="nobody asked the caller for Presses"):
        call.presses("1")

def test_whoever_says_no_more_stays_silent(line):
    line.call("Support line").ends("disconnected").hears("Press 1", "Please call again.")

def test_a_full_queue(line):
    full = line.call("Support line", queues={"Support": {"at_capacity": True}}).presses("1")
    full.hears("Please call again.").ends("disconnected")

def test_scenarios_play_through_it(line):
    (contact,) = line.plays("line.yaml", "Support line")
    assert contact.visited == ["lookup", "welcome", "ask", "queue", "transfer"]

def test_a_chat(line):
    chat = line.chat("Chat line", lex={"somebody please": "Agent"}).hears("How can we help?")
    chat.says("somebody please").hears("Somebody will be with you.").ends("disconnected")

def test_a_call_that_goes_on_ends_with_its_test(line):
    line.call("Support line").hears("Welcome")

def test_what_is_not_there_is_named(line):
    with pytest.raises(Exception, match="no flow is called 'Sales'; there are the flows Chat line, Support line and"):
        line.call("Sales")
    with pytest.raises(Exception, match="no resource of type AWS::DynamoDB::Table is called 'Orders'"):
        line.table("Orders")
    with pytest.raises(ValueError, match="'one' are not keys"):
        line.call("Support line").presses("one")

def test_a_call_with_a_warm_function_is_little_work(line):
    def work():
        began = time.process_time()
        line.call("Support line").hears("Welcome, Ada.").presses("1").ends(queued="Support")
        return time.process_time() - began

    work()
    assert min(work() for _ in range(3)) < 0.2  # it takes 0.03

def test_what_iam_refuses_is_told(line):
    line.deploy("not-allowed.json", name="support-line")
    line.call("Support line").hears("Please call again.")
    assert [(one.action, one.resource.split("/")[-1]) for one in line.denied()] == [
        ("dynamodb:PutItem", line.table("Callers").name)]

def test_a_failing_test_says_how_to_look_at_its_call(line):
    line.call("Support line").hears("Nobody says this.")
"""
SCENARIO = """\
caller:
  - presses: "1"
expect:
  hears: ["Welcome, Ada."]
  ends: {queued: Support}
"""


def test_an_own_app_is_tested_in_a_few_lines(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    write(pytester.path, may_write=False).rename(pytester.path / "not-allowed.json")
    write(pytester.path)
    pytester.path.joinpath("line.yaml").write_text(SCENARIO)
    pytester.makeini(
        "[pytest]\naddopts = -p no:cacheprovider\nconnect_sandbox_region = eu-west-1\nsandbox_run = runs/own.jsonl"
    )
    pytester.makepyfile(OWN)
    # By the name of its entry point, as pytest finds it; other plugins of this environment stay out.
    result = pytester.runpytest_subprocess("-p", "connect_sandbox")
    result.assert_outcomes(passed=11, failed=1)
    told = re.findall(
        r"^connect-sandbox show (.*/runs/own\.jsonl) --contact (\S+)$", result.stdout.str(), re.MULTILINE
    )
    [(file, contact)] = told
    run = Run.load(Path(file))
    assert [block.what.block for block in run.contacts[contact].blocks] == ["lookup", "welcome", "ask"]
    refused = [decision for decision in run.decisions if not decision.what.allowed]
    assert [decision.what.action for decision in refused] == ["dynamodb:PutItem"]
    assert "lookup" in {block.what.block for block in run.contacts[refused[0].contact or ""].blocks}
    assert [scenario.failed for scenario in run.scenarios.values()] == [False]
    assert {stack.what.region for stack in run.stacks.values()} == {"eu-west-1"}
