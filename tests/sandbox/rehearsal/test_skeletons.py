"""Scenarios that connect-flows scenarios writes: they play, take every branch that can be taken, and read well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from connect_flows.examples import example_flow
from connect_flows.knowledge import knowledge
from connect_flows.model import ConditionBranch
from connect_sandbox.rehearsal.cli import coverage_of, play
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.rehearsal.skeleton import Skeleton, scenarios_for, search
from connect_sandbox.rehearsal.skeleton.demands import Demand
from connect_sandbox.rehearsal.skeleton.plausible import by_name

from tests.support.rehearsal import INSTANCE, block, hang_up, say

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = [*sorted((ROOT / "flows").glob("*.json")), *sorted((ROOT / "examples").glob("*/flows/*.json"))]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ERROR = {"NoMatchingError": "bye"}
Json = dict[str, Any]


def flow(*blocks: Json, metadata: Json | None = None) -> Json:
    return {
        "Version": "2019-10-30",
        "StartAction": blocks[0]["Identifier"],
        "Metadata": metadata or {},
        "Actions": list(blocks),
    }


def compare(identifier: str, reference: str, when: list[tuple[str, str, str]], otherwise: str) -> Json:
    return block(
        identifier,
        "Compare",
        otherwise,
        errors={"NoMatchingCondition": otherwise},
        when=when,
        ComparisonValue=reference,
    )


def menu(identifier: str, when: Mapping[str, str], otherwise: str) -> Json:
    errors: dict[str, str] = dict.fromkeys(
        ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError"), otherwise
    )
    return block(
        identifier,
        "GetParticipantInput",
        otherwise,
        errors=errors,
        when=[("Equals", key, to) for key, to in when.items()],
        Text="Press a key.",
        StoreInput="False",
        InputTimeLimitSeconds="5",
    )


def sets(identifier: str, then: str, **attributes: str) -> Json:
    return block(
        identifier, "UpdateContactAttributes", then, errors={"NoMatchingError": then}, Attributes=attributes
    )


def function(identifier: str, then: str, name: str = "lookup") -> Json:
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    return block(identifier, "InvokeLambdaFunction", then, errors=ERROR, LambdaFunctionARN=arn)


Making = Callable[..., tuple[Skeleton, Json]]


@pytest.fixture
def making(tmp_path: Path) -> Making:
    """Write scenarios for a flow, play the file, and return the skeleton and what the file says."""

    def make(content: Json, **options: Any) -> tuple[Skeleton, Json]:
        path = tmp_path / "flow.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        made = scenarios_for(path, base=tmp_path, **options)
        return made, plays(made, path, tmp_path / "flow.yaml")

    return make


def plays(made: Skeleton, path: Path, output: Path) -> Json:
    """Play the written file as rehearse does: every scenario goes as expected, and takes what was promised."""
    output.write_text(made.text, encoding="utf-8")
    file = ScenarioFile.load(output)
    file.check_names(path)
    played = list(play([file], path))
    assert [f"{one.scenario.name}: {one.problem}" for one in played if one.problem] == []
    assert tuple(one.scenario.name for one in played) == made.scenarios
    missing = {str(branch) for branch in coverage_of(played, file, path).missing()}
    assert missing == {str(branch) for branch in made.coverage.missing()}
    assert missing == {str(one.branch) for one in made.not_taken}
    said: Json = yaml.safe_load(made.text)
    return said


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_scenarios_of_every_flow_that_we_ship_play_and_take_every_branch(
    path: Path, tmp_path: Path
) -> None:
    made = scenarios_for(path, base=tmp_path)
    plays(made, path, tmp_path / "scenarios.yaml")
    assert (made.coverage.percent(), made.stops) == (100, "")


@pytest.mark.parametrize("kind", sorted(knowledge().actions))
def test_every_block_type_gets_to_an_end_and_takes_what_it_can(kind: str, making: Making) -> None:
    made, said = making(example_flow(kind))
    assert said["scenarios"]
    assert made.stops == ""
    # A Loop without a way back never comes to its last round; a queue flow that dequeues starts again and again.
    assert {str(one) for one in made.not_taken} == set() or kind in {
        "Loop",
        "DequeueContactAndTransferToQueue",
    }


def test_a_console_export_reads_by_the_names_of_the_console(making: Making) -> None:
    queue = f"{INSTANCE}/queue/aaaaaaaa-0000-4000-8000-000000000001"
    hours = f"{INSTANCE}/operating-hours/aaaaaaaa-0000-4000-8000-000000000002"
    other = f"{INSTANCE}/contact-flow/aaaaaaaa-0000-4000-8000-000000000003"
    ids = {
        name: f"bbbbbbbb-0000-4000-8000-{number:012d}"
        for number, name in enumerate(["hours", "menu", "who", "gold", "queue", "join", "flow", "bye"])
    }
    error = {"NoMatchingError": ids["bye"]}
    export = flow(
        block(ids["hours"], "CheckHoursOfOperation", ids["bye"], errors=error, HoursOfOperationId=hours,
              when=[("Equals", "True", ids["menu"]), ("Equals", "False", ids["bye"])]),
        menu(ids["menu"], {"1": ids["who"], "2": ids["flow"]}, ids["bye"]),
        {**function(ids["who"], ids["gold"]), "Transitions": {
            "NextAction": ids["gold"], "Errors": [{"ErrorType": "NoMatchingError", "NextAction": ids["queue"]}],
            "Conditions": []}},
        compare(ids["gold"], "$.External.tier", [("Equals", "gold", ids["queue"])], ids["bye"]),
        block(ids["queue"], "UpdateContactTargetQueue", ids["join"], errors=error, QueueId=queue),
        block(ids["join"], "TransferContactToQueue", ids["bye"], errors={"QueueAtCapacity": ids["bye"], **error}),
        block(ids["flow"], "TransferToFlow", ids["bye"], errors=error, ContactFlowId=other),
        block(ids["bye"], "DisconnectParticipant"),
        metadata={"ActionMetadata": {
            ids["hours"]: {"parameters": {"HoursOfOperationId": {"displayName": "Weekdays"}}},
            ids["queue"]: {"parameters": {"QueueId": {"displayName": "Support"}}},
            ids["flow"]: {"parameters": {"ContactFlowId": {"displayName": "Billing"}}},
        }},
    )  # fmt: skip
    made, said = making(export)
    assert made.coverage.percent() == 100
    assert said["setup"] == {
        "hours": {"Weekdays": "open"},
        "queues": {"Support": {}},
        "flows": {"Billing": "stand-in"},
        "lambdas": {"lookup": [{"answers": {"tier": "gold"}}]},
    }
    by_name = {one["name"]: one for one in said["scenarios"]}
    assert by_name["closed"]["setup"] == {"hours": {"Weekdays": "closed"}}
    assert by_name["presses 1"]["expect"]["ends"] == {"queued": "Support"}
    assert "presses 1, tier is something else" in by_name
    assert any("Support full" in name for name in by_name)
    assert any(re.search(r"\blookup\b.* fail", name) for name in by_name)
    told = [block for one in said["scenarios"] for block in one.get("setup", {}).get("blocks", {})]
    assert not UUID.search("\n".join(by_name))
    assert all(f"{block}: {{fails: NoMatchingError}} # " in made.text for block in told)


def test_an_export_from_before_the_flow_language_plays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    old = {
        "modules": [
            {"id": "a", "type": "PlayPrompt", "branches": [{"condition": "Success", "transition": "b"}],
             "parameters": [{"name": "Text", "value": "Welcome."}, {"name": "TextToSpeechType", "value": "text"}],
             "metadata": {"position": {"x": 0, "y": 0}}},
            {"id": "b", "type": "Disconnect", "branches": [], "parameters": [], "metadata": {}},
        ],
        "version": "1", "type": "contactFlow", "start": "a",
        "metadata": {"entryPointPosition": {"x": 0, "y": 0}, "name": "old", "type": "contactFlow"},
    }  # fmt: skip
    path.write_text(json.dumps(old), encoding="utf-8")
    made = scenarios_for(path, base=tmp_path)
    said = plays(made, path, tmp_path / "old.yaml")
    assert [one["expect"]["ends"] for one in said["scenarios"]] == ["disconnected"] * len(made.scenarios)
    assert "# hears: [Welcome.]" in made.text


def test_expectations_are_comments_unless_they_are_asked_for(making: Making) -> None:
    content = flow(say("greet", "Welcome.", "mark"), sets("mark", "bye", tier="gold"), hang_up())
    made, said = making(content)
    assert [set(one["expect"]) for one in said["scenarios"]] == [{"ends"}] * len(made.scenarios)
    assert "      # hears: [Welcome.]\n      # attributes: {tier: gold}\n" in made.text
    _, asked = making(content, expect=True)
    assert asked["scenarios"][0]["expect"] == {
        "hears": ["Welcome."],
        "attributes": {"tier": "gold"},
        "ends": "disconnected",
    }


def test_an_answer_is_changed_where_it_was_given_even_through_attributes(making: Making) -> None:
    made, said = making(
        flow(
            function("first", "keep", "orders"),
            sets("keep", "second", state="$.External.status"),
            function("second", "check", "customers"),
            compare("check", "$.Attributes.state", [("Equals", "sent", "shipped")], "vip"),
            say("shipped", "Your parcel is on its way.", "vip"),
            compare("vip", "$.External.points", [("NumberGreaterOrEqualTo", "100", "best")], "bye"),
            say("best", "Thank you for your loyalty.", "bye"),
            hang_up(),
        )
    )
    assert made.coverage.percent() == 100
    assert said["setup"]["lambdas"] == {
        "orders": [{"answers": {"status": "sent"}}],
        "customers": [{"answers": {"points": "100"}}],
    }
    changed = [one["setup"]["lambdas"] for one in said["scenarios"] if "answers" in str(one.get("setup"))]
    assert {"orders": [{"answers": {"status": "something else"}}]} in changed


def test_an_attribute_that_the_flow_sets_leads_the_way_over_the_block_that_sets_it(making: Making) -> None:
    made, _ = making(
        flow(
            menu("menu", {"1": "sales", "2": "support"}, "bye"),
            sets("sales", "route", team="sales"),
            sets("support", "route", team="support"),
            compare(
                "route", "$.Attributes.team", [("Equals", "sales", "s1"), ("Equals", "support", "s2")], "bye"
            ),
            say("s1", "Sales.", "bye"),
            say("s2", "Support.", "bye"),
            hang_up(),
        )
    )
    # Neither sets another value, so nothing leads to the default branch but a block that fails.
    assert made.coverage.percent() == 100
    assert {"presses 1", "presses 2"} <= set(made.scenarios)


def test_a_loop_is_gone_round_until_it_is_done(making: Making) -> None:
    made, said = making(
        flow(
            block("loop", "Loop", "bye", LoopCount="3",
                  when=[("Equals", "ContinueLooping", "ask"), ("Equals", "DoneLooping", "sorry")]),
            menu("ask", {"1": "bye"}, "loop"),
            say("sorry", "We give up.", "bye"),
            hang_up(),
        )
    )  # fmt: skip
    assert made.coverage.percent() == 100
    assert any("We give up." in line for line in made.text.splitlines())
    assert {"presses 1"} <= set(made.scenarios)
    assert {"name": "presses 1", "caller": [{"presses": "1"}], "expect": {"ends": "disconnected"}} in said[
        "scenarios"
    ]


@pytest.mark.parametrize(
    ("blocks", "branch", "reason"),
    [
        (
            [compare("check", "$.FlowAttributes.tier", [("Equals", "a", "bye")], "bye")],
            "check: Equals a → bye",
            "cannot be taken: no block before it sets $.FlowAttributes.tier",
        ),
        (
            [compare("check", "$.Attributes.x", [("TextStartsWith", "a", "bye"), ("Equals", "ab", "bye")], "bye")],
            "check: Equals ab → bye",
            "cannot be taken: a condition before it takes every such value",
        ),
        (
            [say("hi", "Hello.", "bye"), say("alone", "Nobody hears this.", "bye")],
            "alone: next → bye",
            "cannot be taken: no branch leads to the block",
        ),
        (
            [compare("check", "always", [("Equals", "never", "bye")], "bye")],
            "check: Equals never → bye",
            "cannot be taken: it always compares 'always'",
        ),
    ],
)  # fmt: skip
def test_a_branch_that_cannot_be_taken_says_why(
    blocks: list[Json], branch: str, reason: str, making: Making
) -> None:
    made, _ = making(flow(*blocks, hang_up()))
    assert f"{branch}: {reason}" in [str(one) for one in made.not_taken]
    assert reason in made.text
    assert made.scenarios


def test_a_contact_that_goes_on_for_ever_ends_when_the_caller_hangs_up(making: Making) -> None:
    made, said = making(flow(say("music", "Please hold.", "music")))
    assert made.coverage.percent() == 0  # they hang up on the prompt, before it leads anywhere
    assert [one["expect"]["ends"] for one in said["scenarios"]] == ["caller hung up"]
    assert said["scenarios"][0]["caller"] == [{"hangs_up_on": "Please hold."}]


def test_a_contact_that_nothing_ends_is_told(making: Making, tmp_path: Path) -> None:
    content = flow(
        block("a", "UpdateFlowLoggingBehavior", "b", FlowLoggingBehavior="Enabled"),
        block("b", "UpdateFlowLoggingBehavior", "a", FlowLoggingBehavior="Disabled"),
    )
    path = tmp_path / "endless.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    made = scenarios_for(path)
    assert made.scenarios == ()
    assert "goes round" in made.stops
    assert f"# No contact gets to an end: {' '.join(made.stops.split())}" in made.text


def test_what_the_sandbox_does_not_play_stands_in_with_what_is_read_of_it(making: Making) -> None:
    made, said = making(
        flow(
            block("find", "EvaluateDataTableValues", "check", errors=ERROR, DataTableId="table"),
            compare("check", "$.DataTables.tier", [("Equals", "gold", "best")], "bye"),
            say("best", "Welcome back.", "bye"),
            hang_up(),
        )
    )
    assert said["setup"]["blocks"] == {"find": {"sets": {"DataTables": {"tier": "gold"}}}}
    assert list(made.stands_in) == ["find"]
    assert "# no AWS page says what its parameters do" in made.text
    assert made.coverage.percent() == 100


def test_bots_views_and_third_parties_answer_so_that_each_branch_is_taken(making: Making) -> None:
    made, said = making(
        flow(
            block("bot", "ConnectParticipantWithLexBot", "bye", errors={"NoMatchingCondition": "bye", **ERROR},
                  when=[("Equals", "BookHotel", "slot")], Text="How can we help?",
                  LexV2Bot={"AliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/AAAAAAAAAA/BBBBBBBBBB"}),
            compare("slot", "$.Lex.Slots.city", [("Equals", "Paris", "dial")], "bye"),
            block("dial", "TransferParticipantToThirdParty", "bye",
                  errors={"CallFailed": "bye", "ConnectionTimeLimitExceeded": "bye", **ERROR},
                  ThirdPartyPhoneNumber="+12065550199", ThirdPartyConnectionTimeLimitSeconds="30",
                  ContinueFlowExecution="True"),
            hang_up(),
        )
    )  # fmt: skip
    assert made.coverage.percent() == 100
    lex = [one["setup"]["lex"] for one in said["scenarios"] if "lex" in one.get("setup", {})]
    assert {"book hotel Paris"} <= {words for told in lex for words in told}
    assert {"the third party refuses", "the third party never answers"} <= {
        phrase for name in made.scenarios for phrase in name.split(", ")
    }


def test_a_part_of_a_larger_flow_finds_what_the_flow_before_has_left(making: Making) -> None:
    made, said = making(
        flow(
            compare("check", "$.External.rule", [("Equals", "close", "bye")], "staff"),
            block("staff", "CheckMetricData", "bye", errors={"NoMatchingCondition": "bye", **ERROR},
                  when=[("NumberGreaterThan", "0", "join")], MetricType="NumberOfAgentsAvailable"),
            block("join", "TransferContactToQueue", "bye", errors={"QueueAtCapacity": "bye", **ERROR}),
            hang_up(),
        )
    )  # fmt: skip
    assert made.coverage.percent() == 100
    assert said["setup"]["sets"] == {"External": {"rule": "close"}}
    assert {"sets": {"External": {"rule": "something else"}}}.items() <= said["scenarios"][1]["setup"].items()


def test_files_of_a_folder_are_played_where_the_flow_calls_them(tmp_path: Path) -> None:
    folder = tmp_path / "flows"
    folder.mkdir()
    module = flow(say("in", "This is the module.", "out"), block("out", "EndFlowModuleExecution"))
    (folder / "greeting-module.json").write_text(json.dumps(module), encoding="utf-8")
    main = flow(
        block("call", "InvokeFlowModule", "bye", errors=ERROR, FlowModuleId="${GreetingModuleArn}"), hang_up()
    )
    path = tmp_path / "main.json"
    path.write_text(json.dumps(main), encoding="utf-8")
    made = scenarios_for(path, flows=folder, base=tmp_path)
    said = plays(made, path, tmp_path / "main.yaml")
    assert said["setup"]["modules"] == {"GreetingModule": "flows/greeting-module.json"}
    assert "# hears: [This is the module.]" in made.text


def test_what_a_called_module_decides_is_changed_in_it_or_told_instead(tmp_path: Path) -> None:
    module = flow(
        function("ask", "keep", "${VipFunctionArn}"),
        sets("keep", "mark", level="$.External.level"),
        sets("mark", "out", checked="yes"),
        block("out", "EndFlowModuleExecution"),
        block("bye", "EndFlowModuleExecution"),
    )
    (tmp_path / "VipModule.json").write_text(json.dumps(module), encoding="utf-8")
    main = flow(
        block("call", "InvokeFlowModule", "level", errors=ERROR, FlowModuleId="${VipModuleArn}"),
        compare("level", "$.Attributes.level", [("Equals", "gold", "checked")], "bye"),
        compare("checked", "$.Attributes.checked", [("Equals", "yes", "bye")], "sorry"),
        say("sorry", "We could not check that.", "bye"),
        hang_up(),
    )
    path = tmp_path / "main.json"
    path.write_text(json.dumps(main), encoding="utf-8")
    made = scenarios_for(path, flows=tmp_path, base=tmp_path)
    said = plays(made, path, tmp_path / "main.yaml")
    assert made.coverage.percent() == 100
    assert said["setup"]["values"] == {"VipFunctionArn": "VipFunction", "VipModuleArn": "VipModule"}
    setups = [one.get("setup", {}) for one in said["scenarios"]]
    assert {"lambdas": {"VipFunction": [{"answers": {"level": "gold"}}]}}.items() <= setups[0].items()
    assert "blocks" not in setups[0]
    told = [
        one["blocks"]["call"]["sets"] for one in setups if "sets" in one.get("blocks", {}).get("call", {})
    ]
    assert any(sets["Attributes"]["checked"] == "something else" for sets in told)


def test_what_is_another_text_every_time_is_not_expected(making: Making) -> None:
    greet = say("greet", "Your number is $.ContactId.", "mark")
    mark = sets("mark", "bye", id="$.ContactId", tier="gold")
    made, said = making(flow(greet, mark, hang_up()), expect=True)
    assert said["scenarios"][0]["expect"] == {"attributes": {"tier": "gold"}, "ends": "disconnected"}
    assert not UUID.search(made.text)


def test_digits_are_entered_where_they_are_kept_and_differ_where_they_have_to(making: Making) -> None:
    def stores(identifier: str, then: str) -> Json:
        return block(identifier, "GetParticipantInput", then, errors={"NoMatchingError": "bye"}, Text="Your new PIN?",
                     StoreInput="True", InputTimeLimitSeconds="5",
                     InputValidation={"CustomValidation": {"MaximumLength": "4"}})  # fmt: skip

    made, said = making(
        flow(
            stores("once", "keep"),
            sets("keep", "again", pin="$.StoredCustomerInput"),
            stores("again", "same"),
            compare("same", "$.StoredCustomerInput", [("Equals", "$.Attributes.pin", "thanks")], "sorry"),
            say("thanks", "Thank you.", "bye"),
            say("sorry", "That was another one.", "bye"),
            hang_up(),
        )
    )
    assert made.coverage.percent() == 100
    assert [{"presses": "1234"}, {"presses": "1234"}] in [one.get("caller") for one in said["scenarios"]]


def test_a_block_that_works_in_chats_alone_is_reached_by_a_chat(making: Making) -> None:
    view = block("view", "ShowView", "bye", errors={"NoMatchingCondition": "bye", "TimeLimitExceeded": "bye", **ERROR},
                 when=[("Equals", "Next", "thanks")], ViewResource={"Id": "form", "Version": "1"},
                 InvocationTimeLimitSeconds="60")  # fmt: skip
    dial = block("dial", "TransferParticipantToThirdParty", "bye", errors=ERROR, ThirdPartyPhoneNumber="+12065550199",
                 ThirdPartyConnectionTimeLimitSeconds="30", ContinueFlowExecution="False")  # fmt: skip
    by = compare("by", "$.Channel", [("Equals", "CHAT", "view")], "dial")
    made, said = making(flow(by, dial, view, say("thanks", "Thanks.", "bye"), hang_up()))
    assert made.coverage.percent() == 100
    chats = [one for one in said["scenarios"] if one.get("setup", {}).get("channel") == "CHAT"]
    assert any(one.get("caller") == [{"chooses": "Next"}] for one in chats)


def test_values_of_placeholders_fit_their_places_and_yours_count(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    content = flow(
        block("queue", "UpdateContactTargetQueue", "dial", errors=ERROR, QueueId="${SupportQueueArn}"),
        block("dial", "TransferParticipantToThirdParty", "bye", errors=ERROR, ContinueFlowExecution="False",
              ThirdPartyPhoneNumber="${Number}", ThirdPartyConnectionTimeLimitSeconds="${Limit}"),
        hang_up(),
    )  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    made = scenarios_for(path, values={"Number": "+12065550123"}, base=tmp_path)
    said = plays(made, path, tmp_path / "template.yaml")
    assert said["setup"]["values"] == {
        "Limit": "5",
        "Number": "+12065550123",
        "SupportQueueArn": "SupportQueue",
    }
    assert said["setup"]["queues"] == {"SupportQueue": {}}


def test_a_large_flow_takes_no_more_work_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WORK", 1_500)
    many = 60
    blocks = [
        compare(
            f"c{i}",
            f"$.Attributes.a{i % 7}",
            [("Equals", str(i), f"c{(i * 7) % many}")],
            f"c{(i + 1) % many}",
        )
        for i in range(many)
    ]
    path = tmp_path / "mesh.json"
    path.write_text(json.dumps(flow(*blocks, hang_up())), encoding="utf-8")
    made = scenarios_for(path, base=tmp_path)
    assert any("needs: a person's eye; not " in str(one) for one in made.not_taken)
    assert (made.scenarios, bool(made.stops)) == (
        (),
        True,
    )  # every branch leads to another of the comparisons
    assert made.text == scenarios_for(path, base=tmp_path).text


def test_texts_of_a_flow_cannot_break_the_file(making: Making) -> None:
    nasty = "Hello:\n# not a comment\t{[\u2028\"'&*!|>%@`\ud800 - x: y"
    made, said = making(
        flow(say("greet\n: # {", nasty, "mark"), sets("mark", "bye", odd=nasty), hang_up()), expect=True
    )
    assert said["scenarios"][0]["expect"]["attributes"] == {"odd": nasty}
    assert made.coverage.percent() == 100


@pytest.mark.parametrize(
    ("operator", "operands", "wanted", "accepted"),
    [
        ("NumberGreaterThan", ["5", "10"], 1, False),  # whatever is more than 10 is more than 5
        ("NumberLessThan", ["5", "10"], 1, True),
        ("NumberGreaterOrEqualTo", ["0"], 0, True),
        ("TextContains", ["a", "ab"], 1, False),
        ("TextEndsWith", ["b", "a"], 1, True),
        ("Equals", ["something else"], None, True),
    ],
)
def test_a_value_meets_a_condition_and_none_before_it(
    operator: str, operands: list[str], wanted: int | None, accepted: bool
) -> None:
    demand = Demand(tuple(ConditionBranch(operator, (o,), "x") for o in operands), wanted)
    assert bool(demand.values()) is accepted
    assert all(demand.accepts(value) for value in demand.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customerEmail", "ada@example.com"),
        ("firstName", "Ada"),
        ("CallbackNumber", "+12065550188"),
        ("welcomeMessage", "Example message."),
        ("is_known", "true"),
        ("orderCount", "3"),
        ("Colour", "example colour"),
    ],
)
def test_a_value_fits_the_name_that_it_is_read_by(name: str, value: str) -> None:
    assert by_name(name) == value
