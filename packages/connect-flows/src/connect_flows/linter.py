"""The linter: reports before deployment what Amazon Connect rejects, and what hurts callers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connect_flows import rules
from connect_flows.checks import (
    blocks,
    data,
    environment,
    graph,
    parameter_rules,
    parameters,
    resources,
    shape,
    transition_rules,
    transitions,
)
from connect_flows.diagnostics import Diagnostic, FlowKind, LintConfig, LintContext, one_line
from connect_flows.graph import Graph
from connect_flows.knowledge import knowledge
from connect_flows.reading import read
from connect_flows.subject import FLOW_TYPE_OF_METADATA, Subject

RULES: Mapping[str, rules.Rule] = rules.catalogue(
    shape.RULES,
    blocks.RULES,
    parameter_rules.RULES,
    resources.RULES,
    transition_rules.RULES,
    graph.RULES,
    data.RULES,
    environment.RULES,
)
"""Every rule by its id."""


def lint(
    source: str | bytes | Mapping[str, Any],
    *,
    name: str = "<flow>",
    kind: FlowKind | None = None,
    flow_type: str | None = None,
    config: LintConfig | None = None,
    context: LintContext | None = None,
) -> list[Diagnostic]:
    """Return what is wrong with a flow, in the order of its blocks; empty if nothing is.

    source: the flow's JSON as text, bytes or parsed. ``${Placeholder}`` in values counts as text that deployment
    fills in. name: the flow's name in diagnostics, usually its file. kind: flow or flow module; with None a block or
    Settings tells a module. flow_type: the Type of CreateContactFlow ("CONTACT_FLOW", "CUSTOMER_QUEUE" …); None reads
    Metadata.type; without that, it only checks that some type allows all the blocks. Unknown names raise ValueError,
    since they are the caller's mistake. No source makes this function raise.
    """
    types = knowledge().flow_types
    if flow_type is not None and flow_type not in types:
        raise ValueError(f"flow_type {flow_type!r} is none of {', '.join(types)}")
    reading = read(source)
    document = reading.document if reading.document is not None else {}
    subject = Subject(
        document=document,
        file=one_line(name, 300),
        kind=kind or _kind(document),
        flow_type=flow_type or FLOW_TYPE_OF_METADATA.get(shape.metadata_type(document) or ""),
        context=context or LintContext(),
        rules=RULES,
        text_length=reading.text_length,
        published=shape.is_published(document),
        seen_published=flow_type is None and shape.is_published(document),
    )
    for problem in reading.problems:
        subject.report(problem.rule, problem.message, problem.fix, path=problem.path)
    if reading.document is not None and shape.check(subject):
        _check_blocks(subject)
    keeps = (config or LintConfig()).keeps
    order = {identifier: index for index, identifier in enumerate(subject.blocks)}
    found = [diagnostic for diagnostic in subject.found if keeps(diagnostic)]
    return sorted(found, key=lambda d: (order.get(d.block or "", -1), d.rule))


def explain(rule: str) -> str:
    """Return the explanation of a rule; KeyError naming the nearest families for an unknown id."""
    known = RULES.get(rule.strip().upper())
    if known is None:
        raise KeyError(f"there is no rule {rule!r}; ids run from {min(RULES)} to {max(RULES)}")
    return rules.page(known)


def _kind(document: Mapping[str, Any]) -> FlowKind:
    actions = document.get("Actions")
    types = (
        {a.get("Type") for a in actions if isinstance(a, Mapping) and isinstance(a.get("Type"), str)}
        if (isinstance(actions, list))
        else set()
    )
    says_flow = (shape.metadata_type(document) or "") in FLOW_TYPE_OF_METADATA
    module = "EndFlowModuleExecution" in types or ("Settings" in document and not says_flow)
    return FlowKind.MODULE if module else FlowKind.FLOW


def _check_blocks(subject: Subject) -> None:
    blocks.check(subject)
    parameters.check(subject)
    transitions.check(subject)
    environment.check(subject)
    if subject.start is not None:
        whole = Graph(subject.blocks, subject.start)
        graph.check(subject, whole)
        data.check(subject, whole)
