"""What is said of a block: a headline that says what it does, its type in the console's words, and details."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connect_flows.diagnostics import one_line
from connect_flows.model import Block
from connect_flows.naming import Names
from connect_flows.pictures.sayings import SAYINGS

KINDS = ("voice", "lambda", "transfer", "end", "other")
"""Kinds of blocks, each of a colour."""
_KIND_OF = {
    **dict.fromkeys(
        (
            "TransferToFlow", "TransferContactToQueue", "TransferContactToAgent", "TransferParticipantToThirdParty",
            "DequeueContactAndTransferToQueue", "InvokeFlowModule", "RouteContactToAgent",
        ),
        "transfer",
    ),
    **dict.fromkeys(("DisconnectParticipant", "EndFlowExecution", "EndFlowModuleExecution"), "end"),
    **dict.fromkeys(
        (
            "MessageParticipant", "MessageParticipantIteratively", "GetParticipantInput",
            "ConnectParticipantWithLexBot", "ShowView",
        ),
        "voice",
    ),
    "InvokeLambdaFunction": "lambda",
}  # fmt: skip
_GENERATED = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_PLACEHOLDER = re.compile(r"\$\{([^${}]{1,200})\}|\{\{ ?([^{}]{1,200}?) ?\}\}|%(\w{1,200})%")
"""Ours, and those of other tools."""
_TAG = re.compile(
    r"</?(?:speak|amazon:[a-z-]+|audio|break|emphasis|lang|mark|p|phoneme|prosody|s|say-as|sub|voice|w)(?=[\s/>])"
    r"[^<>]{0,200}>"
)
"""Of SSML."""
_BREAK = re.compile(r"""<break\s[^<>]{0,100}?time\s*=\s*["']([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s)["']""")
_FIELD = re.compile(r"\{([\w.]+)(?:\|(\w+))?\}")
_HOOKS = (
    ("Whisper", "Set whisper flow"),
    ("Hold", "Set hold flow"),
    ("Queue", "Set customer queue flow"),
    ("Remaining", "Set disconnect flow"),
)
"""How the names of event hooks end, and what the console calls the block."""
_MOST = 4
"""So many entries of an object or list are told, then how many more there are."""
_DEEPEST = 5
_WRAPPERS = frozenset({"Expression", "AttributeCondition", "Expiry"})
"""Names in routing criteria that say nothing of their own."""


@dataclass(frozen=True)
class Said:
    """What is said of a block.

    headline: what it does. type: the kind of block in the console's words. name: the identifier, "" for one that the
    console has generated. details: more, the most telling first.
    """

    headline: str
    type: str
    name: str
    details: tuple[str, ...]

    @property
    def second(self) -> str:
        """What stands below the headline: type and name."""
        return " · ".join(
            dict.fromkeys(part for part in (self.type, self.name) if part != self.headline and part)
        )

    @property
    def full(self) -> str:
        """All of it in one text."""
        return ". ".join(part for part in (self.headline, self.second, *self.details) if part)


def kind_of(block: Block) -> str:
    """Return the kind of block, which determines its colour."""
    return _KIND_OF.get(block.type, "other")


def said_of(block: Block, known: Names) -> Said:
    """Return what is said of the block, with the resources' names as far as the flow knows them."""
    saying = SAYINGS.get(block.type)
    title = title_of(block)
    name = "" if _GENERATED.fullmatch(block.identifier) else block.identifier
    if saying is None:
        everything = _told(block.parameters, known)
        return Said(everything or name or title, title, name, ())
    filled = [(form, _filled(form, block.parameters, known)) for form in saying.headlines]
    used, headline = next((pair for pair in filled if pair[1]), ("", _by_branches(block) or saying.otherwise))
    more = (_filled(form, block.parameters, known) for form in saying.details if form.lower() != used.lower())
    return Said(headline or title, title, name, tuple(detail for detail in more if detail))


def headline(block: Block, known: Names) -> str:
    """Return what the block does in a few words."""
    return said_of(block, known).headline


def title_of(block: Block) -> str:
    """Return the block's type in the console's words; for some types it has several."""
    parameters = block.parameters
    if block.type == "GetParticipantInput" and parameters.get("StoreInput") == "True":
        return "Store customer input"
    if block.type == "CheckMetricData" and "Agents" in str(parameters.get("MetricType")):
        return "Check staffing"
    hooks = parameters.get("EventHooks")
    if block.type == "UpdateContactEventHooks" and isinstance(hooks, Mapping):
        found = {title for hook in hooks for end, title in _HOOKS if str(hook).endswith(end)}
        if len(found) == 1:
            return found.pop()
    saying = SAYINGS.get(block.type)
    return saying.title if saying else words_of(block.type) or "Block without a type"


def words_of(name: str) -> str:
    """Return a name of the flow language as words: "MessageParticipant" -> "Message participant"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").capitalize()


def duration(seconds: str) -> str:
    """Return a number of seconds in the largest whole unit; anything else as it is."""
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 9:
        return seconds
    number = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if number >= size and number % size == 0:
            return f"{number // size} {unit}"
    return f"{number} s"


_FORMS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "words": lambda text: ", ".join(words_of(part) for part in text.split(", ")),
    "duration": duration,
    "other": lambda text: "" if text == "Current" else text.lower(),
}


def _by_branches(block: Block) -> str:
    """Return how a DistributeByPercentage block shares contacts out."""
    if block.type != "DistributeByPercentage":
        return ""
    return " / ".join(f"{share} %" for share in (*shares(block).values(), rest_of(block)) if share)


def shares(block: Block) -> dict[int, int]:
    """Return the percentage of each condition of a DistributeByPercentage block, which states where a share ends."""
    found: dict[int, int] = {}
    before = 0
    for i, condition in enumerate(block.transitions.conditions):
        operand = condition.operands[0] if condition.operands else ""
        if condition.operator != "NumberLessThan" or not re.fullmatch(r"[0-9]{1,3}", operand):
            return {}
        upto = int(operand)
        found[i] = upto - before
        before = upto
    return found


def rest_of(block: Block) -> int:
    """Return the percentage that no condition of a DistributeByPercentage block takes."""
    return 100 - sum(shares(block).values())


def _filled(form: str, parameters: Mapping[str, Any], known: Names) -> str:
    """Return the form with the parameters' values in it; "" if one of them is missing or says nothing."""
    values = []
    for path, how in _FIELD.findall(form):
        value: Any = parameters
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        text = _told(value, known)
        values.append(_FORMS[how](text) if how else text)
    if not all(values):
        return ""
    rest = iter(values)
    return _FIELD.sub(lambda _: next(rest), form)


def _told(value: object, known: Names, depth: int = 0) -> str:
    """Return a parameter's value in words; "" for nothing, and for an id that nobody has given a name."""
    if isinstance(value, str):
        return _text(value, known)
    if isinstance(value, bool | int | float):
        return one_line(json.dumps(value), 40)
    if not isinstance(value, Mapping | list | tuple) or depth > _DEEPEST:
        return "…" if value else ""
    return _inside(value, known, depth)


def _inside(value: Mapping[str, Any] | Sequence[Any], known: Names, depth: int) -> str:
    if not isinstance(value, Mapping):
        return _several([_item(v, known, depth) for v in value])
    if set(value) == {"Value"}:
        return _told(value["Value"], known, depth + 1)
    if {"Name", "Value"} <= set(value):
        return _entry(_told(value["Name"], known, depth + 1), value["Value"], known, depth)
    return _several([_entry(str(k), v, known, depth) for k, v in value.items()])


def _several(parts: list[str]) -> str:
    told = [part for part in parts if part]
    more = [f"{len(told) - _MOST} more"] if len(told) > _MOST + 1 else []
    return ", ".join(told[: _MOST if more else _MOST + 1] + more)


def _entry(key: str, value: object, known: Names, depth: int) -> str:
    told = _told(value, known, depth + 1)
    if not told or key in _WRAPPERS:
        return told or key
    deeper = isinstance(value, Mapping) and set(value) != {"Value"}
    return f"{key}: {told}" if deeper else f"{key} = {told}"


def _item(value: object, known: Names, depth: int) -> str:
    """Return an item of a list; of an object, what its values say."""
    if isinstance(value, Mapping):
        return ", ".join(told for inner in value.values() if (told := _told(inner, known, depth + 1)))
    return _told(value, known, depth + 1)


def _text(value: str, known: Names) -> str:
    value = known.name(value) or value
    placeholder = _PLACEHOLDER.fullmatch(value)
    if placeholder:
        return next(group for group in placeholder.groups() if group)
    if value.startswith("arn:"):
        value = value.rpartition("/")[2].rpartition(":")[2]
    if "<" in value:
        value = re.sub(r" (?=[.,;:!?])", "", " ".join(_TAG.sub(" ", value).split())) or _silence(value)
    return "" if _GENERATED.fullmatch(value) else " ".join(value.split())


def _silence(ssml: str) -> str:
    """Return how long SSML without words makes the contact wait."""
    seconds = sum(float(time) / (1000 if unit == "ms" else 1) for time, unit in _BREAK.findall(ssml))
    return f"Silence of {seconds:g} s" if seconds else ""
