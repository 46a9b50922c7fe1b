"""Check in the real account what CloudFormation can neither do nor see, and say the exact next step for each gap.

``make preflight ENV=prod`` reads only; it changes nothing. Source: guide 000, steps 1 and 2; the quotas' names and
codes are Service Quotas' own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .settings import Settings, SettingsError, load_settings

CONNECTOR_QUOTA = "L-2BE4D75F"  # External voice transfer connectors per account; 0 until AWS grants it
# The Regions of CreateVoiceConnector: an upper bound of where an external voice transfer connector can be.
CONNECTOR_REGIONS = {
    *("us-east-1", "us-west-2", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2"),
    *("ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
}
FUNCTION_ASSOCIATIONS = 50  # quota L-E3D2F503

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Finding:
    """What one check found. ``fix`` is empty if all is well; ``blocking`` says whether a deploy would fail."""

    check: str
    found: str
    fix: str = ""
    blocking: bool = True

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return not self.fix


def run_checks(settings: Settings, client: Client) -> Iterator[Finding]:
    """Yield a finding per check; a check that AWS does not let us make is a finding too, never an exception.

    client: makes a boto3 client of the environment's Region by service name.
    """
    checks: list[Callable[[Settings, Client], Finding]] = [
        _account,
        _bootstrap,
        _instance,
        _flow_logs,
        _queue,
        _connector,
        _function_associations,
    ]
    if settings.voice.next_flow_arn:
        checks.append(_next_flow)
    if not settings.voice.metadata.cloud_watch_role:
        checks.append(_api_log_role)
    for check in checks:
        name = check.__name__.strip("_").replace("_", " ")
        try:
            yield check(settings, client)
        except ClientError as error:
            reason = error.response["Error"]
            yield Finding(
                name, f"{reason['Code']}: {reason['Message']}", f"let your role call {error.operation_name}"
            )
        except BotoCoreError as error:
            yield Finding(name, str(error), "configure AWS credentials and a network that reaches AWS")


def next_steps(settings: Settings) -> list[str]:
    """Return what no API can do, in order, for after the deploy."""
    stack = f"connect-bridges-{settings.name}-voice"
    instance_id = settings.instance_arn.rpartition("/")[2]
    steps = [
        (
            f"Hand the outputs of {stack} to the vendor; the token itself with: aws secretsmanager get-secret-value "
            "--secret-id <MetadataTokenSecretArn> --query SecretString --output text"
        ),
        (
            "Attach a telephone number to the flow: aws connect associate-phone-number-contact-flow "
            f"--phone-number-id <id> --instance-id {instance_id} --contact-flow-id <id at the end of VoiceFlowArn>"
        ),
    ]
    if settings.voice.destination.phone_number is None:
        steps.insert(
            0,
            "Let the vendor's session border controller accept SIP and RTP from Amazon's addresses: the ranges of "
            "service CHIME_VOICECONNECTOR in https://ip-ranges.amazonaws.com/ip-ranges.json for "
            f"{settings.region}; with encryption it must also trust Amazon's certificate bundle.",
        )
        steps.insert(
            1, f"Have the vendor route the number {settings.voice.destination.did} to the assistant."
        )
    return steps


def _account(settings: Settings, client: Client) -> Finding:
    account = client("sts").get_caller_identity()["Account"]
    if account == settings.account:
        return Finding("account", account)
    return Finding(
        "account", f"your credentials are of {account}", f"use credentials of account {settings.account}"
    )


def _bootstrap(settings: Settings, client: Client) -> Finding:
    name = "/cdk-bootstrap/hnb659fds/version"
    fix = f"npx cdk bootstrap aws://{settings.account}/{settings.region}"
    try:
        version = int(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return Finding("bootstrap", "the CDK is not bootstrapped here", fix)
    return Finding("bootstrap", f"version {version}", "" if version >= 6 else fix)


def _instance(settings: Settings, client: Client) -> Finding:
    instance = client("connect").describe_instance(InstanceId=settings.instance_arn)["Instance"]
    status = instance["InstanceStatus"]
    return Finding(
        "instance", status, "" if status == "ACTIVE" else "wait until the instance is ACTIVE, or repair it"
    )


def _flow_logs(settings: Settings, client: Client) -> Finding:
    attribute = client("connect").describe_instance_attribute(
        InstanceId=settings.instance_arn, AttributeType="CONTACTFLOW_LOGS"
    )["Attribute"]
    on = attribute["Value"].lower() == "true"
    fix = (
        f"aws connect update-instance-attribute --instance-id {settings.instance_arn} "
        "--attribute-type CONTACTFLOW_LOGS --value true"
    )
    return Finding("flow logs", "on" if on else "off: flows log nothing", "" if on else fix, blocking=False)


def _queue(settings: Settings, client: Client) -> Finding:
    queue = client("connect").describe_queue(
        InstanceId=settings.instance_arn, QueueId=settings.voice.queue_arn.rpartition("/")[2]
    )["Queue"]
    status = queue.get("Status", "ENABLED")
    return Finding("queue", f"{queue['Name']}: {status}", "" if status == "ENABLED" else "enable the queue")


def _next_flow(settings: Settings, client: Client) -> Finding:
    flow = client("connect").describe_contact_flow(
        InstanceId=settings.instance_arn, ContactFlowId=str(settings.voice.next_flow_arn).rpartition("/")[2]
    )["ContactFlow"]
    state = flow.get("State", "ACTIVE")
    return Finding("next flow", f"{flow['Name']}: {state}", "" if state == "ACTIVE" else "activate the flow")


def _connector(settings: Settings, client: Client) -> Finding:
    destination = settings.voice.destination
    if destination.phone_number:
        return Finding("connector", "none needed: calls go to a telephone number")
    if settings.region not in CONNECTOR_REGIONS:
        return Finding(
            "connector",
            f"{settings.region} has no voice connectors",
            f"choose one of {sorted(CONNECTOR_REGIONS)}",
        )
    if destination.connector_arn is None:
        return _connector_quota(client)
    associations = _pages(
        client("connect"),
        "list_integration_associations",
        "IntegrationAssociationSummaryList",
        InstanceId=settings.instance_arn,
        IntegrationType="CALL_TRANSFER_CONNECTOR",
    )
    if destination.connector_arn in {association["IntegrationArn"] for association in associations}:
        return Finding("connector", "associated with the instance")
    return Finding(
        "connector",
        f"{destination.connector_arn} is not associated with the instance",
        "associate it in the Amazon Connect console under External voice systems, or use createConnector",
    )


def _connector_quota(client: Client) -> Finding:
    value = client("service-quotas").get_service_quota(ServiceCode="connect", QuotaCode=CONNECTOR_QUOTA)[
        "Quota"
    ]["Value"]
    fix = (
        "request External voice transfer connectors per account: aws service-quotas request-service-quota-increase "
        f"--service-code connect --quota-code {CONNECTOR_QUOTA} --desired-value 1"
    )
    return Finding("connector", f"quota {CONNECTOR_QUOTA} is {value:g}", "" if value >= 1 else fix)


def _function_associations(settings: Settings, client: Client) -> Finding:
    functions = list(
        _pages(
            client("connect"), "list_lambda_functions", "LambdaFunctions", InstanceId=settings.instance_arn
        )
    )
    found = f"{len(functions)} of {FUNCTION_ASSOCIATIONS} used"
    full = len(functions) >= FUNCTION_ASSOCIATIONS
    return Finding(
        "function associations", found, "remove associations, or raise quota L-E3D2F503" if full else ""
    )


def _api_log_role(settings: Settings, client: Client) -> Finding:  # noqa: ARG001 (a check takes both)
    role = client("apigateway").get_account().get("cloudwatchRoleArn")
    fix = "set the account's CloudWatch log role of API Gateway, or set voice.metadata.cloudWatchRole to true"
    return Finding("API Gateway log role", role or "not set: the stage could not log", "" if role else fix)


def _pages(client: Any, operation: str, key: str, **arguments: str) -> Iterator[Any]:  # noqa: ANN401 (a boto3 client)
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def main(argv: list[str] | None = None) -> int:
    """Print a line per check and the steps that remain; 1 if a deploy would fail."""
    parser = argparse.ArgumentParser(
        prog="preflight", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("env", help="an environment of cdk.json")
    arguments = parser.parse_args(argv)
    context = json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    try:
        settings = load_settings(context.get("environments"), arguments.env)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    blocked = False
    for finding in run_checks(settings, lambda service: boto3.client(service, region_name=settings.region)):
        blocked = blocked or (finding.blocking and not finding.ok)
        mark = "ok  " if finding.ok else ("STOP" if finding.blocking else "note")
        sys.stdout.write(f"{mark}  {finding.check}: {finding.found}\n")
        if finding.fix:
            sys.stdout.write(f"      -> {finding.fix}\n")
    sys.stdout.write("\nWhat no API can do, after the deploy:\n")
    for number, step in enumerate(next_steps(settings), start=1):
        sys.stdout.write(f"  {number}. {step}\n")
    return 1 if blocked else 0


if __name__ == "__main__":
    sys.exit(main())
