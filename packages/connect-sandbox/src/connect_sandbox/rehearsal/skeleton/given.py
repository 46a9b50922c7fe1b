"""The first facts of a flow's scenarios: what its blocks name, and answers for what they read."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from connect_flows import Block
from connect_flows.references import has_reference, is_reference, references

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.setup_reader import STAND_IN
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.plausible import Plausible, by_place
from connect_sandbox.rehearsal.skeleton.trace import function_key
from connect_sandbox.rehearsal.skeleton.uses import Steps, Use, Uses

MEDIA_STREAM = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/example/1"
_PLACES = {
    "queue": "queues", "hours": "hours", "function": "lambdas", "flow": "flows", "module": "modules", "agent": "agents",
}  # fmt: skip
"""Where a scenario sets up each kind of resource."""
_ROLES = {"queue", "hours", "flow", "module", "prompt"}
"""The kinds that a scenario may call what the console calls them."""
_CHAT = frozenset({"ShowView", "CreatePersistentContactAssociation", "AuthenticateParticipant"})


@dataclass
class Given:
    """What a flow needs to be set up.

    `flows` is a folder with files of flows and modules, `base` the one where the scenario file will be. `others` are
    the flows and modules of that folder that the flow calls.
    """

    flow: PublishedFlow
    values: Mapping[str, str]
    base: Path
    flows: Path | None = None
    others: tuple[PublishedFlow, ...] = ()
    _examples: dict[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def uses(self) -> Uses:
        """What the flow reads and writes."""
        return Uses(self.flow.content)

    @cached_property
    def plausible(self) -> Plausible:
        """What chooses answers."""
        return Plausible(self.uses, self._example)

    def facts(self) -> Facts:
        """Return the facts with which every scenario starts."""
        setup: dict[str, Any] = {
            "channel": "CHAT" if self._is_chat() else None,
            "values": dict(self.values),
            "attributes": self._attributes(),
            "sets": self._from_before(),
        }
        facts = Facts({key: value for key, value in setup.items() if value})
        for use in self.uses.all:
            if use.resource in _PLACES and not has_reference(use.text) and use.text:
                facts = self._named(facts, use)
        for block in self.flow.content.blocks:
            if block.type == "InvokeLambdaFunction":
                facts = self._answers(facts, block)
            if block.parameters.get("MediaStreamingState") == "Enabled":
                facts = facts.having(MEDIA_STREAM, "media_stream")
        for (kind, _), name in self._examples.items():
            facts = self._set_up(facts, kind, name)
        for other in self.others:
            needed = Given(other, {}, self.base, self.flows).facts()
            for place in (*_PLACES.values(), "media_stream"):
                facts = _besides(facts, needed, place)
        return facts

    def key(self, kind: str, value: str) -> str:
        """Return what a scenario calls a resource: the console's name, or its id where others have that name."""
        if kind == "function":
            return function_key(value)
        name = self.flow.names.get(value)
        if name is not None and kind in _ROLES and self._only(kind, name):
            return name
        return value.rsplit("/", 1)[-1] if value.startswith("arn:") else value

    def answer(self, block: Block) -> Any:  # noqa: ANN401  (JSON)
        """Return what a function may answer: everything that is read of $.External before the next invocation."""
        validation = block.parameters.get("ResponseValidation")
        nested = isinstance(validation, Mapping) and validation.get("ResponseType") == "JSON"
        made: dict[str, Any] = {}
        for steps in self._read_after(block):
            path = steps[1:] if nested else steps[1:2]
            _put(made, path, self.plausible.value(steps))
        return made

    def told(self, block: Block) -> dict[str, Any]:
        """Return what a block may put into the namespaces that only blocks without a fake fill."""
        sets: dict[str, Any] = {}
        if block.type == "InvokeLambdaFunction" and (answer := self.answer(block)):
            sets["External"] = answer
        for steps in self.uses.readers:
            if len(steps) > 1 and block.type in _FILLED_BY.get(steps[0], ()):
                _put(sets, steps, self.plausible.value(steps))
        return sets

    def _set_up(self, facts: Facts, kind: str, key: str, name: str | None = None) -> Facts:
        place = _PLACES.get(kind)
        if place is None or (place != "agents" and facts.at(place, key) is not None):
            return facts
        match place:
            case "queues":
                return facts.having({"name": name} if name else {}, place, key)
            case "hours":
                return facts.having("open", place, key)
            case "lambdas":
                return facts.having([{"answers": {}}], place, key)
            case "agents":
                return facts.having(sorted({*(facts.at("agents") or ()), key}), "agents")
            case _:
                return facts.having(self.file_or_stand_in(key, name), place, key)

    def _named(self, facts: Facts, use: Use) -> Facts:
        kind = use.resource or ""
        key = self.key(kind, use.text)
        name = self.flow.names.get(use.text)
        return self._set_up(facts, kind, key, None if name == key else name)

    def _answers(self, facts: Facts, block: Block) -> Facts:
        written = str(block.parameters.get("LambdaFunctionARN") or "")
        if is_reference(written):
            key = self.plausible.value(next(references(written)).steps)
        elif has_reference(written):
            return facts
        else:
            key = function_key(written)
        known = facts.at("lambdas", key)
        before = known[0].get("answers", {}) if known else {}
        return facts.having([{"answers": _both(before, self.answer(block))}], "lambdas", key)

    def _attributes(self) -> dict[str, str]:
        written = {(root, name) for root, name, _ in self.uses.writes}
        read = [s for s in self.uses.readers if s[0] == "Attributes" and len(s) == 2 and s not in written]
        return {steps[1]: self.plausible.value(steps) for steps in read}

    def _from_before(self) -> dict[str, Any]:
        """Return what the flow reads and none of its own blocks can have left there."""
        sets: dict[str, Any] = {}
        for steps in self._read_from(self.flow.content.start, "External"):
            _put(sets, steps, self.plausible.value(steps))
        types = {block.type for block in self.flow.content.blocks}
        for steps in self.uses.readers:
            if len(steps) > 1 and steps[0] in _FILLED_BY and not types & _FILLED_BY[steps[0]]:
                _put(sets, steps, self.plausible.value(steps))
        return sets

    def _example(self, kind: str, name: str) -> str:
        """Return what a resource of that kind might be called whose id or ARN the reference holds."""
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "-", _short(name)).strip("-").lower()
        kind_of = kind.replace(" ", "-")
        own = apart if apart.endswith(kind_of) else f"{apart}-{kind_of}".strip("-")
        return self._examples.setdefault((kind, name), own)

    def _only(self, kind: str, name: str) -> bool:
        called = {
            use.text
            for use in self.uses.all
            if use.resource == kind and self.flow.names.get(use.text) == name
        }
        return len(called) == 1

    def _read_after(self, block: Block) -> Iterator[Steps]:
        """Yield what is read of $.External on the way to the next invocation."""
        first = block.transitions.next_action
        return self._read_from(first, "External") if first is not None else iter(())

    def _read_from(self, first: str, root: str) -> Iterator[Steps]:
        blocks = self.flow.content.by_identifier
        waiting, seen = deque([first] if first in blocks else []), {first}
        found: dict[Steps, None] = {}
        while waiting:
            here = blocks[waiting.popleft()]
            for use in self.uses.by_block.get(here.identifier, ()):
                found |= dict.fromkeys(
                    r.steps for r in references(use.text) if r.root == root and r.steps[1:]
                )
            if here.type == "InvokeLambdaFunction":
                continue
            for edge in here.edges():
                if edge.target in blocks and edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
        yield from found

    def file_or_stand_in(self, key: str, name: str | None = None) -> str:
        """Return the path of the file in `flows` that has the flow's name, else what stands in for it."""
        file = file_named(self.flows, key, name)
        return STAND_IN if file is None else Path(os.path.relpath(file, self.base)).as_posix()

    def _is_chat(self) -> bool:
        """Return whether more of the flow's blocks work for chats alone than for voice alone."""
        chat = voice = 0
        for block in self.flow.content.blocks:
            channels = block.spec.channels if block.spec is not None else None
            waits = block.type == "Wait" and block.parameters.get("Events")
            if (
                waits
                or block.type in _CHAT
                or (channels is not None and "VOICE" not in channels and "CHAT" in channels)
            ):
                chat += 1
            elif channels is not None and "CHAT" not in channels and "VOICE" in channels:
                voice += 1
        return chat > voice


_FILLED_BY: dict[str, frozenset[str]] = {
    "Customer": frozenset(
        {
            "GetCustomerProfile", "CreateCustomerProfile", "UpdateCustomerProfile", "AssociateContactToCustomerProfile",
            "GetCustomerProfileObject", "GetCalculatedAttributesForCustomerProfile",
        }
    ),
    "Case": frozenset({"GetCase", "CreateCase", "UpdateCase"}),
    "Wisdom": frozenset({"CreateWisdomSession"}),
    "CustomerAuthentication": frozenset({"AuthenticateParticipant"}),
    "DataTables": frozenset({"EvaluateDataTableValues", "ListDataTableValues"}),
    "Template": frozenset({"RenderMessageTemplate"}),
}  # fmt: skip
"""The namespaces that only certain blocks fill."""


_FORMS = {
    "VoiceConnectorArn": "arn:aws:chime:us-east-1:123456789012:vc/example",
    "UserToUserInformation": "4578616d706c65",
}


def example_value(name: str, flow: Uses) -> str:
    """Return a value for a placeholder, by the place where it stands alone; else by its name."""
    for use in flow.all:
        if use.text == f"${{{name}}}":
            if use.path[-1] in _FORMS:
                return _FORMS[use.path[-1]]
            found = by_place(use.path, use.spec, lambda _: _short(name))
            if found is not None:
                return found
    return _short(name)


def _short(placeholder: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(Arn|ARN|Id|ID)$|(?<=.)_(arn|id)$", "", placeholder)


def file_named(folder: Path | None, *called: str | None) -> Path | None:
    """Return the file of a folder that is named like a flow, by its name in the console or its id."""
    wanted = {_plain(name) for name in called if name}
    files = sorted(folder.glob("*.json")) if folder is not None else []
    return next((file for file in files if _plain(file.stem) in wanted), None)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.rsplit("/", 1)[-1].lower())


def _besides(facts: Facts, other: Facts, place: str) -> Facts:
    """Return the facts with what another flow needs there and they do not have."""
    own, needed = facts.at(place), other.at(place)
    if needed is None:
        return facts
    if isinstance(needed, Mapping):
        return facts.having({**needed, **(own or {})}, place)
    if isinstance(needed, list):
        return facts.having(sorted({*needed, *(own or ())}), place)
    return facts if own is not None else facts.having(needed, place)


def _put(made: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    *outer, last = path
    for name in outer:
        inner = made.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        made = inner
    made.setdefault(last, value)


def _both(first: Any, second: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return {**second, **{k: _both(v, second[k]) if k in second else v for k, v in first.items()}}
    return first
