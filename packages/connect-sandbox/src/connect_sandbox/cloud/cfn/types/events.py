"""AWS::Events::Rule, EventBus and EventBusPolicy, on moto's EventBridge.

A rule with a pattern sends what is put on its bus (connect_sandbox.cloud.triggers.buses). Nothing triggers a schedule
here; `connect_sandbox.cloud.schedules.run_rule` does what EventBridge does when the time has come.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.triggers.patterns import check_pattern


class Rule(ResourceType):
    """A rule with a schedule or a pattern, and its targets."""

    type_name = "AWS::Events::Rule"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": SUPPORTED,
        "ScheduleExpression": Recorded("time does not pass here; run_rule triggers the rule"),
        "State": Only(("ENABLED", "DISABLED"), "there are no management events of CloudTrail here"),
        "EventPattern": SUPPORTED,
        "EventBusName": SUPPORTED,
        "RoleArn": Only((), "a target's own RoleArn, or its resource policy, lets EventBridge in"),
        "Targets": Nested(
            {
                "Arn": SUPPORTED,
                "Id": SUPPORTED,
                "Input": SUPPORTED,
                "InputPath": SUPPORTED,
                "InputTransformer": Nested({"InputPathsMap": SUPPORTED, "InputTemplate": SUPPORTED}),
                "RoleArn": SUPPORTED,
                "DeadLetterConfig": Nested({"Arn": SUPPORTED}),
                "RetryPolicy": Recorded("a target answers at once or not at all here"),
            }
        ),
        "Tags": TAGS,
    }
    name_property = "Name"
    replaced_by = frozenset({"Name", "EventBusName"})
    attributes = ("Arn", "RuleName")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the rule and its targets."""
        name = properties.get("Name") or context.physical_name(limit=64)
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the rule, and remove the targets that it no longer has."""
        kept = {target["Id"] for target in new.get("Targets") or []}
        gone = [target["Id"] for target in old.get("Targets") or [] if target["Id"] not in kept]
        name = existing.physical_id.rpartition("|")[2]
        if gone:
            context.client("events").remove_targets(Rule=name, Ids=gone, EventBusName=_bus(new))
        return self._put(context, name, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the rule with its targets."""
        client, name = context.client("events"), existing.physical_id.rpartition("|")[2]
        ids = [target["Id"] for target in properties.get("Targets") or []]
        context.services.buses.targets_of_rule.pop(existing.attributes["Arn"], None)
        try:
            if ids:
                client.remove_targets(Rule=name, Ids=ids, EventBusName=_bus(properties))
            client.delete_rule(Name=name, EventBusName=_bus(properties))
        except client.exceptions.ResourceNotFoundException:
            return

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        client, targets = context.client("events"), properties.get("Targets") or []
        trigger = {}
        if pattern := properties.get("EventPattern"):
            document = json.loads(pattern) if isinstance(pattern, str) else pattern
            check_pattern(document)
            trigger["EventPattern"] = json.dumps(document)
        if "ScheduleExpression" in properties:
            trigger["ScheduleExpression"] = properties["ScheduleExpression"]
        if not trigger:
            message = "Parameter(s) EventPattern or ScheduleExpression must be specified."
            raise AwsError("ValidationException", message)
        unknown = [one["Arn"] for one in targets if not context.services.targets.reaches(one["Arn"])]
        if unknown:
            raise NotEmulatedError(f"the target {unknown[0]} of a rule", "nothing can be sent there")
        bus = _bus(properties)
        arn = client.put_rule(
            Name=name,
            State=properties.get("State", "ENABLED"),
            Description=properties.get("Description", ""),
            EventBusName=bus,
            **trigger,
        )["RuleArn"]
        if targets:
            client.put_targets(Rule=name, Targets=targets, EventBusName=bus)
        context.services.buses.targets_of_rule[arn] = [dict(one) for one in targets]
        return Created(name if bus == "default" else f"{bus}|{name}", {"Arn": arn, "RuleName": name})


class EventBus(ResourceType):
    """A bus of one's own."""

    type_name = "AWS::Events::EventBus"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "DeadLetterConfig": Recorded("what a rule cannot send goes to the target's own dead-letter queue"),
        "EventSourceName": Only((), "there are no partners here"),
        "KmsKeyIdentifier": Recorded("events lie in memory"),
        "LogConfig": Recorded("there is no log of buses here"),
        "Policy": Recorded("only this account puts events here"),
        "Tags": TAGS,
    }
    required = ("Name",)
    replaced_by = frozenset({"Name"})
    attributes = ("Arn", "Name")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the bus."""
        name = properties["Name"]
        arn = context.client("events").create_event_bus(Name=name)["EventBusArn"]
        return Created(name, {"Arn": arn, "Name": name})

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the bus: what may change has no effect here."""
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the bus."""
        context.client("events").delete_event_bus(Name=existing.physical_id)


def _bus(properties: dict[str, Any]) -> str:
    return str(properties.get("EventBusName") or "default").rpartition("/")[2]


TYPES = (Rule(), EventBus())
