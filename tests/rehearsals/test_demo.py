"""The demo as a command: what it prints, reports and returns, above all when something goes wrong."""

import io
import json
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rehearsals.__main__ import main
from rehearsals.demo import Options, play_all, run
from rehearsals.report import write_report
from rehearsals.scenarios import SCENARIOS, Deployment, Rehearsal, Result, Scenario, play
from rehearsals.terminal import Terminal


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def deployment() -> Deployment:
    """What `play` touches of a deployment when a scenario fails before it has used anything."""
    return cast("Deployment", SimpleNamespace(sandbox=None))


def test_a_deploy_that_fails_is_told_and_reported_for_every_scenario(tmp_path: Path) -> None:
    printed = io.StringIO()
    assert run(Options(project=tmp_path), Terminal(printed)) == 1
    report = json.loads((tmp_path / "build/demo/report.json").read_text())
    assert list(report) == ["scenarios"]
    assert [s["name"] for s in report["scenarios"]] == list(SCENARIOS)
    for scenario in report["scenarios"]:
        assert set(scenario) == {"name", "outcome", "seconds", "transcript"}
        assert scenario["outcome"] == "failed"
        assert "there is no cdk.json" in scenario["transcript"][-1]["text"]
    assert "there is no cdk.json in" in printed.getvalue()
    assert f"0 of {len(SCENARIOS)} scenarios passed" in printed.getvalue()


def test_only_the_chosen_scenarios_are_reported(tmp_path: Path) -> None:
    report = tmp_path / "elsewhere.json"
    options = Options(project=tmp_path, only=["voice/no-metadata"], report=report)
    assert run(options, Terminal(io.StringIO())) == 1
    assert [s["name"] for s in json.loads(report.read_text())["scenarios"]] == ["voice/no-metadata"]


def test_an_unknown_scenario_is_a_usage_error_that_lists_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--only", "voice/nonsense"])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert "there is no scenario 'voice/nonsense'" in told
    assert "voice/metadata-returns" in told


def test_scenarios_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(SCENARIOS)
    assert sum(listed.count(f"{path}/") for path in ("voice", "chat", "biometrics")) == len(SCENARIOS)


@pytest.mark.parametrize("error", [AssertionError("the caller heard nothing\n\n  transcript"), KeyError("x")])
def test_a_failed_scenario_says_why_in_its_transcript(
    deployment: Deployment, error: Exception, tmp_path: Path
) -> None:
    def scenario(rehearsal: Rehearsal) -> None:
        rehearsal.note("so far so good")
        raise error

    result = play(Scenario("a/b", "shows", scenario), deployment)
    assert result.outcome == "failed"
    write_report(tmp_path / "report.json", [result])
    [reported] = json.loads((tmp_path / "report.json").read_text())["scenarios"]
    texts = [entry["text"] for entry in reported["transcript"]]
    assert texts[0] == "so far so good"
    assert texts[1] in ("failed: the caller heard nothing", "failed: KeyError: 'x'")

    printed = io.StringIO()
    Terminal(printed).played(Scenario("a/b", "shows what happens", scenario), result)
    assert "a/b  shows what happens" in printed.getvalue()
    assert "failed" in printed.getvalue()
    assert "so far so good" in printed.getvalue()


def test_paths_play_side_by_side_and_are_shown_one_after_another(deployment: Deployment) -> None:
    both = threading.Barrier(2)

    def meets(_: Rehearsal) -> None:
        both.wait(timeout=10)

    def meets_late(_: Rehearsal) -> None:
        both.wait(timeout=10)
        time.sleep(0.1)

    # Were they played in turn, the first would wait for the second in vain.
    chosen = [
        Scenario("a/1", "", meets_late),
        Scenario("b/1", "", meets),
        Scenario("a/2", "", lambda _: None),
    ]
    printed, results = io.StringIO(), list[Result]()
    play_all(chosen, deployment, results, Terminal(printed))
    assert {result.name: result.outcome for result in results} == dict.fromkeys(
        ["a/1", "b/1", "a/2"], "passed"
    )
    shown = [line.split()[0] for line in printed.getvalue().splitlines() if "/" in line]
    assert shown == ["a/1", "a/2", "b/1"]


def test_what_breaks_the_showing_is_raised(deployment: Deployment) -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(ValueError, match="closed file"):
        play_all([Scenario("a/1", "", lambda _: None)], deployment, [], Terminal(closed))


def test_a_passed_scenario_passes(deployment: Deployment) -> None:
    result = play(Scenario("a/b", "shows", lambda rehearsal: rehearsal.note("done")), deployment)
    assert (result.outcome, result.failure) == ("passed", "")


@pytest.mark.parametrize(
    ("environment", "stream", "coloured"),
    [
        ({"TERM": "xterm"}, FakeTerminal, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, FakeTerminal, False),
        ({"TERM": "dumb"}, FakeTerminal, False),
        ({"TERM": "xterm"}, io.StringIO, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], stream: Any, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    printed = stream()
    Terminal(printed).step("cdk bootstrap", 1.5)
    assert ("\033[" in printed.getvalue()) is coloured
    assert "1.5 s  cdk bootstrap" in printed.getvalue()
