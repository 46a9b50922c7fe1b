"""Of valid flows with one thing damaged, the linter reports at least 98 of 100; and what it costs."""

from __future__ import annotations

import json
import os
import random
import statistics
import time
import timeit
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from connect_flows import Flow, Severity, lint
from connect_flows.importer import import_flow
from connect_flows.pictures import mermaid, svg
from connect_flows.template import render

from tests.flows.test_pictures import needs_mermaid, parsed, refused
from tests.flows.wrong_flows import ValidFlow, Wrong, examples, exports, wrong_flows
from tests.support import ROOT

KINDS = {
    "damaged ARN",
    "wrong kind of ARN",
    "reference without $.",
    "misspelt Region",
    "deleted branch",
    "nested parameter",
}
#: A folder of console exports that are none of this repository's, for those who have one.
FOLDER = os.environ.get("CONNECT_FLOWS_EXPORTS")
needs_exports = pytest.mark.skipif(FOLDER is None, reason="CONNECT_FLOWS_EXPORTS names no folder of exports")


def share(wrong: list[Wrong]) -> tuple[float, dict[str, str], list[str]]:
    """Return the share that is reported, the shares by kind, and what is not."""
    made, told, missed = Counter[str](), Counter[str](), []
    for one in wrong:
        made[one.kind] += 1
        if one.reported:
            told[one.kind] += 1
        else:
            missed.append(f"{one.kind}: {one.what}")
    return told.total() / made.total(), {kind: f"{told[kind]} of {made[kind]}" for kind in made}, missed


def drawn(flows: list[ValidFlow], most: int, seed: int = 13) -> list[Wrong]:
    """Return up to so many wrong flows of each kind."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    made: dict[str, dict[str, Wrong]] = {}
    for one in chain.from_iterable(wrong_flows(flow, draw) for flow in flows * 4):
        made.setdefault(one.kind, {})[one.what] = one
    assert set(made) == KINDS
    by_kind = {kind: list(made[kind].values()) for kind in sorted(made)}
    return [one for found in by_kind.values() for one in draw.sample(found, min(most, len(found)))]


def test_98_of_100_damages_to_the_examples_are_reported() -> None:
    reported, by_kind, missed = share(drawn(list(examples()), 60))
    assert reported >= 0.98, (by_kind, missed)
    assert all(int(text.split()[-1]) >= 40 for text in by_kind.values()), by_kind


def test_an_undamaged_flow_counts_as_not_reported() -> None:
    flow = next(examples())
    assert not Wrong("nothing", flow, json.loads(json.dumps(flow.document)), "the same").reported


@needs_exports
def test_98_of_100_damages_to_exports_are_reported() -> None:
    reported, by_kind, missed = share(drawn(list(exports(Path(str(FOLDER)))), 200))
    assert reported >= 0.98, (by_kind, missed)


@needs_exports
@pytest.mark.parametrize(
    "path", sorted(Path(FOLDER).rglob("*.json")) if FOLDER else [], ids=lambda path: str(path.name)
)
def test_an_export_has_no_false_error_and_renders_to_itself(path: Path) -> None:
    source = path.read_text(encoding="utf-8-sig")
    imported = import_flow(source, name=path.name)
    rendered = json.loads(render(imported.template, imported.values))
    if imported.converted:
        return
    assert rendered == json.loads(source)
    # An empty value says that the flow was saved and not published: Amazon Connect refuses to publish it (CF116).
    errors = [d for d in lint(source, name=path.name) if d.severity is Severity.ERROR]
    assert [str(d) for d in errors if d.rule != "CF116" or "empty string" not in d.message] == []


@needs_exports
@needs_mermaid
def test_every_picture_of_the_exports_is_read_by_real_parsers() -> None:
    flows: dict[str, Flow] = {}
    for path in sorted(Path(str(FOLDER)).rglob("*.json")):
        imported = import_flow(path.read_bytes(), name=path.name)
        flows[path.name] = Flow.parse(render(imported.template, imported.values), name=path.name)
    assert refused(**{name: mermaid(flow) for name, flow in flows.items()}) == {}
    for flow in flows.values():
        assert parsed(svg(flow)).tag.endswith("svg")


# --- what a lint costs ---------------------------------------------------------------------------------------------


def processor_time(source: str) -> float:
    """Return the least processor time of a lint in several tries, in seconds: what else runs here does not count.

    Nor does collecting the garbage of the tests before, which timeit puts off.
    """
    return min(timeit.repeat(lambda: lint(source), timer=time.process_time, number=1, repeat=7))


def test_the_median_flow_is_linted_in_less_than_10_ms() -> None:
    flows = [*ROOT.glob("flows/*.json"), *ROOT.glob("examples/*/flows/*.json")]
    assert len(flows) >= 8
    texts = [path.read_text(encoding="utf-8") for path in flows]
    assert statistics.median(map(processor_time, texts)) < 0.010


def long_flow(blocks: int) -> str:
    """Return a flow of so many blocks of the kinds that occur most, each with all its branches."""
    actions: list[dict[str, Any]] = []
    for number in range(blocks):
        following, end = f"b{number + 1}", "end"
        if number % 3 == 0:
            kind, parameters, errors = (
                "MessageParticipant",
                {"Text": f"Hello $.Attributes.a{number}."},
                ["NoMatchingError"],
            )
        elif number % 3 == 1:
            kind, parameters, errors = (
                "UpdateContactAttributes",
                {"Attributes": {f"a{number}": "1"}},
                ["NoMatchingError"],
            )
        else:
            kind, parameters, errors = (
                "Compare",
                {"ComparisonValue": "$.Attributes.tier"},
                ["NoMatchingCondition"],
            )
        transitions: dict[str, Any] = {"NextAction": following}
        transitions["Errors"] = [{"ErrorType": error, "NextAction": following} for error in errors]
        if kind == "Compare":
            condition = {"Operator": "Equals", "Operands": ["gold"]}
            transitions["Conditions"] = [{"NextAction": end, "Condition": condition}]
        actions.append(
            {"Identifier": f"b{number}", "Type": kind, "Parameters": parameters, "Transitions": transitions}
        )
    actions += [
        {"Identifier": name, "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        for name in (f"b{blocks}", "end")
    ]
    return json.dumps({"Version": "2019-10-30", "StartAction": "b0", "Actions": actions})


def test_four_times_the_blocks_take_little_more_than_four_times_the_time() -> None:
    small, large = long_flow(60), long_flow(240)
    assert not any(d.severity is Severity.ERROR for d in lint(small))
    assert processor_time(large) < 6 * processor_time(small)
