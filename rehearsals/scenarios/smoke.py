"""`connect-bridges smoke` on the deployed environment `dev`: what it tries holds, and a wrong permission is found."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rehearsals.scenarios.biometrics_path import RESUME, stack_of
from rehearsals.scenarios.chat_path import CHAT_STACK
from rehearsals.scenarios.chats import dead_letters
from rehearsals.scenarios.deployment import CENTER_STACK, OWN_APP_STACK, VOICE_STACK
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import TABLE_TYPE, Rehearsal

STACKS = (VOICE_STACK, CHAT_STACK, stack_of(RESUME), OWN_APP_STACK, CENTER_STACK)


@scenario("smoke/passes", alone=True, part="voice")
def passes(rehearsal: Rehearsal) -> None:
    """Try every construct of five deployed stacks without a call; nothing is left behind."""
    _deployed(rehearsal)
    before = _items(rehearsal)
    status, printed = rehearsal.command("smoke", *_stacks(*STACKS), "--vendor-check")
    expect(status, 0, f"the exit status of\n{printed}\n, the status")
    for name in (
        *("metadata-round-trip", "metadata-wrong-token", "metadata-removed", "connector-logging"),
        *("flow-published", "module-published", "functions-associated", "connector-associated"),
        *("chat-start-permission", "chat-webhook-connection", "chat-subscription", "chat-key-policy"),
        *("gate-unknown-caller", "gate-webhook-wrong-signature", "gate-nothing-proved", "gate-erase"),
        *("instance-active", "storage-associated", "streams-active", "numbers-answered", "queues-enabled"),
    ):
        expect_that(f"    ok       {name} " in printed, f"{name} should be ok in\n{printed}")
    expect_that("proved     streaming-contact-arn" in printed, f"evidence should be proved in\n{printed}")
    expect(_items(rehearsal), before, "the items of all tables afterwards")
    for secret in (rehearsal.deployment.voice.token, rehearsal.deployment.chat.token):
        expect_that(secret not in printed, "smoke prints a secret")
    told = json.loads(rehearsal.command("smoke", *_stacks(VOICE_STACK), "--json")[1])
    expect((told["format"], told["outcome"]), (1, "ok"), "the form and the outcome that --json tells")


@scenario("smoke/finds-wrong-permission", alone=True, part="voice")
def finds_wrong_permission(rehearsal: Rehearsal) -> None:
    """Take a permission away from a deployed role: smoke fails, and names check, function and action."""
    _deployed(rehearsal)
    for stack, role, action, check, function in (
        (CHAT_STACK, "Chat", "connect:StartContactStreaming", "chat-start-permission", "Chat"),
        (VOICE_STACK, "MetadataStore", "dynamodb:PutItem", "metadata-round-trip", "MetadataStore"),
        (
            VOICE_STACK,
            "MetadataAuthorize",
            "secretsmanager:GetSecretValue",
            "metadata-wrong-token",
            "Authorize",
        ),
        (stack_of(RESUME), "BiometricsGate", "dynamodb:PutItem", "gate-unknown-caller", "BiometricsGate"),
    ):
        with _without(rehearsal, stack, role, action):
            status, printed = rehearsal.command("smoke", *_stacks(stack), "--json")
        expect(status, 1, f"the exit status without {action}; it printed\n{printed}\n, the status")
        failed = [found for found in _checks(json.loads(printed)) if found["outcome"] == "failed"]
        expect_that(check in [found["name"] for found in failed], f"{check} should fail; these do: {failed}")
        [why] = [found["why"] + found["todo"] for found in failed if found["name"] == check]
        expect_that(action in why, f"{check} should name {action}; it says {why!r}")
        expect_that(function in why, f"{check} should name the function {function}…; it says {why!r}")
        rehearsal.note(f"without {action} {check} fails: {why}")
    status, printed = rehearsal.command("smoke", *_stacks(*STACKS))
    expect(status, 0, f"the exit status with all permissions again; it printed\n{printed}\n, the status")


def _deployed(rehearsal: Rehearsal) -> None:
    """Have all five stacks deployed, and the dead letters of earlier scenarios taken out."""
    deployment = rehearsal.deployment
    _ = deployment.voice, deployment.biometrics, deployment.own_app, deployment.contact_center
    dead_letters(rehearsal.sandbox, deployment.chat)


def _stacks(*names: str) -> list[str]:
    return [part for name in names for part in ("--stack", name)]


def _checks(told: dict[str, Any]) -> list[dict[str, str]]:
    return [
        check
        for stack in told["stacks"]
        for construct in stack["constructs"]
        for check in construct["checks"]
    ]


def _items(rehearsal: Rehearsal) -> list[str]:
    """Return all items of all tables of the stacks, as texts in order."""
    client = rehearsal.sandbox.boto3_client("dynamodb")
    tables = [table for stack in STACKS for table in rehearsal.deployment.physical_ids(stack, TABLE_TYPE)]
    items = [item for table in tables for item in client.scan(TableName=table)["Items"]]
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@contextmanager
def _without(rehearsal: Rehearsal, stack: str, role: str, action: str) -> Iterator[None]:
    """Take an action away from the one role of a stack whose name holds `role`, for the context.

    Functions are started anew before and after (with other memory), so that none works with what it read before. The
    refusals that follow are taken out of the audit log: tests look there for those that nobody meant.
    """
    iam, functions = rehearsal.sandbox.boto3_client("iam"), rehearsal.sandbox.boto3_client("lambda")
    [name] = [
        found
        for found in rehearsal.deployment.physical_ids(stack, "AWS::IAM::Role")
        if f"-{role}" in found and _grants(iam, found, action)
    ]
    policies = {
        each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    memory = {
        function["FunctionName"]: function["MemorySize"]
        for function in functions.list_functions()["Functions"]
        if function["Role"].endswith(f"/{name}")
    }

    def restart(more: int) -> None:
        for function, size in memory.items():
            functions.update_function_configuration(FunctionName=function, MemorySize=size + more)

    before = set(map(id, rehearsal.sandbox.audit.calls(allowed=False)))
    try:
        for each, document in policies.items():
            _put(iam, name, each, _less(document, action))
        restart(more=1)
        yield
    finally:
        for each, document in policies.items():
            _put(iam, name, each, document)
        restart(more=0)
        provoked = [
            entry
            for entry in rehearsal.sandbox.audit.calls(role=name, allowed=False)
            if id(entry) not in before
        ]
        rehearsal.sandbox.audit.forget(provoked)


def _grants(iam: Any, role: str, action: str) -> bool:  # noqa: ANN401  (a boto3 client)
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return any(
        action in json.dumps(iam.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"])
        for each in names
    )


def _put(iam: Any, role: str, name: str, document: dict[str, Any]) -> None:  # noqa: ANN401
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _less(document: dict[str, Any], action: str) -> dict[str, Any]:
    """Return a policy without an action; a statement without actions goes as a whole."""
    statements = []
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        left = [each for each in actions if each != action]
        if left:
            statements.append({**statement, "Action": left})
    kept = statements or [{"Effect": "Deny", "Action": action, "Resource": "*"}]
    return {**document, "Statement": kept}
