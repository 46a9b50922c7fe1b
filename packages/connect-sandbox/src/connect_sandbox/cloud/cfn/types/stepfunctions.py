"""AWS::StepFunctions::StateMachine, on the sandbox's own state machines."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.states.machine import check
from connect_sandbox.cloud.states.service import StateMachine

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class Machine(ResourceType):
    """A state machine in JSONPath; its waits take no time."""

    type_name = "AWS::StepFunctions::StateMachine"
    properties: ClassVar[PropertyTable] = {
        "StateMachineName": SUPPORTED,
        "StateMachineType": Only(("STANDARD", "EXPRESS"), "Step Functions knows no other"),
        "RoleArn": SUPPORTED,
        "Definition": SUPPORTED,
        "DefinitionString": SUPPORTED,
        "DefinitionS3Location": SUPPORTED,
        "DefinitionSubstitutions": SUPPORTED,
        "EncryptionConfiguration": Recorded("executions live in memory"),
        "LoggingConfiguration": Recorded("there is no log of executions; sandbox.state_machines has them"),
        "TracingConfiguration": Recorded("there is no X-Ray here"),
        "Tags": TAGS,
    }
    required = ("RoleArn",)
    name_property = "StateMachineName"
    replaced_by = frozenset({"StateMachineName", "StateMachineType"})
    attributes = ("Arn", "Name", "StateMachineRevisionId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the machine; its definition must hold, and its role exist."""
        name = properties.get("StateMachineName") or context.physical_name(limit=80)
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace definition and role; executions that run go on with the old."""
        return self._put(context, existing.attributes["Name"], new)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the machine."""
        context.services.state_machines.machines.pop(existing.physical_id, None)

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        role = properties["RoleArn"]
        services = ("states.amazonaws.com", f"states.{context.region}.amazonaws.com")
        own = f"arn:aws:states:{context.region}:{context.account}:stateMachine:{name}"
        may_assume = context.services.authorization.may_assume
        if not any(may_assume(service, role, own) for service in services):
            message = (
                "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to "
                f"assume the provided role {role}"
            )
            raise AwsError("AccessDeniedException", message)
        definition = _definition(context, properties)
        check(definition)
        machine: StateMachine = context.services.state_machines.put(
            name, role, definition, properties.get("StateMachineType", "STANDARD")
        )
        return Created(machine.arn, {"Arn": machine.arn, "Name": name, "StateMachineRevisionId": "INITIAL"})


def _definition(context: Context, properties: dict[str, Any]) -> dict[str, Any]:
    if "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        text = (
            context.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
        )
    else:
        text = properties.get("DefinitionString") or json.dumps(properties.get("Definition"))
    values = properties.get("DefinitionSubstitutions") or {}
    text = _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)
    try:
        definition: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    return definition


TYPES = (Machine(),)
