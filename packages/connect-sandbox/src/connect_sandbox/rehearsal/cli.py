"""`connect-sandbox rehearse`: play scenarios through a flow, and list the branches that none has taken.

Exit status: 0 everything went as expected, 1 a scenario did not (or branches are missing under --coverage),
2 the command could not be carried out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connect_sandbox.rehearsal.command_line import Parser, UsageError, status_of, write
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.coverage import Coverage
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.flow_files import read_values
from connect_sandbox.rehearsal.scenario import Scenario, ScenarioFile
from connect_sandbox.runs import Cause, Recorder, because
from connect_sandbox.runs import scenario as run_scenario

EPILOG = """\
A scenario says what is set up, what the caller does and what must happen:

  setup:
    values: {QueueArn: support}
    queues: {support: {name: Support}}
    lambdas: {fetch: {answers: {found: "true"}}}
  caller:
    - presses: "1"
  expect:
    hears: [Thank you for calling.]
    ends: {queued: Support}

Exit status: 1 when a scenario fails or, with --coverage, branches are missing, else 0.
"""


@dataclass(frozen=True)
class Played:
    """How a scenario went. `problem` is None if it went as expected."""

    scenario: Scenario
    contact: Contact | None
    problem: str | None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    return status_of("connect-sandbox rehearse", lambda: _rehearse(parser().parse_args(argv)))


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    made = Parser(
        prog="connect-sandbox rehearse",
        description="Play calls and chats through a flow, without an AWS account, and check what callers hear.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("flow", type=Path, metavar="FLOW", help="flow, flow module or template")
    made.add_argument(
        "--scenario", type=Path, nargs="+", action="extend", required=True, metavar="FILE",
        help="scenario file (YAML), or a directory of them",
    )  # fmt: skip
    made.add_argument(
        "--values",
        type=Path,
        metavar="FILE",
        help="JSON: placeholder values, or the map that connect-flows import wrote; a scenario's own take precedence",
    )
    made.add_argument("--environment", metavar="NAME", help="environment in the map that import wrote")
    made.add_argument("--quiet", action="store_true", help="print only the transcripts of failures")
    made.add_argument("--coverage", action="store_true", help="list the branches that no scenario has taken")
    made.add_argument(
        "--fail-under", type=float, metavar="PERCENT", help="coverage below which to fail (default: 100)"
    )
    made.add_argument(
        "--run", type=Path, metavar="FILE", help="write down what happens: a run file, JSON Lines"
    )
    return made


def play(files: Sequence[ScenarioFile], flow: Path) -> Iterator[Played]:
    """Play every scenario through the flow."""
    for file in files:
        for scenario in file.scenarios:
            contact: Contact | None = None
            problem: str | None = None
            try:
                with run_scenario(scenario.name, file.path.name):
                    contact = scenario.contact(file.flow(scenario, flow))
                    scenario.check(contact)
            except AssertionError as unexpected:
                problem = str(unexpected)
            except RehearsalError as unplayable:
                problem = "\n".join([str(unplayable), *getattr(unplayable, "__notes__", ())])
            yield Played(scenario, contact, problem)


def coverage_of(played: Sequence[Played], file: ScenarioFile, flow: Path) -> Coverage:
    """Return the flow's coverage by the scenarios."""
    coverage = Coverage(file.flow(file.scenarios[0], flow))
    for one in played:
        if one.contact is not None:
            coverage.add(one.contact)
    return coverage


def _rehearse(arguments: argparse.Namespace) -> int:
    if arguments.fail_under is not None and not 0 <= arguments.fail_under <= 100:
        raise UsageError(f"--fail-under is {arguments.fail_under:g}: give 0 to 100")
    values = read_values(arguments.values, arguments.environment)
    files = [_with_values(ScenarioFile.load(path), values) for path in _files(arguments.scenario)]
    for file in files:
        file.check_names(arguments.flow, besides=values)
    played = []
    with _told_to(arguments.run):
        for one in play(files, arguments.flow):
            played.append(one)
            _tell(one, quiet=arguments.quiet)
    failed = sum(one.problem is not None for one in played)
    write(f"{len(played)} scenario{'s' * (len(played) != 1)}, {failed or 'none'} failed")
    status = 1 if failed else 0
    if arguments.coverage or arguments.fail_under is not None:
        coverage = coverage_of(played, files[0], arguments.flow)
        limit = 100.0 if arguments.fail_under is None else arguments.fail_under
        _tell_coverage(coverage)
        status = 1 if coverage.percent() < limit else status
    return status


@contextmanager
def _told_to(path: Path | None) -> Iterator[None]:
    """Let a run file be told of all that is played; without a path, nobody."""
    if path is None:
        yield
        return
    try:
        recorder = Recorder(
            path, title="connect-sandbox rehearse", tell=lambda problem: write(problem, sys.stderr)
        )
    except OSError as problem:
        raise UsageError(str(problem)) from problem
    try:
        with because(Cause(recorder=recorder)):
            yield
    finally:
        recorder.close()


def _tell(one: Played, *, quiet: bool) -> None:
    write(f"{'FAILED' if one.problem else 'passed'}  {one.scenario.name}")
    if one.problem is not None:
        write(one.problem + "\n")
    elif not quiet and one.contact is not None:
        write(f"{one.contact.transcript}\n")


def _tell_coverage(coverage: Coverage) -> None:
    missing = coverage.missing()
    for branch in missing:
        write(f"not taken  {branch}")
    total = len(coverage.branches())
    write(f"coverage   {coverage.percent():.1f} % ({total - len(missing)} of {total} branches)")


def _with_values(file: ScenarioFile, values: dict[str, str]) -> ScenarioFile:
    return replace(
        file,
        scenarios=tuple(
            replace(one, setup=replace(one.setup, values={**values, **one.setup.values}))
            for one in file.scenarios
        ),
    )


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
            if not inside:
                raise UsageError(f"{path} holds no *.yaml file")
            found += inside
        else:
            found.append(path)
    return list(dict.fromkeys(found))
