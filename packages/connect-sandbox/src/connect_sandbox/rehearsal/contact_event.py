"""The event that a flow passes to a Lambda function ("Invoke AWS Lambda functions", administrator guide).

The sample on that page has the keys up to SystemEndpoint; SegmentAttributes, Tags, RelatedContactId, Name, Description
and CustomerId are what current instances send as well. All but ContactId and InstanceARN may be null.
"""

from collections.abc import Mapping
from typing import Any

from connect_sandbox.rehearsal.state import ContactState


def contact_flow_event(state: ContactState, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event for an invocation with these parameters (LambdaInvocationAttributes, filled in)."""
    return {
        "Name": "ContactFlowEvent",
        "Details": {"ContactData": _contact_data(state), "Parameters": dict(parameters)},
    }


def _contact_data(state: ContactState) -> dict[str, Any]:
    return {
        "Attributes": dict(state.attributes),
        "AwsRegion": state.instance_arn.split(":")[3],
        "Channel": state.channel,
        "ContactId": state.contact_id,
        "CustomerEndpoint": state.endpoint(state.customer_number),
        "CustomerId": state.customer_id,
        "Description": state.description,
        "InitialContactId": state.initial_contact_id,
        "InitiationMethod": state.initiation_method,
        "InstanceARN": state.instance_arn,
        "LanguageCode": state.language_code,
        "MediaStreams": dict(state.media_streams),
        "Name": state.name,
        "PreviousContactId": state.previous_contact_id,
        "Queue": _queue(state),
        "References": {},
        "RelatedContactId": state.related_contact_id,
        "SegmentAttributes": dict(state.segment_attributes),
        "SystemEndpoint": state.endpoint(state.system_number),
        "Tags": dict(state.tags),
    }


def _queue(state: ContactState) -> dict[str, Any] | None:
    if state.queue is None:
        return None
    caller_id = state.queue.outbound_caller_id
    return {
        "ARN": state.queue.arn,
        "Name": state.queue.name,
        "OutboundCallerId": {"Address": caller_id, "Type": "TELEPHONE_NUMBER"} if caller_id else None,
    }
