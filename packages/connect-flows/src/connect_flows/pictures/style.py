"""How the parts of an SVG look: colours for light and dark, and what the states of a block or a branch change."""

from __future__ import annotations

from collections.abc import Mapping

COLOURS: Mapping[str, tuple[str, str]] = {
    "canvas": ("#fbfbfc", "#10151c"),
    "ink": ("#131a24", "#e8ecf2"),
    "muted": ("#566173", "#9aa6b6"),
    "success": ("#2c3748", "#b9c3d1"),
    "condition": ("#2459b0", "#86b1ff"),
    "error": ("#ad3345", "#f08c98"),
    "card": ("#ffffff", "#1a212b"),
    "edge": ("#c3cad4", "#3a4554"),
    "other": ("#8c97a8", "#66748a"),
    "voice": ("#3b8750", "#58b374"),
    "lambda": ("#d07a1c", "#e6a24f"),
    "transfer": ("#2f6fb3", "#6eaef2"),
    "end": ("#a8324a", "#ee7d90"),
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
FONT = "Helvetica,Arial,'Liberation Sans',sans-serif"


def css() -> str:
    """Return the style sheet of a picture; it touches nothing outside ``svg.flow``."""
    rules = [_variables(0), f"@media (prefers-color-scheme:dark){{{_variables(1)}}}"]
    rules += [
        f".flow{{font-family:{FONT}}}",
        f".flow .canvas{{{paint('fill', 'canvas')}}}",
        f".flow .card{{{paint('fill', 'card')};{paint('stroke', 'edge')};stroke-width:1.2}}",
        *(
            f".flow .{kind} .band{{{paint('fill', kind)}}}"
            for kind in ("voice", "lambda", "transfer", "end", "other")
        ),
        f".flow .nowhere .card{{{paint('stroke', 'error')};stroke-dasharray:4 3}}",
        f".flow text{{{paint('fill', 'ink')}}}",
        ".flow .headline{font-size:13px;font-weight:700}",
        f".flow .second{{font-size:10.5px;{paint('fill', 'muted')}}}",
        ".flow .detail{font-size:11px}",
        f".flow .warns{{font-style:italic;{paint('fill', 'error')}}}",
        f".flow .legend-text{{font-size:10.5px;{paint('fill', 'muted')}}}",
        ".flow .entry .name{font-size:11px;font-weight:700}",
        f".flow .pill{{{paint('fill', 'canvas')};{paint('stroke', 'success')};stroke-width:1.2}}",
        ".flow .label{font-size:10.5px}",
        f".flow .line,.flow .up{{fill:none;{paint('stroke', 'success')};stroke-width:1.8}}",
    ]
    for kind, width, dashes in (("condition", 1.3, ""), ("error", 1.2, ";stroke-dasharray:5 4")):
        rules += [
            f".flow .{kind} .line{{{paint('stroke', kind)};stroke-width:{width}{dashes}}}",
            f".flow .{kind} .up{{{paint('stroke', kind)}}}",
            f".flow .{kind} .pill{{{paint('stroke', kind)};stroke-width:1{dashes}}}",
            f".flow .{kind} .label{{{paint('fill', kind)}}}",
        ]
    rules += [f".flow .arrow.{kind}{{{paint('fill', kind)}}}" for kind in ("success", "condition", "error")]
    rules.append(".flow .also .line{stroke:none;marker:none}")
    for state in STATES:
        rules += [
            f".flow .block.{state} .card{{{paint('stroke', state)};stroke-width:3}}",
            f".flow .branch.{state} .line{{{paint('stroke', state)};stroke-width:3}}",
            f".flow .branch.{state} .pill{{{paint('stroke', state)};stroke-width:2}}",
        ]
    return "".join(rules)


def paint(what: str, colour: str) -> str:
    """Return a declaration that renderers without custom properties understand, too."""
    return f"{what}:{COLOURS[colour][0]};{what}:var(--flow-{colour})"


def _variables(which: int) -> str:
    return f"svg.flow{{{';'.join(f'--flow-{name}:{pair[which]}' for name, pair in COLOURS.items())}}}"
