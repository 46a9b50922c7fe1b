"""From a file with a flow to the text of a scenario file: search, choose, name, write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.coverage import Branch, Coverage
from connect_sandbox.rehearsal.flow_files import read_flow, text_of
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.skeleton.called import called_by
from connect_sandbox.rehearsal.skeleton.covering import covering
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.forcing import Forcing
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.mending import Mending
from connect_sandbox.rehearsal.skeleton.origins import Origins
from connect_sandbox.rehearsal.skeleton.routes import Routes
from connect_sandbox.rehearsal.skeleton.search import Search
from connect_sandbox.rehearsal.skeleton.trace import Player, Trace, function_key
from connect_sandbox.rehearsal.skeleton.words import called, is_generated, name_of
from connect_sandbox.rehearsal.skeleton.writing import File, Written, common, heard

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class NotTaken:
    """A branch that no scenario takes. `reason` begins with "cannot be taken:" or "needs:"."""

    branch: Branch
    reason: str

    def __str__(self) -> str:
        return f"{self.branch}: {self.reason}"


@dataclass(frozen=True)
class Skeleton:
    """Scenarios for a flow.

    `text` is the scenario file (YAML), `scenarios` the names in it, `coverage` what they take of the flow. `stands_in`
    says by block why a scenario says what it does; `stops` why no contact gets to an end, empty if one does.
    """

    text: str
    scenarios: tuple[str, ...]
    coverage: Coverage
    not_taken: tuple[NotTaken, ...]
    stands_in: Mapping[str, str]
    stops: str = ""


def scenarios_for(
    flow: Path,
    *,
    values: Mapping[str, str] | None = None,
    flows: Path | None = None,
    expect: bool = False,
    base: Path | None = None,
) -> Skeleton:
    """Return scenarios that take every branch of a flow for which facts can be found; each of them runs to an end.

    `flow` is a file with a flow, a template or a console export, also one from before the flow language. `values` are
    those of a template's placeholders; the others get examples. `flows`: a folder with files of flows and modules that
    the flow calls, by their names; what is not there gets a stand-in. `expect` writes what was observed as
    expectations, else it is in comments, but for how each scenario ends. `base` is the folder in which the scenario
    file will be (default: the working directory).

    The same flow gives the same text. The search takes a few seconds at most: it plays up to 60,000 blocks. Raises
    RehearsalError, FlowSyntaxError or FlowImportError for a file without a flow.
    """
    base = (base or Path.cwd()).absolute()
    search, facts = _search(flow.absolute(), values or {}, base, flows.absolute() if flows else None)
    found = covering(search, facts)
    coverage = _coverage(search.routes.flow, found.traces)
    not_taken = tuple(
        NotTaken(
            branch, _classed(reason.removeprefix(f"{called(coverage.flow, branch.block)}: {branch.name}: "))
        )
        for branch, reason in found.missing
    )
    stops = (
        "" if found.traces else search.plain(facts)[1] or "no way to one was found within the search's limit"
    )
    scenarios = _written(found.traces, facts, search.routes.flow, frozenset(_UUID.findall(text_of(flow))))
    text = _text(
        flow, search, facts, scenarios, coverage=coverage, not_taken=not_taken, stops=stops, expect=expect
    )
    names = tuple(scenario.name for scenario in scenarios)
    return Skeleton(text, names, coverage, not_taken, dict(search.mending.stands_in), stops)


def _search(path: Path, values: Mapping[str, str], base: Path, flows: Path | None) -> tuple[Search, Facts]:
    called = called_by(path, flows, values)
    flow = read_flow(path, called.values)
    others = [read_flow(file, called.values) for file in called.files]
    given = Given(flow, called.values, base, flows, tuple(others))
    mending = Mending(given, Player(flow, base))
    return Search(mending, Routes(flow), Forcing(given, Origins(given))), given.facts()


def _coverage(flow: PublishedFlow, traces: tuple[Trace, ...]) -> Coverage:
    coverage = Coverage(flow)
    for trace in traces:
        if trace.contact is not None:
            coverage.add(trace.contact)
    return coverage


def _written(
    traces: tuple[Trace, ...], start: Facts, flow: PublishedFlow, known: frozenset[str]
) -> tuple[Written, ...]:
    found: list[Written] = []
    names: set[str] = set()
    for trace in traces:
        if trace.contact is None:
            continue
        name = base = name_of(trace, start, flow, usually_silent=not traces[0].facts.moves)
        number = 2
        while name in names:
            name, number = f"{base} ({number})", number + 1
        names.add(name)
        contact = trace.contact
        times = _times(contact)
        ids = known.union(_UUID.findall(trace.facts.key))
        said = [e.text for e in contact.transcript if e.heard_by_caller() and _stays(e.text, ids, times)]
        kept = {k: v for k, v in contact.attributes.items() if _stays(v, ids, times)}
        before = trace.facts.at("attributes") or {}
        found.append(
            Written(
                name=name,
                facts=trace.facts,
                ends=_ending(contact),
                hears=heard(said),
                attributes={k: v for k, v in kept.items() if before.get(k) != v},
                invokes=_invoked(contact),
            )
        )
    return tuple(found)


def _ending(contact: Contact) -> Any:  # noqa: ANN401  (JSON)
    ending = contact.ending
    if ending.how != "queued" or ending.queue is None:
        return ending.how
    names = contact.queue_names(ending.queue)
    short = sorted(names - {ending.queue, ending.queue.rsplit("/", 1)[-1]})
    return {"queued": short[0] if short else ending.queue.rsplit("/", 1)[-1]}


def _invoked(contact: Contact) -> tuple[str, ...]:
    invoked = [
        function_key(str(e.data.get("function", ""))) for e in contact.transcript if e.kind == "invokes"
    ]
    return tuple(dict.fromkeys(name for name in invoked if name))


def _times(contact: Contact) -> tuple[str, ...]:
    """Return the times of day that the contact knows: they are others every time."""
    audio = contact.state.media_streams["Customer"]["Audio"] or {}
    return tuple(time for key in ("StartTimestamp", "StopTimestamp") if (time := audio.get(key)))


def _stays(text: str, ids: frozenset[str], times: tuple[str, ...]) -> bool:
    """Return whether a text is the same every time: no time of day is in it, and no id but those that are given."""
    return not any(time in text for time in times) and ids.issuperset(_UUID.findall(text))


def _classed(reason: str) -> str:
    if reason.startswith("not "):
        return f"needs: a person's eye; {reason}"
    return f"cannot be taken: {reason}" if reason else "cannot be taken: no facts were found that lead there"


def _text(
    path: Path,
    search: Search,
    facts: Facts,
    scenarios: tuple[Written, ...],
    *,
    coverage: Coverage,
    not_taken: tuple[NotTaken, ...],
    stops: str,
    expect: bool,
) -> str:
    total = len(coverage.branches())
    taken = total - len(coverage.missing())
    flow = search.routes.flow
    observed = (
        "What callers hear and what is set is as observed, not as it should be: read it, and correct it."
        if expect
        else "How each ends is as observed. What else was observed is in comments: uncomment what has to stay so."
    )
    intro = [
        f"Scenarios for {path.name}, by connect-flows scenarios: they take {taken} of its {total} branches.",
        observed,
        f"Play them: connect-flows rehearse {path.name} --scenario THIS_FILE --coverage",
    ]
    notes = []
    if not_taken and not stops:
        notes = ["Not taken:", *(f"  {_shown(flow, one)}" for one in not_taken)]
    if stops:
        notes.append(f"No contact gets to an end: {stops}")
    shared = common(facts, search.mending.added, [scenario.facts for scenario in scenarios])
    return File(flow, tuple(intro), shared, scenarios, tuple(notes), search.mending.stands_in, expect).text()


def _shown(flow: PublishedFlow, one: NotTaken) -> str:
    block = one.branch.block
    words = f" ({called(flow, block)})" if is_generated(block) else ""
    return f"{block}{words}: {one.branch.name}: {one.reason}"
