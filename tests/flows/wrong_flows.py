"""A generator of wrong flows: valid ones with one thing damaged, as typing errors and careless copies do it.

Every mutation is one that Amazon Connect refuses or that fails a caller; what only changes the meaning (another queue
of the same instance) is none. The choice is drawn from a seed, so that a share of reported mutations can be repeated.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connect_flows import ACTIONS, Severity, lint
from connect_flows.diagnostics import Diagnostic
from connect_flows.examples import example_flow, example_place
from connect_flows.importer import import_flow
from connect_flows.knowledge import ParameterSpec, knowledge
from connect_flows.legacy import is_legacy
from connect_flows.template import render

Json = dict[str, Any]
_ID = "11111111-2222-3333-4444-555555555555"
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12}|aws):[A-Za-z0-9_/:$.-]+")
_REFERENCE = re.compile(
    r"\$\.(?:Attributes|External|Queue|Channel|CustomerEndpoint|StoredCustomerInput)[A-Za-z.]*"
)


@dataclass(frozen=True)
class ValidFlow:
    """A flow in which the linter finds no error, and for what type of flow it is meant."""

    name: str
    document: Json
    flow_type: str | None = None

    def findings(self, document: Json | None = None) -> list[Diagnostic]:
        return lint(
            json.dumps(self.document if document is None else document),
            name=self.name,
            flow_type=self.flow_type,
        )


@dataclass(frozen=True)
class Wrong:
    """A damaged flow: what was done to it, and where."""

    kind: str
    flow: ValidFlow
    document: Json
    what: str

    @property
    def reported(self) -> bool:
        """Whether the linter says something that it did not say of the valid flow."""
        before = {(d.rule, d.path, d.message) for d in self.flow.findings()}
        return any((d.rule, d.path, d.message) not in before for d in self.flow.findings(self.document))


def arn_of(kind: str) -> str:
    """Return a valid ARN of a kind of resource."""
    arn = knowledge().resources[kind].arn
    for word, value in (
        ("REGION", "us-east-1"),
        ("ACCOUNT", "123456789012"),
        ("BOTID", "ABCDEFGHIJ"),
        ("ALIASID", "ABCDEFGHIJ"),
        ("NAME", "find"),
    ):
        arn = arn.replace(word, value)
    return arn.replace("ID", _ID)


def examples() -> Iterator[ValidFlow]:
    """Yield the example of every documented action type, with ARNs where it has placeholders for resources."""
    for action_type, spec in ACTIONS.items():
        flow = example_flow(action_type)
        block = flow["Actions"][0]
        for at, value, parameter in list(resources_of(block["Parameters"], spec.parameters)):
            if value.startswith("${") and parameter.resource is not None:
                put(block["Parameters"], at, arn_of(parameter.resource))
        made = ValidFlow(action_type, flow, example_place(action_type)[1])
        if spec.documented and not any(d.severity is Severity.ERROR for d in made.findings()):
            yield made


def exports(folder: Path) -> Iterator[ValidFlow]:
    """Yield the flows of a folder in which the linter finds no error; old exports as what they are converted to."""
    for path in sorted(folder.rglob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8-sig"))
        except ValueError:
            continue
        if isinstance(document, dict) and is_legacy(document):
            imported = import_flow(document, name=path.name)
            document = json.loads(render(imported.template, imported.values))
        if not isinstance(document, dict) or not document.get("Actions"):
            continue
        made = ValidFlow(path.name, document)
        if not any(d.severity is Severity.ERROR for d in made.findings()):
            yield made


Place = tuple[str | int, ...]


def resources_of(parameters: Json, specs: Any) -> Iterator[tuple[Place, str, ParameterSpec]]:
    """Yield the texts in parameters that name a resource, with where they are and what is known of them."""
    return ((at, value, spec) for at, value, spec in texts_of(parameters, specs) if spec.resource is not None)


def texts_of(parameters: Json, specs: Any) -> Iterator[tuple[Place, str, ParameterSpec]]:
    """Yield the texts in parameters of which something is known, with where they are and what it is."""

    def within(value: Any, spec: ParameterSpec, at: Place) -> Iterator[tuple[Place, str, ParameterSpec]]:
        if isinstance(value, str):
            yield at, value, spec
        elif isinstance(value, dict):
            for key, inner in value.items():
                known = (spec.properties or {}).get(key) or spec.values
                if known is not None:
                    yield from within(inner, known, (*at, key))
        elif isinstance(value, list) and spec.items is not None:
            for index, inner in enumerate(value):
                yield from within(inner, spec.items, (*at, index))

    for name, value in parameters.items():
        if name in specs:
            yield from within(value, specs[name], (name,))


def put(document: Any, at: Place, value: object) -> None:
    """Replace what is at a place."""
    for step in at[:-1]:
        document = document[step]
    document[at[-1]] = value


def wrong_flows(flow: ValidFlow, draw: random.Random) -> Iterator[Wrong]:
    """Yield the flow with each kind of damage once at every place that can have it."""
    for index, action in enumerate(flow.document["Actions"]):
        spec = ACTIONS.get(action.get("Type"))
        parameters = action.get("Parameters")
        if spec is None or not isinstance(parameters, dict):
            continue
        form = spec.form(parameters)
        for at, value, parameter in resources_of(parameters, form.parameters):
            place = ("Actions", index, "Parameters", *at)
            for kind, damage in _OF_A_RESOURCE.items():
                if (new := damage(value, parameter, draw)) is not None:
                    yield _made(kind, flow, place, new)
        for at, value, parameter in texts_of(parameters, form.parameters):
            # Where a text stands for one reference, and for no resource: what is compared, who calls.
            if (
                value.startswith("$.")
                and parameter.resource is None
                and parameter.value in {"single", "jsonpath"}
            ):
                broken = _without_dollar(value, parameter, draw)
                yield _made("reference without $.", flow, ("Actions", index, "Parameters", *at), broken)
        yield from _deleted_branches(flow, index)
        yield from _nested(flow, index, form.parameters, draw)


def _made(kind: str, flow: ValidFlow, at: Place, value: object) -> Wrong:
    document = copy.deepcopy(flow.document)
    put(document, at, value)
    return Wrong(kind, flow, document, f"{flow.name} {'.'.join(map(str, at))} = {value}")


def _damaged(value: str, _spec: ParameterSpec, draw: random.Random) -> str | None:
    if not _ARN.fullmatch(value):
        return None
    parts = value.split(":", 5)
    damages: list[Callable[[], str]] = [
        lambda: ":".join([*parts[:4], parts[4][:-1], parts[5]]),  # an account of 11 digits
        lambda: ":".join(
            [*parts[:2], parts[2][:2] + parts[2][3:], *parts[3:]]
        ),  # the service, a letter short
        lambda: ":".join([parts[0], *parts[2:]]),  # without partition
        lambda: value.replace("/", ":", 1) if "/" in value else value.replace(":function:", ":function/"),
        lambda: value + "x y",
        lambda: value[:-3] + "…",
        lambda: value.removeprefix("a"),
    ]
    return draw.choice(damages)()


def _wrong_kind(value: str, spec: ParameterSpec, draw: random.Random) -> str | None:
    if not _ARN.fullmatch(value):
        return None
    others = [kind for kind in knowledge().resources if kind != spec.resource]
    return arn_of(draw.choice(others))


def _without_dollar(value: str, spec: ParameterSpec, draw: random.Random) -> str | None:
    reference = value if value.startswith("$.") else "$.Attributes.chosen"
    if spec.value == "static":
        return None
    return draw.choice(
        [reference.replace("$.", "$", 1), reference.removeprefix("$."), reference.replace("$", "", 1)]
    )


def _misspelt_region(value: str, _spec: ParameterSpec, draw: random.Random) -> str | None:
    if not _ARN.fullmatch(value) or not value.split(":")[3]:
        return None
    region = value.split(":")[3]
    wrong = [
        region.replace("-", "", 1),
        region[:-1],
        region.replace("east", "esat").replace("west", "wset"),
        region + "1",
    ]
    chosen = draw.choice([one for one in wrong if one != region])
    return value.replace(f":{region}:", f":{chosen}:", 1)


_OF_A_RESOURCE: dict[str, Callable[[str, ParameterSpec, random.Random], str | None]] = {
    "damaged ARN": _damaged,
    "wrong kind of ARN": _wrong_kind,
    "reference without $.": _without_dollar,
    "misspelt Region": _misspelt_region,
}


def _deleted_branches(flow: ValidFlow, index: int) -> Iterator[Wrong]:
    """Yield the flow without each branch of a block that Amazon Connect requires."""
    action = flow.document["Actions"][index]
    spec = ACTIONS[action["Type"]].form(action["Parameters"])
    transitions = action.get("Transitions") or {}
    for number, error in enumerate(transitions.get("Errors") or []):
        if error.get("ErrorType") in spec.errors_required:
            document = copy.deepcopy(flow.document)
            del document["Actions"][index]["Transitions"]["Errors"][number]
            yield Wrong("deleted branch", flow, document, f"{flow.name} {index} without {error['ErrorType']}")
    if spec.next_action == "required" and "NextAction" in transitions:
        document = copy.deepcopy(flow.document)
        del document["Actions"][index]["Transitions"]["NextAction"]
        yield Wrong("deleted branch", flow, document, f"{flow.name} {index} without NextAction")


def _nested(flow: ValidFlow, index: int, specs: Any, draw: random.Random) -> Iterator[Wrong]:
    """Yield the flow with a misspelt, moved or wrongly typed parameter inside another, where its names are known."""
    for name, value in flow.document["Actions"][index]["Parameters"].items():
        for at, inner, spec in _objects(value, specs[name], (name,)) if name in specs else ():
            known = [key for key in inner if key in (spec.properties or {})]
            if not known:
                continue
            key = draw.choice(known)
            place = ("Actions", index, "Parameters", *at)
            misspelt = {(f"{k[:-2]}{k[-1]}{k[-2]}x" if k == key else k): v for k, v in inner.items()}
            yield _made(
                "nested parameter", flow, place, draw.choice([misspelt, [inner], {**inner, key: 3.5}])
            )


def _objects(value: Any, spec: ParameterSpec, at: Place) -> Iterator[tuple[Place, Json, ParameterSpec]]:
    """Yield the objects in a parameter's value whose names are all known."""
    if isinstance(value, dict):
        if spec.properties and not spec.open:
            yield at, value, spec
        for key, inner in value.items():
            known = (spec.properties or {}).get(key) or spec.values
            if known is not None:
                yield from _objects(inner, known, (*at, key))
    elif isinstance(value, list) and spec.items is not None:
        for number, inner in enumerate(value):
            yield from _objects(inner, spec.items, (*at, number))
