"""Flows for the tests of the HTML page: a menu, the module that it invokes, and what could harm a page."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
MENU_ARN = f"{INSTANCE}/contact-flow/aaaaaaaa-0000-0000-0000-000000000001"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "<img src=https://example.com/x.png onerror=alert(3)>",
    "--><svg onload=alert(4)>",
    "]]></style><b>bold</b>",
    "\"'><a href=javascript:alert(5)>here</a>",
    "&lt;b&gt; &amp;amp; \\u003c",
    "javascript:alert(6)//${alert(7)}",
    "\u2028\u2029\u202e\u0007 line\nbreak",
    "日本語 🙂",
)


def block(identifier: str, kind: str, parameters: Json, /, *to: str, **errors: str) -> Json:
    """Return an action; ``to`` is its next action, errors are error types and where they lead."""
    transitions: Json = {"NextAction": to[0]} if to else {}
    if errors:
        transitions["Errors"] = [{"ErrorType": e, "NextAction": t} for e, t in errors.items()]
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def flow(name: str, start: str, *blocks: Json, kind: str = "contactFlow") -> Json:
    return {
        "Version": "2019-10-30",
        "StartAction": start,
        "Metadata": {"name": name, "type": kind},
        "Actions": list(blocks),
    }


def menu(*, greeting: str = "Welcome to Example Corp.", module: str = "${FarewellModuleArn}") -> Json:
    ask = block(
        "Menu",
        "GetParticipantInput",
        {"Text": "Press 1 or 2.", "InputTimeLimitSeconds": "5", "StoreInput": "False"},
    )
    ask["Transitions"] = {
        "NextAction": "Goodbye",
        "Conditions": [
            {"NextAction": "Goodbye", "Condition": {"Operator": "Equals", "Operands": ["1"]}},
            {"NextAction": "Look up", "Condition": {"Operator": "Equals", "Operands": ["2"]}},
        ],
        "Errors": [
            {"ErrorType": "InputTimeLimitExceeded", "NextAction": "Menu"},
            {"ErrorType": "NoMatchingCondition", "NextAction": "Menu"},
            {"ErrorType": "NoMatchingError", "NextAction": "Hang up"},
        ],
    }
    return flow(
        "Main menu",
        "Greeting",
        block("Greeting", "MessageParticipant", {"Text": greeting}, "Menu", NoMatchingError="Menu"),
        ask,
        block(
            "Look up",
            "InvokeLambdaFunction",
            {"LambdaFunctionARN": "${LookupArn}", "InvocationTimeLimitSeconds": "3"},
            "Goodbye",
        ),
        block("Goodbye", "InvokeFlowModule", {"FlowModuleId": module}, "Hang up", NoMatchingError="Hang up"),
        block("Hang up", "DisconnectParticipant", {}),
    )


def farewell() -> Json:
    return flow(
        "Farewell",
        "Say goodbye",
        block("Say goodbye", "MessageParticipant", {"Text": "Goodbye."}, "Return", NoMatchingError="Return"),
        block("Return", "EndFlowModuleExecution", {}),
    )


def hostile() -> Json:
    blocks = [
        block(
            f"{i} {text}",
            "MessageParticipant",
            {"Text": text, text: {"deep": [text]}},
            f"{i + 1} {HOSTILE[i + 1]}" if i + 1 < len(HOSTILE) else "end",
            **{f"Error{text}": "end"},
        )
        for i, text in enumerate(HOSTILE)
    ]
    made = flow(" ".join(HOSTILE[:3]), f"0 {HOSTILE[0]}", *blocks, block("end", "DisconnectParticipant", {}))
    made["Metadata"]["description"] = HOSTILE[1]
    return made


def renewed() -> Json:
    """Return the menu with a block more, a block less, a prompt reworded and a branch that leads elsewhere."""
    made = menu(greeting="Welcome back.")
    actions = [each for each in made["Actions"] if each["Identifier"] != "Look up"]
    ask = next(each for each in actions if each["Identifier"] == "Menu")
    ask["Transitions"]["Conditions"][1]["NextAction"] = "Queue is next"
    actions.append(
        block(
            "Queue is next",
            "MessageParticipant",
            {"Text": "One moment."},
            "Goodbye",
            NoMatchingError="Goodbye",
        )
    )
    made["Actions"] = actions
    return made
