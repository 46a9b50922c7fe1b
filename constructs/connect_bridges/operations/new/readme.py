"""The README of a new app."""

from __future__ import annotations

import textwrap

from connect_flows import FlowKind

from connect_bridges.operations.new.environments import FIRST, LOCAL, SECOND
from connect_bridges.operations.new.project import App, incomplete

_KIND_WORDS = {
    "Hours": "hours of operation",
    "BotAlias": "Lex bot",
    "PhoneNumber": "telephone number",
    "VoiceConnector": "voice connector",
    "Module": "flow module",
    "TaskTemplate": "task template",
    "QuickConnect": "quick connect",
}


def readme(app: App) -> str:
    """Return the README."""
    return (
        "\n\n".join(
            [
                f"# {app.name}",
                _about(app),
                _COMMANDS,
                _flows(app),
                *([_refers_to(app)] if app.exports.resources else []),
                _environments(app),
                *([_circles(app)] if app.exports.circles else []),
                *([_notes(app)] if any(flow.notes for flow in app.exports.flows) else []),
                _SCENARIOS,
                *([_unplayed(app)] if app.unplayed else []),
            ]
        )
        + "\n"
    )


_COMMANDS = """\
You need Python 3.11 or newer, Node.js 20 or newer and make; an AWS account only to deploy.

| command | what it does |
| --- | --- |
| `make test` | lint and tests; each scenario is played through the flow's file |
| `make demo` | deploys to a sandbox on this machine and plays the scenarios through what was deployed |
| `make types` | mypy, strict |
| `make synth ENV=prod` | writes the CloudFormation template of an environment to `cdk.out` |
| `make diff ENV=prod`, `make deploy ENV=prod` | compares it with what is deployed; deploys it |
| `make pictures` | draws the flows anew |

`make setup`, which the others run first, installs into `.venv` and `node_modules`. For wheels that no index has, set
`PIP_FIND_LINKS` to their folder."""

_BESIDE = """\
The stack publishes the flows under names of its own (stack and construct), beside the originals. To let them take over,
lead the telephone number to the new flow."""

_ASSOCIATES = """\
`associates` says whether the stack lets the instance use the functions and bots. It is false where the instance does
already: a second association of the same function fails to deploy."""

_CIRCLES = """\
CloudFormation creates one after the other, so these references are values in cdk.json: at first those of the export,
which lead to the original flow. After the first deployment write the ARN there that the stack puts out."""

_SCENARIOS = """\
## Scenarios

[scenarios/](scenarios) has a file for each flow. A scenario says what is around the flow (`setup`: queues, hours, what
functions answer), what the caller does and what must happen (`expect`). They were found by playing the flow, until
every branch was taken that can be, and expect what was observed: read them, and correct what should be otherwise. One
file alone:

```
.venv/bin/connect-flows rehearse flows/FLOW.json --scenario scenarios/FLOW.yaml --coverage
```"""


def _about(app: App) -> str:
    flows = app.exports.flows
    told = (
        f"{len(flows)} flow{'s' * (len(flows) > 1)} of Amazon Connect as an AWS CDK app, made by `connect-bridges new` "
        "from exports of the flow designer. The flows are JSON templates in [flows/](flows); [stack.py](stack.py) "
        "publishes them, and [cdk.json](cdk.json) says what they refer to in each environment."
    )
    return textwrap.fill(told, 120, break_long_words=False, break_on_hyphens=False)


def _flows(app: App) -> str:
    parts = ["## Flows"]
    for flow in app.exports.flows:
        kind = "module" if flow.kind is FlowKind.MODULE else flow.flow_type.lower().replace("_", " ")
        kind = "flow" if kind == "contact flow" else kind
        others = [app.exports.flow(other).title for other in flow.flows]
        uses = f" It leads to {', '.join(others)}." if others else ""
        parts.append(f"### {flow.title}")
        parts.append(f"A {kind} in [flows/{flow.file}.json](flows/{flow.file}.json).{uses}")
        parts.append(f"![{flow.title}](docs/{flow.file}.svg)")
    return "\n\n".join(parts)


def _refers_to(app: App) -> str:
    rows = [
        f"| `{one.placeholder}` | {_KIND_WORDS.get(one.kind, one.kind.lower())} | {_cell(one.title)} | "
        f"{', '.join(flow.title for flow in app.exports.flows if one in flow.resources)} |"
        for one in app.exports.resources
    ]
    return "\n".join(
        [
            "## What the flows refer to",
            "",
            "The app does not create these; each environment of [cdk.json](cdk.json) says what they are there.",
            "",
            "| placeholder | is a | called | in |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


def _environments(app: App) -> str:
    by_name = {one.name: one for one in app.environments}
    first = incomplete(by_name[FIRST])
    told = (
        f"Still to be filled in (null): {', '.join(f'`{name}`' for name in first)}."
        if first
        else "Complete: its values are those of the exports."
    )
    notes = [f"- `{FIRST}`: the export's value of {note}" for note in by_name[FIRST].notes]
    associates = (
        [
            "",
            _ASSOCIATES,
        ]
        if app.associates
        else []
    )
    return "\n".join(
        [
            "## Environments",
            "",
            f"- `{LOCAL}` is what tests and `make demo` use: made-up ARNs of the sandbox, which exist nowhere on AWS.",
            f"- `{FIRST}` is the instance that the exports come from. {told}",
            f"- `{SECOND}` is to be filled in; until then `make synth ENV={SECOND}` says what is missing.",
            *notes,
            "",
            _BESIDE,
            *associates,
        ]
    )


def _circles(app: App) -> str:
    rows = [f"- *{flow}* leads to *{other}*, which leads back" for flow, other in app.exports.circles]
    return "\n".join(
        [
            "## Circles",
            "",
            *rows,
            "",
            _CIRCLES,
        ]
    )


def _notes(app: App) -> str:
    rows = [f"- {flow.title}: {note}" for flow in app.exports.flows for note in flow.notes]
    return "\n".join(
        ["## Left out in the conversion", "", "Of exports from before the flow language:", "", *rows]
    )


def _unplayed(app: App) -> str:
    rows = [f"- flows/{file}.json: {reason}" for file, reason in app.unplayed.items()]
    return "\n".join(["No scenario was found for these; write one, with what only you know:", "", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
