"""The section of docs/sandbox.md on these cases: `python -m tests.sandbox.fidelity --write` puts it there."""

from __future__ import annotations

import textwrap
from collections import Counter

from tests.sandbox.fidelity.cases import KINDS, areas
from tests.support import ROOT

PAGE = ROOT / "docs/sandbox.md"
HEADING = "## As AWS answers\n"


def section() -> str:
    """Return the section, with its heading."""
    found = areas()
    total = sum(len(area.cases) for area in found)
    differ = [case for area in found for case in area.cases if case.disagrees]
    kinds = Counter(area.sources[case.source.partition(" ")[0]].kind for area in found for case in area.cases)
    told = ", ".join(f"{kinds[kind]} {words}" for kind, words in KINDS.items() if kinds[kind])
    lines = [
        HEADING,
        *textwrap.wrap(
            f"{total} questions to which others know AWS's answer are asked here, in every `make test`, over HTTP; "
            f"{total - len(differ)} get that answer. The answers are known: {told}. They are taken as facts (what is "
            "sent, what AWS answers, who says so, and the day where it is known) into `tests/sandbox/fidelity/*.json`. "
            "`make fidelity` asks them and prints this table.",
            120,
            break_on_hyphens=False,
        ),
        "",
        "| area | cases | as AWS | not |",
        "| --- | ---: | ---: | ---: |",
    ]
    for area in found:
        differing = sum(bool(case.disagrees) for case in area.cases)
        lines.append(f"| {area.title} | {len(area.cases)} | {len(area.cases) - differing} | {differing} |")
    if differ:
        lines += [
            "",
            "What the sandbox answers otherwise:",
            "",
            "| case | why, and what it does instead |",
            "| --- | --- |",
        ]
        lines += [f"| `{case.id}` | {case.disagrees} |" for case in differ]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """Return the page with the section as it should be."""
    before, _, rest = page.partition(HEADING)
    after = rest.partition("\n## ")
    return f"{before}{section()}\n## {after[2]}"


def told(page: str) -> str:
    """Return the section as the page has it."""
    return HEADING + page.partition(HEADING)[2].partition("\n## ")[0]
