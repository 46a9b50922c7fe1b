"""Values that a template takes from the parameter store and from secrets, and parameters that are checked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox


@pytest.fixture
def kept(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """A parameter and a secret that were there before."""
    name = f"desk-{uuid.uuid4().hex[:6]}"
    parameters, secrets = sandbox.boto3_client("ssm"), sandbox.boto3_client("secretsmanager")
    parameters.put_parameter(Name=f"/{name}/hours", Value="9 to 5", Type="String")
    parameters.put_parameter(Name=f"/{name}/lists", Value="a, b", Type="StringList")
    arn = secrets.create_secret(Name=name, SecretString=json.dumps({"pin": "4711"}))["ARN"]
    yield {"name": name, "arn": arn}
    parameters.delete_parameters(Names=[f"/{name}/hours", f"/{name}/lists"])
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def template(**values: Any) -> dict[str, Any]:
    return {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in values.items()},
    }


def test_they_are_replaced_alone_within_text_and_where_functions_make_them(
    deploy: Any, kept: dict[str, str]
) -> None:
    name = kept["name"]
    stack = deploy(
        template(
            Alone=f"{{{{resolve:ssm:/{name}/hours}}}}",
            Within=f"open {{{{resolve:ssm:/{name}/hours}}}} on {{{{resolve:secretsmanager:{name}:SecretString:pin}}}}",
            # As the CDK writes SecretValue.secretsManager.
            Made={"Fn::Join": ["", ["{{resolve:secretsmanager:", kept["arn"], ":SecretString:pin::}}"]]},
            Whole={"Fn::Sub": "{{resolve:secretsmanager:" + name + "}}"},
        )
    )
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    assert stack.outputs == {
        "Alone": "9 to 5",
        "Within": "open 9 to 5 on 4711",
        "Made": "4711",
        "Whole": '{"pin": "4711"}',
    }


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("ssm:/no/such", "{{resolve:ssm:/no/such}}"),
        ("secretsmanager:no-such", "can't find the specified secret"),
        (
            "secretsmanager:NAME:SecretString:no-such",
            "Could not find a value associated with JSONKey no-such",
        ),
        ("secretsmanager:NAME:SecretBinary", "only SecretString can be read"),
        ("ssm-secure:/pin:1", "does not emulate the dynamic reference {{resolve:ssm-secure:/pin:1}}"),
    ],
)
def test_one_that_leads_nowhere_fails_by_name(
    deploy: Any, kept: dict[str, str], reference: str, reason: str
) -> None:
    made = template()
    made["Resources"]["Topic"]["Properties"] = {
        "DisplayName": {"Fn::Sub": "{{resolve:" + reference.replace("NAME", kept["name"]) + "}}"}
    }
    stack = deploy(made)
    assert stack.status == "ROLLBACK_COMPLETE"
    assert reason in stack.reasons


def test_parameters_of_every_type(deploy: Any, kept: dict[str, str]) -> None:
    made = template(
        Stored={"Fn::Join": ["+", {"Ref": "Stored"}]},
        Subnets={"Fn::Select": [1, {"Ref": "Subnets"}]},
        Vpc={"Ref": "Vpc"},
    )
    made["Parameters"] = {
        "Stored": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": f"/{kept['name']}/lists"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
        "Vpc": {"Type": "AWS::EC2::VPC::Id", "MaxLength": 12},
    }
    stack = deploy(made, Subnets="subnet-1,subnet-2", Vpc="vpc-1")
    assert stack.outputs == {"Stored": "a+b", "Subnets": "subnet-2", "Vpc": "vpc-1"}
    with pytest.raises(Exception, match="Parameter 'Vpc' failed to satisfy constraint: its MaxLength is 12"):
        deploy(made, Subnets="subnet-1", Vpc="vpc-0123456789")


def test_numbers_have_bounds(deploy: Any) -> None:
    made = template(Days={"Ref": "Days"})
    made["Parameters"] = {"Days": {"Type": "Number", "MinValue": 1, "MaxValue": "30"}}
    assert deploy(made, Days="30").outputs == {"Days": "30"}
    for wrong in ("0", "31"):
        with pytest.raises(Exception, match="Parameter 'Days' failed to satisfy constraint"):
            deploy(made, Days=wrong)
