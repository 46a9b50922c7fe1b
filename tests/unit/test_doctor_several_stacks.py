"""doctor and an app whose stacks take values from one another: an instance, and what other stacks put into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from connect_bridges.operations.deployed import in_assembly
from connect_bridges.operations.doctor.examination import examine, subjects_of
from connect_bridges.operations.doctor.findings import Finding, Status

from tests.support import INSTANCE_ARN
from tests.support.doctor import ACCOUNT, DENIED, REGION, Account, error, of

TAKEN = {"Fn::GetStackOutput": {"StackName": "one-instance", "OutputName": "Arn", "Region": REGION}}
IMPORTED = {"Fn::ImportValue": "one-instance:Arn"}
CENTER = {"Type": "AWS::Connect::Instance", "Properties": {"InstanceAlias": "example-support"}}


def told(construct: str, **facts: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::WaitConditionHandle",
        "Metadata": {"connect-bridges": {"format": 1, "construct": construct, "path": "one/It", **facts}},
    }


def app(folder: Path, taken: dict[str, Any], numbers: int = 6) -> Path:
    """Write an app of two stacks: an instance, and telephone numbers that another stack claims for it."""
    output = {"Value": {"Fn::GetAtt": ["Center", "Arn"]}, "Export": {"Name": "one-instance:Arn"}}
    instance = {
        "Resources": {
            "Center": CENTER,
            "Description": told("ContactCenter", instanceArn={"Fn::GetAtt": ["Center", "Arn"]}),
        },
        "Outputs": {"Arn": output},
    }
    number = {"Type": "AWS::Connect::PhoneNumber", "Properties": {"TargetArn": taken, "Type": "DID"}}
    claimed = {f"Number{n}": number for n in range(numbers)}
    stacks = {
        "one-instance": instance,
        "one-numbers": {"Resources": {**claimed, "Description": told("ConnectInstance", instanceArn=taken)}},
    }
    folder.mkdir()
    for name, template in stacks.items():
        (folder / f"{name}.json").write_text(json.dumps(template))
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{REGION}",
            "properties": {"templateFile": f"{name}.json"},
        }
        for name in stacks
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def account(*there: str, **answers: Any) -> Account:
    """An account in which the stack with the instance is deployed, or nothing is, with a quota of five."""

    def stacks(asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["StackName"]
        if name not in there:
            return error("ValidationError", f"Stack with id {name} does not exist")
        stack = {
            "StackName": name,
            "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": "Arn", "OutputValue": INSTANCE_ARN}],
        }
        return {"Stacks": [stack]}

    listed = [
        {
            "LogicalResourceId": "Center",
            "PhysicalResourceId": INSTANCE_ARN,
            "ResourceType": "AWS::Connect::Instance",
            "ResourceStatus": "CREATE_COMPLETE",
        }
    ]
    return Account(
        DescribeStacks=stacks,
        ListStackResources={"StackResourceSummaries": listed},
        ListInstances={"InstanceSummaryList": []},
        GetServiceQuota={"Quota": {"Value": 5.0}},
        **answers,
    )


def examined(folder: Path, asked: Account, *names: str) -> list[Finding]:
    return list(examine(asked.session(), subjects_of(folder, names)).findings)


@pytest.mark.parametrize("taken", [TAKEN, IMPORTED])
def test_what_another_stack_puts_into_a_new_instance_counts(tmp_path: Path, taken: dict[str, Any]) -> None:
    found = of(examined(app(tmp_path / "out", taken), account()), "phone-number-quota")
    assert found.status is Status.FAILURE
    assert found.found == "quota L-8F812903 is 5; 0 used, 6 needed"


@pytest.mark.parametrize("names", [(), ("one-numbers",)])
def test_the_output_of_a_deployed_stack_tells_the_instance(tmp_path: Path, names: tuple[str, ...]) -> None:
    claimed = {"ListPhoneNumbersSummaryList": [{"PhoneNumber": "+12065550100", "PhoneNumberId": "n"}]}
    asked = account("one-instance", ListPhoneNumbersV2=claimed)
    found = examined(app(tmp_path / "out", TAKEN, numbers=5), asked, *names)
    assert of(found, "phone-number-quota").found == "quota L-8F812903 is 5; 1 used, 5 needed"
    assert ("instance", Status.OK) in {(each.check, each.status) for each in found}


@pytest.mark.parametrize("refusal", [DENIED, error("ValidationError", "Stack x does not exist")])
def test_an_instance_that_nothing_tells_is_skipped_and_named(tmp_path: Path, refusal: dict[str, Any]) -> None:
    asked = account()
    answer = asked.answers["DescribeStacks"]
    asked.answers["DescribeStacks"] = lambda told: (
        refusal if told["StackName"] == "one-instance" else answer(told)
    )
    found = of(examined(app(tmp_path / "out", TAKEN), asked, "one-numbers"), "instance")
    assert found.status is Status.SKIPPED
    assert found.found == "comes with the deployment, of the stack one-instance: run doctor again after it"


def test_the_stacks_of_an_app_name_whose_outputs_they_take(tmp_path: Path) -> None:
    instance, numbers = in_assembly(app(tmp_path / "out", TAKEN))
    assert [sorted(each.takes_from) for each in (instance, numbers)] == [[], ["one-instance"]]
    assert (instance.instance_from, numbers.instance_from) == (None, "one-instance")
    assert numbers.resources["Number0"]["References"] == {"TargetArn": "one-instance/Center"}
