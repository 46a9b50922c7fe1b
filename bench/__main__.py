"""Measure what the project costs, print it, and write it to build/bench/report.json and docs/performance.md.

    python -m bench [--quick] [--only synthesis,zips,…]

Every figure that is compared is a ratio of medians which were measured in turn in one run. ``--quick`` measures once
what is measured many times, leaves out what needs a deployment unless ``--only`` names it, and leaves the document as
it is. The exit status says whether everything could be measured; goals that are missed are told, and do not count.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import cold_starts, contacts, costs, document, lint_growth, sandbox_speed, synthesis, zips
from bench.environments import context, every_function, synthesize
from bench.figures import NotMeasuredError, Section
from bench.functions import functions_of
from bench.processes import ROOT
from rehearsals.scenarios.deployment import Deployment

REPORT = ROOT / "build/bench/report.json"
DOCUMENT = ROOT / "docs/performance.md"
BUNDLED = ("cold_starts", "zips")
DEPLOYED = ("costs", "contacts")
SECTIONS = ("synthesis", *BUNDLED, "lint_growth", "sandbox_speed", *DEPLOYED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, measure, print and write."""
    options = _parser().parse_args(arguments)
    chosen = options.only or [
        name for name in SECTIONS if not (options.quick and name in (*DEPLOYED, "sandbox_speed"))
    ]
    machine = _machine()
    print(machine["summary"])
    sections: dict[str, Any] = {}
    report = {"machine": machine, "quick": options.quick, "sections": sections}
    options.report.parent.mkdir(parents=True, exist_ok=True)
    status = 0
    for name, measure in _measurements(chosen, quick=options.quick):
        try:
            section = measure()
        except NotMeasuredError as error:
            print(f"\n{name} could not be measured: {error}", file=sys.stderr)
            status = 1
            continue
        sections[name] = section.to_json()
        # Each time, so that what takes minutes is not lost with what comes after it.
        options.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        _print(section)
    print(f"\nreport: {options.report}")
    if not options.quick:
        _update(report)
    return status


def _measurements(chosen: Sequence[str], *, quick: bool) -> Iterator[tuple[str, Callable[[], Section]]]:
    """Yield what is to be measured, each with what it needs at hand: an assembly, a deployment."""
    if "synthesis" in chosen:
        yield "synthesis", lambda: synthesis.measure(quick=quick)
    if set(chosen) & set(BUNDLED):
        with tempfile.TemporaryDirectory(prefix="bench-assembly-") as folder:
            synthesize(context({"dev": every_function()}), Path(folder))
            functions = functions_of(Path(folder))
            if "cold_starts" in chosen:
                yield "cold_starts", lambda: cold_starts.measure(functions, quick=quick)
            if "zips" in chosen:
                yield "zips", lambda: zips.measure(functions)
    if "lint_growth" in chosen:
        yield "lint_growth", lambda: lint_growth.measure(quick=quick)
    if "sandbox_speed" in chosen:
        yield "sandbox_speed", lambda: sandbox_speed.measure(quick=quick)
    if set(chosen) & set(DEPLOYED):
        with (
            tempfile.TemporaryDirectory(prefix="bench-sandbox-") as folder,
            Deployment.start(ROOT, Path(folder), _tell) as deployment,
        ):
            if "costs" in chosen:  # first: it wants functions that have not been started
                yield "costs", lambda: costs.measure(deployment, quick=quick)
            if "contacts" in chosen:
                yield "contacts", lambda: contacts.measure(deployment, quick=quick)


def _tell(step: str, seconds: float) -> None:
    print(f"  {step} {seconds:.0f} s")


def _print(section: Section) -> None:
    rows = [list(section.columns), *map(list, section.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(section.columns))]
    print(f"\n{section.title}")
    for row in rows:
        first, *others = (
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]).rstrip())
    for goal in section.goals:
        if not goal.met:
            print(f"  missed: {goal.name} is {goal.value:.2f}, the goal at most {goal.limit:g}")


def _update(report: dict[str, Any]) -> None:
    before = DOCUMENT.read_text(encoding="utf-8")
    after = document.with_tables(before, report)
    if after != before:
        DOCUMENT.write_text(after, encoding="utf-8")
        print(
            f"{DOCUMENT.relative_to(ROOT)} now holds these figures; read whether what it says of them is still true"
        )


def _machine() -> dict[str, Any]:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "node": node,
        "load_at_start": round(load, 2),
    }
    return {
        **facts,
        "summary": f"Measured on {facts['date']}: {cores} cores, {facts['system']}, Python {facts['python']}, "
        f"Node.js {node.removeprefix('v')}; load average at the start {load:.1f}.",
    }


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no measurement {unknown[0]!r}; there are {', '.join(SECTIONS)}"
        )
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="once what is measured many times, for tests and CI"
    )
    parser.add_argument("--only", type=_names, metavar="NAME,…", help=f"some of {', '.join(SECTIONS)}")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
