"""Voice biometrics: callers prove who they are at a telephony number, and nobody else does.

The calls of VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-call-1), and those that it does not consider.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connect_sandbox.cloud.schedules import run_rule
from connect_sandbox.rehearsal.conditions import HangsUp, Move, Presses, Says
from connect_sandbox.rehearsal.values import Json

from rehearsals.scenarios.biometrics_calls import GateCall, nobody_knows, stored_caller
from rehearsals.scenarios.biometrics_path import (
    CONNECT_NUMBER,
    PROOF_SECONDS,
    PROVIDER_SECONDS,
    BiometricsPath,
)
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal
from rehearsals.vendors.biometrics import LOST, DirectCall, Webhook
from rehearsals.vendors.biometrics.twilio import WEBHOOK_LIMIT, sign

PHRASE = "never forget tomorrow is a new day"
PHRASES = ("one fine day we shall meet again", PHRASE, "the river runs slowly to the sea")
AGREES, REFUSES = Presses("1"), Presses("2")
SPEAKS = Says(PHRASE)
MUMBLES = Says("is this thing on")

ANNOUNCED = "We are connecting you to check your voice."
CONSENT = "We can recognise you by your voice from now on."
ENROLLED = "Thank you. We will recognise your voice from now on."
PASSED = "Thank you. We have recognised your voice."
AGAIN = "We could not use that recording."
VERIFIED = "We have recognised you. One moment please."
FAILED = "We could not recognise your voice. We are connecting you with an agent."
LOCKED = "The voice check is locked for this number"
UNAVAILABLE = "We cannot check your voice at the moment. We are connecting you with an agent."
TOO_LATE = "Your voice check is too long ago."
NOT_DIRECTLY = "This number cannot be called directly. Goodbye."
TRANSFER = "Transfer to the voice check"

AFTER_THE_MODULE, AFTER = "After the module", "The check is over."

ALICE, MALLORY = "Alice", "Mallory"


@scenario("biometrics/enrol-then-verify", demo=True)
def enrol_then_verify(rehearsal: Rehearsal) -> None:
    """Call for the first time: agree, say the phrase three times, then be recognised in the same call."""
    path, number = rehearsal.deployment.biometrics, "+12065550101"
    nobody_knows(rehearsal.sandbox, path, number)
    asked = len(path.vendors.voiceit.requests)
    call = rehearsal.gate_call(path, number, ALICE, moves=[AGREES, SPEAKS, SPEAKS, SPEAKS, SPEAKS])
    contact = call.contact
    contact.hears("Welcome.", CONSENT, "Recording 1 of 3.", "Recording 3 of 3.", ENROLLED, ANNOUNCED)
    contact.hears(PASSED, VERIFIED).does_not_hear(FAILED, UNAVAILABLE).ends(queued="Support")
    expect(call.branches, ["enrollfromscratch", "verify", "verified"], "what the gate answered")
    contact.has_attributes(
        biometricResult="verified", biometricConfidence="91.50", biometricProvider="voiceit"
    )
    expect_that(contact.attributes["biometricTime"].endswith("Z"), "biometricTime should be in UTC")
    expect(
        [(one.path, one.code) for one in path.vendors.voiceit.requests[asked:]],
        [("/users", "SUCC"), *[("/enrollments/voice", "SUCC")] * 3, ("/verification/voice", "SUCC")],
        "what VoiceIt was asked",
    )
    expect({webhook.status for webhook in call.webhooks}, {200}, "the answers to Twilio's webhooks")
    item = _item(rehearsal, path, number)
    expect(
        (item["enrolments"], "session" in item, "outcome" in item), ("3", False, False), "the table's item"
    )
    expect(path.vendors.twilio.recordings, [], "the recordings that Twilio still keeps")
    logged = rehearsal.logged(path)
    expect_that("message answered" in logged, "the webhook should have logged something")
    for secret in (number, path.vendors.twilio.auth_token, path.vendors.voiceit.api_token):
        expect_that(secret not in logged, "a telephone number or a credential appears in a log")
    rehearsal.note("no telephone number and no credential appears in a log; Twilio keeps no recording")


@scenario("biometrics/partial-enrolment-fails-once-then-verifies")
def partial_enrolment(rehearsal: Rehearsal) -> None:
    """Hang up after one recording; begin again in the next call, be misunderstood once, then be recognised."""
    path, number = rehearsal.deployment.biometrics, "+12065550102"
    nobody_knows(rehearsal.sandbox, path, number)
    first = rehearsal.gate_call(path, number, ALICE, moves=[AGREES, SPEAKS, HangsUp("Recording 2 of 3.")])
    first.contact.hears("Recording 1 of 3.").ends("caller hung up").lacks_attributes("biometricResult")
    item = _item(rehearsal, path, number)
    expect((item["enrolments"], "session" in item), ("0", False), "the table's item after the first call")

    moves: list[Move] = [AGREES, MUMBLES, SPEAKS, SPEAKS, SPEAKS, MUMBLES, SPEAKS]
    second = rehearsal.gate_call(path, number, ALICE, moves=moves)
    second.contact.hears(
        "was not finished the last time", CONSENT, "Recording 1 of 3.", AGAIN, "Recording 2 of 3."
    )
    second.contact.hears("Recording 3 of 3.", ENROLLED, ANNOUNCED, AGAIN, PASSED, VERIFIED).does_not_hear(
        FAILED
    )
    second.contact.has_attributes(biometricResult="verified").ends(queued="Support")
    expect(second.branches, ["enroll", "verify", "verified"], "what the gate answered")


@scenario("biometrics/known-caller-verifies")
def known_caller(rehearsal: Rehearsal) -> None:
    """Call again: one phrase, and nothing to set up."""
    path, number = rehearsal.deployment.biometrics, "+12065550103"
    _enrol(rehearsal, path, number)
    asked = len(path.vendors.voiceit.requests)
    call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    call.contact.hears(ANNOUNCED, PASSED, VERIFIED).does_not_hear(CONSENT, AGAIN)
    call.contact.has_attributes(biometricResult="verified").ends(queued="Support")
    expect(call.branches, ["verify", "verified"], "what the gate answered")
    expect([one.code for one in path.vendors.voiceit.requests[asked:]], ["SUCC"], "what VoiceIt answered")


@scenario("biometrics/spoofer-after-dropped-call", demo=True)
def spoofer(rehearsal: Rehearsal) -> None:
    """Pass the check and drop the call; somebody who then shows the same number has to prove himself, and fails."""
    path, number = rehearsal.deployment.biometrics, "+12065550104"
    _enrol(rehearsal, path, number)
    victim = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS, HangsUp(PASSED)])
    victim.contact.hears(PASSED).ends("caller hung up").lacks_attributes("biometricResult")
    expect_that("outcome" in _item(rehearsal, path, number), "the proof should still be unused")

    attacker = rehearsal.gate_call(path, number, MALLORY, moves=[SPEAKS, SPEAKS, SPEAKS])
    attacker.contact.hears(ANNOUNCED, FAILED).does_not_hear(PASSED, VERIFIED)
    attacker.contact.has_attributes(biometricResult="failed").ends(queued="Support")
    expect(attacker.branches, ["verify", "failedverified"], "what the gate answered the spoofer")


@scenario("biometrics/forged-webhook", demo=True)
def forged_webhook(rehearsal: Rehearsal) -> None:
    """Post what Twilio did not sign, while a call waits: 403, nothing changes, and the caller is not disturbed."""
    path, number = rehearsal.deployment.biometrics, "+12065550105"
    twilio = path.vendors.twilio
    _enrol(rehearsal, path, number)
    refused: list[Webhook] = []
    before: list[Json] = []

    def forge() -> None:
        before.append(_item(rehearsal, path, number))
        claimed = twilio.posted[-1]
        url = f"{path.number.webhook_url}/verify/1"
        sid, address, _ = twilio.record(ALICE, PHRASE)
        form = {**claimed.form, "RecordingSid": sid, "RecordingUrl": address}
        own_account = {**form, "AccountSid": "AC" + "0" * 32}
        for of, signature in (
            (form, None),
            (form, sign(url, form, "0" * 32)),
            (form, claimed.signature),
            (form, sign(path.number.status_url, form, twilio.auth_token)),
            (own_account, sign(url, own_account, "0" * 32)),
        ):
            refused.append(twilio.send(path.number, url, of, signature))
        before.append(_item(rehearsal, path, number))

    call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS], meanwhile={"verify/1": forge})
    expect([webhook.status for webhook in refused], [403] * 5, "the answers to forged webhooks")
    for webhook in refused:
        expect_that("<Hangup" in webhook.answer, f"the answer should be TwiML; it is {webhook.answer!r}")
    expect(before[1], before[0], "the table's item after the forged webhooks")
    call.contact.hears(PASSED, VERIFIED).has_attributes(biometricResult="verified").ends(queued="Support")
    rehearsal.note("five forged webhooks were answered 403 and changed nothing")
    _delete(path)


@scenario("biometrics/replayed-webhook")
def replayed_webhook(rehearsal: Rehearsal) -> None:
    """Post Twilio's own webhooks again, signature and all: nothing changes, and nobody else is verified by it."""
    path, number = rehearsal.deployment.biometrics, "+12065550106"
    twilio, voiceit = path.vendors.twilio, path.vendors.voiceit
    _enrol(rehearsal, path, number)
    call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    call.contact.has_attributes(biometricResult="verified")
    before, asked = _item(rehearsal, path, number), len(voiceit.requests)
    repeated = [twilio.replay(path.number, webhook) for webhook in call.webhooks]
    expect(
        {webhook.step: webhook.status for webhook in repeated},
        {"": 200, "code/0": 200, "verify/1": 409, "status/0": 200},
        "the answers to repeated webhooks",
    )
    for webhook in repeated:
        expect_that("<Hangup" in webhook.answer, f"the answer should hang up; it is {webhook.answer!r}")
    expect(_item(rehearsal, path, number), before, "the table's item after the repeated webhooks")
    expect(len(voiceit.requests), asked, "the number of requests at VoiceIt")

    def replay() -> None:
        answers = [twilio.replay(path.number, webhook).status for webhook in call.webhooks]
        expect(answers[2:], [409, 200], "the answers to the old call's webhooks during another call")

    attacker = rehearsal.gate_call(
        path, number, MALLORY, moves=[SPEAKS, SPEAKS, SPEAKS], meanwhile={"verify/1": replay}
    )
    attacker.contact.hears(FAILED).has_attributes(biometricResult="failed")
    expect(attacker.branches, ["verify", "failedverified"], "what the gate answered the attacker")


@scenario("biometrics/two-calls-same-number")
def two_calls(rehearsal: Rehearsal) -> None:
    """Call twice at once with one number: the second is not checked, and the first is not disturbed."""
    path, number = rehearsal.deployment.biometrics, "+12065550107"
    _enrol(rehearsal, path, number)
    second: list[GateCall] = []
    direct: list[DirectCall] = []

    def guess_the_code() -> None:
        intruder = DirectCall(path.vendors.twilio, path.number, number=number, voice=ALICE, keys="12345678")
        direct.append(intruder.calls([PHRASE]))

    def call_too() -> None:
        second.append(rehearsal.gate_call(path, number, MALLORY, moves=[SPEAKS]))

    first = rehearsal.gate_call(
        path, number, ALICE, moves=[SPEAKS], meanwhile={"code/0": guess_the_code, "verify/1": call_too}
    )
    expect(direct[0].heard, [NOT_DIRECTLY], "what somebody heard who called Twilio with a guessed code")
    contact = second[0].contact
    contact.hears(UNAVAILABLE).does_not_reach(TRANSFER).ends(queued="Support")
    contact.has_attributes(biometricResult="unavailable", biometricConfidence="none")
    expect(second[0].branches, ["unavailable"], "what the gate answered the second call")
    first.contact.hears(PASSED, VERIFIED).has_attributes(biometricResult="verified").ends(queued="Support")


@scenario("biometrics/locked-after-three-failures")
def locked(rehearsal: Rehearsal) -> None:
    """Fail three times in another voice: the number is locked, for its owner too, and VoiceIt is not asked again."""
    path, number = rehearsal.deployment.biometrics, "+12065550108"
    _enrol(rehearsal, path, number)
    attacker = rehearsal.gate_call(path, number, MALLORY, moves=[SPEAKS, SPEAKS, SPEAKS])
    attacker.contact.hears(AGAIN, AGAIN, "We could not recognise your voice. Goodbye.", FAILED)
    attacker.contact.has_attributes(biometricResult="failed").ends(queued="Support")
    locked_for = int(_item(rehearsal, path, number)["lockedUntil"]) - time.time()
    expect_that(
        850 < locked_for <= 900, f"the number should be locked for 15 minutes; it is for {locked_for:.0f} s"
    )

    asked = len(path.vendors.voiceit.requests)
    owner = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    owner.contact.hears(LOCKED).does_not_reach(TRANSFER).has_attributes(biometricResult="locked")
    owner.contact.ends(queued="Support")
    expect(owner.branches, ["locked"], "what the gate answered the owner")
    expect(len(path.vendors.voiceit.requests), asked, "the number of requests at VoiceIt")


@scenario("biometrics/provider-down", demo=True)
def provider_down(rehearsal: Rehearsal) -> None:
    """Let VoiceIt fail: the caller hears so, no failure is counted, and the next call works again."""
    path, number = rehearsal.deployment.biometrics, "+12065550109"
    _enrol(rehearsal, path, number)
    for status in (None, 503):
        with path.vendors.voiceit.is_down(status=status):
            call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
        call.contact.hears(ANNOUNCED, "We cannot check your voice at the moment. Goodbye.", UNAVAILABLE)
        call.contact.has_attributes(biometricResult="unavailable").ends(queued="Support")
        expect(call.branches, ["verify", "unavailable"], "what the gate answered")
        expect(_item(rehearsal, path, number)["failures"], "0", "the failures that count for the lock")
    expect(path.vendors.twilio.recordings, [], "the recordings that Twilio still keeps")
    again = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    again.contact.hears(PASSED, VERIFIED).has_attributes(biometricResult="verified")


@scenario("biometrics/provider-slow")
def provider_slow(rehearsal: Rehearsal) -> None:
    """Let VoiceIt be slow: a second does no harm; after its limit the caller hears so and goes to an agent."""
    path, number = rehearsal.deployment.biometrics, "+12065550110"
    _enrol(rehearsal, path, number)
    with path.vendors.voiceit.is_slow(1.0):
        call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    call.contact.hears(PASSED, VERIFIED).has_attributes(biometricResult="verified")
    started = time.monotonic()
    with path.vendors.voiceit.is_slow(PROVIDER_SECONDS + 2.0):
        call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    took = time.monotonic() - started
    call.contact.hears("We cannot check your voice at the moment. Goodbye.", UNAVAILABLE)
    call.contact.has_attributes(biometricResult="unavailable").ends(queued="Support")
    expect_that(
        PROVIDER_SECONDS <= took < WEBHOOK_LIMIT,
        f"Twilio should be answered after {PROVIDER_SECONDS} s and within {WEBHOOK_LIMIT:g} s; it took {took:.1f} s",
    )


@scenario("biometrics/consent-refused")
def consent_refused(rehearsal: Rehearsal) -> None:
    """Refuse to be recognised by voice: nothing reaches VoiceIt, and nobody asks again."""
    path, number = rehearsal.deployment.biometrics, "+12065550111"
    nobody_knows(rehearsal.sandbox, path, number)
    asked = len(path.vendors.voiceit.requests)
    call = rehearsal.gate_call(path, number, ALICE, moves=[REFUSES])
    call.contact.hears(CONSENT, "We will not use your voice. Goodbye.", UNAVAILABLE)
    call.contact.has_attributes(biometricResult="consentRefused").ends(queued="Support")
    again = rehearsal.gate_call(path, number, ALICE)
    again.contact.does_not_hear(CONSENT).does_not_reach(TRANSFER)
    again.contact.has_attributes(biometricResult="consentRefused").ends(queued="Support")
    expect(_item(rehearsal, path, number)["consent"], "refused", "the consent in the table")
    expect(len(path.vendors.voiceit.requests), asked, "the number of requests at VoiceIt")


@scenario("biometrics/redial-within-window", part="redial")
def redial_within_window(rehearsal: Rehearsal) -> None:
    """Have Twilio dial back (REDIAL): the proof is found within its window, and used once."""
    path, number = rehearsal.deployment.redial, "+12065550112"
    nobody_knows(rehearsal.sandbox, path, number)
    calls = _redialled(
        rehearsal, path, number, [[AGREES, SPEAKS, SPEAKS, SPEAKS], [SPEAKS], []], pauses=[0, 0]
    )
    expect(
        [call.branches for call in calls],
        [["enrollfromscratch"], ["verify"], ["verified"]],
        "what the gate answered the three contacts",
    )
    calls[0].contact.hears(ENROLLED).ends("transferred").lacks_attributes("biometricResult")
    calls[1].contact.does_not_hear(PASSED).ends("transferred").lacks_attributes("biometricResult")
    calls[2].contact.hears(VERIFIED).has_attributes(biometricResult="verified").ends(queued="Support")
    expect_that("outcome" not in _item(rehearsal, path, number), "the proof should be used up")


@scenario("biometrics/redial-too-late", part="redial")
def redial_too_late(rehearsal: Rehearsal) -> None:
    """Let the call back come too late: the proof has expired, and the voice is checked again."""
    path, number = rehearsal.deployment.redial, "+12065550113"
    nobody_knows(rehearsal.sandbox, path, number)
    moves: list[list[Move]] = [[AGREES, SPEAKS, SPEAKS, SPEAKS], [SPEAKS], [SPEAKS], []]
    calls = _redialled(rehearsal, path, number, moves, pauses=[0, PROOF_SECONDS + 0.1, 0])
    expect(
        [call.branches for call in calls],
        [["enrollfromscratch"], ["verify"], ["failedverified"], ["verified"]],
        "what the gate answered the four contacts",
    )
    calls[2].contact.hears(TOO_LATE).does_not_hear(VERIFIED).lacks_attributes("biometricResult")
    calls[3].contact.hears(VERIFIED).has_attributes(biometricResult="verified").ends(queued="Support")


@scenario("biometrics/erase-caller")
def erase_caller(rehearsal: Rehearsal) -> None:
    """Forget a caller on request: table, voice print and recordings; the next call begins from scratch."""
    path, number = rehearsal.deployment.biometrics, "+12065550114"
    twilio, voiceit = path.vendors.twilio, path.vendors.voiceit
    _enrol(rehearsal, path, number)
    with twilio.cannot_delete():
        rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    expect(len(twilio.recordings), 1, "the number of recordings that Twilio could not delete")
    user = _item(rehearsal, path, number)["userId"]

    with voiceit.is_down(status=503):
        failed, _ = _erase(rehearsal, path, number)
    expect_that(failed, "the erasure should fail while VoiceIt is down")
    meanwhile = rehearsal.gate_call(path, number, ALICE)
    expect(meanwhile.branches, ["unavailable"], "what the gate answers while a caller is being erased")

    said = rehearsal.command("caller", "erase", "--stack", path.stack, "-", told=number)
    expect(said, (0, "erased\n"), "the erase command's status and answer")
    expect(stored_caller(rehearsal.sandbox, path, number), {}, "the table's item")
    expect_that(user not in voiceit.users, "VoiceIt should have forgotten the user")
    expect(twilio.recordings, [], "the recordings that Twilio still keeps")
    expect(_erase(rehearsal, path, number), (False, {"erased": False}), "the answer to a second erasure")
    rehearsal.note("table, VoiceIt and Twilio have nothing of the caller any more")
    again = rehearsal.gate_call(path, number, ALICE, moves=[HangsUp(CONSENT)])
    expect(again.branches, ["enrollfromscratch"], "what the gate answers a caller who was erased")


@scenario("biometrics/recording-left-at-vendor")
def recording_left(rehearsal: Rehearsal) -> None:
    """Lose the webhook of a recording, of which only Twilio knows then: the sweep finds it, and erasing does."""
    path, number = rehearsal.deployment.biometrics, "+12065550121"
    twilio = path.vendors.twilio
    _enrol(rehearsal, path, number)
    others = set(twilio.recordings)

    def left() -> list[str]:
        return [sid for sid in twilio.recordings if sid not in others]

    def call_in_vain() -> None:
        call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS], meanwhile={"verify/1": lambda: LOST})
        call.contact.hears(ANNOUNCED, "application error", UNAVAILABLE)
        call.contact.has_attributes(biometricResult="unavailable").ends(queued="Support")
        item = _item(rehearsal, path, number)
        expect((len(left()), item["recordings"]), (1, []), "what Twilio has, and what the table knows")

    call_in_vain()
    twilio.let_pass(3_600)
    rule = rehearsal.deployment.physical_id(path.stack, "AWS::Events::Rule")
    [swept] = run_rule(rehearsal.sandbox, rule)
    expect_that(not swept.function_error, f"the sweep should succeed; it answered {swept.json()}")
    expect(left(), [], "the recordings that Twilio keeps after the sweep")
    rehearsal.note("the daily sweep deleted a recording that no webhook told of")

    call_in_vain()
    said = rehearsal.command("caller", "erase", "--stack", path.stack, "-", told=number)
    expect(said, (0, "erased\n"), "the erase command's status and answer")
    expect(left(), [], "the recordings that Twilio keeps after the caller was erased")
    expect(stored_caller(rehearsal.sandbox, path, number), {}, "the table's item")


@scenario("biometrics/half-enrolment-discarded")
def half_enrolment(rehearsal: Rehearsal) -> None:
    """Begin to enrol with somebody else's number, and hang up: the owner is asked, and begins a print of his own."""
    path, number = rehearsal.deployment.biometrics, "+12065550122"
    voiceit = path.vendors.voiceit
    nobody_knows(rehearsal.sandbox, path, number)
    before = set(voiceit.users)
    attacker = rehearsal.gate_call(
        path, number, MALLORY, moves=[AGREES, SPEAKS, SPEAKS, HangsUp("Recording 3 of 3.")]
    )
    attacker.contact.hears("Recording 1 of 3.", "Recording 2 of 3.").ends("caller hung up")
    expect(set(voiceit.users), before, "the users at VoiceIt after the attacker hung up")

    owner = rehearsal.gate_call(path, number, ALICE, moves=[AGREES, SPEAKS, SPEAKS, SPEAKS, SPEAKS])
    owner.contact.hears(CONSENT, "Recording 1 of 3.", ENROLLED, PASSED, VERIFIED)
    owner.contact.has_attributes(biometricResult="verified").ends(queued="Support")
    [user] = set(voiceit.users) - before
    expect(set(voiceit.users[user].speakers), {ALICE}, "whose voices are in the owner's voice print")
    again = rehearsal.gate_call(path, number, MALLORY, moves=[SPEAKS] * 3)
    again.contact.hears(FAILED).has_attributes(biometricResult="failed")


@scenario("biometrics/stale-result-impossible")
def stale_result(rehearsal: Rehearsal) -> None:
    """Come to the module with a former result and attributes that are full: it is never taken for this check's."""
    path, number = rehearsal.deployment.biometrics, "+12065550123"
    _enrol(rehearsal, path, number)
    flow = _flow_around_the_module(rehearsal, path)
    former = {"biometricResult": "verified"}
    attacker = rehearsal.gate_call(
        path, number, MALLORY, moves=[SPEAKS] * 3, flow_arn=flow, attributes=former
    )
    attacker.contact.has_attributes(biometricResult="failed")

    full = {**former, "filler": "x" * 32_700}
    kept = rehearsal.gate_call(path, number, MALLORY, flow_arn=flow, attributes=full)
    kept.contact.hears("We cannot go on with your call at the moment.").does_not_reach(AFTER_THE_MODULE)
    expect(kept.branches, [], "what the gate was asked")

    harmless = {"biometricResult": "failed", "filler": "x" * 32_700}
    goes_on = rehearsal.gate_call(path, number, MALLORY, flow_arn=flow, attributes=harmless)
    goes_on.contact.hears(AFTER).has_attributes(biometricResult="failed")


@scenario("biometrics/outage-locks-nobody")
def outage(rehearsal: Rehearsal) -> None:
    """Let the table refuse the judgement of a voice that matches, four times: no failed try is counted."""
    path, number = rehearsal.deployment.biometrics, "+12065550124"
    voiceit, iam = path.vendors.voiceit, rehearsal.sandbox.boto3_client("iam")
    _enrol(rehearsal, path, number)
    roles = rehearsal.deployment.physical_ids(path.stack, "AWS::IAM::Role")
    [role] = [one for one in roles if "Webhook" in one]
    denial = {"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})

    def refuse() -> None:
        iam.put_role_policy(RoleName=role, PolicyName="outage", PolicyDocument=document)

    def recover() -> None:
        iam.delete_role_policy(RoleName=role, PolicyName="outage")

    for _ in range(4):
        voiceit.before_verifying = refuse
        try:
            call = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS], meanwhile={"status/0": recover})
        finally:
            voiceit.before_verifying = lambda: None
        call.contact.hears("We cannot check your voice at the moment. Goodbye.", UNAVAILABLE)
        call.contact.has_attributes(biometricResult="unavailable").ends(queued="Support")
        item = _item(rehearsal, path, number)
        expect((item["failures"], item["lockedUntil"]), ("0", "0"), "failed tries, and the lock")
    rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS]).contact.hears(PASSED, VERIFIED)


@scenario("biometrics/slow-guessing-is-stopped")
def slow_guessing(rehearsal: Rehearsal) -> None:
    """Try voices slowly, one lock after the other: after ten within a day it is over, until somebody unlocks."""
    path, number = rehearsal.deployment.biometrics, "+12065550125"
    _enrol(rehearsal, path, number)
    tried = []
    for _ in range(6):
        call = rehearsal.gate_call(path, number, MALLORY, moves=[SPEAKS] * 3)
        tried += [webhook.step for webhook in call.webhooks if webhook.step.startswith("verify/")]
        _let_pass(rehearsal, path, number, 1_000)
    expect(len(tried), 10, "how many voices were tried within less than two hours")
    owner = rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS])
    owner.contact.hears(LOCKED).has_attributes(biometricResult="locked").ends(queued="Support")

    function = rehearsal.sandbox.stack_outputs(path.stack)["BiometricsUnlockFunctionName"]
    answer = rehearsal.sandbox.boto3_client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"phoneNumber": number})
    )
    expect(json.loads(answer["Payload"].read()), {"unlocked": "true"}, "the answer of Unlock")
    rehearsal.gate_call(path, number, ALICE, moves=[SPEAKS]).contact.hears(PASSED, VERIFIED)


@scenario("biometrics/challenge-phrase")
def challenge_phrase(rehearsal: Rehearsal) -> None:
    """Have one of three phrases asked for at random: a recording of another is no match, and calling again no help."""
    path, number = rehearsal.deployment.biometrics, "+12065550126"
    voiceit = path.vendors.voiceit
    _enrol(rehearsal, path, number)
    former = _item(rehearsal, path, number)["userId"]
    with _several_phrases(rehearsal, path):
        hangs_up = HangsUp("After the tone, please say")
        says = [Says(phrase) for _ in range(3) for phrase in PHRASES]
        anew = rehearsal.gate_call(path, number, ALICE, moves=[AGREES, *says, hangs_up])
        anew.contact.hears("we record you 9 times", "Recording 1 of 9.", "Recording 9 of 9.", ENROLLED)
        expect_that(
            former not in voiceit.users, "VoiceIt should have forgotten the voice print of one phrase"
        )

        drawn = _item(rehearsal, path, number)["asked"]
        rehearsal.gate_call(path, number, ALICE, moves=[hangs_up])
        [taped, *_] = [phrase for phrase in PHRASES if phrase != drawn]
        for _ in range(2):
            asked = len(voiceit.requests)
            replayed = rehearsal.gate_call(path, number, ALICE, moves=[Says(taped)] * 3)
            replayed.contact.hears(f"please say: {drawn}", AGAIN, FAILED).does_not_hear(taped, PASSED)
            replayed.contact.has_attributes(biometricResult="failed").ends(queued="Support")
            codes = [one.code for one in voiceit.requests[asked:]]
            expect(codes, ["PDNM"] * 3, "what VoiceIt said of a recording of another phrase")
        expect(
            _item(rehearsal, path, number)["asked"], drawn, "the phrase that is asked for after three calls"
        )

        owner = rehearsal.gate_call(path, number, ALICE, moves=[Says(str(drawn))])
        owner.contact.hears(f"please say: {drawn}", PASSED, VERIFIED).has_attributes(
            biometricResult="verified"
        )
        expect_that("asked" not in _item(rehearsal, path, number), "a voice that matched uses its phrase up")
    rehearsal.note(
        "six recordings of a phrase that was not asked for matched nothing, and no call drew another"
    )


# --- what the scenarios share


@contextmanager
def _several_phrases(rehearsal: Rehearsal, path: BiometricsPath) -> Iterator[None]:
    """Give the stack's functions several phrases, as a deployment with `phrases` does, and take them back."""
    functions = rehearsal.sandbox.boto3_client("lambda")
    former = {}
    for name in rehearsal.deployment.physical_ids(path.stack, "AWS::Lambda::Function"):
        configuration = functions.get_function_configuration(FunctionName=name)
        variables = configuration.get("Environment", {}).get("Variables", {})
        if "ENROLMENTS_NEEDED" in variables:
            former[name] = variables
    for name, variables in former.items():
        several = {**variables, "PHRASES": json.dumps(PHRASES)}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": several})
    try:
        yield
    finally:
        for name, variables in former.items():
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def _let_pass(rehearsal: Rehearsal, path: BiometricsPath, number: str, seconds: int) -> None:
    """Make what is stored of a caller that much older, as if so much time had passed."""
    item = stored_caller(rehearsal.sandbox, path, number)
    item["lockedUntil"] = {"N": str(max(0, int(item["lockedUntil"]["N"]) - seconds))}
    item["refusals"] = {"L": [{"N": str(int(at["N"]) - seconds)} for at in item["refusals"]["L"]]}
    rehearsal.sandbox.boto3_client("dynamodb").put_item(TableName=path.table, Item=item)


def _flow_around_the_module(rehearsal: Rehearsal, path: BiometricsPath) -> str:
    """Publish a flow that invokes the module and says something; return its ARN."""
    module = rehearsal.sandbox.stack_outputs(path.stack)["BiometricsModuleArn"]
    over = {"Identifier": "Over", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    blocks = [
        ("Check", "InvokeFlowModule", {"FlowModuleId": module.rsplit("/", 1)[-1]}, AFTER_THE_MODULE),
        (AFTER_THE_MODULE, "MessageParticipant", {"Text": AFTER}, "Over"),
    ]
    content = {
        "Version": "2019-10-30",
        "StartAction": "Check",
        "Actions": [
            *(
                {
                    "Identifier": name,
                    "Type": kind,
                    "Parameters": parameters,
                    "Transitions": {
                        "NextAction": following,
                        "Errors": [{"NextAction": following, "ErrorType": "NoMatchingError"}],
                        "Conditions": [],
                    },
                }
                for name, kind, parameters, following in blocks
            ),
            over,
        ],
    }
    made = rehearsal.sandbox.boto3_client("connect").create_contact_flow(
        InstanceId=path.instance_arn.rsplit("/", 1)[-1],
        Name=f"Around the module {uuid.uuid4()}",
        Type="CONTACT_FLOW",
        Content=json.dumps(content),
    )
    arn: str = made["ContactFlowArn"]
    return arn


def _enrol(rehearsal: Rehearsal, path: BiometricsPath, number: str) -> None:
    """Let Alice call for the first time, and enrol, and pass."""
    nobody_knows(rehearsal.sandbox, path, number)
    call = rehearsal.gate_call(path, number, ALICE, moves=[AGREES, *[SPEAKS] * 3, SPEAKS])
    expect(call.branches[-1:], ["verified"], "what the gate answered last while Alice enrolled")


def _item(rehearsal: Rehearsal, path: BiometricsPath, number: str) -> dict[str, Json]:
    """Return the table's item of a caller, its values without their types; AssertionError if there is none."""
    item = stored_caller(rehearsal.sandbox, path, number)
    expect_that(bool(item), "the table should hold an item of the caller")
    return {name: next(iter(value.values())) for name, value in item.items()}


def _redialled(
    rehearsal: Rehearsal,
    path: BiometricsPath,
    number: str,
    moves: Sequence[Sequence[Move]],
    *,
    pauses: Sequence[float],
) -> list[GateCall]:
    """Call, and let the telephone network carry each call back of Twilio's after a pause; return all calls in order."""
    calls: dict[int, GateCall] = {}

    def place(index: int) -> None:
        def carry(dialled: str, caller_id: str) -> None:
            expect((dialled, caller_id), (CONNECT_NUMBER, number), "the call back: number and caller id")
            time.sleep(pauses[index])
            place(index + 1)

        calls[index] = rehearsal.gate_call(path, number, ALICE, moves=moves[index], on_dial=carry)

    place(0)
    return [calls[index] for index in sorted(calls)]


def _erase(rehearsal: Rehearsal, path: BiometricsPath, number: str) -> tuple[bool, Json]:
    """Invoke the erase function, as a system would; return whether it failed, and its answer."""
    answer = rehearsal.sandbox.boto3_client("lambda").invoke(
        FunctionName=path.erase_function, Payload=json.dumps({"phoneNumber": number})
    )
    return "FunctionError" in answer, json.loads(answer["Payload"].read())


def _delete(path: BiometricsPath) -> None:
    """Delete what a scenario itself had recorded at Twilio."""
    path.vendors.twilio.forget_recordings()
