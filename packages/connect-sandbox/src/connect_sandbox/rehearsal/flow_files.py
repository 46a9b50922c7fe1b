"""A FlowSource of flows in files: JSON, or templates with ${Placeholder}s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from connect_flows import Flow, placeholders, render
from connect_flows.importer import import_flow
from connect_flows.value_map import ValuesError, chosen_values

from connect_sandbox.rehearsal.errors import NoSuchFlowError, NotSetUpError, RehearsalError
from connect_sandbox.rehearsal.published import MODULE, PublishedFlow

_TYPES = {
    "contactFlow": "CONTACT_FLOW", "customerQueue": "CUSTOMER_QUEUE", "customerHold": "CUSTOMER_HOLD",
    "customerWhisper": "CUSTOMER_WHISPER", "agentHold": "AGENT_HOLD", "agentWhisper": "AGENT_WHISPER",
    "outboundWhisper": "OUTBOUND_WHISPER", "agentTransfer": "AGENT_TRANSFER", "queueTransfer": "QUEUE_TRANSFER",
}  # fmt: skip
"""Metadata.type of console exports, as ContactFlow types. Without it a flow is an inbound flow."""
FLOW_TYPES = tuple(_TYPES.values())
_LIKELY = ("CUSTOMER_WHISPER", *FLOW_TYPES)
"""The types in the order in which a flow that does not say is taken for one: a whisper just plays."""


class FlowFiles:
    """The flows and modules that a scenario names, by ARN or id. None means that it does not exist."""

    def __init__(
        self, flows: Mapping[str, PublishedFlow | None], modules: Mapping[str, PublishedFlow | None]
    ) -> None:
        self._flows = flows
        self._modules = modules

    def flow(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow; NotSetUpError if the scenario does not say which file it is."""
        return _found(self._flows, arn_or_id, "flow", "flows")

    def module(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow module; NotSetUpError if the scenario does not say which file it is."""
        return _found(self._modules, arn_or_id, "flow module", "modules")


def read_flow(
    path: Path,
    values: Mapping[str, str],
    *,
    arn: str | None = None,
    type: str | None = None,  # noqa: A002
) -> PublishedFlow:
    """Return the flow or module of a file with its placeholders filled in; `values` may hold more than it needs.

    `type` is what Metadata.type says, or MODULE for one with an EndFlowModuleExecution block, by default. Raises
    RehearsalError naming a file that cannot be read and the placeholders without a value; FlowSyntaxError and
    FlowImportError for a file without a flow.
    """
    text = text_of(path)
    needed = _placeholders(text)
    if missing := sorted(needed - set(values)):
        names = ", ".join(missing)
        raise RehearsalError(
            f"{path}: no value for the placeholder{'s' * (len(missing) > 1)} {names}: give them in values"
        )
    return _parsed(text, tuple(sorted((n, values[n]) for n in needed)), path, arn or path.stem, type)


@lru_cache(maxsize=256)
def stand_in(arn: str, *, module: bool) -> PublishedFlow:
    """Return a flow (or module) that ends at once, for one that the scenario has no file of."""
    end = "EndFlowModuleExecution" if module else "EndFlowExecution"
    block = {"Identifier": "Not played here", "Type": end, "Parameters": {}, "Transitions": {}}
    content = {"Version": "2019-10-30", "StartAction": block["Identifier"], "Actions": [block]}
    name = arn.rsplit("/", 1)[-1]
    return PublishedFlow.parse(content, arn=arn, name=name, type=MODULE if module else "CONTACT_FLOW")


def placeholders_of(path: Path) -> frozenset[str]:
    """Return the names of a file's placeholders."""
    return _placeholders(text_of(path))


def read_values(path: Path | None, environment: str | None = None) -> dict[str, str]:
    """Return placeholders' values from JSON: an object, or the map that connect-flows import wrote; none if None.

    Raises RehearsalError naming the file and what is wrong with it.
    """
    if path is None:
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        raise RehearsalError(f"{path} cannot be read as JSON: {problem}") from problem
    try:
        values = chosen_values(document, environment, name=str(path))
    except ValuesError as problem:
        raise RehearsalError(str(problem)) from problem
    if not all(isinstance(value, str) for value in values.values()):
        raise RehearsalError(f"{path} must hold a JSON object of names and texts")
    return values


@lru_cache(maxsize=256)
def _parsed(
    text: str, values: tuple[tuple[str, str], ...], path: Path, arn: str, flow_type: str | None
) -> PublishedFlow:
    # Parsed once for all contacts that call it: flows do not change while they are rehearsed.
    written = render(text, dict(values))
    content = Flow.parse(written, name=str(path))
    return PublishedFlow(
        arn=arn, name=path.stem, type=flow_type or _type(content), content=content, written=written
    )


@lru_cache(maxsize=256)
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(placeholders(text))


def _type(flow: Flow) -> str:
    if any(block.type == "EndFlowModuleExecution" for block in flow.blocks):
        return MODULE
    named = _TYPES.get(str(flow.metadata.get("type")))
    return named if named is not None else _only_type(flow)


def _only_type(flow: Flow) -> str:
    """Return the type of a flow that does not say: an inbound flow, unless its blocks are for other types only."""
    possible = set(FLOW_TYPES)
    for block in flow.blocks:
        if block.spec is not None and block.spec.flow_types is not None:
            possible &= set(block.spec.flow_types)
    if not possible or "CONTACT_FLOW" in possible:
        return "CONTACT_FLOW"
    return next(flow_type for flow_type in _LIKELY if flow_type in possible)


def text_of(path: Path) -> str:
    """Return a file's flow as JSON text, in the current flow language; RehearsalError if it cannot be read."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as problem:
        raise RehearsalError(f"{path} cannot be read: {problem.strerror}") from problem
    return _read(path, stamp)


@lru_cache(maxsize=256)
def _read(path: Path, _stamp: int) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise RehearsalError(f"{path} cannot be read: {problem}") from problem
    imported = import_flow(text.encode(), name=str(path))
    return render(imported.template, imported.values) if imported.converted else text


def _found(known: Mapping[str, PublishedFlow | None], arn_or_id: str, what: str, key: str) -> PublishedFlow:
    short = arn_or_id.rsplit("/", 1)[-1]
    for name in (arn_or_id, short):
        if name in known:
            flow = known[name]
            if flow is None:
                raise NoSuchFlowError(f"there is no {what} {arn_or_id!r}, says the scenario")
            return flow
    raise NotSetUpError(
        f"the scenario does not say which file the {what} {arn_or_id!r} is: "
        f"set it up in {key}, or null if there is none",
        key,
        arn_or_id,
        example="FILE.json",
    )
