"""What changed for the caller between two versions of a flow."""

import copy
import json
from typing import Any

import pytest
from connect_flows import ACTIONS, Flow
from connect_flows.diff import Change, as_markdown, as_text, diff
from connect_flows.examples import example_flow

Json = dict[str, Any]


def prompt(identifier: str, text: str, following: str) -> Json:
    return {
        "Identifier": identifier,
        "Type": "MessageParticipant",
        "Parameters": {"Text": text},
        "Transitions": {
            "NextAction": following,
            "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "bye"}],
        },
    }


MENU: Json = {
    "Identifier": "menu",
    "Type": "Compare",
    "Parameters": {"ComparisonValue": "$.Attributes.tier"},
    "Transitions": {
        "Conditions": [
            {"NextAction": "gold", "Condition": {"Operator": "Equals", "Operands": ["gold"]}},
            {"NextAction": "basic", "Condition": {"Operator": "Equals", "Operands": ["basic"]}},
        ],
        "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": "bye"}],
    },
}
FLOW: Json = {
    "Version": "2019-10-30",
    "StartAction": "hello",
    "Metadata": {"ActionMetadata": {"hello": {"position": {"x": 1, "y": 1}}}},
    "Actions": [
        prompt("hello", "Welcome.", "menu"),
        MENU,
        prompt("gold", "You are gold.", "bye"),
        prompt("basic", "You are basic.", "bye"),
        {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ],
}


def changes(new: Json, old: Json = FLOW) -> list[Change]:
    return diff(Flow.parse(old, name="old"), Flow.parse(new, name="new"))


def edited() -> Json:
    return copy.deepcopy(FLOW)


def renamed(flow: Json, names: dict[str, str]) -> Json:
    text = json.dumps(flow)
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    renamed_flow: Json = json.loads(text)
    return renamed_flow


def test_layout_order_and_new_identifiers_are_no_change() -> None:
    names = dict(zip(["hello", "menu", "gold", "basic", "bye"], "12345", strict=True))
    new = renamed(FLOW, {k: v for k, v in names.items() if k not in {"gold", "basic"}})
    new["Metadata"] = {"ActionMetadata": {"1": {"position": {"x": 900, "y": 900}}}}
    new["Actions"].reverse()
    assert changes(new) == []


def test_a_reworded_prompt_is_named_with_both_texts() -> None:
    new = edited()
    new["Actions"][0]["Parameters"]["Text"] = "Good day."
    assert changes(new) == [
        Change("reworded", "hello", "MessageParticipant", "Text", "Welcome.", "Good day.")
    ]


def test_a_reworded_and_renamed_block_is_found_by_its_place() -> None:
    new = renamed(FLOW, {"hello": "greeting", "menu": "choice"})
    new["Actions"][0]["Parameters"]["Text"] = "Good day."
    assert changes(new) == [
        Change("reworded", "greeting", "MessageParticipant", "Text", "Welcome.", "Good day.")
    ]


def test_an_inserted_block_is_added_and_what_leads_to_it_rewired() -> None:
    new = edited()
    new["Actions"][0]["Transitions"]["NextAction"] = "notice"
    new["Actions"].append(prompt("notice", "Calls are recorded.", "menu"))
    assert changes(new) == [
        Change("added", "notice", "MessageParticipant", '"Calls are recorded."'),
        Change("rewired", "hello", "MessageParticipant", "next", "menu", "notice"),
    ]


def test_a_removed_block_is_named_by_its_old_identifier() -> None:
    new = edited()
    del new["Actions"][3]
    del new["Actions"][1]["Transitions"]["Conditions"][1]
    assert [(c.kind, c.block, c.what) for c in changes(new)] == [
        ("removed", "basic", '"You are basic."'),
        ("rewired", "menu", "when Equals basic"),
    ]


def test_conditions_in_another_order_are_a_change_as_the_first_that_holds_is_taken() -> None:
    new = edited()
    new["Actions"][1]["Transitions"]["Conditions"].reverse()
    assert [c.what for c in changes(new)] == ["conditions are tried in another order"]


def test_another_start_is_a_change() -> None:
    new = edited()
    new["StartAction"] = "menu"
    assert [str(c) for c in changes(new)] == ["start: menu (Compare) is now the first block: hello -> menu"]


def test_a_changed_setting_is_named_by_its_path() -> None:
    old = example_flow("InvokeLambdaFunction")
    new = copy.deepcopy(old)
    new["Actions"][0]["Parameters"]["ResponseValidation"]["ResponseType"] = "STRING_MAP"
    (change,) = changes(new, old)
    assert (change.kind, change.what) == ("changed", "ResponseValidation.ResponseType")
    assert (change.old, change.new) == ("JSON", "STRING_MAP")


@pytest.mark.parametrize("action_type", ACTIONS)
def test_a_flow_does_not_differ_from_itself(action_type: str) -> None:
    assert changes(example_flow(action_type), example_flow(action_type)) == []


def test_markdown_groups_changes_and_text_that_is_markup_stays_text() -> None:
    new = edited()
    new["Actions"][0]["Parameters"]["Text"] = "Say `yes` | <b>no</b>"
    new["Actions"].append(prompt("extra", "*bold*", "bye"))
    text = as_markdown(changes(new), "old.json", "new.json")
    assert text.startswith("### Flow changes: `old.json` → `new.json`")
    assert (
        "**Prompts reworded**\n\n- `hello` (MessageParticipant) `Text`: `Welcome.` → `Say 'yes' | <b>no</b>`"
        in text
    )
    assert '**Blocks added**\n\n- `extra` (MessageParticipant) "\\*bold\\*"' in text
    assert "No difference" in as_markdown([], "a", "b")


def test_text_counts_the_changes() -> None:
    new = edited()
    new["StartAction"] = "menu"
    assert as_text(changes(new), "a", "b").endswith("a -> b: 1 change")
    assert as_text([], "a", "b") == "a and b: no difference for the caller"
