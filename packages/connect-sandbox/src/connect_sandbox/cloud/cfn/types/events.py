"""AWS::Events::Rule, on moto's EventBridge: a rule with a schedule is kept with its targets.

Nothing triggers it here; `connect_sandbox.cloud.schedules.run_rule` does what EventBridge does when the time has
come.
"""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded


class Rule(ResourceType):
    """A rule on the default event bus that has a schedule and Lambda functions as targets."""

    type_name = "AWS::Events::Rule"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": SUPPORTED,
        "ScheduleExpression": Recorded("time does not pass here; run_rule triggers the rule"),
        "State": Only(("ENABLED", "DISABLED"), "there are no management events of CloudTrail here"),
        "EventPattern": Only((), "no AWS service sends events here"),
        "EventBusName": Only(("default",), "there is the default event bus only"),
        "RoleArn": Only((), "the function's resource policy lets EventBridge in"),
        "Targets": Nested({"Arn": SUPPORTED, "Id": SUPPORTED, "Input": SUPPORTED}),
        "Tags": TAGS,
    }
    required = ("ScheduleExpression", "Targets")
    replaced_by = frozenset({"Name"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the rule and its targets."""
        name = properties.get("Name") or context.physical_name(limit=64)
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the rule, and remove the targets that it no longer has."""
        kept = {target["Id"] for target in new["Targets"]}
        gone = [target["Id"] for target in old["Targets"] if target["Id"] not in kept]
        if gone:
            context.client("events").remove_targets(Rule=existing.physical_id, Ids=gone)
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the rule with its targets."""
        client = context.client("events")
        try:
            client.remove_targets(
                Rule=existing.physical_id, Ids=[target["Id"] for target in properties["Targets"]]
            )
            client.delete_rule(Name=existing.physical_id)
        except client.exceptions.ResourceNotFoundException:
            return

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        client = context.client("events")
        arn = client.put_rule(
            Name=name,
            ScheduleExpression=properties["ScheduleExpression"],
            State=properties.get("State", "ENABLED"),
            Description=properties.get("Description", ""),
        )["RuleArn"]
        client.put_targets(Rule=name, Targets=properties["Targets"])
        return Created(name, {"Arn": arn})


TYPES = (Rule(),)
