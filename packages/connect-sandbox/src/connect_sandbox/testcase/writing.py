"""Writes observations and actions in the Testing language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connect_flows.template import escape

from connect_sandbox.rehearsal.conditions import Presses, Says
from connect_sandbox.testcase.document import MESSAGE_RECEIVED, parameters_of
from connect_sandbox.testcase.events import NUMERALS, Event
from connect_sandbox.testcase.journal import Reaction

_ENOUGH_WORDS = 3
_RECORDING = re.compile(r"\[.*\]")
"""How a transcript shows a recording of which the scenario does not say the words."""


@dataclass
class Point:
    """An event that the test observes: what it expects there, and what it does then."""

    seen: int
    event: Event
    expected: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    asserts: list[tuple[str, str]] = field(default_factory=list)


def observable(event: Event) -> bool:
    """Return whether an observation can recognise an event: a message must have words that are known."""
    return event.type != MESSAGE_RECEIVED or any(_known(part) for part in event.parts)


def words_of(point: Point, *, chat: bool) -> tuple[str, str]:
    """Return by which criteria and text an observation recognises a message.

    Speech recognition gives back neither digits nor punctuation, so that Inclusion takes plain words; several texts of
    one event take Similarity.
    """
    event = point.event
    parts = [part for part in event.parts if _known(part)]
    whole = " ".join(part.strip() for part in parts)
    expected = {
        text: part
        for text in dict.fromkeys(point.expected)
        for part in parts
        if text in part and _known(text)
    }
    if chat:
        return "Inclusion", next(iter(expected)) if len(expected) == 1 else whole
    if len(expected) > 1:
        return "Similarity", whole
    text, part = next(iter(expected.items())) if expected else (parts[-1], parts[-1])
    for candidate in (_whole_words(text, part), part):
        words = plain(candidate)
        if words and len(words.split()) >= min(_ENOUGH_WORDS, len(candidate.split())):
            return "Inclusion", words
    return "Similarity", re.sub(r"(?<!\w)\d(?!\w)", lambda found: NUMERALS[int(found[0])], whole)


def plain(text: str) -> str:
    """Return the longest run of words in a text that speech recognition gives back as they are written."""
    runs: list[list[str]] = [[]]
    for word in text.split():
        bare = word.strip(".,;:!?\"'()[]…-\u2013\u2014\u2019\u201c\u201d")
        if not bare.isalpha():
            runs.append([])
            continue
        if not word[0].isalpha():
            runs.append([])
        runs[-1].append(bare)
        if not word[-1].isalpha():
            runs.append([])
    return max((" ".join(run) for run in runs), key=len)


def _known(text: str) -> bool:
    return not _RECORDING.fullmatch(text.strip()) and any(letter.isalnum() for letter in text)


def _whole_words(text: str, part: str) -> str:
    """Return a piece of a prompt without the words that it cuts in two; all of it if there are no others."""
    start = part.index(text)
    before, after = part[start - 1 : start], part[start + len(text) : start + len(text) + 1]
    words = text.split()
    if before.isalnum() and text[:1].isalnum():
        words = words[1:]
    if after.isalnum() and text[-1:].isalnum():
        words = words[:-1]
    return " ".join(words) or part


def instruction_of(reaction: Reaction) -> dict[str, Any]:
    """Return the action with which the customer does what they did in the rehearsal."""
    match reaction.move:
        case Presses(digits):
            instruction = {"Type": "DtmfInput", "Properties": {"Value": digits}}
        case Says(text):
            # evidence: test-case-utterance
            instruction = {"Type": "Utterance", "Properties": {"Value": escape(text)}}
        case _:
            instruction = {"Type": "Disconnect", "Properties": {}}
    parameters = {"ActionType": "SendInstruction", "Actor": "Customer", "Instruction": instruction}
    return {"Type": "SendInstruction", "Parameters": parameters}


def overriding(kind: str, written: str, strategy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the action that overrides the next use of a resource."""
    parameters = {
        "ActionType": "OverrideSystemBehavior",
        "Behavior": {
            "Type": "FlowAction",
            "Properties": {
                "ActionType": kind,
                "ActionParameters": parameters_of(kind, written),
                "Strategy": dict(strategy),
            },
        },
    }
    return {"Type": "OverrideSystemBehavior", "Parameters": parameters}


def chained(actions: Sequence[Mapping[str, Any]], observation: int) -> list[dict[str, Any]]:
    """Return actions with identifiers, each leading to the next; the last leads nowhere."""
    names = [f"{observation + 1}-{number + 1}" for number in range(len(actions))]
    return [
        {
            "Identifier": name,
            **action,
            "Transitions": {"NextAction": names[number + 1]} if number + 1 < len(names) else {},
        }
        for number, (name, action) in enumerate(zip(names, actions, strict=True))
    ]


def event_of(name: str, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of an observation."""
    return {"Identifier": f"e-{name}", "Type": kind, "Actor": "System", "Properties": dict(properties)}


def hearing(name: str, criteria: str, words: str, actions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an observation of a message, whose actions have no identifiers yet."""
    properties = {"Text": escape(words), "MatchingCriteria": {"Type": criteria}}
    return {"Identifier": name, "Event": event_of(name, MESSAGE_RECEIVED, properties), "Actions": actions}


def identifier_of(number: int, text: str) -> str:
    """Return the identifier of an observation: its number, and words that tell what it is about."""
    words = re.sub(r"[^A-Za-z0-9 _-]+", " ", text)
    return f"{number + 1} {' '.join(words.split())}"[:60].strip()


def short(written: str) -> str:
    """Return what is left of a resource's name for a person: its placeholder, id or function name."""
    return written.strip("${}").rsplit("/", 1)[-1].rsplit(":function:", 1)[-1]
