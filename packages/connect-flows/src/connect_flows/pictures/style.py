"""How the parts of an SVG look: colours for light and dark, and what the states of a block or a branch change."""

from __future__ import annotations

from collections.abc import Mapping

COLOURS: Mapping[str, tuple[str, str]] = {
    "canvas": ("#fbfbfc", "#0f141b"),
    "ink": ("#111827", "#e6eaf0"),
    "muted": ("#596273", "#9aa5b4"),
    "line": ("#374151", "#aeb8c6"),
    "error": ("#a33a4a", "#f08c98"),
    "condition": ("#2f5fb3", "#86b1ff"),
    "card": ("#ffffff", "#1b222c"),
    "edge": ("#8a93a3", "#566273"),
    "voice": ("#e6f5e9", "#17301f"),
    "voice-edge": ("#3b8750", "#5fb87a"),
    "lambda": ("#fff1d6", "#38290f"),
    "lambda-edge": ("#c26f17", "#e6a24f"),
    "transfer": ("#e1efff", "#14283f"),
    "transfer-edge": ("#2f6fb3", "#6eaef2"),
    "end": ("#f3e3e6", "#38191f"),
    "end-edge": ("#a8324a", "#ee7d90"),
    "lit": ("#e0a800", "#ffd24a"),
    "passed": ("#1f8a4c", "#4fd08a"),
    "added": ("#1f8a4c", "#4fd08a"),
    "removed": ("#c22f3f", "#ff7b88"),
    "changed": ("#b36b00", "#ffb547"),
    "finding": ("#c22f3f", "#ff7b88"),
}
"""Custom property (after "--flow-") -> its colour on a light and on a dark page."""
STATES = ("passed", "added", "removed", "changed", "finding", "lit")
"""Classes that a page puts on the groups of blocks and branches; the last one wins."""


def css() -> str:
    """Return the style sheet of a picture; it touches nothing outside ``svg.flow``."""
    rules = [_variables(0), f"@media (prefers-color-scheme:dark){{{_variables(1)}}}"]
    rules += [
        "svg.flow{font-family:system-ui,sans-serif}",
        f".flow .canvas{{{paint('fill', 'canvas')}}}",
        f".flow .card{{{paint('fill', 'card')};{paint('stroke', 'edge')};stroke-width:1.4}}",
        ".flow .start .card{stroke-width:3}",
        *(
            f".flow .{kind} .card{{{paint('fill', kind)};{paint('stroke', kind + '-edge')}}}"
            for kind in ("voice", "lambda", "transfer", "end")
        ),
        f".flow text{{{paint('fill', 'ink')}}}",
        ".flow .headline{font-weight:600}",
        ".flow .label{font-size:10px}",
        f".flow .line{{fill:none;{paint('stroke', 'line')};stroke-width:1.6}}",
        f".flow .error .line{{{paint('stroke', 'error')};stroke-width:1.2;stroke-dasharray:5 4}}",
        ".flow .also .line{stroke:none;marker:none}",
        f".flow .arrow{{{paint('fill', 'line')}}}",
        f".flow .arrow-error{{{paint('fill', 'error')}}}",
    ]
    for state in STATES:
        rules += [
            f".flow .block.{state} .card{{{paint('stroke', state)};stroke-width:3}}",
            f".flow .branch.{state} .line{{{paint('stroke', state)};stroke-width:3}}",
        ]
    return "".join(rules)


def paint(what: str, colour: str) -> str:
    """Return a declaration that renderers without custom properties understand, too."""
    return f"{what}:{COLOURS[colour][0]};{what}:var(--flow-{colour})"


def _variables(which: int) -> str:
    return f"svg.flow{{{';'.join(f'--flow-{name}:{pair[which]}' for name, pair in COLOURS.items())}}}"
