"""Pictures of flows."""

import json
import os
import random
import re
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from connect_flows import ACTIONS, Flow
from connect_flows.examples import example_flow
from connect_flows.naming import names
from connect_flows.pictures import mermaid, svg
from connect_flows.pictures.style import COLOURS, STATES
from connect_flows.pictures.telling import headline
from connect_flows.pictures.text import width as text_width

from tests.support.browser import needs_browser, observe

Json = dict[str, Any]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARSER = HERE / "parse_mermaid.mjs"
MERMAID = ROOT / "node_modules/mermaid"
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


Box = tuple[float, float, float, float]


def rectangle(group: ET.Element) -> Box:
    found = group.find(f"{SVG}rect")
    assert found is not None
    x, y, width, height = (float(found.attrib[k]) for k in ("x", "y", "width", "height"))
    return x, y, width, height


def boxes(picture: str) -> list[Box]:
    return [rectangle(g) for g in groups(parsed(picture), "block")]


def corners(group: ET.Element) -> list[tuple[float, float]]:
    """Return where a line turns, from its target to its source."""
    path = group.find(f"{SVG}path")
    assert path is not None
    steps = [(kind, numbers.split()) for kind, numbers in re.findall(r"([MLQ])([^MLQ]*)", path.attrib["d"])]
    turning = [n for i, (kind, n) in enumerate(steps) if kind != "L" or i == len(steps) - 1]
    return [(float(n[0]), float(n[1])) for n in turning]


def apart(one: Box, other: Box, gap: float) -> bool:
    (x1, y1, w1, h1), (x2, y2, w2, h2) = one, other
    return x1 + w1 + gap <= x2 or x2 + w2 + gap <= x1 or y1 + h1 + gap <= y2 or y2 + h2 + gap <= y1


def menu(branches: int, targets: int, *, back: bool = False) -> Flow:
    """Return a flow that asks for one of so many digits and has so many blocks to go to, as the console names them."""
    ids = [f"{n:08x}-1111-2222-3333-444444444444" for n in range(targets + 1)]
    first = {
        "Identifier": ids[0],
        "Type": "GetParticipantInput",
        "Parameters": {"Text": "Press a digit.", "StoreInput": "False", "InputTimeLimitSeconds": "5"},
        "Transitions": {
            "NextAction": ids[1],
            "Conditions": [
                {
                    "NextAction": ids[1 + n % targets],
                    "Condition": {"Operator": "Equals", "Operands": [str(n)]},
                }
                for n in range(branches)
            ],
            "Errors": [
                {"ErrorType": error, "NextAction": ids[0 if back else -1]}
                for error in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")
            ],
        },
    }
    others = [
        {"Identifier": name, "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        for name in ids[1:]
    ]
    return Flow.parse(
        {"Version": "2019-10-30", "StartAction": ids[0], "Actions": [first, *others]}, name="menu"
    )


def tangle(seed: int) -> Flow:
    """Return a flow with branches in all directions, as the console names its blocks."""
    chance = random.Random(seed)  # noqa: S311 - the same flows every time
    count = chance.randrange(6, 26)
    ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count)]

    def near(i: int) -> str:
        return ids[min(count - 1, max(0, i + chance.randrange(-4, 6)))]

    actions: list[Json] = []
    for i in range(count - 1):
        transitions: Json = {"NextAction": ids[i + 1]}
        kind = chance.choice(["MessageParticipant", "GetParticipantInput", "UpdateContactAttributes", "Loop"])
        errors = ["NoMatchingError"]
        if kind in {"GetParticipantInput", "Loop"}:
            transitions["Conditions"] = [
                {"NextAction": near(i), "Condition": {"Operator": "Equals", "Operands": [str(n)]}}
                for n in range(chance.randrange(1, 9))
            ]
            errors += ["NoMatchingCondition", "InputTimeLimitExceeded"]
        transitions["Errors"] = [
            {"ErrorType": e, "NextAction": chance.choice([near(i), ids[-1]])} for e in errors
        ]
        text = " ".join(chance.choice(["a", "word", "considerably", "W" * 40]) for _ in range(i % 12))
        actions.append(
            {"Identifier": ids[i], "Type": kind, "Parameters": {"Text": text}, "Transitions": transitions}
        )
    actions.append(
        {"Identifier": ids[-1], "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    )
    return Flow.parse(
        {"Version": "2019-10-30", "StartAction": ids[0], "Actions": actions}, name=f"tangle {seed}"
    )


DRAWN: dict[str, Callable[[], Flow]] = {
    **{
        str(file.relative_to(ROOT)): partial(lambda f: Flow.parse(f.read_bytes(), name=f.stem), file)
        for file in sorted([*ROOT.glob("flows/*.json"), *ROOT.glob("examples/*/flows/*.json")])
    },
    **{f"tangle {seed}": partial(tangle, seed) for seed in range(24)},
    "chain": partial(chain, 60),
    "chain with branches back": partial(chain, 60, back=True),
    "wide menu": partial(menu, 30, 30),
    "folded menu": partial(menu, 30, 3),
    "menu that asks again": partial(menu, 12, 12, back=True),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return {name: svg(flow()) for name, flow in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_no_label_touches_a_box_and_nothing_lies_on_anything(name: str, drawn: dict[str, str]) -> None:
    root = parsed(drawn[name])
    cards = [rectangle(g) for g in groups(root, "block")]
    labelled = [g for g in groups(root, "branch") if g.find(f"{SVG}rect") is not None]
    labels = [rectangle(g) for g in labelled]
    assert all(apart(one, other, 1) for one, other in combinations(cards, 2))
    assert all(apart(label, card, 3) for label in labels for card in cards)
    assert all(apart(one, other, 1) for one, other in combinations(labels, 2))
    for line in groups(root, "branch"):
        for (ax, ay), (bx, by) in pairwise(corners(line)):
            assert abs(ax - bx) < 1.1 or abs(ay - by) < 1.1
            run = (min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by))
            assert all(apart(run, card, -1.1) for card in cards)
            same = (line.get("data-from"), line.get("data-to"))
            others = [
                r
                for g, r in zip(labelled, labels, strict=True)
                if (g.get("data-from"), g.get("data-to")) != same
            ]
            assert all(apart(run, label, 0) for label in others)


@pytest.mark.parametrize("name", DRAWN)
def test_all_of_a_picture_lies_within_it(name: str, drawn: dict[str, str]) -> None:
    root = parsed(drawn[name])
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    shown = [g for kind in ("block", "branch", "legend") for g in groups(root, kind)]
    for group in shown:
        for found in group.iter(f"{SVG}rect"):
            x, y, w, h = (float(found.attrib[k]) for k in ("x", "y", "width", "height"))
            assert min(x, y) >= 0
            assert x + w <= width
            assert y + h <= height
        for text in group.iter(f"{SVG}text"):
            reach = 0.0 if text.get("text-anchor") else text_width(text.text or "", 10.5)
            assert float(text.attrib["x"]) + reach <= width
            assert float(text.attrib["y"]) <= height
    points = [point for g in groups(root, "branch") for point in corners(g)]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_the_contact_goes_downwards() -> None:
    tops = [y for _, y, _, _ in boxes(svg(chain(5)))]
    assert tops == sorted(tops)


def test_lambda_and_transfer_blocks_are_marked() -> None:
    drawn = groups(parsed(svg(Flow.parse(example_flow("InvokeLambdaFunction")))), "block")
    assert [g.get("class") for g in drawn] == ["block lambda start", "block end"]
    assert 'class="block transfer start"' in svg(Flow.parse(example_flow("TransferParticipantToThirdParty")))


def test_every_block_and_branch_carries_what_a_page_needs_to_light_it() -> None:
    root = parsed(svg(chain(2, back=True), prefix="f0-"))
    assert [(g.get("id"), g.get("data-block"), g.get("role")) for g in groups(root, "block")] == [
        ("f0-block-0", "b0", "img"),
        ("f0-block-1", "b1", "img"),
        ("f0-block-2", "b2", "img"),
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
    assert all(i.get("id", "f0-").startswith("f0-") for i in root.iter())


def test_every_branch_of_every_flow_is_in_its_picture(drawn: dict[str, str]) -> None:
    for name, flow in DRAWN.items():
        shown = Counter((g.get("data-from"), g.get("data-to")) for g in groups(parsed(drawn[name]), "branch"))
        assert shown == Counter((edge.source, edge.target) for edge in flow().edges())


def test_names_and_description_are_there_for_those_who_do_not_see_the_picture() -> None:
    root = parsed(svg(chain(3)))
    assert root.findtext(f"{SVG}title") == "chain & co"
    assert root.findtext(f"{SVG}desc") == (
        'A flow of 4 blocks and 6 branches, from top to bottom. It starts with: Prompt <0> & "more".'
    )
    told = {g.get("aria-label") for g in groups(root, "branch")}
    assert 'Prompt <0> & "more": error NoMatchingError → Disconnect' in told
    assert {g.findtext(f"{SVG}title") for g in groups(root, "branch")} == told
    (first, *_) = groups(root, "block")
    assert first.get("aria-label") == 'Prompt <0> & "more". Play prompt · b0 (MessageParticipant)'


def test_the_same_flow_gives_the_same_picture() -> None:
    assert svg(chain(30, back=True)) == svg(chain(30, back=True))


HEADLINES = {
    "AssociateContactToCustomerProfile": "Profile $.Customer.ProfileId",
    "AuthenticateParticipant": "Sign the customer in",
    "CheckHoursOfOperation": "OpeningHours",
    "CheckMetricData": "Number of contacts in queue",
    "CheckOutboundCallStatus": "Who or what has answered",
    "CheckSegmentMembership": "Is the customer in a segment",
    "CheckVoiceId": "Voice authentication",
    "Compare": "$.Channel",
    "CompleteOutboundCall": "Call from CallerNumber",
    "ConnectParticipantWithLexBot": "How can we help you?",
    "CreateCallbackContact": "SalesQueue",
    "CreateCase": "Call of $.CustomerEndpoint.Address",
    "CreateContact": "Start another contact",
    "CreateCustomerProfile": "By PhoneNumber = $.CustomerEndpoint.Address",
    "CreatePersistentContactAssociation": "Continue the chat of $.Attributes.firstContactId",
    "CreateTask": "Call back",
    "CreateWisdomSession": "Assistant",
    "DequeueContactAndTransferToQueue": "OverflowQueue",
    "DisconnectParticipant": "Disconnect",
    "DistributeByPercentage": "50 % / 50 %",
    "EndFlowExecution": "End of the flow",
    "EndFlowModuleExecution": "Return to the flow",
    "EvaluateDataTableValues": "Look up values of a data table",
    "GetCalculatedAttributesForCustomerProfile": "By PhoneNumber = $.CustomerEndpoint.Address",
    "GetCase": "By customer_id = $.Customer.ProfileId",
    "GetCustomerProfile": "By PhoneNumber = $.CustomerEndpoint.Address",
    "GetCustomerProfileObject": "By PhoneNumber = $.CustomerEndpoint.Address",
    "GetMetricData": "SalesQueue",
    "GetParticipantInput": "For sales press 1.",
    "InvokeFlowModule": "GreetingModule",
    "InvokeLambdaFunction": "FetchFunction",
    "ListDataTableValues": "List values of a data table",
    "LoadContactContent": "Email message",
    "Loop": "Repeat 3 times",
    "MessageParticipant": "Welcome.",
    "MessageParticipantIteratively": "Thank you for waiting., WaitingMusic",
    "RenderMessageTemplate": "MessageTemplate",
    "ResumeContact": "Resume the paused contact",
    "RouteContactToAgent": "Route to the agent",
    "ShowView": "Customer",
    "StartOutboundChatContact": "We missed your call.",
    "StartOutboundEmailContact": "Send an email",
    "StartVoiceIdStream": "Start the Voice ID stream",
    "TagContact": "campaign = spring",
    "TransferContactToAgent": "Transfer to the agent",
    "TransferContactToQueue": "To the working queue",
    "TransferParticipantToThirdParty": "OutsideNumber",
    "TransferToFlow": "NextFlow",
    "UntagContact": "Remove campaign",
    "UpdateCase": "status = closed",
    "UpdateContactAttributes": "tier = gold, caller = $.CustomerEndpoint.Address",
    "UpdateContactCallbackNumber": "$.CustomerEndpoint.Address",
    "UpdateContactData": "Language en-US",
    "UpdateContactEventHooks": "CustomerQueue = QueueFlow",
    "UpdateContactMediaProcessing": "ProcessFunction",
    "UpdateContactMediaStreamingBehavior": "Media streaming enabled",
    "UpdateContactRecordingAndAnalyticsBehavior": "Recording and analytics",
    "UpdateContactRecordingBehavior": "Record Agent, Customer",
    "UpdateContactRoutingBehavior": "Priority 1",
    "UpdateContactRoutingCriteria": "Language = French, DurationInSeconds = 30",
    "UpdateContactTargetQueue": "SalesQueue",
    "UpdateContactTextToSpeechVoice": "Joanna",
    "UpdateCustomerProfile": "By PhoneNumber = $.CustomerEndpoint.Address",
    "UpdateFlowAttributes": "tries = 0",
    "UpdateFlowLoggingBehavior": "Logging enabled",
    "UpdatePreviousContactParticipantState": "Off hold",
    "UpsertDataTableValues": "Write values to a data table",
    "Wait": "Wait 15 min",
}
"""What the example of each type does."""


@pytest.mark.parametrize("action_type", ACTIONS)
def test_every_action_type_is_told_by_what_it_does(action_type: str) -> None:
    flow = Flow.parse(example_flow(action_type), name=action_type)
    assert headline(flow.blocks[0], names(flow)) == HEADLINES[action_type]
    assert texts(svg(flow))[0][0].rstrip("…") in HEADLINES[action_type]
    assert HEADLINES[action_type][:60] in mermaid(flow).replace("&num;", "#")


def test_loops_islands_and_branches_to_nowhere_are_drawn_too() -> None:
    flow = example_flow("Loop")
    flow["Actions"][0]["Transitions"]["Conditions"][0]["NextAction"] = "the block"
    flow["Actions"][0]["Transitions"]["Conditions"][1]["NextAction"] = "nowhere"
    flow["Actions"].append({"Identifier": "island", "Type": "Wait", "Parameters": {}, "Transitions": {}})
    picture = svg(Flow.parse(flow))
    assert len(boxes(picture)) == 3
    assert [row[-1] for row in texts(picture)][2] == "nothing leads here"
    (nowhere,) = groups(parsed(picture), "nowhere")
    assert nowhere.findtext(f"{SVG}text") == "No block nowhere"
    assert "No block nowhere" in mermaid(Flow.parse(flow))
    (own,) = groups(parsed(picture), "return")
    assert (own.get("data-from"), own.get("data-to")) == ("the block", "the block")


def test_blocks_of_one_name_are_all_drawn() -> None:
    flow = example_flow("Loop")
    flow["Actions"].append(flow["Actions"][1])
    assert len(boxes(svg(Flow.parse(flow)))) == 3


def test_mermaid_says_what_the_svg_says_and_escapes_markup() -> None:
    flow = json.loads(json.dumps(example_flow("Compare")))
    flow["Actions"][0]["Parameters"]["ComparisonValue"] = 'a "quoted" <b'
    text = mermaid(Flow.parse(flow))
    assert "  start ==> b0\n" in text
    assert (
        '  b0["a &quot;quoted&quot; &lt;b<br/>Check contact attributes · the block"]:::kind_other\n' in text
    )
    assert '  b0 -->|"VOICE, begins with CH, no match"| b1' in text
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
    first["Parameters"] = {"ComparisonValue": text}
    first["Transitions"]["Conditions"][0]["Condition"]["Operands"] = [text]
    return Flow.parse(flow, name=text)


@needs_mermaid
def test_mermaids_own_parser_reads_every_picture() -> None:
    texts = {kind: mermaid(Flow.parse(example_flow(kind))) for kind in ACTIONS}
    texts |= {f"odd {text}": mermaid(odd(text)) for text in ODD}
    texts |= {name: mermaid(flow()) for name, flow in DRAWN.items()}
    texts |= {"loop": mermaid(chain(60, back=True)), "empty": mermaid(Flow("empty", "", ()))}
    nowhere = example_flow("Loop")
    nowhere["StartAction"] = "end [1]"
    nowhere["Actions"][0]["Transitions"]["Conditions"][1]["NextAction"] = 'no "where"'
    texts |= {"nowhere": mermaid(Flow.parse(nowhere))}
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
    assert [rows[:2] for rows in texts(svg(flow))] == [
        ["Good day.", "Play prompt"],
        ["Sales", "Set working queue"],
        ["Repeat 3 times", "Loop"],
        ["Weekdays", "Check hours of operation"],
        ["Disconnect"],
    ]
    assert [headline(block, names(flow)) in mermaid(flow) for block in flow.blocks] == [True] * 5


def test_words_are_told_without_their_markup_and_silence_as_such() -> None:
    said = {
        "<speak>A <prosody rate='slow'>b</prosody> , c.<break time='1s'/></speak>": "A b, c.",
        "<speak><break time='1500ms'/><break strength='weak' time='2s'/></speak>": "Silence of 3.5 s",
        "<speak></speak>": "Play prompt",
        "a < b <i> c": "a < b <i> c",
    }
    flow = console_export(*(("MessageParticipant", {"SSML": text}) for text in said))
    assert [headline(block, names(flow)) for block in flow.blocks[:-1]] == list(said.values())


def test_blocks_of_one_type_have_the_names_that_the_console_gives_them() -> None:
    blocks: dict[str, tuple[str, Json]] = {
        "Check queue status": ("CheckMetricData", {"MetricType": "NumberOfContactsInQueue"}),
        "Check staffing": ("CheckMetricData", {"MetricType": "NumberOfAgentsOnline"}),
        "Get customer input": ("GetParticipantInput", {"Text": "a", "StoreInput": "False"}),
        "Store customer input": ("GetParticipantInput", {"Text": "a", "StoreInput": "True"}),
        "Set hold flow": ("UpdateContactEventHooks", {"EventHooks": {"AgentHold": "${Hold}"}}),
    }
    drawn = texts(svg(console_export(*blocks.values())))
    assert [rows[1] for rows in drawn[:-1]] == list(blocks)


def test_no_picture_shows_a_uuid() -> None:
    shown = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")
    flow = console_export(
        ("UpdateContactTargetQueue", {"QueueId": QUEUE}),
        (
            "UpdateContactEventHooks",
            {"EventHooks": {"CustomerQueue": QUEUE.replace("queue", "contact-flow")}},
        ),
        ("InvokeFlowModule", {"FlowModuleId": UUIDS[5]}),
        ("NewBlock", {"Some": {"Inner": UUIDS[4]}}),
    )
    assert [rows[0] for rows in texts(svg(flow))] == [
        "Set working queue",
        "CustomerQueue",
        "Invoke module",
        "Some: Inner",
        "Disconnect",
    ]
    for drawn in (flow, *(tangle(seed) for seed in range(5))):
        assert not shown.search(" ".join(text for rows in texts(svg(drawn)) for text in rows))
        assert not shown.search(mermaid(drawn))


@pytest.mark.parametrize(
    "text", ["W" * 80, "i" * 80, "日" * 80, UUIDS[0], "MW " * 40, "$.Attributes." + "xY" * 60]
)
def test_no_text_is_wider_than_its_box(text: str) -> None:
    picture = svg(odd(text + "x"))
    for (x, _, wide, _), group in zip(boxes(picture), groups(parsed(picture), "block"), strict=True):
        for row in group.findall(f"{SVG}text"):
            bold = row.get("class") == "headline"
            size = {"headline": 13.0, "second": 10.5, "detail": 11.0}[row.attrib["class"]]
            assert float(row.attrib["x"]) + text_width(row.text or "", size, bold=bold) <= x + wide


def test_long_names_break_where_a_reader_would() -> None:
    flow = odd("$.External.CurrentRule_offerMessageType")
    assert texts(svg(flow))[0][:2] == ["$.External.CurrentRule_offer", "MessageType"]


def test_a_branch_back_is_at_the_side_and_says_which_way_it_goes() -> None:
    flow = console_export(("MessageParticipant", {"Text": "a"}), ("MessageParticipant", {"Text": "b"}))
    picture = svg(flow)
    (first, second, _) = boxes(picture)
    backward = {g.get("data-from"): g for g in groups(parsed(picture), "return")}
    line = corners(backward[UUIDS[1]])
    assert line[0][0] == first[0] + first[2]  # arrives at the right of the first,
    assert line[-1][0] == second[0] + second[2]  # leaves at the right of the second
    assert min(x for x, _ in line) >= min(first[0] + first[2], second[0] + second[2])
    (path, upward) = backward[UUIDS[1]].findall(f"{SVG}path")
    assert path.get("marker-start") == "url(#arrow-error)"  # a path begins at its target
    assert upward.get("class") == "up"
    (forward,) = (
        corners(g)
        for g in groups(parsed(picture), "success")
        if (g.get("data-from"), g.get("data-to")) == (UUIDS[0], UUIDS[1])
    )
    assert {x for x, _ in forward}.isdisjoint(x for x, _ in line)


def labels(flow: Flow) -> list[tuple[str, str]]:
    """Return class and text of the labels below the first block, from left to right."""
    found = []
    for group in groups(parsed(svg(flow)), "branch"):
        text = group.find(f"{SVG}text")
        if text is not None and group.get("data-from") == flow.start:
            found.append((float(text.attrib["x"]), (group.get("class") or "").split()[1], text.text or ""))
    return [(kind, text) for _, kind, text in sorted(found)]


def test_a_line_that_also_carries_the_success_says_so() -> None:
    flow = json.loads(json.dumps(example_flow("InvokeLambdaFunction")))
    assert labels(Flow.parse(flow)) == [("success", "next, error")]
    assert '==>|"next, error"|' in mermaid(Flow.parse(flow))
    flow["Actions"].append(
        {"Identifier": "sorry", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    )
    flow["Actions"][0]["Transitions"]["Errors"][0]["NextAction"] = "sorry"
    assert sorted(labels(Flow.parse(flow))) == [("error", "error"), ("success", "next")]


def test_a_block_with_one_way_out_needs_no_label() -> None:
    assert labels(Flow.parse(example_flow("UpdateFlowLoggingBehavior"))) == []


def test_a_next_action_that_is_never_taken_is_not_told() -> None:
    assert labels(Flow.parse(example_flow("CheckHoursOfOperation"))) == [
        ("condition", "in hours, out of hours +1")
    ]
    flow = Flow.parse(example_flow("TransferContactToQueue"))
    assert labels(flow) == [("error", "error, at capacity")]
    assert len(groups(parsed(svg(flow)), "branch")) == 3  # but it can be lit


def test_shares_of_contacts_are_told_in_percent() -> None:
    flow = json.loads(json.dumps(example_flow("DistributeByPercentage")))
    flow["Actions"][0]["Transitions"]["Conditions"].append(
        {"NextAction": "end", "Condition": {"Operator": "NumberLessThan", "Operands": ["80"]}}
    )
    drawn = Flow.parse(flow)
    assert headline(drawn.blocks[0], names(drawn)) == "50 % / 30 % / 20 %"
    assert labels(drawn) == [("condition", "50 %, 30 %, 20 %")]


def test_success_condition_and_error_differ_by_line_and_label_not_by_colour_alone() -> None:
    style = parsed(svg(chain(2))).findtext(f"{SVG}style") or ""
    lines = {
        kind: re.findall(r"stroke-(?:width|dasharray):[\d. ]+", found[1])
        for kind in ("success", "condition", "error")
        if (
            found := re.search(
                rf"\.flow \.{'line,.flow .up' if kind == 'success' else kind + ' .line'}{{([^}}]*)}}", style
            )
        )
    }
    assert lines == {
        "success": ["stroke-width:1.8"],
        "condition": ["stroke-width:1.3"],
        "error": ["stroke-width:1.2", "stroke-dasharray:5 4"],
    }


def test_a_wide_menu_is_folded() -> None:
    picture = svg(menu(30, 30))
    width = float(parsed(picture).attrib["viewBox"].split()[2])
    assert width <= 2400
    one = menu(12, 1)
    assert labels(one) == [("condition", "0 to 11, timeout +2")]
    (shown,) = [g for g in groups(parsed(svg(one)), "branch") if "also" not in (g.get("class") or "").split()]
    assert shown.get("data-branch") == "condition:0"
    assert len(groups(parsed(svg(one)), "also")) == 15


def test_the_legend_tells_what_the_picture_holds() -> None:
    (legend,) = groups(parsed(svg(menu(3, 2, back=True))), "legend")
    assert [t.text for t in legend.iter(f"{SVG}text")] == [
        "speaks to the customer, or asks",
        "ends",
        "condition is met",
        "error",
        "leads back",
    ]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("paper", ["canvas", "card"])
@pytest.mark.parametrize("ink", ["ink", "muted", "condition", "error", "success"])
def test_text_and_lines_stand_out_by_day_and_by_night(ink: str, paper: str, dark: bool) -> None:
    one, other = sorted((luminance(COLOURS[ink][dark]), luminance(COLOURS[paper][dark])))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def test_dark_mode_and_states_are_in_the_picture_itself() -> None:
    style = parsed(svg(chain(2))).findtext(f"{SVG}style") or ""
    _, dark = style.split("@media (prefers-color-scheme:dark)")
    for name, (light, night) in COLOURS.items():
        assert f"--flow-{name}:{light}" in style
        assert f"--flow-{name}:{night}" in dark
    assert all(f".block.{state} " in style and f".branch.{state} " in style for state in STATES)
    assert "<" not in style


@needs_browser
def test_a_browser_draws_all_text_in_its_frame_and_what_is_lit(drawn: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "pictures.html"
    wide = [svg(odd(text)) for text in ("W" * 99, "mM" * 50, "日" * 50, "fifty-ninth offer " * 9)]
    page.write_text(
        "<!DOCTYPE html><meta charset=utf-8>" + "".join([*drawn.values(), *wide]), encoding="utf-8"
    )
    seen = observe(HERE / "picture_checks.mjs", file=str(page))
    assert seen["texts"] > 1000
    assert seen["overflowing"] == []
    assert all(light != dark for light, dark in zip(seen["light"], seen["dark"], strict=True))
    assert not any(seen["hidden"])
    assert all(seen["lit"])
    assert (seen["complaints"], seen["requests"]) == ([], [])


@pytest.mark.parametrize("file", sorted((ROOT / "docs/pictures").glob("*.svg")), ids=lambda file: file.name)
def test_the_pictures_in_the_documents_are_those_of_the_flows(file: Path) -> None:
    source = f"flows/{file.stem}.json"
    flow = Flow.parse((ROOT / source).read_bytes(), name=source)
    drawn = svg(flow) == file.read_text(encoding="utf-8")
    assert drawn, f"connect-flows diagram {source} -o docs/pictures/{file.name}"
