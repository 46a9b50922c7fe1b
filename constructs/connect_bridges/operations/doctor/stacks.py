"""Checks of stacks: their state, the names that templates fix, tables that would be left behind, functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding
from connect_bridges.operations.doctor.subjects import Part, Subject

_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_DATA = (*_TABLES, "AWS::Connect::Instance", "AWS::Connect::PhoneNumber")
_FAILED_FIRST = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
_STUCK = {
    "CREATE_FAILED": (
        "its first deployment failed and was not rolled back",
        "see why, mend that, and go on where it failed",
        "npx cdk deploy {name} --no-rollback",
    ),
    "UPDATE_FAILED": (
        "half of an update, which was not rolled back",
        "see why, and have it rolled back",
        "npx cdk rollback {name}",
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "no deployment starts from it",
        "see what would not go back, mend that, and let the rollback go on",
        "npx cdk rollback {name}",
    ),
    "DELETE_FAILED": (
        "it is half gone",
        "see what could not be deleted, remove that, and delete the stack again",
        "aws cloudformation delete-stack --region {region} --stack-name {name}",
    ),
}


def stack_status(about: About, subject: Subject, where: Region) -> Finding:
    """Say what state the stack is in, and what the next deployment needs, if it cannot start from it.

    docs/recovery.md has all of it.
    """
    stack = subject.actual
    if stack is None:
        return _not_there(about, subject, where)
    status = str(stack.status)
    events = (
        f"aws cloudformation describe-stack-events --region {where.name} --stack-name {subject.name} --query "
        "\"StackEvents[?contains(ResourceStatus,'FAILED')].[LogicalResourceId,ResourceStatusReason]\""
    )
    if status in _FAILED_FIRST:
        return _failed_first(about, subject, where, events)
    if status in _STUCK:
        what, way, command = _STUCK[status]
        return about.failure(
            f"{status}: {what}", way, events, command.format(name=subject.name, region=where.name)
        )
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        return about.warning(
            f"{status}: something is at work", "wait until it has ended, and run doctor again"
        )
    return about.ok(status)


def _not_there(about: About, subject: Subject, where: Region) -> Finding:
    if subject.planned is None:
        return about.failure(
            f"there is no stack {subject.name} in {where.name}",
            "check name, --region and --profile",
            f"aws cloudformation describe-stacks --region {where.name} --query 'Stacks[].StackName'",
        )
    if subject.planned.termination_protection:
        return about.warning(
            "not deployed yet, and protected from the beginning: should the first deployment fail, the next one "
            "cannot delete what is left of it",
            "deploy the first time without deletionProtection (termination_protection), and switch it on afterwards",
        )
    return about.ok("not deployed yet")


def _failed_first(about: About, subject: Subject, where: Region, events: str) -> Finding:
    """Tell of a first deployment that failed: the CDK deletes the stack and creates it anew, unless it cannot."""
    status = subject.actual.status if subject.actual else ""
    protected = subject.actual is not None and subject.actual.termination_protection
    tables = [name for each, name in subject.physical_ids(*_TABLES).items() if each in subject.stuck]
    commands = [events]
    if protected:  # evidence: failed-creation-is-deleted-first
        commands.append(
            "aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--region {where.name} --stack-name {subject.name}"
        )
    for table in tables:
        place = f"--region {where.name} --table-name {table}"
        commands += [
            f"aws dynamodb update-table --no-deletion-protection-enabled {place}",
            f"aws dynamodb delete-table {place}",
        ]
    commands.append(f"npx cdk deploy {subject.name}")
    # evidence: failed-creation-is-deleted-first
    found = f"{status}: its first deployment failed"
    if not protected and status == "ROLLBACK_COMPLETE":
        return about.warning(
            f"{found}; the next one deletes it and begins anew",
            "see why it failed, mend that, and deploy again",
            *commands,
        )
    hinders = ["termination protection"] * protected + [f"table {each}" for each in tables]
    return about.failure(
        f"{found}, and the next one, which begins by deleting it, is stopped by "
        f"{' and '.join(hinders) or 'what could not be deleted'}",
        "see why it failed, mend that, remove what is in the way, and deploy again"
        + ("; look into the table first, if calls have used it" if tables else ""),
        *commands,
    )


def kept(subject: Subject) -> Mapping[str, Mapping[str, Any]]:
    """Return what holds data or numbers and is kept when the stack goes: the app's resources, by logical id."""
    return {
        logical_id: resource
        for logical_id, resource in (subject.planned.resources.items() if subject.planned else ())
        if resource.get("Type") in _DATA and str(resource.get("DeletionPolicy", "")).startswith("Retain")
    }


def deletion_protection(about: About, subject: Subject, kept: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Remind to protect what the stack keeps, after its first deployment: docs/recovery.md says why then."""
    tables = [
        logical_id
        for logical_id, resource in kept.items()
        if resource["Type"] in _TABLES and not _refuses_deletion(resource["Properties"])
    ]
    off = ["the stack"] if subject.planned and not subject.planned.termination_protection else []
    off += [f"table {subject.physical.get(each, ('', each))[1]}" for each in tables]
    if not off:
        return about.ok("on")
    return about.warning(
        f"off: {' and '.join(off)} can be deleted by one command",
        'now that the first deployment has succeeded, set "deletionProtection": true for the environment (in an own '
        "app: deletion_protection=True for the construct with the table, termination_protection=True for the stack)",
        f"npx cdk deploy {subject.name}",
    )


def _refuses_deletion(table: Mapping[str, Any]) -> bool:
    replicas = table.get("Replicas") or [table]
    return all(each.get("DeletionProtectionEnabled") is True for each in replicas)


def names_free(about: About, subject: Subject, where: Region) -> Iterator[Finding]:
    """See that names which the template fixes are not taken by something else than the stack's own resources."""
    looked = 0
    for kind, (member, taken) in _NAMED.items():
        for logical_id, properties in subject.resources(kind):
            name = properties.get(member)
            if not isinstance(name, str) or logical_id in subject.physical:
                continue
            looked += 1
            advice = taken(where, properties, name)
            if advice:
                what = kind.rpartition("::")[2]
                yield about.failure(f"{what} {name} exists, and is not of this stack", advice[0], *advice[1:])
    if subject.deployed and not looked:
        yield about.ok("nothing new has a fixed name")
    elif not looked:
        yield about.ok("the template fixes no names")
    else:
        yield about.ok(f"{looked} looked at")


_Taken = Callable[[Region, Mapping[str, Any], str], tuple[str, ...] | None]
_LEFT_OVER = (
    "if it is left over from a failed or removed deployment and nobody needs it, delete it; otherwise {}"
)


def _table(where: Region, _properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    if not _exists(where, "dynamodb", "describe_table", TableName=name):
        return None
    place = f"--region {where.name} --table-name {name}"
    return (
        _LEFT_OVER.format(
            "choose another table_name (setting tableName), or give it to the construct as table="
        ),
        f"aws dynamodb describe-table {place}",
        f"aws dynamodb update-table --no-deletion-protection-enabled {place}",
        f"aws dynamodb delete-table {place}",
    )


def _function(where: Region, _properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    if not _exists(where, "lambda", "get_function_configuration", FunctionName=name):
        return None
    return (
        _LEFT_OVER.format("choose another name: preset generic, or with_overrides"),
        f"aws lambda delete-function --region {where.name} --function-name {name}",
    )


def _topic(where: Region, _properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    topics = where.pages("sns", "list_topics", "Topics")
    arn = next((each["TopicArn"] for each in topics if each["TopicArn"].endswith(f":{name}")), None)
    if arn is None:
        return None
    return (
        _LEFT_OVER.format("choose another topic name"),
        f"aws sns delete-topic --region {where.name} --topic-arn {arn}",
    )


def _log_group(where: Region, _properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    found = where.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    if name not in {each["logGroupName"] for each in found}:
        return None
    return (
        _LEFT_OVER.format("choose another name for the function that it is of"),
        f"aws logs delete-log-group --region {where.name} --log-group-name {name}",
    )


def _secret(where: Region, _properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    try:
        found = where.ask("secretsmanager", "describe_secret", SecretId=name)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return None
    place = f"--region {where.name} --secret-id {found['ARN']}"
    return (
        _LEFT_OVER.format("choose another secret name, or give it to the construct"),
        *([f"aws secretsmanager restore-secret {place}"] if found.get("DeletedDate") else []),
        f"aws secretsmanager delete-secret --force-delete-without-recovery {place}",
    )


def _flow(where: Region, properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    listed = ("list_contact_flows", "ContactFlowSummaryList")
    return _in_instance(where, properties, name, listed=listed, what="contact-flow")


def _module(where: Region, properties: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    listed = ("list_contact_flow_modules", "ContactFlowModulesSummaryList")
    return _in_instance(where, properties, name, listed=listed, what="contact-flow-module")


def _in_instance(
    where: Region, properties: Mapping[str, Any], name: str, *, listed: tuple[str, str], what: str
) -> tuple[str, ...] | None:
    arn = properties.get("InstanceArn")
    if not isinstance(arn, str):
        return None
    instance = arn.rpartition("/")[2]
    kind = properties.get("Type")
    found = next(
        (
            each
            for each in where.pages("connect", *listed, InstanceId=instance)
            if each.get("Name") == name and kind in {None, each.get("ContactFlowType")}
        ),
        None,
    )
    if found is None:
        return None
    return (
        _LEFT_OVER.format("choose another flow_name or module_name"),
        f"aws connect delete-{what} --region {where.name} --instance-id {instance} --{what}-id {found['Id']}",
    )


_NAMED: Mapping[str, tuple[str, _Taken]] = {
    "AWS::DynamoDB::Table": ("TableName", _table),
    "AWS::DynamoDB::GlobalTable": ("TableName", _table),
    "AWS::Lambda::Function": ("FunctionName", _function),
    "AWS::SNS::Topic": ("TopicName", _topic),
    "AWS::Logs::LogGroup": ("LogGroupName", _log_group),
    "AWS::SecretsManager::Secret": ("Name", _secret),
    "AWS::Connect::ContactFlow": ("Name", _flow),
    "AWS::Connect::ContactFlowModule": ("Name", _module),
}


def _exists(where: Region, service: str, operation: str, **arguments: str) -> bool:
    try:
        where.ask(service, operation, **arguments)
    except Refused as refusal:
        if not refusal.missing:
            raise
        return False
    return True


def table_replaced(about: About, subject: Subject) -> Finding:
    """Compare the deployed tables with the template's: another name, key or logical id makes another, empty table.

    What is compared is what DynamoDB cannot change in place: the name and the partition key.
    """
    changed = []
    for part in subject.parts:
        old = part.deployed.facts.get("table") if part.deployed else None
        new = part.bridge.facts.get("table")
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            continue
        changed += [
            (part, f"{part.path}: {what} {_said(old.get(fact))} becomes {_said(new.get(fact))}")
            for fact, what in {"fixedName": "fixed name", "partitionKey": "partition key"}.items()
            if old.get(fact) != new.get(fact)
        ]
    wanted = {logical_id for logical_id, _ in subject.resources(*_TABLES)}
    gone = [
        f"{logical_id} ({name}) is not in the template"
        for logical_id, name in subject.physical_ids(*_TABLES).items()
        if logical_id not in wanted
    ]
    if not changed and not gone:
        return about.ok("the tables stay")
    found = "; ".join([text for _, text in changed] + gone)
    if gone or any(part.is_a("VoiceBiometricGate") for part, _ in changed):
        return about.failure(
            f"{found}: the deployment makes a new, empty table, and enrolled callers are no longer known",
            "keep preset, table_name and partition_key as they were deployed, or copy the items over afterwards",
        )
    return about.warning(
        f"{found}: the deployment makes a new, empty table, and metadata of calls in progress is not found",
        "keep preset, table_name and partition_key as they were deployed, or deploy when no call is in progress",
    )


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def function_health(about: About, part: Part, where: Region) -> Iterator[Finding]:
    """See that a construct's deployed functions are active, and that their last update went through."""
    names = part.deployed.texts("functions") if part.deployed else []
    for name in names:
        try:
            found = where.ask("lambda", "get_function_configuration", FunctionName=name)
        except Refused as refusal:
            if not refusal.missing:
                raise
            yield about.failure(
                f"{name} is gone, deleted by hand?", "deploy it again", "npx cdk deploy --revert-drift"
            )
            continue
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state == "Failed" or update == "Failed":
            reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
            yield about.failure(
                f"{name} is {state}, its last update {update}: {reason}",
                "mend the reason and deploy again",
                f"aws lambda get-function-configuration --region {where.name} --function-name {name}",
            )
        elif state == "Pending" or update == "InProgress":
            yield about.warning(f"{name} is {state}, its last update {update}", "wait, and run doctor again")
    if names:
        yield about.ok(f"{', '.join(names)}")
