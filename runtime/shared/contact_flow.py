"""The event of a flow's Lambda block, as Powertools' ConnectContactFlowEvent.

Source: Amazon Connect administrator guide, "Invoke AWS Lambda functions".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.data_classes.connect_contact_flow_event import (
    ConnectContactFlowEvent,
)


def contact_flow_event(event: object) -> ConnectContactFlowEvent:
    """Return the event with its parts in place, empty ones where there are none.

    Amazon Connect sends null, or nothing, for what a contact does not have, and anything at all may arrive from
    whoever invokes the function by hand. So read with ``get`` what the function does not rely upon; what it does rely
    upon it checks, and says what is wrong.
    """
    # evidence: contact-event-shape
    details = _mapping(_mapping(event).get("Details"))
    data = dict(_mapping(details.get("ContactData")))
    endpoint = data.get("CustomerEndpoint")
    data["CustomerEndpoint"] = endpoint if isinstance(endpoint, Mapping) else None
    parameters = dict(_mapping(details.get("Parameters")))
    return ConnectContactFlowEvent({"Details": {"ContactData": data, "Parameters": parameters}})


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
