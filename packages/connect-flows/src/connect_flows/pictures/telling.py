"""What is said of a block: its headline, its kind, and what it does in a few words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connect_flows.model import Block
from connect_flows.naming import Names

KINDS: Mapping[str, tuple[str, str]] = {
    "lambda": ("#fff1d6", "#d9822b"),
    "transfer": ("#e1efff", "#2f6fb3"),
    "end": ("#f3e3e6", "#a8324a"),
    "voice": ("#e6f5e9", "#3b8750"),
    "other": ("#ffffff", "#6b7280"),
}
"""Kind of block -> fill and outline."""
_TRANSFERS = {"TransferToFlow", "TransferContactToQueue", "TransferContactToAgent", "TransferParticipantToThirdParty",
              "DequeueContactAndTransferToQueue", "InvokeFlowModule", "RouteContactToAgent"}  # fmt: skip
_ENDS = {"DisconnectParticipant", "EndFlowExecution", "EndFlowModuleExecution"}
_VOICE = {"MessageParticipant", "MessageParticipantIteratively", "GetParticipantInput", "ConnectParticipantWithLexBot",
          "ShowView"}  # fmt: skip

_TELLING = (
    "Text", "SSML", "ComparisonValue", "LambdaFunctionARN", "QueueId", "AgentId", "ContactFlowId", "FlowModuleId",
    "HoursOfOperationId", "PromptId", "ThirdPartyPhoneNumber", "LoopCount", "MetricType", "TextToSpeechVoice",
    "TaskTemplateId", "CaseTemplateId", "WisdomAssistantArn", "FlowLoggingBehavior", "TimeLimitSeconds",
)  # fmt: skip
"""Parameters that tell what a block does, those that tell most first."""
_UNITS = {"LoopCount": " times", "TimeLimitSeconds": " s"}
_NESTED = (
    "Attributes", "FlowAttributes", "EventHooks", "Messages", "ViewResource", "LexV2Bot", "LexBot", "VoiceConnector",
    "RecordingBehavior", "Media", "Events", "Tags",
)  # fmt: skip
"""The same for objects and lists."""
_GENERATED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")


def kind_of(block: Block) -> str:
    """Return the kind of block, which determines its colour."""
    if block.type == "InvokeLambdaFunction":
        return "lambda"
    for kind, types in (("transfer", _TRANSFERS), ("end", _ENDS), ("voice", _VOICE)):
        if block.type in types:
            return kind
    return "other"


def summary(block: Block, known: Names | None = None) -> str:
    """Return what the block does in a few words: its prompt, resource, attribute or setting, by name if known."""
    for name in _TELLING:
        value = block.parameters.get(name)
        if isinstance(value, str) and value:
            return f"{_value(value, known)}{_UNITS.get(name, '')}"
    inner = _first(block.parameters)
    if isinstance(inner, Mapping):
        return ", ".join(
            f"{k}: {_value(v, known)}" if isinstance(v, str) else str(k) for k, v in inner.items()
        )
    return _value(inner, known) if isinstance(inner, str) else ""


def headline(block: Block, known: Names | None = None) -> str:
    """Return what stands for the block: its identifier, or what it does if the console has generated that."""
    if not _GENERATED.fullmatch(block.identifier):
        return block.identifier
    return summary(block, known) or words_of(block.type)


def words_of(action_type: str) -> str:
    """Return an action type as words: "MessageParticipant" -> "Message participant"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", action_type).capitalize()


def _first(parameters: Mapping[str, Any]) -> object:
    """Return the first parameter that says something, looking into the objects and lists that hold it."""
    for name in _NESTED:
        value = parameters.get(name)
        if isinstance(value, list | tuple) and value:
            first = value[0]
            inner = (
                [v for v in first.values() if isinstance(v, str)] if isinstance(first, Mapping) else [first]
            )
            return next((v for v in inner if isinstance(v, str)), "")
        if isinstance(value, Mapping) and value:
            return value
    return next((v for v in parameters.values() if isinstance(v, str) and v), "")


def _value(value: str, known: Names | None) -> str:
    name = known.name(value) if known is not None else None
    if name is not None:
        return name
    if value.startswith("arn:"):
        last = value.rpartition("/")[2].rpartition(":")[2]
        return "" if _GENERATED.fullmatch(last) else last
    if _GENERATED.fullmatch(value):
        return ""
    return re.sub(r" (?=[.,;:!?])", "", " ".join(_TAG.sub(" ", value).split())) if "<" in value else value
