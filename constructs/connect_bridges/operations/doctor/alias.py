"""The check of an instance's alias: unique in the world before the deployment, the instance's own after it.

No API tells whether an alias is taken, so the address is asked that the instance would have: a name without an instance
does not resolve, or answers as one that nobody can have. evidence: taken-alias-answers
"""

from __future__ import annotations

import secrets
import socket

from connect_bridges.operations import web
from connect_bridges.operations.doctor.aws import Region
from connect_bridges.operations.doctor.findings import About, Finding
from connect_bridges.operations.doctor.instance import id_of
from connect_bridges.operations.doctor.subjects import Part, Subject

_ELSEWHERE = "take another alias, with your company's name in it"
_GONE = frozenset({404, 410})


def instance_alias(about: About, where: Region, subject: Subject, part: Part) -> Finding:
    """See that the alias is free, for an instance that is to come, or the instance's own."""
    alias = str(part.bridge.text("alias"))
    if part.deployed and (arn := part.deployed.text("instanceArn")):
        return _own(about, where, alias, arn)
    own = {id_of(each) for each in subject.physical_ids("AWS::Connect::Instance").values()}
    for each in where.pages("connect", "list_instances", "InstanceSummaryList"):
        if str(each.get("InstanceAlias", "")).lower() == alias.lower():
            if each["Id"] in own:
                return about.ok(f"{alias} is the stack's own instance")
            return _yours(about, where, alias, each)
    return _in_the_world(about, alias)


def _own(about: About, where: Region, alias: str, arn: str) -> Finding:
    found = where.ask("connect", "describe_instance", InstanceId=id_of(arn))["Instance"].get("InstanceAlias")
    if str(found).lower() == alias.lower():
        return about.ok(f"{alias} is the instance's own")
    return about.failure(
        f"the instance's alias is {found}, and the app says {alias}: an alias never changes",
        f"write {found}, or put an instance with the new alias into a new stack",
        f"aws connect describe-instance --region {where.name} --instance-id {id_of(arn)}",
    )


def _yours(about: About, where: Region, alias: str, instance: dict[str, str]) -> Finding:
    return about.failure(
        f"{alias} is the alias of {instance['Arn']}, of this account and not of the stack: the deployment would fail",
        "if a stack that is gone has left it, name it instead of creating one (ConnectInstance.from_arn, setting "
        f"instanceArn), or delete it with all that is in it; else {_ELSEWHERE}",
        f"aws connect describe-instance --region {where.name} --instance-id {instance['Id']}",
    )


def _in_the_world(about: About, alias: str) -> Finding:
    address = f"{alias}.my.connect.aws"
    try:
        status = web.status(f"https://{address}/")
    except web.WebError as error:
        if isinstance(error.reason, socket.gaierror):
            return about.ok(f"{address} does not resolve: nobody has it")
        return about.skipped(
            f"{address} did not answer ({error.reason}), which is no sign of being free",
            f"open https://{address} in a browser; if it leads to a login, {_ELSEWHERE}",
        )
    if status in _GONE:
        return about.ok(f"{address} answers {status}: nobody has it")
    if status == (other := _of_nobody()):
        return about.skipped(
            f"{address} answers {status}, and so does an address that nobody has",
            f"open https://{address} in a browser; if it leads to a login, {_ELSEWHERE}",
        )
    return about.failure(
        f"{address} answers {status}, and an address that nobody has {_said(other)}: an instance of another account "
        "or Region has the alias, and the deployment would fail",
        f"{_ELSEWHERE}; if the instance is yours, name it instead of creating one",
    )


def _of_nobody() -> int | None:
    """Return what a name answers that nobody has; None: nothing."""
    try:
        return web.status(f"https://{secrets.token_hex(20)}.my.connect.aws/")
    except web.WebError:
        return None


def _said(status: int | None) -> str:
    return "does not answer" if status is None else f"answers {status}"
