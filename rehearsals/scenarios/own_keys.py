"""An app of one's own whose data lies behind two keys of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connect_sandbox.rehearsal.conditions import Says

from rehearsals.scenarios.biometrics import AGREES, ALICE, ENROLLED, PASSED, SPEAKS, VERIFIED
from rehearsals.scenarios.biometrics_path import BiometricsPath
from rehearsals.scenarios.deployment import OWN_KEYS_STACK, VoicePath
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Call, Rehearsal, same_json
from rehearsals.scenarios.voice import (
    ASKS,
    ATTRIBUTE,
    GOES_BACK,
    METADATA,
    METADATA_MISSING,
    WELCOME,
)
from rehearsals.vendors.voice.script import HangUp, PostMetadata


@scenario("deploy/own-keys", part="own_keys")
def own_keys(rehearsal: Rehearsal) -> None:
    """Keep own tables and own secrets behind two keys: refused without a grant, and all works with the app's own."""
    path, gate = rehearsal.deployment.own_keys
    with _without_keys(rehearsal):
        call = _call(rehearsal, path)
        call.contact.hears(WELCOME, METADATA_MISSING).lacks_attributes(ATTRIBUTE).ends(queued="Support")
        expect([posted.status for posted in call.posted], [503], "the API's answer to the vendor")
        _expect_refused(rehearsal)

    call = _call(rehearsal, path)
    call.contact.hears(WELCOME).does_not_hear(METADATA_MISSING).ends(queued="Support")
    expect([posted.status for posted in call.posted], [200], "the API's answer to the vendor")
    expect_that(
        same_json(call.contact.attributes.get(ATTRIBUTE), METADATA),
        f"{ATTRIBUTE} should be what the vendor sent; it is {call.contact.attributes.get(ATTRIBUTE)!r}",
    )
    rehearsal.note("with the app's own grants the vendor's metadata goes through table and flow")
    _enrol_and_verify(rehearsal, gate)


def _call(rehearsal: Rehearsal, path: VoicePath) -> Call:
    return rehearsal.call(
        path,
        ASKS,
        PostMetadata(METADATA, retries=0),
        GOES_BACK,
        HangUp(),
        moves=[Says("I want my money back")],
    )


def _enrol_and_verify(rehearsal: Rehearsal, gate: BiometricsPath) -> None:
    """Enrol and be recognised: the webhook reads three secrets and writes the table, the flow reads it."""
    call = rehearsal.gate_call(gate, "+12065550191", ALICE, moves=[AGREES, SPEAKS, SPEAKS, SPEAKS, SPEAKS])
    call.contact.hears(ENROLLED, PASSED, VERIFIED).has_attributes(biometricResult="verified")
    call.contact.ends(queued="Support")
    expect({webhook.status for webhook in call.webhooks}, {200}, "the answers to Twilio's webhooks")


def _expect_refused(rehearsal: Rehearsal) -> None:
    refused = rehearsal.sandbox.audit.calls(allowed=False)
    keys = {entry.resource for entry in refused if entry.action == "kms:Decrypt" and _is_ours(entry.role)}
    ours = {
        f"arn:aws:kms:{rehearsal.sandbox.region}:{rehearsal.sandbox.account}:key/{key}"
        for key in rehearsal.deployment.physical_ids(OWN_KEYS_STACK, "AWS::KMS::Key")
    }
    expect(keys, ours, "the keys whose use was refused")
    rehearsal.note(
        "without the grants on the keys, the vendor is answered 503 and the flow goes on without metadata"
    )


def _is_ours(role: str | None) -> bool:
    return (role or "").startswith(OWN_KEYS_STACK)


@contextmanager
def _without_keys(rehearsal: Rehearsal) -> Iterator[None]:
    """Take the statements on keys out of the roles' policies for a while, as an app without those grants has it."""
    iam = rehearsal.sandbox.boto3_client("iam")
    before: list[dict[str, Any]] = []
    for role in rehearsal.deployment.physical_ids(OWN_KEYS_STACK, "AWS::IAM::Role"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            named = {"RoleName": role, "PolicyName": name}
            before.append({**named, "PolicyDocument": json.dumps(document)})
            left = [one for one in document["Statement"] if "kms:" not in json.dumps(one["Action"])]
            iam.put_role_policy(**named, PolicyDocument=json.dumps({**document, "Statement": left}))
    try:
        yield
    finally:
        for policy in before:
            iam.put_role_policy(**policy)
