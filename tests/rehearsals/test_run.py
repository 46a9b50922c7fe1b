"""`make demo` and `make rehearse`: what they choose, print, report and return, above all when something goes wrong."""

import io
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from connect_sandbox.runs import Recorder, Run

from rehearsals.__main__ import main
from rehearsals.report import write_report
from rehearsals.run import Command, Options, play_all, run
from rehearsals.scenarios import SCENARIOS, Deployment, Rehearsal, Result, Scenario, play, scenario
from rehearsals.terminal import Terminal


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def deployment() -> Deployment:
    """What `play` touches of a deployment when a scenario fails before it has used anything."""
    return cast("Deployment", SimpleNamespace(sandbox=SimpleNamespace(run=Recorder())))


def paths(names: Iterable[str]) -> set[str]:
    return {name.split("/")[0] for name in names}


def test_the_demo_is_a_selection_of_every_path() -> None:
    selection = [name for name, scenario in SCENARIOS.items() if scenario.demo]
    assert [scenario.name for scenario in Options(Path(), "demo").chosen()] == selection
    assert paths(selection) == {"voice", "chat", "biometrics", "instance"}
    assert 9 <= len(selection) <= 12


def test_each_path_of_the_demo_shows_a_success_and_failures() -> None:
    successes = {"voice/metadata-returns", "chat/bot-converses", "biometrics/enrol-then-verify"}
    selection = {scenario.name for scenario in Options(Path(), "demo").chosen()}
    assert successes <= selection
    assert paths(selection - successes) == {*paths(successes), "instance"}


def test_rehearse_plays_every_scenario() -> None:
    assert [scenario.name for scenario in Options(Path(), "rehearse").chosen()] == list(SCENARIOS)


def test_a_scenario_that_plays_on_no_part_is_refused() -> None:
    with pytest.raises(
        ValueError, match="scenario mail/arrives plays on 'mail'; give it a part: voice, chat"
    ):
        scenario("mail/arrives")(lambda _: None)
    assert "mail/arrives" not in SCENARIOS


@pytest.mark.parametrize("command", ["demo", "rehearse"])
def test_a_deploy_that_fails_is_told_and_reported_for_every_scenario(
    command: Command, tmp_path: Path
) -> None:
    printed = io.StringIO()
    options = Options(tmp_path, command)
    assert run(options, Terminal(printed)) == 1
    report = json.loads((tmp_path / "build" / command / "report.json").read_text())
    assert list(report) == ["scenarios"]
    assert [s["name"] for s in report["scenarios"]] == [scenario.name for scenario in options.chosen()]
    for reported in report["scenarios"]:
        assert set(reported) == {"name", "outcome", "seconds", "transcript"}
        assert reported["outcome"] == "failed"
        assert "there is no cdk.json" in reported["transcript"][-1]["text"]
    assert "there is no cdk.json in" in printed.getvalue()
    assert f"0 of {len(report['scenarios'])} scenarios passed" in printed.getvalue()
    page = tmp_path / "build" / command / "report.html"
    assert f"report: {page} (open it in a browser)" in printed.getvalue()
    assert f"<title>make {command}</title>" in page.read_text(encoding="utf-8")
    told = Run.load(tmp_path / "build" / command / "run.jsonl")
    assert [scenario.name for scenario in told.failed_scenarios] == [
        one["name"] for one in report["scenarios"]
    ]
    assert told.began is not None
    assert told.began.what.title == f"make {command}"


def test_only_the_chosen_scenarios_are_reported(tmp_path: Path) -> None:
    report = tmp_path / "elsewhere.json"
    options = Options(tmp_path, only=["voice/no-metadata"], report=report)
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


@pytest.mark.parametrize("command", ["demo", "rehearse"])
def test_scenarios_can_be_listed(capsys: pytest.CaptureFixture[str], command: Command) -> None:
    assert main([command, "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [scenario.name for scenario in Options(Path(), command).chosen()]


@pytest.mark.parametrize("error", [AssertionError("the caller heard nothing\n\n  transcript"), KeyError("x")])
def test_a_failed_scenario_says_why_in_its_transcript(
    deployment: Deployment, error: Exception, tmp_path: Path
) -> None:
    def scenario(rehearsal: Rehearsal) -> None:
        rehearsal.note("so far so good")
        raise error

    result = play(Scenario("a/b", "shows", scenario), deployment)
    assert result.outcome == "failed"
    write_report(tmp_path / "report.json", Run.of(deployment.sandbox.run.events()), ["a/b"])
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
    both, second_ended = threading.Barrier(2), threading.Event()

    def meets(_: Rehearsal) -> None:
        both.wait(timeout=10)

    def meets_late(_: Rehearsal) -> None:
        both.wait(timeout=10)
        assert second_ended.wait(timeout=10)

    # Played in turn, the first would wait for the second until its barrier breaks.
    chosen = [
        Scenario("a/1", "", meets_late),
        Scenario("b/1", "", meets),
        Scenario("b/2", "", lambda _: second_ended.set()),
        Scenario("a/2", "", lambda _: None),
    ]
    printed, results = io.StringIO(), list[Result]()
    play_all(chosen, deployment, results, Terminal(printed))
    assert {result.name: result.outcome for result in results} == dict.fromkeys(
        ["a/1", "b/1", "b/2", "a/2"], "passed"
    )
    shown = [line.split()[0] for line in printed.getvalue().splitlines() if "/" in line]
    assert shown == ["a/1", "a/2", "b/1", "b/2"]


def test_scenarios_that_are_played_alone_wait_for_all_paths(deployment: Deployment) -> None:
    played: list[str] = []

    def late(_: Rehearsal) -> None:
        threading.Event().wait(0.2)
        played.append("a/late")

    chosen = [
        Scenario("b/alone", "", lambda _: played.append("b/alone"), alone=True),
        Scenario("c/alone", "", lambda _: played.append("c/alone"), alone=True),
        Scenario("a/late", "", late),
    ]
    printed, results = io.StringIO(), list[Result]()
    play_all(chosen, deployment, results, Terminal(printed))
    assert played == [result.name for result in results] == ["a/late", "b/alone", "c/alone"]
    shown = [line.split()[0] for line in printed.getvalue().splitlines() if "/" in line]
    assert shown == played


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
