"""What an instance is created with: where its users sign in, and its attributes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from connect_bridges.shared.checks import Problems, check_flag


class IdentityManagement(Enum):
    """Where the users of an instance are kept; it can never be changed. Values: AWS::Connect::Instance."""

    CONNECT_MANAGED = "CONNECT_MANAGED"
    """In Amazon Connect, each with a password."""
    SAML = "SAML"
    """In an identity provider that signs them in with SAML 2.0; Amazon Connect keeps their names only."""
    EXISTING_DIRECTORY = "EXISTING_DIRECTORY"
    """In a directory of AWS Directory Service, which serves one instance at a time."""


@dataclass(frozen=True)
class InstanceAttributes:
    """What an instance can be told to do; all of it changes in place, at any time.

    Every attribute is always written into the template: an update of AWS::Connect::Instance writes false for those
    that a template leaves out, also those that a new instance has switched on. The defaults are those of an instance
    that the console makes, with flow logs and Contact Lens. Use of custom voices, which AWS allows to listed customers
    alone, is always written as false. Source: CloudFormation's published handler; API reference,
    UpdateInstanceAttribute.
    """

    inbound_calls: bool = True
    """People can call in."""
    outbound_calls: bool = True
    """Agents and flows can call out."""
    flow_logs: bool = True
    """Flows write to the log group /aws/connect/ALIAS, which outlives the instance. Connect then changes its
    service-linked role in the name of who deploys: iam:PutRolePolicy and logs:CreateLogGroup."""
    contact_lens: bool = True
    """Conversations can be analysed, which a flow then has to ask for; billed by the minute."""
    early_media: bool = True
    """Agents hear what the network says before somebody answers an outbound call: busy, ringing, wrong number."""
    auto_resolve_best_voices: bool = True
    """Prompts use the best voice that Amazon Polly has for a language."""
    multi_party_conference: bool = False
    """Up to six people in a call instead of three."""
    multi_party_chat_conference: bool = False
    """Several agents in a chat."""
    enhanced_contact_monitoring: bool = False
    """Up to five supervisors listen to a call, and may break in."""
    enhanced_chat_monitoring: bool = False
    """Supervisors may break into a chat."""
    high_volume_outbound: bool = False
    """Outbound campaigns, for which AWS has to open the account."""
    auto_mute_agent_on_hold: bool = False
    """An agent is muted while the customer is on hold. Written only if True: it is the youngest attribute."""
    message_streaming: bool = True
    """A bot's answers arrive piece by piece; on by default in instances made since December 2025."""

    def __post_init__(self) -> None:
        """Check every attribute; raises ``ConstructArgumentError``."""
        problems = Problems(type(self).__name__)
        for field in dataclasses.fields(self):
            problems.collect(check_flag, field.name, getattr(self, field.name))
        problems.raise_all()

    def in_template(self) -> dict[str, bool]:
        """Return them by their names in the template."""
        values = {name: getattr(self, field) for field, name in _NAMES.items()} | {
            "UseCustomTTSVoices": False
        }
        # The youngest, which CloudFormation may not know in every Region: absent is false, on creation as on update.
        return values | ({"AutoMuteAgentOnHold": True} if self.auto_mute_agent_on_hold else {})


# evidence: instance-attributes-always-stated, message-streaming-default
_NAMES = {
    "inbound_calls": "InboundCalls",
    "outbound_calls": "OutboundCalls",
    "flow_logs": "ContactflowLogs",
    "contact_lens": "ContactLens",
    "early_media": "EarlyMedia",
    "auto_resolve_best_voices": "AutoResolveBestVoices",
    "multi_party_conference": "MultiPartyConference",
    "multi_party_chat_conference": "MultiPartyChatConference",
    "enhanced_contact_monitoring": "EnhancedContactMonitoring",
    "enhanced_chat_monitoring": "EnhancedChatMonitoring",
    "high_volume_outbound": "HighVolumeOutBound",
    "message_streaming": "MessageStreaming",
}
