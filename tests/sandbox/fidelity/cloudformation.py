"""CloudFormation: templates that are deployed, or refused, and stacks that change, by boto3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import Case, called, error_of, fill, plain_client


def answers(sandbox: Sandbox, cases: Iterable[Case]) -> Iterator[Any]:
    """Send each case; its stacks are deleted when it has been answered."""
    client = plain_client(sandbox, "cloudformation")
    for case in cases:
        stage = Stage(sandbox, client, case.id)
        yield getattr(stage, case.kind)(case.sent)
        stage.clean_up()


class Stage:
    """The stacks of one case."""

    def __init__(self, sandbox: Sandbox, client: Any, name: str) -> None:
        self.client = client
        self.sandbox = sandbox
        self.stack = f"fidelity-{name}"
        self.names = {
            "case.stack": self.stack,
            "case.account": sandbox.account,
            "case.region": sandbox.region,
        }
        self.ids: list[str] = []

    # -- the kinds of cases

    def deployed(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Create a stack from a template; how it ends, with outputs and resources, or the refusal."""
        for name, value in sent.get("ssm", {}).items():
            self.sandbox.boto3_client("ssm").put_parameter(
                Name=name, Value=value, Type="String", Overwrite=True
            )
        return self._step({"do": "create", **sent})

    def sequence(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Do one thing after the other; how each ends, and the events of the stack and its resources, oldest first."""
        ends = [self._step(step) for step in sent["steps"]]
        return {"steps": ends, "events": self._events() if self.ids else {}}

    def call(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Call an operation; the answer to that."""
        parameters = fill(sent["with"], self.names)
        if isinstance(parameters.get("TemplateBody"), dict):
            parameters["TemplateBody"] = json.dumps(parameters["TemplateBody"])
        return called(self.client, sent["operation"], parameters)

    # -- steps

    def _step(self, step: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(getattr(self, f"_{step['do']}")(fill(step, self.names)))
        except ClientError as error:
            return error_of(error)

    def _create(self, step: dict[str, Any]) -> dict[str, Any]:
        return self._send(self.client.create_stack, step)

    def _update(self, step: dict[str, Any]) -> dict[str, Any]:
        return self._send(self.client.update_stack, step)

    def _send(self, operation: Any, step: dict[str, Any]) -> dict[str, Any]:
        request: dict[str, Any] = {"StackName": step.get("stack", self.stack), **step.get("with", {})}
        if "template" in step:
            template = step["template"]
            request["TemplateBody"] = template if isinstance(template, str) else json.dumps(template)
        if "parameters" in step:
            request["Parameters"] = [
                {"ParameterKey": name, **(value if isinstance(value, dict) else {"ParameterValue": value})}
                for name, value in step["parameters"].items()
            ]
        stack_id = operation(**request)["StackId"]
        if stack_id not in self.ids:
            self.ids.append(stack_id)
        return self._look(stack_id)

    def _delete(self, step: dict[str, Any]) -> dict[str, Any]:
        self.client.delete_stack(StackName=step.get("stack", self.stack), **step.get("with", {}))
        self.sandbox.deployments.wait()
        return self._look(self.ids[-1])

    def _change_set(self, step: dict[str, Any]) -> dict[str, Any]:
        """Make a change set; what it is."""
        request = {"StackName": self.stack, "ChangeSetName": "change", **step.get("with", {})}
        answer = self.client.create_change_set(TemplateBody=json.dumps(step["template"]), **request)
        if answer["StackId"] not in self.ids:
            self.ids.append(answer["StackId"])
        told = self.client.describe_change_set(
            ChangeSetName=request["ChangeSetName"], StackName=request["StackName"]
        )
        changes = [one["ResourceChange"] for one in told["Changes"]]
        return {
            "status": told["Status"],
            "execution": told["ExecutionStatus"],
            "reason": told.get("StatusReason"),
            "changes": [
                {
                    "Action": c["Action"],
                    "LogicalResourceId": c["LogicalResourceId"],
                    "Replacement": c.get("Replacement"),
                }
                for c in changes
            ],
        }

    def _execute(self, step: dict[str, Any]) -> dict[str, Any]:
        self.client.execute_change_set(StackName=self.stack, ChangeSetName=step.get("name", "change"))
        return self._look(self.ids[-1])

    def _describe_change_set(self, step: dict[str, Any]) -> dict[str, Any]:
        told = self.client.describe_change_set(**step["with"])
        return {"status": told["Status"], "execution": told["ExecutionStatus"]}

    def _delete_change_set(self, _step: dict[str, Any]) -> dict[str, Any]:
        self.client.delete_change_set(StackName=self.stack, ChangeSetName="change")
        return {"status": "deleted"}

    def _describe(self, step: dict[str, Any]) -> dict[str, Any]:
        return self._look(step.get("stack") or self.ids[step.get("of", -1)])

    def _operation(self, step: dict[str, Any]) -> dict[str, Any]:
        parameters = {
            name: self.ids[-1] if value == "the stack's id" else value for name, value in step["with"].items()
        }
        if isinstance(parameters.get("TemplateBody"), dict):
            parameters["TemplateBody"] = json.dumps(parameters["TemplateBody"])
        return called(self.client, step["name"], parameters)

    # -- what they need

    def _look(self, name: str) -> dict[str, Any]:
        stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
        events = self.client.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
        held = self.client.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
        failed = {
            one["LogicalResourceId"]: one["ResourceStatusReason"]
            for one in events
            if one["ResourceStatus"].endswith("_FAILED") and "ResourceStatusReason" in one
        }
        kept = [one for one in held if not one["ResourceStatus"].startswith("DELETE_COMPLETE")]
        return {
            "status": stack["StackStatus"],
            "reason": stack.get("StackStatusReason"),
            "outputs": {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
            "parameters": {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])},
            "resources": sorted(one["LogicalResourceId"] for one in kept),
            "failed": failed,
            "description": stack.get("Description") or None,
            "protected": stack.get("EnableTerminationProtection"),
        }

    def _events(self) -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        for event in reversed(self.client.describe_stack_events(StackName=self.ids[0])["StackEvents"]):
            name = (
                "stack"
                if event["ResourceType"] == "AWS::CloudFormation::Stack"
                else event["LogicalResourceId"]
            )
            statuses = told.setdefault(name, [])
            if statuses[-1:] != [event["ResourceStatus"]]:
                statuses.append(event["ResourceStatus"])
        return told

    def clean_up(self) -> None:
        """Delete the case's stacks, the last one first."""
        for stack_id in reversed(self.ids):
            self.client.update_termination_protection(StackName=stack_id, EnableTerminationProtection=False)
            self.client.delete_stack(StackName=stack_id)
        self.sandbox.deployments.wait()
