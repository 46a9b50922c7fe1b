"""Where the value of a reference came from in a trace, and the facts that would have made it another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from connect_flows.references import has_reference, is_reference, references

from connect_sandbox.rehearsal.contact import Channel
from connect_sandbox.rehearsal.setup_reader import INITIATION_METHODS
from connect_sandbox.rehearsal.skeleton.demands import OTHER, Demand, spoken
from connect_sandbox.rehearsal.skeleton.facts import FAILED, Facts
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.trace import Step, Trace
from connect_sandbox.rehearsal.skeleton.uses import Steps, writes_of

_KEYS = frozenset("0123456789*#")
_OF_CONTACT: dict[Steps, tuple[str, tuple[str, ...]]] = {
    ("Channel",): ("channel", get_args(Channel)),
    ("InitiationMethod",): ("initiation_method", INITIATION_METHODS),
    ("CustomerEndpoint", "Address"): ("number", ()),
    ("SystemEndpoint", "Address"): ("dialled", ()),
}
"""What a scenario says of the contact itself: the key, and what it may be (empty: any text)."""
_KNOWN = {"Customer": "customer_profiles", "Case": "cases"}
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
        root, *path = steps
        if steps in _OF_CONTACT:
            key, known = _OF_CONTACT[steps]
            return _every(trace, demand, known or demand.values(), key)
        if root in _KNOWN and trace.facts.at(_KNOWN[root]):
            return Changes(_known(trace.facts, _KNOWN[root], tuple(path), demand))
        follow = {
            "Attributes": self._attribute,
            "FlowAttributes": self._attribute,
            "External": self._answer,
            "StoredCustomerInput": self._input,
            "Lex": self._lex,
            "Views": self._view,
            "Metrics": self._metric,
        }.get(root, self._told)
        return follow(trace, at, steps, demand)

    def _attribute(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        root, name = place = (steps[0], steps[-1])
        for index in range(at - 1, -1, -1):
            step = trace.steps[index]
            told = trace.facts.at("blocks", step.block.identifier, "sets", root)
            if isinstance(told, Mapping) and name in told:
                return Changes(
                    _putting(trace.facts, ("blocks", step.block.identifier, "sets", root, name), demand)
                )
            written = next((w for r, n, w in writes_of(step.block) if (r, n) == place), None)
            if written is not None and step.branch == "next":
                return self._written(trace, index, place, written, demand)
        if root == "FlowAttributes":
            return Changes(fixed=f"no block before it sets $.{root}.{name}", written=place)
        return Changes(_putting(trace.facts, ("attributes", name), demand))

    def _written(self, trace: Trace, at: int, place: tuple[str, str], text: str, demand: Demand) -> Changes:
        """Return how an attribute that step number `at` has written could have been another."""
        instead = self._instead_of_module(trace, at, place, demand)
        name = f"$.{place[0]}.{place[1]}"
        if is_reference(text):
            found = self.changes(trace, at, next(references(text)).steps, demand)
        elif has_reference(text):
            found = Changes(fixed=f"{name} is put together as {text!r}", written=place)
        else:
            found = Changes(fixed=f"{name} is {text!r} there", written=place)
        return Changes([*found.facts, *instead], found.fixed, found.written)

    def _instead_of_module(
        self, trace: Trace, at: int, place: tuple[str, str], demand: Demand
    ) -> list[Facts]:
        """Return the facts under which a module sets the attribute without being played; none if no module does."""
        if trace.steps[at].flow == trace.flow:
            return []
        callers = (s.block for s in reversed(trace.steps[:at]) if s.flow == trace.flow)
        block = next(callers, None)
        if block is None or block.type != "InvokeFlowModule" or place[0] != "Attributes":
            return []
        values = demand.values()
        return [
            trace.facts.having({"sets": {place[0]: {place[1]: v}}}, "blocks", block.identifier)
            for v in values
        ]

    def _answer(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        for index in range(at - 1, -1, -1):
            step = trace.steps[index]
            told = trace.facts.at("blocks", step.block.identifier)
            invokes = step.block.type == "InvokeLambdaFunction"
            if (
                isinstance(told, Mapping)
                and FAILED not in told
                and (invokes or "External" in told.get("sets", {}))
            ):
                path = ("blocks", step.block.identifier, "sets", *steps)
                return Changes(_putting(trace.facts, path, demand))
            if not invokes:
                continue
            if step.block.parameters.get("InvocationType") == "ASYNCHRONOUS":
                continue
            if step.branch != "next" or step.function is None:
                return Changes(fixed=f"$.{'.'.join(steps)} is empty after the function has failed")
            return Changes(answering(trace.facts, step.function, steps[1:], demand))
        return Changes(_putting(trace.facts, ("sets", *steps), demand))

    def _input(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:  # noqa: ARG002
        found = _last(
            trace, at, "GetParticipantInput", lambda s: s.block.parameters.get("StoreInput") == "True"
        )
        if found is None or not found.asked:
            return Changes(fixed="the caller has entered nothing before")
        keys = [*demand.values(), *(key for key in ("1234", "1", "0") if demand.accepts(key))]
        values = [value for value in dict.fromkeys(keys) if value and not set(value) - _KEYS]
        moves: list[Any] = [{"presses": value} for value in values]
        if demand.accepts("Timeout"):
            moves.append("stays silent")
        facts = [trace.facts.moving(found.asked[-1], move) for move in moves]
        return Changes(facts, "" if facts else "no keys of a telephone make that value")

    def _lex(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        path = list(steps[1:])
        found = _last(trace, at, "ConnectParticipantWithLexBot", lambda s: bool(s.asked))
        if found is None:
            return Changes(fixed="no bot has been asked before")
        move = trace.facts.moves[found.asked[-1]] if found.asked[-1] < len(trace.facts.moves) else None
        if not isinstance(move, Mapping) or "says" not in move:
            move = {"says": OTHER}
        if path == ["IntentName"]:
            return Changes(
                [
                    trace.facts.moving(found.asked[-1], {"says": spoken(value)}).having(
                        value, "lex", spoken(value)
                    )
                    for value in demand.values()
                ]
            )
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

    def _view(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        path = list(steps[1:])
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

    def _metric(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        queue, name = self.queue(trace, at, "GetMetricData"), _METRICS.get(steps[1:])
        if queue is None or name is None:
            return Changes(fixed="no queue's metrics have been read")
        return Changes(counting(trace.facts, queue, name, demand))

    def _told(self, trace: Trace, at: int, steps: Steps, demand: Demand) -> Changes:
        for index in range(at - 1, -1, -1):
            block = trace.steps[index].block.identifier
            if isinstance(trace.facts.at("blocks", block), Mapping) and FAILED not in trace.facts.at(
                "blocks", block
            ):
                return Changes(_putting(trace.facts, ("blocks", block, "sets", *steps), demand))
        if trace.facts.at("sets", steps[0]) is not None:
            return Changes(_putting(trace.facts, ("sets", *steps), demand))
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
        known = trace.facts.at("queue")
        return known if isinstance(known, str) else None


def answering(facts: Facts, function: tuple[str, int], path: Steps, demand: Demand) -> list[Facts]:
    """Return the facts under which one attempt of a function answers with such a value."""
    name, attempt = function
    before = Facts(_last_answer(facts, name, attempt))
    answers = [before.having(value, *path).setup for value in demand.values()]
    return [facts.having(_answers(facts, name, attempt, answer), "lambdas", name) for answer in answers]


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


def _known(facts: Facts, key: str, path: Steps, demand: Demand) -> list[Facts]:
    """Return the facts under which the profile or case that the contact finds has another value."""
    first, *others = facts.at(key)
    return [
        facts.having([Facts(first).having(value, *path).setup, *others], key) for value in demand.values()
    ]


def _every(trace: Trace, demand: Demand, values: Any, key: str) -> Changes:  # noqa: ANN401  (texts)
    facts = [trace.facts.having(value, key) for value in values if value and demand.accepts(value)]
    return Changes(facts, "" if facts else f"no {key} meets that")


def _last(trace: Trace, at: int, block_type: str, fits: Any) -> Step | None:  # noqa: ANN401  (a predicate)
    steps: Iterator[Step] = (trace.steps[i] for i in range(at - 1, -1, -1))
    return next((s for s in steps if s.block.type == block_type and fits(s)), None)
