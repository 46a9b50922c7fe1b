"""Reads scenarios strictly: each problem names the path, the value and the fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T")


class ScenarioError(ValueError):
    """A scenario is malformed; the message lists every problem, one a line."""


class Reader:
    """One value of a scenario, at its path. `problems` is shared by all readers of a document."""

    def __init__(self, value: Any, path: str, problems: list[str]) -> None:  # noqa: ANN401  (what YAML holds)
        self.value = value
        self.path = path
        self.problems = problems

    def wrong(self, problem: str, fix: str) -> None:
        """Note a problem with this value."""
        self.problems.append(f"{self.path or 'the scenario'} is {_told(self.value)}: {problem}. Fix: {fix}.")

    def keys(self, *known: str, renamed: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, Reader]:
        """Return the entries of an object that has no other keys than these.

        `renamed` maps the keys of earlier versions to their current names, which the problem then gives.
        """
        if not isinstance(self.value, Mapping):
            self.wrong("it must be an object", f"give any of {', '.join(known)}")
            return {}
        for key in self.value:
            if key in renamed:
                now = renamed[key]
                self.problems.append(f"{self._inner(key)} is now called {now}. Fix: write {now}: for {key}:.")
            elif key not in known:
                near = get_close_matches(str(key), known, 1)
                hint = f"write {near[0]}" if near else f"use one of {', '.join(known)}"
                self.problems.append(
                    f"{self._inner(key)} is not known (its value is {_told(self.value[key])}). Fix: {hint}."
                )
        return {key: self._entry(key) for key in known if key in self.value}

    def entries(self) -> Iterator[tuple[str, Reader]]:
        """Yield the entries of an object whose keys are names."""
        if not isinstance(self.value, Mapping):
            self.wrong("it must be an object of names and values", "write NAME: VALUE")
            return
        for key in self.value:
            if isinstance(key, str):
                yield key, self._entry(key)
            else:
                self.problems.append(
                    f"{self.path} has the name {key!r}, which is not text. Fix: write '{key}'."
                )

    def items(self) -> Iterator[Reader]:
        """Yield the items of a list; a single value is a list of one."""
        items = self.value if isinstance(self.value, list | tuple) else [self.value]
        for index, item in enumerate(items):
            yield Reader(item, f"{self.path}[{index}]", self.problems)

    def text(self) -> str:
        """Return a text."""
        if isinstance(self.value, str):
            return self.value
        self.wrong("it must be text", f"put it in quotes: '{self.value}'")
        return ""

    def number(self, low: float, high: float) -> float:
        """Return a number within the bounds."""
        if (
            isinstance(self.value, int | float)
            and not isinstance(self.value, bool)
            and low <= self.value <= high
        ):
            return float(self.value)
        self.wrong("it is out of range", f"give a number from {low:g} to {high:g}")
        return low

    def whole(self, low: int, high: int) -> int:
        """Return a whole number within the bounds."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and low <= self.value <= high:
            return self.value
        self.wrong("it is not a whole number in range", f"give a whole number from {low} to {high}")
        return low

    def flag(self) -> bool:
        """Return true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.wrong("it is neither true nor false", "write true or false, without quotes")
        return False

    def one_of(self, *choices: str) -> str:
        """Return one of the texts."""
        if self.value in choices:
            return str(self.value)
        self.wrong("it is not one of the values allowed here", f"write one of {', '.join(choices)}")
        return choices[0]

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts; a single text is a list of one."""
        return tuple(item.text() for item in self.items())

    def text_map(self) -> dict[str, str]:
        """Return an object of texts."""
        return {name: entry.text() for name, entry in self.entries()}

    def map_of(self, read: Callable[[Reader], T]) -> dict[str, T]:
        """Return an object whose values `read` returns."""
        return {name: read(entry) for name, entry in self.entries()}

    def _entry(self, key: str) -> Reader:
        return Reader(self.value[key], self._inner(key), self.problems)

    def _inner(self, key: object) -> str:
        return f"{self.path}.{key}" if self.path else str(key)


def checked(problems: Sequence[str], name: str) -> None:
    """Raise ScenarioError if there are problems with the scenario or scenario file of that name."""
    if problems:
        raise ScenarioError("\n".join(f"{name}: {problem}" for problem in problems))


def _told(value: Any) -> str:  # noqa: ANN401
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
