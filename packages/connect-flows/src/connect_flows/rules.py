"""The catalogue of rules: every id that a diagnostic can have, with its explanation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connect_flows.diagnostics import Severity

FAMILIES = {
    "CF0": "shape of the document",
    "CF1": "blocks and their parameters",
    "CF2": "transitions",
    "CF3": "the graph of blocks",
    "CF4": "data that blocks pass on",
    "CF5": "environments and secrets",
}


@dataclass(frozen=True)
class Rule:
    """One rule: ``severity`` is what a finding carries unless its evidence is in dispute (then a warning)."""

    id: str
    name: str
    severity: Severity
    summary: str
    why: str
    repair: str
    bad: str
    good: str


def error(id: str, name: str, summary: str, why: str, repair: str, *, bad: str, good: str) -> Rule:  # noqa: A002
    """Return a rule whose violation Amazon Connect rejects."""
    return Rule(id, name, Severity.ERROR, summary, why, repair, bad, good)


def warning(id: str, name: str, summary: str, why: str, repair: str, *, bad: str, good: str) -> Rule:  # noqa: A002
    """Return a rule whose violation works, but hurts."""
    return Rule(id, name, Severity.WARNING, summary, why, repair, bad, good)


def catalogue(*groups: Iterable[Rule]) -> dict[str, Rule]:
    """Return the rules by id; ValueError if two have the same."""
    rules: dict[str, Rule] = {}
    for rule in (rule for group in groups for rule in group):
        if rule.id in rules:
            raise ValueError(f"rule id {rule.id} is given twice: {rules[rule.id].name}, {rule.name}")
        rules[rule.id] = rule
    return dict(sorted(rules.items()))


def page(rule: Rule) -> str:
    """Return the explanation of a rule as plain text."""
    meaning = {
        Severity.ERROR: "error: Amazon Connect refuses the flow (a warning where the evidence is in dispute)",
        Severity.WARNING: "warning: Amazon Connect takes the flow, but it hurts",
    }[rule.severity]
    return "\n".join(
        [
            f"{rule.id} {rule.name}",
            "",
            f"Family    {rule.id[:3]}xx, {FAMILIES[rule.id[:3]]}",
            f"Severity  {meaning}",
            "",
            rule.summary,
            "",
            "Why it matters",
            f"  {rule.why}",
            "",
            "What to do",
            f"  {rule.repair}",
            "",
            "Wrong",
            f"  {rule.bad}",
            "Right",
            f"  {rule.good}",
            "",
            "To leave it out",
            f'  everywhere      [tool.connect-flows.lint] ignore = ["{rule.id}"]',
            "  for one block   [tool.connect-flows.lint.per-block-ignores]",
            f'                  "Block identifier" = ["{rule.id}"]',
        ]
    )
