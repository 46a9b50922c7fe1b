"""Every flow that we ship has scenarios that go as expected and take every branch."""

from __future__ import annotations

from pathlib import Path

import pytest
from connect_sandbox.rehearsal.cli import coverage_of, play
from connect_sandbox.rehearsal.scenario import ScenarioFile

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = Path(__file__).parent / "scenarios"
FLOWS = [*sorted((ROOT / "flows").glob("*.json")), *sorted((ROOT / "examples").glob("*/flows/*.json"))]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_scenarios_go_as_expected_and_take_every_branch(flow: Path) -> None:
    file = ScenarioFile.load(SCENARIOS / f"{flow.stem}.yaml")
    file.check_names(flow)
    played = list(play([file], flow))

    problems = [f"{one.scenario.name}: {one.problem}" for one in played if one.problem]
    assert not problems, "\n\n".join(problems)
    coverage = coverage_of(played, file, flow)
    assert [str(branch) for branch in coverage.missing()] == []
    assert coverage.percent() == 100


def test_each_scenario_file_is_for_a_flow() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.yaml")} == {flow.stem for flow in FLOWS}
