"""Writes scenarios as a YAML file that people read: what is shared first, then one scenario after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.setup_reader import MERGED
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.words import called, is_generated

_WIDTH = 110
_TEXT = 90
"""Characters of a prompt that are kept; `hears` needs a part of it only."""
_HEARS, _ATTRIBUTES = 20, 8
"""How much of what was observed is written for a scenario: a person has to read it."""


@dataclass(frozen=True)
class Written:
    """One scenario: its name, facts, and what was observed when it was played."""

    name: str
    facts: Facts
    ends: Any
    hears: tuple[str, ...]
    attributes: Mapping[str, str]
    invokes: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """What is in a scenario file. `notes`: lines for the end; `told`: why the sandbox does not play a block."""

    flow: PublishedFlow
    intro: tuple[str, ...]
    shared: Facts
    scenarios: tuple[Written, ...]
    notes: tuple[str, ...]
    told: Mapping[str, str]
    expect: bool

    def text(self) -> str:
        """Return the file."""
        lines = [_comment(line) for line in self.intro]
        if self.shared.setup:
            lines += ["setup:", *self._setup(self.shared.setup, "  "), ""]
        lines.append("scenarios:")
        for scenario in self.scenarios:
            lines += [*self._scenario(scenario), ""]
        lines += [_comment(line) for line in self.notes]
        return "\n".join(lines).rstrip() + "\n"

    def _scenario(self, scenario: Written) -> Iterator[str]:
        yield f"  - name: {_inline(scenario.name)}"
        own = _beside(scenario.facts.setup, self.shared.setup)
        if own:
            yield "    setup:"
            yield from self._setup(own, "      ")
        if scenario.facts.moves:
            yield from _entry("caller", list(scenario.facts.moves), "    ")
        yield "    expect:"
        yield from self._observed(scenario)
        yield from _entry("ends", scenario.ends, "      ")

    def _observed(self, scenario: Written) -> Iterator[str]:
        observed = {
            "hears": list(scenario.hears[:_HEARS]),
            "attributes": dict(list(scenario.attributes.items())[:_ATTRIBUTES]),
            "invokes": list(scenario.invokes),
        }
        for key, value in observed.items():
            if value:
                lines = _entry(key, value, "      ")
                yield from lines if self.expect else (f"      # {line[6:]}" for line in lines)

    def _setup(self, setup: Mapping[str, Any], indent: str) -> Iterator[str]:
        for key, value in setup.items():
            if key != "blocks":
                yield from _entry(key, value, indent)
                continue
            yield f"{indent}{key}:"
            for block, told in value.items():
                yield f"{indent}  {_inline(block)}: {_inline(told)}{self._about(block)}"

    def _about(self, block: str) -> str:
        words = [called(self.flow, block)] if is_generated(block) else []
        if block in self.told:
            words.append(self.told[block])
        return f" # {_plain(': '.join(words))}" if words else ""


def common(start: Facts, added: Mapping[tuple[str, ...], Any], each: list[Facts]) -> Facts:
    """Return what all scenarios share: the start, and what was added wherever a contact got there.

    Where a scenario does not say it, its contact did not get there.
    """
    shared = start
    for path, value in added.items():
        if any(facts.at(*path) == value for facts in each):
            shared = shared.having(value, *path)
    return shared


def _beside(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a scenario says on top of what is shared."""
    beside: dict[str, Any] = {}
    for key, value in own.items():
        if key in MERGED and isinstance(value, Mapping) and isinstance(shared.get(key), Mapping):
            inner = _changed(value, shared[key], deeply=key == "sets")
            if inner:
                beside[key] = inner
        elif key not in shared or shared[key] != value:
            beside[key] = value
    return beside


def _changed(own: Mapping[str, Any], shared: Mapping[str, Any], *, deeply: bool) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in own.items():
        before = shared.get(name)
        if name in shared and before == value:
            continue
        if deeply and isinstance(value, Mapping) and isinstance(before, Mapping):
            value = _changed(value, before, deeply=True)  # noqa: PLW2901
        changed[name] = value
    return changed


def _entry(key: str, value: Any, indent: str) -> list[str]:  # noqa: ANN401  (JSON)
    """Return an entry: on one line where that fits."""
    line = f"{indent}{_inline(key)}: {_inline(value)}"
    if len(line) <= _WIDTH or not value:
        return [line]
    lines = [f"{indent}{_inline(key)}:"]
    if isinstance(value, Mapping):
        for name, inner in value.items():
            lines += _entry(str(name), inner, indent + "  ")
        return lines
    if isinstance(value, list):
        for item in value:
            first, *rest = _item(item, indent + "    ")
            lines += [f"{indent}  - {first.lstrip()}", *rest]
        return lines
    return [line]


def _item(item: Any, indent: str) -> list[str]:  # noqa: ANN401  (JSON)
    line = f"{indent}{_inline(item)}"
    if len(line) <= _WIDTH or not isinstance(item, Mapping):
        return [line]
    return [line for name, inner in item.items() for line in _entry(str(name), inner, indent)]


def _inline(value: Any) -> str:  # noqa: ANN401  (JSON)
    text = yaml.dump(
        value,
        Dumper=_OneLine,
        default_flow_style=True,
        width=1_000_000_000,
        sort_keys=False,
        allow_unicode=True,
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _OneLine(yaml.SafeDumper):
    """Writes a text of several lines in one, and repeats what is there twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (the parent's signature)
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if len(text.splitlines()) > 1 or text != text.strip() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _text)


def _comment(line: str) -> str:
    return f"# {_plain(line)}".rstrip()


def _plain(text: str) -> str:
    """Return a text that cannot end a comment."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", " ", text).split())


def heard(texts: list[str]) -> tuple[str, ...]:
    """Return the beginnings of what a caller heard, in order, without what is repeated at once."""
    short = [text[:_TEXT].rstrip() if len(text) > _TEXT else text for text in texts]
    return tuple(text for i, text in enumerate(short) if text and (i == 0 or text != short[i - 1]))
