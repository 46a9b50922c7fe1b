"""What a page consists of. Markdown and HTML are both written from this, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

UNKNOWN = "comes with the deployment"
"""What stands where a value is not known yet."""


@dataclass(frozen=True)
class Words:
    """Words of a sentence."""

    text: str


@dataclass(frozen=True)
class Strong:
    """What the eye should find: a menu, a field."""

    text: str


@dataclass(frozen=True)
class Value:
    """Something to be copied letter by letter, such as an address or a name."""

    text: str


@dataclass(frozen=True)
class Unknown:
    """A value that the deployment will bring."""

    text: str = UNKNOWN


@dataclass(frozen=True)
class Link:
    """A link to a public page. Only what a reader clicks leaves the page."""

    text: str
    address: str


Inline = Words | Strong | Value | Unknown | Link
Line = tuple[Inline, ...]


@dataclass(frozen=True)
class Row:
    """A value with its name, and what to know of it."""

    name: str
    value: Line
    note: Line = ()


@dataclass(frozen=True)
class Listing:
    """Commands or a script, to be copied. language: as after the fence of a Markdown block."""

    text: str
    language: str = "sh"


@dataclass(frozen=True)
class Task:
    """A step or a check, to be ticked.

    id: stable over versions, such as ``kore-voice.sip-bye``; documents cite it. place: distinguishes the same task of
    several bridges on one page. see: how to see that it is done.
    """

    id: str
    text: Line
    place: str = ""
    listing: Listing | None = None
    see: Line = ()

    @property
    def anchor(self) -> str:
        """The fragment that leads to the task in the HTML file of its page."""
        name = self.id.partition(".")[2]
        return f"{name}--{self.place}" if self.place else name


@dataclass(frozen=True)
class Section:
    """A heading, and below it paragraphs, values, tasks, in this order."""

    heading: str
    anchor: str
    paragraphs: Sequence[Line] = ()
    rows: Sequence[Row] = ()
    tasks: Sequence[Task] = ()


@dataclass(frozen=True)
class Page:
    """One page for one reader.

    vendor: which page it is, such as ``twilio``. name: of its files. reader: to whom it goes. origin: what it was made
    from.
    """

    vendor: str
    name: str
    title: str
    reader: str
    origin: Line
    sections: Sequence[Section]

    @property
    def tasks(self) -> list[Task]:
        """All there is to tick."""
        return [task for section in self.sections for task in section.tasks]
