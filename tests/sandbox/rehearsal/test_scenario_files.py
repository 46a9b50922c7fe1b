"""Scenario files are read strictly: each problem names the path, the value and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, RehearsalError
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.reading import ScenarioError
from connect_sandbox.rehearsal.scenario import ScenarioFile
from hypothesis import given as fuzz
from hypothesis import strategies as st

from tests.support.rehearsal import FUNCTION, block, hang_up, say

ASK = block(
    "ask",
    "InvokeLambdaFunction",
    "tell",
    errors={"NoMatchingError": "sorry"},
    LambdaFunctionARN=FUNCTION,
    InvocationTimeLimitSeconds="3",
    ResponseValidation={"ResponseType": "JSON"},
)
FLOW = [ASK, say("tell", "Hello $.External.name.", "bye"), say("sorry", "Sorry.", "bye"), hang_up()]


def write(folder: Path, scenario: str, *blocks: dict[str, Any]) -> tuple[ScenarioFile, Path]:
    flow = folder / "main.json"
    actions = list(blocks or FLOW)
    content = {"Version": "2019-10-30", "StartAction": actions[0]["Identifier"], "Actions": actions}
    flow.write_text(json.dumps(content))
    path = folder / "main.yaml"
    path.write_text(dedent(scenario))
    return ScenarioFile.load(path), flow


def play(folder: Path, scenario: str, *blocks: dict[str, Any]) -> Contact:
    file, flow = write(folder, scenario, *blocks)
    [only] = file.scenarios
    file.check_names(flow)
    contact = only.contact(file.flow(only, flow))
    only.check(contact)
    return contact


@pytest.mark.parametrize(
    ("lookup", "heard"),
    [
        ("{answers: {name: Ada}}", "Hello Ada."),
        ("{answers: {name: Ada}, seconds: 2.9}", "Hello Ada."),
        ("{answers: {name: Ada}, seconds: 3.1}", "Sorry."),
        ("{times_out: true}", "Sorry."),
        ("{raises: 'KeyError: x'}", "Sorry."),
        ("{denied: true}", "Sorry."),
        ("[{throttled: true}, {unavailable: '503'}, {answers: {name: Ada}}]", "Hello Ada."),
        ("{throttled: true}", "Sorry."),
        ("{handler: 'tests.support.rehearsal:greets'}", "Hello VOICE."),
        ("{handler: 'tests.support.rehearsal:breaks'}", "Sorry."),
        ("{handler: 'tests.support.rehearsal:returns_no_json'}", "Sorry."),
    ],
)
def test_a_function_does_what_the_scenario_says(tmp_path: Path, lookup: str, heard: str) -> None:
    play(
        tmp_path,
        f"{{setup: {{lambdas: {{lookup: {lookup}}}}}, expect: {{hears: {heard}, ends: disconnected}}}}",
    )


def test_a_function_that_the_scenario_does_not_know_stops_the_contact(tmp_path: Path) -> None:
    with pytest.raises(
        CannotPlayError,
        match=r"cannot play ask \(InvokeLambdaFunction\): .*what the function 'lookup' answers: .*\(set up: other",
    ):
        play(tmp_path, "{setup: {lambdas: {other: {answers: {}}}}, expect: {ends: disconnected}}")


def test_scenarios_of_a_file_share_what_is_given_and_override_it_by_name(tmp_path: Path) -> None:
    file, flow = write(
        tmp_path,
        """
        setup:
          attributes: {kept: a, changed: a}
          lambdas: {lookup: {answers: {name: Ada}}}
        scenarios:
          - name: as given
            expect: {hears: Hello Ada., attributes: {kept: a, changed: a}}
          - name: changed
            setup:
              attributes: {changed: b}
              lambdas: {lookup: {answers: {name: Bea}}}
            expect: {hears: Hello Bea., attributes: {kept: a, changed: b, other: null}, invokes: {lookup: 1}}
        """,
    )
    for scenario in file.scenarios:
        scenario.check(scenario.contact(file.flow(scenario, flow)))


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        ("setup: {}", "the scenario is .*it expects nothing. Fix: say under expect"),
        ("{expect: {}, setpu: 1}", r"setpu is not known \(its value is 1\). Fix: write setup"),
        ("{expect: {heers: x}}", r"expect.heers is not known \(its value is 'x'\). Fix: write hears"),
        ("{given: {}, expect: {}}", r"given is now called setup. Fix: write setup: for given:"),
        ("{given: {}, scenarios: [{expect: {}}]}", r"given is now called setup. Fix: write setup: for given:"),
        ("{scenarios: [{given: {}, expect: {}}]}", r"scenarios\[0\].given is now called setup. Fix: write setup: for"),
        ("{setup: {bounds: {blocks: 0}}, expect: {}}", r"setup.bounds.blocks is 0: .* from 1 to"),
        ("{setup: {bounds: {seconds: .nan}}, expect: {}}", r"setup.bounds.seconds is nan: .* from 1 to"),
        ("{setup: {bounds: {rounds: 5}}, expect: {}}", r"setup.bounds.rounds is not known"),
        ("{setup: {atributes: {}}, expect: {}}", r"setup.atributes is not known .* Fix: write attributes"),
        ("{setup: {attributes: {n: 5}}, expect: {}}", r"n is 5: it must be text. Fix: put it in quotes: '5'"),
        ("{setup: {hours: {h: shut}}, expect: {}}", r"setup.hours.h is 'shut': .* Fix: write one of open, closed"),
        ("{setup: {queues: {q: {full: true}}}, expect: {}}", r"setup.queues.q.full is not known"),
        ("{setup: {queues: {q: {at_capacity: 'yes'}}}, expect: {}}", r"q.at_capacity is 'yes': .*write true or false"),
        ("{setup: {lambdas: {f: {name: Ada}}}, expect: {}}", r"lambdas.f\[0\] .*none of them. Fix: give one of an"),
        ("{setup: {lambdas: {f: {handler: nowhere}}}, expect: {}}", r"handler is 'nowhere': .*package.module:function"),
        ("{setup: {lambdas: {f: {handler: 'no_such_module:f'}}}, expect: {}}", r"No module named 'no_such_module'"),
        ("{setup: {lambdas: {f: []}}, expect: {}}", r"setup.lambdas.f is \[\]: it is empty"),
        ("{setup: {vendor: busy}, expect: {}}", r"setup.vendor\[0\] is 'busy': .*never answers"),
        ("{setup: {channel: FAX}, expect: {}}", r"setup.channel is 'FAX': .*VOICE, CHAT"),
        ("{setup: {percentages: [0]}, expect: {}}", r"setup.percentages\[0\] is 0: .* from 1 to 100"),
        ("{setup: {agent: {answers_after: -1}}, expect: {}}", r"answers_after is -1: .* from 0 to"),
        ("{setup: {blocks: {b: {fails: X, decides: y}}}, expect: {}}", r"setup.blocks.b .*Fix: keep fails alone"),
        ("{setup: {flows: {f: {type: CONTACT_FLOW}}}, expect: {}}", r"setup.flows.f .*it names no file"),
        ("{caller: [shouts], expect: {}}", r"caller\[0\] is 'shouts': .*stays silent, hangs up"),
        ("{caller: [{presses: one}], expect: {}}", r"caller\[0\].presses is 'one': these are not keys"),
        ("{caller: [{presses: 1}], expect: {}}", r"caller\[0\].presses is 1: it must be text. Fix: put it in quotes"),
        ("{caller: [{says: a, presses: '1'}], expect: {}}", r"it has says and presses"),
        ("{expect: {ends: well}}", r"expect.ends is 'well': .*queued, disconnected"),
        ("{expect: {ends: {in: q}}}", r"expect.ends.in is not known"),
        ("{expect: {invokes: {f: 0}}}", r"expect.invokes.f is 0: .*whole number from 1"),
        ("{scenarios: []}", r"scenarios is \[\]: it must be a list"),
        ("{scenarios: [{name: a, expect: {}}, {name: a, expect: {}}]}", r"two scenarios have the name 'a'"),
        ("[]", r"the scenario is \[\]: it must be an object"),
        ("{expect: {}, expect: {}}", r"the key 'expect' is there twice"),
        ("{a: [}", "is not YAML"),
    ],
)  # fmt: skip
def test_what_is_not_well_written_is_named_with_path_value_and_fix(
    tmp_path: Path, scenario: str, problem: str
) -> None:
    with pytest.raises(ScenarioError, match=problem) as refused:
        write(tmp_path, scenario)
    assert str(tmp_path / "main.yaml") in str(refused.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        write(tmp_path, "{setup: {hours: {h: x}, channel: FAX}, caller: [{presses: x}], expect: {ends: y}}")
    assert len(str(refused.value).splitlines()) == 4


NO_SUCH = "{answers: {name: Ada}}"


@pytest.mark.parametrize(
    ("scenario", "problem"),
    [
        (
            "{setup: {values: {Qeue: x}}, expect: {}}",
            r"setup.values.Qeue: no flow has the placeholder \$\{Qeue\}",
        ),
        (
            "{setup: {blocks: {aks: {fails: NoMatchingError}}}, expect: {}}",
            "setup.blocks.aks: no flow has such a block",
        ),
        ("{expect: {reaches: [tel]}}", "'tel' is no block of the flows"),
        ("{expect: {does_not_reach: [sory]}}", "'sory' is no block of the flows"),
    ],
)
def test_names_that_no_flow_has_are_refused(tmp_path: Path, scenario: str, problem: str) -> None:
    file, flow = write(tmp_path, scenario)
    with pytest.raises(ScenarioError, match=problem):
        file.check_names(flow)


def test_placeholders_without_a_value_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match="no value for the placeholders A, B: give them in values"):
        play(tmp_path, "{expect: {}}", say("hello", "${A} ${B}", "bye"), hang_up())


def test_flows_and_modules_are_files_beside_the_scenario_and_null_does_not_exist(tmp_path: Path) -> None:
    go = block("go", "TransferToFlow", "sorry", errors={"NoMatchingError": "sorry"}, ContactFlowId="arn/next")
    blocks = [go, say("sorry", "Sorry.", "bye"), hang_up()]
    there = {
        "Version": "2019-10-30",
        "StartAction": "hello",
        "Actions": [say("hello", "Next.", "bye"), hang_up()],
    }
    (tmp_path / "next.json").write_text(json.dumps(there))
    play(tmp_path, "{setup: {flows: {next: next.json}}, expect: {hears: Next.}}", *blocks)
    play(tmp_path, "{setup: {flows: {next: null}}, expect: {hears: Sorry.}}", *blocks)
    with pytest.raises(
        CannotPlayError, match=r"cannot play go .*which file the flow 'arn/next' is: set it up in flows"
    ):
        play(tmp_path, "{expect: {}}", *blocks)
    with pytest.raises(RehearsalError, match=r"gone.json cannot be read"):
        play(tmp_path, "{setup: {flows: {next: gone.json}}, expect: {}}", *blocks)


MENU = block(
    "menu",
    "GetParticipantInput",
    "bye",
    errors={"InputTimeLimitExceeded": "bye", "NoMatchingCondition": "bye", "NoMatchingError": "bye"},
    when=[("Equals", "1", "sales")],
    Text="Press 1.",
    StoreInput="False",
    InputTimeLimitSeconds="5",
)


def test_the_caller_makes_the_moves_of_the_scenario(tmp_path: Path) -> None:
    blocks = [MENU, say("sales", "Sales.", "bye"), hang_up()]
    play(tmp_path, "{caller: [{presses: '1'}], expect: {hears: [Press 1., Sales.]}}", *blocks)
    play(tmp_path, "{caller: [stays silent], expect: {does_not_hear: Sales.}}", *blocks)
    play(tmp_path, "{caller: [hangs up], expect: {ends: caller hung up}}", *blocks)
    play(tmp_path, "{caller: [{hangs_up_on: Press}], expect: {ends: caller hung up}}", *blocks)
    with pytest.raises(AssertionError, match=r"nobody asked the caller for Says\(text='Hello'\)"):
        play(tmp_path, "{caller: [{presses: '1'}, {says: Hello}], expect: {hears: Sales.}}", *blocks)


def test_an_expectation_that_fails_shows_the_transcript(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"(?s)should have heard “Hi”.*lookup answers .*“Hello Ada.”"):
        play(tmp_path, f"{{setup: {{lambdas: {{lookup: {NO_SUCH}}}}}, expect: {{hears: Hi}}}}")


KEYS = "setup given caller expect scenarios lambdas queues vendor hears name answers ends blocks agent bot lex flows"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS.split()) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@fuzz(json_values)
def test_whatever_a_file_holds_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_text(json.dumps(value))
    try:
        told = ""
        ScenarioFile.load(path)
    except ScenarioError as refused:
        told = str(refused)
    assert not told or "Fix:" in told or "no YAML" in told
