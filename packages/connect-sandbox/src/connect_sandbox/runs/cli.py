"""`connect-sandbox show`: a run file as text or as a page, opened on what failed.

Exit status: 0 it was shown, 2 it cannot be read or has nothing of that name.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from connect_sandbox.rehearsal.command_line import Parser, UsageError, status_of, write
from connect_sandbox.runs.reader import Contact, Run
from connect_sandbox.runs.telling import show_contact, show_run, show_scenario
from connect_sandbox.runs.versions import RunFileError, load_events


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    return status_of("connect-sandbox show", lambda: _show(_parser().parse_args(argv)), RunFileError)


def _parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="connect-sandbox show",
        description="Show what happened in a run: what failed first, else its scenarios.",
    )
    made.add_argument(
        "run", type=Path, metavar="RUN", help="run file, such as build/demo/run.jsonl; any version"
    )
    made.add_argument("--scenario", metavar="NAME", help="this scenario")
    made.add_argument("--contact", metavar="ID", help="this contact; the beginning of its id will do")
    made.add_argument("--html", type=Path, metavar="FILE", help="write a page that opens from disk instead")
    return made


def _show(told: argparse.Namespace) -> int:
    events = load_events(told.run)
    run = Run.of(events)
    if told.html is not None:
        from connect_sandbox.viewer.report import write_report  # noqa: PLC0415  (it is not needed for text)

        try:
            write_report(events, told.html)
        except OSError as problem:
            raise UsageError(f"{told.html} cannot be written: {problem.strerror}") from problem
        write(f"{told.html}")
        return 0
    if told.contact is not None:
        write(show_contact(_contact(run, told.contact)).lstrip("\n"))
    elif told.scenario is not None:
        if told.scenario not in run.scenarios:
            names = "".join(f"\n  {name}" for name in run.scenarios) or " none"
            raise UsageError(f"the run has no scenario {told.scenario!r}; there are:{names}")
        write(show_scenario(run.scenarios[told.scenario]))
    else:
        write(show_run(run))
    return 0


def _contact(run: Run, id_: str) -> Contact:
    try:
        return run.contact(id_)
    except KeyError:
        names = "".join(f"\n  {name}" for name in run.contacts) or " none"
        raise UsageError(f"not one contact's id begins with {id_!r}; there are:{names}") from None
