"""How wide text is, and what of it fits.

The widths are those of Helvetica and Arial, a tenth wider: no renderer's sans-serif font may leave a box.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from connect_flows.diagnostics import one_line

_THOUSANDTHS = {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r{}", 355: '"', 389: "*", 469: "^",
    500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu", 584: "+<=>~", 611: "FTZ", 667: "&ABEKPSVXY",
    722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1015: "@",
}  # fmt: skip
_WIDTHS: Mapping[str, float] = {
    character: width / 1000 for width, all_ in _THOUSANDTHS.items() for character in all_
} | {"…": 1.0, "·": 0.34, "→": 1.0, "\u2013": 0.56, "“": 0.4, "”": 0.4}
_PART = re.compile(r"[^._/:=-]*?(?:[._/:=-]+|(?<=[a-z0-9])(?=[A-Z])|$)|.")
"""Where a long name may be broken: after punctuation, and before a capital letter."""
_ROOM = 1.1
_BOLD = 1.08


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide the text is at the font size, on the wide side."""
    return sum(_width(c) for c in text) * size * _ROOM * (_BOLD if bold else 1.0)


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Return the text on one line, with an ellipsis where it is wider than the room."""
    line = one_line(text, 400)
    if width(line, size, bold=bold) <= room:
        return line
    kept = ""
    for character in line:
        if width(f"{kept}{character}…", size, bold=bold) > room:
            break
        kept += character
    return kept.rstrip("… ") + "…"


def wrapped(text: str, size: float, room: float, rows: int, *, bold: bool = False) -> list[str]:
    """Return the text on at most so many lines; the last one ends with an ellipsis where more would follow."""
    words = list(_words(" ".join(one_line(text, 400).split()), size, room, bold=bold))
    out: list[str] = []
    line = ""
    for i, word in enumerate(words):
        longer = f"{line} {word}".strip() if not line.endswith("\0") else line[:-1] + word
        if width(longer.replace("\0", ""), size, bold=bold) <= room:
            line = longer
            continue
        if len(out) == rows - 1:
            rest = " ".join([line, *words[i:]]).replace("\0 ", "").replace("\0", "")
            return [*out, shortened(rest, size, room, bold=bold)]
        out.append(line.replace("\0", ""))
        line = word
    return [*out, line.replace("\0", "")] if line else out


def _words(text: str, size: float, room: float, *, bold: bool) -> Iterator[str]:
    """Yield the words; one that is wider than the room in pieces, of which all but the last end with NUL."""
    for word in text.split(" "):
        if width(word, size, bold=bold) <= room:
            yield word
            continue
        line = ""
        for part in _PART.findall(word):
            for piece in part if width(part, size, bold=bold) > room else [part]:
                if line and width(line + piece, size, bold=bold) > room:
                    yield line + "\0"
                    line = ""
                line += piece
        yield line


def _width(character: str) -> float:
    known = _WIDTHS.get(character)
    if known is not None:
        return known
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    if ord(character) >= 0x1F000:
        return 1.3
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return 0.8 if character.isupper() else 0.66
