"""Flows written down in place: blocks as the flow language writes them."""

from collections.abc import Mapping
from typing import Any

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:lookup"


def block(
    identifier: str,
    kind: str,
    then: str | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    when: list[tuple[str, str, str]] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """Return a block as the flow language writes it; `when` holds (operator, operand, next) triples."""
    transitions: dict[str, Any] = {}
    if then is not None:
        transitions = {
            "NextAction": then,
            "Errors": [{"ErrorType": error, "NextAction": to} for error, to in (errors or {}).items()],
            "Conditions": [
                {"NextAction": to, "Condition": {"Operator": operator, "Operands": [operand]}}
                for operator, operand, to in when or []
            ],
        }
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def say(identifier: str, text: str, then: str) -> dict[str, Any]:
    """Return a prompt."""
    return block(identifier, "MessageParticipant", then, errors={"NoMatchingError": then}, Text=text)


def hang_up() -> dict[str, Any]:
    """Return the block "bye"."""
    return block("bye", "DisconnectParticipant")


def greets(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Answer like a handler that reads its event and its context."""
    assert context.function_name == "lookup"
    assert 0 < context.get_remaining_time_in_millis() <= 3000
    return {"name": event["Details"]["ContactData"]["Channel"]}


def breaks(_event: dict[str, Any], _context: Any) -> None:
    """Fail like a handler."""
    raise KeyError("name")


def returns_no_json(_event: dict[str, Any], _context: Any) -> object:
    """Return what Lambda's runtime cannot marshal."""
    return {"name": object()}
