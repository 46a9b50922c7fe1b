"""What a run leaves behind for machines: build/demo/report.json or build/rehearse/report.json."""

import json
from collections.abc import Iterable
from pathlib import Path

from rehearsals.scenarios.registry import Result


def write_report(path: Path, results: Iterable[Result]) -> None:
    """Write {"scenarios": [{"name", "outcome", "seconds", "transcript"}]}; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"scenarios": [result.to_json() for result in results]}
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
