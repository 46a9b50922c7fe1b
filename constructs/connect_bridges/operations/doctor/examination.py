"""Which checks there are for what is to be examined, and how they are made: one by one, none stopping the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from connect_bridges.operations.deployed import DeployedError, deployed, in_assembly
from connect_bridges.operations.doctor import alias, instance, place, quotas, secrets, stacks, vendors
from connect_bridges.operations.doctor.aws import Refused, Region
from connect_bridges.operations.doctor.findings import About, Finding, Status
from connect_bridges.operations.doctor.limits import Limit, limits
from connect_bridges.operations.doctor.subjects import Part, Subject

_Look = Callable[[About], Finding | Iterable[Finding]]
_TO_NUMBER = ("VoiceBiometricGate",)


@dataclass(frozen=True)
class Check:
    """One look at one thing. subjects: whose it is; a refused one stops it. offline: it asks nothing of AWS."""

    name: str
    subject: str
    look: _Look
    subjects: Sequence[Subject] = ()
    offline: bool = False


@dataclass(frozen=True)
class Examination:
    """What was examined, and what was found. account: None if AWS could not be asked."""

    account: str | None
    subjects: Sequence[Subject]
    findings: Sequence[Finding]


def subjects_of(assembly: Path | None, names: Sequence[str]) -> list[Subject]:
    """Return the stacks to examine: the assembly's (those named, if any are), or the deployed ones of these names.

    Raises ``DeployedError`` if the assembly does not hold them.
    """
    if assembly is None:
        return [Subject(name) for name in dict.fromkeys(names)]
    planned = in_assembly(assembly)
    if not planned:
        raise DeployedError(f"{assembly} holds no stack with constructs of connect-bridges.")
    unknown = set(names) - {stack.name for stack in planned}
    if unknown:
        there = ", ".join(stack.name for stack in planned)
        raise DeployedError(f"{assembly} holds no stack {min(unknown)}; it holds {there}.")
    return [Subject(stack.name, planned=stack) for stack in planned if not names or stack.name in names]


def examine(session: boto3.Session, subjects: Sequence[Subject]) -> Examination:
    """Make every check, and return what was found; whatever AWS answers becomes a finding."""
    who, account = place.credentials(session, _region_of(subjects[0], session))
    findings = [who]
    regions: dict[str, Region] = {}
    for subject in subjects:
        subject.refused = "" if account else "AWS cannot be asked"
        name = _region_of(subject, session)
        if name is None:
            subject.refused = "no Region is known"
            findings.append(_no_region(subject))
        else:
            subject.region = regions.setdefault(name, Region(session, name))
    for region in regions.values():
        here = [subject for subject in subjects if subject.region is region]
        findings += _in_region(region, here, session, account)
    return Examination(account, subjects, findings)


def _in_region(
    region: Region, subjects: Sequence[Subject], session: boto3.Session, account: str | None
) -> Iterator[Finding]:
    finding = place.region(About("region", region.name), session, region.name)
    yield finding
    for subject in subjects:
        if finding.status is Status.FAILURE:
            subject.refused = subject.refused or f"{region.name} cannot be asked"
        if account and not subject.refused:
            yield from _belongs(subject, account)
        if not subject.refused:
            yield from _read(subject)
    _complete(region, subjects)
    for check in _checks(region, subjects, account):
        yield from made(check)


def made(check: Check) -> list[Finding]:
    """Make a check; that AWS refuses to answer is a finding as well, and the subjects' refusal is one beforehand."""
    about = About(check.name, check.subject)
    refused = [subject.refused for subject in check.subjects if subject.refused]
    if not check.offline and check.subjects and len(refused) == len(check.subjects):
        return [about.skipped(refused[0])]
    found: list[Finding] = []
    try:
        looked = check.look(about)
        found.extend([looked] if isinstance(looked, Finding) else looked)
    except Refused as refusal:
        found.append(_refusal(about, refusal))
    except BotoCoreError as error:
        found.append(_no_answer(about, error))
    return found


def _no_answer(about: About, error: BotoCoreError) -> Finding:
    return about.warning(f"AWS did not answer: {error}", "check network and proxy, and run doctor again")


def _refusal(about: About, refusal: Refused) -> Finding:
    if refusal.denied:
        return about.warning(
            f"not looked at: you may not call {refusal.action} ({refusal.message})",
            f"allow {refusal.action} to your role or user; the whole policy is in docs/doctor.md",
        )
    return about.warning(
        f"not looked at: {refusal.service} {refusal.operation} answered {refusal.code}: {refusal.message}",
        "run doctor again",
    )


def _region_of(subject: Subject, session: boto3.Session) -> str | None:
    planned = subject.planned.region if subject.planned else None
    found = planned or session.region_name
    return str(found) if found else None


def _no_region(subject: Subject) -> Finding:
    return About("region", subject.name).failure(
        "no Region is set",
        "name the stack's: --region NAME, or AWS_REGION",
        "aws configure set region us-east-1",
    )


def _belongs(subject: Subject, account: str) -> Iterator[Finding]:
    if subject.planned is None:
        return
    finding = place.account(About("account", subject.name), subject.planned.account, account)
    if finding.fix:
        subject.refused = f"the credentials are not of account {subject.planned.account}"
    yield finding


def _read(subject: Subject) -> Iterator[Finding]:
    """Read the stack from the account; what hinders that is a finding."""
    where = subject.region
    if where is None:
        return
    about = About("stack-status", subject.name)
    try:
        try:
            subject.actual = deployed(where.client("cloudformation"), subject.name)
        except ClientError as error:
            raise Refused("cloudformation", error) from error
        if subject.actual is not None:
            listed = where.pages(
                "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=subject.name
            )
            there = [
                each
                for each in listed
                if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
            ]
            subject.physical = {
                each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"])
                for each in there
            }
            subject.stuck = frozenset(
                each["LogicalResourceId"] for each in there if each["ResourceStatus"] == "DELETE_FAILED"
            )
    except Refused as refusal:
        subject.refused = f"the stack could not be read ({refusal.code})"
        yield _refusal(about, refusal)
        return
    except BotoCoreError as error:
        subject.refused = "the stack could not be read"
        yield _no_answer(about, error)
        return
    except DeployedError as error:
        subject.refused = "the stack could not be read"
        yield about.failure(str(error), "upgrade", "pip install --upgrade 'connect-bridges[cli]'")
        return
    yield stacks.stack_status(about, subject, where)
    if subject.planned is None and not subject.parts:
        subject.refused = "nothing of it is deployed"
        if subject.deployed:
            subject.refused = "it holds no construct that tells of itself"
            yield About("stack-status", subject.name).warning(
                "the stack holds no construct of connect-bridges that tells of itself",
                "deploy it with connect-bridges 0.1.0 or newer, or name the stack that has them",
            )


def _complete(where: Region, subjects: Sequence[Subject]) -> None:
    """Let templates know what the outputs of deployed stacks tell, those of other apps included."""
    outputs = {each.name: each.actual.outputs for each in subjects if each.actual}
    for subject in subjects:
        if subject.refused or subject.planned is None:
            continue
        for name in subject.planned.takes_from - set(outputs):
            outputs[name] = _outputs(where, name)
        subject.planned = subject.planned.completed(outputs)


def _outputs(where: Region, name: str) -> Mapping[str, str]:
    """Return a stack's outputs; none if it is not there, or may not be seen: what it tells is then not known."""
    try:
        found = where.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    except (Refused, BotoCoreError):
        return {}
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def _checks(where: Region, subjects: Sequence[Subject], account: str | None) -> Iterator[Check]:
    """Return the checks of a Region in the order in which one mends what they find."""
    of_region = partial(Check, subject=where.name, subjects=subjects)
    parts = [(subject, part) for subject in subjects for part in subject.parts]
    if any(part.is_a("ExternalVoiceConnector") or part.bridge.text("connectorArn") for _, part in parts):
        yield of_region(
            "connector-region", look=lambda about: place.connector_region(about, where.name), offline=True
        )
    for parameter, version in _bootstraps(subjects):
        yield of_region(
            "bootstrap",
            look=partial(
                place.bootstrap,
                where=where,
                account_id=account or "ACCOUNT",
                parameter=parameter,
                needed=version,
            ),
        )
    yield of_region("connect-open", look=partial(place.connect_open, where=where))
    yield of_region(
        "lambda-concurrency", look=partial(place.lambda_concurrency, where=where, subjects=subjects)
    )
    if any("cloudWatchRole" in part.bridge.facts for _, part in parts):
        yield of_region("api-log-role", look=partial(place.api_log_role, where=where, subjects=subjects))
    for limit in limits():
        if limit.level == "account" and quotas.needed(limit, subjects):
            look = partial(_account_quota, where=where, limit=limit, subjects=subjects)
            yield of_region(limit.check, look=look)
    yield from _instances_to_come(where, subjects)
    instances = dict.fromkeys(filter(None, (part.instance_arn() for _, part in parts)))
    for arn in instances:
        here = [(subject, part) for subject, part in parts if part.instance_arn() == arn]
        yield from _of_instance(where, arn, here)
    for subject in subjects:
        yield from _of_stack(where, subject)
        for part in subject.parts:
            yield from _of_part(where, subject, part)


def _bootstraps(subjects: Sequence[Subject]) -> list[tuple[str, int]]:
    needed: dict[str, int] = {}
    for subject in subjects:
        if subject.planned and subject.planned.bootstrap:
            parameter, version = subject.planned.bootstrap
            needed[parameter] = max(version, needed.get(parameter, 0))
    return list(needed.items())


def _account_quota(about: About, where: Region, limit: Limit, subjects: Sequence[Subject]) -> Finding:
    return quotas.compare(
        about, where, limit, used=quotas.used(where, limit), needed=quotas.needed(limit, subjects)
    )


def _instances_to_come(where: Region, subjects: Sequence[Subject]) -> Iterator[Check]:
    """Return the checks of instances that the next deployment creates: what it and other stacks put into them."""
    for subject in subjects:
        for logical_id, _ in subject.to_come("AWS::Connect::Instance"):
            named = f"{subject.name}/{logical_id}"
            looks = {
                limit: partial(
                    instance.quota_to_come, where=where, limit=limit, place=named, subjects=subjects
                )
                for limit in limits()
                if limit.level == "instance" and quotas.needed(limit, subjects, named)
            }
            if looks:
                look = partial(_folded, looks=looks)
                yield Check("limits", f"{subject.name}, instance {logical_id}", look, [subject])


def _folded(about: About, looks: Mapping[Limit, _Look]) -> Iterator[Finding]:
    """Yield what is wrong or near, each thing once, and then one finding of all the rest."""
    well: list[str] = []
    told: set[str] = set()
    for limit, look in looks.items():
        for finding in made(Check(limit.check, about.subject, look)):
            if finding.status is Status.OK:
                well.append(f"{limit.item.removesuffix(' per instance')}: {finding.found}")
            elif finding.found not in told:  # what may not be asked is not told for every quota
                told.add(finding.found)
                yield finding
    if well:
        yield about.ok("; ".join(well))


def _of_instance(where: Region, arn: str, parts: Sequence[tuple[Subject, Part]]) -> Iterator[Check]:
    subjects = list({subject.name: subject for subject, _ in parts}.values())
    of_instance = partial(Check, subject=f"instance {instance.id_of(arn)}", subjects=subjects)
    yield of_instance("instance", look=partial(instance.instance, where=where, arn=arn))
    if any(part.is_a("ExternalVoiceTransfer", "VoiceBiometricGate") for _, part in parts):
        yield of_instance("inbound-calls", look=partial(instance.calls, where=where, arn=arn, inbound=True))
    if any(part.is_a(*_TO_NUMBER) or part.bridge.text("phoneNumber") for _, part in parts):
        yield of_instance("outbound-calls", look=partial(instance.calls, where=where, arn=arn, inbound=False))
    yield of_instance("flow-logs", look=partial(instance.flow_logs, where=where, arn=arn))
    of_limit = {
        limit: partial(instance.quota, where=where, limit=limit, arn=arn, subjects=subjects)
        for limit in limits()
        if limit.level == "instance" and limit.countable
    }
    for limit, look in of_limit.items():
        if limit.always:
            yield of_instance(limit.check, look=look)
    others = {limit: look for limit, look in of_limit.items() if not limit.always}
    yield of_instance("limits", look=partial(_folded, looks=others))


def _of_stack(where: Region, subject: Subject) -> Iterator[Check]:
    if subject.planned is None:
        return
    of_stack = partial(Check, subject=subject.name, subjects=[subject])
    yield of_stack("names-free", look=partial(stacks.names_free, subject=subject, where=where))
    if subject.deployed:
        yield of_stack("table-replaced", look=partial(stacks.table_replaced, subject=subject))
        if kept := stacks.kept(subject):
            look = partial(stacks.deletion_protection, subject=subject, kept=kept)
            yield of_stack("deletion-protection", look=look)


def _of_part(where: Region, subject: Subject, part: Part) -> Iterator[Check]:
    yield from _named_in_instance(where, subject, part)
    yield from _outside(where, subject, part)
    yield from _secrets(where, subject, part)
    if part.deployed:
        yield Check(
            "function-health", part.path, partial(stacks.function_health, part=part, where=where), [subject]
        )


def _named_in_instance(where: Region, subject: Subject, part: Part) -> Iterator[Check]:
    """Return the checks of what a construct names in its instance."""
    of_part = partial(Check, subject=part.path, subjects=[subject])
    instance_arn = part.instance_arn()
    if part.bridge.text("alias"):
        look = partial(alias.instance_alias, where=where, subject=subject, part=part)
        yield of_part("instance-alias", look=look)
    if instance_arn is None:
        yield of_part("instance", look=partial(_instance_to_come, subject=subject, part=part))
    else:
        if part.is_a("ExternalVoiceTransfer") and "connectorArn" in part.bridge.facts:
            look = partial(_connector, where=where, part=part, instance_arn=instance_arn)
            yield of_part("connector-associated", look=look)
        if part.bridge.text("redialNumber"):
            look = partial(instance.redial_number, where=where, part=part, instance_arn=instance_arn)
            yield of_part("redial-number", look=look)
        elif part.is_a("ExternalVoiceTransfer", "VoiceBiometricGate"):
            yield of_part("phone-number", look=partial(instance.phone_number, where=where, part=part))
    for arn in part.bridge.texts("queues"):
        yield of_part("queue", look=partial(instance.queue, where=where, arn=arn))
    for arn in part.bridge.texts("nextFlows"):
        yield of_part("next-flow", look=partial(instance.flow, where=where, arn=arn))


def _instance_to_come(about: About, subject: Subject, part: Part) -> Finding:
    maker = subject.planned.instance_from if subject.planned and not part.is_a("ContactCenter") else None
    of_others = f", of the stack {maker}" if maker else ""
    return about.skipped(
        f"comes with the deployment{of_others}: run doctor again after it",
        "",
        f"connect-bridges doctor --stack {subject.name}",
    )


def _connector(about: About, where: Region, part: Part, instance_arn: str) -> Finding:
    connector_arn = part.bridge.text("connectorArn")
    if connector_arn is None:
        return about.skipped("the connector comes with the deployment")
    return instance.connector(about, where, instance_arn, connector_arn)


def _outside(where: Region, subject: Subject, part: Part) -> Iterator[Check]:
    """Return the checks of what a construct reaches outside AWS, or is reached by."""
    of_part = partial(Check, subject=part.path, subjects=[subject])
    if part.is_a("ExternalVoiceConnector") and (host := part.bridge.text("host")):
        yield of_part("connector-host", look=partial(vendors.connector_host, host=host), offline=True)
    for fact in _addresses(part):
        if url := part.bridge.text(fact):
            yield of_part("endpoint-tls", look=partial(vendors.endpoint, url=url), offline=True)
    if function := part.bridge.text("providerFunctionArn"):
        seconds = part.bridge.facts.get("providerSeconds")
        look = partial(vendors.provider_function, where=where, arn=function, seconds=seconds)
        yield of_part("provider-function", look=look)
    if part.is_a("ChatStreamBridge"):
        look = partial(vendors.subscription, subject=subject, part=part, where=where)
        yield of_part("subscription", look=look)


def _addresses(part: Part) -> tuple[str, ...]:
    """Return the facts that are a vendor's addresses; a gate's own webhookUrl is not."""
    return ("webhookUrl",) if part.is_a("ChatStreamBridge") else ("telephonyApiUrl", "providerApiUrl")


def _secrets(where: Region, subject: Subject, part: Part) -> Iterator[Check]:
    found: Mapping[str, Mapping[str, object]] = part.bridge.facts.get("secrets") or {}
    for name, fact in found.items():
        yield Check(
            "secret",
            part.path,
            partial(
                secrets.secret,
                subject=subject,
                where=where,
                name=name,
                fact=fact,
            ),
            [subject],
        )
