"""Whose call a flow's Lambda block is about."""

from __future__ import annotations

from runtime.metadata.models import parse_contact_id
from runtime.shared.contact_flow import contact_flow_event


def contact_of(event: object) -> str:
    """Return the contact that the block means: its parameter contactId, else the contact in the flow.

    Raises InvalidContactIdError.
    """
    flow = contact_flow_event(event)
    # evidence: contact-id-sip-header
    return parse_contact_id(flow.parameters.get("contactId") or flow.contact_data.get("ContactId"))
