"""The HTML document of a run, for the report and for the live page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files

from connect_flows.page.document import assembled, part, zoom_buttons
from connect_flows.pictures.style import css

_KEYS = (
    (("Space",), "play, pause"),
    (("←", "→"), "block by block; with Shift: event by event"),
    (("Home", "End"), "first and last event"),
    (("e",), "next problem"),
    (("[", "]"), "previous and next in the list"),
    (("/",), "search; Enter: next result"),
    (("+", "-", "0"), "on the picture: zoom, whole picture"),
)
_MARKS = (("lit", "the block that plays"), ("passed", "the way behind it"), ("finding", "went wrong there"))
_TABS = (
    ("calls", "Functions"),
    ("attributes", "Attributes"),
    ("messages", "Messages"),
    ("items", "Items"),
    ("decisions", "IAM"),
    ("block", "Block"),
)
_ICONS = {
    "back": "M4 3h2v10H4zM13 3v10L7 8z",
    "play": "M4 2.5v11l9-5.5z",
    "step": "M3 3v10l6-5zM10 3h2v10h-2z",
}
SPEEDS = ("0.5", "1", "2", "5", "20")


def document(title: str, *, run: str = "", live: bool = False) -> str:
    """Return the page. run: the events, packed (`report.packed`); live: they come from the server that it is from."""
    return assembled(
        title,
        _body(title, run, live=live),
        {"title": title, "live": live},
        styles=[css(), part("viewer.css"), _file("page.css")],
        scripts=[
            part("viewer.js"),
            *(_file(name) for name in ("run.js", "views.js", "player.js")),
            _file("live.js" if live else "report.js"),
        ],
        connects="'self'" if live else "",
    )


def _body(title: str, run: str, *, live: bool) -> Iterator[str]:
    yield from _top(title, live=live)
    yield '<noscript><p class="notice">This page needs JavaScript.</p></noscript>'
    yield '<main id="main">'
    yield from _list()
    yield '<section class="stage" aria-label="Flow">'
    yield '<div id="outcome" hidden></div>'
    yield '<div class="stage-head"><h2 id="flow-name">Flow</h2><p id="where"></p>'
    yield from zoom_buttons()
    yield "</div>"
    yield '<div id="panes"><p class="empty" id="no-picture">Nothing has played yet.</p></div>'
    yield from _transport(live=live)
    yield "</section>"
    yield '<section class="words" aria-labelledby="words-title"><h2 id="words-title">Transcript</h2>'
    yield '<div class="scrolls" id="transcript" tabindex="0" role="group" aria-labelledby="words-title">'
    yield '<ol id="entries"></ol></div>'
    if live:
        yield '<div id="phone" hidden></div>'
    yield "</section>"
    yield from _facts()
    yield "</main>"
    yield '<p id="said" class="unseen" role="status"></p>'
    if live:
        yield '<dialog id="dialog" aria-labelledby="dialog-title"></dialog>'
    if run:
        yield f'<script type="text/plain" id="run">{run}</script>'


def _top(title: str, *, live: bool) -> Iterator[str]:
    yield '<header class="top">'
    yield f"<h1>{escape(title)}</h1>"
    yield '<p id="summary"></p>'
    if live:
        yield '<div class="actions">'
        yield '<button type="button" id="new-call" class="main">New call or chat</button>'
        yield '<button type="button" id="faults-button">Faults</button>'
        yield "</div>"
    yield '<form role="search" id="search">'
    yield '<label for="query" class="unseen">Search</label>'
    yield '<input type="search" id="query" placeholder="Search words, blocks, values" autocomplete="off">'
    yield '<button type="submit">Next</button>'
    yield '<output id="count" for="query"></output>'
    yield "</form>"
    yield "</header>"


def _list() -> Iterator[str]:
    yield '<nav class="list" aria-label="Scenarios and contacts" id="list">'
    yield '<p class="empty" id="nothing">Reading the run …</p>'
    yield '<div id="subjects"></div>'
    yield '<details class="help"><summary>Keys and marks</summary><dl>'
    for names, words in _KEYS:
        yield f"<dt>{' '.join(f'<kbd>{name}</kbd>' for name in names)}</dt><dd>{escape(words)}</dd>"
    for mark, words in _MARKS:
        yield f'<dt><span class="swatch {mark}"></span></dt><dd>{words}</dd>'
    yield "</dl></details></nav>"


def _facts() -> Iterator[str]:
    yield '<section class="facts" aria-label="What it set off">'
    yield '<div role="tablist" aria-label="What it set off">'
    for number, (key, words) in enumerate(_TABS):
        chosen = "false" if number else "true"
        yield (
            f'<button type="button" role="tab" id="tab-{key}" aria-controls="panel-{key}" aria-selected="{chosen}"'
            f' tabindex="{-1 if number else 0}">{words}<span class="count"></span></button>'
        )
    yield "</div>"
    for number, (key, _) in enumerate(_TABS):
        hidden = " hidden" if number else ""
        yield (
            f'<div role="tabpanel" class="scrolls" id="panel-{key}" aria-labelledby="tab-{key}" tabindex="0"{hidden}>'
            "</div>"
        )
    yield "</section>"


def _transport(*, live: bool) -> Iterator[str]:
    yield '<div class="transport" role="group" aria-label="Replay">'
    for name, label in (("back", "Step back"), ("play", "Play"), ("step", "Step")):
        yield f'<button type="button" id="{name}" title="{label}">'
        yield f'<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{_ICONS[name]}"/></svg>'
        yield f'<span class="unseen">{label}</span></button>'
    yield '<div class="track"><input type="range" id="slider" min="0" max="0" value="0" step="1" aria-label="Event">'
    yield '<div id="marks" aria-hidden="true"></div></div>'
    yield '<output id="clock" for="slider"></output>'
    yield '<label for="speed" class="unseen">Speed</label><select id="speed">'
    for speed in SPEEDS:
        chosen = " selected" if speed == "1" else ""
        yield f'<option value="{speed}"{chosen}>{speed.replace("0.5", "½")}\u00d7</option>'
    yield "</select>"
    yield '<button type="button" id="trouble" hidden>Next problem</button>'
    if live:
        yield '<button type="button" id="now" aria-pressed="true">Live</button>'
    yield "</div>"


@cache
def _file(name: str) -> str:
    return (files("connect_sandbox.viewer") / name).read_text(encoding="utf-8").strip()
