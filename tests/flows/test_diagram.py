"""Pictures of flows."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from connect_flows import ACTIONS, Flow
from connect_flows.examples import example_flow
from connect_flows.pictures import mermaid, svg

Json = dict[str, Any]
HERE = Path(__file__).parent
PARSER = HERE / "parse_mermaid.mjs"
MERMAID = HERE.parents[1] / "node_modules/mermaid"
needs_mermaid = pytest.mark.skipif(
    not MERMAID.exists() and "CI" not in os.environ, reason="npm's mermaid is not installed: make setup"
)
SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own output


def refused(**texts: str) -> dict[str, str]:
    """Return what Mermaid's own parser says about the texts that it does not read."""
    done = subprocess.run(
        ["node", PARSER], input=json.dumps(texts), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def chain(blocks: int, *, back: bool = False) -> Flow:
    actions: list[Json] = [
        {
            "Identifier": f"b{i}",
            "Type": "InvokeLambdaFunction" if i % 3 else "MessageParticipant",
            "Parameters": {"Text": f'Prompt <{i}> & "more"'},
            "Transitions": {
                "NextAction": f"b{i + 1}",
                "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "b0" if back else f"b{blocks}"}],
            },
        }
        for i in range(blocks)
    ]
    actions.append(
        {"Identifier": f"b{blocks}", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    )
    return Flow.parse({"Version": "2019-10-30", "StartAction": "b0", "Actions": actions}, name="chain & co")


def groups(root: ET.Element, kind: str) -> list[ET.Element]:
    return [g for g in root.iter(f"{SVG}g") if kind in (g.get("class") or "").split()]


def boxes(picture: str) -> list[tuple[float, float, float, float]]:
    root = parsed(picture)
    found = [g.find(f"{SVG}rect") for g in groups(root, "block")]
    return [
        tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height")) for r in found if r is not None
    ]  # type: ignore[misc]


@pytest.mark.parametrize("back", [False, True])
def test_no_two_blocks_of_a_flow_of_sixty_overlap_and_all_lie_within_the_picture(back: bool) -> None:
    picture = svg(chain(60, back=back))
    rectangles = boxes(picture)
    assert len(rectangles) == 61
    for i, (x1, y1, w1, h1) in enumerate(rectangles):
        for x2, y2, w2, h2 in rectangles[i + 1 :]:
            assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1
    width, height = (float(v) for v in parsed(picture).attrib["viewBox"].split()[2:])
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in rectangles)


def test_the_contact_goes_downwards() -> None:
    tops = [y for _, y, _, _ in boxes(svg(chain(5)))]
    assert tops == sorted(tops)


def test_lambda_and_transfer_blocks_are_marked() -> None:
    drawn = groups(parsed(svg(Flow.parse(example_flow("InvokeLambdaFunction")))), "block")
    assert [g.get("class") for g in drawn] == ["block lambda start", "block end"]
    assert 'class="block transfer start"' in svg(Flow.parse(example_flow("TransferParticipantToThirdParty")))


def test_every_block_and_branch_carries_what_a_page_needs_to_light_it() -> None:
    root = parsed(svg(chain(2, back=True)))
    assert [(g.get("id"), g.get("data-block"), g.get("role")) for g in groups(root, "block")] == [
        ("block-0", "b0", "img"),
        ("block-1", "b1", "img"),
        ("block-2", "b2", "img"),
    ]
    assert {
        (g.get("data-from"), g.get("data-branch"), g.get("data-to"), g.get("class"))
        for g in groups(root, "branch")
    } == {
        ("b0", "next", "b1", "branch success"),
        ("b1", "next", "b2", "branch success"),
        ("b0", "error:NoMatchingError", "b0", "branch error return"),
        ("b1", "error:NoMatchingError", "b0", "branch error return"),
    }
    assert all(g.get("aria-label") for kind in ("block", "branch") for g in groups(root, kind))


def test_the_same_flow_gives_the_same_picture() -> None:
    assert svg(chain(30, back=True)) == svg(chain(30, back=True))


@pytest.mark.parametrize("action_type", ACTIONS)
def test_every_action_type_can_be_drawn(action_type: str) -> None:
    flow = Flow.parse(example_flow(action_type), name=action_type)
    parsed(svg(flow))
    assert mermaid(flow).startswith("flowchart TD\n")


def test_loops_islands_and_branches_to_nowhere_are_drawn_too() -> None:
    flow = example_flow("Loop")
    flow["Actions"][0]["Transitions"]["Conditions"][0]["NextAction"] = "the block"
    flow["Actions"][0]["Transitions"]["Conditions"][1]["NextAction"] = "nowhere"
    flow["Actions"].append({"Identifier": "island", "Type": "Wait", "Parameters": {}, "Transitions": {}})
    picture = svg(Flow.parse(flow))
    assert len(boxes(picture)) == 3


def test_mermaid_names_blocks_labels_and_escapes_markup() -> None:
    flow = json.loads(json.dumps(example_flow("Compare")))
    flow["Actions"][0]["Identifier"] = flow["StartAction"] = 'a "quoted" <b>'
    text = mermaid(Flow.parse(flow))
    assert "  start --> b0\n" in text
    assert "a &quot;quoted&quot; &lt;b&gt;" in text
    assert '  b0 -->|"VOICE, TextStartsWith CH, NoMatchingCondition"| b1' in text
    assert "classDef kind_lambda" in text


ODD = (
    "end", "click", "call", "href", "style", "subgraph", "default", "graph", "flowchart TD", "direction LR", "%% x",
    "`**x**`", '"', "'", "<script>", "a|b", "[x](y)", "{{x}}", "-->", ":::", ";", "\\", "#", "#35;", "&amp;", "$$x$$",
    "\u2028", "a\nb", "日本語", "🙂", "", " ", "1. x", "- x", "@{ shape: x }",
)  # fmt: skip
"""Texts that mean something to Mermaid."""


def odd(text: str) -> Flow:
    flow = json.loads(json.dumps(example_flow("Compare")))
    first = flow["Actions"][0]
    first["Identifier"] = flow["StartAction"] = text
    first["Parameters"]["ComparisonValue"] = text
    first["Transitions"]["Conditions"][0]["Condition"]["Operands"] = [text]
    return Flow.parse(flow, name=text)


@needs_mermaid
def test_mermaids_own_parser_reads_every_picture() -> None:
    texts = {kind: mermaid(Flow.parse(example_flow(kind))) for kind in ACTIONS}
    texts |= {f"odd {text}": mermaid(odd(text)) for text in ODD}
    texts |= {"loop": mermaid(chain(60, back=True)), "empty": mermaid(Flow("empty", "", ()))}
    assert refused(**texts) == {}


@needs_mermaid
def test_mermaids_parser_refuses_its_reserved_words() -> None:
    text = "flowchart TD\n  b0[x]:::end\n  classDef end fill:#fff\n"
    assert "Parse error on line 2" in refused(reserved=text)["reserved"]


@pytest.mark.parametrize("text", ODD)
def test_an_xml_parser_reads_the_svg_of_odd_texts(text: str) -> None:
    assert len(boxes(svg(odd(text)))) == 2


UUIDS = [f"{n}0000000-1111-2222-3333-444444444444" for n in "abcdef"]
QUEUE = f"arn:aws:connect:us-east-1:123456789012:instance/{UUIDS[0]}/queue/{UUIDS[1]}"


def console_export(*blocks: tuple[str, Json], names: dict[int, Json] | None = None) -> Flow:
    """Return a flow as the console names it: blocks in a row, each with its type and parameters."""
    actions = [
        {
            "Identifier": UUIDS[i],
            "Type": kind,
            "Parameters": parameters,
            "Transitions": {
                "NextAction": UUIDS[i + 1],
                "Errors": [{"ErrorType": "NoMatchingError", "NextAction": UUIDS[max(0, i - 1)]}],
            },
        }
        for i, (kind, parameters) in enumerate(blocks)
    ]
    actions.append(
        {
            "Identifier": UUIDS[len(blocks)],
            "Type": "DisconnectParticipant",
            "Parameters": {},
            "Transitions": {},
        }
    )
    metadata = {"ActionMetadata": {UUIDS[i]: {"parameters": shown} for i, shown in (names or {}).items()}}
    return Flow.parse(
        {"Version": "2019-10-30", "StartAction": UUIDS[0], "Metadata": metadata, "Actions": actions},
        name="console",
    )


def texts(picture: str) -> list[list[str]]:
    return [[t.text or "" for t in g.findall(f"{SVG}text")] for g in groups(parsed(picture), "block")]


def test_blocks_that_the_console_named_are_told_by_what_they_do() -> None:
    flow = console_export(
        ("MessageParticipant", {"SSML": "<speak>Good <emphasis>day</emphasis>.</speak>"}),
        ("UpdateContactTargetQueue", {"QueueId": QUEUE}),
        ("Loop", {"LoopCount": "3"}),
        ("CheckHoursOfOperation", {"HoursOfOperationId": QUEUE.replace("queue", "operating-hours")}),
        names={
            1: {"QueueId": {"displayName": "Sales"}},
            3: {"HoursOfOperationId": {"displayName": "Weekdays"}},
        },
    )
    assert [rows[0] for rows in texts(svg(flow))] == [
        "Good day.",
        "Sales",
        "3 times",
        "Weekdays",
        "Disconnect participant",
    ]
    shown = mermaid(flow) + "".join(text for rows in texts(svg(flow)) for text in rows)
    assert "-1111-2222-" not in shown
    assert "speak" not in shown


def test_a_resource_without_a_name_is_not_told_by_its_uuid() -> None:
    flow = console_export(("UpdateContactTargetQueue", {"QueueId": QUEUE}))
    assert texts(svg(flow))[0][0] == "Update contact target queue"


@pytest.mark.parametrize("text", ["W" * 80, "i" * 80, "日" * 80, UUIDS[0]])
def test_a_headline_is_no_wider_than_its_box(text: str) -> None:
    (headline, *_), _ = texts(svg(odd(text + "x")))
    wide = {"W": 0.9, "i": 0.25, "日": 1.0}.get(text[0], 0.56)
    assert len(headline) * wide * 12 <= 210


def test_a_branch_back_does_not_lie_on_the_branch_forth() -> None:
    flow = console_export(("MessageParticipant", {"Text": "a"}), ("MessageParticipant", {"Text": "b"}))
    picture = svg(flow)
    (first, second, _) = boxes(picture)
    backward = [p.get("d", "") for g in groups(parsed(picture), "return") for p in g.findall(f"{SVG}path")]
    side = f"{second[0] + second[2]:.0f}"
    assert any(
        d.startswith(f"M{side} ") and d.endswith(f"{first[0] + first[2]:.0f} {first[1] + 31:.0f}")
        for d in backward
    )


def test_a_line_that_also_carries_the_success_says_so() -> None:
    flow = json.loads(json.dumps(example_flow("InvokeLambdaFunction")))
    assert '-->|"next, NoMatchingError"|' in mermaid(Flow.parse(flow))
