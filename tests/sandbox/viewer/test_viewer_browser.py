"""The page of a run in a real browser, from disk and live; viewer_checks.mjs does what somebody who uses it does.

With PAGE_PICTURES=FOLDER the browser also leaves screenshots there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.viewer.report import write_report
from connect_sandbox.workbench.place import Running

from tests.support import ROOT
from tests.support.browser import needs_browser, observe
from tests.support.sample_run import long_run, sample_run

pytestmark = [needs_browser, pytest.mark.sandbox]
HERE = Path(__file__).parent
AXE = Path(os.environ.get("AXE", ROOT / "node_modules/axe-core/axe.min.js"))
needs_axe = pytest.mark.skipif(
    not AXE.exists() and "CI" not in os.environ, reason="npm's axe-core is not installed: make setup"
)
HOSTILE = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'><i>x</i>"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, running: Running) -> Json:
    folder = tmp_path_factory.mktemp("viewer")
    runs = {"report": sample_run(), "hostile": _poisoned(sample_run()), "long": long_run(200, 100_000)}
    runs["empty"] = runs["report"][:1]
    files = {name: write_report(events, folder / f"{name}.html") for name, events in runs.items()}
    found = observe(
        HERE / "viewer_checks.mjs",
        files={name: str(file) for name, file in files.items()},
        address=running.page_url,
        pictures=os.environ.get("PAGE_PICTURES"),
        axe=str(AXE) if AXE.exists() else None,
    )
    return {**found, "bytes": {name: file.stat().st_size for name, file in files.items()}}


def _poisoned(value: Any) -> Any:
    """Return the run with markup in every text that a caller, a function or an app could write."""
    keys = {
        "text",
        "shows",
        "name",
        "reason",
        "failure",
        "logs",
        "answer",
        "input",
        "set",
        "body",
        "new",
        "title",
    }
    return [
        {key: _with_markup(part) if key in keys else part for key, part in event.items()} for event in value
    ]


def _with_markup(value: Any) -> Any:
    if isinstance(value, str):
        return HOSTILE + value
    if isinstance(value, list):
        return [_with_markup(part) for part in value]
    if isinstance(value, dict):
        return {HOSTILE + key: _with_markup(part) for key, part in value.items()}
    return value


def test_the_pages_complain_of_nothing_and_ask_nothing_of_the_network(seen: Json) -> None:
    assert (seen["complaints"], seen["requests"], seen["dialogs"]) == ([], [], [])


def test_the_report_opens_on_what_failed(seen: Json) -> None:
    report = seen["report"]
    assert report["groups"] == ["Failed 1", "Passed 3"]
    assert "voice/lookup-denied" in report["current"]
    assert "Failed: the caller should have heard “Welcome, Ada.”" in report["failure"]
    assert report["opened"]["lit"] == report["opened"]["wrong"] == ["lookup"]


def test_a_function_is_told_with_input_answer_log_and_what_it_was_refused(seen: Json) -> None:
    call = seen["report"]["opened"]["call"]
    for words in ("customer-lookup", "41 ms", "cold", "ContactFlowEvent", "errorMessage", "looking up +1206"):
        assert words in call
    (refused,) = seen["report"]["refused"]
    assert "dynamodb:PutItem" in refused
    assert "no policy of the role allows dynamodb:PutItem" in refused


def test_steps_move_the_light_and_leave_the_way_behind(seen: Json) -> None:
    report = seen["report"]
    assert report["stepped"] == {"lit": ["sorry"], "ways": ["lookup error:NoMatchingError"]}
    assert report["back"] == ["lookup"]
    assert report["end"]["lit"] == ["bye"]
    assert report["end"]["passed"] == ["lookup", "sorry", "bye"]
    assert report["end"]["words"] == ["Please call again."]
    assert report["problem"] > 0


def test_attributes_are_marked_while_they_change(seen: Json) -> None:
    report = seen["report"]
    assert [line.split("\t")[0] for line in report["changed"]] == ["customerName", "tier"]
    changed, all_ = report["unchanged"]
    assert (changed, len(all_)) == ([], 2)


def test_items_and_messages_are_told(seen: Json) -> None:
    report = seen["report"]
    for words in ("changed", "callers", "+12065550142", "seen"):
        assert words in report["items"]
    for words in ("callbacks", "delivered (200)", "hooks.example.com"):
        assert words in report["messages"]


def test_it_replays_at_the_speed_that_is_chosen_and_by_keys(seen: Json) -> None:
    report = seen["report"]
    assert report["played"] == ["lookup", "welcome", "ask", "queue", "transfer"]
    assert report["arrows"] == ["transfer"]
    assert report["fine"] == 1
    assert report["jumped"] == "Welcome, Ada."


def test_the_search_finds_words_in_every_scenario(seen: Json) -> None:
    assert seen["report"]["found"] == ["1 result", "voice/wrong-key", ["voice/wrong-key"]]


def test_a_block_that_is_clicked_is_told_and_an_address_leads_back(seen: Json) -> None:
    assert "InputTimeLimitSeconds" in seen["report"]["block"]
    assert seen["report"]["linked"] == "voice/wrong-key"


@needs_axe
def test_people_with_disabilities_can_use_it(seen: Json) -> None:
    assert seen["report"]["barriers"] == []
    assert seen["report"]["phone"]["barriers"] == []


def test_text_can_be_read_on_light_and_dark_pages(seen: Json) -> None:
    for scheme in ("contrast", "contrastDark"):
        assert [found for found in seen["report"][scheme] if found[0] < 4.5] == []


def test_it_fits_a_telephone(seen: Json) -> None:
    assert seen["report"]["phone"]["overflow"] <= 0


def test_what_a_run_holds_stays_text(seen: Json) -> None:
    found = seen["hostile"]
    assert (found["elements"], found["ran"]) == (0, "undefined")
    assert "<img src=x" in found["title"]
    for part in ("failure", "words", "Functions", "Attributes", "Messages", "Items", "IAM"):
        assert "<img src=x onerror=" in found[part], part


def test_a_run_in_which_nothing_happened_says_so(seen: Json) -> None:
    assert seen["empty"] == ["In this run nothing happened.", "Nothing has played yet."]


def test_a_run_of_200_scenarios_and_100_000_events_stays_quick_and_small(seen: Json) -> None:
    found = seen["long"]
    assert found["events"] > 95_000
    assert found["step"] < 100  # milliseconds
    assert found["search"] < 3000
    assert (found["listed"], found["more"]) == (100, "100 more")
    assert seen["bytes"]["long"] < 2_500_000


def test_the_token_leaves_the_address_bar(seen: Json) -> None:
    live = seen["live"]
    assert "token" not in live["address"]
    assert live["kept"] == ["token"]


def test_a_call_is_placed_by_clicking_and_asks_for_keys(seen: Json) -> None:
    asks = seen["live"]["asks"]
    assert asks["lit"] == ["ask"]
    assert asks["words"] == ["Welcome, Ada.", "Press 1 for an agent."]
    assert asks["title"] == "Call: Support line"
    for words in ("Lookup", "ContactFlowEvent", "looking up +12065550142", "dynamodb:PutItem", "allowed"):
        assert words in asks["calls"]


def test_one_can_be_caller_and_agent(seen: Json) -> None:
    live = seen["live"]
    assert live["talk"][-2:] == ["How can I help?", "<b>My order</b> is late."]
    assert live["passed"] == ["lookup", "welcome", "ask", "queue", "transfer"]


def test_a_fault_at_a_click_makes_the_flow_take_its_error_branch(seen: Json) -> None:
    live = seen["live"]
    assert live["fault"].startswith("denied: support-line-Lookup")
    assert "lookup error:NoMatchingError" in live["branch"]["ways"]
    assert live["branch"]["wrong"] == ["lookup"]
    assert live["branch"]["words"] == ["Please call again."]


def test_a_live_call_is_stepped_block_by_block(seen: Json) -> None:
    assert seen["live"]["held"] == ["lookup", "welcome"]
    before, after = seen["live"]["reloaded"]
    assert before == after >= 3


@needs_axe
def test_people_with_disabilities_can_use_the_live_page(seen: Json) -> None:
    live = seen["live"]
    assert (live["asks"]["barriers"], live["dialogBarriers"], live["faultBarriers"]) == ([], [], [])
    assert [found for found in live["contrast"] if found[0] < 4.5] == []
    assert live["overflow"] <= 0


def test_without_the_token_the_page_shows_nothing(seen: Json) -> None:
    words, subjects = seen["live"]["stranger"]
    assert "connect-sandbox status" in words
    assert subjects == 0
