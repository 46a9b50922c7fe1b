"""Plays facts, and adds what a contact stops for: a function's answer, a file's stand-in, what a block does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.rehearsal.errors import BoundExceededError, CannotPlayError, RehearsalError
from connect_sandbox.rehearsal.setup_reader import MERGED
from connect_sandbox.rehearsal.skeleton.demands import Demand, label_of
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.trace import Player, Trace, function_key

_MENDS = 60


@dataclass
class Mending:
    """Plays contacts through a flow.

    `stands_in`: why a scenario says what a block does, by the block. `added`: what contacts stopped for, by its place
    in the setup, with what was added there.
    """

    given: Given
    player: Player
    stands_in: dict[str, str] = field(default_factory=dict)
    added: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def play(self, facts: Facts) -> Trace:
        """Play the facts and what is missing, until the contact ends or stops for what cannot be added."""
        trace = self.player.play(facts)
        for _ in range(_MENDS):
            stop = trace.stop
            if stop is None or isinstance(stop, BoundExceededError):
                break
            mended = self._with(trace.facts, stop)
            if mended is None or mended.key == trace.facts.key:
                break
            self._remember(trace.facts, mended)
            trace = self.player.play(mended)
        return trace

    def _with(self, facts: Facts, stop: RehearsalError) -> Facts | None:
        """Return the facts with what the contact stopped for; None if nothing can be added."""
        match stop.missing:
            case ("lambdas", name):
                return facts.having([{"answers": {}}], "lambdas", function_key(name))
            case ("flows" | "modules" as place, name):
                kind = "flow" if place == "flows" else "module"
                key = self.given.key(kind, name)
                return facts.having(self.given.file_or_stand_in(key), place, key)
            case ("blocks" | "security_keys", *_) | ():
                return self._instead(facts, stop)
            case ("lex", _) as place:
                return facts.having(stop.example, *place)
            case place:
                return None if stop.example is None else facts.having(stop.example, *place)

    def _instead(self, facts: Facts, stop: RehearsalError) -> Facts | None:
        """Say what a block does that the sandbox does not play."""
        if not isinstance(stop, CannotPlayError):
            return None
        block = self.player.flow.content.by_identifier.get(stop.block)
        if block is None or facts.at("blocks", stop.block) is not None:
            return None
        told: dict[str, Any] = {}
        if sets := self.given.told(block):
            told["sets"] = sets
        conditions = block.transitions.conditions
        if conditions:
            values = Demand.of(conditions, label_of(conditions[0])).values()
            told |= {"decides": values[0]} if values else {}
        self.stands_in.setdefault(stop.block, stop.reason)
        return facts.having(told, "blocks", stop.block)

    def _remember(self, before: Facts, after: Facts) -> None:
        for key, value in after.setup.items():
            old = before.at(key)
            if value == old:
                continue
            if key in MERGED and isinstance(value, Mapping):
                for name, told in value.items():
                    if not old or old.get(name) != told:
                        self.added.setdefault((key, name), told)
            else:
                self.added.setdefault((key,), value)
