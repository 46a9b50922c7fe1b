"""Says in words what a scenario is about: what differs from how every scenario starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connect_flows import Block

from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.skeleton.facts import SILENT, Facts
from connect_sandbox.rehearsal.skeleton.trace import Trace
from connect_sandbox.rehearsal.skeleton.uses import writes_of

_GENERATED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PHRASES = 4
_FAILS = " fails"
_SHORT = 36
_LINE = 80
_FIGURES = {
    "agents_available": "agents available", "agents_staffed": "agents staffed", "agents_online": "agents online",
    "contacts_in_queue": "contacts waiting", "oldest_contact_age": "s the longest wait",
}  # fmt: skip


_SAID = {
    "number": "called from", "dialled": "called at", "outbound_call": "the outbound call is",
    "initiation_method": "begun as",
}  # fmt: skip
_NOBODY = {"customer_profiles": "no customer profile", "cases": "no case"}


def is_generated(identifier: str) -> bool:
    """Return whether the console has made the identifier up."""
    return _GENERATED.fullmatch(identifier) is not None


def called(flow: PublishedFlow, identifier: str) -> str:
    """Return what people would call a block: its identifier, or what it does if the console has made that up."""
    block = flow.content.by_identifier.get(identifier)
    if block is None or not is_generated(identifier):
        return identifier
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", block.type).lower()
    told = _told(flow, block)
    return f"{kind} {told}" if told else kind


def name_of(trace: Trace, start: Facts, flow: PublishedFlow, *, usually_silent: bool) -> str:
    """Return a name for what happens: "closed", "presses 2, Support full"."""
    phrases = list(dict.fromkeys(_phrases(trace, start, flow)))
    if usually_silent and len(phrases) > 1 and SILENT in phrases:
        phrases.remove(SILENT)
    if not phrases:
        return "as it is set up"
    failing = [phrase.removesuffix(_FAILS) for phrase in phrases if phrase.endswith(_FAILS)]
    if len(failing) > 1:
        phrases = [phrase for phrase in phrases if not phrase.endswith(_FAILS)] + [_all_fail(failing)]
    if len(phrases) > _PHRASES:
        rest = len(phrases) - _PHRASES + 1
        phrases = [*phrases[: _PHRASES - 1], f"{rest} more like that"]
    return ", ".join(phrases)


def _all_fail(names: list[str]) -> str:
    """Return "A, B and 2 more fail": as many names as can be read in a line."""
    told = names[:1]
    for name in names[1:]:
        if len(told) == _PHRASES or len(", ".join([*told, name])) > _LINE:
            break
        told.append(name)
    rest = len(names) - len(told)
    last = f"{rest} more" if rest else told.pop()
    return f"{', '.join(told)} and {last} fail"


def _phrases(trace: Trace, start: Facts, flow: PublishedFlow) -> Iterator[str]:
    facts = trace.facts
    yield from _of_contact(facts, start)
    for hours, told in _new(facts, start, "hours"):
        yield "open" if told == "open" else "closed" if _one(facts, "hours") else f"{hours} closed"
    for name, value in (*_new(facts, start, "attributes"), *_deeper(facts, start, "sets")):
        yield f"{name} is {_short(str(value))}"
    yield from (_move(move) for move in facts.moves)
    if not facts.moves and any(step.asked for step in trace.steps):
        yield SILENT
    for function, behaviours in _new(facts, start, "lambdas"):
        yield from _function(function, behaviours, start.at("lambdas", function))
    for queue, told in _new(facts, start, "queues"):
        yield from _queue(queue, told, start.at("queues", queue) or {})
    yield from _of_others(facts, start)
    for identifier, told in _new(facts, start, "blocks"):
        yield from _outcome(called(flow, identifier), told)


def _of_contact(facts: Facts, start: Facts) -> Iterator[str]:
    if facts.at("channel") != start.at("channel"):
        yield "a chat" if facts.at("channel") == "CHAT" else f"a {str(facts.at('channel')).lower()} contact"
    for key, words in _SAID.items():
        if facts.at(key) != start.at(key):
            yield f"{words} {facts.at(key)}"


def _of_others(facts: Facts, start: Facts) -> Iterator[str]:
    """Yield what third parties, bots and services do."""
    if facts.at("percentages") != start.at("percentages"):
        yield f"draws {' and '.join(str(n) for n in facts.at('percentages'))}"
    if facts.at("vendor") != start.at("vendor"):
        yield from (words for reaction in facts.at("vendor") if (words := _reaction(reaction)))
    for place in ("flows", "modules"):
        yield from (f"there is no {name}" for name, told in _new(facts, start, place) if told is None)
    yield from (words for key, words in _NOBODY.items() if facts.at(key) == [] != start.at(key))
    if facts.at("authentication") not in (start.at("authentication"), "signs in"):
        yield str(facts.at("authentication"))
    if (bot := facts.at("bot")) != start.at("bot") and bot:
        yield "the bot leaves" if "leaves" in bot else "a bot joins"
    if facts.at("customer_returns_after") is not None:
        yield "the customer comes back"


def _move(move: Any) -> str:  # noqa: ANN401  (JSON)
    if isinstance(move, str):
        return move
    how, what = next(iter(move.items()))
    return f"{how.replace('_', ' ')} {_short(str(what))}"


def _function(name: str, behaviours: list[Any], before: Any) -> Iterator[str]:  # noqa: ANN401  (JSON)
    known = before[0].get("answers", {}) if before else {}
    for behaviour in behaviours:
        if "answers" not in behaviour:
            yield f"{name} fails"
        else:
            for key, value in _leaves(behaviour["answers"]):
                if _at(known, key) != value:
                    yield f"{key[-1]} is {_short(str(value))}"


def _queue(name: str, told: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    for key, value in told.items():
        if before.get(key) == value or key == "name":
            continue
        if key == "at_capacity":
            yield f"{name} full"
        elif key == "open":
            yield f"{name} {'open' if value else 'closed'}"
        else:
            yield f"{value} {_FIGURES.get(key, key)}"


def _reaction(reaction: Any) -> str:  # noqa: ANN401  (JSON)
    """Return how a third party reacts; nothing where it just takes the call."""
    if isinstance(reaction, str):
        return f"the third party {reaction}"
    if "refuses" in reaction:
        return "the third party refuses"
    return "the third party cannot be dialled" if "cannot_be_dialled" in reaction else ""


def _outcome(name: str, told: Mapping[str, Any]) -> Iterator[str]:
    if "fails" in told:
        error = told["fails"]
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(error)).lower()
        yield f"{name} fails" if error == "NoMatchingError" else f"{name}: {words}"
    elif "decides" in told:
        yield f"{name}: {_short(str(told['decides']))}"


def _told(flow: PublishedFlow, block: Block) -> str:
    if written := [name for _, name, _ in writes_of(block)]:
        return _short(", ".join(written))
    for name in ("Text", "SSML", "ComparisonValue", "MetricType"):
        value = block.parameters.get(name)
        if isinstance(value, str) and value:
            plain = " ".join(re.sub(r"<[^>]*>", " ", value).split())
            return plain.removeprefix("$.") if name == "ComparisonValue" else f"“{_short(plain)}”"
    for value in block.parameters.values():
        if isinstance(value, str) and (flow.names.get(value) or ":function:" in value):
            return flow.names.get(value) or value.split(":function:", 1)[1]
    return ""


def _new(facts: Facts, start: Facts, key: str) -> Iterator[tuple[str, Any]]:
    told, before = facts.at(key) or {}, start.at(key) or {}
    yield from ((name, value) for name, value in told.items() if name not in before or before[name] != value)


def _deeper(facts: Facts, start: Facts, key: str) -> Iterator[tuple[str, Any]]:
    for path, value in _leaves(facts.at(key) or {}):
        if start.at(key, *path) != value:
            yield path[-1], value


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path:
        yield path, value


def _at(value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401  (JSON)
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _one(facts: Facts, key: str) -> bool:
    return len(facts.at(key) or {}) == 1


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT].rstrip()}…"
