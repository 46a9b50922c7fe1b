"""The Amazon Chime SDK Voice API: voice connectors, their origination, external systems and logging."""

from __future__ import annotations

import datetime as dt
import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.quotas import VOICE_CONNECTORS, Quotas
from connect_sandbox.cloud.values import Member

CALL_TRANSFER = "CONNECT_CALL_TRANSFER_CONNECTOR"
#: Where the messages go of what is turned on; the connector's id follows.
LOG_GROUPS = {
    "EnableSIPLogs": "/aws/ChimeVoiceConnectorSipMessages",
    "EnableMediaMetricLogs": "/aws/ChimeVoiceConnectorLogs",
}
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 21


@dataclass
class VoiceConnector:
    """One voice connector. The configurations are the API's own structures, or None where none was put."""

    id: str
    arn: str
    name: str
    region: str
    require_encryption: bool
    integration_type: str
    network_type: str
    tags: dict[str, str] = field(default_factory=dict)
    origination: dict[str, Any] | None = None
    external_systems: dict[str, Any] | None = None
    logging: dict[str, Any] | None = None
    created_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    updated_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def outbound_host_name(self) -> str:
        """The host name to which the external system sends its SIP requests."""
        return f"{self.id}.voiceconnector.chime.aws"


class VoiceConnectors:
    """The voice connectors of the account."""

    def __init__(self, account: str) -> None:
        """Start empty."""
        self._account = account
        self._lock = threading.Lock()
        self._connectors: dict[str, VoiceConnector] = {}

    def all(self) -> list[VoiceConnector]:
        """Return every voice connector."""
        return list(self._connectors.values())

    def get(self, id_or_arn: str) -> VoiceConnector:
        """Return a connector by id or ARN; raise NotFoundException."""
        connector = self._connectors.get(id_or_arn.rsplit("/", 1)[-1])
        if connector is None:
            raise AwsError("NotFoundException", f"Voice Connector {id_or_arn} not found", 404)
        return connector

    def is_call_transfer_connector(self, arn: str) -> bool:
        """Return whether the ARN belongs to a connector through which Connect transfers calls."""
        return any((c.arn, c.integration_type) == (arn, CALL_TRANSFER) for c in self.all())

    def add(
        self,
        *,
        name: str,
        region: str,
        require_encryption: bool,
        integration_type: str,
        network_type: str = "IPV4_ONLY",
        connector_id: str | None = None,
    ) -> VoiceConnector:
        """Create a connector; give `connector_id` for one that an app expects to find in the account."""
        connector_id = connector_id or "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
        connector = VoiceConnector(
            id=connector_id,
            arn=f"arn:aws:chime:{region}:{self._account}:vc/{connector_id}",
            name=name,
            region=region,
            require_encryption=require_encryption,
            integration_type=integration_type,
            network_type=network_type,
        )
        with self._lock:
            self._connectors[connector_id] = connector
        return connector

    def remove(self, connector_id: str) -> None:
        """Delete a connector."""
        connector = self.get(connector_id)
        with self._lock:
            self._connectors.pop(connector.id, None)


class ChimeVoiceApi(AwsService):
    """Serves chime-sdk-voice calls from VoiceConnectors."""

    service_name = "chime-sdk-voice"
    invalid_parameter_code = "BadRequestException"

    def __init__(
        self,
        faults: Faults,
        connectors: VoiceConnectors,
        quotas: Quotas,
        make_log_group: Callable[[str], None],
    ) -> None:
        """`connectors` holds what exists; `quotas` say how many may; `make_log_group` leaves an existing one alone."""
        super().__init__(faults)
        self._make_log_group = make_log_group
        self._quotas = quotas
        self._connectors = connectors

    def create_voice_connector(
        self, name: str, require_encryption: bool, **request: Member
    ) -> dict[str, Any]:
        """Create a voice connector; AWS enables CONNECT_CALL_TRANSFER_CONNECTOR for accounts on request only.

        Which of the API's errors an account without the quota gets is not documented; this is the one that the API
        Reference describes as "the request exceeds the resource limit".
        """
        integration_type = request.get("integration_type", "")
        if integration_type not in {"", CALL_TRANSFER}:
            raise NotEmulatedError(f"the integration type {integration_type}", f"it creates {CALL_TRANSFER}")
        if integration_type == CALL_TRANSFER:
            existing = sum(c.integration_type == CALL_TRANSFER for c in self._connectors.all())
            if existing >= self._quotas.value(VOICE_CONNECTORS):
                raise AwsError("ResourceLimitExceededException", "The request exceeds the resource limit.")
        connector = self._connectors.add(
            name=name,
            region=request.get("aws_region", "us-east-1"),
            require_encryption=require_encryption,
            integration_type=integration_type,
            network_type=request.get("network_type", "IPV4_ONLY"),
        )
        connector.tags = _tags(request.get("tags", []))
        return {"VoiceConnector": _describe(connector)}

    def get_voice_connector(self, voice_connector_id: str) -> dict[str, Any]:
        """Describe a voice connector."""
        return {"VoiceConnector": _describe(self._connectors.get(voice_connector_id))}

    def list_voice_connectors(self, **request: Member) -> dict[str, Any]:
        """List the voice connectors."""
        start, size = int(request.get("next_token", "0")), int(request.get("max_results", 99))
        found = self._connectors.all()
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {
            "VoiceConnectors": [_describe(connector) for connector in found[start : start + size]],
            **more,
        }

    def update_voice_connector(
        self, voice_connector_id: str, name: str, require_encryption: bool
    ) -> dict[str, Any]:
        """Change name and encryption."""
        connector = self._connectors.get(voice_connector_id)
        connector.name, connector.require_encryption = name, require_encryption
        connector.updated_at = dt.datetime.now(dt.UTC)
        return {"VoiceConnector": _describe(connector)}

    def delete_voice_connector(self, voice_connector_id: str) -> None:
        """Delete a voice connector."""
        self._connectors.remove(voice_connector_id)

    def put_voice_connector_origination(
        self, voice_connector_id: str, origination: dict[str, Any]
    ) -> dict[str, Any]:
        """Set where calls go."""
        connector = self._connectors.get(voice_connector_id)
        connector.origination = origination
        return {"Origination": origination}

    def get_voice_connector_origination(self, voice_connector_id: str) -> dict[str, Any]:
        """Return where calls go."""
        return {
            "Origination": _put_before(self._connectors.get(voice_connector_id).origination, "Origination")
        }

    def delete_voice_connector_origination(self, voice_connector_id: str) -> None:
        """Delete where calls go."""
        self._connectors.get(voice_connector_id).origination = None

    def put_voice_connector_external_systems_configuration(
        self, voice_connector_id: str, **request: Member
    ) -> dict[str, Any]:
        """Set the systems at the other end."""
        connector = self._connectors.get(voice_connector_id)
        connector.external_systems = {
            "SessionBorderControllerTypes": request.get("session_border_controller_types", []),
            "ContactCenterSystemTypes": request.get("contact_center_system_types", []),
        }
        return {"ExternalSystemsConfiguration": connector.external_systems}

    def get_voice_connector_external_systems_configuration(self, voice_connector_id: str) -> dict[str, Any]:
        """Return the systems at the other end."""
        found = _put_before(
            self._connectors.get(voice_connector_id).external_systems, "ExternalSystemsConfiguration"
        )
        return {"ExternalSystemsConfiguration": found}

    def delete_voice_connector_external_systems_configuration(self, voice_connector_id: str) -> None:
        """Delete the systems at the other end."""
        self._connectors.get(voice_connector_id).external_systems = None

    def put_voice_connector_logging_configuration(
        self, voice_connector_id: str, logging_configuration: dict[str, Any]
    ) -> dict[str, Any]:
        """Set what is logged; Amazon makes the log groups, without retention or key, and never deletes them."""
        self._connectors.get(voice_connector_id).logging = logging_configuration
        for setting, group in LOG_GROUPS.items():
            if logging_configuration.get(setting):
                self._make_log_group(f"{group}/{voice_connector_id}")
        return {"LoggingConfiguration": logging_configuration}

    def get_voice_connector_logging_configuration(self, voice_connector_id: str) -> dict[str, Any]:
        """Return what is logged."""
        connector = self._connectors.get(voice_connector_id)
        default = {"EnableSIPLogs": False, "EnableMediaMetricLogs": False}
        return {"LoggingConfiguration": connector.logging or default}

    def tag_resource(self, resource_arn: str, tags: list[dict[str, str]]) -> None:
        """Set tags."""
        self._connectors.get(resource_arn).tags.update(_tags(tags))

    def untag_resource(self, resource_arn: str, tag_keys: list[str]) -> None:
        """Remove tags."""
        connector = self._connectors.get(resource_arn)
        connector.tags = {key: value for key, value in connector.tags.items() if key not in tag_keys}

    def list_tags_for_resource(self, resource_arn: str) -> dict[str, Any]:
        """List tags."""
        tags = self._connectors.get(resource_arn).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _describe(connector: VoiceConnector) -> dict[str, Any]:
    described = {
        "VoiceConnectorId": connector.id,
        "VoiceConnectorArn": connector.arn,
        "AwsRegion": connector.region,
        "Name": connector.name,
        "OutboundHostName": connector.outbound_host_name,
        "RequireEncryption": connector.require_encryption,
        "CreatedTimestamp": connector.created_at,
        "UpdatedTimestamp": connector.updated_at,
        "IntegrationType": connector.integration_type or None,
        "NetworkType": connector.network_type,
    }
    return {key: value for key, value in described.items() if value is not None}


def _put_before(configuration: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if configuration is None:
        raise AwsError("NotFoundException", f"{what} not found", 404)
    return configuration


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
