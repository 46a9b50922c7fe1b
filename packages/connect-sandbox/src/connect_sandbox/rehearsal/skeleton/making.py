"""From a file with a flow to the text of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connect_flows import Flow

from connect_sandbox.rehearsal.coverage import Branch, Coverage
from connect_sandbox.rehearsal.flow_files import placeholders_of, read_flow, text_of
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.skeleton.covering import Found, covering
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.given import Given, example_value
from connect_sandbox.rehearsal.skeleton.routes import Routes
from connect_sandbox.rehearsal.skeleton.search import Search
from connect_sandbox.rehearsal.skeleton.trace import Player, Trace
from connect_sandbox.rehearsal.skeleton.uses import Uses


@dataclass(frozen=True)
class NotTaken:
    """A branch that no scenario takes, and why."""

    branch: Branch
    reason: str


@dataclass(frozen=True)
class Made:
    """What was found for a flow."""

    flow: PublishedFlow
    facts: Facts
    search: Search
    found: Found


def made_for(path: Path, values: Mapping[str, str], base: Path, flows: Path | None = None) -> Made:
    """Search for the scenarios of the flow in a file."""
    needed = placeholders_of(path)
    raw = Uses(Flow.parse(text_of(path), name=str(path)))
    told = {name: values.get(name, example_value(name, raw)) for name in sorted(needed)}
    flow = read_flow(path, told)
    given = Given(flow, told, base, flows)
    facts = given.facts()
    search = Search(given, Player(flow, base), Routes(flow))
    return Made(flow, facts, search, covering(search, facts))


def coverage_by(flow: PublishedFlow, traces: tuple[Trace, ...]) -> Coverage:
    """Return the coverage by the traces."""
    coverage = Coverage(flow)
    for trace in traces:
        if trace.contact is not None:
            coverage.add(trace.contact)
    return coverage
