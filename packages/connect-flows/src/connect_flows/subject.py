"""What a check works on: the document, its readable blocks, and where to report."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connect_flows.diagnostics import Diagnostic, FlowKind, LintContext, Severity
from connect_flows.knowledge import ActionSpec, Knowledge, knowledge
from connect_flows.model import Block, block_of
from connect_flows.rules import Rule

FLOW_TYPE_OF_METADATA = {
    "contactflow": "CONTACT_FLOW",
    "customerqueue": "CUSTOMER_QUEUE",
    "customerhold": "CUSTOMER_HOLD",
    "customerwhisper": "CUSTOMER_WHISPER",
    "agenthold": "AGENT_HOLD",
    "agentwhisper": "AGENT_WHISPER",
    "outboundwhisper": "OUTBOUND_WHISPER",
    "agenttransfer": "AGENT_TRANSFER",
    "queuetransfer": "QUEUE_TRANSFER",
    "campaign": "CAMPAIGN",
}
"""Metadata.type of a console export (any case, without separators) -> Type of CreateContactFlow."""


MISSPELT = 0.85
"""The similarity (difflib's ratio) from which a name counts as a misspelling of a known one."""


@dataclass(frozen=True)
class ActionAt:
    """One entry of Actions that is an object."""

    index: int
    raw: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Its JSON path."""
        return f"Actions[{self.index}]"

    @property
    def identifier(self) -> str | None:
        """Its identifier if that is a string."""
        value = self.raw.get("Identifier")
        return value if isinstance(value, str) else None

    @property
    def type(self) -> str | None:
        """Its type if that is a string."""
        value = self.raw.get("Type")
        return value if isinstance(value, str) else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters if they are an object, else none."""
        value = self.raw.get("Parameters")
        return value if isinstance(value, Mapping) else {}

    @property
    def spec(self) -> ActionSpec | None:
        """The knowledge about its type, in the form that fits its parameters."""
        spec = knowledge().actions.get(self.type or "")
        return spec.form(self.parameters) if spec is not None else None


@dataclass
class Subject:
    """The flow under the linter. ``flow_type`` is None if neither the caller nor the metadata says it.

    published: the document is an export of a flow that the service had published; names in it that the table lacks
    are more likely new than wrong. seen_published: so is its flow type.
    """

    document: Mapping[str, Any]
    file: str
    kind: FlowKind
    flow_type: str | None
    context: LintContext
    rules: Mapping[str, Rule]
    text_length: int | None = None
    published: bool = False
    seen_published: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    @property
    def knowledge(self) -> Knowledge:
        """The table of action types."""
        return knowledge()

    @cached_property
    def actions(self) -> tuple[ActionAt, ...]:
        """The entries of Actions that are objects."""
        actions = self.document.get("Actions")
        if not isinstance(actions, list | tuple):
            return ()
        return tuple(ActionAt(i, raw) for i, raw in enumerate(actions) if isinstance(raw, Mapping))

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The readable blocks by identifier; the first of two with the same."""
        blocks: dict[str, Block] = {}
        for action in self.actions:
            if action.identifier is not None and action.identifier not in blocks:
                blocks[action.identifier] = block_of(action.raw, action.path, [])
        return blocks

    @cached_property
    def paths(self) -> dict[str, str]:
        """The JSON path of each block."""
        paths: dict[str, str] = {}
        for action in self.actions:
            if action.identifier is not None:
                paths.setdefault(action.identifier, action.path)
        return paths

    @property
    def start(self) -> str | None:
        """The identifier of the first block, if there is such a block."""
        start = self.document.get("StartAction")
        return start if isinstance(start, str) and start in self.blocks else None

    def report(
        self,
        rule: str,
        message: str,
        fix: str,
        *,
        block: str | None = None,
        path: str = "",
        evidence: str = "official",
        severity: Severity | None = None,
    ) -> None:
        """Add a finding."""
        level = severity or self.rules[rule].severity
        self.found.append(Diagnostic(rule, level, self.file, block, path, message, fix, evidence))

    def unknown(self, name: object, known: Iterable[str]) -> Severity | None:
        """Return the severity for an unknown name; None leaves it to the rule.

        The console gets parameters, types and error types before the table does: in a published export, an unknown
        name is an error only if it looks misspelt.
        """
        if not self.published or not isinstance(name, str):
            return None
        lower = name[:80].lower()
        near = difflib.get_close_matches(lower, [k.lower() for k in known], 1, MISSPELT)
        return None if near else Severity.WARNING

    def in_block(self, action: ActionAt) -> Reporter:
        """Return a reporter for the block."""
        return Reporter(self, action)

    def parameters(self) -> Iterator[tuple[ActionAt, Mapping[str, Any]]]:
        """Yield each block with its parameters."""
        for action in self.actions:
            yield action, action.parameters


@dataclass(frozen=True)
class Reporter:
    """Reports findings on one block.

    Findings about a type that AWS does not document and nobody has probed are warnings at most: the flow may be right
    and the table incomplete.
    """

    subject: Subject
    action: ActionAt

    def __call__(
        self,
        rule: str,
        path: str,
        message: str,
        fix: str,
        *,
        evidence: str | None = None,
        severity: Severity | None = None,
    ) -> None:
        """Add a finding at a path below the block (``Parameters.Text``)."""
        spec = self.action.spec
        basis = evidence or (spec.basis if spec else "official")
        if severity is None and basis == "export" and evidence is None:
            severity = Severity.WARNING
        self.subject.report(
            rule,
            message,
            fix,
            block=self.action.identifier,
            path=f"{self.action.path}.{path}" if path else self.action.path,
            evidence=basis,
            severity=severity,
        )
