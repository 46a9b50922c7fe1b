"""ExternalVoiceConnector and ExternalVoiceTransfer: what Amazon Chime SDK and Amazon Connect say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke import flows
from connect_bridges.operations.smoke.account import Account, Need
from connect_bridges.operations.smoke.result import Checks, FailedError, SkippedError, asking

ONLY_A_CALL = (
    "the SIP path: the external voice system answers the number, and lets the connector's addresses in",
    "the header X-Amzn-ConnectContactId, and user-to-user information, arrive there",
    "its SIP BYE brings the caller back into the flow",
    "the caller hears, and is heard",
)
_TYPE = "CALL_TRANSFER_CONNECTOR"


def needs(bridge: Bridge) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    if connector := bridge.text("connectorArn"):
        yield Need(("chime:GetVoiceConnector",), connector)
        # The service authorization reference: listing associations looks up the instance and its directory.
        yield Need(
            ("connect:DescribeInstance", "connect:ListIntegrationAssociations"), bridge.facts["instanceArn"]
        )
        yield Need(("ds:DescribeDirectories",), "*")
    if bridge.construct == "ExternalVoiceConnector":
        yield Need(
            ("chime:GetVoiceConnectorLoggingConfiguration", "chime:GetVoiceConnectorOrigination"),
            str(bridge.text("connectorArn")),
        )
    else:
        yield from flows.needs(bridge)


def attempt_connector(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Check a connector that the stack has created."""
    arn = str(bridge.text("connectorArn"))
    chime, connector_id = account.client("chime-sdk-voice"), arn.rsplit("/", 1)[-1]

    def logging() -> str:
        with asking(f"read the logging of {arn}", "chime:GetVoiceConnectorLoggingConfiguration"):
            found = chime.get_voice_connector_logging_configuration(VoiceConnectorId=connector_id)
        settings: Mapping[str, Any] = found.get("LoggingConfiguration") or {}
        on = [name for name in ("EnableSIPLogs", "EnableMediaMetricLogs") if settings.get(name)]
        if not on:
            raise SkippedError("off: neither SIP nor media logs are written")
        return f"on: {', '.join(on)}"

    def origination() -> str:
        with asking(f"read the origination of {arn}", "chime:GetVoiceConnectorOrigination"):
            found = chime.get_voice_connector_origination(VoiceConnectorId=connector_id)
        routes = [
            (route.get("Host"), route.get("Port"), route.get("Protocol"))
            for route in (found.get("Origination") or {}).get("Routes", [])
        ]
        wanted = tuple(bridge.facts.get(name) for name in ("host", "port", "protocol"))
        if [str(part) for part in wanted] not in [[str(part) for part in route] for route in routes]:
            raise FailedError(
                f"calls go to {routes or 'nowhere'}, not to {wanted}.",
                "Somebody has changed the connector: set its origination again in the Amazon Chime console.",
            )
        return f"calls go to {wanted[0]}:{wanted[1]} over {wanted[2]}"

    if _try_connector(bridge, account, checks):
        checks.attempt("connector-origination", origination)
        checks.attempt("connector-logging", logging)


def attempt_transfer(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Check a transfer: its connector, if it has one, and what is published."""
    if bridge.text("connectorArn"):
        _try_connector(bridge, account, checks)
    else:
        checks.skip("connector-exists", f"calls go to the plain number {bridge.text('phoneNumber')}")
    flows.attempt(bridge, account, checks)


def _try_connector(bridge: Bridge, account: Account, checks: Checks) -> bool:
    arn = str(bridge.text("connectorArn"))
    instance = str(bridge.facts["instanceArn"])

    def exists() -> str:
        with asking(f"read the voice connector {arn}", "chime:GetVoiceConnector"):
            client = account.client("chime-sdk-voice")
            try:
                found = client.get_voice_connector(VoiceConnectorId=arn.rsplit("/", 1)[-1])["VoiceConnector"]
            except client.exceptions.NotFoundException as error:
                raise FailedError(
                    f"there is no voice connector {arn}.",
                    "It was deleted, or is another account's or Region's: name the right one and deploy again.",
                ) from error
        kind = found.get("IntegrationType") or "none"
        if kind != "CONNECT_CALL_TRANSFER_CONNECTOR":
            raise FailedError(
                f"{arn} has the integration type {kind}: Amazon Connect cannot transfer calls over it.",
                "Create a connector of the type CONNECT_CALL_TRANSFER_CONNECTOR; the type cannot be changed later.",
            )
        encrypted = "with" if found.get("RequireEncryption") else "without"
        return f"{found['Name']!r}, {encrypted} encryption, {found.get('OutboundHostName')}"

    def associated() -> str:
        with asking(f"list the associations of {instance}", "connect:ListIntegrationAssociations"):
            pages = account.client("connect").get_paginator("list_integration_associations")
            listed = {
                each["IntegrationArn"]
                for page in pages.paginate(InstanceId=instance.rsplit("/", 1)[-1], IntegrationType=_TYPE)
                for each in page["IntegrationAssociationSummaryList"]
            }
        if arn not in listed:
            raise FailedError(
                f"{arn} is not associated with the instance.",
                "Associate it in the Connect console (External voice systems), or: aws connect "
                f"create-integration-association --instance-id {instance.rsplit('/', 1)[-1]} "
                f"--integration-type {_TYPE} --integration-arn {arn}",
            )
        return "associated with the instance"

    found = checks.attempt("connector-exists", exists)
    checks.attempt("connector-associated", associated)
    return found
