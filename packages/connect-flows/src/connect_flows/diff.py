"""The changes for the caller between two versions of a flow; layout and renamed blocks do not count."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from connect_flows.diagnostics import listed, one_line
from connect_flows.model import Block, EdgeKind, Flow
from connect_flows.naming import Names, names
from connect_flows.template import dump

ChangeKind = Literal["added", "removed", "reworded", "changed", "rewired", "start"]
HEADINGS: Mapping[ChangeKind, str] = {
    "start": "Start",
    "added": "Blocks added",
    "removed": "Blocks removed",
    "reworded": "Prompts reworded",
    "changed": "Settings changed",
    "rewired": "Branches rewired",
}
#: What a resource is, where nothing names it: an ARN, an id or a telephone number.
_RESOURCE = re.compile(r"arn:|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-|\+[1-9][0-9]{7,14}$")
_SPOKEN = ("Text", "SSML", "PromptId", "Media", "Messages")


@dataclass(frozen=True)
class Change:
    """One change: the block (by its new identifier, or the old one if it is gone), and from what to what.

    what: the parameter, the branch, or words. also: further blocks with the same change.
    """

    kind: ChangeKind
    block: str
    type: str
    what: str
    old: str | None = None
    new: str | None = None
    also: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """What changed, with the further blocks in words."""
        return f"{self.what} (also in {listed(self.also, 8)})" if self.also else self.what

    def __str__(self) -> str:
        """Return the change on one line."""
        before = "" if self.old is None else f": {one_line(self.old, 160)}"
        after = "" if self.new is None else f" -> {one_line(self.new, 160)}"
        return f"{self.kind}: {one_line(self.block)} ({self.type}) {self.where}{before}{after}".rstrip()


@dataclass(frozen=True)
class _Meaning:
    """Compares values by what they mean: in another instance, a resource is the one with the same name."""

    old: Names
    new: Names
    elsewhere: bool

    @classmethod
    def of(cls, old: Flow, new: Flow, shown: Mapping[str, str]) -> _Meaning:
        ours, theirs = names(old).with_names(shown), names(new).with_names(shown)
        return cls(ours, theirs, ours.elsewhere(theirs))

    def same(self, ours: object, theirs: object) -> bool:
        if ours == theirs:
            return True
        name = self.old.name(ours) if self.elsewhere else None
        return name is not None and name == self.new.name(theirs)

    def shown(self, ours: object, theirs: object) -> tuple[str, str]:
        """Return both values as people know them: by name, unless both have the same."""
        before, after = self.old.name(ours), self.new.name(theirs)
        if before is not None and before == after:
            return _text(ours), _text(theirs)
        return before or _text(ours), after or _text(theirs)


_NOTHING: Mapping[str, str] = MappingProxyType({})


def diff(old: Flow, new: Flow, *, shown: Mapping[str, str] = _NOTHING) -> list[Change]:
    """Return the changes from old to new; empty if callers notice none.

    If the flows lie in different instances, resources with the same name are the same. One resource that took the
    place of another in several blocks is one change. shown: names by ARN or id, beside those that the flows have.
    """
    same, meaning = match(old, new), _Meaning.of(old, new, shown)
    back = {theirs: ours for ours, theirs in same.items()}
    before, after = old.by_identifier, new.by_identifier
    changes: list[Change] = []
    if same.get(old.start) != new.start:
        kind = after[new.start].type if new.start in after else "?"
        changes.append(Change("start", new.start, kind, "is now the first block", old.start, new.start))
    changes += [
        Change("added", b.identifier, b.type, _gist(b, meaning.new))
        for b in new.blocks
        if b.identifier not in back
    ]
    changes += [
        Change("removed", b.identifier, b.type, _gist(b, meaning.old))
        for b in old.blocks
        if b.identifier not in same
    ]
    for ours, theirs in same.items():
        changes += _parameters(before[ours], after[theirs], meaning)
        changes += _branches(before[ours], after[theirs], same)
    order = list(HEADINGS)
    changes = _folded(changes, {*meaning.old.shown.values(), *meaning.new.shown.values()})
    return sorted(changes, key=lambda change: order.index(change.kind))


def match(old: Flow, new: Flow) -> dict[str, str]:
    """Return which new block each old block became.

    First by identifier; then, for renamed blocks, by type and parameters if that is unambiguous; then by place: what
    the same branch of a matched block leads to. Types must be equal.
    """
    before, after = old.by_identifier, new.by_identifier
    meaning = _Meaning.of(old, new, _NOTHING)
    pairs = {name: name for name, block in before.items() if name in after and after[name].type == block.type}
    free = {name for name in after if name not in pairs}

    def pair(ours: str, theirs: str) -> bool:
        if (
            ours in pairs
            or theirs not in free
            or ours not in before
            or before[ours].type != after[theirs].type
        ):
            return False
        pairs[ours] = theirs
        free.discard(theirs)
        return True

    def spread(seeds: list[tuple[str, str]]) -> None:
        queue = deque(seeds)
        while queue:
            ours, theirs = queue.popleft()
            there = _targets(after[theirs])
            for branch, target in _targets(before[ours]).items():
                if branch in there and pair(target, there[branch]):
                    queue.append((target, there[branch]))

    for ours, theirs in _unmistakable(old, new, pairs, free, meaning):
        pair(ours, theirs)
    pair(old.start, new.start)
    spread(list(pairs.items()))
    for ours, theirs in _alike(old, new, pairs, free, meaning):
        if pair(ours, theirs):
            spread([(ours, theirs)])
    return pairs


def branch_name(kind: EdgeKind, label: str) -> str:
    """Return what changes call a branch: next, when CONDITION or on ERROR."""
    return {EdgeKind.NEXT: "next", EdgeKind.CONDITION: f"when {label}"}.get(kind, f"on {label}")


def as_text(changes: list[Change], old: str, new: str) -> str:
    """Return the changes as text, one per line."""
    if not changes:
        return f"{old} and {new}: no difference for the caller"
    return "\n".join(
        [*map(str, changes), f"{old} -> {new}: {len(changes)} change{'s' * (len(changes) != 1)}"]
    )


def as_markdown(changes: list[Change], old: str, new: str) -> str:
    """Return the changes as Markdown with headings, for a pull request."""
    out = [f"### Flow changes: {_code(old)} → {_code(new)}", ""]
    if not changes:
        return "\n".join([*out, "No difference for the caller.", ""])
    for kind, heading in HEADINGS.items():
        rows = [change for change in changes if change.kind == kind]
        if rows:
            out += [f"**{heading}**", ""]
            out += [_markdown_row(change) for change in rows]
            out.append("")
    return "\n".join(out)


def _markdown_row(change: Change) -> str:
    row = f"- {_code(change.block)} ({change.type})"
    if change.what:
        row += (
            f" {_code(change.where)}"
            if change.kind in {"changed", "reworded", "rewired"}
            else f" {_plain(change.where)}"
        )
    if change.old is not None or change.new is not None:
        row += f": {_code(change.old or '—')} → {_code(change.new or '—')}"
    return row


def _code(text: str) -> str:
    return f"`{one_line(text, 200).replace('`', chr(39))}`"


def _plain(text: str) -> str:
    return "".join("\\" + c if c in "\\`*_[]<>|" else c for c in one_line(text, 200))


def _signature(block: Block, known: Names | None) -> str:
    return f"{block.type} {dump(_plain_json(block.parameters, known))}"


def _plain_json(value: object, known: Names | None = None) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {str(k): _plain_json(value[k], known) for k in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain_json(v, known) for v in value]
    name = known.name(value) if known is not None else None
    return value if name is None else f"named {name}"


def _groups(flow: Flow, wanted: set[str], known: Names | None) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for block in flow.blocks:
        if block.identifier in wanted:
            groups.setdefault(_signature(block, known), []).append(block.identifier)
    return groups


def _unmistakable(
    old: Flow, new: Flow, pairs: Mapping[str, str], free: set[str], meaning: _Meaning
) -> list[tuple[str, str]]:
    ours = _groups(old, set(old.by_identifier) - set(pairs), meaning.old if meaning.elsewhere else None)
    theirs = _groups(new, free, meaning.new if meaning.elsewhere else None)
    return [(a[0], theirs[s][0]) for s, a in ours.items() if len(a) == 1 and len(theirs.get(s, [])) == 1]


def _alike(
    old: Flow, new: Flow, pairs: Mapping[str, str], free: set[str], meaning: _Meaning
) -> list[tuple[str, str]]:
    ours = _groups(old, set(old.by_identifier) - set(pairs), meaning.old if meaning.elsewhere else None)
    theirs = _groups(new, set(free), meaning.new if meaning.elsewhere else None)
    return [both for s, a in ours.items() for both in zip(a, theirs.get(s, []), strict=False)]


def _targets(block: Block) -> dict[tuple[str, str], str]:
    """Return where each branch leads, by its kind and label."""
    found: dict[tuple[str, str], str] = {}
    for edge in block.edges():
        found.setdefault((str(edge.kind), edge.label), edge.target)
    return found


def _gist(block: Block, known: Names) -> str:
    """Return what a block says, or else the names of the resources in its parameters."""
    for name in _SPOKEN[:2]:
        value = block.parameters.get(name)
        if isinstance(value, str):
            return f'"{one_line(value, 100)}"'
    named = (known.name(value) for _, value in _leaves(block.parameters))
    return listed(dict.fromkeys(name for name in named if name), 3)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from _leaves(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _parameters(old: Block, new: Block, meaning: _Meaning) -> Iterator[Change]:
    before, after = dict(_leaves(old.parameters)), dict(_leaves(new.parameters))
    before.pop("", None)
    after.pop("", None)
    for path in dict.fromkeys([*before, *after]):
        both = path in before and path in after
        if both and meaning.same(before[path], after[path]):
            continue
        ours = _text(before[path]) if path in before else None
        theirs = _text(after[path]) if path in after else None
        if both:
            ours, theirs = meaning.shown(before[path], after[path])
        kind: ChangeKind = "reworded" if path.startswith(_SPOKEN) else "changed"
        yield Change(kind, new.identifier, new.type, path, ours, theirs)


def _folded(changes: list[Change], named: set[str]) -> list[Change]:
    """Join the changes of one resource for another in several blocks."""
    groups: dict[object, list[Change]] = {}
    for index, change in enumerate(changes):
        resource = change.kind == "changed" and any(
            v is not None and (v in named or _RESOURCE.match(v)) for v in (change.old, change.new)
        )
        key = (change.what, change.old, change.new) if resource else index
        groups.setdefault(key, []).append(change)
    return [replace(first, also=tuple(c.block for c in rest)) for first, *rest in groups.values()]


def _text(value: object) -> str:
    return value if isinstance(value, str) else dump(_plain_json(value))


def _branches(old: Block, new: Block, same: Mapping[str, str]) -> Iterator[Change]:
    before, after = _targets(old), _targets(new)
    for branch in dict.fromkeys([*before, *after]):
        ours, theirs = before.get(branch), after.get(branch)
        if ours is not None and theirs is not None and same.get(ours, ours) == theirs:
            continue
        name = branch_name(EdgeKind(branch[0]), branch[1])
        yield Change("rewired", new.identifier, new.type, name, ours, theirs)
    orders = [[b for b in branches if b[0] == EdgeKind.CONDITION] for branches in (before, after)]
    if orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]):
        yield Change("rewired", new.identifier, new.type, "conditions are tried in another order")
