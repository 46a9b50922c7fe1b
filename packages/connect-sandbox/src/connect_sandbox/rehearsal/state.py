"""What Amazon Connect keeps about a contact while its flow runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from connect_sandbox.rehearsal.conditions import Queue

ATTRIBUTE_LIMIT = 32_768
"""Bytes that a contact's user-defined attributes, names and values together, may take (limits page)."""


@dataclass(kw_only=True)
class ContactState:
    """A contact's data. Numbers are E.164; `external` is what the last Lambda function answered."""

    instance_arn: str
    customer_number: str
    system_number: str
    contact_id: str = field(default_factory=lambda: str(uuid4()))
    initial_contact_id: str = ""
    previous_contact_id: str | None = None
    channel: str = "VOICE"
    initiation_method: str = "INBOUND"
    attributes: dict[str, str] = field(default_factory=dict)
    external: Any = field(default_factory=dict)
    flow_attributes: dict[str, str] = field(default_factory=dict)
    segment_attributes: dict[str, Any] = field(
        default_factory=lambda: {"connect:Subtype": {"ValueString": "connect:Telephony"}}
    )
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    queue: Queue | None = None
    agent: str | None = None
    language_code: str = "en-US"
    voice: str = "Joanna"
    name: str | None = None
    description: str | None = None
    customer_id: str | None = None
    stored_input: str | None = None
    callback_number: str | None = None
    invocation_id: str | None = None
    event_hooks: dict[str, str] = field(default_factory=dict)
    dice_drawn: int = 0
    bot_has_spoken: bool = False
    in_queue: bool = False
    """Whether a customer queue flow is playing for it."""
    lex: dict[str, Any] = field(default_factory=dict)
    views: dict[str, Any] = field(default_factory=dict)
    media_streams: dict[str, Any] = field(default_factory=lambda: {"Customer": {"Audio": None}})
    told: dict[str, Any] = field(default_factory=dict)
    """Namespaces that the scenario has filled for blocks without a fake."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What Set blocks have chosen that no other block reads back: logging, recording, routing priority and such."""

    def __post_init__(self) -> None:
        if not self.initial_contact_id:
            self.initial_contact_id = self.contact_id
        if self.channel == "CHAT":
            self.initiation_method = "API"
            self.segment_attributes = {"connect:Subtype": {"ValueString": "connect:Chat"}}

    def endpoint(self, number: str) -> dict[str, str] | None:
        """Return a telephone endpoint as events and references have it; a chat has none."""
        return None if self.channel == "CHAT" else {"Address": number, "Type": "TELEPHONE_NUMBER"}

    def namespaces(self) -> dict[str, Any]:
        """Return the values that references can reach, by namespace."""
        queue = {"ARN": self.queue.arn, "Name": self.queue.name} if self.queue else {}
        return {
            "Attributes": self.attributes,
            "AwsRegion": self.instance_arn.split(":")[3],
            "Channel": self.channel,
            "ContactId": self.contact_id,
            "CustomerEndpoint": self.endpoint(self.customer_number),
            "CustomerId": self.customer_id,
            "Description": self.description,
            "External": self.external,
            "FlowAttributes": self.flow_attributes,
            "InitialContactId": self.initial_contact_id,
            "InitiationMethod": self.initiation_method,
            "InstanceARN": self.instance_arn,
            "LambdaInvocation": {"InvocationId": self.invocation_id},
            "LanguageCode": self.language_code,
            "Lex": self.lex,
            "MediaStreams": self.media_streams,
            "Metrics": self.metrics,
            "Name": self.name,
            "PreviousContactId": self.previous_contact_id,
            "Queue": queue,
            "SegmentAttributes": self.segment_attributes,
            "StoredCustomerInput": self.stored_input,
            "SystemEndpoint": self.endpoint(self.system_number),
            "Tags": self.tags,
            "TextToSpeechVoiceId": self.voice,
            "Views": self.views,
            **self.told,
        }

    def is_told(self, namespaces: Mapping[str, Any]) -> None:
        """Put values into namespaces, as a block would."""
        for name, values in namespaces.items():
            if name == "Attributes":
                self.attributes.update(values)
            elif name == "External":
                self.external = values
            elif isinstance(values, Mapping):
                self.told[name] = {**self.namespaces().get(name, {}), **values}
            else:
                self.told[name] = values

    def attribute_bytes(self, attributes: dict[str, str] | None = None) -> int:
        """Return how many bytes the attributes (default: the contact's own) take, names and values, in UTF-8."""
        kept = self.attributes if attributes is None else attributes
        return sum(_bytes(name) + _bytes(value) for name, value in kept.items())


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))  # JSON may hold a lone surrogate
