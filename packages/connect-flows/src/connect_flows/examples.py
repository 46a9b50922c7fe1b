"""One valid block of every action type, in the smallest flow that can hold it.

They show what a type looks like (``connect-flows explain TYPE``), and the tests of the linter and the sandbox start
from them. Source: the table of action types in ``knowledge.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from connect_flows.diagnostics import FlowKind

BLOCK = "the block"
END = "end"


def example_flow(action_type: str) -> dict[str, Any]:
    """Return a flow with one block (identifier ``BLOCK``) of the type and one that ends the flow (``END``).

    KeyError for a type that the flow language does not have.
    """
    entry = _examples()[action_type]
    transitions: dict[str, Any] = {}
    if entry.get("next", True):
        transitions["NextAction"] = END
    if entry.get("errors"):
        transitions["Errors"] = [{"NextAction": END, "ErrorType": name} for name in entry["errors"]]
    if entry.get("conditions"):
        transitions["Conditions"] = [
            {"NextAction": END, "Condition": {"Operator": operator, "Operands": [operand]}}
            for operator, operand in entry["conditions"]
        ]
    block = {
        "Identifier": BLOCK,
        "Type": action_type,
        "Parameters": json.loads(json.dumps(entry.get("parameters", {}))),
        "Transitions": transitions,
    }
    actions = [block]
    if entry.get("next", True):
        end = {"Identifier": END, "Type": _end_type(action_type), "Parameters": {}, "Transitions": {}}
        actions.append(end)
    return {"Version": "2019-10-30", "StartAction": BLOCK, "Metadata": {}, "Actions": actions}


def example_place(action_type: str) -> tuple[FlowKind, str | None]:
    """Return the kind and the flow type that the example is for (None for a module)."""
    flow_type = _examples()[action_type].get("flow_type", "CONTACT_FLOW")
    return (FlowKind.MODULE, None) if flow_type == "MODULE" else (FlowKind.FLOW, flow_type)


def _end_type(action_type: str) -> str:
    flow_type = _examples()[action_type].get("flow_type", "CONTACT_FLOW")
    return {"MODULE": "EndFlowModuleExecution"}.get(
        flow_type, "EndFlowExecution" if flow_type.endswith("WHISPER") else "DisconnectParticipant"
    )


@cache
def _examples() -> Mapping[str, Any]:
    path = resources.files("connect_flows").joinpath("examples.json")
    examples: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return examples
