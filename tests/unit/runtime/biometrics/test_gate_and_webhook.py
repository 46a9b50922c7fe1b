"""Whole conversations: the flow's questions and the telephony provider's messages, on one table."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.exceptions import ClientError
from twilio.request_validator import RequestValidator

from runtime.biometrics import dialogue, erase, gate, machine, recordings, unlock, webhook
from runtime.shared.errors import TemporarilyUnavailableError

NUMBER = "+12065550100"


def test_a_caller_is_enrolled_and_then_verified_in_the_same_contact(functions: Any, words: Any) -> None:
    first = functions.ask()
    assert first["Branch"] == "enrollfromscratch"
    assert first["Transfer"] == "true"
    twiml = functions.connect(first)
    assert "Press 1 if you agree" in words(twiml)
    _, twiml = functions.follow(twiml, Digits="1")
    assert "Recording 1 of 2" in words(twiml)
    assert "never forget tomorrow is a new day" in words(twiml)
    _, twiml = functions.follow(twiml)
    assert "Recording 2 of 2" in words(twiml)
    _, twiml = functions.follow(twiml)
    assert twiml.find("Hangup") is not None

    second = functions.ask("return")
    assert (second["Branch"], second["Transfer"]) == ("verify", "true")
    assert second["Digits"] != first["Digits"]
    _, twiml = functions.follow(functions.connect(second, CallSid="CA2"), CallSid="CA2")
    assert "We have recognised your voice" in words(twiml)

    proven = functions.ask("return")
    assert proven["Branch"] == proven["biometricResult"] == "verified"
    assert proven["biometricConfidence"] == "91.50"
    assert proven["biometricProvider"] == "voiceit"
    assert proven["biometricTime"].endswith("Z")
    assert functions.ask("return")["Branch"] == "unavailable", "a proof is used once"


def test_an_enrolment_that_was_hung_up_begins_again_with_consent(functions: Any, words: Any) -> None:
    _, twiml = functions.follow(functions.connect(functions.ask()), Digits="1")
    functions.follow(twiml)
    functions.post("status", 0, CallStatus="completed")
    assert functions.ask("return")["Branch"] == "unavailable", "no voice was judged: nobody failed"
    assert [one.path for one in functions.voiceit.seen if one.method == "DELETE"] == ["/users/usr_1"]
    assert "userId" not in functions.item()
    assert "discarded" not in functions.item()

    again = functions.ask()
    assert again["Branch"] == "enroll"
    twiml = functions.connect(again)
    assert "Press 1 if you agree" in words(twiml)
    _, twiml = functions.follow(twiml, Digits="1")
    assert "Recording 1 of 2" in words(twiml)
    functions.follow(functions.follow(twiml)[1])
    verify = functions.ask("return")
    assert verify["Branch"] == "verify"
    functions.codes["verification"] = "FAIL"
    _, twiml = functions.follow(functions.connect(verify))
    assert "say once more" in words(twiml)
    functions.codes["verification"] = "SUCC"
    functions.follow(twiml)
    assert functions.ask("return")["Branch"] == "verified"


def test_an_enrolment_that_a_former_release_left_unfinished_begins_again(functions: Any, words: Any) -> None:
    functions.callers.put_item(
        TableName="ConnectTwilio",
        Item={
            "phoneNumber": {"S": NUMBER},
            "revision": {"S": "r"},
            "userId": {"S": "usr_old"},
            "consent": {"S": "given"},
            "enrolments": {"N": "1"},
            "failures": {"N": "0"},
            "provisional": {"S": "CA1/1"},
            "recordings": {"L": []},
        },
    )
    assert "Press 1 if you agree" in words(functions.connect(functions.ask()))
    assert functions.item()["discarded"] == {"L": [{"S": "usr_old"}]}


def test_a_spoofer_after_a_dropped_call_has_to_prove_himself(functions: Any) -> None:
    functions.enrol()
    functions.follow(functions.connect(functions.ask("return")))
    spoofer = functions.ask(contact_id="11111111-1111-4111-8111-111111111111")
    assert spoofer["Branch"] == "verify"
    functions.codes["verification"] = "FAIL"
    twiml = functions.connect(spoofer, CallSid="CA9")
    functions.follow(twiml, CallSid="CA9")
    answer = functions.ask("return", contact_id="11111111-1111-4111-8111-111111111111")
    assert answer["Branch"] == "failedverified"


def test_after_three_failures_the_caller_is_told_goodbye_and_the_number_is_locked(
    functions: Any, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    functions.codes["verification"] = "FAIL"
    twiml = functions.connect(functions.ask("return"))
    for _ in range(3):
        _, twiml = functions.follow(twiml)
    assert "Goodbye" in words(twiml)
    assert twiml.find("Hangup") is not None
    assert functions.ask("return")["Branch"] == "failedverified"
    assert functions.ask()["Branch"] == functions.ask()["biometricResult"] == "locked"
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    assert functions.ask()["Branch"] == "verify"


@pytest.mark.parametrize("code", ["PDNM", "SSTQ", "NEHSD"])
def test_a_bad_recording_is_asked_for_again_and_locks_nobody(functions: Any, words: Any, code: str) -> None:
    functions.enrol()
    functions.codes["verification"] = code
    twiml = functions.connect(functions.ask("return"))
    for _ in range(3):
        _, twiml = functions.follow(twiml)
    assert "Goodbye" in words(twiml)
    functions.ask("return")
    assert functions.ask()["Branch"] == "verify"


def test_silence_is_asked_about_again_without_troubling_the_provider(functions: Any, words: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    before = len(functions.voiceit.seen)
    _, twiml = functions.follow(twiml, RecordingSid="")
    assert "say once more" in words(twiml)
    assert len(functions.voiceit.seen) == before


@pytest.mark.parametrize("trouble", ["GERR", "5xx", "cut", "slow"])
def test_a_provider_in_trouble_is_told_to_the_caller_and_to_the_flow(
    functions: Any, words: Any, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_SECONDS", "1")
    functions.enrol()
    answers: dict[str, Callable[[Any], Any]] = {
        "GERR": lambda _: (500, {}, b'{"responseCode": "GERR"}'),
        "5xx": lambda _: (503, {}, b"<html>"),
        "cut": lambda _: (0, {}, b""),
        "slow": functions.voiceit.silent,
    }
    twiml = functions.connect(functions.ask("return"))
    functions.voiceit.respond = answers[trouble]
    started = time.monotonic()
    status, twiml = functions.follow(twiml)
    assert time.monotonic() - started < 3
    assert status == 200
    assert "cannot check your voice" in words(twiml)
    answer = functions.ask("return")
    assert (answer["Branch"], answer["biometricResult"]) == ("unavailable", "unavailable")


def test_refusing_consent_is_remembered_and_nothing_reaches_the_provider(functions: Any, words: Any) -> None:
    _, twiml = functions.follow(functions.connect(functions.ask()), Digits="2")
    assert "will not use your voice" in words(twiml)
    assert functions.ask("return")["biometricResult"] == "consentRefused"
    assert functions.ask()["Transfer"] == "false"
    assert functions.voiceit.seen == []


def test_no_answer_about_consent_is_asked_again_and_then_given_up(functions: Any, words: Any) -> None:
    twiml = functions.connect(functions.ask())
    for _ in range(3):
        _, twiml = functions.follow(twiml, Digits="")
    assert "Goodbye" in words(twiml)
    assert functions.voiceit.seen == []


def test_a_provider_that_creates_no_user_ends_the_dialogue(functions: Any, words: Any) -> None:
    twiml = functions.connect(functions.ask())
    functions.voiceit.respond = lambda _: (503, {}, b"")
    _, twiml = functions.follow(twiml, Digits="1")
    assert "cannot check your voice" in words(twiml)
    assert functions.ask("return")["Branch"] == "unavailable"
    assert len(functions.voiceit.seen) == 1, "a user that may have been created is not created twice"


def test_a_user_created_too_late_is_deleted_at_the_provider(functions: Any) -> None:
    twiml = functions.connect(functions.ask())
    answer = functions.answer_as_voiceit

    def erased_meanwhile(seen: Any) -> Any:
        if seen.method == "POST":
            functions.callers.delete_item(TableName="ConnectTwilio", Key={"phoneNumber": {"S": NUMBER}})
        return answer(seen)

    functions.voiceit.respond = erased_meanwhile
    status, _ = functions.follow(twiml, Digits="1")
    assert status == 409
    assert [(one.method, one.path) for one in functions.voiceit.seen] == [
        ("POST", "/users"),
        ("DELETE", "/users/usr_1"),
        ("GET", "/users/usr_1"),
    ]


# --- who is not let in ---------------------------------------------------------------------------------------------


def test_a_forged_message_is_refused_before_anything_is_read(functions: Any, monkeypatch: Any) -> None:
    functions.enrol()
    before = functions.item()
    good = functions.event("verify", 1, RecordingSid="RE" + "f" * 32)
    wrong: list[dict[str, Any]] = [
        good | {"headers": {}, "multiValueHeaders": {}},
        good | {"multiValueHeaders": {"X-Twilio-Signature": ["x" * 28]}},
        good | {"multiValueHeaders": {"X-Twilio-Signature": ["a", "b"]}},
        good | {"body": good["body"] + "&Digits=1"},
        good | {"body": good["body"] + "&CallSid=CA1"},
        good | {"body": "%ZZ=="},
        good | {"body": "!!", "isBase64Encoded": True},
        good | {"queryStringParameters": {"turn": "2"}},
        good | {"requestContext": good["requestContext"] | {"path": "/prod/voice/verify/2"}},
        good | {"requestContext": good["requestContext"] | {"path": "/voice/verify/1"}},
        good | {"requestContext": good["requestContext"] | {"path": "/elsewhere"}},
        functions.event("verify", 1, AccountSid="AC" + "1" * 32),
    ]
    webhook._webhook()
    monkeypatch.setattr(webhook._webhook().dialogue.callers, "_client", None)
    for event in wrong:
        status, twiml = functions.deliver(event)
        assert status == 403
        assert [one.tag for one in twiml] == ["Hangup"]
    assert functions.item() == before


def signed(functions: Any, form: dict[str, str], path: str = "/prod/voice") -> dict[str, Any]:
    """Return the event of a form that Twilio posts, signed."""
    event: dict[str, Any] = functions.event()
    url = f"https://{event['requestContext']['domainName']}{path}"
    signature = RequestValidator("twilio-auth-token-nobody-may-log").compute_signature(url, form)
    return event | {
        "multiValueHeaders": {"X-Twilio-Signature": [signature]},
        "body": urlencode(form),
        "requestContext": event["requestContext"] | {"path": path},
    }


COMES = {
    "AccountSid": "AC" + "0" * 32, "CallSid": "CA" + "1" * 32, "CallStatus": "ringing", "CallerName": "FROMMER",
    "Direction": "inbound", "ForwardedFrom": NUMBER, "From": "+19995550100", "FromCity": "SEATTLE",
    "ParentCallSid": "CA" + "2" * 32, "To": "+12065550188",
}  # fmt: skip


@pytest.mark.parametrize(
    "recut",
    [
        {"Forwarded": "", "From": NUMBER, "From+19995550100": "", "ForwardedFrom": None},
        {"Forwarded": "", "From": f"{NUMBER}From+19995550100", "ForwardedFrom": None},
        {
            "Direction": "inboundForwarded",
            "From": NUMBER,
            "From+19995550100": "",
            "ForwardedFrom": None,
        },
        {"F": "orwarded", "From": NUMBER, "From+19995550100": "", "ForwardedFrom": None},
        {"F": f"orwardedFrom{NUMBER}", "ForwardedFrom": None},
        {"Direction": "inboundForwarded", "From": f"{NUMBER}From+19995550100", "ForwardedFrom": None},
    ],
)
def test_a_form_that_was_cut_into_another_is_refused(functions: Any, recut: dict[str, str | None]) -> None:
    functions.ask()
    event = signed(functions, COMES)
    assert functions.deliver(event)[0] == 200, "Twilio's own form is none of these"
    form = {name: value for name, value in (COMES | recut).items() if value is not None}
    texts = ["".join(name + one[name] for name in sorted(one)) for one in (form, COMES)]
    assert texts[0] == texts[1], "it has to fit the same signature"
    assert functions.deliver(event | {"body": urlencode(form)})[0] == 403


def test_a_form_that_twilio_signed_and_that_reads_two_ways_is_refused(functions: Any, logs: Any) -> None:
    for name, value in (("CallerName", f"XFrom{NUMBER}"), ("Forwarded", "")):
        assert functions.deliver(signed(functions, COMES | {name: value}))[0] == (
            403 if name == "CallerName" else 200
        )
    assert "From can be read from the form in more than one way" in logs()
    split = {**COMES, "Forwarded": "", "From": NUMBER}
    del split["ForwardedFrom"]
    assert functions.deliver(signed(functions, split))[0] == 403


@pytest.mark.parametrize("step", ["co\nde", "co\tde", "co\rde", "CODE", "code/0"])
def test_a_step_that_a_url_cannot_have_is_refused(functions: Any, step: str) -> None:
    functions.ask()
    event = functions.event("code", 0)
    event["pathParameters"] = {"step": step, "turn": "0"}
    event["requestContext"] = event["requestContext"] | {"path": f"/prod/voice/{step}/0"}
    assert functions.deliver(event)[0] == 403


def test_repeated_messages_about_a_call_change_nothing_and_are_answered_in_words(functions: Any) -> None:
    """A call that comes in, its code and its end carry no turn: Twilio would not speak 409 to a caller."""
    functions.enrol()
    answer = functions.ask("return")
    code = answer["Digits"].strip(",")
    arrived, shown = functions.event(), functions.event("code", 0, Digits=code)
    ended = functions.event("status", 0, CallStatus="completed")
    functions.deliver(arrived)
    functions.follow(functions.deliver(shown)[1])
    functions.deliver(ended)
    before = functions.item()
    for event in (arrived, shown, ended):
        status, twiml = functions.deliver(event)
        assert (status, twiml.find("Hangup") is not None) == (200, True)
    assert functions.item() == before
    assert functions.ask("return")["Branch"] == "verified"


def test_the_previous_auth_token_serves_until_the_next_rotation(functions: Any, secrets: Any) -> None:
    event = functions.event()
    assert functions.deliver(event)[0] == 200
    client = boto3.client("secretsmanager")
    document = '{"accountSid": "AC' + "0" * 32 + '", "authToken": "%s"}'
    client.put_secret_value(SecretId=secrets["telephony"], SecretString=document % "new")
    webhook._webhook.cache_clear()
    assert functions.deliver(event)[0] == 200
    client.put_secret_value(SecretId=secrets["telephony"], SecretString=document % "newer")
    webhook._webhook.cache_clear()
    assert functions.deliver(event)[0] == 403


def test_a_stage_may_be_called_like_the_path(functions: Any, monkeypatch: Any) -> None:
    event = functions.event()
    form = dict(pair.split("=") for pair in event["body"].replace("%2B", "+").split("&"))
    url = f"https://{event['requestContext']['domainName']}/voice/voice"
    signature = RequestValidator("twilio-auth-token-nobody-may-log").compute_signature(url, form)
    event["multiValueHeaders"] = {"X-Twilio-Signature": [signature]}
    event["requestContext"]["path"] = "/voice/voice"
    functions.ask()
    status, twiml = functions.deliver(event)
    assert status == 200
    assert twiml[0].attrib["action"] == f"{url}/code/0"


def test_a_binary_body_is_verified_too(functions: Any) -> None:
    event = functions.event()
    event["body"], event["isBase64Encoded"] = base64.b64encode(event["body"].encode()).decode(), True
    assert functions.deliver(event)[0] == 200


def test_a_replayed_message_changes_nothing_and_is_refused(functions: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.follow(twiml, RecordingSid="RE" + "a" * 32)
    asked = len(functions.voiceit.seen)
    before = functions.item()
    event = functions.event("verify", 1, RecordingSid="RE" + "a" * 32)
    status, twiml = functions.deliver(event)
    assert status == 409
    assert [one.tag for one in twiml] == ["Hangup"]
    assert functions.item() == before
    assert len(functions.voiceit.seen) == asked


def test_two_calls_of_one_number_at_once_do_not_disturb_each_other(functions: Any, words: Any) -> None:
    functions.enrol()
    first = functions.ask("return")
    other = "22222222-2222-4222-8222-222222222222"
    second = functions.ask(contact_id=other)
    assert (second["Branch"], second["Reason"], second["Transfer"]) == ("unavailable", "busy", "false")
    _, twiml = functions.post(CallSid="CA7")
    _, twiml = functions.follow(twiml, Digits="00000000", CallSid="CA7")
    assert "cannot be called directly" in words(twiml)
    functions.follow(functions.connect(first))
    assert functions.ask("return", contact_id=other)["Reason"] == "noProof"
    assert functions.ask("return")["Branch"] == "verified"


@pytest.mark.parametrize(
    "form",
    [{}, {"From": "anonymous"}, {"CallSid": ""}, {"From": "+19995550100"}],
    ids=["nobody waits", "anonymous", "no call", "another number"],
)
def test_a_call_that_nobody_waits_for_is_refused_in_words(
    functions: Any, words: Any, form: dict[str, str]
) -> None:
    status, twiml = functions.post(**form)
    assert status == 200
    assert "cannot be called directly" in words(twiml)


def test_a_code_is_worth_nothing_once_it_is_too_late(functions: Any, monkeypatch: Any, words: Any) -> None:
    answer = functions.ask()
    later = time.time() + 91
    monkeypatch.setattr(time, "time", lambda: later)
    _, twiml = functions.post("code", 0, Digits=answer["Digits"].strip(","))
    assert "cannot be called directly" in words(twiml)


def test_a_step_that_does_not_exist_and_a_status_in_between_do_nothing(functions: Any) -> None:
    assert functions.post("admin", 1)[0] == 200
    assert functions.post("status", 0, CallStatus="ringing")[0] == 200
    assert functions.post("verify", 99_999_999)[0] == 409
    assert functions.item() == {}


# --- the flow's side -----------------------------------------------------------------------------------------------


def test_asking_twice_before_the_call_arrives_gives_the_same_answer(functions: Any) -> None:
    first = functions.ask()
    assert functions.ask()["Digits"] == first["Digits"]
    functions.connect(first)
    assert functions.ask()["Reason"] == "busy"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"number": None}, "noPhoneNumber"),
        ({"number": "anonymous"}, "noPhoneNumber"),
        ({"contact_id": None}, "noContact"),
    ],
)
def test_a_contact_without_number_or_id_is_unavailable(
    functions: Any, arguments: dict[str, Any], reason: str
) -> None:
    answer = functions.ask(**arguments)
    assert (answer["Branch"], answer["Reason"]) == ("unavailable", reason)


def test_a_contact_without_parameters_asks_for_the_first_time(functions: Any) -> None:
    assert functions.ask("")["Branch"] == "enrollfromscratch"
    assert gate.handler({}, functions.context)["Branch"] == "unavailable"


def test_a_table_that_does_not_answer_is_an_answer_within_the_flows_patience(
    functions: Any, monkeypatch: Any, words: Any
) -> None:
    monkeypatch.setenv("TABLE_NAME", "NoSuchTable")
    assert functions.ask()["Reason"] == "tableUnavailable"
    status, twiml = functions.post()
    assert status == 200
    assert "cannot check your voice" in words(twiml)


def test_a_webhook_set_up_wrongly_still_speaks(functions: Any, monkeypatch: Any, words: Any) -> None:
    monkeypatch.setenv("TELEPHONY_SECRET_ARN", "nonsense")
    monkeypatch.setenv("PROMPTS", '{"goodbye": "x"}')
    status, twiml = functions.post()
    assert status == 200, "with any other status Twilio does not speak it"
    assert "cannot check your voice" in words(twiml)


def test_without_the_key_of_caller_tags_calls_go_on(functions: Any, secrets: Any, logs: Any) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId=secrets["callers"], ForceDeleteWithoutRecovery=True)
    assert functions.ask()["Branch"] == "enrollfromscratch"
    assert '"caller":"unknown"' in logs()


# --- settings ------------------------------------------------------------------------------------------------------


def test_closed_enrolment_lets_nobody_make_a_voice_print(functions: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SELF_ENROLMENT", "false")
    answer = functions.ask()
    assert (answer["Branch"], answer["biometricResult"]) == ("unavailable", "notEnrolled")


def test_a_match_below_the_wanted_confidence_is_none(functions: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("MIN_CONFIDENCE", "92")
    monkeypatch.setenv("MAX_TRIES", "1")
    functions.enrol()
    functions.follow(functions.connect(functions.ask("return")))
    assert functions.ask("return")["Branch"] == "failedverified"


def test_texts_voice_phrase_and_public_url_are_settable(functions: Any, monkeypatch: Any, words: Any) -> None:
    for name, value in {
        "PROMPTS": '{"verify": "Bitte: {phrase}!"}',
        "PHRASE": "mein hut",
        "LANGUAGE": "de-DE",
        "VOICE": "Polly.Vicki",
        "ENROLMENTS_NEEDED": "1",
    }.items():
        monkeypatch.setenv(name, value)
    functions.follow(functions.follow(functions.connect(functions.ask()), Digits="1")[1])
    twiml = functions.connect(functions.ask("return"))
    say = twiml.find("Say")
    assert words(twiml) == "Bitte: mein hut!"
    assert say is not None
    assert say.attrib == {"language": "de-DE", "voice": "Polly.Vicki"}


def test_a_public_url_in_front_is_what_is_signed_and_what_actions_name(
    functions: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://voice.example.com/v")
    event = functions.event()
    assert functions.deliver(event)[0] == 403
    form = dict(pair.split("=") for pair in event["body"].replace("%2B", "+").split("&"))
    signature = RequestValidator("twilio-auth-token-nobody-may-log").compute_signature(
        "https://voice.example.com/v/voice", form
    )
    functions.ask()
    status, twiml = functions.deliver(event | {"multiValueHeaders": {"X-Twilio-Signature": [signature]}})
    assert status == 200
    assert twiml[0].attrib["action"] == "https://voice.example.com/v/voice/code/0"


def test_redial_proves_the_number_for_some_seconds_once(functions: Any, monkeypatch: Any, words: Any) -> None:
    monkeypatch.setenv("RETURN_MODE", "REDIAL")
    monkeypatch.setenv("REDIAL_NUMBER", "+18005550199")
    functions.enrol()
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    contacts = iter(f"33333333-3333-4333-8333-{n:012d}" for n in range(9))

    def verify() -> None:
        answer = functions.ask(contact_id=next(contacts))
        assert answer["Transfer"] == "true"
        _, twiml = functions.follow(functions.connect(answer))
        dial = twiml.find("Dial")
        assert dial is not None
        assert dial.text == "+18005550199"

    verify()
    now[0] += 9
    assert functions.ask(contact_id=next(contacts))["Branch"] == "verified"
    verify()
    now[0] += 10
    late = functions.ask(contact_id=next(contacts))
    assert (late["Branch"], late["Reason"], late["Transfer"]) == ("failedverified", "proofExpired", "true")
    functions.follow(functions.connect(late))
    now[0] -= 5
    assert functions.ask(contact_id=next(contacts))["Branch"] == "failedverified", "a proof from the future"


def test_redial_uses_no_words_before_a_proof_that_lives_for_seconds(
    functions: Any, monkeypatch: Any, words: Any
) -> None:
    monkeypatch.setenv("RETURN_MODE", "REDIAL")
    monkeypatch.setenv("REDIAL_NUMBER", "+18005550199")
    functions.enrol()
    _, twiml = functions.follow(functions.connect(functions.ask()))
    assert [one.tag for one in twiml] == ["Dial"]
    functions.ask()
    functions.codes["verification"] = "FAIL"
    twiml = functions.connect(functions.ask(contact_id="55555555-5555-4555-8555-555555555555"))
    for _ in range(3):
        _, twiml = functions.follow(twiml)
    assert [one.tag for one in twiml] == ["Say", "Dial"]


def test_a_message_that_comes_too_late_is_answered_in_words(
    functions: Any, monkeypatch: Any, words: Any
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    later = time.time() + 301
    monkeypatch.setattr(dialogue.Dialogue, "_now", lambda _: int(later))
    status, twiml = functions.follow(twiml)
    assert (status, "cannot check your voice" in words(twiml)) == (200, True)


def test_voices_that_are_refused_and_locks_are_counted_even_if_nobody_asks_the_gate(
    functions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.enrol()
    functions.codes["verification"] = "FAIL"
    twiml = functions.connect(functions.ask("return"))
    for _ in range(3):
        _, twiml = functions.follow(twiml)
    functions.post("status", 0, CallStatus="completed")
    written = capsys.readouterr().out
    assert (written.count('"VoiceRefused":[1.0]'), written.count('"CallerLocked":[1.0]')) == (3, 1)


@pytest.mark.parametrize(("code", "locks"), [("SUCC", 0), ("GERR", 0), ("FAIL", 1)])
def test_hanging_up_while_the_voice_is_judged_locks_by_the_judgement_alone(
    functions: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str], code: str, locks: int
) -> None:
    monkeypatch.setenv("LOCK_AFTER", "1")
    functions.enrol()
    functions.codes["verification"] = code
    twiml = functions.connect(functions.ask("return"))

    def ask_meanwhile(seen: Any) -> Any:
        if seen.path.startswith("/verification"):
            assert functions.ask("return")["Reason"] == "dialogueIncomplete"
            assert functions.item()["failures"] == {"N": "0"}
        return functions.answer_as_voiceit(seen)

    functions.voiceit.respond = ask_meanwhile
    functions.follow(twiml)
    assert capsys.readouterr().out.count('"CallerLocked":[1.0]') == locks
    assert (functions.item()["lockedUntil"] != {"N": "0"}) == bool(locks)


def test_wrong_codes_are_counted_and_many_make_the_code_worthless(
    functions: Any, words: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.enrol()
    answer = functions.ask("return")
    for number in range(20):
        functions.post("code", 0, Digits=f"{number:08d}", CallSid=f"CA{number}")
    _, twiml = functions.post("code", 0, Digits=answer["Digits"].strip(","))
    assert "cannot be called directly" in words(twiml)
    assert functions.ask("return")["biometricResult"] == "unavailable"
    assert capsys.readouterr().out.count('"CodeGuessed":[1.0]') == 21


def test_a_day_of_slow_guessing_ends_after_ten_voices(
    functions: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.enrol()
    functions.ask("return")
    functions.ask("return")
    functions.codes["verification"] = "FAIL"
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    for _ in range(40):
        now[0] += 905
        answer = functions.ask()
        if answer["Branch"] == "verify":
            functions.follow(functions.connect(answer))
            functions.ask("return")
    out = capsys.readouterr().out
    assert (out.count('"VoiceRefused":[1.0]'), out.count('"CallerLockedLong":[1.0]')) == (10, 1)
    assert functions.ask()["biometricResult"] == "locked"
    assert unlock.handler({"phoneNumber": NUMBER}, functions.context) == {"unlocked": "true"}
    assert unlock.handler({"phoneNumber": NUMBER}, functions.context) == {"unlocked": "false"}
    assert functions.ask()["Branch"] == "verify"


def test_a_flow_unlocks_its_own_caller_and_nobody_else(functions: Any) -> None:
    functions.ask()
    event = {
        "Details": {
            "ContactData": {"CustomerEndpoint": {"Address": "+19995550100", "Type": "TELEPHONE_NUMBER"}},
            "Parameters": {"phoneNumber": NUMBER},
        },
        "phoneNumber": NUMBER,
    }
    before = functions.item()
    assert unlock.handler(event, functions.context) == {"unlocked": "false"}
    assert functions.item() == before
    for nobody in (None, {}, {"phoneNumber": "2065550100"}, {"Details": {}, "phoneNumber": NUMBER}):
        with pytest.raises(unlock.InvalidRequestError, match=r"phoneNumber is missing or not E\.164"):
            unlock.handler(nobody, functions.context)


def test_the_gate_answers_in_time_when_the_table_is_slow_and_others_are_faster(
    functions: Any, monkeypatch: Any, logs: Any
) -> None:
    """Every call to AWS takes as long as its client allows, and every write comes too late."""
    functions.enrol()
    answer = functions.ask("return")
    passed = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    callers = gate._gate().callers
    read = type(callers).read

    def slow_read(self: Any, number: str) -> Any:
        passed[0] += 2 * (0.3 + 0.9) + 0.1
        return read(self, number)

    def late(*_: Any) -> bool:
        passed[0] += 2 * (0.3 + 0.9) + 0.1
        return False

    monkeypatch.setattr(type(callers), "read", slow_read)
    monkeypatch.setattr(type(callers), "write", late)
    assert answer["Branch"] == "verify"
    assert functions.ask("return")["Reason"] == "tableUnavailable"
    assert passed[0] + 3.0 * (passed[0] < gate.TAG_SECONDS) < 8
    assert '"caller":"unknown"' in logs()


def test_a_table_that_the_gate_cannot_reach_is_counted(
    functions: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TABLE_NAME", "NoSuchTable")
    functions.ask()
    assert '"TableUnavailable":[1.0]' in capsys.readouterr().out


# --- recordings ----------------------------------------------------------------------------------------------------


def test_recordings_are_fetched_with_credentials_handed_over_and_deleted(functions: Any) -> None:
    functions.enrol()
    gets = [one for one in functions.twilio.seen if one.method == "GET"]
    deletes = [one for one in functions.twilio.seen if one.method == "DELETE"]
    assert len(gets) == len(deletes) == 2
    assert gets[0].path.endswith("/Recordings/RE" + "0" * 31 + "1.wav")
    assert gets[0].headers["Authorization"].startswith("Basic ")
    sent = next(one for one in functions.voiceit.seen if one.path == "/enrollments/voice")
    assert b"RIFF-audio" in sent.body
    assert b"never forget tomorrow is a new day" in sent.body
    assert functions.item()["recordings"] == {"L": []}


def test_a_recording_that_twilio_is_still_writing_is_waited_for(functions: Any) -> None:
    answers = iter([404, 404, 200])
    functions.twilio.respond = lambda seen: (
        (next(answers), {}, b"RIFF") if seen.method == "GET" else (204, {}, b"")
    )
    _, twiml = functions.follow(functions.connect(functions.ask()), Digits="1")
    functions.follow(twiml)
    assert functions.item()["enrolments"] == {"N": "1"}


def test_recordings_may_be_handed_over_by_address(functions: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("RECORDING_TRANSFER", "url")
    monkeypatch.setenv("DELETE_RECORDINGS", "false")
    functions.enrol()
    assert functions.twilio.seen == []
    sent = next(one for one in functions.voiceit.seen if one.path == "/enrollments/voice/byUrl")
    assert b"fileUrl=http" in sent.body
    assert len(functions.item()["recordings"]["L"]) == 2, "the caller may yet be erased"
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert [one.method for one in functions.twilio.seen if one.method != "GET"] == ["DELETE"] * 2


def test_a_recording_is_left_for_the_sweep_when_twilio_has_waited_for_long(
    functions: Any, monkeypatch: Any, words: Any
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    monkeypatch.setattr(dialogue, "ANSWER_SECONDS", 0.0)
    functions.twilio.seen.clear()
    _, twiml = functions.follow(twiml)
    assert "We have recognised your voice" in words(twiml)
    assert [one.method for one in functions.twilio.seen] == ["GET"]
    assert len(functions.item()["recordings"]["L"]) == 1


def test_a_recording_that_cannot_be_had_blames_nobody(functions: Any, words: Any) -> None:
    functions.enrol()
    functions.twilio.respond = lambda _: (401, {}, b"")
    _, twiml = functions.follow(functions.connect(functions.ask("return")))
    assert "cannot check your voice" in words(twiml)
    assert functions.item()["recordings"]["L"], "left for the daily sweep"


def test_a_recording_that_is_never_finished_is_not_waited_for_long(functions: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(recordings, "FETCH_SECONDS", 0.1)
    _, twiml = functions.follow(functions.connect(functions.ask()), Digits="1")
    functions.twilio.respond = lambda _: (404, {}, b"")
    functions.follow(twiml)
    assert functions.ask("return")["Branch"] == "unavailable"


def test_a_table_that_fails_after_the_judgement_does_not_take_the_answer_back(
    functions: Any, words: Any, monkeypatch: Any
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))

    def busy(*_: Any, **__: Any) -> Any:
        raise TemporarilyUnavailableError("busy")

    monkeypatch.setattr(machine, "recording_deleted", busy)
    _, twiml = functions.follow(twiml)
    assert "We have recognised your voice" in words(twiml)
    assert functions.ask("return")["Branch"] == "verified"


FAULTS: dict[str, Exception] = {
    "busy": TemporarilyUnavailableError("busy"),
    "denied": ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem"),
    "missing": ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutItem"),
    "throttled": ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem"),
    "garbage": KeyError("Item"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_table_that_fails_when_the_judgement_is_written_blames_nobody(
    functions: Any, words: Any, monkeypatch: pytest.MonkeyPatch, fault: str, hangs_up: bool
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))

    def fails(*_: Any, **__: Any) -> Any:
        raise FAULTS[fault]

    with monkeypatch.context() as patch:
        patch.setattr(machine, "judged", fails)
        status, twiml = functions.follow(twiml)
    assert (status, "cannot check your voice" in words(twiml)) == (200, True)
    if hangs_up:
        functions.post("status", 0, CallStatus="completed")
    answer = functions.ask("return")
    assert (answer["biometricResult"], answer["Reason"]) == ("unavailable", "dialogueIncomplete")
    assert functions.item()["failures"] == {"N": "0"}


def test_a_judgement_that_the_table_does_not_take_is_written_once_more(
    functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    judged = machine.judged
    failed: list[bool] = []

    def fails_once(*arguments: Any, **named: Any) -> Any:
        if not failed:
            failed.append(True)
            raise FAULTS["busy"]
        return judged(*arguments, **named)

    monkeypatch.setattr(machine, "judged", fails_once)
    functions.follow(twiml)
    assert functions.ask("return")["Branch"] == "verified"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_recording_whose_turn_is_not_written_is_deleted_or_named_in_the_log(
    functions: Any, monkeypatch: pytest.MonkeyPatch, logs: Any, fault: str
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.twilio.seen.clear()

    def fails(*_: Any, **__: Any) -> Any:
        raise FAULTS[fault]

    monkeypatch.setattr(machine, "take", fails)
    sid = "RE" + "d" * 32
    assert functions.follow(twiml, RecordingSid=sid)[0] == 200
    assert [one.path.split("/")[-1] for one in functions.twilio.seen] == [f"{sid}.json"]
    functions.twilio.respond = lambda _: (503, {}, b"")
    functions.follow(twiml, RecordingSid="RE" + "e" * 32)
    assert "RE" + "e" * 32 in logs()


def test_a_recording_that_came_while_the_secret_could_not_be_read_is_named_in_the_log(
    functions: Any, secrets: dict[str, str], logs: Any
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    boto3.client("secretsmanager").delete_secret(
        SecretId=secrets["telephony"], ForceDeleteWithoutRecovery=True
    )
    webhook._webhook.cache_clear()
    assert functions.follow(twiml, RecordingSid="RE" + "c" * 32)[0] == 200
    assert '"recording":"RE' + "c" * 32 in logs()
    assert NUMBER[1:] not in logs()


def test_a_late_user_that_cannot_be_deleted_is_named_in_the_log(functions: Any, logs: Any) -> None:
    twiml = functions.connect(functions.ask())

    def erased_meanwhile(seen: Any) -> Any:
        functions.callers.delete_item(TableName="ConnectTwilio", Key={"phoneNumber": {"S": NUMBER}})
        return functions.answer_as_voiceit(seen) if seen.method == "POST" else (503, {}, b"")

    functions.voiceit.respond = erased_meanwhile
    assert functions.follow(twiml, Digits="1")[0] == 409
    assert '"user_id":"usr_1"' in logs()


@pytest.mark.parametrize("prompts", ["nonsense", "[]", '{"failed": 1}'])
def test_prompts_that_cannot_be_read_are_said(
    functions: Any, monkeypatch: Any, logs: Any, prompts: str
) -> None:
    monkeypatch.setenv("PROMPTS", prompts)
    assert functions.post()[0] == 200
    assert "PROMPTS must be a JSON object of texts" in logs()


# --- what is logged ------------------------------------------------------------------------------------------------


def test_neither_numbers_nor_secrets_nor_codes_are_logged(
    functions: Any, logs: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [functions.ask()["Digits"].strip(",")]
    functions.enrol()
    codes.append(functions.ask("return")["Digits"].strip(","))
    functions.post(From="+19995550111")
    functions.deliver(functions.event() | {"multiValueHeaders": {}, "headers": {}})
    functions.twilio.respond = lambda _: (500, {}, b"")
    functions.follow(functions.post("code", 0, Digits=codes[1])[1])
    everything = logs() + "".join(capsys.readouterr())
    assert "gate asked" in everything
    assert "message answered" in everything
    for secret in (NUMBER[1:], "9995550111", "nobody-may-log", *codes):
        assert secret not in everything
