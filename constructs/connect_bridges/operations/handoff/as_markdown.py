"""A page as Markdown, with GitHub's tables and task lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connect_bridges.operations.handoff.page import (
    Line,
    Link,
    Listing,
    Page,
    Row,
    Section,
    Strong,
    Task,
    Unknown,
    Value,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_markdown(page: Page) -> str:
    """Return the page's text."""
    text = "\n".join(_lines(page))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield f"# {_words(page.title)}"
    yield ""
    yield f"For {_words(page.reader)}. {_line(page.origin)}"
    for section in page.sections:
        yield ""
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"## {_words(section.heading)}"
    yield ""
    for paragraph in section.paragraphs:
        yield _line(paragraph)
        yield ""
    if section.rows:
        yield "| what | value | note |"
        yield "| --- | --- | --- |"
        yield from map(_row, section.rows)
        yield ""
    for task in section.tasks:
        yield from _task(task)


def _row(row: Row) -> str:
    return f"| {_words(row.name)} | {_line(row.value, cell=True)} | {_line(row.note, cell=True)} |"


def _task(task: Task) -> Iterator[str]:
    see = f"\\\n  See it: {_line(task.see)}" if task.see else ""
    yield f"- [ ] {_line(task.text)} ({_code(task.id)}){see}"
    if task.listing:
        yield ""
        yield from (f"  {line}".rstrip() for line in _fenced(task.listing))
        yield ""


def _fenced(listing: Listing) -> list[str]:
    fence = "`" * max(3, _longest_run(listing.text) + 1)
    return [f"{fence}{listing.language}", *listing.text.splitlines(), fence]


def _line(line: Line, *, cell: bool = False) -> str:
    return "".join(_inline(part, cell=cell) for part in line)


def _inline(part: object, *, cell: bool) -> str:
    match part:
        case Value(text):
            return _code(text, cell=cell)
        case Unknown(text):
            return f"*{_words(text)}*"
        case Strong(text):
            return f"**{_words(text)}**"
        case Link(text, address):
            return f"[{_words(text)}]({address})"
    return _words(getattr(part, "text", ""))


def _words(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _code(text: str, *, cell: bool = False) -> str:
    """Return a code span; in a table's cell a bar has to be escaped even there."""
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text.replace('|', chr(92) + '|') if cell else text}{space}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
