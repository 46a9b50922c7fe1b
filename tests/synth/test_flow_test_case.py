"""FlowTestCase: a converted scenario in a stack, with its flow's values, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from connect_bridges import ConnectInstance, ConstructArgumentError, ContactFlow, FlowKind, FlowTestCase

from tests.support import INSTANCE_ARN, QUEUE_ARN, ROOT, policy_statements

LINE = ROOT / "examples/contact_center/flows/weekday_line.json"
CASE: dict[str, Any] = {
    "Name": "weekday_line: a caller waits",
    "EntryPoint": {
        "Type": "VOICE_CALL",
        "VoiceCallEntryPointParameters": {"FlowId": "${FlowArn}", "SourcePhoneNumber": "+12065550142"},
    },
    "InitializationData": {"Attributes": {"tier": "gold"}, "SegmentAttributes": {}},
    "Content": {
        "Version": "2019-10-30",
        "Metadata": {},
        "Observations": [
            {
                "Identifier": "queued",
                "Event": {
                    "Identifier": "e-queued",
                    "Type": "FlowActionStarted",
                    "Actor": "System",
                    "Properties": {
                        "ActionType": "TransferContactToQueue",
                        "ActionParameters": {"QueueId": "${QueueArn}"},
                    },
                },
                "Actions": [],
                "Transitions": {"NextObservations": []},
            }
        ],
    },
}


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "line")


@pytest.fixture
def line(stack: cdk.Stack) -> ContactFlow:
    instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
    return ContactFlow(stack, "Line", instance=instance, template=LINE, values={"QueueArn": QUEUE_ARN})


def test_a_test_case_is_published_after_its_flow_with_its_flows_values(
    stack: cdk.Stack, line: ContactFlow, tmp_path: Path
) -> None:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE), encoding="utf-8")
    made = FlowTestCase(stack, "Waits", flow=line, case=path)
    second = FlowTestCase(stack, "Again", flow=line, case=path, name="again", description="once more")
    assert made.name == "line: weekday_line: a caller waits"
    template = assertions.Template.from_stack(stack)
    resources = template.find_resources("AWS::Connect::TestCase")
    one, other = (resources[stack.get_logical_id(each.resource)] for each in (made, second))
    flow = stack.get_logical_id(line.resource)
    properties = one["Properties"]
    assert properties["InstanceArn"] == INSTANCE_ARN
    assert properties["Status"] == "PUBLISHED"
    arn = {"Fn::GetAtt": [flow, "ContactFlowArn"]}
    call = properties["EntryPoint"]["VoiceCallEntryPointParameters"]
    assert call == {"FlowId": arn, "SourcePhoneNumber": "+12065550142"}
    assert json.loads(properties["InitializationData"]) == CASE["InitializationData"]
    observed = json.loads(properties["Content"])["Observations"][0]["Event"]["Properties"]
    assert observed["ActionParameters"] == {"QueueId": QUEUE_ARN}
    assert flow in one["DependsOn"]
    assert (
        stack.get_logical_id(made.resource) in other["DependsOn"]
    )  # one after the other: two requests a second
    assert (other["Properties"]["Name"], other["Properties"]["Description"]) == ("again", "once more")


def test_values_known_at_deployment_become_part_of_the_content(stack: cdk.Stack, line: ContactFlow) -> None:
    queue = cdk.CfnParameter(stack, "Queue")
    FlowTestCase(stack, "Waits", flow=line, case=CASE, values={"QueueArn": queue.value_as_string})
    (made,) = assertions.Template.from_stack(stack).find_resources("AWS::Connect::TestCase").values()
    assert {"Ref": "Queue"} in made["Properties"]["Content"]["Fn::Join"][1]


def test_whoever_runs_it_gets_the_rights_to(stack: cdk.Stack, line: ContactFlow) -> None:
    runner = iam.Role(stack, "Runner", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    FlowTestCase(stack, "Waits", flow=line, case=CASE).grant_run(runner)
    (statement,) = policy_statements(assertions.Template.from_stack(stack).to_json())
    assert "connect:StartTestCaseExecution" in statement["Action"]
    assert len(statement["Action"]) == 5
    assert statement["Resource"] == [INSTANCE_ARN, f"{INSTANCE_ARN}/test-case/*"]


def changed(**parts: Any) -> dict[str, Any]:
    return {**CASE, **parts}


ENTRY = {"FlowId": "${FlowArn}", "DestinationPhoneNumber": "+12065550142"}
WRONG: dict[str, tuple[object, str]] = {
    "a file that is not there": (
        "no-such.json",
        r"'no-such.json', which cannot be read .*connect-flows testcase",
    ),
    "what is no file": (7, "give the path of a file"),
    "another version": (
        changed(Content={**CASE["Content"], "Version": "2025-06-21"}),
        "Content must have Version 2019-10-30",
    ),
    "no observations": (changed(Content={"Version": "2019-10-30", "Observations": []}), "Observations"),
    "no entry point": (changed(EntryPoint=None), "has no EntryPoint"),
    "a member that nobody knows": (changed(Flow="x"), "has 'Flow', which"),
    "a flow and a number": (
        changed(EntryPoint={"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": ENTRY}),
        "FlowId and DestinationPhoneNumber",
    ),
    "a value that nobody has": (
        changed(InitializationData={"Attributes": {"tier": "${Tier}"}}),
        "values lacks Tier",
    ),
    "too much": (
        changed(Content={**CASE["Content"], "Metadata": {"text": "x" * 256_000}}),
        "AWS::Connect::TestCase takes 256,000",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_deployed_stops_the_synthesis(stack: cdk.Stack, line: ContactFlow, what: str) -> None:
    test_case, words = WRONG[what]
    with pytest.raises(ConstructArgumentError, match=words):
        FlowTestCase(stack, "Case", flow=line, case=test_case)  # type: ignore[arg-type]


def test_texts_that_are_no_test_case_are_named(stack: cdk.Stack, line: ContactFlow, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    for number, (text, words) in enumerate((("{", "is not JSON"), ("[]", "holds a list"))):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConstructArgumentError, match=words):
            FlowTestCase(stack, f"Case{number}", flow=line, case=path)


def test_values_without_placeholder_names_that_are_taken_and_modules_are_refused(
    stack: cdk.Stack, line: ContactFlow
) -> None:
    for number, values in enumerate(({"QueueAnr": "x"}, {"FlowArn": "x"})):
        with pytest.raises(ConstructArgumentError, match=r"QueueAnr|leave it out"):
            FlowTestCase(stack, f"Case{number}", flow=line, case=CASE, values=values)
    FlowTestCase(stack, "First", flow=line, case=CASE)
    with pytest.raises(ConstructArgumentError, match=r"which .*First has already"):
        FlowTestCase(stack, "Second", flow=line, case=CASE)
    module = ContactFlow(
        stack,
        "Module",
        instance=line.instance,
        template="chat_stream_module.json",
        values={"StreamFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:stream"},
        kind=FlowKind.MODULE,
    )
    with pytest.raises(ConstructArgumentError, match="flow is a module"):
        FlowTestCase(stack, "Third", flow=module, case=CASE)
    with pytest.raises(ConstructArgumentError, match="write a ContactFlow"):
        FlowTestCase(stack, "Fourth", flow=line.arn, case=CASE)  # type: ignore[arg-type]
