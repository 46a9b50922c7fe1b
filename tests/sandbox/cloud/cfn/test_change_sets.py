"""What a change set tells before it is executed: which properties change, and what is replaced."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

BEFORE: dict[str, Any] = {
    "Parameters": {"Seconds": {"Type": "String", "Default": "30"}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Seconds"}}},
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Name": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Ref": "Stream"}},
        },
        "Arn": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Stream", "Arn"]}},
        },
        "Named": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": {"Fn::Sub": "/names/${Stream}"}, "Type": "String", "Value": "x"},
        },
    },
}


def changed(**properties: Any) -> dict[str, Any]:
    template: dict[str, Any] = json.loads(json.dumps(BEFORE))
    for name, values in properties.items():
        template["Resources"][name]["Properties"] |= values
    return template


def planned(sandbox: Sandbox, stack: str, template: dict[str, Any], **parameters: str) -> dict[str, Any]:
    client = sandbox.boto3_client("cloudformation")
    name = f"set-{uuid.uuid4().hex[:8]}"
    client.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    changes = client.describe_change_set(StackName=stack, ChangeSetName=name)["Changes"]
    client.delete_change_set(StackName=stack, ChangeSetName=name)
    return {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in changes}


@pytest.mark.parametrize(
    ("template", "parameters", "replacements"),
    [
        (changed(Stream={"RetentionPeriodHours": 48}), {}, {"Stream": "False", "Arn": "False"}),
        (
            changed(Stream={"Name": "mine"}),
            {},
            {"Stream": "True", "Name": "False", "Arn": "False", "Named": "Conditional"},
        ),
        (BEFORE, {"Seconds": "60"}, {"Queue": "False"}),
        (changed(Named={"Name": "/other"}), {}, {"Named": "True"}),
    ],
    ids=["in place", "replaced", "by a parameter", "renamed"],
)
def test_what_changes_and_what_is_replaced(
    sandbox: Sandbox, deploy: Any, template: Any, parameters: dict[str, str], replacements: dict[str, str]
) -> None:
    made = deploy(BEFORE)
    found = planned(sandbox, made.name, template, **parameters)

    assert {name: change["Replacement"] for name, change in found.items()} == replacements


def test_each_property_says_whether_it_replaces(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(BEFORE)
    found = planned(sandbox, made.name, changed(Stream={"Name": "mine", "ShardCount": 2}))

    told = {
        detail["Target"]["Name"]: (detail["Target"]["RequiresRecreation"], detail["Evaluation"])
        for detail in found["Stream"]["Details"]
    }
    assert told == {"Name": ("Always", "Static"), "ShardCount": ("Never", "Static")}
    assert found["Stream"]["Scope"] == ["Properties"]
    assert [d["Target"]["RequiresRecreation"] for d in found["Named"]["Details"]] == ["Conditionally"]


def test_what_comes_and_goes(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(BEFORE)
    template = changed()
    template["Resources"]["Other"] = template["Resources"].pop("Queue")
    found = planned(sandbox, made.name, template)

    assert {name: change["Action"] for name, change in found.items()} == {"Other": "Add", "Queue": "Remove"}
    assert found["Queue"]["PhysicalResourceId"] == made.resources["Queue"]


def test_a_resource_keeps_its_type(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(BEFORE)
    template = changed()
    template["Resources"]["Queue"] = {"Type": "AWS::SNS::Topic"}
    client = sandbox.boto3_client("cloudformation")
    client.create_change_set(StackName=made.name, ChangeSetName="other", TemplateBody=json.dumps(template))
    told = client.describe_change_set(StackName=made.name, ChangeSetName="other")
    assert (told["Status"], told["Changes"]) == ("FAILED", [])
    assert told["StatusReason"].endswith("modifies resource type of the following resources: [Queue]")
    with pytest.raises(client.exceptions.ClientError, match="Update of resource type is not permitted"):
        client.update_stack(StackName=made.name, TemplateBody=json.dumps(template))
