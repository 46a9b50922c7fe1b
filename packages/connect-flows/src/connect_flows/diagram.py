"""Diagrams of a flow: Mermaid text for documents, and SVG.

fast-sugiyama (extra ``svg``) lays out the SVG in layers from top to bottom. Branches for errors are thin and grey,
Lambda and transfer blocks are coloured.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from connect_flows.diagnostics import one_line
from connect_flows.model import Block, EdgeKind, Flow
from connect_flows.naming import Names, names

WIDTH, HEIGHT = 210, 62
COLUMN, ROW = 2.35, 1.35  # picture units for one unit of the layout
SPACING = 100
MARGIN = 40
BULGE = 46  # how far a line that leads back swings out at the side

KINDS: Mapping[str, tuple[str, str]] = {
    "lambda": ("#fff1d6", "#d9822b"),
    "transfer": ("#e1efff", "#2f6fb3"),
    "end": ("#f3e3e6", "#a8324a"),
    "voice": ("#e6f5e9", "#3b8750"),
    "other": ("#ffffff", "#6b7280"),
}
"""Kind of block -> fill and outline."""
_TRANSFERS = {"TransferToFlow", "TransferContactToQueue", "TransferContactToAgent", "TransferParticipantToThirdParty",
              "DequeueContactAndTransferToQueue", "InvokeFlowModule", "RouteContactToAgent"}  # fmt: skip
_ENDS = {"DisconnectParticipant", "EndFlowExecution", "EndFlowModuleExecution"}
_VOICE = {"MessageParticipant", "MessageParticipantIteratively", "GetParticipantInput", "ConnectParticipantWithLexBot",
          "ShowView"}  # fmt: skip

_TELLING = (
    "Text", "SSML", "ComparisonValue", "LambdaFunctionARN", "QueueId", "AgentId", "ContactFlowId", "FlowModuleId",
    "HoursOfOperationId", "PromptId", "ThirdPartyPhoneNumber", "LoopCount", "MetricType", "TextToSpeechVoice",
    "TaskTemplateId", "CaseTemplateId", "WisdomAssistantArn", "FlowLoggingBehavior", "TimeLimitSeconds",
)  # fmt: skip
"""Parameters that tell what a block does, those that tell most first."""
_UNITS = {"LoopCount": " times", "TimeLimitSeconds": " s"}
_NESTED = (
    "Attributes", "FlowAttributes", "EventHooks", "Messages", "ViewResource", "LexV2Bot", "LexBot", "VoiceConnector",
    "RecordingBehavior", "Media", "Events", "Tags",
)  # fmt: skip
"""The same for objects and lists."""
_GENERATED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")

_CLASS = "kind_"
"""Begins the names of Mermaid's classes: some words, such as end, mean something else to Mermaid."""


class DiagramError(RuntimeError):
    """The diagram cannot be drawn here; the message says what to install."""


@dataclass(frozen=True)
class Line:
    """All branches from one block to another as one line."""

    source: str
    target: str
    label: str
    error: bool


def kind_of(block: Block) -> str:
    """Return the kind of block, which determines its colour."""
    if block.type == "InvokeLambdaFunction":
        return "lambda"
    for kind, types in (("transfer", _TRANSFERS), ("end", _ENDS), ("voice", _VOICE)):
        if block.type in types:
            return kind
    return "other"


def lines(flow: Flow) -> list[Line]:
    """Return the branches between existing blocks in the flow's order, those of a pair joined."""
    known = flow.by_identifier
    joined: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for edge in flow.edges():
        if edge.target in known:
            label = edge.label.removeprefix("Equals ") if edge.kind is EdgeKind.CONDITION else edge.label
            joined.setdefault((edge.source, edge.target), []).append((label, edge.kind is EdgeKind.ERROR))
    return [
        Line(
            source,
            target,
            ", ".join(dict.fromkeys(_labels([label for label, _ in all_], known[source]))),
            all(e for _, e in all_),
        )
        for (source, target), all_ in joined.items()
    ]


def _labels(labels: Sequence[str], block: Block) -> list[str]:
    """Return the labels for a joined line; the success path is named beside others, unless conditions decide."""
    beside = any(labels) and not block.transitions.conditions
    return [label or "next" for label in labels if label or beside]


def summary(block: Block, known: Names | None = None) -> str:
    """Return what the block does in a few words: its prompt, resource, attribute or setting, by name if known."""
    for name in _TELLING:
        value = block.parameters.get(name)
        if isinstance(value, str) and value:
            return f"{_value(value, known)}{_UNITS.get(name, '')}"
    inner = _first(block.parameters)
    if isinstance(inner, Mapping):
        return ", ".join(
            f"{k}: {_value(v, known)}" if isinstance(v, str) else str(k) for k, v in inner.items()
        )
    return _value(inner, known) if isinstance(inner, str) else ""


def headline(block: Block, known: Names | None = None) -> str:
    """Return what stands for the block: its identifier, or what it does if the console has generated that."""
    if not _GENERATED.fullmatch(block.identifier):
        return block.identifier
    return summary(block, known) or words_of(block.type)


def words_of(action_type: str) -> str:
    """Return an action type as words: "MessageParticipant" -> "Message participant"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", action_type).capitalize()


def _first(parameters: Mapping[str, Any]) -> object:
    """Return the first parameter that says something, looking into the objects and lists that hold it."""
    for name in _NESTED:
        value = parameters.get(name)
        if isinstance(value, list | tuple) and value:
            first = value[0]
            inner = (
                [v for v in first.values() if isinstance(v, str)] if isinstance(first, Mapping) else [first]
            )
            return next((v for v in inner if isinstance(v, str)), "")
        if isinstance(value, Mapping) and value:
            return value
    return next((v for v in parameters.values() if isinstance(v, str) and v), "")


def _value(value: str, known: Names | None) -> str:
    name = known.name(value) if known is not None else None
    if name is not None:
        return name
    if value.startswith("arn:"):
        last = value.rpartition("/")[2].rpartition(":")[2]
        return "" if _GENERATED.fullmatch(last) else last
    if _GENERATED.fullmatch(value):
        return ""
    return re.sub(r" (?=[.,;:!?])", "", " ".join(_TAG.sub(" ", value).split())) if "<" in value else value


def mermaid(flow: Flow) -> str:
    """Return the flow as a Mermaid flowchart."""
    number = {block.identifier: f"b{i}" for i, block in enumerate(flow.blocks)}
    known = names(flow)
    out = ["flowchart TD", '  start(("start"))']
    for block in flow.blocks:
        parts = [
            one_line(block.type, 60),
            one_line(headline(block, known), 60),
            one_line(summary(block, known), 60),
        ]
        text = "<br/>".join(_mermaid_text(part) for part in dict.fromkeys(parts) if part)
        out.append(f'  {number[block.identifier]}["{text}"]:::{_CLASS}{kind_of(block)}')
    drawn = [f"  start --> {number[flow.start]}"] if flow.start in number else []
    grey = []
    for line in lines(flow):
        arrow = "-.->" if line.error else "-->"
        label = f'|"{_mermaid_text(one_line(line.label, 60))}"|' if line.label else ""
        if line.error:
            grey.append(str(len(drawn)))
        drawn.append(f"  {number[line.source]} {arrow}{label} {number[line.target]}")
    out += drawn
    if grey:
        out.append(f"  linkStyle {','.join(grey)} stroke:#b8bcc4,color:#8a8f98")
    out += [
        f"  classDef {_CLASS}{kind} fill:{fill},stroke:{stroke}" for kind, (fill, stroke) in KINDS.items()
    ]
    return "\n".join(out) + "\n"


def svg(flow: Flow) -> str:
    """Return the flow as SVG. Raises DiagramError when the layout library is not installed."""
    if not flow.blocks:
        raise DiagramError(f"{flow.name} has no block to draw")
    all_lines = lines(flow)
    places, routes = _layout(flow, all_lines)
    width = max(x for x, _ in places.values()) + WIDTH / 2 + MARGIN + BULGE
    height = max(y for _, y in places.values()) + HEIGHT / 2 + MARGIN
    for route in routes.values():
        width = max([width, *(x + MARGIN for x, _ in route)])
    leaving = Counter(line.source for line in all_lines)
    body = [
        _line(line, places, routes, alone=leaving[line.source] == 1)
        for line in sorted(all_lines, key=lambda line: not line.error)
    ]
    known = names(flow)
    body += [
        _box(block, places[block.identifier], known, start=block.identifier == flow.start)
        for block in flow.blocks
    ]
    title = escape(one_line(flow.name, 200))
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
                f' height="{height:.0f}" font-family="system-ui, sans-serif" role="img" aria-label="{title}">'
            ),
            f"<title>{title}</title>",
            "<defs>",
            *(
                f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
                f' orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
                for name, colour in (("arrow", "#374151"), ("error", "#b8bcc4"))
            ),
            "</defs>",
            '<rect width="100%" height="100%" fill="#fbfbfc"/>',
            *body,
            "</svg>",
            "",
        ]
    )


Point = tuple[float, float]


def _layout(
    flow: Flow, all_lines: Sequence[Line]
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """Return the middle of each block, and for lines over several layers the points between."""
    order = [block.identifier for block in flow.blocks]
    number = {name: i for i, name in enumerate(order)}
    # The library only takes acyclic graphs: edges that close a cycle are laid out in reverse.
    backward = _closing(flow, all_lines)
    forward = {
        (line.target, line.source) if (line.source, line.target) in backward else (line.source, line.target)
        for line in all_lines
        if line.source != line.target
    }
    edges = sorted({(number[a], number[b]) for a, b in forward})
    places: dict[int, Point] = {}
    successors: dict[int, list[int]] = {}
    left = 0.0
    for positions, breadth, _, drawn in _layers(edges):
        top = max(y for _, (_, y) in positions)
        for node, (x, y) in positions:
            places[node] = ((left + x) * COLUMN + WIDTH / 2 + MARGIN, (top - y) * ROW + HEIGHT / 2 + MARGIN)
        for source, target in drawn or ():
            successors.setdefault(source, []).append(target)
        left += breadth + SPACING
    for node in range(len(order)):
        if node not in places:  # a block without branches to others
            places[node] = (left * COLUMN + WIDTH / 2 + MARGIN, HEIGHT / 2 + MARGIN)
            left += SPACING
    routes = {}
    for a, b in edges:
        between = _between(a, b, successors, len(order))
        points = [places[node] for node in between]
        routes[order[a], order[b]] = points
        routes[order[b], order[a]] = points[::-1]
    return {name: places[i] for i, name in enumerate(order)}, routes


def _layers(edges: list[tuple[int, int]]) -> Any:  # noqa: ANN401 - the library's own nested tuples
    if not edges:
        return []
    try:
        from fast_sugiyama import from_edges  # noqa: PLC0415 - only SVG needs the extra
    except ImportError as problem:
        raise DiagramError("SVG needs a layout library: pip install 'connect-flows[svg]'") from problem
    return from_edges(edges, dummy_vertices=True, vertex_spacing=SPACING)


def _between(source: int, target: int, successors: Mapping[int, list[int]], blocks: int) -> list[int]:
    """Return the bend points (nodes that are not blocks) between source and target."""
    for first in successors.get(source, []):
        path, node = [], first
        while node >= blocks:
            path.append(node)
            node = successors[node][0]
        if node == target:
            return path
    return []


def _closing(flow: Flow, all_lines: Sequence[Line]) -> set[tuple[str, str]]:
    """Return the edges that lead back to a block on the path from the start."""
    following: dict[str, list[str]] = {block.identifier: [] for block in flow.blocks}
    for line in all_lines:
        following[line.source].append(line.target)
    state: dict[str, int] = {}  # 1 in progress, 2 done
    found = set()
    for root in [flow.start, *following]:
        if root in state or root not in following:
            continue
        work = [(root, iter(following[root]))]
        state[root] = 1
        while work:
            name, rest = work[-1]
            target = next(rest, None)
            if target is None:
                state[name] = 2
                work.pop()
            elif target not in state:
                state[target] = 1
                work.append((target, iter(following[target])))
            elif state[target] == 1:
                found.add((name, target))
    return found


def _line(
    line: Line, places: Mapping[str, Point], routes: Mapping[tuple[str, str], list[Point]], *, alone: bool
) -> str:
    """Draw a line; ``alone`` if its block has no other."""
    colour, width, marker = ("#b8bcc4", 1, "error") if line.error else ("#374151", 1.6, "arrow")
    (x1, y1), (x2, y2) = places[line.source], places[line.target]
    if line.source == line.target:
        side = x1 + WIDTH / 2
        far = side + 46
        path = f"M{side:.0f} {y1 - 14:.0f}C{far:.0f} {y1 - 30:.0f} {far:.0f} {y1 + 30:.0f} {side:.0f} {y1 + 14:.0f}"
        label_at = (side + 8, y1 + 34)
    elif y2 <= y1:  # back: from side to side, off the way down
        path, label_at = _back(
            (x1 + WIDTH / 2, y1), (x2 + WIDTH / 2, y2), routes.get((line.source, line.target), [])
        )
    else:
        begin, end = (x1, y1 + HEIGHT / 2), (x2, y2 - HEIGHT / 2)
        points = [begin, *routes.get((line.source, line.target), []), end]
        path = f"M{begin[0]:.0f} {begin[1]:.0f}"
        for (ax, ay), (bx, by) in pairwise(points):
            middle = (ay + by) / 2
            path += f"C{ax:.0f} {middle:.0f} {bx:.0f} {middle:.0f} {bx:.0f} {by:.0f}"
        (ax, ay), (bx, by) = points[0], points[1]
        # Near the end of the first segment the lines of one block have parted; those of several meet there.
        along, below = (0.35, 0.4) if alone else (0.92, 0.72)
        label_at = (ax + (bx - ax) * along + 4, ay + (by - ay) * below)
    dashes = ' stroke-dasharray="4 3"' if line.error else ""
    out = (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes} marker-end="url(#{marker})">'
        f"<title>{escape(one_line(line.label or 'next', 300))}</title></path>"
    )
    if line.label:
        text = escape(one_line(line.label, 26))
        grey = "#9aa0aa" if line.error else "#111827"
        at = f'x="{label_at[0]:.0f}" y="{label_at[1]:.0f}" font-size="10"'
        # The halo is a separate text below: not every renderer supports paint-order.
        out += f'<text {at} fill="none" stroke="#fbfbfc" stroke-width="3">{text}</text>'
        out += f'<text {at} fill="{grey}">{text}</text>'
    return out


def _back(begin: Point, end: Point, between: Sequence[Point]) -> tuple[str, Point]:
    """Return the path of a line that leads back, and the place of its label."""
    (x1, y1), (x2, y2) = begin, end
    if not between:
        far = max(x1, x2) + BULGE
        path = f"M{x1:.0f} {y1:.0f}C{far:.0f} {y1:.0f} {far:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
        return path, (x1 + 6, y1 - 6)
    first, last = between[0], between[-1]
    path = (
        f"M{x1:.0f} {y1:.0f}C{x1 + BULGE:.0f} {y1:.0f} {first[0]:.0f} {y1:.0f} {first[0]:.0f} {first[1]:.0f}"
    )
    for (ax, ay), (bx, by) in pairwise(between):
        middle = (ay + by) / 2
        path += f"C{ax:.0f} {middle:.0f} {bx:.0f} {middle:.0f} {bx:.0f} {by:.0f}"
    path += f"C{last[0]:.0f} {y2:.0f} {x2 + BULGE:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return path, (x1 + 6, y1 - 6)


def _box(block: Block, place: Point, known: Names, *, start: bool) -> str:
    fill, stroke = KINDS[kind_of(block)]
    x, y = place[0] - WIDTH / 2, place[1] - HEIGHT / 2
    top, below = headline(block, known), summary(block, known)
    rows = [(top, 12, "600"), (block.type, 9.5, "400"), ("" if below == top else below, 10, "400")]
    texts = "".join(
        f'<text x="{place[0]:.0f}" y="{y + 18 + 17 * i:.0f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="middle" fill="#111827">{escape(_fitting(text, size))}</text>'
        for i, (text, size, weight) in enumerate(rows)
        if text
    )
    full = escape(one_line(f"{block.identifier} ({block.type}) {below}", 500))
    return (
        f'<g class="{kind_of(block)}"><title>{full}</title><rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}"'
        f' height="{HEIGHT}" rx="{20 if start else 7}" fill="{fill}" stroke="{stroke}"'
        f' stroke-width="{3 if start else 1.4}"/>{texts}</g>'
    )


def _fitting(text: str, size: float) -> str:
    """Return as much of the text as a box is wide, at the usual widths of a sans-serif font."""
    line, room = one_line(text, 80), WIDTH - 16
    if sum(_width(c) for c in line) * size <= room:
        return line
    kept = ""
    for character in line:
        if sum(_width(c) for c in f"{kept}{character}…") * size > room:
            break
        kept += character
    return kept.rstrip("…") + "…"


def _width(character: str) -> float:
    """Return the width of a character in units of the font's size; on the wide side."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return (
        0.3
        if character in "ijl.,:;'|! "
        else 0.9
        if character in "mwMW@…%"
        else 0.7
        if character.isupper()
        else 0.58
    )


def _mermaid_text(text: str) -> str:
    for character, entity in (
        ("&", "&amp;"),
        ('"', "&quot;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("#", "&num;"),
        ("`", "&grave;"),
    ):
        text = text.replace(character, entity)
    return text
