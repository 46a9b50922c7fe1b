"""A running sandbox, and the means to deploy small stacks into it."""

from __future__ import annotations

import io
import json
import textwrap
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


# For the package, not for the session: there is one at a time in a process, and other tests have their own.
@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@dataclass
class Deployed:
    """What became of a stack."""

    name: str
    status: str
    outputs: dict[str, str]
    events: list[dict[str, Any]]
    resources: dict[str, str]

    @property
    def reasons(self) -> str:
        return "\n".join(e["ResourceStatusReason"] for e in self.events if "ResourceStatusReason" in e)


@dataclass
class Deployer:
    """Creates, updates and deletes stacks by boto3, as any client of CloudFormation does."""

    sandbox: Sandbox
    names: list[str] = field(default_factory=list)

    def __call__(self, template: dict[str, Any], *, name: str = "", **parameters: str) -> Deployed:
        client = self.sandbox.boto3_client("cloudformation")
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        if name:
            client.update_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=given)
        else:
            name = f"stack-{uuid.uuid4().hex[:8]}"
            self.names.append(name)
            client.create_stack(StackName=name, TemplateBody=json.dumps(template), Parameters=given)
        return self.look(name)

    def look(self, name: str) -> Deployed:
        client = self.sandbox.boto3_client("cloudformation")
        self.sandbox.deployments.wait()
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        resources = client.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
        return Deployed(
            name=name,
            status=stack["StackStatus"],
            outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
            events=client.describe_stack_events(StackName=stack["StackId"])["StackEvents"],
            resources={r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources},
        )

    def delete(self, name: str) -> Deployed:
        client = self.sandbox.boto3_client("cloudformation")
        stack_id = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        client.delete_stack(StackName=name)
        self.sandbox.deployments.wait()
        return self.look(stack_id)


@pytest.fixture
def deploy(sandbox: Sandbox) -> Iterator[Deployer]:
    deployer = Deployer(sandbox)
    yield deployer
    client = sandbox.boto3_client("cloudformation")
    for name in reversed(deployer.names):  # what imports goes first
        client.delete_stack(StackName=name)
        sandbox.deployments.wait()


@pytest.fixture
def role() -> Callable[..., dict[str, Any]]:
    def make(*statements: dict[str, Any], trust: dict[str, Any] | None = None) -> dict[str, Any]:
        policies = [
            {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
        ]
        properties: dict[str, Any] = {"AssumeRolePolicyDocument": trust or TRUST_LAMBDA}
        if statements:
            properties["Policies"] = policies
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    return make


@pytest.fixture
def function(role: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the resources of a stack with one function, `Function`, from inline code, and its role, `Role`."""

    def make(code: str, *statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
        return {
            "Role": role(*statements),
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": textwrap.dedent(code)},
                    "Handler": "index.handler",
                    "Runtime": "python3.13",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    **properties,
                },
            },
        }

    return make


@pytest.fixture
def zip_of() -> Callable[[dict[str, str]], bytes]:
    def make(files: dict[str, str]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return buffer.getvalue()

    return make
