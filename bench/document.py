"""Keeps docs/performance.md in step with the report: the tables between its markers come from there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BLOCK = re.compile(r"<!-- bench:(?P<name>[a-z_]+) -->\n.*?<!-- /bench -->", re.DOTALL)


def with_tables(text: str, report: Mapping[str, Any]) -> str:
    """Return the document with the tables of the report in place of those between its markers.

    ``<!-- bench:NAME -->`` and ``<!-- /bench -->`` enclose the table of the section NAME, or for ``machine`` the line
    that says where and when. What the report does not hold, since it was not measured, stays. Raises ``ValueError``
    if the document has no place for a section of the report.
    """
    sections: Mapping[str, Any] = report["sections"]
    places = {match["name"] for match in _BLOCK.finditer(text)}
    homeless = sorted(set(sections) - places)
    if homeless:
        raise ValueError(
            f"the document has no place for {', '.join(homeless)}; write <!-- bench:{homeless[0]} --> and "
            "<!-- /bench --> where the table is to stand"
        )

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name == "machine":
            body = report["machine"]["summary"]
        elif name in sections:
            body = table(sections[name])
        else:
            return match[0]
        return f"<!-- bench:{name} -->\n{body}\n<!-- /bench -->"

    return _BLOCK.sub(fill, text)


def table(section: Mapping[str, Any]) -> str:
    """Return a section's table in Markdown, and below it the goals that are not met."""
    rows = [section["columns"], ["---"] * len(section["columns"]), *section["rows"]]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    missed = [goal for goal in section["goals"] if not goal["met"]]
    if missed:
        lines += ["", "Goals missed: " + "; ".join(_goal(goal) for goal in missed) + "."]
    elif section["goals"]:
        lines += ["", "Every goal is met."]
    return "\n".join(lines)


def _goal(goal: Mapping[str, Any]) -> str:
    return f"{goal['name']} {goal['value']:.2f} (at most {goal['limit']:g})"
