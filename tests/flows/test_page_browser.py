"""The HTML pages of connect-flows in a real browser; page_checks.mjs does what a reader does.

With PAGE_PICTURES=FOLDER the browser also leaves screenshots there.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from connect_flows.page import diff_page, flows_page, read

from tests.support import ROOT
from tests.support.browser import needs_browser, observe
from tests.support.page_flows import HOSTILE, farewell, hostile, menu, renewed

pytestmark = needs_browser
HERE = Path(__file__).parent
AXE = Path(os.environ.get("AXE", ROOT / "node_modules/axe-core/axe.min.js"))
needs_axe = pytest.mark.skipif(
    not AXE.exists() and "CI" not in os.environ, reason="npm's axe-core is not installed: make setup"
)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder = tmp_path_factory.mktemp("pages")

    def shown(document: Json, name: str) -> Any:
        return read(json.dumps(document), name)

    pages = {
        "flows": flows_page([shown(menu(), "menu.json"), shown(farewell(), "farewell.json")]),
        "hostile": flows_page([shown(hostile(), "<i>x</i>.json")]),
        "changes": diff_page(shown(menu(), "menu.json"), shown(renewed(), "renewed.json")),
    }
    files = {name: folder / f"{name}.html" for name in pages}
    for name, html in pages.items():
        files[name].write_text(html, encoding="utf-8")
    return observe(
        HERE / "page_checks.mjs",
        files={name: str(file) for name, file in files.items()},
        pictures=os.environ.get("PAGE_PICTURES"),
        axe=str(AXE) if AXE.exists() else None,
    )


def test_the_pages_complain_of_nothing_and_ask_nothing_of_the_network(seen: Json) -> None:
    assert (seen["complaints"], seen["requests"], seen["dialogs"]) == ([], [], [])


def test_buttons_wheel_and_keys_zoom(seen: Json) -> None:
    views = seen["flows"]["views"]
    assert views["larger"]["width"] == pytest.approx(views["first"]["width"] / 1.25)
    assert views["smaller"]["width"] == pytest.approx(views["first"]["width"])
    assert views["wheel"]["width"] < views["smaller"]["width"]
    # The point below the mouse, 40 pixels into the pane, stays where it is.
    assert views["wheel"]["x"] > views["smaller"]["x"]
    assert views["fitKey"] == views["fit"]


def test_dragging_and_arrow_keys_move_the_picture_and_choose_nothing(seen: Json) -> None:
    views = seen["flows"]["views"]
    assert views["dragged"]["x"] < views["fit"]["x"]
    assert views["dragged"]["y"] < views["fit"]["y"]
    assert views["key"]["x"] > views["dragged"]["x"]
    assert views["key"]["width"] == pytest.approx(views["dragged"]["width"])
    assert seen["flows"]["draggedChose"] == 0


def test_the_flow_is_told_with_its_findings_and_where_it_leads(seen: Json) -> None:
    told = seen["flows"]["overview"]
    for words in ("Main menu", "menu.json", "Leads to", "Farewell", "Error CF205 at LookupArn"):
        assert words in told
    assert "1" in seen["flows"]["badges"]


def test_a_click_tells_of_the_block_and_lights_its_branches(seen: Json) -> None:
    flows = seen["flows"]
    for words in (
        "Look up",
        "InvokeLambdaFunction",
        "LambdaFunctionARN",
        "${LookupArn}",
        "Error CF205",
        "Fix: ",
        "next → ",
    ):
        assert words in flows["clicked"]
    assert flows["clickedLit"] == ["Look up next", "Menu condition:1"]
    assert flows["clickedAddress"] == "#main-menu/Look%20up"
    assert flows["clickedLabel"].endswith(", 1 finding")


def test_the_keyboard_goes_from_block_to_block_and_into_the_details(seen: Json) -> None:
    flows = seen["flows"]
    assert flows["below"] == "Menu"
    assert flows["entered"] == ["H2", "Menu"]
    assert (flows["escaped"], flows["home"], flows["slash"]) == ("Menu", "Greeting", "query")


def test_the_search_counts_and_goes_through_the_results_of_all_flows(seen: Json) -> None:
    flows = seen["flows"]
    assert flows["search"] == [
        ["1 of 2", "Goodbye"],
        ["2 of 2", "Say goodbye"],
        ["1 of 2", "Goodbye"],
        ["2 of 2", "Say goodbye"],
    ]
    assert [line.split("\n")[0] for line in flows["results"]] == ["Main menu", "Farewell"]
    assert flows["byParameter"] == "1 result"  # in the other flow: it is gone to by Enter
    assert flows["nothing"] == "No results"
    assert flows["cleared"] == ["", 0]


def test_links_lead_from_flow_to_flow_and_back(seen: Json) -> None:
    flows = seen["flows"]
    assert flows["followed"] == ["#farewell", "Farewell", True]
    assert flows["back"] == ["#main-menu/Goodbye", "Goodbye"]
    assert flows["doubleClicked"] == "Farewell"
    assert flows["deepLink"] == "Look up"


def test_everything_that_takes_the_focus_has_a_name(seen: Json) -> None:
    assert seen["flows"]["nameless"] == []


@needs_axe
@pytest.mark.parametrize("page", ["flows", "changes"])
def test_axe_finds_no_barrier(seen: Json, page: str) -> None:
    assert seen[page]["barriers"] == []


def test_a_dark_browser_gets_dark_pictures(seen: Json) -> None:
    for light, dark in zip(seen["flows"]["light"], seen["flows"]["dark"], strict=True):
        assert light != dark


@pytest.mark.parametrize(("page", "scheme"), [("flows", "Light"), ("flows", "Dark"), ("changes", "Dark")])
def test_text_stands_out_as_wcag_asks(seen: Json, page: str, scheme: str) -> None:
    worst = seen[page][f"contrast{scheme}"]
    assert len(worst) == 5
    assert worst[0][0] >= 4.5, worst


def test_a_narrow_window_does_not_scroll_sideways(seen: Json) -> None:
    assert seen["flows"]["narrow"] is True


def test_hostile_text_is_shown_and_nothing_of_it_runs(seen: Json) -> None:
    found = seen["hostile"]
    assert not {"img", "a", "b", "i"} & set(found["elements"])
    assert not {"img", "a", "b", "i"} & set(found["after"])
    assert len(found["values"]) == len(HOSTILE) + 1
    for text, values in zip(HOSTILE, found["values"], strict=False):
        assert text in values
        assert any(value.endswith(text) and value != text for value in values)  # the identifier


def test_the_policy_stops_what_would_load_send_or_run(seen: Json) -> None:
    attempts = seen["attempts"]
    assert attempts["stopped"] == [
        "connect-src", "connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "script-src-elem",
        "style-src-elem",
    ]  # fmt: skip
    assert (attempts["answer"], attempts["ran"]) == ("TypeError", False)


def test_both_versions_are_lit(seen: Json) -> None:
    changes = seen["changes"]
    assert sorted(changes["before"]) == [
        "changed Greeting", "changed Menu", "changed Menu condition:1", "removed Look up", "removed Look up next",
    ]  # fmt: skip
    assert sorted(changes["after"]) == [
        "added Queue is next", "added Queue is next error:NoMatchingError", "added Queue is next next",
        "changed Greeting", "changed Menu", "changed Menu condition:1",
    ]  # fmt: skip
    for words in ("Blocks added", "Blocks removed", "Prompts reworded", "Welcome back.", "Branches rewired"):
        assert words in changes["list"]


def test_the_panes_move_together(seen: Json) -> None:
    (before, after), (before_moved, after_moved) = seen["changes"]["views"]
    assert before_moved["y"] > before["y"]
    assert after_moved["y"] > after["y"]


def test_a_change_leads_to_its_block_in_both_pictures(seen: Json) -> None:
    changes = seen["changes"]
    assert all(abs(offset) <= 1 for pane in changes["jumped"] for offset in pane)
    assert changes["chosen"] == ["Greeting", "Greeting"]
    for words in ("Changed", "Welcome to Example Corp.", "Welcome back."):
        assert words in changes["details"]
    assert "Removed" in changes["removed"]
    assert changes["entered"] == "H2"


def test_without_scripts_the_picture_is_there(seen: Json) -> None:
    assert "need JavaScript" in seen["unscripted"]["text"]
    assert seen["unscripted"]["seen"] is True
