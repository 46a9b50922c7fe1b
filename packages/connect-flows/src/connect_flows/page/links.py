"""Which flow of the page a block names: by placeholder, by ARN or id, by the name in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from connect_flows.knowledge import ParameterSpec
from connect_flows.model import Block
from connect_flows.naming import names
from connect_flows.page.shown import Shown

_KINDS = ("flow", "module")
_PLACEHOLDER = re.compile(r"\$\{([^}!]+)\}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ENDINGS = ("arn", "id", "contactflow", "flowmodule", "flow", "module")


def links(shown: Sequence[Shown]) -> dict[tuple[int, str], dict[str, int]]:
    """Return for (number of a flow, block) the parameters that name a flow of the page, and its number.

    A placeholder names the flow whose name or file it repeats, apart from endings such as Arn, Id or Flow:
    ``${MainMenuFlowArn}`` is "Main menu" or main_menu.json. An ARN or id names the flow whose file or metadata hold
    the id, or, by its name in the console, the flow of that name. What could be two flows names none.
    """
    index = _Index(shown)
    found: dict[tuple[int, str], dict[str, int]] = {}
    for number, each in enumerate(shown):
        known = names(each.flow)
        for block in each.flow.blocks:
            for path, value in _named(block):
                target = index.target(value, known.name(value))
                if target is not None:
                    found.setdefault((number, block.identifier), {})[path] = target
    return found


class _Index:
    def __init__(self, shown: Sequence[Shown]) -> None:
        self.exact: dict[str, set[int]] = {}
        self.whole: dict[str, set[int]] = {}
        self.shortened: dict[str, set[int]] = {}
        self.ids: dict[str, set[int]] = {}
        for number, each in enumerate(shown):
            stem = PurePath(each.file).stem
            own = [
                v for k, v in each.flow.metadata.items() if k.lower() in {"id", "arn"} and isinstance(v, str)
            ]
            for text in (stem, *own):
                for found in _UUID.findall(text)[-1:]:
                    self.ids.setdefault(found.lower(), set()).add(number)
            for text in {each.name, stem}:
                self.exact.setdefault(text.casefold(), set()).add(number)
                whole, *shortened = _forms(text)
                self.whole.setdefault(whole, set()).add(number)
                for form in shortened:
                    self.shortened.setdefault(form, set()).add(number)

    def target(self, value: str, name: str | None) -> int | None:
        placeholder = _PLACEHOLDER.fullmatch(value)
        if placeholder:
            value = name or placeholder.group(1).rpartition(".")[2]
            return _only(self.exact.get(value.casefold())) or self._like(value)
        identifiers = _UUID.findall(value)
        by_id = _only(self.ids.get(identifiers[-1].lower())) if identifiers else None
        if by_id is not None or name is None:
            return by_id
        return _only(self.exact.get(name.casefold()))

    def _like(self, text: str) -> int | None:
        for index in (self.whole, self.shortened):
            for form in _forms(text):
                if found := index.get(form):
                    return _only(found)
        return None


def _only(found: set[int] | None) -> int | None:
    return next(iter(found)) if found is not None and len(found) == 1 else None


def _forms(text: str) -> list[str]:
    """Return the text's letters and digits, then without one ending after the other."""
    form = "".join(c for c in text.casefold() if c.isalnum())
    forms = [form]
    while ending := next((e for e in _ENDINGS if form.endswith(e) and len(form) > len(e)), None):
        form = form.removesuffix(ending)
        forms.append(form)
    return forms


def _named(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the parameters that take a flow or a module, with their values."""
    specs = block.spec.parameters if block.spec is not None else {}
    for name, spec in specs.items():
        yield from _of(block.parameters.get(name), spec, name)


def _of(value: object, spec: ParameterSpec, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if spec.resource in _KINDS and not value.startswith("$."):
            yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            known = (spec.properties or {}).get(str(key)) or spec.values
            if known is not None:
                yield from _of(inner, known, f"{path}.{key}")
    elif isinstance(value, list | tuple) and spec.items is not None:
        for number, inner in enumerate(value):
            yield from _of(inner, spec.items, f"{path}[{number}]")
