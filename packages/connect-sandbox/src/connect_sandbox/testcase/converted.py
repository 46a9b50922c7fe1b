"""What becomes of a scenario: a test case, and what of the scenario it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connect_flows.template import placeholders, render

from connect_sandbox.rehearsal.scenario import Scenario

Mark = Literal["said", "approximate", "cannot"]
Verdict = Literal["said", "approximate", "in part", "cannot"]
VERDICTS: tuple[Verdict, ...] = ("said", "approximate", "in part", "cannot")
OPEN_HOURS, CLOSED_HOURS = "OpenHoursArn", "ClosedHoursArn"
"""Placeholders of hours of operation that are always open, and never."""
FLOW = "FlowArn"
"""The placeholder of the flow that the test calls."""


@dataclass(frozen=True)
class Statement:
    """Something that the scenario says, and whether the test case says it. `why` is empty if it just does."""

    what: str
    mark: Mark
    why: str = ""

    def __str__(self) -> str:
        return f"{self.mark:<12}{self.what}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class TestCase:
    """A test case as CreateTestCase takes it, before its placeholders are filled in."""

    name: str
    entry_point: Mapping[str, Any]
    content: Mapping[str, Any]
    initialization_data: Mapping[str, Any] | None = None

    __test__ = False

    def as_file(self) -> dict[str, Any]:
        """Return what the file of a test case holds."""
        written: dict[str, Any] = {"Name": self.name, "EntryPoint": dict(self.entry_point)}
        if self.initialization_data is not None:
            written["InitializationData"] = dict(self.initialization_data)
        return {**written, "Content": dict(self.content)}

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the values that it needs."""
        return frozenset(placeholders(self.as_file()))

    def filled(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the file with these values filled in; other placeholders stay."""
        own = {name: values.get(name, f"${{{name}}}") for name in self.placeholders}
        filled: dict[str, Any] = json.loads(render(self.as_file(), own))
        return filled


@dataclass(frozen=True)
class Converted:
    """What became of a scenario. `problem`: why it does not go as expected locally, None if it does."""

    scenario: Scenario
    test_case: TestCase | None
    statements: tuple[Statement, ...]
    problem: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Return how much of the scenario the test case says."""
        if self.test_case is None:
            return "cannot"
        marks = {statement.mark for statement in self.statements}
        if "cannot" in marks:
            return "in part"
        return "approximate" if "approximate" in marks else "said"
