"""What Amazon Connect keeps about a contact while its flow runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from connect_sandbox.rehearsal.conditions import Agent, Queue
from connect_sandbox.rehearsal.customer_data import Cases, CustomerProfiles
from connect_sandbox.rehearsal.message_processing import Processor

_SUBTYPES = {"VOICE": "Telephony", "CHAT": "Chat", "TASK": "Task", "EMAIL": "Email"}
DTMF_BUFFER = 30
"""Characters that the touchtone buffer holds (administrator guide, "Touchtone buffering")."""
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
    customer_profiles: CustomerProfiles = field(default_factory=CustomerProfiles)
    cases: Cases = field(default_factory=Cases)
    customer: dict[str, Any] = field(default_factory=dict)
    """What blocks have kept of a customer profile, $.Customer."""
    case: dict[str, str] = field(default_factory=dict)
    """What blocks have kept of a case, $.Case."""
    email: dict[str, Any] = field(default_factory=dict)
    wisdom: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Any] = field(default_factory=dict)
    """$.Modules: the input of the module that is playing, then the result of the last one."""
    with_agent: Agent | None = None
    """The agent who has the contact, $.Agent."""
    related_contact_id: str | None = None
    related_attributes: dict[str, str] | None = None
    """The attributes of the contact that this one is related to; None without one."""
    message_processor: Processor | None = None
    """The function through which a chat's messages pass."""
    dtmf_buffer: str | None = None
    """Keys that the caller has pressed ahead; None while they are not buffered."""
    told: dict[str, Any] = field(default_factory=dict)
    """Namespaces that the scenario has filled for blocks without a fake."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What Set blocks have chosen that no other block reads back: logging, recording, routing priority and such."""

    def __post_init__(self) -> None:
        if not self.initial_contact_id:
            self.initial_contact_id = self.contact_id
        if self.channel in ("CHAT", "TASK") and self.initiation_method == "INBOUND":
            self.initiation_method = "API"
        subtype = f"connect:{_SUBTYPES[self.channel]}"
        self.segment_attributes = {"connect:Subtype": {"ValueString": subtype}}

    def endpoint(self, number: str) -> dict[str, str] | None:
        """Return an endpoint as events and references have it; chats and tasks have none."""
        if self.channel in ("CHAT", "TASK"):
            return None
        return {"Address": number, "Type": "EMAIL_ADDRESS" if self.channel == "EMAIL" else "TELEPHONE_NUMBER"}

    def namespaces(self) -> dict[str, Any]:
        """Return the values that references can reach, by namespace."""
        queue = {"ARN": self.queue.arn, "Name": self.queue.name} if self.queue else {}
        agent = self.with_agent
        return {
            "Agent": agent.namespace() if agent is not None else {},
            "Attributes": self.attributes,
            "AwsRegion": self.instance_arn.split(":")[3],
            "Case": self.case,
            "Channel": self.channel,
            "ContactId": self.contact_id,
            "Customer": self.customer,
            "CustomerCallbackNumber": {"Address": self.callback_number, "Type": "TELEPHONE_NUMBER"},
            "CustomerEndpoint": self.endpoint(self.customer_number),
            "CustomerId": self.customer_id,
            "Description": self.description,
            "Email": self.email,
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
            "Modules": self.modules,
            "Name": self.name,
            "PreviousContactId": self.previous_contact_id,
            "Queue": queue,
            "RelatedContactId": self.related_contact_id,
            "SegmentAttributes": self.segment_attributes,
            "StoredCustomerInput": self.stored_input,
            "SystemEndpoint": self.endpoint(self.system_number),
            "Tags": self.tags,
            "TextToSpeechVoice": self.voice,
            "TextToSpeechVoiceId": self.voice,
            "Views": self.views,
            "Wisdom": self.wisdom,
            **self.told,
        }

    def is_told(self, namespaces: Mapping[str, Any]) -> None:
        """Put values into namespaces, as a block would."""
        for name, values in namespaces.items():
            if name == "Attributes":
                self.attributes.update(values)
            elif name == "External":
                self.external = values
            elif name in ("Customer", "Case") and isinstance(values, Mapping):
                (self.customer if name == "Customer" else self.case).update(values)
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
