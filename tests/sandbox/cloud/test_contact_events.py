"""Contact events: what a played contact sends to EventBridge, and that rules on it fire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.reading import Reader
from connect_sandbox.rehearsal.setup_reader import read_setup
from connect_sandbox.workbench.lines import Line
from connect_sandbox.workbench.live import LiveCall

from tests.sandbox.cloud.conftest import Deployed, Deployer
from tests.support import ROOT
from tests.support.own_line import template


@pytest.fixture
def line(sandbox: Sandbox, deploy: Deployer) -> Iterator[Deployed]:
    """A support line with a queue that is told of contacts that were queued or have ended."""
    made = template()
    source = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}
    queue = {"Fn::GetAtt": ["Told", "Arn"]}
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
               "Resource": queue, "Condition": source}  # fmt: skip
    pattern = {"source": ["aws.connect"], "detail-type": ["Amazon Connect Contact Event"],
               "detail": {"eventType": ["QUEUED", "DISCONNECTED"]}}  # fmt: skip
    made["Resources"] |= {
        "Told": {"Type": "AWS::SQS::Queue"},
        "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
            "Queues": [{"Ref": "Told"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventPattern": pattern, "Targets": [{"Id": "queue", "Arn": queue}]}},
    }  # fmt: skip
    made["Outputs"]["Told"] = {"Value": {"Ref": "Told"}}
    made["Outputs"]["Waiting"] = {"Value": {"Fn::GetAtt": ["Queue", "QueueArn"]}}
    sandbox.buses.events.clear()
    deployed = deploy(made)
    assert deployed.status == "CREATE_COMPLETE", deployed.reasons
    yield deployed
    sandbox.buses.events.clear()


def call(sandbox: Sandbox, flow: str, **told: Any) -> LiveCall:
    problems: list[str] = []
    setup = read_setup(Reader(told, "setup", problems), ROOT)
    assert problems == []
    return LiveCall(Line.find(sandbox, flow), setup)


def sent(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [event for event in sandbox.buses.events if event["source"] == "aws.connect"]


def types(sandbox: Sandbox) -> list[str]:
    return [event["detail"]["eventType"] for event in sent(sandbox)]


def test_a_rule_hears_of_a_call_that_an_agent_takes(sandbox: Sandbox, line: Deployed) -> None:
    agent = {"answers_after": 20, "talks_for": 60}
    going_on = call(sandbox, "Support line", agent=agent).hears("Press 1")
    assert types(sandbox) == ["INITIATED"]  # while the call goes on
    going_on.presses("1").meets_agent().ends("disconnected")
    assert types(sandbox) == ["INITIATED", "QUEUED", "CONNECTED_TO_AGENT", "DISCONNECTED", "COMPLETED"]

    told = sandbox.boto3_client("sqs").receive_message(QueueUrl=line.outputs["Told"], MaxNumberOfMessages=10)
    queued, ended = sorted(
        (json.loads(one["Body"]) for one in told["Messages"]), key=lambda event: event["time"]
    )
    instance = line.outputs["Instance"]
    detail = queued["detail"]
    assert queued["detail-type"] == "Amazon Connect Contact Event"
    assert queued["resources"] == [f"{instance}/contact/{detail['contactId']}", instance]
    assert (queued["account"], queued["region"]) == (sandbox.account, sandbox.region)
    assert detail["eventType"] == "QUEUED"
    assert (detail["channel"], detail["initiationMethod"], detail["instanceArn"]) == (
        "VOICE",
        "INBOUND",
        instance,
    )
    assert (detail["queueInfo"]["queueArn"], detail["queueInfo"]["queueType"]) == (
        line.outputs["Waiting"],
        "STANDARD",
    )
    assert detail["tags"]["aws:connect:instanceId"] == instance.rpartition("/")[2]
    assert "agentInfo" not in detail
    assert "disconnectTimestamp" not in detail
    assert ended["detail"]["agentInfo"]["agentArn"].startswith(f"{instance}/agent/")
    moments = [
        ended["detail"]["initiationTimestamp"],
        ended["detail"]["queueInfo"]["enqueueTimestamp"],
        ended["detail"]["agentInfo"]["connectedToAgentTimestamp"],
        ended["detail"]["disconnectTimestamp"],
    ]
    assert moments == sorted(moments)
    assert len(set(moments)) == 4


def test_a_chat_is_connected_to_the_system_and_may_change(sandbox: Sandbox, line: Deployed) -> None:
    connect = sandbox.boto3_client("connect")
    instance, flow = (
        line.outputs["Instance"].rpartition("/")[2],
        sandbox.connect.instance(line.outputs["Instance"]),
    )
    chat = flow.flow("Chat line")
    content = json.loads(chat.content)
    step = {"Identifier": "note", "Type": "UpdateContactAttributes", "Parameters": {
        "Attributes": {"topic": "bill"}, "TargetContact": "Current"},
        "Transitions": {"NextAction": content["StartAction"], "Errors": [
            {"ErrorType": "NoMatchingError", "NextAction": content["StartAction"]}]}}  # fmt: skip
    content["Actions"].append(step)
    content["StartAction"] = "note"
    connect.update_contact_flow_content(
        InstanceId=instance, ContactFlowId=chat.id, Content=json.dumps(content)
    )
    call(sandbox, "Chat line", channel="CHAT", lex={"somebody": "Agent"}).says("somebody").ends(
        "disconnected"
    )
    assert types(sandbox) == [
        "INITIATED", "CONNECTED_TO_SYSTEM", "CONTACT_DATA_UPDATED", "DISCONNECTED", "COMPLETED"]  # fmt: skip
    updated = sent(sandbox)[2]["detail"]
    assert updated["updatedProperties"] == ["UserDefinedAttributes"]
    assert "connectedToSystemTimestamp" in updated
    assert "queueInfo" not in updated


def test_an_app_cannot_send_events_of_amazon_connect(sandbox: Sandbox) -> None:
    entry = {"Source": "aws.connect", "DetailType": "Amazon Connect Contact Event", "Detail": "{}"}
    answer = sandbox.boto3_client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
