"""A scenario that can be said as a test case goes the same way on both runners: here, and where test cases play."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.flow_files import read_flow
from connect_sandbox.rehearsal.scenario import Expected, Scenario
from connect_sandbox.testcase import cli
from connect_sandbox.testcase.check import play_test_case
from connect_sandbox.testcase.convert import convert
from connect_sandbox.testcase.converted import Converted
from connect_sandbox.testcase.document import Document
from connect_sandbox.testcase.journal import Journal

from tests.support.two_runners import FLOWS, PAGE, SCENARIOS, Both, all_of_them, by_flow, page

SAYABLE = [each for each in all_of_them() if each.converted.test_case is not None]


def name(both: Both) -> str:
    return f"{both.flow.stem}: {both.converted.scenario.name}"


def test_there_are_enough_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(all_of_them()) > 100
    assert len(SAYABLE) > 25
    with capsys.disabled():
        print(f"\n{by_flow()}")


def test_the_page_says_the_same() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make testcases"


def test_the_page_shows_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (flow,) = (each for each in FLOWS if each.stem == "weekday_line")
    shutil.copy(flow, tmp_path)
    shutil.copy(SCENARIOS / "weekday_line.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = PAGE.read_text(encoding="utf-8").split("```")[1].strip().split("\n$ ")
    command, *lines = shown[0].splitlines()
    assert cli.main(command.split()[3:]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line != "…" and line not in printed] == []


@pytest.mark.parametrize("both", all_of_them(), ids=name)
def test_a_scenario_goes_as_expected_here_and_as_a_test_case(both: Both) -> None:
    converted = both.converted
    assert converted.problem is None
    assert {each.mark for each in converted.statements} <= {"said", "approximate", "cannot"}
    assert all(each.why for each in converted.statements if each.mark != "said")
    if converted.test_case is None:
        assert converted.verdict == "cannot"
        assert any(each.mark == "cannot" for each in converted.statements)
        return
    result = play_test_case(converted.test_case, converted.scenario, both.flow)
    assert (result.status, result.problem) == ("PASSED", "")


@pytest.mark.parametrize("both", SAYABLE, ids=name)
def test_what_is_made_ends_its_test_and_needs_known_values_only(both: Both) -> None:
    test_case = both.converted.test_case
    assert test_case is not None
    written = {"FlowArn", "OpenHoursArn", "ClosedHoursArn", *both.converted.scenario.setup.values}
    assert test_case.placeholders <= written
    document = Document.parse(json.dumps(test_case.content), test_case.entry_point["Type"])
    last = document.observations[-1]
    assert last.actions[-1].parameters["Command"] == {"Type": "EndTest"}
    assert len(document.open_at_start) == 1


# --- what is wrong is wrong on both


def wrong_expectations(both: Both) -> Iterator[tuple[str, Expected]]:
    """Yield what the scenario expects, each time with one thing wrong that its test case says."""
    expect = both.converted.scenario.expect
    said = {each.what for each in both.converted.statements if each.mark != "cannot"}
    for text in expect.hears:
        if f"expect.hears {text!r}" in said:
            hears = tuple("Nobody ever says this." if each == text else each for each in expect.hears)
            yield f"hears {text}", replace(expect, hears=hears)
    for attribute, value in expect.attributes.items():
        if f"expect.attributes {attribute}" in said:
            yield attribute, replace(expect, attributes={**expect.attributes, attribute: f"not {value}"})
    if expect.queued is not None and f"expect.ends queued: {expect.queued}" in said:
        yield "queued", replace(expect, queued="another queue")
    if expect.ends is not None and f"expect.ends {expect.ends}" in said:
        yield "ends", replace(expect, ends="transferred to agent")


WRONG = [
    pytest.param(both, expect, id=f"{name(both)}: {what}")
    for both in SAYABLE
    for what, expect in wrong_expectations(both)
]


@pytest.mark.parametrize(("both", "expect"), WRONG)
def test_a_wrong_expectation_fails_on_both(both: Both, expect: Expected) -> None:
    wrong = convert(replace(both.converted.scenario, expect=expect), both.flow)
    assert wrong.problem is not None
    assert wrong.test_case is not None
    assert play_test_case(wrong.test_case, wrong.scenario, both.flow).status == "FAILED"


def other_words(block: dict[str, Any]) -> None:
    if block["Type"] == "MessageParticipant" and "Text" in block["Parameters"]:
        block["Parameters"]["Text"] = "Sunshine"


def other_attributes(block: dict[str, Any]) -> None:
    if block["Type"] == "UpdateContactAttributes":
        block["Parameters"]["Attributes"] = {"somethingElse": "1"}


def no_queue(block: dict[str, Any]) -> None:
    if block["Type"] == "TransferContactToQueue":
        block.update(Type="DisconnectParticipant", Parameters={}, Transitions={})


def straight_to_the_error(block: dict[str, Any]) -> None:
    if block["Type"] == "InvokeLambdaFunction":
        errors = block["Transitions"]["Errors"]
        block["Transitions"]["NextAction"] = errors[0]["NextAction"]


MUTATIONS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    mutate.__name__: mutate for mutate in (other_words, other_attributes, no_queue, straight_to_the_error)
}


def goes_locally(scenario: Scenario, flow: Path) -> bool:
    try:
        return Journal.of(scenario, read_flow(flow, scenario.setup.values)).problem is None
    except RehearsalError:
        return False


def goes_as_test_case(converted: Converted, flow: Path) -> bool:
    assert converted.test_case is not None
    return play_test_case(converted.test_case, converted.scenario, flow).status == "PASSED"


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_a_flow_that_does_something_else_goes_the_same_way_on_both(
    flow: Path, mutation: str, tmp_path: Path
) -> None:
    document = json.loads(flow.read_text(encoding="utf-8"))
    for block in document["Actions"]:
        MUTATIONS[mutation](block)
    mutated = tmp_path / flow.name
    mutated.write_text(json.dumps(document), encoding="utf-8")
    for both in SAYABLE:
        if both.flow != flow:
            continue
        locally = goes_locally(both.converted.scenario, mutated)
        as_test_case = goes_as_test_case(both.converted, mutated)
        if both.converted.verdict == "in part":  # the test case expects less
            assert as_test_case or not locally, both.converted.scenario.name
        else:
            assert as_test_case == locally, both.converted.scenario.name


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation_is_noticed_somewhere(mutation: str, tmp_path: Path) -> None:
    noticed = 0
    for flow in FLOWS:
        document = json.loads(flow.read_text(encoding="utf-8"))
        for block in document["Actions"]:
            MUTATIONS[mutation](block)
        mutated = tmp_path / flow.name
        mutated.write_text(json.dumps(document), encoding="utf-8")
        noticed += sum(
            not goes_as_test_case(both.converted, mutated) for both in SAYABLE if both.flow == flow
        )
    assert noticed > 2
