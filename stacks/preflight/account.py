"""What every environment needs of its account and its Amazon Connect instance."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from stacks.settings import Settings

from .findings import Aws, Check, Finding, stack_name

FUNCTION_ASSOCIATIONS = 50  # quota L-E3D2F503


def checks(settings: Settings) -> list[Check]:
    """Return the checks that do not belong to one capability."""
    found = [
        Check("account", _account),
        Check("bootstrap", _bootstrap),
        Check("instance", _instance),
        Check("flow logs", _flow_logs),
        Check("function associations", _function_associations),
    ]
    if settings.biometrics or settings.voice.destination.phone_number:
        found.append(Check("outbound calls", _outbound_calls))
    if _stages_without_role(settings):
        found.append(Check("API Gateway log role", _api_log_role))
    return found


def outputs(settings: Settings, aws: Aws) -> dict[str, str]:
    """Return the outputs of those stacks of the environment that are deployed and may be read."""
    known: dict[str, str] = {}
    for stack in _stacks(settings):
        try:
            known.update(aws.outputs(stack) or {})
        except (ClientError, BotoCoreError):
            continue  # said by the check of function associations
    return known


def _stacks(settings: Settings) -> list[str]:
    given = {"voice": settings.voice, "chat": settings.chat, "biometrics": settings.biometrics}
    return [stack_name(settings.name, capability) for capability, section in given.items() if section]


def _account(settings: Settings, aws: Aws) -> Finding:
    account = aws.client("sts").get_caller_identity()["Account"]
    if account == settings.account:
        return Finding("account", account)
    return Finding(
        "account", f"your credentials are of {account}", f"use credentials of account {settings.account}"
    )


def _bootstrap(settings: Settings, aws: Aws) -> Finding:
    name = "/cdk-bootstrap/hnb659fds/version"
    fix = f"npx cdk bootstrap aws://{settings.account}/{settings.region}"
    try:
        version = int(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return Finding("bootstrap", "the CDK is not bootstrapped here", fix)
    return Finding("bootstrap", f"version {version}", "" if version >= 6 else fix)


def _instance(settings: Settings, aws: Aws) -> Finding:
    instance = aws.client("connect").describe_instance(InstanceId=settings.instance_arn)["Instance"]
    status = instance["InstanceStatus"]
    return Finding(
        "instance", status, "" if status == "ACTIVE" else "wait until the instance is ACTIVE, or repair it"
    )


def _flow_logs(settings: Settings, aws: Aws) -> Finding:
    attribute = aws.client("connect").describe_instance_attribute(
        InstanceId=settings.instance_arn, AttributeType="CONTACTFLOW_LOGS"
    )["Attribute"]
    on = attribute["Value"].lower() == "true"
    return Finding(
        "flow logs",
        "on" if on else "off: flows log nothing",
        "" if on else _switch_on(settings, "CONTACTFLOW_LOGS"),
        blocking=False,
    )


def _outbound_calls(settings: Settings, aws: Aws) -> Finding:
    instance = aws.client("connect").describe_instance(InstanceId=settings.instance_arn)["Instance"]
    on = bool(instance.get("OutboundCallsEnabled"))
    return Finding(
        "outbound calls",
        "on" if on else "off: a transfer to a telephone number is an outbound call",
        "" if on else _switch_on(settings, "OUTBOUND_CALLS"),
        blocking=False,
    )


def _switch_on(settings: Settings, attribute: str) -> str:
    return (
        f"aws connect update-instance-attribute --instance-id {settings.instance_arn} "
        f"--attribute-type {attribute} --value true"
    )


def _function_associations(settings: Settings, aws: Aws) -> Finding:
    """Each stack associates one function with the instance; those that are deployed have done so."""
    used = len(
        list(
            aws.pages("connect", "list_lambda_functions", "LambdaFunctions", InstanceId=settings.instance_arn)
        )
    )
    needed = sum(aws.outputs(stack) is None for stack in _stacks(settings))
    fits = used + needed <= FUNCTION_ASSOCIATIONS
    return Finding(
        "function associations",
        f"{used} of {FUNCTION_ASSOCIATIONS} used, {needed} needed",
        "" if fits else "remove associations, or raise quota L-E3D2F503",
    )


def _stages_without_role(settings: Settings) -> list[str]:
    """Return the key paths of the REST APIs that do not set the account's log role themselves."""
    given = {"voice.metadata.cloudWatchRole": settings.voice.metadata.cloud_watch_role}
    if settings.biometrics:
        given["biometrics.cloudWatchRole"] = settings.biometrics.cloud_watch_role
    return [key for key, sets_role in given.items() if not sets_role]


def _api_log_role(settings: Settings, aws: Aws) -> Finding:
    role = aws.client("apigateway").get_account().get("cloudwatchRoleArn")
    keys = " and ".join(_stages_without_role(settings))
    fix = f"set the account's CloudWatch log role of API Gateway, or set {keys} to true"
    return Finding("API Gateway log role", role or "not set: the stage could not log", "" if role else fix)
