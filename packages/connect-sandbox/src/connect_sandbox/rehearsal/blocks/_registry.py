"""The table in which block functions register themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connect_sandbox.rehearsal.stage import Stage
from connect_sandbox.rehearsal.steps import Step

Play = Callable[[Stage], Step]
"""A block type's behaviour."""


@dataclass(frozen=True)
class Behaviour:
    """A block type that can be played, and the parameters that its function understands."""

    play: Play
    parameters: frozenset[str]


class Registry:
    """Behaviours by block type."""

    def __init__(self, behaviours: dict[str, Behaviour] | None = None) -> None:
        self._behaviours = behaviours or {}

    def plays(self, block_type: str, *parameters: str) -> Callable[[Play], Play]:
        """Register the decorated function as the behaviour of `block_type`, which understands these parameters."""

        def enter(play: Play) -> Play:
            self._behaviours[block_type] = Behaviour(play, frozenset(parameters))
            return play

        return enter

    def get(self, block_type: str) -> Behaviour | None:
        """Return the behaviour of a type, None if there is none."""
        return self._behaviours.get(block_type)

    def items(self) -> Iterator[tuple[str, Behaviour]]:
        """Yield every type with its behaviour."""
        yield from self._behaviours.items()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._behaviours))

    def __contains__(self, block_type: object) -> bool:
        return block_type in self._behaviours

    @classmethod
    def joined(cls, *registries: "Registry") -> "Registry":
        """Return one registry with the behaviours of all."""
        return cls({name: behaviour for registry in registries for name, behaviour in registry.items()})
