"""AWS::ApiGateway::UsagePlan and the keys by which a plan knows its clients."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from connect_sandbox.cloud.api_gateway.registry import ApiKey, UsagePlan, new_id
from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.apigateway_support import DESCRIPTION, apis, is_true
from connect_sandbox.cloud.errors import AwsError

_VALUE = re.compile(r"[A-Za-z0-9]{20,128}", re.ASCII)


class Key(ResourceType):
    """An API key."""

    type_name = "AWS::ApiGateway::ApiKey"
    properties: ClassVar[PropertyTable] = {
        "Name": Recorded("a name is kept"),
        "Description": DESCRIPTION,
        "Enabled": SUPPORTED,
        "Value": SUPPORTED,
        "Tags": TAGS,
    }
    replaced_by = frozenset({"Name", "Value"})
    attributes = ("APIKeyId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the key; without a value it gets one that nobody knows."""
        value = properties.get("Value") or new_id(40)
        if not _VALUE.fullmatch(value):
            raise AwsError("BadRequestException", "API Key value should be at least 20 characters")
        keys = apis(context).keys
        if any(known.value == value for known in keys.values()):
            raise AwsError("ConflictException", "API Key already exists", 409)
        key = ApiKey(new_id(), value, is_true(properties.get("Enabled", False)))
        keys[key.id] = key
        return Created(key.id, {"APIKeyId": key.id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Switch the key on or off."""
        apis(context).keys[existing.physical_id].enabled = is_true(new.get("Enabled", False))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the key."""
        apis(context).keys.pop(existing.physical_id, None)


class Plan(ResourceType):
    """A usage plan with a throttle for each key."""

    type_name = "AWS::ApiGateway::UsagePlan"
    properties: ClassVar[PropertyTable] = {
        "UsagePlanName": Recorded("a name is kept"),
        "Description": DESCRIPTION,
        "ApiStages": Nested({"ApiId": SUPPORTED, "Stage": SUPPORTED}),
        "Throttle": Nested({"RateLimit": SUPPORTED, "BurstLimit": SUPPORTED}),
        "Tags": TAGS,
    }
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the plan."""
        plan_id = new_id(6)
        self._put(context, plan_id, properties, set())
        return Created(plan_id, {"Id": plan_id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change stages and throttle."""
        self._put(context, existing.physical_id, new, apis(context).plans[existing.physical_id].key_ids)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the plan."""
        apis(context).plans.pop(existing.physical_id, None)

    def _put(self, context: Context, plan_id: str, properties: dict[str, Any], keys: set[str]) -> None:
        registry = apis(context)
        stages = frozenset((s["ApiId"], s["Stage"]) for s in properties.get("ApiStages") or [])
        for api_id, stage in stages:
            if stage not in registry.get(api_id).stages:
                raise AwsError("NotFoundException", f"Invalid stage identifier specified: {stage}", 404)
        throttle = properties.get("Throttle") or {}
        registry.plans[plan_id] = UsagePlan(
            plan_id,
            stages,
            rate=float(throttle["RateLimit"]) if "RateLimit" in throttle else None,
            burst=int(throttle["BurstLimit"]) if "BurstLimit" in throttle else None,
            key_ids=keys,
        )


class PlanKey(ResourceType):
    """A key's place in a plan."""

    type_name = "AWS::ApiGateway::UsagePlanKey"
    properties: ClassVar[PropertyTable] = {
        "KeyId": SUPPORTED,
        "KeyType": Only(("API_KEY",), "API Gateway knows no other"),
        "UsagePlanId": SUPPORTED,
    }
    required = ("KeyId", "KeyType", "UsagePlanId")
    replaced_by = frozenset({"KeyId", "KeyType", "UsagePlanId"})
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the key into the plan."""
        registry = apis(context)
        key_id, plan = properties["KeyId"], registry.plans.get(properties["UsagePlanId"])
        if key_id not in registry.keys or plan is None:
            raise AwsError("NotFoundException", "Invalid API Key or usage plan identifier specified", 404)
        plan.key_ids.add(key_id)
        name = f"{key_id}:{plan.id}"
        return Created(name, {"Id": name})

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Take the key out of the plan."""
        plan = apis(context).plans.get(properties["UsagePlanId"])
        if plan is not None:
            plan.key_ids.discard(properties["KeyId"])


TYPES = (Key(), Plan(), PlanKey())
