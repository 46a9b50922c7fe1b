"""The calls to chime-sdk-voice, connect and logs that make, change and remove a transfer connector.

Each method is one API operation (or the pages of one listing), says which it was when it fails, and treats
"already so" as success. Source: botocore's models of chime-sdk-voice (2022-08-03) and connect (2017-08-08).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.shared.clients import AwsClient, client, error_code, is_temporary
from runtime.shared.errors import BridgeError
from runtime.shared.service_models import chime_sdk_voice, connect, logs
from runtime.voice.properties import ConnectorProperties

CONNECTOR_TYPE = "CONNECT_CALL_TRANSFER_CONNECTOR"
ASSOCIATION_TYPE = "CALL_TRANSFER_CONNECTOR"

# evidence: connector-quota, connector-quota-error
QUOTA_HINT = (
    " The account's quota L-2BE4D75F (service code connect, External voice transfer connectors per account) is used "
    "up; it is 0 until AWS grants an increase. Request one: aws service-quotas request-service-quota-increase "
    "--service-code connect --quota-code L-2BE4D75F --desired-value 1 (one more than there are), ask the AWS account "
    "team to enable external voice transfer, and deploy again once it is granted."
)
_DENIED_HINT = (
    " IAM denied it, also after a minute in which a new role's permissions take effect: a permissions boundary or a "
    "service control policy may forbid it, or the function's policy was changed."
)
_REFUSED_HINT = (
    " Amazon refused it without naming a permission: the account may not be enabled for external voice transfer (its "
    "quota L-2BE4D75F, service code connect, is 0 until AWS grants an increase), or a service control policy forbids "
    "the call."
)
_LIMIT_REACHED = frozenset({"ResourceLimitExceededException", "ServiceQuotaExceededException"})
_DENIED = frozenset(
    {"AccessDeniedException", "AccessDenied", "ForbiddenException", "UnauthorizedClientException"}
)
_DENIED_BY_IAM = "is not authorized to perform"
_GONE = frozenset({"NotFoundException", "ResourceNotFoundException"})


class ApiCallError(BridgeError):
    """An API operation failed; `code` is the AWS error code, `temporary` whether it may succeed shortly."""

    def __init__(self, operation: str, error: Exception, hint: str = "") -> None:
        super().__init__(f"{operation} failed: {str(error).rstrip('.')}.{hint}")
        self.code = error_code(error)
        self.temporary = is_temporary(error)

    @property
    def denied(self) -> bool:
        """Whether a permission lacked, perhaps only because IAM has not spread it yet."""
        return self.code in _DENIED

    @property
    def gone(self) -> bool:
        """Whether the thing it was about does not exist."""
        return self.code in _GONE


@dataclass(frozen=True, slots=True)
class Connector:
    """A voice connector as the API describes it."""

    arn: str
    id: str
    name: str
    outbound_host_name: str


@dataclass(frozen=True, slots=True)
class Association:
    """The link between a Connect instance and a connector."""

    id: str
    arn: str


class ConnectorApis:
    """The APIs, in the Region of the connector and of the instance."""

    def __init__(self, voice: AwsClient, voice_once: AwsClient, connect: AwsClient, logs: AwsClient) -> None:
        self._voice = voice
        self._voice_once = voice_once
        self._connect = connect
        self._logs = logs

    @classmethod
    def in_region(cls, region: str) -> ConnectorApis:
        """Build the clients. Creation is never repeated by the SDK: it is not idempotent."""
        return cls(
            voice=client(chime_sdk_voice, connect_timeout=3, read_timeout=10, attempts=4, region=region),
            voice_once=client(chime_sdk_voice, connect_timeout=3, read_timeout=20, attempts=1, region=region),
            connect=client(connect, connect_timeout=3, read_timeout=10, attempts=4, region=region),
            logs=client(logs, connect_timeout=3, read_timeout=10, attempts=4, region=region),
        )

    def create_connector(self, wanted: ConnectorProperties, tags: Mapping[str, str]) -> Connector:
        """CreateVoiceConnector, once."""
        response = _call(
            "chime-sdk-voice CreateVoiceConnector",
            self._voice_once.create_voice_connector,
            hint=_creation_hint,
            Name=wanted.name,
            AwsRegion=wanted.aws_region,
            RequireEncryption=wanted.require_encryption,
            IntegrationType=CONNECTOR_TYPE,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return _connector(response["VoiceConnector"])

    def find_connector(self, name: str, tag: tuple[str, str]) -> Connector | None:
        """ListVoiceConnectors, ListTagsForResource: the connector with this name and tag, if any."""
        pages = _pages(
            "chime-sdk-voice ListVoiceConnectors", self._voice.list_voice_connectors, MaxResults=99
        )
        for page in pages:
            for described in page.get("VoiceConnectors", []):
                if described.get("Name") != name or described.get("IntegrationType") != CONNECTOR_TYPE:
                    continue
                if self._tags(described["VoiceConnectorArn"]).get(tag[0]) == tag[1]:
                    return _connector(described)
        return None

    def update_connector(self, connector_id: str, wanted: ConnectorProperties) -> Connector:
        """UpdateVoiceConnector: name and encryption are all that it takes."""
        response = _call(
            "chime-sdk-voice UpdateVoiceConnector",
            self._voice.update_voice_connector,
            hint=lambda error: (
                " It was deleted outside of CloudFormation; rename the construct to create another."
                if error_code(error) in _GONE
                else _denied_hint(error)
            ),
            VoiceConnectorId=connector_id,
            Name=wanted.name,
            RequireEncryption=wanted.require_encryption,
        )
        return _connector(response["VoiceConnector"])

    def put_origination(self, connector_id: str, wanted: ConnectorProperties) -> None:
        """PutVoiceConnectorOrigination: one route, to which every transferred call goes."""
        route = {
            "Host": wanted.host,
            "Port": wanted.port,
            "Protocol": wanted.protocol,
            "Priority": 1,
            "Weight": 1,
        }
        _call(
            "chime-sdk-voice PutVoiceConnectorOrigination",
            self._voice.put_voice_connector_origination,
            VoiceConnectorId=connector_id,
            Origination={"Routes": [route], "Disabled": False},
        )

    def put_external_systems(self, connector_id: str, wanted: ConnectorProperties) -> None:
        """PutVoiceConnectorExternalSystemsConfiguration."""
        _call(
            "chime-sdk-voice PutVoiceConnectorExternalSystemsConfiguration",
            self._voice.put_voice_connector_external_systems_configuration,
            VoiceConnectorId=connector_id,
            SessionBorderControllerTypes=list(wanted.session_border_controller_types),
            ContactCenterSystemTypes=list(wanted.contact_center_system_types),
        )

    def put_logging(self, connector_id: str, wanted: ConnectorProperties) -> None:
        """PutVoiceConnectorLoggingConfiguration."""
        _call(
            "chime-sdk-voice PutVoiceConnectorLoggingConfiguration",
            self._voice.put_voice_connector_logging_configuration,
            VoiceConnectorId=connector_id,
            LoggingConfiguration={
                "EnableSIPLogs": wanted.sip_logs,
                "EnableMediaMetricLogs": wanted.media_metric_logs,
            },
        )

    def keep_logs_for(self, connector_id: str, wanted: ConnectorProperties) -> None:
        """Give the connector's log groups their retention and key: what Amazon makes keeps callers' numbers for ever.

        A group that Amazon has not made yet is made here; Amazon then writes to it. evidence: connector-log-groups
        """
        for group, enabled in _log_groups(connector_id, wanted.sip_logs, wanted.media_metric_logs):
            if not enabled:
                continue
            self._create_log_group(group)
            _call(
                "logs PutRetentionPolicy",
                self._logs.put_retention_policy,
                logGroupName=group,
                retentionInDays=wanted.log_retention_days,
            )

    def change_log_key(
        self, connector_id: str, wanted: ConnectorProperties, *, encrypted_before: bool
    ) -> None:
        """AssociateKmsKey or DisassociateKmsKey: what is written from now on is encrypted with another key."""
        for group, enabled in _log_groups(connector_id, wanted.sip_logs, wanted.media_metric_logs):
            if enabled and wanted.log_key_arn:
                _call(
                    "logs AssociateKmsKey",
                    self._logs.associate_kms_key,
                    logGroupName=group,
                    kmsKeyId=wanted.log_key_arn,
                )
            elif enabled and encrypted_before:
                _call("logs DisassociateKmsKey", self._logs.disassociate_kms_key, logGroupName=group)

    def delete_logs(self, connector_id: str) -> None:
        """DeleteLogGroup of both groups, whether or not they were written to. Gone is fine."""
        for group, _ in _log_groups(connector_id, sip=True, media=True):
            try:
                _call("logs DeleteLogGroup", self._logs.delete_log_group, logGroupName=group)
            except ApiCallError as error:
                if not error.gone:
                    raise

    def _create_log_group(self, group: str) -> None:
        try:
            _call("logs CreateLogGroup", self._logs.create_log_group, logGroupName=group)
        except ApiCallError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise

    def tag_connector(self, arn: str, add: Mapping[str, str], remove: set[str]) -> None:
        """TagResource and UntagResource, each only if there is something to do."""
        if remove:
            _call(
                "chime-sdk-voice UntagResource",
                self._voice.untag_resource,
                ResourceARN=arn,
                TagKeys=sorted(remove),
            )
        if add:
            tags = [{"Key": key, "Value": value} for key, value in add.items()]
            _call("chime-sdk-voice TagResource", self._voice.tag_resource, ResourceARN=arn, Tags=tags)

    def delete_connector(self, connector_id: str) -> None:
        """DeleteVoiceConnector; its origination, logging and external systems go with it. Gone is fine."""
        try:
            _call(
                "chime-sdk-voice DeleteVoiceConnector",
                self._voice.delete_voice_connector,
                VoiceConnectorId=connector_id,
            )
        except ApiCallError as error:
            if not error.gone:
                raise

    def associate(self, instance_id: str, connector_arn: str, tags: Mapping[str, str]) -> Association:
        """CreateIntegrationAssociation; an existing one is taken over."""
        tagged: dict[str, Any] = {"Tags": dict(tags)} if tags else {}
        try:
            response = _call(
                "connect CreateIntegrationAssociation",
                self._connect.create_integration_association,
                InstanceId=instance_id,
                IntegrationType=ASSOCIATION_TYPE,
                IntegrationArn=connector_arn,
                **tagged,
            )
        except ApiCallError as error:
            if error.code != "DuplicateResourceException":
                raise
            existing = self.associations(instance_id, connector_arn)
            if not existing:
                raise
            return existing[0]
        return Association(id=response["IntegrationAssociationId"], arn=response["IntegrationAssociationArn"])

    def associations(self, instance_id: str, connector_arn: str) -> list[Association]:
        """ListIntegrationAssociations of this connector; none if the instance does not exist any more."""
        pages = _pages(
            "connect ListIntegrationAssociations",
            self._connect.list_integration_associations,
            InstanceId=instance_id,
            IntegrationType=ASSOCIATION_TYPE,
        )
        try:
            return [
                Association(id=summary["IntegrationAssociationId"], arn=summary["IntegrationAssociationArn"])
                for page in pages
                for summary in page.get("IntegrationAssociationSummaryList", [])
                if summary.get("IntegrationArn") == connector_arn
            ]
        except ApiCallError as error:
            if error.gone:
                return []
            raise

    def tag_association(self, arn: str, add: Mapping[str, str], remove: set[str]) -> None:
        """TagResource and UntagResource of Connect, each only if there is something to do."""
        if remove:
            _call(
                "connect UntagResource", self._connect.untag_resource, resourceArn=arn, tagKeys=sorted(remove)
            )
        if add:
            _call("connect TagResource", self._connect.tag_resource, resourceArn=arn, tags=dict(add))

    def dissociate(self, instance_id: str, association_id: str) -> None:
        """DeleteIntegrationAssociation. Gone is fine."""
        try:
            _call(
                "connect DeleteIntegrationAssociation",
                self._connect.delete_integration_association,
                InstanceId=instance_id,
                IntegrationAssociationId=association_id,
            )
        except ApiCallError as error:
            if not error.gone:
                raise

    def _tags(self, arn: str) -> dict[str, str]:
        try:
            response = _call(
                "chime-sdk-voice ListTagsForResource", self._voice.list_tags_for_resource, ResourceARN=arn
            )
        except ApiCallError as error:
            if error.gone:  # deleted since it was listed
                return {}
            raise
        return {tag["Key"]: tag["Value"] for tag in response.get("Tags", [])}


def _connector(described: Mapping[str, Any]) -> Connector:
    return Connector(
        arn=described["VoiceConnectorArn"],
        id=described["VoiceConnectorId"],
        name=described.get("Name", ""),
        outbound_host_name=described.get("OutboundHostName", ""),
    )


def _call(
    operation: str,
    method: Callable[..., Mapping[str, Any]],
    hint: Callable[[Exception], str] | None = None,
    **arguments: object,
) -> Mapping[str, Any]:
    try:
        return method(**arguments)
    except Exception as error:
        raise ApiCallError(operation, error, (hint or _denied_hint)(error)) from error


def _denied_hint(error: Exception) -> str:
    return _DENIED_HINT if error_code(error) in _DENIED and _DENIED_BY_IAM in str(error) else ""


def _creation_hint(error: Exception) -> str:
    """Tell a quota from a permission: only IAM's own denials name what the caller is not authorized to perform."""
    if error_code(error) in _LIMIT_REACHED:
        return QUOTA_HINT
    return _denied_hint(error) or (_REFUSED_HINT if error_code(error) in _DENIED else "")


def _log_groups(connector_id: str, sip: bool, media: bool) -> list[tuple[str, bool]]:
    """Return the log groups that Amazon names after a connector, and whether it writes to them."""
    return [
        # evidence: connector-sip-log-group
        (f"/aws/ChimeVoiceConnectorSipMessages/{connector_id}", sip),
        (f"/aws/ChimeVoiceConnectorLogs/{connector_id}", media),
    ]


def _pages(
    operation: str, method: Callable[..., Mapping[str, Any]], **arguments: object
) -> Iterator[Mapping[str, Any]]:
    token: dict[str, object] = {}
    while True:
        page = _call(operation, method, None, **arguments, **token)
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
