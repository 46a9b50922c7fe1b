"""Forgetting callers: on request, after long, and again where it failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from runtime.biometrics import erase, machine, removal, retention
from runtime.biometrics.providers.base import ProviderUnavailableError
from runtime.biometrics.removal import RemovalIncompleteError
from runtime.shared.errors import TemporarilyUnavailableError

NUMBER = "+12065550100"


def deletions(fake: Any) -> list[str]:
    return [one.path for one in fake.seen if one.method == "DELETE"]


def test_a_caller_is_forgotten_everywhere(functions: Any, logs: Callable[[], str]) -> None:
    functions.enrol()
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert functions.item() == {}
    assert deletions(functions.voiceit) == ["/users/usr_1"]
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": False}
    assert functions.ask()["Branch"] == "enrollfromscratch"
    assert NUMBER[1:] not in logs()


def test_a_caller_without_a_voice_print_is_forgotten_without_the_provider(functions: Any) -> None:
    functions.ask()
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert functions.item() == {}
    assert functions.voiceit.seen == []


@pytest.mark.parametrize("event", [{}, {"phoneNumber": "2065550100"}, {"phoneNumber": 1}, None])
def test_whom_to_forget_must_be_said(functions: Any, event: Any) -> None:
    with pytest.raises(erase.InvalidRequestError, match=r"phoneNumber is missing or not E\.164"):
        erase.handler(event, functions.context)


def test_a_caller_in_a_dialogue_is_forgotten_and_the_dialogue_ends(functions: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    erase.handler({"phoneNumber": NUMBER}, functions.context)
    functions.twilio.seen.clear()
    assert functions.follow(twiml)[0] == 409
    assert len(deletions(functions.twilio)) == 1, "the recording that came after all"
    assert functions.ask("return")["Reason"] == "noProof"


def test_a_recording_that_no_turn_waits_for_is_deleted_at_once(
    functions: Any, logs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.post("status", 0, CallStatus="completed")
    functions.twilio.seen.clear()
    assert functions.follow(twiml)[0] == 409
    assert len(deletions(functions.twilio)) == 1
    functions.twilio.respond = lambda _: (503, {}, b"")
    functions.follow(twiml)
    assert '"message":"a recording is left at the telephony provider"' in logs()
    assert '"WebhookFailed":[1.0]' in capsys.readouterr().out


def test_a_recording_is_deleted_too_if_the_table_does_not_take_its_turn(
    functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.twilio.seen.clear()

    def busy(*_: Any, **__: Any) -> Any:
        raise TemporarilyUnavailableError("busy")

    monkeypatch.setattr(machine, "take", busy)
    assert functions.follow(twiml)[0] == 200
    assert len(deletions(functions.twilio)) == 1


def test_a_repeated_message_does_not_delete_the_recording_that_is_being_judged(functions: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.twilio.seen.clear()
    sid = "RE" + "f" * 32
    repeated = []

    def repeat(seen: Any) -> Any:
        if seen.path.startswith("/verification") and not repeated:
            repeated.append(functions.follow(twiml, RecordingSid=sid)[0])
            assert deletions(functions.twilio) == []
        return functions.answer_as_voiceit(seen)

    functions.voiceit.respond = repeat
    assert functions.follow(twiml, RecordingSid=sid)[0] == 200
    assert repeated == [409]
    assert len(deletions(functions.twilio)) == 1


def test_kept_recordings_are_few_enough_for_the_item(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELETE_RECORDINGS", "false")
    monkeypatch.setattr(removal, "KEPT_RECORDINGS", 1)
    functions.enrol()
    kept = functions.item()["recordings"]["L"]
    functions.ask("return")  # ends the session that enrolling has led to
    functions.ask("return")
    assert deletions(functions.twilio) == []
    retention.handler({}, context)
    assert functions.item()["recordings"]["L"] == kept[1:]
    assert [path.split("/")[-1] for path in deletions(functions.twilio)] == [f"{kept[0]['S']}.json"]


def test_the_sweep_leaves_a_caller_alone_who_is_in_a_call(functions: Any, context: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"))
    functions.callers.update_item(
        TableName="ConnectTwilio",
        Key={"phoneNumber": {"S": NUMBER}},
        UpdateExpression="SET retainUntil = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
    )
    retention.handler({}, context)
    functions.follow(twiml)
    assert functions.ask("return")["Branch"] == "verified"


def test_a_provider_that_does_not_answer_leaves_the_caller_marked_until_the_sweep(
    functions: Any, context: Any
) -> None:
    functions.enrol()
    answer = functions.voiceit.respond
    functions.voiceit.respond = lambda _: (503, {}, b"")
    with pytest.raises(ProviderUnavailableError):
        erase.handler({"phoneNumber": NUMBER}, context)
    assert functions.ask()["Reason"] == "erasing"
    with pytest.raises(retention.SweepIncompleteError, match="1 callers could not"):
        retention.handler({}, context)
    functions.voiceit.respond = answer
    assert retention.handler({}, context) == {"done": 1}
    assert functions.item() == {}


def test_recordings_that_were_left_are_deleted_by_the_sweep(functions: Any, context: Any) -> None:
    answer = functions.twilio.respond
    functions.twilio.respond = lambda seen: (503, {}, b"") if seen.method == "DELETE" else answer(seen)
    functions.enrol()
    assert len(functions.item()["recordings"]["L"]) == 2
    with pytest.raises(retention.SweepIncompleteError):
        retention.handler({}, context)
    with pytest.raises(RemovalIncompleteError, match="2 recordings were not deleted"):
        erase.handler({"phoneNumber": NUMBER}, context)
    functions.twilio.respond = answer
    assert retention.handler({}, context) == {"done": 1}
    assert functions.item() == {}


def test_the_sweep_leaves_a_voice_print_in_use_and_deletes_its_leftover_recordings(
    functions: Any, context: Any
) -> None:
    answer = functions.twilio.respond
    functions.twilio.respond = lambda seen: (503, {}, b"") if seen.method == "DELETE" else answer(seen)
    functions.enrol()
    functions.twilio.respond = answer
    functions.ask("return")
    retention.handler({}, context)
    assert len(functions.item()["recordings"]["L"]) == 2, "a session is under way"
    functions.ask("return")
    retention.handler({}, context)
    assert functions.item()["recordings"] == {"L": []}
    assert functions.item()["userId"] == {"S": "usr_1"}


def test_a_voice_print_that_nobody_used_for_long_is_deleted(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    later = time.time() + 366 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert retention.handler({}, context) == {"done": 1}
    assert functions.item() == {}
    assert deletions(functions.voiceit) == ["/users/usr_1"]


def test_the_sweep_stops_before_its_time_is_over(functions: Any, new_context: Any) -> None:
    functions.enrol()
    functions.voiceit.respond = lambda _: (503, {}, b"")
    with pytest.raises(ProviderUnavailableError):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    assert retention.handler({}, new_context(30.0)) == {"done": 0}


def test_an_item_that_changes_while_it_is_erased_is_erased_again(functions: Any) -> None:
    functions.enrol()
    answer = functions.voiceit.respond

    def changed(seen: Any) -> Any:
        functions.callers.update_item(
            TableName="ConnectTwilio",
            Key={"phoneNumber": {"S": NUMBER}},
            UpdateExpression="SET revision = :r",
            ExpressionAttributeValues={":r": {"S": "other"}},
        )
        return answer(seen)

    functions.voiceit.respond = changed
    with pytest.raises(Exception, match="erase it again"):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    functions.voiceit.respond = answer
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
