"""Every scenario of flows/ and examples/ for both runners. `python -m tests.support.two_runners` writes the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.testcase.convert import convert_file
from connect_sandbox.testcase.converted import VERDICTS, Converted

from tests.support import ROOT

PAGE = ROOT / "docs/testcases.md"
SCENARIOS = ROOT / "tests/flows/scenarios"
FLOWS = (*sorted((ROOT / "flows").glob("*.json")), *sorted((ROOT / "examples").glob("*/flows/*.json")))
MARKS = ("said", "approximate", "cannot")

HEAD = """\
# One scenario, two runners

Amazon Connect tests flows itself: a test case is a JSON document, and the service calls the flow without a caller, and
compares. `connect-flows testcase` (it comes with connect-sandbox) makes test cases of the scenarios that
[`connect-sandbox rehearse`](flows.md#rehearse) plays, so that one file runs on the laptop, in the sandbox and on Amazon
Connect:

```
$ connect-flows testcase weekday_line.yaml --flow weekday_line.json -o testcases
said        a caller waits for an agent
    said        expect.hears 'An agent is next.'
    said        expect.ends queued: Support
…
approximate the queue is full
    said        setup.queues.QueueArn
    approximate expect.hears 'All agents are busy.': the last prompt before the contact ends is lost in some runs
    approximate expect.ends disconnected: by the last prompt: a test does not see how a flow ends
…
5 scenarios: 1 said, 1 approximate, 0 in part, 3 cannot
2 test cases written to testcases
$ connect-flows testcase run --instance arn:aws:connect:us-east-1:123456789012:instance/11111111-…
passed  weekday_line: a caller waits for an agent (4 s)
passed  weekday_line: the queue is full (8 s)
2 test cases, none failed
```

[FlowTestCase](constructs/flow-test-case.md) deploys such a file with its flow; the placeholders get the flow's values.
`--values FILE` fills them in without a deployment.

The scenario is played locally first. That tells what the test has to expect: prompts that Amazon Connect merges into
one event, one mock for each call of a function, each key on the event after which the flow listens. The finished test
case is played here, too, before it is written: functions that it does not mock fail then, hours are the other way
round, no queue is full, so that it passes only if it brings all that about itself. What Amazon Connect accepts and what
its pages say differ in places; what is generated is what people saw it accept ([evidence](evidence.md)).

`run` starts five at a time, looks how they are until they end, starts a test again that failed to initialize, and tells
failures as a rehearsal does: *the caller should have heard “…”*, *attribute tier should be 'gold'; it is
'silver'*. A test is a real contact: what it does not mock is invoked, and it counts in the metrics.

## What a test case can say

Of a scenario and of each of its parts the report says one of these:

- **said**: the test case says the same.
- **approximate**: it comes near; the report says how. Speech recognition hears prompts, so their words are compared and
  not their letters; a test sees no disconnect, and takes the last prompt for it.
- **in part** (of a scenario): some of it cannot be said, and the test case checks the rest. Where the contact does what
  no test can bring about (a third party answers, a block fails), the test ends before that.
- **cannot**: nothing of what it expects can be said.

A test case has no "does not hear" and no "does not reach", no third party, no agents, no queue metrics and no views; it
cannot let blocks fail, other than functions, hours of operation, bots and transfers to a queue; and a flow module is no
entry point. Hours that are open or closed are other hours that stand in: `${OpenHoursArn}` and `${ClosedHoursArn}` name
hours of your instance that always are, and never.

## The scenarios of this repository

Of `flows/` and `examples/`. [A test](../tests/flows/test_two_runners.py) plays both runners on each scenario that can
be said, with right and with wrong expectations and flows, and holds these tables to what it finds.

"""


@dataclass(frozen=True)
class Both:
    """A scenario with its flow, and what became of it."""

    flow: Path
    converted: Converted


@cache
def all_of_them() -> tuple[Both, ...]:
    """Return every scenario, converted."""
    return tuple(
        Both(flow, converted)
        for flow in FLOWS
        for converted in convert_file(ScenarioFile.load(SCENARIOS / f"{flow.stem}.yaml"), flow)
    )


def page() -> str:
    """Return the page."""
    return HEAD + "\n\n".join([by_flow(), by_part(), reasons()]) + "\n"


def by_flow() -> str:
    """Return the table of verdicts, flow by flow."""
    rows = []
    for flow in FLOWS:
        counts = Counter(each.converted.verdict for each in all_of_them() if each.flow == flow)
        rows.append([f"`{flow.relative_to(ROOT)}`", *(str(counts[verdict]) for verdict in VERDICTS)])
    counts = Counter(each.converted.verdict for each in all_of_them())
    rows.append(["**all**", *(f"**{counts[verdict]}**" for verdict in VERDICTS)])
    return _table(["flow", *VERDICTS], rows)


def by_part() -> str:
    """Return the table of marks, part by part of a scenario."""
    counts: dict[str, Counter[str]] = {}
    for each in all_of_them():
        for statement in each.converted.statements:
            counts.setdefault(_part(statement.what), Counter())[statement.mark] += 1
    rows = [[f"`{part}`", *(str(counts[part][mark]) for mark in MARKS)] for part in sorted(counts)]
    return "The parts of the scenarios:\n\n" + _table(["part", *MARKS], rows)


def reasons() -> str:
    """Return the table of reasons why parts cannot be said."""
    why = Counter(
        _reason(statement.why)
        for each in all_of_them()
        for statement in each.converted.statements
        if statement.mark == "cannot"
    )
    rows = [
        [reason, str(count)] for reason, count in sorted(why.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "Why parts of them cannot be said:\n\n" + _table(["reason", "parts"], rows)


def _part(what: str) -> str:
    words = what.split()
    if words[0] == "caller":
        return what if words[1] == "stays" else " ".join(words[:2])
    return ".".join(words[0].split(".")[:2]) if "." in words[0] else what


_SHORTER: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"no event comes after it is set; (.*)", lambda found: found[1]),
    (
        r"a test cannot tell .* \((\w+)\) what to do",
        lambda found: f"a test cannot tell {found[1]} what to do",
    ),
    (r"a test cannot make .* \((\w+)\) fail", lambda found: f"a test cannot make {found[1]} fail"),
    (r".* \((\w+)\)(:? .*)", lambda found: f"{found[1]}{found[2]}"),
)


def _reason(why: str) -> str:
    """Return a reason without the names of blocks."""
    for pattern, shorter in _SHORTER:
        found = re.fullmatch(pattern, why)
        if found:
            why = shorter(found)
    return why


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
