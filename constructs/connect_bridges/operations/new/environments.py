"""The environments of a new app: the sandbox's, the export's own, and one to fill in."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connect_flows import LintContext

from connect_bridges.operations.new.exports import BOT, FUNCTION, PHONE_NUMBER, Exports, Resource
from connect_bridges.operations.new.naming import slug

LOCAL, FIRST, SECOND = "local", "dev", "prod"
SANDBOX_INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
"""The sandbox has one account, and takes every instance in it to exist."""
_PLACE = "us-east-1:123456789012"
_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):[a-z0-9-]*:[0-9]{12}:(?P<resource>.+)")
_INSTANCE = re.compile(
    r"arn:aws[a-z-]*:connect:(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]):(?P<account>[0-9]{12})"
    r":instance/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_IN_INSTANCE = {
    "Queue": "queue",
    "Agent": "agent",
    "Flow": "contact-flow",
    "Module": "flow-module",
    "Prompt": "prompt",
    "Hours": "operating-hours",
    "TaskTemplate": "task-template",
    "QuickConnect": "transfer-destination",
}


@dataclass(frozen=True)
class Environment:
    """One environment of cdk.json. None: to be filled in.

    notes: for each value that the export has and the environment cannot take, why.
    """

    name: str
    instance_arn: str | None
    associates: bool
    values: Mapping[str, str | None]
    notes: tuple[str, ...] = ()

    def as_json(self, *, associates: bool) -> dict[str, Any]:
        """Return its entry in cdk.json; `associates`: with the setting for functions and bots."""
        setting = {"associates": self.associates} if associates else {}
        return {"instanceArn": self.instance_arn, **setting, "values": dict(self.values)}


def is_instance(arn: str) -> bool:
    """Tell whether it is the ARN of an Amazon Connect instance."""
    return _INSTANCE.fullmatch(arn) is not None


def environments(exports: Exports, instance_arn: str | None) -> list[Environment]:
    """Return the sandbox's environment, the one with the export's values in that instance, and an empty one."""
    resources = exports.resources
    return [
        Environment(LOCAL, SANDBOX_INSTANCE, True, {one.placeholder: in_sandbox(one) for one in resources}),
        _first(exports, instance_arn),
        Environment(SECOND, None, True, {one.placeholder: None for one in resources}),
    ]


def in_sandbox(resource: Resource) -> str:
    """Return what takes the resource's place in the sandbox: always the same, and nobody's on AWS."""
    made_up = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{resource.kind}/{resource.placeholder}"))
    digits = hashlib.sha256(resource.placeholder.encode()).hexdigest()
    own = {
        FUNCTION: f"arn:aws:lambda:{_PLACE}:function:{_function_name(resource)}",
        BOT: f"arn:aws:lex:{_PLACE}:bot-alias/{digits[:10].upper()}/TSTALIASID",
        "Assistant": f"arn:aws:wisdom:{_PLACE}:assistant/{made_up}",
        PHONE_NUMBER: f"+1206555{100 + int(digits[:8], 16) % 100:04}",
        "Instance": SANDBOX_INSTANCE,
        **{kind: f"{SANDBOX_INSTANCE}/{path}/{made_up}" for kind, path in _IN_INSTANCE.items()},
    }
    if resource.kind in own:
        return own[resource.kind]
    arn = _ARN.fullmatch(resource.value)
    if arn is None:
        return made_up
    in_instance = re.sub(r"^instance/[^/]+", SANDBOX_INSTANCE.rpartition(":")[2], arn["resource"])
    return f"arn:aws:{arn['service']}:{_PLACE}:{in_instance}"


def _first(exports: Exports, instance_arn: str | None) -> Environment:
    """Return the environment whose values are the export's, unless they are another instance's or no values at all."""
    place = _INSTANCE.fullmatch(instance_arn) if instance_arn else None
    context = LintContext(place["account"], place["region"], place["id"]) if place else None
    values: dict[str, str | None] = {}
    notes = []
    for resource in exports.resources:
        users = [flow for flow in exports.flows if resource.placeholder in flow.references]
        refused = [
            error for flow in users for error in flow.refuses({resource.placeholder: resource.value}, context)
        ]
        values[resource.placeholder] = None if refused or not resource.value else resource.value
        if refused and resource.value:
            notes.append(f"{resource.placeholder}: {refused[0]}")
    # evidence: association-exists-already
    # Flows of that instance invoke the functions and talk to the bots already.
    return Environment(FIRST, instance_arn, False, values, tuple(notes))


def _function_name(resource: Resource) -> str:
    arn = _ARN.fullmatch(resource.value)
    if arn and arn["resource"].startswith("function:"):
        return arn["resource"].split(":")[1]
    return slug(resource.title) or slug(resource.placeholder)
