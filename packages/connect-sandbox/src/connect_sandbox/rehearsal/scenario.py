"""Scenario files: YAML that says what is set up, what the caller does, and what must happen.

A file holds one scenario, or several under `scenarios:` that share the file's `setup:`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import yaml

from connect_sandbox.rehearsal.conditions import Move
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.flow_files import placeholders_of, read_flow
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.reading import Reader, ScenarioError, checked
from connect_sandbox.rehearsal.setup_reader import Setup, merged, read_moves, read_setup
from connect_sandbox.rehearsal.steps import How

_RENAMED = {"given": "setup"}
"""Former keys of scenario files, with their current names."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must happen in a scenario; anything is allowed for what is left out.

    An attribute of None must not exist.
    """

    hears: tuple[str, ...] = ()
    does_not_hear: tuple[str, ...] = ()
    agent_hears: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    does_not_reach: tuple[str, ...] = ()
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    invokes: Mapping[str, int | None] = field(default_factory=dict)
    meets_agent: bool | None = None
    ends: str | None = None
    queued: str | None = None
    customer_profiles: tuple[Mapping[str, str], ...] = ()
    cases: tuple[Mapping[str, str], ...] = ()
    related_attributes: Mapping[str, str] = field(default_factory=dict)

    def of(self, contact: Contact) -> None:
        """Raise AssertionError, with the transcript, if the contact went differently."""
        contact.hears(*self.hears).does_not_hear(*self.does_not_hear)
        contact.agent_hears(*self.agent_hears).reaches(*self.reaches).does_not_reach(*self.does_not_reach)
        contact.has_attributes(
            **{name: value for name, value in self.attributes.items() if value is not None}
        )
        contact.lacks_attributes(*(name for name, value in self.attributes.items() if value is None))
        contact.has_related_attributes(**self.related_attributes)
        for profile in self.customer_profiles:
            contact.has_customer_profile(profile)
        for case in self.cases:
            contact.has_case(case)
        for function, times in self.invokes.items():
            contact.invokes(function, times=times)
        if self.meets_agent is not None:
            contact.meets_agent(self.meets_agent)
        if self.queued is not None:
            contact.ends(queued=self.queued)
        for how in get_args(How):
            if how == self.ends:
                contact.ends(how)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One rehearsal of a flow."""

    name: str
    setup: Setup
    caller: tuple[Move, ...] = ()
    expect: Expected = field(default_factory=Expected)

    def contact(self, flow: PublishedFlow) -> Contact:
        """Play it; RehearsalError if that cannot be done."""
        return self.setup.calls(flow, self.caller)

    def check(self, contact: Contact) -> None:
        """Raise AssertionError, with the transcript, if the contact did not go as expected or moves were left over."""
        self.expect.of(contact)
        left = contact.moves_left
        if left:
            raise AssertionError(
                f"nobody asked the caller for {left[0]!r} (of {len(left)} moves left)\n\n{contact.transcript}"
            )


@dataclass(frozen=True, kw_only=True)
class ScenarioFile:
    """The scenarios of one file. `flows`: the files of flows and modules that its setup names for all of them."""

    path: Path
    scenarios: tuple[Scenario, ...]
    flows: tuple[Path, ...] = ()

    @classmethod
    def load(cls, path: Path) -> ScenarioFile:
        """Read a file; ScenarioError naming every problem with its path, value and fix."""
        document = _yaml(path)
        problems: list[str] = []
        reader = Reader(document, "", problems)
        shared: object = None
        if isinstance(document, Mapping) and "scenarios" in document:
            of = reader.keys("setup", "scenarios", renamed=_RENAMED)
            shared = document.get("setup")
            items = list(of["scenarios"].items()) if isinstance(document["scenarios"], list) else []
            if not items:
                of["scenarios"].wrong("it must be a list of scenarios", "write - name: …")
            found = [_scenario(item, shared, path, f"{path.stem} {i + 1}") for i, item in enumerate(items)]
        else:
            found = [_scenario(reader, None, path, path.stem)]
        names = [scenario.name for scenario in found]
        problems += [
            f"two scenarios have the name {name!r}. Fix: rename one."
            for name in {n for n in names if names.count(n) > 1}
        ]
        checked(list(dict.fromkeys(problems)), str(path))
        named = read_setup(Reader(shared or {}, "setup", []), path.parent).files()
        return cls(path=path, scenarios=tuple(found), flows=tuple(named))

    def flow(self, scenario: Scenario, path: Path) -> PublishedFlow:
        """Return the flow of a file with the scenario's values."""
        return read_flow(path, scenario.setup.values)

    def check_names(self, path: Path, *, besides: Collection[str] = ()) -> None:
        """Raise ScenarioError for values and blocks that no flow of this file's scenarios has: probably misspelt.

        Values named in `besides` may be for other flows.
        """
        problems = []
        files = {path, *self.flows, *(file for one in self.scenarios for file in one.setup.files())}
        known_values = frozenset[str]().union(*(placeholders_of(file) for file in files))
        blocks: set[str] = set()
        for scenario in self.scenarios:
            for file in {path, *scenario.setup.files()}:
                blocks |= {b.identifier for b in read_flow(file, scenario.setup.values).content.blocks}
        for scenario in self.scenarios:
            unused = sorted(set(scenario.setup.values) - known_values - set(besides))
            problems += [
                f"setup.values.{name}: no flow has the placeholder ${{{name}}}. Fix: remove it."
                for name in unused
            ]
            told = scenario.setup.conditions.outcomes
            reached = (*scenario.expect.reaches, *scenario.expect.does_not_reach)
            problems += [
                f"setup.blocks.{name}: no flow has such a block. Fix: use a block's identifier."
                for name in told
                if not any(name == block or fnmatchcase(block, name) for block in blocks)
            ]
            problems += [
                f"expect: {name!r} is no block of the flows of {scenario.name!r}. Fix: use a block's identifier."
                for name in reached
                if name not in blocks
            ]
        checked(list(dict.fromkeys(problems)), str(self.path))


def _scenario(reader: Reader, shared: object, path: Path, default_name: str) -> Scenario:
    of = reader.keys("name", "setup", "caller", "expect", renamed=_RENAMED)
    setup = merged(shared, of["setup"].value if "setup" in of else None) or {}
    setup_path = f"{reader.path}.setup" if reader.path else "setup"
    scenario = Scenario(
        name=of["name"].text() if "name" in of else default_name,
        setup=read_setup(Reader(setup, setup_path, reader.problems), path.parent),
        caller=read_moves(of["caller"]) if "caller" in of else (),
        expect=_expected(of["expect"]) if "expect" in of else Expected(),
    )
    if isinstance(reader.value, Mapping) and "expect" not in of:
        reader.wrong("it expects nothing", "say under expect what must happen")
    return scenario


def _expected(reader: Reader) -> Expected:
    lists = ("hears", "does_not_hear", "agent_hears", "reaches", "does_not_reach")
    records = ("customer_profiles", "cases")
    of = reader.keys(*lists, "attributes", "related_attributes", *records, "invokes", "meets_agent", "ends")
    told: dict[str, Any] = {key: of[key].texts() for key in lists if key in of}
    if "attributes" in of:
        told["attributes"] = of["attributes"].map_of(lambda e: None if e.value is None else e.text())
    if "related_attributes" in of:
        told["related_attributes"] = of["related_attributes"].text_map()
    told |= {key: tuple(item.text_map() for item in of[key].items()) for key in records if key in of}
    if "invokes" in of:
        told["invokes"] = _invoked(of["invokes"])
    if "meets_agent" in of:
        told["meets_agent"] = of["meets_agent"].flag()
    if "ends" in of and isinstance(of["ends"].value, Mapping):
        where = of["ends"].keys("queued")
        told["queued"] = where["queued"].text() if "queued" in where else None
    elif "ends" in of:
        told["ends"] = of["ends"].one_of(*get_args(How))
    return Expected(**told)


def _invoked(reader: Reader) -> dict[str, int | None]:
    if isinstance(reader.value, Mapping):
        return {name: entry.whole(1, 1000) for name, entry in reader.entries()}
    return dict.fromkeys(reader.texts())


def _yaml(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ScenarioError(f"{path} cannot be read: {problem}") from problem
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader)
    except (yaml.YAMLError, RecursionError) as problem:
        raise ScenarioError(f"{path} is not YAML: {problem}") from problem


class _Loader(yaml.SafeLoader):
    """Rejects duplicate keys, of which YAML libraries silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int | float | bool) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            if isinstance(key, str | int | float | bool):
                seen.add(key)
        return super().construct_mapping(node, deep)
