"""What happened on a contact, as typed entries and as text.

Secrets that the rehearsal knows (a token, for example) are replaced before an entry is kept, so that no terminal and
no report shows one.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from connect_sandbox.rehearsal.bounds import DEFAULT_BOUNDS, NODE_COST, BoundReachedError, Bounds, Work
from connect_sandbox.rehearsal.values import Json

Who = Literal["connect", "caller", "vendor", "agent", "lambda", "rehearsal"]
"""Who acted. `vendor` is the voice system outside Amazon Connect, `rehearsal` the scenario that watches."""

Kind = Literal["says", "does", "flow", "attributes", "invokes", "dials", "branch", "ends", "tells agent"]
"""The kind of entry. The caller hears the `says` of everybody else."""

REDACTED = "[secret]"
_BLOCK_WIDTH = 34


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a transcript. `at` is in seconds since the contact began; `data` is JSON."""

    at: float
    who: Who
    kind: Kind
    text: str
    flow: str | None = None
    block: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON, without empty fields."""
        entry: dict[str, Any] = {
            "at": round(self.at, 3),
            "who": self.who,
            "kind": self.kind,
            "text": self.text,
        }
        if self.flow:
            entry["flow"] = self.flow
        if self.block:
            entry["block"] = self.block
        if self.data:
            entry["data"] = self.data
        return entry

    def heard_by_caller(self) -> bool:
        """Return whether the caller hears this entry."""
        return self.kind == "says" and self.who != "caller"


class Transcript:
    """The entries of one contact, in order, as many as `bounds` allow. `secrets` never appear in them.

    `told_to` hears of each entry when it is kept.
    """

    def __init__(self, secrets: Iterable[str] = (), bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self.bounds = bounds
        self.work = Work(bounds.characters)
        self._secrets = tuple(sorted((secret for secret in secrets if secret), key=len, reverse=True))
        self._entries: list[Entry] = []
        self.told_to: Callable[[Entry], None] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What never appears in an entry."""
        return self._secrets

    def add(self, entry: Entry) -> Entry:
        """Keep an entry, with every secret in it replaced; BoundReachedError if that is one too many."""
        if len(self._entries) >= self.bounds.entries:
            raise BoundReachedError("entries", self.bounds.entries)
        self.work.add(len(entry.text))
        _count(entry.data, self.work)
        kept = Entry(
            at=entry.at,
            who=entry.who,
            kind=entry.kind,
            text=self._redact(entry.text),
            flow=entry.flow,
            block=entry.block,
            data=self._redact(entry.data),
        )
        self._entries.append(kept)
        if self.told_to is not None:
            self.told_to(kept)
        return kept

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def to_json(self) -> list[dict[str, Any]]:
        """Return all entries as JSON."""
        return [entry.to_json() for entry in self._entries]

    def render(self, until: int | None = None) -> str:
        """Return the transcript (or its first `until` entries) as aligned text, one entry a line.

        A block is named at its first entry; the entries of one block follow one another.
        """
        entries = self._entries[:until]
        if not entries:
            return "  (nothing has happened)"
        width = min(max(len(entry.block or "") for entry in entries), _BLOCK_WIDTH)
        blocks = [None, *((entry.flow, entry.block) for entry in entries)]
        return "\n".join(
            _line(entry, width, named=blocks[index] != (entry.flow, entry.block))
            for index, entry in enumerate(entries)
        )

    def __str__(self) -> str:
        return self.render()

    def excerpt(self, first: int = 20, last: int = 40) -> str:
        """Return the transcript as text; of a long one the first and the last entries."""
        left_out = len(self._entries) - first - last
        if left_out <= 0:
            return self.render()
        shortened = Transcript()
        shortened._entries = self._entries[-last:]
        return f"{self.render(first)}\n  … {left_out:,} entries left out …\n{shortened.render()}"

    def _redact(self, value: Json) -> Json:
        if not self._secrets:
            return value
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, REDACTED)
            return value
        if isinstance(value, dict):
            return {self._redact(key): self._redact(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._redact(item) for item in value]
        return value


def _count(value: Json, work: Work) -> None:
    work.add(NODE_COST)
    if isinstance(value, str):
        work.add(len(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            work.add(len(key))
            _count(item, work)
    elif isinstance(value, list | tuple):
        for item in value:
            _count(item, work)


def shown(value: Json, limit: int = 160) -> str:
    """Return a value as a transcript shows it: text as it is, anything else as JSON, shortened to `limit`."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def _line(entry: Entry, width: int, *, named: bool) -> str:
    if entry.who == "rehearsal":
        return f"  → {entry.text}"
    minutes, seconds = divmod(round(entry.at, 1), 60)
    block = (entry.block or "") if named else ""
    text = f"“{entry.text}”" if entry.kind == "says" else entry.text
    return f"  {int(minutes):2d}:{seconds:04.1f}  {entry.who:<7}  {block:<{width}}  {text}".rstrip()
