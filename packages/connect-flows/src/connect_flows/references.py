"""References in the flow language: ``$.Attributes.name`` inside a value, read at run time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_STEP = r"(?:\.[^\s.\[\]$,;:!?'\"()<>{}]+|\[[^\[\]]{1,200}\])"
_REFERENCE = re.compile(rf"\$(?=[.\[][A-Za-z'\"]){_STEP}+")
_NAME = re.compile(r"\.([^.\[\]]+)|\[\s*['\"]?([^'\"\]]+)['\"]?\s*\]")


@dataclass(frozen=True)
class Reference:
    """One reference as written and its steps, e.g. ``$.External.a.b`` -> ("External", "a", "b")."""

    text: str
    steps: tuple[str, ...]

    @property
    def root(self) -> str:
        """The first step, as in "External", "Attributes" or "Channel"."""
        return self.steps[0]


def references(text: str) -> Iterator[Reference]:
    """Yield the references in the text, in order."""
    if "$" in text:
        for match in _REFERENCE.finditer(text):
            yield _reference(match.group())


def is_reference(text: str) -> bool:
    """Tell whether the whole text is exactly one reference."""
    return _REFERENCE.fullmatch(text) is not None


def has_reference(text: str) -> bool:
    """Tell whether the text contains a reference."""
    return "$" in text and _REFERENCE.search(text) is not None


def values_with_paths(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every string inside a parameter with its JSON path; keys with a $ at the path of their value."""
    stack: list[tuple[Any, str]] = [(value, path)]
    while stack:
        item, where = stack.pop()
        if isinstance(item, str):
            yield where, item
        elif isinstance(item, Mapping):
            for key, inner in reversed(list(item.items())):
                stack.append((inner, f"{where}.{key}"))
                if isinstance(key, str) and "$" in key:
                    yield f"{where}.{key}", key
        elif isinstance(item, list | tuple):
            stack.extend((inner, f"{where}[{i}]") for i, inner in reversed(list(enumerate(item))))


def _reference(text: str) -> Reference:
    steps = tuple(dotted or bracketed for dotted, bracketed in _NAME.findall(text[1:]))
    return Reference(text, steps)
