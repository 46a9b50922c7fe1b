"""Calls go out to an external voice system over a voice connector, and come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from connect_flows import FlowKind

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow, load_template
from connect_bridges.contact_center.flow_template import FlowTemplate
from connect_bridges.metadata.bridge import MetadataBridge
from connect_bridges.shared.arguments import (
    check_flow,
    check_flow_name,
    check_instance,
    check_prompts,
    check_queue,
    check_value,
)
from connect_bridges.shared.checks import (
    E164,
    EXPECTED,
    VOICE_CONNECTOR_ARN,
    Problems,
    check,
    check_duration,
    check_kind,
)
from connect_bridges.shared.description import describe
from connect_bridges.shared.metrics import MetricOptions, summed
from connect_bridges.shared.monitoring import Monitoring, Watched
from connect_bridges.shared.regions import Place
from connect_bridges.shared.runtime_modules import runtime_module
from connect_bridges.shared.tokens import comes_later
from connect_bridges.voice.connector import ExternalVoiceConnector
from constructs import Construct

if TYPE_CHECKING:
    from runtime.voice import limits
else:
    limits = runtime_module("voice.limits")

# evidence: contact-id-sip-header
CONTACT_ID_SIP_HEADER = "X-Amzn-ConnectContactId"
"""The SIP header in which Amazon Connect hands the contact id to the external voice system."""

_TRANSFER = "Transfer to external voice system"
_SIGN = "Sign the contact id"
_TRANSFER_UNSIGNED = "Transfer without a signature"
_FETCH = "Fetch metadata"
_FOUND = "Was metadata found"
_KEEP = "Keep metadata as attribute"
_METADATA_MISSING = "Say that metadata is missing"
_QUEUE = "Choose the queue"
_NEXT_FLOW = "Hand over to the next flow"
_TRANSFER_TO_QUEUE = "Transfer to queue"
_MODULE_CAME_BACK = "Remember that the call came back"
_MODULE_END = "End of module"

# evidence: user-to-user-information
_SIGNATURE = "$.External.contactToken"
_USER_TO_USER = re.compile(r"(?:[0-9A-Fa-f]{2}){1,128}|\$\.[A-Za-z][\w.'\[\]-]*")


@dataclass(frozen=True, kw_only=True)
class VoiceDestination:
    """Where calls go: over an external voice transfer connector, or to a plain telephone number."""

    connector_arn: str | None
    number: str

    def __post_init__(self) -> None:
        problems = Problems("VoiceDestination")
        if self.connector_arn is not None:
            problems.collect(check, "connector", self.connector_arn, VOICE_CONNECTOR_ARN)
        problems.collect(check, "number" if self.connector_arn is None else "did", self.number, E164)
        problems.raise_all()

    @classmethod
    def connector(cls, connector: str | ExternalVoiceConnector, *, did: str) -> VoiceDestination:
        """Send calls over a connector, given by its ARN or as the construct that creates it.

        did: the E.164 number (direct inward dialling) under which the external system expects the call; the same
        one is configured at the vendor (Kore's guide to external voice, docs/guides.md#voice-4-3).
        """
        problems = Problems("VoiceDestination.connector")
        if isinstance(connector, ExternalVoiceConnector):
            connector = connector.connector_arn
        problems.collect(check, "connector", connector, VOICE_CONNECTOR_ARN)
        problems.collect(check, "did", did, E164)
        problems.raise_all()
        return cls(connector_arn=connector, number=did)

    @classmethod
    def phone_number(cls, number: str) -> VoiceDestination:
        """Send calls to a telephone number over the public network, for those who have no connector.

        Such a call carries no contact id: the external system cannot know which contact to post metadata for,
        unless it learns the contact id in another way.
        """
        problems = Problems("VoiceDestination.phone_number")
        problems.collect(check, "number", number, E164)
        problems.raise_all()
        return cls(connector_arn=None, number=number)


@dataclass(frozen=True, kw_only=True)
class VoicePrompts:
    """What the caller hears: plain text, at most 6,000 characters each; references such as $.Attributes.name work."""

    welcome: str = "Welcome. One moment please, we are connecting you."
    call_failed: str = "Our assistant could not take your call. We are connecting you with an agent."
    connection_timeout: str = "Our assistant did not answer in time. We are connecting you with an agent."
    transfer_error: str = "Something went wrong on our side. We are connecting you with an agent."
    metadata_error: str = "One moment please. You may be asked again what you have told our assistant."
    queue_full: str = "All lines are busy at the moment. Please call again later. Goodbye."
    queue_error: str = "We cannot connect you with an agent at the moment. Please call again later. Goodbye."

    def __post_init__(self) -> None:
        check_prompts(self)


class ExternalVoiceTransfer(Construct):
    """Transfers calls to an external voice system and takes them back.

    Source: Kore's guide to external voice (docs/guides.md#voice-3-1, docs/guides.md#voice-flow-1).

    Publishes two things: ``flow``, complete from the welcome to the agent queue, and ``module``, which transfers and
    fetches the metadata only, to be dropped into a flow that you already have (Invoke module block). The module leaves
    its outcome in the contact attributes externalVoiceResult (completed, callFailed, connectionTimedOut,
    transferError) and externalVoiceMetadata (found, none, unavailable).

    The flow resumes only if the external side hangs up (SIP BYE); a caller who hangs up ends the contact. While the
    call is away, Amazon Connect keeps charging voice usage, since the flow resumes.
    """

    flow: ContactFlow
    """The complete flow; attach it to a telephone number."""
    module: ContactFlow
    """The transfer and the fetching of metadata alone, as a flow module."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: ConnectInstance,
        destination: VoiceDestination,
        queue_arn: str,
        metadata: MetadataBridge | None = None,
        metadata_attribute: str = limits.METADATA_ATTRIBUTE,
        next_flow_arn: str | None = None,
        connection_time_limit: cdk.Duration | None = None,
        from_user: str = "$.CustomerEndpoint.Address",
        user_to_user_information: str | None = None,
        prompts: VoicePrompts | None = None,
        flow_name: str | None = None,
        module_name: str | None = None,
    ) -> None:
        """Create and publish the flow and the module.

        queue_arn: where the contact waits for an agent afterwards, and also if the transfer fails.
        metadata: the bridge whose retrieve function the flow asks when the call is back; without it, nothing is
            fetched. If it has contact_tokens, the flow signs the contact id first and hands the signature over in the
            SIP header User-to-User; a call that cannot be signed goes out all the same.
        metadata_attribute: the contact attribute that the metadata is written to, as JSON text. All attributes of a
            contact share 32,768 bytes.
        next_flow_arn: a flow that takes over before the queue, such as agent assist; the queue is set already. If
            it cannot be entered, the contact goes to the queue.
        connection_time_limit: how long the external side may take to answer; 1 to 600 seconds, default 60.
        from_user: the number shown to the external side, E.164 or a reference such as $.SystemEndpoint.Address.
        user_to_user_information: what goes into the SIP header User-to-User (RFC 7433): hexadecimal, or a reference
            to an attribute that holds it. Connectors only.
        flow_name, module_name: published names; default is unique per stack, so that environments can share an
            instance.
        Raises ``ConstructArgumentError``, a ``ValueError``, with the construct's path and every wrong argument.
        """
        super().__init__(scope, id)
        time_limit = (
            cdk.Duration.seconds(limits.CONNECTION_SECONDS)
            if connection_time_limit is None
            else connection_time_limit
        )
        problems = Problems(self)
        place = check_instance(problems, self, instance)
        problems.collect(check_duration, "connection_time_limit", time_limit, limits.CONNECTION_SECONDS_RANGE)
        check_queue(problems, "queue_arn", queue_arn, instance)
        check_flow(problems, "next_flow_arn", next_flow_arn, instance)
        problems.collect(check_value, "metadata", metadata, MetadataBridge, "the MetadataBridge itself")
        problems.collect(check_value, "prompts", prompts, VoicePrompts, 'VoicePrompts(welcome="Welcome.")')
        problems.collect(check_flow_name, "flow_name", flow_name)
        problems.collect(check_flow_name, "module_name", module_name)
        problems.collect(
            check,
            "metadata_attribute",
            metadata_attribute,
            limits.METADATA_ATTRIBUTE_NAME,
            "a contact attribute's name; write 1 to 100 letters, digits, - and _",
        )
        if not isinstance(from_user, str) or not from_user.startswith("$."):
            problems.collect(
                check,
                "from_user",
                from_user,
                E164,
                f"{EXPECTED[E164]}, or a reference such as $.Attributes.number",
            )
        problems.collect(
            check_kind,
            "destination",
            destination,
            'VoiceDestination.connector("arn:aws:chime:…", did="+12065550100")',
            VoiceDestination,
        )
        if isinstance(destination, VoiceDestination):
            problems.collect(_check_user_to_user_information, user_to_user_information, destination)
            if isinstance(metadata, MetadataBridge) and metadata.sign_function is not None:
                problems.collect(_check_contact_tokens, user_to_user_information, destination)
            if destination.connector_arn is not None:
                _check_connector(problems, place, destination.connector_arn, instance)
        problems.raise_all()

        self.destination = destination
        self._instance = instance
        self._metadata = metadata
        texts = prompts or VoicePrompts()
        sign = metadata.sign_function if metadata else None
        if sign is not None:
            user_to_user_information = _SIGNATURE
        common: dict[str, str | None] = {
            "ConnectionTimeLimitSeconds": str(int(time_limit.to_seconds())),
            "VoiceConnectorArn": destination.connector_arn,
            # evidence: from-user-is-the-caller
            "FromUser": from_user if destination.connector_arn else None,
            "Did": destination.number if destination.connector_arn else None,
            "PhoneNumber": None if destination.connector_arn else destination.number,
            "UserToUserInformation": user_to_user_information,
            "RetrieveFunctionArn": metadata.retrieve_function.function_arn if metadata else None,
            "SignFunctionArn": sign.function_arn if sign else None,
            # evidence: attributes-32-kb
            "MetadataAttribute": metadata_attribute if metadata else None,
        }
        self.flow = self._publish(
            "Flow",
            self._flow_template(next_flow_arn is not None, user_to_user_information is not None),
            {
                **common,
                "QueueArn": queue_arn,
                "NextFlowArn": next_flow_arn,
                "WelcomePrompt": texts.welcome,
                "CallFailedPrompt": texts.call_failed,
                "ConnectionTimeoutPrompt": texts.connection_timeout,
                "TransferErrorPrompt": texts.transfer_error,
                "MetadataErrorPrompt": texts.metadata_error if metadata else None,
                "QueueFullPrompt": texts.queue_full,
                "QueueErrorPrompt": texts.queue_error,
            },
            kind=FlowKind.FLOW,
            name=flow_name,
            description="Transfers the call to an external voice system, takes it back, and queues it.",
        )
        self.module = self._publish(
            "Module",
            self._module_template(user_to_user_information is not None),
            common,
            kind=FlowKind.MODULE,
            name=module_name,
            description="Transfers the call to an external voice system and takes it back with its metadata.",
        )
        describe(
            self,
            "ExternalVoiceTransfer",
            {
                "instanceArn": instance.instance_arn,
                "connectorArn": destination.connector_arn,
                "did": destination.number if destination.connector_arn else None,
                "phoneNumber": None if destination.connector_arn else destination.number,
                "contactIdSipHeader": CONTACT_ID_SIP_HEADER if destination.connector_arn else None,
                "userToUserInformation": user_to_user_information,
                "metadataBridge": metadata.node.path if metadata else None,
                "metadataAttribute": metadata_attribute if metadata else None,
                "connectionSeconds": int(time_limit.to_seconds()),
                "queues": [queue_arn],
                "nextFlows": [next_flow_arn] if next_flow_arn else [],
                "flows": {"Flow": self.flow.arn, "Module": self.module.arn},
            },
        )

    def monitor(
        self,
        *,
        alarm_topic: sns.ITopic | None = None,
        thresholds: Mapping[str, float] | None = None,
        dashboard: cloudwatch.Dashboard | None = None,
        scope: Construct | None = None,
        id: str = "Monitoring",  # noqa: A002
    ) -> Monitoring:
        """Create alarms on the complete flow: FlowErrors (5 within five minutes), FlowFatalErrors.

        alarm_topic: where they go; without it they only change state. thresholds: counts within five minutes, by
        alarm name. dashboard: one that gets a widget, below a heading with this construct's path; by itself the
        transfer makes none. scope, id: where the alarms live; default is below this construct. The module runs in a
        flow of yours, whose metrics are yours to watch.
        Raises ``ValueError`` for a threshold of an alarm that does not exist.
        """
        watched = {
            "FlowErrors": Watched(
                metric=self.metric_flow_errors(),
                meaning="Blocks of the flow took their error branches: the external voice system refuses calls or does "
                "not answer, metadata cannot be fetched, or the queue is full. The flow log says which.",
                threshold=5,
            ),
            "FlowFatalErrors": Watched(
                metric=self.metric_flow_fatal_errors(),
                meaning="The flow failed for a fault in Amazon Connect: calls ended. Its status page may know of it.",
            ),
        }
        made = Monitoring(
            scope or self,
            id,
            watched=watched,
            alarm_topic=alarm_topic,
            thresholds=thresholds,
            dashboard=dashboard,
            heading=self.node.path,
        )
        graph = cloudwatch.GraphWidget(
            title="Transfers: error branches taken, flows that failed",
            left=[self.metric_flow_errors(), self.metric_flow_fatal_errors()],
            width=12,
        )
        made.add_to_shared([[graph]])
        return made

    def metric_flow_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of times that a block of the complete flow took its error branch; sum of five minutes."""
        return self._flow_metric("ContactFlowErrors", options)

    def metric_flow_fatal_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Count of contacts for which the complete flow failed in Amazon Connect; sum of five minutes."""
        return self._flow_metric("ContactFlowFatalErrors", options)

    def _flow_metric(self, name: str, options: MetricOptions) -> cloudwatch.Metric:
        """Return a metric that Amazon Connect writes of flows (administrator guide, "Monitor with CloudWatch")."""
        # evidence: connect-flow-metrics
        merged: MetricOptions = {
            "dimensions_map": {
                "InstanceId": self._instance.instance_id,
                "MetricGroup": "ContactFlow",
                "ContactFlowName": self.flow.name,
            },
            **summed(),
            **options,
        }
        return cloudwatch.Metric(namespace="AWS/Connect", metric_name=name, **merged)

    def _publish(
        self,
        id: str,  # noqa: A002
        template: FlowTemplate,
        values: Mapping[str, str | None],
        *,
        kind: FlowKind,
        name: str | None,
        description: str,
    ) -> ContactFlow:
        published = ContactFlow(
            self,
            id,
            instance=self._instance,
            template=template.document,
            values={key: value for key, value in values.items() if value is not None},
            kind=kind,
            name=name,
            description=description,
        )
        if self._metadata:
            published.depends_on(self._metadata.association)
            if self._metadata.sign_association:
                published.depends_on(self._metadata.sign_association)
        return published

    def _flow_template(self, with_next_flow: bool, with_user_to_user: bool) -> FlowTemplate:
        template = FlowTemplate(load_template("external_voice_transfer.json"))
        self._fit_destination(template, with_user_to_user)
        if not self._metadata:
            template.leave_out(_FETCH, _FOUND, _KEEP, _METADATA_MISSING, lead_to=_QUEUE)
        if not with_next_flow:
            template.leave_out(_NEXT_FLOW, lead_to=_TRANSFER_TO_QUEUE)
        return template

    def _module_template(self, with_user_to_user: bool) -> FlowTemplate:
        template = FlowTemplate(load_template("external_voice_transfer_module.json"))
        self._fit_destination(template, with_user_to_user)
        if not self._metadata:
            template.leave_out(_FETCH, lead_to=_MODULE_END)
            template.leave_out_unreachable()
        return template

    def _fit_destination(self, template: FlowTemplate, with_user_to_user: bool) -> None:
        if not self._metadata or self._metadata.sign_function is None:
            template.leave_out(_SIGN, _TRANSFER_UNSIGNED, lead_to=_TRANSFER)
        # evidence: voice-connector-type, transfer-parameter-names, transfer-error-branches, flow-resumes-on-bye
        parameters: dict[str, Any] = template.parameters(_TRANSFER)
        if self.destination.connector_arn is None:
            del parameters["VoiceConnector"]
            parameters["ThirdPartyPhoneNumber"] = "${PhoneNumber}"
        elif not with_user_to_user:
            del parameters["VoiceConnector"]["UserToUserInformation"]


def _check_connector(problems: Problems, place: Place, arn: str, instance: ConnectInstance) -> None:
    """Check that a connector is where its calls are: in the stack's Region, which is the instance's."""
    if comes_later(arn):
        return
    place.check_arn(problems, "destination.connector_arn", arn)
    region = arn.split(":")[3]
    if instance.region and instance.region != region:
        problems.add(
            f"destination.connector_arn is {arn!r}, in {region}, yet the instance is in {instance.region}; give a "
            "connector of the instance's Region."
        )


def _check_contact_tokens(user_to_user_information: object, destination: VoiceDestination) -> None:
    if destination.connector_arn is None:
        raise ValueError(
            "metadata has contact_tokens, which need a voice connector: a call to a plain telephone number carries no "
            "SIP headers, so that the vendor could post nothing. Leave contact_tokens out, or use "
            "VoiceDestination.connector."
        )
    if user_to_user_information is not None:
        raise ValueError(
            "user_to_user_information is given and metadata has contact_tokens, which travel in the same SIP header; "
            "leave one of them out."
        )


def _check_user_to_user_information(value: object, destination: VoiceDestination) -> None:
    if value is None:
        return
    if destination.connector_arn is None:
        raise ValueError(
            "user_to_user_information needs a voice connector: a call to a plain telephone number carries no SIP "
            "headers. Leave it out, or use VoiceDestination.connector."
        )
    check(
        "user_to_user_information",
        value,
        _USER_TO_USER,
        "1 to 128 bytes as hexadecimal digits (RFC 7433), or a reference such as $.Attributes.userToUser",
    )
