"""The pages of a deployment: texts/*.toml with the values of its bridges."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from connect_bridges.operations.deployed import BridgeStack
from connect_bridges.operations.handoff.page import (
    UNKNOWN,
    Inline,
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
    Words,
)
from connect_bridges.operations.handoff.subjects import Subject, subjects

PAGES = (
    *("kore-voice", "kore-chat", "twilio", "voiceit", "voice-provider"),
    *("connect-instance", "connect-administrator"),
)
"""The names of all pages there can be."""
ADMINISTRATOR = "connect-administrator"
"""The page that is about all bridges; every other is about one."""

_SPAN = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*|\[(?P<label>[^\]]+)\]\((?P<address>[^)\s]+)\)|\$\{(?P<name>\w+)\}"
)
_OPTIONS = "stack_options"
"""The value that holds several words for a shell, quoted already."""
_NAME = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Ranges:
    """Amazon's address ranges for calls, by Region, and where they were read."""

    by_region: Mapping[str, Sequence[str]]
    source: str


def pages(stacks: Sequence[BridgeStack], *, ranges: Ranges | None = None) -> list[Page]:
    """Return the pages that the bridges of these stacks call for, the administrator's last.

    A vendor with several bridges gets a page for each; then the construct's path is in the names.
    """
    told = [_with_ranges(subject, ranges) for subject in subjects(stacks)]
    made = []
    for name in PAGES[:-1]:
        text = text_of(name)
        about = [each for each in told if each.kind == text["each"] and _holds(text.get("when", ""), each)]
        for subject in about:
            suffix = f"-{subject.place}" if len(about) > 1 else ""
            origin = _origin([stack for stack in stacks if stack.name in subject.stacks])
            made.append(_page(name, text, [subject], origin, suffix=suffix))
    if told:
        options = shlex.join(word for stack in stacks for word in ("--stack", stack.name))
        about = [replace(each, values={**each.values, _OPTIONS: options}) for each in told]
        made.append(_page(ADMINISTRATOR, text_of(ADMINISTRATOR), about, _origin(stacks)))
    return made


@cache
def text_of(name: str) -> dict[str, Any]:
    """Return a page's text, as texts/README.md describes it."""
    path = files(__package__) / "texts" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _with_ranges(subject: Subject, ranges: Ranges | None) -> Subject:
    found = ranges.by_region.get(subject.values["region"] or "") if ranges else None
    if not ranges or not found:
        return subject
    values = {**subject.values, "ranges": ", ".join(found), "ranges_source": ranges.source}
    return replace(subject, values=values, flags=subject.flags | {"ranges"})


def _origin(stacks: Sequence[BridgeStack]) -> Line:
    """Say what a page was made from."""
    line: list[Inline] = [Words("Made from ")]
    for number, stack in enumerate(stacks):
        where = ", ".join(filter(None, [stack.region, stack.account and f"account {stack.account}"]))
        line += [
            Words(", " if number else ""),
            Value(stack.name),
            Words(f" ({where})" if where else ""),
        ]
    if all(stack.deployed for stack in stacks):
        return (*line, Words(", as it is deployed. No secret is on this page, only where secrets are kept."))
    return (
        *line,
        Words(", which is not deployed yet: make this page again after the deployment. What "),
        Unknown(),
        Words(" is marked so."),
    )


def _page(
    name: str, text: Mapping[str, Any], about: Sequence[Subject], origin: Line, *, suffix: str = ""
) -> Page:
    sections = [
        section
        for part in text["sections"]
        for section in _sections(part, about, several=name == ADMINISTRATOR)
    ]
    title = text["title"] + (f" ({about[0].values['path']})" if suffix else "")
    return Page(name, name + suffix, title, text["reader"], origin, sections)


def _sections(part: Mapping[str, Any], about: Sequence[Subject], *, several: bool) -> Iterator[Section]:
    """Yield a part of a page for each bridge that it is about; what would be empty is left out.

    several: whether the page is about all bridges; then a part without `each` is for each Amazon Connect instance.
    """
    kinds = part.get("each", "").split()
    matching = [
        each for each in about if (not kinds or each.kind in kinds) and _holds(part.get("when", ""), each)
    ]
    if several and not kinds:
        matching = list({each.values["instance_id"]: each for each in reversed(matching)}.values())[::-1]
    for subject in matching:
        repeated = len(matching) > 1
        heading = part["heading"] + (f": {subject.values['path']}" if repeated else "")
        section = _section(part, subject, heading, subject.place if repeated else "")
        if section.paragraphs or section.rows or section.tasks:
            yield section


def _section(part: Mapping[str, Any], subject: Subject, heading: str, place: str) -> Section:
    def here(of: str) -> list[Mapping[str, Any]]:
        return [each for each in part.get(of, []) if _holds(each.get("when", ""), subject)]

    return Section(
        heading=heading,
        anchor=re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-"),
        paragraphs=[_line(paragraph["text"], subject) for paragraph in here("paragraphs")],
        rows=[
            Row(row["name"], _line(row["value"], subject), _line(row.get("note", ""), subject))
            for row in here("rows")
        ],
        tasks=[_task(task, subject, place) for task in here("tasks")],
    )


def _task(task: Mapping[str, Any], subject: Subject, place: str) -> Task:
    language = task.get("language", "sh")
    listing = task.get("listing")
    return Task(
        id=task["id"],
        text=_line(task["text"], subject),
        place=place,
        listing=Listing(
            _filled(listing.strip("\n"), subject, shlex.quote if language == "sh" else str), language
        )
        if listing
        else None,
        see=_line(task.get("see", ""), subject),
    )


def _holds(when: str, subject: Subject) -> bool:
    """Whether a condition holds: flags, separated by blanks, all of which hold; `!flag` must not."""
    return all((word.lstrip("!") in subject.flags) != word.startswith("!") for word in when.split())


def _line(text: str, subject: Subject) -> Line:
    """Read a sentence: `value`, **strong**, [link](https://…) and ${name}. Values are never read for marks."""
    parts: list[Inline] = []
    end = 0
    for span in _SPAN.finditer(text):
        parts.append(Words(text[end : span.start()]))
        end = span.end()
        if span["name"]:
            value = subject.values[span["name"]]
            parts.append(Unknown() if value is None else Value(value))
        elif span["code"]:
            parts.append(Value(_filled(span["code"], subject, str)))
        elif span["strong"]:
            parts.append(Strong(_filled(span["strong"], subject, str)))
        else:
            parts.append(Link(span["label"], span["address"]))
    parts.append(Words(text[end:]))
    return tuple(part for part in parts if part.text)


def _filled(text: str, subject: Subject, quote: Callable[[str], str]) -> str:
    def fill(match: re.Match[str]) -> str:
        value = subject.values[match[1]]
        if value is not None:
            return value if match[1] == _OPTIONS else quote(value)
        return f"<{match[1].replace('_', ' ')}: {UNKNOWN}>"

    return _NAME.sub(fill, text)
