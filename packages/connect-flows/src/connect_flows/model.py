"""A flow as typed data, blocks and the branches between them: for the linter, the tools and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from connect_flows.knowledge import ActionSpec, knowledge
from connect_flows.reading import read

_LEAVING = frozenset({"TransferContactToQueue", "DequeueContactAndTransferToQueue"})


class FlowSyntaxError(ValueError):
    """The content is not a flow in the current language; the message names the first place."""


class EdgeKind(StrEnum):
    """The kind of branch by which a block leads to another."""

    NEXT = "next"
    CONDITION = "condition"
    ERROR = "error"


@dataclass(frozen=True)
class ErrorBranch:
    """Where the contact goes when the error occurs ("NoMatchingCondition" is one of these, too)."""

    error_type: str
    next_action: str


@dataclass(frozen=True)
class ConditionBranch:
    """Where the contact goes when the block's result meets the condition; evaluated in order."""

    operator: str
    operands: tuple[str, ...]
    next_action: str


@dataclass(frozen=True)
class Transitions:
    """The branches of a block. ``next_action`` is None for a terminal block."""

    next_action: str | None = None
    errors: tuple[ErrorBranch, ...] = ()
    conditions: tuple[ConditionBranch, ...] = ()

    def error(self, error_type: str) -> str | None:
        """Return the target for the error type; None if there is no such branch."""
        return next((e.next_action for e in self.errors if e.error_type == error_type), None)


@dataclass(frozen=True)
class Edge:
    """One branch between two blocks; ``label`` is the error type or the condition in words."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


@dataclass(frozen=True)
class Block:
    """One action of a flow, which the console draws as a block."""

    identifier: str
    type: str
    parameters: Mapping[str, Any]
    transitions: Transitions

    @property
    def spec(self) -> ActionSpec | None:
        """The knowledge about the type; None for an unknown one."""
        return knowledge().actions.get(self.type)

    @property
    def leaves(self) -> bool:
        """Whether the block leaves the flow on success, so that its NextAction is never taken."""
        return self.type in _LEAVING or (
            self.type == "TransferParticipantToThirdParty"
            and self.parameters.get("ContinueFlowExecution") == "False"
        )

    @property
    def decides(self) -> bool:
        """Whether the block always leaves by a condition or an error, which makes its NextAction a copy."""
        if self.transitions.error("NoMatchingCondition") is not None:
            return True
        spec = self.spec
        if not self.transitions.conditions or spec is None or spec.conditions is None:
            return False
        operands = {operand for condition in self.transitions.conditions for operand in condition.operands}
        needed = set(spec.conditions.required)
        events = self.parameters.get("Events")
        if self.type == "Wait" and isinstance(events, list):
            needed |= {event for event in events if isinstance(event, str)}
        return bool(needed) and needed <= operands

    def edges(self) -> Iterator[Edge]:
        """Yield the block's branches: conditions in order, then the next action, then errors."""
        for condition in self.transitions.conditions:
            label = f"{condition.operator} {', '.join(condition.operands)}"
            yield Edge(self.identifier, condition.next_action, EdgeKind.CONDITION, label)
        if self.transitions.next_action is not None:
            yield Edge(self.identifier, self.transitions.next_action, EdgeKind.NEXT)
        for error in self.transitions.errors:
            yield Edge(self.identifier, error.next_action, EdgeKind.ERROR, error.error_type)


@dataclass(frozen=True)
class Flow:
    """A flow or flow module in the current language (Version 2019-10-30)."""

    name: str
    start: str
    blocks: tuple[Block, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    version: str = "2019-10-30"
    settings: Mapping[str, Any] | None = None

    @classmethod
    def parse(cls, source: str | bytes | Mapping[str, Any], *, name: str = "<flow>") -> Flow:
        """Return the flow in the JSON text (or parsed JSON).

        This only checks the shape; lint tells whether Amazon Connect accepts it. Raises FlowSyntaxError when the
        shape is wrong.
        """
        reading = read(source)
        problems = [p.message for p in reading.problems if p.fatal]
        if reading.document is None or problems:
            raise FlowSyntaxError(f"{name}: {'; '.join(problems)}.")
        return _flow(reading.document, name)

    @property
    def by_identifier(self) -> Mapping[str, Block]:
        """The blocks by their identifier."""
        return MappingProxyType({block.identifier: block for block in self.blocks})

    def block(self, identifier: str) -> Block:
        """Return the block with the identifier; KeyError naming the flow when there is none."""
        for block in self.blocks:
            if block.identifier == identifier:
                return block
        raise KeyError(f"{self.name} has no block {identifier!r}")

    def edges(self) -> Iterator[Edge]:
        """Yield every branch of every block."""
        for block in self.blocks:
            yield from block.edges()


def _flow(document: Mapping[str, Any], name: str) -> Flow:
    problems: list[str] = []
    blocks = []
    actions = document.get("Actions")
    for index, action in enumerate(actions if isinstance(actions, list) else []):
        where = f"Actions[{index}]"
        if isinstance(action, Mapping) and isinstance(action.get("Identifier"), str):
            blocks.append(block_of(action, where, problems))
        else:
            problems.append(f"{where} is not an object with a string Identifier")
    if not isinstance(actions, list):
        problems.append("Actions is not a list")
    start = document.get("StartAction")
    if not isinstance(start, str):
        problems.append("StartAction is not a string")
    if problems or not isinstance(start, str):
        more = f" (and {len(problems) - 1} more; lint lists them)" if len(problems) > 1 else ""
        raise FlowSyntaxError(f"{name}: {problems[0]}{more}.")
    metadata, settings = document.get("Metadata"), document.get("Settings")
    return Flow(
        name=name,
        start=start,
        blocks=tuple(blocks),
        metadata=MappingProxyType(dict(metadata)) if isinstance(metadata, Mapping) else MappingProxyType({}),
        version=str(document.get("Version", "")),
        settings=MappingProxyType(dict(settings)) if isinstance(settings, Mapping) else None,
    )


def block_of(action: Mapping[str, Any], where: str, problems: list[str]) -> Block:
    """Return the block for an action object; parts with a wrong type are left out and listed in ``problems``."""

    def typed(value: object, kind: type, path: str) -> Any:  # noqa: ANN401 - what JSON holds
        if value is None or isinstance(value, kind):
            return value
        problems.append(f"{where}.{path} is not {kind.__name__}")
        return None

    transitions = typed(action.get("Transitions"), Mapping, "Transitions") or {}
    errors = []
    for entry in typed(transitions.get("Errors"), list, "Transitions.Errors") or []:
        if isinstance(entry, Mapping) and isinstance(entry.get("NextAction"), str):
            errors.append(ErrorBranch(str(entry.get("ErrorType", "")), entry["NextAction"]))
        else:
            problems.append(f"{where}.Transitions.Errors has an entry without a string NextAction")
    conditions = []
    for entry in typed(transitions.get("Conditions"), list, "Transitions.Conditions") or []:
        condition = entry.get("Condition") if isinstance(entry, Mapping) else None
        if isinstance(condition, Mapping) and isinstance(entry.get("NextAction"), str):
            operands = condition.get("Operands")
            conditions.append(
                ConditionBranch(
                    operator=str(condition.get("Operator", "")),
                    operands=tuple(o for o in operands if isinstance(o, str))
                    if isinstance(operands, list)
                    else (),
                    next_action=entry["NextAction"],
                )
            )
        else:
            problems.append(
                f"{where}.Transitions.Conditions has an entry without Condition and string NextAction"
            )
    kind = typed(action.get("Type"), str, "Type")
    parameters = typed(action.get("Parameters"), Mapping, "Parameters") or {}
    return Block(
        identifier=str(action.get("Identifier")),
        type=kind or "",
        parameters=MappingProxyType(dict(parameters)),
        transitions=Transitions(
            next_action=typed(transitions.get("NextAction"), str, "Transitions.NextAction"),
            errors=tuple(errors),
            conditions=tuple(conditions),
        ),
    )
