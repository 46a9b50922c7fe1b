"""A page as one HTML file: nothing is loaded, no script runs, it can be printed, ticked and read out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files

from connect_bridges.operations.handoff.page import (
    Inline,
    Line,
    Link,
    Page,
    Row,
    Section,
    Strong,
    Task,
    Unknown,
    Value,
)

# Whatever a value holds, nothing of it can make a browser load or run anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def as_html(page: Page) -> str:
    """Return the file's text."""
    return "\n".join(_document(page)) + "\n"


@cache
def _style() -> str:
    return (files(__package__) / "style.css").read_text(encoding="utf-8").rstrip("\n")


def _document(page: Page) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{escape(page.title)}</title>"
    yield f"<style>\n{_style()}\n</style>"
    yield "</head>"
    yield "<body>"
    yield "<header>"
    yield f"<h1>{escape(page.title)}</h1>"
    yield f"<p>For {escape(page.reader)}. {_line(page.origin)}</p>"
    yield "</header>"
    yield '<nav aria-label="Sections">'
    yield "<ul>"
    for section in page.sections:
        yield f'<li><a href="#{escape(section.anchor)}">{escape(section.heading)}</a></li>'
    yield "</ul>"
    yield "</nav>"
    yield "<main>"
    for section in page.sections:
        yield from _section(section)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _section(section: Section) -> Iterator[str]:
    heading = escape(section.anchor)
    yield f'<section aria-labelledby="{heading}">'
    yield f'<h2 id="{heading}">{escape(section.heading)}</h2>'
    for paragraph in section.paragraphs:
        yield f"<p>{_line(paragraph)}</p>"
    if section.rows:
        yield f'<table aria-labelledby="{heading}">'
        yield "<thead>"
        yield '<tr><th scope="col">what</th><th scope="col">value</th><th scope="col">note</th></tr>'
        yield "</thead>"
        yield "<tbody>"
        yield from map(_row, section.rows)
        yield "</tbody>"
        yield "</table>"
    if section.tasks:
        yield '<ul class="tasks">'
        for task in section.tasks:
            yield from _task(task)
        yield "</ul>"
    yield "</section>"


def _row(row: Row) -> str:
    return (
        f'<tr><th scope="row">{escape(row.name)}</th><td>{_line(row.value)}</td>'
        f"<td>{_line(row.note)}</td></tr>"
    )


def _task(task: Task) -> Iterator[str]:
    anchor = escape(task.anchor)
    yield f'<li id="{anchor}">'
    yield f'<input type="checkbox" id="{anchor}--done">'
    yield f'<label for="{anchor}--done">{_line(task.text)}</label> <code class="id">{escape(task.id)}</code>'
    if task.see:
        yield f'<p class="see">See it: {_line(task.see)}</p>'
    if task.listing:
        yield f"<pre><code>{escape(task.listing.text)}</code></pre>"
    yield "</li>"


def _line(line: Line) -> str:
    return "".join(_inline(part) for part in line)


def _inline(part: Inline) -> str:
    text = escape(part.text)
    match part:
        case Value():
            return f"<code>{text}</code>"
        case Unknown():
            return f"<em>{text}</em>"
        case Strong():
            return f"<strong>{text}</strong>"
        case Link(_, address):
            return f'<a href="{escape(address)}" rel="noreferrer">{text}</a>'
    return text
