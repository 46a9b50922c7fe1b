"""Checks of what every deployment needs of its account and Region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import boto3
import botocore
from botocore.exceptions import BotoCoreError, ClientError

from connect_bridges.operations.aws import NO_CREDENTIALS
from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding, QuotaRequest
from connect_bridges.operations.doctor.subjects import Subject
from connect_bridges.shared.known_regions import CONNECT_REGIONS, TRANSFER_CONNECTOR_REGIONS

CONCURRENCY_QUOTA = "L-B99A9384"
# evidence: lambda-concurrency-of-new-accounts
UNRESERVED = (
    100  # Lambda keeps so many for functions without a reservation; a smaller account keeps all it has
)
ENOUGH = 100  # executions at once; an account below has Lambda's limit for new accounts, 10, or little more


def credentials(session: boto3.Session, region: str | None) -> tuple[Finding, str | None]:
    """Return the finding of who asks, and the account; None if AWS cannot be asked at all."""
    about = About("credentials", "AWS")
    try:
        client = session.client("sts", region_name=region or "us-east-1")
        identity = client.get_caller_identity()
    except NO_CREDENTIALS as error:
        return about.failure(
            f"there are no usable AWS credentials: {error}",
            "sign in, name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "aws sso login",
        ), None
    except ClientError as error:
        return _refused_credentials(about, Refused("sts", error)), None
    except BotoCoreError as error:
        return about.failure(
            f"AWS cannot be reached: {error}",
            "check the network, a proxy (HTTPS_PROXY) and the Region",
            "aws sts get-caller-identity",
        ), None
    return about.ok(str(identity["Arn"])), str(identity["Account"])


def _refused_credentials(about: About, refusal: Refused) -> Finding:
    if refusal.expired:
        return about.failure(
            f"the credentials have expired ({refusal.code})", "sign in again", "aws sso login"
        )
    if refusal.unknown_credentials:
        return about.failure(
            f"AWS does not take the credentials ({refusal.code}: {refusal.message})",
            "see which ones are used: --profile, AWS_PROFILE, the variables AWS_*",
            "aws configure list",
        )
    return about.failure(
        f"AWS does not say who you are ({refusal.code}: {refusal.message})",
        "ask again",
        "aws sts get-caller-identity",
    )


def region(about: About, session: boto3.Session, name: str) -> Finding:
    """See that a Region exists, and is one with Amazon Connect; nothing is asked of AWS."""
    known = {
        each
        for partition in session.get_available_partitions()
        for each in session.get_available_regions("ec2", partition_name=partition)
    }
    if name not in known:
        near = get_close_matches(name, sorted(known), n=1)
        return about.failure(
            f"botocore {botocore.__version__} knows no Region {name}",
            f"write {near[0]}?" if near else "name one that exists; if it is new, upgrade boto3",
            "aws account list-regions --query 'Regions[].RegionName'",
        )
    if name not in CONNECT_REGIONS:
        return about.warning(
            f"{name} has no Amazon Connect, as far as is known",
            "deploy to the Region of the instance. Amazon Connect is in "
            f"{', '.join(CONNECT_REGIONS)}; if AWS has opened it here since, go on",
        )
    return about.ok(f"{name} has Amazon Connect")


def connector_region(about: About, name: str) -> Finding:
    """See that external voice transfer connectors can be in the Region."""
    if name in TRANSFER_CONNECTOR_REGIONS:
        return about.ok(f"{name} has voice connectors")
    return about.failure(
        f"{name} has no voice connectors",
        f"use an instance in one of {', '.join(TRANSFER_CONNECTOR_REGIONS)}, or transfer to a telephone number",
    )


def account(about: About, expected: str | None, found: str) -> Finding:
    """Compare the account of the credentials with the stack's."""
    if expected is None:
        return about.ok(f"the app leaves the account open; it would be {found}")
    if expected == found:
        return about.ok(found)
    return about.failure(
        f"the stack is for account {expected}, and the credentials are of {found}",
        f"use credentials of {expected}: --profile NAME",
        "aws configure list-profiles",
    )


def bootstrap(about: About, where: Region, account_id: str, parameter: str, needed: int) -> Finding:
    """Read the version of the CDK's bootstrap stack."""
    command = f"npx cdk bootstrap aws://{account_id}/{where.name}"
    qualifier = parameter.removeprefix("/cdk-bootstrap/").removesuffix("/version")
    if qualifier != "hnb659fds":
        command += f" --qualifier {qualifier}"
    try:
        version = int(where.ask("ssm", "get_parameter", Name=parameter)["Parameter"]["Value"])
    except Refused as refusal:
        if not refusal.missing:
            raise
        return about.failure("the CDK is not bootstrapped here", "bootstrap it", command)
    if version < needed:
        return about.failure(f"version {version}, and the app needs {needed}", "bootstrap it again", command)
    return about.ok(f"version {version}")


def connect_open(about: About, where: Region) -> Finding:
    """See whether the account may use Amazon Connect at all.

    AWS closes it to some new accounts and free plans: every call is refused with an explicit deny that is in no policy
    of the account. evidence: connect-closed-to-new-accounts
    """
    try:
        found = where.pages("connect", "list_instances", "InstanceSummaryList")
    except Refused as refusal:
        if refusal.denied and "explicit deny" in refusal.message:
            return about.failure(
                f"Amazon Connect is closed to this account or user: {refusal.message}",
                "if no policy of yours and none of your organisation denies connect:*, AWS has closed the account: "
                "open a case in the AWS Support Center (Account and billing, service Amazon Connect)",
            )
        raise
    return about.ok(f"{len(found)} instance{'' if len(found) == 1 else 's'} in {where.name}")


def lambda_concurrency(about: About, where: Region, subjects: Sequence[Subject]) -> Finding:
    """Compare what the stacks would reserve with what the account has, and say if it has hardly any."""
    limit = where.ask("lambda", "get_account_settings")["AccountLimit"]
    total, left = int(limit["ConcurrentExecutions"]), int(limit["UnreservedConcurrentExecutions"])
    needed = sum(
        int(properties.get("ReservedConcurrentExecutions") or 0)
        for subject in subjects
        for _, properties in subject.to_come("AWS::Lambda::Function")
    )
    kept = min(UNRESERVED, total)
    found = f"{total} at once, {left} of them unreserved, {needed} to be reserved"
    request = QuotaRequest(where.name, "lambda", CONCURRENCY_QUOTA, max(1000, total + needed))
    if needed and left - needed < kept:
        return about.failure(
            f"{found}; Lambda keeps {kept} unreserved",
            "reserve none (leave reserved_concurrent_executions out), or ask for more; if Service Quotas refuses, "
            "open a case in the AWS Support Center",
            request.command,
            request=request,
        )
    if total < ENOUGH:
        return about.warning(
            f"{found}: a new account. So many contacts at a time reach a function; the others take the flow's "
            "error branch",
            "ask for more before contacts come; if Service Quotas refuses, open a case in the AWS Support Center",
            request.command,
            request=request,
        )
    return about.ok(found)


def api_log_role(about: About, where: Region, subjects: Sequence[Subject]) -> Finding:
    """Say whose role API Gateway logs with, and what the deployment would change: there is one for the Region."""
    role = where.ask("apigateway", "get_account").get("cloudwatchRoleArn")
    setting = [each for each in subjects if _sets_log_role(each)]
    leaving = sorted(
        part.path
        for each in subjects
        for part in each.parts
        if part.bridge.facts.get("cloudWatchRole") is False
    )
    ours = {name for each in subjects for name in each.physical_ids("AWS::IAM::Role").values()}
    if role is None:
        if leaving and not setting:
            return about.failure(
                "none, and API Gateway does not create a stage that logs without one",
                f"leave cloud_watch_role=True (setting cloudWatchRole: true) of {', '.join(leaving)}, or set a role "
                "of yours that logs.amazonaws.com's managed policy AmazonAPIGatewayPushToCloudWatchLogs is attached to",
                "aws apigateway update-account --patch-operations "
                f"op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN --region {where.name}",
            )
        return about.ok("none yet; the deployment sets one of its own")
    if role.rpartition("/")[2] in ours:
        return about.ok(f"{role}, of these stacks")
    new = [each for each in setting if not each.physical_ids("AWS::ApiGateway::Account")]
    if new:
        paths = ", ".join(_with_log_role(new))
        return about.warning(
            f"{role} is not of these stacks, and deploying {', '.join(each.name for each in new)} replaces it for "
            f"every API of {where.name}",
            f"to keep it: cloud_watch_role=False (setting cloudWatchRole: false) of {paths}",
        )
    if setting:
        return about.warning(
            f"{role} is not of these stacks: somebody has replaced theirs since",
            "see that it may write logs; access logs of all APIs of the Region depend on it",
            f"aws iam list-attached-role-policies --role-name {role.rpartition('/')[2]}",
        )
    return about.ok(f"{role}, which the deployment leaves as it is")


def _sets_log_role(subject: Subject) -> bool:
    return any(True for _ in subject.resources("AWS::ApiGateway::Account")) or bool(
        subject.physical_ids("AWS::ApiGateway::Account")
    )


def _with_log_role(subjects: Sequence[Subject]) -> Iterator[str]:
    for each in subjects:
        for part in each.parts:
            if part.bridge.facts.get("cloudWatchRole"):
                yield part.path
