"""What a run leaves behind for machines: build/demo/report.json or build/rehearse/report.json, made from the run."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connect_sandbox.runs import Happened, Run, Scenario
from connect_sandbox.runs.events import EntryWritten


def write_report(path: Path, run: Run, names: Iterable[str]) -> None:
    """Write {"scenarios": [{"name", "outcome", "seconds", "transcript"}]} of these; folders are made as needed.

    The transcript of a scenario that failed ends with why.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    flows = {arn: flow.what.name for arn, flow in run.flows.items()}
    report = {
        "scenarios": [scenario_json(run.scenarios[name], flows) for name in names if name in run.scenarios]
    }
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def scenario_json(scenario: Scenario, flows: Mapping[str, str]) -> dict[str, Any]:
    """Return what the report says of a scenario. flows: names by ARN."""
    ended = scenario.ended.what if scenario.ended is not None else None
    seconds = 0.0 if ended is None else ended.seconds
    began = 0.0 if scenario.began is None else scenario.began.time
    parts = [(note.n, [_entry(note, note.time - began, flows)]) for note in scenario.entries]
    parts += [
        (contact.entries[0].n, [_entry(entry, entry.at or 0.0, flows) for entry in contact.entries])
        for contact in scenario.contacts
        if contact.entries
    ]
    transcript = [entry for _, part in sorted(parts, key=lambda one: one[0]) for entry in part]
    if scenario.failed:
        why = (ended.failure if ended is not None else None) or ""
        transcript.append({"at": seconds, "who": "rehearsal", "kind": "ends", "text": f"failed: {why}"})
    return {
        "name": scenario.name,
        "outcome": "failed" if ended is None else ended.outcome,
        "seconds": seconds,
        "transcript": transcript,
    }


def _entry(entry: Happened[EntryWritten], at: float, flows: Mapping[str, str]) -> dict[str, Any]:
    told = {**entry.what.to_json(), "flow": flows.get(entry.what.flow or "", entry.what.flow)}
    return {"at": round(at, 3), **{name: value for name, value in told.items() if value is not None}}
