"""What the resources of an instance are to a folder of flows: a kind and a name, whatever the instance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Kinds by how an ARN of Amazon Connect names them.
SEGMENTS: Final[Mapping[str, str]] = {
    "queue": "queue",
    "operating-hours": "hours",
    "prompt": "prompt",
    "contact-flow": "flow",
    "flow-module": "module",
    "transfer-destination": "quick connect",
    "view": "view",
    "agent": "agent",
    "task-template": "task template",
}
#: Kinds by the parameter that takes an id without an ARN.
PARAMETERS: Final[Mapping[str, str]] = {
    "QueueId": "queue",
    "HoursOfOperationId": "hours",
    "PromptId": "prompt",
    "ContactFlowId": "flow",
    "FlowModuleId": "module",
    "AgentId": "agent",
    "TaskTemplateId": "task template",
}
_OF_SERVICE: Final = {
    "lambda": "function",
    "lex": "bot alias",
    "chime": "voice connector",
    "wisdom": "assistant",
}
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}|aws):"
    r"(?P<resource>[^:]+(?::function)?)(?P<rest>.*)"
)
_FUNCTION = re.compile(
    r"(?P<arn>arn:[^:]+:lambda:[^:]*:[0-9]{12}:function:(?P<name>[A-Za-z0-9_-]+))(?P<suffix>:.+)?"
)
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Resource:
    """What a placeholder stands for: a kind and a name ("queue", "Support"), and how the flow writes it.

    name: None where nothing has a name, as telephone numbers. form: "arn" or "id". suffix: a version or alias behind
    it (":3", ":$LATEST").
    """

    kind: str
    name: str | None = None
    form: str = "arn"
    suffix: str = ""

    @property
    def words(self) -> str:
        """Return what a person calls it: queue Support."""
        return f"{self.kind} {self.name}" if self.name else self.kind

    def as_json(self) -> dict[str, str]:
        """Return it for the index file; what is the rule is left out."""
        made = {"kind": self.kind, **({"name": self.name} if self.name else {})}
        if self.form != "arn":
            made["form"] = self.form
        return {**made, **({"suffix": self.suffix} if self.suffix else {})}

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> Resource:
        """Return what `as_json` wrote."""
        return cls(str(given["kind"]), given.get("name"), given.get("form", "arn"), given.get("suffix", ""))


def split(value: str) -> tuple[str, str, str]:
    """Return the kind of a resource, its ARN or id without version or alias, and these.

    The kind is "" for an id, which does not show it, and the service for what is not known more closely.
    """
    if function := _FUNCTION.fullmatch(value):
        return "function", function["arn"], function["suffix"] or ""
    found = _ARN.fullmatch(value)
    if found is None:
        head, colon, tail = value.partition(":")
        if _ID.fullmatch(head):
            return "", head, colon + tail
        return ("telephone number" if value.startswith("+") else ""), value, ""
    if found["service"] == "connect":
        parts = found["resource"].split("/")
        segment = parts[2] if len(parts) > 3 else parts[0]
        kind = SEGMENTS.get(segment, segment.replace("-", " "))
        return kind, value.removesuffix(found["rest"]) if found["rest"] else value, found["rest"]
    return _OF_SERVICE.get(found["service"], found["service"]), value, ""


def kinds_in(document: object) -> set[str]:
    """Return the kinds of named resources that a flow's JSON refers to."""
    found: set[str] = set()
    stack: list[tuple[object, str]] = [(document, "")]
    while stack:
        value, parameter = stack.pop()
        if isinstance(value, Mapping):
            stack += [(inner, str(key)) for key, inner in value.items()]
        elif isinstance(value, list):
            stack += [(inner, parameter) for inner in value]
        elif isinstance(value, str):
            if parameter in PARAMETERS and _ID.match(value):
                found.add(PARAMETERS[parameter])
            found |= {kind for segment, kind in SEGMENTS.items() if f"/{segment}/" in value}
            if ":bot-alias/" in value:
                found.add("bot alias")
    return found
