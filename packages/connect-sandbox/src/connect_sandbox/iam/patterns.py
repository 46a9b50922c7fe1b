"""IAM's wildcards and policy variables.

``*`` matches any run of characters, even none, and ``?`` exactly one; both match across colons and slashes.
``${key}`` is replaced by the request's condition key, ``${key, 'default'}`` by the default when the key is absent,
and ``${*}``, ``${?}``, ``${$}`` are the characters themselves. A wildcard inside a replaced value is no wildcard.
Variables exist since policy version 2012-10-17; in older versions they are plain text. Source: AWS IAM User Guide,
"JSON policy elements: Resource" and "Variables and tags".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_DEFAULTED: Final = re.compile(r"^\s*([^,]+?)\s*,\s*'([^']*)'\s*$")


@dataclass(frozen=True)
class Variable:
    """A policy variable: the condition key it reads, and its default if the policy gives one."""

    key: str
    default: str | None


@dataclass(frozen=True)
class Pattern:
    """A policy value as text, ``*``, ``?`` and variables, in order.

    ``parts`` holds strings (to be taken literally), ``Variable`` objects, and ``None`` for ``?``, ``...`` for
    ``*``.
    """

    text: str
    parts: tuple[object, ...]

    @property
    def has_wildcard(self) -> bool:
        """Whether the pattern can match more than one text."""
        return any(part is None or part is ... for part in self.parts)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The policy variables in the pattern."""
        return tuple(part for part in self.parts if isinstance(part, Variable))

    def matches(self, value: str, lookup: Callable[[str], str | None], *, ignore_case: bool = False) -> bool:
        """Whether the whole of ``value`` matches; false if a variable has neither value nor default."""
        regex = _fixed_regex(self, ignore_case) if not self.variables else self._regex(lookup, ignore_case)
        return regex is not None and regex.fullmatch(value) is not None

    def literal(self, lookup: Callable[[str], str | None]) -> str | None:
        """Return the text with its variables filled; None if one of them has no value."""
        pieces: list[str] = []
        for part in self.parts:
            piece = self._fill(part, lookup) if isinstance(part, Variable) else _plain(part)
            if piece is None:
                return None
            pieces.append(piece)
        return "".join(pieces)

    def _regex(self, lookup: Callable[[str], str | None], ignore_case: bool) -> re.Pattern[str] | None:
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, Variable):
                filled = self._fill(part, lookup)
                if filled is None:
                    return None
                pieces.append(re.escape(filled))
            else:
                pieces.append(".*" if part is ... else "." if part is None else re.escape(str(part)))
        return re.compile("".join(pieces), re.DOTALL | (re.IGNORECASE if ignore_case else 0))

    @staticmethod
    def _fill(variable: Variable, lookup: Callable[[str], str | None]) -> str | None:
        value = lookup(variable.key)
        return variable.default if value is None else value


@lru_cache(maxsize=4096)
def parse_pattern(text: str, *, variables: bool = True) -> Pattern:
    """Read a policy value; with ``variables=False`` ``${…}`` is plain text (policy version 2008-10-17)."""
    parts: list[object] = []
    position = 0
    for found in _VARIABLE.finditer(text) if variables else ():
        parts += _wildcards(text[position : found.start()])
        parts.append(_variable(found.group(1)))
        position = found.end()
    parts += _wildcards(text[position:])
    return Pattern(text, tuple(parts))


def wildcard_match(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether ``value`` matches ``pattern``, wildcards only."""
    return parse_pattern(pattern, variables=False).matches(value, lambda _key: None, ignore_case=ignore_case)


@lru_cache(maxsize=4096)
def _fixed_regex(pattern: Pattern, ignore_case: bool) -> re.Pattern[str] | None:
    return pattern._regex(lambda _key: None, ignore_case)  # noqa: SLF001 - the cache of the same module's class


def _variable(inner: str) -> object:
    if inner in {"*", "?", "$"}:
        return inner
    if defaulted := _DEFAULTED.match(inner):
        return Variable(defaulted.group(1), defaulted.group(2))
    return Variable(inner.strip(), None)


def _wildcards(text: str) -> list[object]:
    parts: list[object] = []
    for piece in re.split(r"([*?])", text):
        if piece == "*":
            if not parts or parts[-1] is not ...:  # a run of stars is one star, and keeps the regex fast
                parts.append(...)
        elif piece == "?":
            parts.append(None)
        elif piece:
            parts.append(piece)
    return parts


def _plain(part: object) -> str:
    return "*" if part is ... else "?" if part is None else str(part)
