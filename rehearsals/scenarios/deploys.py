"""Deploys a stack of a cloud assembly by CloudFormation's API, in the order of calls of the CDK command line 2.1148.1.

A process of Node.js for each of hundreds of deployments would take minutes. `deploy/fails-then-succeeds` compares what
both leave behind.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

_FAILED_CREATIONS = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_NO_CHANGES = "The submitted information didn't contain changes."


class DeployFailedError(Exception):
    """A deployment failed; the message says what CloudFormation said."""


@dataclass(frozen=True)
class AssembledStack:
    """A stack as `cdk synth` wrote it. `template_url` is where its template is once the assets are published."""

    name: str
    template: dict[str, Any]
    template_url: str
    tags: dict[str, str]
    termination_protection: bool

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The template's resources by logical id."""
        resources: dict[str, dict[str, Any]] = self.template["Resources"]
        return resources

    @property
    def retained(self) -> set[str]:
        """The logical ids of what outlives even a creation that rolls back (DeletionPolicy Retain)."""
        return {name for name in self.outliving if self.resources[name]["DeletionPolicy"] == "Retain"}

    @property
    def outliving(self) -> set[str]:
        """The logical ids of what outlives the stack."""
        return {
            name
            for name, resource in self.resources.items()
            if resource.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}
        }


class Assembly:
    """A cloud assembly on this machine."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest of `folder`."""
        self.folder = folder
        self._artifacts: dict[str, Any] = json.loads((folder / "manifest.json").read_text())["artifacts"]

    def stack(self, name: str) -> AssembledStack:
        """Return a stack by its name."""
        [artifact] = [
            artifact
            for artifact_id, artifact in self._artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
            and artifact["properties"].get("stackName", artifact_id) == name
        ]
        properties = artifact["properties"]
        bucket, _, key = str(properties["stackTemplateAssetObjectUrl"]).removeprefix("s3://").partition("/")
        return AssembledStack(
            name=name,
            template=json.loads((self.folder / properties["templateFile"]).read_text()),
            template_url=f"https://{bucket}.s3.us-east-1.amazonaws.com/{key}",
            tags=properties.get("tags", {}),
            termination_protection=properties.get("terminationProtection", False),
        )

    def publish(self, sandbox: Sandbox) -> None:
        """Put the assets into the bootstrap bucket, those that are not there yet."""
        s3 = sandbox.boto3_client("s3")
        for source, destination in self._assets():
            place = {"Bucket": destination["bucketName"], "Key": destination["objectKey"]}
            if not s3.list_objects_v2(Bucket=place["Bucket"], Prefix=place["Key"])["KeyCount"]:
                s3.put_object(Body=self._read(source), **place)

    def _assets(self) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        for artifact in self._artifacts.values():
            if artifact["type"] == "cdk:asset-manifest":
                manifest = json.loads((self.folder / artifact["properties"]["file"]).read_text())
                for asset in manifest["files"].values():
                    for destination in asset["destinations"].values():
                        yield asset["source"], destination

    def _read(self, source: dict[str, str]) -> bytes:
        path = self.folder / source["path"]
        if source["packaging"] == "file":
            return path.read_bytes()
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(path))
        return zipped.getvalue()


class StackDeployer:
    """Deploys as `cdk deploy STACK` does, by change set and with rollback."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Deploy to `sandbox`."""
        self._client = sandbox.boto3_client("cloudformation")

    def deploy(self, stack: AssembledStack) -> str:
        """Deploy; return the stack's status. Raise DeployFailedError with the reasons that CloudFormation gave."""
        existing = self.describe(stack.name)
        if existing and existing["StackStatus"] in _FAILED_CREATIONS:
            self.delete(existing["StackId"])
            existing = None
        protected = bool(existing and existing["EnableTerminationProtection"])
        kind = "UPDATE" if existing and existing["StackStatus"] != "REVIEW_IN_PROGRESS" else "CREATE"
        change_set = self._client.create_change_set(
            StackName=stack.name,
            ChangeSetName="cdk-deploy-change-set",
            ChangeSetType=kind,
            TemplateURL=stack.template_url,
            Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        named = {"StackName": change_set["StackId"], "ChangeSetName": change_set["Id"]}
        described = self._client.describe_change_set(**named)
        # Here, before anybody knows how it will end.
        if protected != stack.termination_protection:
            self.protect(stack.name, on=stack.termination_protection)
        if described["Status"] == "FAILED" and described["StatusReason"].startswith(_NO_CHANGES):
            self._client.delete_change_set(**named)
        else:
            self._client.execute_change_set(ClientRequestToken=f"exec{uuid.uuid4()}", **named)
        status = self.wait(change_set["StackId"])
        if status not in _DEPLOYED:
            raise DeployFailedError(f"{stack.name} is {status}: {self._reasons(change_set['StackId'])}")
        return status

    def delete(self, stack: str) -> None:
        """Delete a stack, by name or id; raise DeployFailedError if that is refused or fails."""
        try:
            stack_id = self._client.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
            self._client.delete_stack(StackName=stack_id)
        except ClientError as refusal:
            raise DeployFailedError(str(refusal)) from refusal
        status = self.wait(stack_id)
        if status != "DELETE_COMPLETE":
            raise DeployFailedError(f"{stack} is {status}: {self._reasons(stack_id)}")

    def protect(self, stack: str, *, on: bool) -> None:
        """Switch a stack's termination protection."""
        self._client.update_termination_protection(StackName=stack, EnableTerminationProtection=on)

    def describe(self, stack: str) -> dict[str, Any] | None:
        """Return what DescribeStacks says, or None if there is no such stack."""
        try:
            described: dict[str, Any] = self._client.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError:
            return None
        return described

    def wait(self, stack_id: str) -> str:
        """Wait until nothing is in progress any more; return the status."""
        while True:
            status = str(self._client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status

    def events(self, stack_id: str) -> list[dict[str, Any]]:
        """Return the stack's events, oldest first."""
        return list(reversed(self._client.describe_stack_events(StackName=stack_id)["StackEvents"]))

    def history_events(self, stack: str) -> list[dict[str, Any]]:
        """Return the events of the stack that exists now, oldest first."""
        described = self.describe(stack)
        if described is None:
            raise LookupError(f"there is no stack {stack}")
        return self.events(described["StackId"])

    def history(self, stack: str) -> list[str]:
        """Return what has happened to the stack that exists now, without what differs each time."""
        return [
            f"{event['LogicalResourceId']} {event['ResourceStatus']} {event.get('ClientRequestToken', '')[:4]}"
            for event in self.history_events(stack)
        ]

    def resources(self, stack: str) -> dict[str, str]:
        """Return the physical ids of the stack's resources by logical id."""
        found = self._client.describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

    def _reasons(self, stack_id: str) -> str:
        return "; ".join(
            f"{event['LogicalResourceId']} {event['ResourceStatus']}: {event.get('ResourceStatusReason', '')}"
            for event in self.events(stack_id)
            if event["ResourceStatus"].endswith("FAILED")
        )
