"""Where the value of a reference came from in a trace, and the facts that would have made it another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_flows.references import has_reference, is_reference, references

from connect_sandbox.rehearsal.skeleton.demands import Demand
from connect_sandbox.rehearsal.skeleton.facts import Facts
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.trace import Step, Trace
from connect_sandbox.rehearsal.skeleton.uses import Steps, writes_of

_KEYS = frozenset("0123456789*#")
_METRICS = {
    ("Queue", "Size"): "contacts_in_queue",
    ("Queue", "OldestContactAge"): "oldest_contact_age",
    ("Agents", "Available", "Count"): "agents_available",
    ("Agents", "Staffed", "Count"): "agents_staffed",
    ("Agents", "Online", "Count"): "agents_online",
}


@dataclass
class Changes:
    """Facts under which a reference has another value; `fixed` says why there are none.

    `written`: the attribute whose text in the flow decides, if one does.
    """

    facts: list[Facts] = field(default_factory=list)
    fixed: str = ""
    written: tuple[str, str] | None = None


@dataclass(frozen=True)
class Origins:
    """Follows references back through a trace."""

    given: Given

    def changes(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        """Return the facts under which the reference would have met the demand at step number `at`."""
        match steps:
            case ("Attributes" | "FlowAttributes" as root, name):
                return self._attribute(trace, at, (root, name), demand)
            case ("External", *_):
                return self._answer(trace, at, steps, demand)
            case ("StoredCustomerInput",):
                return self._input(trace, at, demand)
            case ("Lex", *path):
                return self._lex(trace, at, path, demand)
            case ("Views", *path):
                return self._view(trace, at, path, demand)
            case ("Channel",):
                return _every(trace, demand, ("VOICE", "CHAT"), "channel")
            case ("CustomerEndpoint", "Address"):
                return _every(trace, demand, demand.values(), "number")
            case ("SystemEndpoint", "Address"):
                return _every(trace, demand, demand.values(), "dialled")
            case ("Metrics", *path) if tuple(path) in _METRICS:
                return self._metric(trace, at, _METRICS[tuple(path)], demand)
            case _:
                return self._told(trace, at, steps, demand)

    def _attribute(self, trace: Trace, at: int, place: tuple[str, str], demand: Demand) -> Changes:
        root, name = place
        for index in range(at - 1, -1, -1):
            step = trace.steps[index]
            told = trace.facts.at("blocks", step.block.identifier, "sets", root)
            if isinstance(told, Mapping) and name in told:
                path = ("blocks", step.block.identifier, "sets", root, name)
                return Changes([trace.facts.having(value, *path) for value in demand.values()])
            if step.branch != "next":
                continue
            written = next((w for r, n, w in writes_of(step.block) if (r, n) == place), None)
            if written is None:
                continue
            if is_reference(written):
                return self.changes(trace, index, next(references(written)).steps, demand)
            if has_reference(written):
                return Changes(fixed=f"$.{root}.{name} is put together as {written!r}", written=place)
            return Changes(fixed=f"$.{root}.{name} is {written!r} there", written=place)
        if root == "FlowAttributes":
            return Changes(fixed=f"no block before it sets $.{root}.{name}", written=place)
        values = [trace.facts.having(value, "attributes", name) for value in demand.values()]
        return Changes(values)

    def _answer(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        for index in range(at - 1, -1, -1):
            step = trace.steps[index]
            told = trace.facts.at("blocks", step.block.identifier, "sets")
            if isinstance(told, Mapping) and "External" in told:
                return Changes(
                    _putting(trace.facts, ("blocks", step.block.identifier, "sets", *steps), demand)
                )
            if step.block.type != "InvokeLambdaFunction":
                continue
            if step.block.parameters.get("InvocationType") == "ASYNCHRONOUS":
                continue
            if step.branch != "next" or step.function is None:
                return Changes(fixed=f"$.{'.'.join(steps)} is empty after the function has failed")
            return Changes(answering(trace.facts, step.function, steps[1:], demand))
        return Changes(fixed=f"no function is invoked before $.{'.'.join(steps)} is read")

    def _input(self, trace: Trace, at: int, demand: Demand) -> Changes:
        found = _last(
            trace, at, "GetParticipantInput", lambda s: s.block.parameters.get("StoreInput") == "True"
        )
        if found is None or not found.asked:
            return Changes(fixed="the caller has entered nothing before")
        values = [value for value in demand.values() if value and not set(value) - _KEYS]
        moves: list[Any] = [{"presses": value} for value in values]
        if demand.accepts("Timeout"):
            moves.append("stays silent")
        facts = [trace.facts.moving(found.asked[-1], move) for move in moves]
        return Changes(facts, "" if facts else "no keys of a telephone make that value")

    def _lex(self, trace: Trace, at: int, path: list[str], demand: Demand) -> Changes:
        found = _last(trace, at, "ConnectParticipantWithLexBot", lambda s: bool(s.asked))
        if found is None:
            return Changes(fixed="no bot has been asked before")
        move = trace.facts.moves[found.asked[-1]] if found.asked[-1] < len(trace.facts.moves) else None
        if not isinstance(move, Mapping) or "says" not in move:
            return Changes(fixed="the caller has said nothing to the bot")
        place = {"Slots": "slots", "SessionAttributes": "session_attributes"}.get(path[0] if path else "")
        if place is None or len(path) != 2:
            return Changes(fixed=f"nothing sets $.Lex.{'.'.join(path)}")
        known = trace.facts.at("lex", move["says"])
        told = dict(known) if isinstance(known, Mapping) else {"intent": known}
        facts = []
        for value in demand.values():
            inner = {**(told.get(place) or {}), path[1]: value}
            words = f"{move['says']} {value}" if place == "slots" else f"{move['says']} ({value})"
            facts.append(
                trace.facts.moving(found.asked[-1], {"says": words}).having(
                    {**told, place: inner}, "lex", words
                )
            )
        return Changes(facts)

    def _view(self, trace: Trace, at: int, path: list[str], demand: Demand) -> Changes:
        found = _last(trace, at, "ShowView", lambda s: bool(s.asked))
        move = None
        if found is not None and found.asked[-1] < len(trace.facts.moves):
            move = trace.facts.moves[found.asked[-1]]
        if found is None or not isinstance(move, Mapping) or "chooses" not in move:
            return Changes(fixed="the customer has chosen nothing in a view")
        if path == ["Action"]:
            return Changes(
                [trace.facts.moving(found.asked[-1], {**move, "chooses": v}) for v in demand.values()]
            )
        if path[:1] != ["ViewResultData"] or len(path) < 2:
            return Changes(fixed=f"nothing sets $.Views.{'.'.join(path)}")
        facts = []
        for value in demand.values():
            data = Facts(move.get("data") or {}).having(value, *path[1:]).setup
            facts.append(trace.facts.moving(found.asked[-1], {**move, "data": data}))
        return Changes(facts)

    def _metric(self, trace: Trace, at: int, name: str, demand: Demand) -> Changes:
        queue = self.queue(trace, at, "GetMetricData")
        if queue is None:
            return Changes(fixed="no queue's metrics have been read")
        return Changes(counting(trace.facts, queue, name, demand))

    def _told(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        for index in range(at - 1, -1, -1):
            block = trace.steps[index].block.identifier
            if isinstance(trace.facts.at("blocks", block), Mapping) and "fails" not in trace.facts.at(
                "blocks", block
            ):
                return Changes(_putting(trace.facts, ("blocks", block, "sets", *steps), demand))
        return Changes(fixed=f"no fact of a scenario decides $.{'.'.join(steps)}")

    def queue(self, trace: Trace, at: int, reader: str | None = None) -> str | None:
        """Return what the scenario calls the queue that counts at a step; None if that cannot be said.

        `reader`: the queue that the last block of this type before the step has read.
        """
        if reader is not None:
            at = next((i for i in range(at, -1, -1) if trace.steps[i].block.type == reader), -1)
            if at < 0:
                return None
        for index in range(at, -1, -1):
            block = trace.steps[index].block
            written = block.parameters.get("QueueId")
            chooses = block.type in {"UpdateContactTargetQueue", "DequeueContactAndTransferToQueue"}
            if (chooses or index == at) and isinstance(written, str) and written:
                if is_reference(written):
                    key = self.given.plausible.value(next(references(written)).steps)
                else:
                    key = self.given.key("queue", written)
                return key if trace.facts.at("queues", key) is not None else None
        return None


def answering(facts: Facts, function: tuple[str, int], path: Steps, demand: Demand) -> list[Facts]:
    """Return the facts under which one attempt of a function answers with such a value."""
    name, attempt = function
    return [
        facts.having(_answers(facts, name, attempt, Facts(_last_answer(facts, name, attempt)).having(value, *path).setup),
                     "lambdas", name)
        for value in demand.values()
    ]  # fmt: skip


def behaving(facts: Facts, function: tuple[str, int], behaviour: Mapping[str, Any]) -> Facts:
    """Return the facts under which one attempt of a function goes like this."""
    name, attempt = function
    told = _list(facts, name)
    told += [told[-1]] * (attempt + 1 - len(told))
    after = told[attempt]
    told[attempt] = dict(behaviour)
    if attempt == len(told) - 1 and attempt > 0 and after != behaviour:
        told.append(after)
    return facts.having(told, "lambdas", name)


def counting(facts: Facts, queue: str, name: str, demand: Demand, factor: int = 1) -> list[Facts]:
    """Return the facts under which a queue's figure meets the demand; the flow reads it times `factor`."""
    found = []
    for value in demand.values():
        try:
            number = float(value)
        except ValueError:
            continue
        if number >= 0 and (number == int(number) or name == "oldest_contact_age"):
            told: float | int = number / factor if name == "oldest_contact_age" else int(number)
            found.append(facts.having(int(told) if told == int(told) else told, "queues", queue, name))
    return found


def _answers(facts: Facts, name: str, attempt: int, answer: Any) -> list[Any]:  # noqa: ANN401  (JSON)
    told = _list(facts, name)
    if len(told) == 1 and attempt == 0:
        return [{**told[0], "answers": answer}]
    told += [told[-1]] * (attempt + 1 - len(told))
    told[attempt] = {"answers": answer}
    return told


def _last_answer(facts: Facts, name: str, attempt: int) -> Mapping[str, Any]:
    told = _list(facts, name)
    answer = told[min(attempt, len(told) - 1)].get("answers")
    return answer if isinstance(answer, Mapping) else {}


def _list(facts: Facts, name: str) -> list[Any]:
    told = facts.at("lambdas", name)
    return list(told) if isinstance(told, list) else [told or {"answers": {}}]


def _putting(facts: Facts, path: tuple[str, ...], demand: Demand) -> list[Facts]:
    return [facts.having(value, *path) for value in demand.values()]


def _every(trace: Trace, demand: Demand, values: Any, key: str) -> Changes:  # noqa: ANN401  (texts)
    facts = [trace.facts.having(value, key) for value in values if value and demand.accepts(value)]
    return Changes(facts, "" if facts else f"no {key} meets that")


def _last(trace: Trace, at: int, block_type: str, fits: Any) -> Step | None:  # noqa: ANN401  (a predicate)
    steps: Iterator[Step] = (trace.steps[i] for i in range(at - 1, -1, -1))
    return next((s for s in steps if s.block.type == block_type and fits(s)), None)
