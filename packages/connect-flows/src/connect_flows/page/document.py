"""The HTML document around the page's parts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

from connect_flows.diagnostics import one_line

_SVG = "{http://www.w3.org/2000/svg}"
_KEYS = (
    (("Tab",), "to the picture, then to its blocks"),
    (("←", "→", "↑", "↓"), "from block to block; on the picture, or with Shift: move it"),
    (("Enter",), "details of the block; Esc goes back"),
    (("+", "-", "0"), "zoom; whole picture"),
    (("Home",), "first block"),
    (("/", "n", "p"), "search, next and previous result"),
    (("wheel", "drag"), "zoom and move, with Shift: sideways"),
)


@dataclass
class Pictures:
    """Puts several SVG pictures into one document, which holds their style once."""

    styles: list[str] = field(default_factory=list)

    def markup(self, picture: str, *, label: str) -> str:
        """Return the picture's markup for an HTML document.

        Blocks become buttons, which the page's script makes reachable by keyboard.
        """
        root = ET.fromstring(picture)  # noqa: S314 - our own output
        for parent in list(root.iter()):
            for child in list(parent):
                if child.tag == f"{_SVG}style":
                    self._take(child.text or "")
                    parent.remove(child)
        for element in root.iter():
            element.tag = str(element.tag).removeprefix(_SVG)
            if element.tag == "g" and "data-block" in element.attrib:
                element.set("role", "button")
                element.set("tabindex", "-1")
        for name in ("width", "height"):
            root.attrib.pop(name, None)
        root.set("role", "group")
        root.set("aria-label", one_line(label, 300))
        for title in root.findall("title"):  # a browser would show it wherever the pointer rests
            root.remove(title)
        return ET.tostring(root, encoding="unicode")

    def _take(self, style: str) -> None:
        if "</" in style:
            raise ValueError("the picture's style holds a tag")
        if style not in self.styles:
            self.styles.append(style)


def document(
    title: str, body: Iterable[str], data: object, *, styles: Sequence[str], scripts: Sequence[str]
) -> str:
    """Return the HTML document. scripts: names of this package's script files; styles: further style sheets."""
    return assembled(
        title,
        body,
        data,
        styles=[*styles, part("viewer.css"), part("page.css")],
        scripts=[part(name) for name in scripts],
    )


def assembled(
    title: str,
    body: Iterable[str],
    data: object,
    *,
    styles: Sequence[str],
    scripts: Sequence[str],
    connects: str = "",
) -> str:
    """Return an HTML document of style sheets and scripts, in this order, that loads and runs nothing else.

    connects: where its scripts may send requests, as the Content-Security-Policy has it; nowhere by default.
    """
    style = "\n" + "\n".join(each.strip() for each in styles) + "\n"
    script = "\n" + "\n".join(['"use strict";', *(each.strip() for each in scripts)]) + "\n"
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        + (f"connect-src {connects}; " if connects else "")
        + "base-uri 'none'; form-action 'none'"
    )
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(one_line(title, 200))}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        *body,
        f'<script type="application/json" id="data">{as_data(data)}</script>',
        f"<script>{script}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def as_data(data: Any) -> str:  # noqa: ANN401 - JSON
    """Return the JSON text such that no part of it can end the element that holds it."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def zoom_buttons() -> Iterator[str]:
    """Yield the buttons that change the size of the pictures."""
    yield '<div class="zoom" role="group" aria-label="Size of the picture">'
    for name, sign, label in (
        ("out", "\u2212", "Zoom out"),
        ("in", "+", "Zoom in"),
        ("fit", "", "Fit"),
        ("start", "", "Start"),
    ):
        words = (
            f'<span aria-hidden="true">{sign}</span><span class="unseen">{label}</span>' if sign else label
        )
        yield f'<button type="button" data-zoom="{name}">{words}</button>'
    yield "</div>"


def keys(*marks: tuple[str, str]) -> Iterator[str]:
    """Yield the legend: what the marks (a class of page.css, and words) and the keys mean."""
    yield '<details class="help"><summary>Marks and keys</summary>'
    yield "<ul>"
    for kind, words in marks:
        swatch = f'<span class="swatch swatch-{kind}"></span> ' if kind else ""
        yield f"<li>{swatch}{escape(words)}</li>"
    yield "</ul>"
    yield "<dl>"
    for names, words in _KEYS:
        shown = " ".join(f"<kbd>{name}</kbd>" for name in names)
        yield f"<dt>{shown}</dt><dd>{escape(words)}</dd>"
    yield "</dl></details>"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def part(name: str) -> str:
    """Return one of this package's script or style files, for another page that has the same pictures."""
    return (files("connect_flows.page") / name).read_text(encoding="utf-8").strip()
