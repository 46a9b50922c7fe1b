"""What a scenario says: setup and the caller's moves, in the form that scenario files have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

SILENT = "stays silent"
HANGS_UP = "hangs up"
FAILED = "fails"


@dataclass(frozen=True)
class Facts:
    """A scenario's setup and the caller's moves; never changed, only copied with one more fact."""

    setup: Mapping[str, Any] = field(default_factory=dict)
    moves: tuple[Any, ...] = ()

    def having(self, value: Any, *path: str) -> Facts:  # noqa: ANN401  (JSON)
        """Return the facts with a value at that place of the setup."""
        return replace(self, setup=_with(self.setup, value, path))

    def at(self, *path: str) -> Any:  # noqa: ANN401  (JSON)
        """Return what stands at that place of the setup, None if nothing does."""
        found: Any = self.setup
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                return None
            found = found[key]
        return found

    def moving(self, index: int, move: Any) -> Facts:  # noqa: ANN401  (JSON)
        """Return the facts with that move as the caller's answer to question number `index`."""
        moves = [*self.moves, *[SILENT] * (index + 1 - len(self.moves))]
        moves[index] = move
        return replace(self, moves=tuple(moves))

    def first(self, moves: int) -> Facts:
        """Return the facts with the first moves only; silence at the end needs no words."""
        kept = list(self.moves[:moves])
        while kept and kept[-1] == SILENT:
            kept.pop()
        return replace(self, moves=tuple(kept))

    @cached_property
    def key(self) -> str:
        """A text that is the same for the same facts."""
        return json.dumps([self.setup, self.moves], sort_keys=True, ensure_ascii=False)


def _with(setup: Mapping[str, Any], value: Any, path: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    key, *rest = path
    inner = setup.get(key)
    held = value if not rest else _with(inner if isinstance(inner, Mapping) else {}, value, tuple(rest))
    return {**setup, key: held}
