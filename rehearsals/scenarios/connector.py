"""The voice connector that no CloudFormation type covers: created, used, removed, and removed after a failed create."""

from connect_sandbox.cloud import CdkFailedError
from connect_sandbox.rehearsal.cloud_ports import CALL_TRANSFER_CONNECTOR

from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal


@scenario("voice/connector-created-and-removed", part="own_app")
def connector_created_and_removed(rehearsal: Rehearsal) -> None:
    """Create, configure and associate the connector; destroying, or failing half-way, leaves nothing behind."""
    path = rehearsal.deployment.own_app
    connector = rehearsal.sandbox.voice_connectors.get(path.connector_arn or "")
    expect(connector.integration_type, "CONNECT_CALL_TRANSFER_CONNECTOR", "the connector's integration type")
    expect(connector.require_encryption, True, "the connector's encryption (the default)")
    routes = (connector.origination or {}).get("Routes", [])
    expect([route["Host"] for route in routes], ["sbc.example.com"], "the origination hosts")
    expect(
        (connector.external_systems or {}).get("SessionBorderControllerTypes"),
        ["AUDIOCODES_MEDIANT_SBC"],
        "the session border controllers",
    )
    expect_that(bool((connector.logging or {}).get("EnableSIPLogs")), "SIP logs should be on")
    expect_that(
        set(_log_groups(rehearsal, connector.id).values()) == {30}, "both logs should be kept for 30 days"
    )
    expect_that(
        connector.arn in _associated(rehearsal, path.instance_arn), f"{connector.arn} should be associated"
    )
    rehearsal.note(
        f"the connector {connector.id} exists: {routes[0]['Host']}:{routes[0]['Port']} over {routes[0]['Protocol']}, "
        "encrypted, with logs, associated with the instance"
    )

    groups_before = set(_log_groups(rehearsal)) - set(_log_groups(rehearsal, connector.id))
    before = _connectors(rehearsal) - {connector.arn}
    associated_before = _associated(rehearsal, path.instance_arn) - {connector.arn}
    rehearsal.deployment.destroy_own_app()
    _expect_left(rehearsal, path.instance_arn, before, associated_before, "after cdk destroy")
    expect(set(_log_groups(rehearsal)), groups_before, "the connectors' log groups after cdk destroy")
    rehearsal.note("cdk destroy has removed the association, the connector and its logs")

    rehearsal.refuse(
        "chime-sdk-voice", "PutVoiceConnectorOrigination",
        code="BadRequestException", message="Host sbc.example.com is not reachable",
    )  # fmt: skip
    try:
        rehearsal.deployment.deploy_own_app()
    except CdkFailedError as refusal:
        expect_that(
            "Host sbc.example.com is not reachable" in refusal.output,
            f"the failed deploy should say what AWS refused; it says {refusal}",
        )
    else:
        raise AssertionError("the deploy should have failed, since the origination was refused")
    _expect_left(rehearsal, path.instance_arn, before, associated_before, "after a failed create")
    expect(set(_log_groups(rehearsal)), groups_before, "the connectors' log groups after a failed create")
    rehearsal.note("a create that fails half-way says why and leaves no connector and no association")


def _expect_left(
    rehearsal: Rehearsal, instance_arn: str, connectors: set[str], associated: set[str], when: str
) -> None:
    expect(_connectors(rehearsal), connectors, f"the voice connectors {when}")
    expect(_associated(rehearsal, instance_arn), associated, f"the associated connectors {when}")


def _connectors(rehearsal: Rehearsal) -> set[str]:
    return {connector.arn for connector in rehearsal.sandbox.voice_connectors.all()}


def _log_groups(rehearsal: Rehearsal, connector: str = "") -> dict[str, int | None]:
    """Return the log groups that Amazon names after connectors, or after one, with their retention in days."""
    found = rehearsal.sandbox.boto3_client("logs").describe_log_groups(
        logGroupNamePrefix="/aws/ChimeVoiceConnector"
    )
    return {
        group["logGroupName"]: group.get("retentionInDays")
        for group in found["logGroups"]
        if group["logGroupName"].endswith(connector)
    }


def _associated(rehearsal: Rehearsal, instance_arn: str) -> set[str]:
    associations = rehearsal.sandbox.connect.instance(instance_arn).associations.values()
    return {a.integration_arn for a in associations if a.type == CALL_TRANSFER_CONNECTOR}
