"""The deployment of a connector to an account whose quota does not allow one yet."""

from connect_sandbox.cloud import VOICE_CONNECTORS, CdkFailedError
from connect_sandbox.rehearsal.cloud_ports import CALL_TRANSFER_CONNECTOR

from rehearsals.environments import INSTANCE_ARN
from rehearsals.scenarios.deployment import OWN_CONNECTOR_STACK
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal

_REQUEST = "aws service-quotas request-service-quota-increase --service-code connect --quota-code L-2BE4D75F"


@scenario("deploy/connector-quota-zero", part="own_keys")
def connector_quota_zero(rehearsal: Rehearsal) -> None:
    """Deploy a connector where the quota is 0: it says how to request one and leaves nothing; then it is granted."""
    quotas = rehearsal.sandbox.quotas
    deployment = rehearsal.deployment
    with deployment.connectors:
        usual = quotas.value(VOICE_CONNECTORS)
        before = _left(rehearsal)
        quotas.set(VOICE_CONNECTORS, 0)
        try:
            _expect_refused(rehearsal)
            expect(_left(rehearsal), before, "connectors, associations and log groups after the failure")
            rehearsal.note("the failed deployment names quota and command, and has left nothing behind")

            service, quota = VOICE_CONNECTORS
            rehearsal.sandbox.boto3_client("service-quotas").request_service_quota_increase(
                ServiceCode=service, QuotaCode=quota, DesiredValue=len(before[0]) + 1
            )
            quotas.grant(quotas.requests()[-1])
            with rehearsal.sandbox.authorization.slow_to_spread(calls=2, roles=OWN_CONNECTOR_STACK):
                deployment.deploy_own(OWN_CONNECTOR_STACK)
            created = _left(rehearsal)[0] - before[0]
            expect(
                {rehearsal.sandbox.stack_outputs(OWN_CONNECTOR_STACK)["ConnectorArn"]},
                created,
                "the connectors once the increase is granted",
            )
            _expect_logs(rehearsal, *created)
            denied = rehearsal.sandbox.audit.calls(allowed=False)
            expect_that(
                any((entry.role or "").startswith(OWN_CONNECTOR_STACK) for entry in denied),
                "the new role's first calls should have been denied, since IAM is slow here",
            )
            rehearsal.note(
                "granted, the same command succeeds, though IAM takes a moment to spread the new permissions"
            )
        finally:
            deployment.destroy_own(OWN_CONNECTOR_STACK)
            quotas.set(VOICE_CONNECTORS, usual)
        expect(_left(rehearsal), before, "connectors, associations and log groups after cdk destroy")


def _expect_refused(rehearsal: Rehearsal) -> None:
    try:
        rehearsal.deployment.deploy_own(OWN_CONNECTOR_STACK)
    except CdkFailedError as refusal:
        said = " ".join(refusal.output.split())
        for wanted in ("L-2BE4D75F", "External voice transfer connectors per account", _REQUEST):
            expect_that(wanted in said, f"the failed deployment should name {wanted}; it says {said[-3000:]}")
    else:
        raise AssertionError("the deployment should have failed, since the account may have no connector")


def _expect_logs(rehearsal: Rehearsal, connector_arn: str) -> None:
    """Expect both log groups of a connector with the app's retention and key."""
    key = rehearsal.sandbox.stack_outputs(OWN_CONNECTOR_STACK)["LogKeyArn"]
    connector = connector_arn.rsplit("/", 1)[-1]
    logs = rehearsal.sandbox.boto3_client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/ChimeVoiceConnector")["logGroups"]
    found = [
        (group.get("retentionInDays"), group.get("kmsKeyId"))
        for group in groups
        if group["logGroupName"].endswith(f"/{connector}")
    ]
    expect(found, [(7, key), (7, key)], "retention and key of the connector's logs")


def _left(rehearsal: Rehearsal) -> tuple[set[str], set[str], set[str]]:
    """Return what there is of connectors: their ARNs, those associated with the instance, and Amazon's log groups."""
    sandbox = rehearsal.sandbox
    associations = sandbox.connect.instance(INSTANCE_ARN).associations.values()
    groups = sandbox.boto3_client("logs").describe_log_groups(logGroupNamePrefix="/aws/ChimeVoiceConnector")
    return (
        {connector.arn for connector in sandbox.voice_connectors.all()},
        {one.integration_arn for one in associations if one.type == CALL_TRANSFER_CONNECTOR},
        {group["logGroupName"] for group in groups["logGroups"]},
    )
