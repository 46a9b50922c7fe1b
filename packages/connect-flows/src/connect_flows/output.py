"""The linter's findings as text, JSON, GitHub annotations or SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from connect_flows.diagnostics import Diagnostic, Severity
from connect_flows.linter import RULES
from connect_flows.rules import page

Sources = Mapping[str, str]
"""The text of each file, for line numbers."""


def as_text(found: Sequence[Diagnostic], sources: Sources) -> str:
    """Return one line for each finding and a summary."""
    errors = sum(d.severity is Severity.ERROR for d in found)
    warnings = len(found) - errors
    files = f"{len(sources)} file{'s' * (len(sources) != 1)}"
    summary = f"{files}: {_plural(errors, 'error')}, {_plural(warnings, 'warning')}"
    return "\n".join([*map(str, found), summary])


def as_json(found: Sequence[Diagnostic], sources: Sources) -> str:
    """Return a JSON list of objects, with the line where the block begins."""
    rows = [{**d.as_dict(), "line": line_of(d, sources)} for d in found]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def as_github(found: Sequence[Diagnostic], sources: Sources) -> str:
    """Return workflow commands that GitHub shows as annotations on the changed files."""
    return "\n".join(
        f"::{d.severity} file={_property(d.file)},line={line_of(d, sources)},title={_property(d.rule)}"
        f"::{_data(_sentence(d))}"
        for d in found
    )


def as_sarif(found: Sequence[Diagnostic], sources: Sources) -> str:
    """Return a SARIF 2.1.0 log for code scanning services."""
    used = sorted({d.rule for d in found})
    driver = {
        "name": "connect-flows lint",
        "rules": [
            {
                "id": RULES[rule].id,
                "name": RULES[rule].name,
                "shortDescription": {"text": RULES[rule].summary},
                "help": {"text": page(RULES[rule])},
                "defaultConfiguration": {"level": str(RULES[rule].severity)},
            }
            for rule in used
        ],
    }
    results = [
        {
            "ruleId": d.rule,
            "ruleIndex": used.index(d.rule),
            "level": str(d.severity),
            "message": {"text": _sentence(d)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": d.file.replace("\\", "/")},
                        "region": {"startLine": line_of(d, sources)},
                    },
                    "logicalLocations": [{"name": d.block or d.file, "fullyQualifiedName": d.path or d.file}],
                }
            ],
            "partialFingerprints": {"flow/v1": f"{d.rule}:{d.block}:{d.path}"},
        }
        for d in found
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


FORMATS: Mapping[str, Callable[[Sequence[Diagnostic], Sources], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
"""The output formats by their name on the command line."""


def line_of(diagnostic: Diagnostic, sources: Sources) -> int:
    """Return the line of the file that names the finding's block; 1 if there is none."""
    text = sources.get(diagnostic.file, "")
    if diagnostic.block is not None:
        for ascii_only in (False, True):
            name = re.escape(json.dumps(diagnostic.block, ensure_ascii=ascii_only))
            if match := re.search(rf'"Identifier"\s*:\s*{name}', text):
                return text.count("\n", 0, match.start()) + 1
    return 1


def _sentence(diagnostic: Diagnostic) -> str:
    where = ", ".join(
        part for part in (f"block {diagnostic.block}" if diagnostic.block else "", diagnostic.path) if part
    )
    return f"{where + ': ' if where else ''}{diagnostic.message}. Fix: {diagnostic.fix}."


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
