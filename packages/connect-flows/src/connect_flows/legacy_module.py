"""One block of a console export from before the flow language, while it is converted.

It records which parameters and branches the conversion has read, so that the rest can be reported. Source: blocks and
parameters in published exports of that time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

END = "disconnect added by import"
OPERATORS = {
    "Equals": "Equals",
    "StartsWith": "TextStartsWith",
    "EndsWith": "TextEndsWith",
    "Contains": "TextContains",
    "GreaterThan": "NumberGreaterThan",
    "GreaterThanOrEqualTo": "NumberGreaterOrEqualTo",
    "GreaterThanOrEquals": "NumberGreaterOrEqualTo",
    "LessThan": "NumberLessThan",
    "LessThanOrEqualTo": "NumberLessOrEqualTo",
    "LessThanOrEquals": "NumberLessOrEqualTo",
}
NAMESPACES = {
    "External": "$.External.",
    "User Defined": "$.Attributes.",
    "Lex Slots": "$.Lex.Slots.",
    "Lex Attributes": "$.Lex.SessionAttributes.",
    "Queue Metrics": "$.Metrics.Queue.",
    "Agent": "$.Agent.",
}
SYSTEM = {
    "Customer Number": "$.CustomerEndpoint.Address",
    "Dialed Number": "$.SystemEndpoint.Address",
    "Stored customer input": "$.StoredCustomerInput",
    "Customer callback number": "$.CustomerCallbackNumber",
    "Contact id": "$.ContactId",
    "ContactId": "$.ContactId",
    "Initial contact id": "$.InitialContactId",
    "InitialContactId": "$.InitialContactId",
    "Previous contact id": "$.PreviousContactId",
    "PreviousContactId": "$.PreviousContactId",
    "Channel": "$.Channel",
    "Initiation method": "$.InitiationMethod",
    "Instance ARN": "$.InstanceARN",
    "Language": "$.LanguageCode",
    "Queue name": "$.Queue.Name",
    "Queue.Name": "$.Queue.Name",
    "Queue ARN": "$.Queue.ARN",
    "Queue.ARN": "$.Queue.ARN",
    "Queue.OutboundCallerId.Address": "$.Queue.OutboundCallerId.Address",
    "Agent.UserName": "$.Agent.UserName",
    "Agent.FirstName": "$.Agent.FirstName",
    "Agent.LastName": "$.Agent.LastName",
    "Agent.ARN": "$.Agent.ARN",
    "Text to speech voice": "$.TextToSpeechVoice",
    "Lex.IntentName": "$.Lex.IntentName",
}


@dataclass
class Module:
    """One block of an old export while it is converted."""

    raw: Mapping[str, Any]
    notes: list[str]
    errors: dict[str, str] = field(default_factory=dict)
    conditions: list[Json] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        """Its identifier."""
        return str(self.raw.get("id", ""))

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """Those of its parameters that are objects."""
        values = self.raw.get("parameters")
        return [p for p in values if isinstance(p, Mapping)] if isinstance(values, list) else []

    def branch(self, *names: str) -> str | None:
        """Return the target of the first branch with one of the names."""
        self.taken.update(names)
        for branch in self.branches:
            if branch.get("condition") in names and isinstance(branch.get("transition"), str):
                return str(branch["transition"])
        return None

    @property
    def branches(self) -> list[Mapping[str, Any]]:
        """Those of its branches that are objects."""
        values = self.raw.get("branches")
        return [b for b in values if isinstance(b, Mapping)] if isinstance(values, list) else []

    def one(self, name: str) -> str | None:
        """Return a parameter's value in the current language; None if it is absent or empty."""
        self.read.add(name)
        for parameter in self.parameters:
            if parameter.get("name") == name:
                return self.value(parameter)
        return None

    def all(self, name: str) -> dict[str, str]:
        """Return the values of a parameter that occurs once for each key."""
        self.read.add(name)
        found = [p for p in self.parameters if p.get("name") == name and p.get("key")]
        return {str(p["key"]): self.value(p) or " " for p in found}

    def value(self, parameter: Mapping[str, Any]) -> str | None:
        """Return a value with its old namespace written as a reference."""
        value, namespace = parameter.get("value"), parameter.get("namespace")
        if value is None or value == "":
            return None
        text = str(value)
        if not namespace:
            return text
        return reference(str(namespace), text, self)

    def on_error(self, error: str, *branches: str) -> None:
        """Connect the error type to the old branch's target, or to the added end if that was not connected.

        branches: the names that the branch has had, the usual one first.
        """
        target = self.branch(*branches)
        if target is None:
            self.note(f"had no {branches[0]} branch; {error} leads to a disconnect block")
        self.errors[error] = target or END

    def when(self, operator: str, operand: str, target: str | None) -> None:
        """Add a condition."""
        if target is None:
            self.note(f"had no branch for {operand}; it leads to a disconnect block")
        condition = {"Operator": operator, "Operands": [operand]}
        self.conditions.append({"NextAction": target or END, "Condition": condition})

    def evaluate(self) -> None:
        """Add the conditions of its Evaluate branches."""
        self.taken.add("Evaluate")
        for branch in self.branches:
            if branch.get("condition") == "Evaluate":
                kind = str(branch.get("conditionType"))
                if kind not in OPERATORS:
                    self.note(f"compares with {kind}, which has no equivalent")
                value = branch.get("conditionValue")
                self.when(OPERATORS.get(kind, kind), str(value), branch.get("transition"))

    def note_what_is_left(self) -> None:
        """Report the parameters and branches that have a value and were not read."""
        left = {str(p.get("name")): p.get("value") for p in self.parameters}
        for name, value in left.items():
            if name not in self.read and value not in (None, "", "None", False):
                self.note(
                    f"has the parameter {name} = {str(value)[:80]!r}, which has no equivalent; it is left out"
                )
        for branch in self.branches:
            name = str(branch.get("condition"))
            if name not in self.taken and branch.get("transition"):
                self.note(f"has a branch for {name}, which has no equivalent; it is left out")
                self.taken.add(name)

    def note(self, text: str) -> None:
        """Add a note about the block for the user."""
        self.notes.append(f"block {self.id} ({kind_of(self.raw)}) {text}")


def reference(namespace: str, name: str, module: Module) -> str:
    """Return the reference for an old namespace and name."""
    if namespace == "System":
        if name not in SYSTEM and not name.startswith("Metrics."):
            module.note(f"reads the system attribute {name!r}, whose current name is not known")
        return SYSTEM.get(name, f"$.{name.replace(' ', '')}")
    if namespace not in NAMESPACES:
        module.note(f"reads {name!r} from {namespace!r}, which has no known equivalent")
    steps = name if name.replace("_", "").replace("-", "").replace(".", "").isalnum() else None
    prefix = NAMESPACES.get(namespace, f"$.{namespace.replace(' ', '')}.")
    return prefix + name if steps else f"{prefix[:-1]}['{name}']"


def kind_of(raw: Mapping[str, Any]) -> str:
    """Return the old type as messages show it, with its target: "Transfer to Queue"."""
    return f"{raw.get('type')} {raw['target']}" if raw.get("target") else str(raw.get("type"))
