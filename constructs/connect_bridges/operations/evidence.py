"""What connect-bridges relies on and no test of ours can prove: evidence.toml, read for doctor, smoke and the page.

Every entry is one behaviour of AWS or of a vendor. The code that relies on it names the entry in a comment,
``evidence: <id>``; ``make evidence`` writes docs/evidence.md from the entries, and ``python -m
connect_bridges.operations.evidence`` prints that page from an installed wheel.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

Known = Literal["documented", "reported", "inferred"]
"""documented: a page or SDK model of AWS or the vendor says it. reported: somebody saw it in a real deployment or a
console export, at the place named. inferred: neither; it follows from what is known of similar things."""

FILE = Path(__file__).with_name("evidence.toml")

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
_CHECK = re.compile(r"(doctor|smoke):[a-z0-9]+(-[a-z0-9]+)*")
_DOCUMENT = re.compile(r"docs/([\w/-]+\.md(?:#[\w-]+)?)")
_MARKUP = re.compile(r"[*<]")  # what Markdown would take for emphasis or HTML
_LISTS = frozenset({"used_in", "proved_by"})
_OPTIONAL = frozenset({"proved_by"})

# The headings of the page, by where a path begins; the first path of an entry decides.
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "MetadataBridge",
        ("constructs/connect_bridges/metadata/", "runtime/metadata/"),
    ),
    (
        "ExternalVoiceTransfer and ExternalVoiceConnector",
        ("constructs/connect_bridges/voice/", "runtime/voice/", "flows/external_voice_", "stacks/voice"),
    ),
    (
        "ChatStreamBridge",
        ("constructs/connect_bridges/chat/", "runtime/chat/", "flows/chat_", "stacks/chat"),
    ),
    (
        "VoiceBiometricGate",
        (
            "constructs/connect_bridges/biometrics/",
            "constructs/connect_bridges/operations/caller.py",
            "runtime/biometrics/",
            "flows/voice_biometric_",
            "stacks/biometrics",
        ),
    ),
    (
        "ContactCenter, ConnectInstance and ContactFlow",
        ("constructs/connect_bridges/contact_center/", "runtime/contact_center/"),
    ),
    ("Commands", ("constructs/connect_bridges/operations/",)),
    ("All bridges", ("constructs/connect_bridges/shared/", "runtime/", "stacks/", "app.py", "cdk.json")),
    ("connect-sandbox", ("packages/connect-sandbox/",)),
)


class EvidenceError(ValueError):
    """The file of evidence is not well formed; the message names the entry and the fix."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One behaviour of AWS or of a vendor that is relied on.

    id: what code names it by. claim: the behaviour, one or two sentences. used_in: files of the repository that rely
    on it, the one that does so most first. known: how well; source: where that is said or was seen. noticed: which
    check or which call would show the user that the claim is wrong. if_wrong: what happens then, and what to do.
    proved_by: checks of ``connect-bridges doctor`` and ``smoke`` that prove or disprove the claim in the account where
    they run, such as ``smoke:chat-dry-run``.
    """

    id: str
    claim: str
    used_in: tuple[str, ...]
    known: Known
    source: str
    noticed: str
    if_wrong: str
    proved_by: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """The construct, or the part of the project, that relies on it most: the page's heading."""
        for heading, places in _PARTS:
            if self.used_in[0].startswith(places):
                return heading
        raise EvidenceError(
            f"{FILE.name}: {self.id} is used in {self.used_in[0]}, which belongs to no construct; name a file below "
            "constructs/connect_bridges, runtime, flows, stacks or packages/connect-sandbox first."
        )


@cache
def entries() -> tuple[Entry, ...]:
    """Return all entries, in the order of the file. Raises ``EvidenceError`` if the file is not well formed."""
    return read(FILE.read_text(encoding="utf-8"))


def entry(id: str) -> Entry:  # noqa: A002 (the entry's own word)
    """Return an entry by its id. Raises ``KeyError`` naming the id if there is none."""
    for found in entries():
        if found.id == id:
            return found
    raise KeyError(f"there is no evidence {id!r}; {FILE.name} holds {len(entries())} entries.")


def ids() -> frozenset[str]:
    """Return the ids of all entries."""
    return frozenset(found.id for found in entries())


def proved_by(check: str) -> tuple[Entry, ...]:
    """Return the entries that a check proves or disproves, by the check's name, such as ``smoke:chat-dry-run``."""
    return tuple(found for found in entries() if check in found.proved_by)


def read(text: str) -> tuple[Entry, ...]:
    """Return the entries of a file's text. Raises ``EvidenceError`` naming the entry, what is wrong and the fix."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EvidenceError(f"{FILE.name} is not TOML: {error}.") from error
    tables = document.pop("entry", [])
    if document or not isinstance(tables, list):
        raise EvidenceError(
            f"{FILE.name} holds {', '.join(document) or 'one entry'}; write [[entry]] tables only."
        )
    found = [_entry(number, table) for number, table in enumerate(tables, 1)]
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            raise EvidenceError(f"{FILE.name}: there are two entries {one.id!r}; merge them.")
        seen.add(one.id)
    return tuple(found)


def page(found: Iterable[Entry]) -> str:
    """Return docs/evidence.md: an overview, and the entries by the construct that relies on them."""
    listed = sorted(found, key=lambda one: ([heading for heading, _ in _PARTS].index(one.part), one.id))
    parts = list(dict.fromkeys(one.part for one in listed))
    lines = [
        *_INTRODUCTION.splitlines(),
        "",
        "| relied on by | documented | reported | inferred |",
        "| --- | --- | --- | --- |",
    ]
    for part in parts:
        counts = [sum(one.part == part and one.known == grade for one in listed) for grade in get_args(Known)]
        lines.append(f"| [{part}](#{_fragment(part)}) | {' | '.join(map(str, counts))} |")
    for part in parts:
        lines += ["", f"## {part}"]
        for one in listed:
            if one.part == part:
                lines += ["", *_section(one)]
    return "\n".join(lines) + "\n"


_INTRODUCTION = """\
# Evidence

<!-- Written by `make evidence` from constructs/connect_bridges/operations/evidence.toml: change that file. -->

What connect-bridges relies on and no test of this project can prove, for want of an AWS account and of accounts at the
vendors. The sandbox believes what is written here. Each entry says how well the claim is known, how your own account
would show that it is wrong, and what to do then.

- **documented**: a page or SDK model of AWS or of the vendor says it.
- **reported**: somebody saw it in a real deployment or a console export, at the place that is named.
- **inferred**: neither; it follows from what is known of similar things.

`connect-bridges doctor` and `connect-bridges smoke` prove or disprove in your account the entries that name one of
their checks; both end with the list. Code names an entry as `evidence: <id>`."""


def main() -> int:
    """Print the page; return the exit status."""
    sys.stdout.write(page(entries()))
    return 0


def _entry(number: int, table: object) -> Entry:
    where = f"{FILE.name}, entry {number}"
    if not isinstance(table, Mapping):
        raise EvidenceError(f"{where} is {table!r}; write a table.")
    where += f" ({table.get('id')})"
    names = {field.name for field in fields(Entry)}
    wrong = sorted(set(table) - names) + sorted(names - _OPTIONAL - set(table))
    if wrong:
        raise EvidenceError(f"{where} has or lacks {', '.join(wrong)}; it holds {', '.join(sorted(names))}.")
    values: dict[str, object] = {}
    for name, value in table.items():
        values[name] = (
            _texts(f"{where}: {name}", value) if name in _LISTS else _text(f"{where}: {name}", value)
        )
    return _checked(where, Entry(**values))  # type: ignore[arg-type] # checked one by one above


def _checked(where: str, one: Entry) -> Entry:
    if not _ID.fullmatch(one.id):
        raise EvidenceError(
            f"{where}: id is {one.id!r}; write two or more lower case words with hyphens between them."
        )
    if one.known not in get_args(Known):
        raise EvidenceError(f"{where}: known is {one.known!r}; choose one of {', '.join(get_args(Known))}.")
    for check in one.proved_by:
        if not _CHECK.fullmatch(check):
            raise EvidenceError(
                f"{where}: proved_by holds {check!r}; write a check's name, such as smoke:chat-dry-run."
            )
    _ = one.part
    return one


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise EvidenceError(f"{where} is {value!r}; write a text.")
    return " ".join(value.split())


def _texts(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise EvidenceError(f"{where} is {value!r}; write a list of texts.")
    return tuple(_text(where, one) for one in cast("list[object]", value))


def _section(one: Entry) -> list[str]:
    places = ", ".join(f"[{path}](../{path})" for path in one.used_in)
    lines = [
        f"### {one.id}",
        "",
        _linked(one.claim),
        "",
        f"- **Known**: {one.known}. {_linked(one.source)}",
        f"- **Used in**: {places}",
        f"- **Noticed by**: {_linked(one.noticed)}",
    ]
    if one.proved_by:
        lines.append(f"- **Proved or disproved by**: {', '.join(f'`{check}`' for check in one.proved_by)}")
    return [*lines, f"- **If it is wrong**: {_linked(one.if_wrong)}"]


def _linked(text: str) -> str:
    """Return a text as Markdown; documents in it, named as docs/page.md#place, are links from docs/evidence.md."""
    plain = _MARKUP.sub(r"\\\g<0>", text)
    return _DOCUMENT.sub(lambda found: f"[{found[0]}]({found[1]})", plain)


def _fragment(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
