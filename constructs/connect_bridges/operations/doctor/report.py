"""What doctor says: a line per finding for people, one document for programs (docs/doctor.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from connect_bridges.operations import evidence
from connect_bridges.operations.doctor.examination import Examination
from connect_bridges.operations.doctor.findings import Finding, Status

COMMAND = "doctor:"
FORMAT = 1
"""The form of the document; a change that a reader would notice raises it."""
_NOUNS = {Status.OK: "ok", Status.WARNING: "warnings", Status.FAILURE: "failures", Status.SKIPPED: "skipped"}


def lines(finding: Finding) -> Iterator[str]:
    """Return a finding for people: what was found, and the next step below it."""
    yield f"{finding.status.value:<8} {finding.check:<21} {finding.subject}: {finding.found}"
    if finding.fix:
        yield f"{'':<8}   -> {finding.fix}"
    for command in finding.commands:
        yield f"{'':<8}      $ {command}"


def summary(examination: Examination) -> Iterator[str]:
    """Return the last lines: the counts, and what comes next."""
    counted = Counter(finding.status for finding in examination.findings)
    yield ", ".join(f"{counted[status]} {noun}" for status, noun in _NOUNS.items())
    for entry in proofs(examination):
        yield f"evidence {entry['id']}: {entry['state']}"
    deployed = [subject.name for subject in examination.subjects if subject.deployed]
    if worst(examination) is not Status.FAILURE:
        if deployed:
            yield f"next: connect-bridges handoff {' '.join(f'--stack {name}' for name in deployed)}"
        else:
            yield "next: npx cdk deploy --all, then doctor again"


def document(examination: Examination) -> dict[str, Any]:
    """Return the document that --json prints."""
    counted = Counter(finding.status for finding in examination.findings)
    return {
        "format": FORMAT,
        "version": _version(),
        "account": examination.account,
        "status": worst(examination).value,
        "counts": {status.value: counted[status] for status in Status},
        "stacks": [
            {
                "name": subject.name,
                "region": subject.region.name if subject.region else None,
                "status": subject.actual.status if subject.actual else None,
                "constructs": [
                    {"construct": part.bridge.construct, "path": part.path} for part in subject.parts
                ],
            }
            for subject in examination.subjects
        ],
        "findings": [finding.to_json() for finding in examination.findings],
        "evidence": proofs(examination),
    }


def proofs(examination: Examination) -> list[dict[str, Any]]:
    """Return what the run says of each entry of docs/evidence.md that its checks prove.

    proved: every check that the entry names went well, at least once. open: one could not be made, or found something;
    whether that is the claim's fault is for people to see.
    """
    found: dict[str, set[Status]] = {}
    for finding in examination.findings:
        found.setdefault(finding.check, set()).add(finding.status)
    told = []
    for entry in evidence.entries():
        names = [name.removeprefix(COMMAND) for name in entry.proved_by if name.startswith(COMMAND)]
        if names and found.keys() & set(names):
            proved = all(found.get(name) == {Status.OK} for name in names)
            told.append({"id": entry.id, "state": "proved" if proved else "open", "checks": names})
    return told


def worst(examination: Examination) -> Status:
    """Return failure, warning or ok."""
    found = {finding.status for finding in examination.findings}
    return next((status for status in (Status.FAILURE, Status.WARNING) if status in found), Status.OK)


def _version() -> str:
    try:
        return version("connect-bridges")
    except PackageNotFoundError:  # a clone that was not installed
        return "0"
