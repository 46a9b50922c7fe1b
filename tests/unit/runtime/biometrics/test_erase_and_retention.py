"""Forgetting callers: on request, after long, and again where it failed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from runtime.biometrics import erase, machine, removal, retention
from runtime.biometrics.providers.base import ProviderUnavailableError
from runtime.biometrics.recordings import RecordingUnavailableError
from runtime.biometrics.removal import RemovalIncompleteError
from runtime.biometrics.table import DynamoDbCallers
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


def test_the_sweep_stops_before_its_time_is_over(
    functions: Any, new_context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.enrol()
    functions.voiceit.respond = lambda _: (503, {}, b"")
    with pytest.raises(ProviderUnavailableError):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    assert retention.handler({}, new_context(30.0)) == {"done": 0}
    counted = capsys.readouterr().out
    assert '"SweepIncomplete":[1.0]' in counted
    assert "SweepDone" not in counted


def test_an_item_that_changes_while_it_is_erased_is_erased_again(
    functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    delete = DynamoDbCallers.delete

    def somebody_was_faster(self: Any, number: str, expected: str) -> bool:
        functions.callers.update_item(
            TableName="ConnectTwilio",
            Key={"phoneNumber": {"S": NUMBER}},
            UpdateExpression="SET revision = :r",
            ExpressionAttributeValues={":r": {"S": "other"}},
        )
        return delete(self, number, expected)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDbCallers, "delete", somebody_was_faster)
        with pytest.raises(TemporarilyUnavailableError, match="erase it again"):
            erase.handler({"phoneNumber": NUMBER}, functions.context)
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}


# --- what Twilio and the provider really hold ----------------------------------------------------------------------

CALL, OTHER = "CA" + "1" * 32, "CA" + "2" * 32
LOST = "RE" + "9" * 32
LONG_AGO = "Sat, 01 Aug 2026 10:00:00 +0000"
NOON = 1_785_672_000.0
"""The day after, 12:00 UTC."""


def forget_watermark(functions: Any) -> None:
    functions.callers.delete_item(TableName="ConnectTwilio", Key={"phoneNumber": {"S": "reconciled"}})


def hold(functions: Any, *, call: str = CALL, recording: str = LOST, status: str = "completed") -> None:
    """Let Twilio hold a recording of which no webhook told us."""
    functions.held.calls[call] = (NUMBER, status, "2026-08-01")
    functions.held.record(call, recording, LONG_AGO)


def at_twilio(functions: Any) -> set[str]:
    return set(functions.held.recordings)


def test_a_recording_that_only_twilio_knows_of_is_erased(functions: Any) -> None:
    functions.enrol()
    hold(functions)
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert at_twilio(functions) == set()
    assert functions.item() == {}


def test_erased_is_not_said_while_twilio_cannot_say_what_it_holds(functions: Any) -> None:
    functions.enrol()
    hold(functions)
    functions.twilio.respond = lambda seen: (
        (503, {}, b"") if seen.method == "GET" else functions.held.answer(seen)
    )
    with pytest.raises(RecordingUnavailableError, match="Twilio answered 503 instead of the list of calls"):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    assert functions.ask()["Reason"] == "erasing"
    functions.twilio.respond = functions.answer_as_twilio
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert at_twilio(functions) == set()


def test_a_caller_whom_only_twilio_knows_is_erased_there(functions: Any) -> None:
    hold(functions)
    functions.held.calls[OTHER] = ("+12065550111", "completed", "2026-08-01")
    functions.held.record(OTHER, "RE" + "8" * 32)
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    assert at_twilio(functions) == {"RE" + "8" * 32}, "another caller's stays"
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": False}
    assert functions.item() == {}


def test_erasing_waits_for_the_end_of_a_call_that_may_yet_be_recorded(functions: Any, context: Any) -> None:
    functions.enrol()
    twiml = functions.connect(functions.ask("return"), CallSid=CALL)
    functions.held.calls[CALL] = (NUMBER, "in-progress", "2026-08-01")
    with pytest.raises(
        RemovalIncompleteError, match="a call of the caller to the telephony provider is not over"
    ):
        erase.handler({"phoneNumber": NUMBER}, context)
    functions.held.record(CALL, LOST, LONG_AGO)  # and its webhook is lost
    assert functions.ask("return")["Reason"] == "erasing"
    functions.held.calls[CALL] = (NUMBER, "completed", "2026-08-01")
    assert erase.handler({"phoneNumber": NUMBER}, context) == {"erased": True}
    assert at_twilio(functions) == set()
    assert functions.follow(twiml, CallSid=CALL)[0] == 409


def test_erasing_hundreds_of_kept_recordings_goes_on_where_it_ended(
    functions: Any, new_context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.enrol()
    kept = [f"RE{n:032x}" for n in range(300)]
    functions.callers.update_item(
        TableName="ConnectTwilio",
        Key={"phoneNumber": {"S": NUMBER}},
        UpdateExpression="SET recordings = :r",
        ExpressionAttributeValues={":r": {"L": [{"S": one} for one in kept]}},
    )
    for number in range(3):
        hold(functions, call=f"CA{number:032x}", recording=f"RE{number + 5_000:032x}")
    functions.twilio.seen.clear()

    def run() -> int:
        """Run until 70 looks at the clock; return how many recordings were deleted."""
        looks = iter([60.0] * 70)
        context = new_context(60.0)
        monkeypatch.setattr(
            type(context), "get_remaining_time_in_millis", lambda _: int(next(looks, 10.0) * 1_000)
        )
        before = len(deletions(functions.twilio))
        with contextlib.suppress(removal.RemovalUnderWayError):
            assert erase.handler({"phoneNumber": NUMBER}, context) == {"erased": True}
        return len(deletions(functions.twilio)) - before

    runs = [run() for _ in range(5)]
    assert runs[:4] == [70] * 4, "a run is bounded"
    deleted = deletions(functions.twilio)
    assert len(deleted) == len(set(deleted)) == 303, "nothing is deleted twice"
    assert functions.item() == {}
    assert at_twilio(functions) == set()


def test_the_sweep_finds_what_no_webhook_told_of(
    functions: Any, context: Any, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    forget_watermark(functions)
    hold(functions)
    functions.held.calls[OTHER] = (NUMBER, "completed", "2026-07-31")  # it went on past midnight
    functions.held.record(OTHER, "RE" + "8" * 32, LONG_AGO)
    functions.held.record("CA" + "3" * 32, "RE" + "7" * 32, LONG_AGO)  # of another number of the account
    functions.held.page_size = 1
    retention.handler({}, context)
    assert at_twilio(functions) == {"RE" + "7" * 32}
    assert LOST in logs()
    assert NUMBER[1:] not in logs()
    seen = len(functions.twilio.seen)
    retention.handler({}, context)
    assert len(functions.twilio.seen) - seen == 1, "a day that is over and clean is not looked at again"


def test_the_sweep_finds_what_is_recorded_after_our_midnight_and_before_twilio_s(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_watermark(functions)
    midnight = NOON - 43_200
    monkeypatch.setattr(time, "time", lambda: midnight + 2)
    retention.handler({}, context)
    functions.held.calls[CALL] = (NUMBER, "completed", "2026-08-01")
    functions.held.record(CALL, LOST, "Sat, 01 Aug 2026 23:59:59 +0000")
    monkeypatch.setattr(time, "time", lambda: midnight + 86_402)
    retention.handler({}, context)
    assert at_twilio(functions) == set()


def test_the_sweep_leaves_what_the_account_s_owner_recorded(functions: Any, context: Any) -> None:
    forget_watermark(functions)
    hold(functions)
    functions.held.source = "DialVerb"
    retention.handler({}, context)
    assert at_twilio(functions) == {LOST}


def test_the_sweep_leaves_a_recording_that_may_be_being_judged_for_the_next_day(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOON  # an hour before must be on the same day
    monkeypatch.setattr(time, "time", lambda: now)
    forget_watermark(functions)
    today = time.strftime("%Y-%m-%d", time.gmtime(now))
    functions.held.calls[CALL] = (NUMBER, "completed", today)
    functions.held.record(CALL, LOST, formatdate(now - 60))
    functions.held.calls[OTHER] = (NUMBER, "in-progress", today)
    functions.held.record(OTHER, "RE" + "8" * 32, formatdate(now - 3_600))
    retention.handler({}, context)
    assert len(at_twilio(functions)) == 2
    functions.held.calls[OTHER] = (NUMBER, "completed", today)
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    retention.handler({}, context)
    assert at_twilio(functions) == set()


def test_the_sweep_comes_back_to_a_day_that_was_not_clean(functions: Any, context: Any) -> None:
    forget_watermark(functions)
    hold(functions)
    functions.twilio.respond = lambda seen: (
        (500, {}, b"") if seen.method == "DELETE" else functions.held.answer(seen)
    )
    with pytest.raises(retention.SweepIncompleteError, match="1 recordings are left at Twilio"):
        retention.handler({}, context)
    functions.twilio.respond = functions.answer_as_twilio
    retention.handler({}, context)
    assert at_twilio(functions) == set()


def test_a_sweep_that_twilio_does_not_answer_fails_and_is_made_up_for(functions: Any, context: Any) -> None:
    functions.twilio.respond = lambda _: (429, {}, b"")
    with pytest.raises(retention.SweepIncompleteError, match="Twilio did not say"):
        retention.handler({}, context)
    functions.twilio.respond = functions.answer_as_twilio
    assert retention.handler({}, context) == {"done": 0}


def test_with_kept_recordings_the_sweep_deletes_those_that_no_caller_has(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELETE_RECORDINGS", "false")
    functions.enrol()
    kept = [one["S"] for one in functions.item()["recordings"]["L"]]
    forget_watermark(functions)
    hold(functions)
    for sid in kept:
        functions.held.record(CALL, sid, LONG_AGO)
    retention.handler({}, context)
    assert at_twilio(functions) == set(kept)


@pytest.mark.parametrize(
    "page",
    [
        b"[]",
        b"{}",
        b'{"recordings": {}}',
        b"garbage",
        b'{"recordings": [], "next_page_uri": "https://elsewhere.example.com/x"}',
        b'{"recordings": [], "next_page_uri": "/2010-04-01/Accounts/ACx/Calls.json?Page=1"}',
    ],
)
def test_a_list_that_is_none_is_no_empty_list(functions: Any, context: Any, page: bytes) -> None:
    functions.twilio.respond = lambda _: (200, {}, page)
    with pytest.raises(retention.SweepIncompleteError, match="Twilio did not say"):
        retention.handler({}, context)


def test_an_unfinished_enrolment_is_discarded_by_the_sweep_if_its_end_was_not_told(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENROLMENTS_NEEDED", "3")
    _, twiml = functions.follow(functions.connect(functions.ask()), Digits="1")
    functions.follow(twiml)
    retention.handler({}, context)
    assert deletions(functions.voiceit) == [], "its call goes on"
    now = time.time() + 400
    monkeypatch.setattr(time, "time", lambda: now)
    functions.voiceit.respond = lambda _: (503, {}, b"")
    with pytest.raises(retention.SweepIncompleteError):
        retention.handler({}, context)
    assert functions.item()["discarded"] == {"L": [{"S": "usr_1"}]}
    functions.voiceit.respond = functions.answer_as_voiceit
    assert retention.handler({}, context) == {"done": 1}
    assert "discarded" not in functions.item()
    assert deletions(functions.voiceit)[-1:] == ["/users/usr_1"]


def test_a_caller_who_never_agreed_is_forgotten_after_a_day(
    functions: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.connect(functions.ask())
    now = time.time() + 86_401
    monkeypatch.setattr(time, "time", lambda: now)
    assert retention.handler({}, context) == {"done": 1}
    assert functions.item() == {}


def test_a_provider_that_says_deleted_and_still_has_the_user_is_not_believed(functions: Any) -> None:
    functions.enrol()
    functions.voiceit.respond = lambda seen: (
        (200, {}, b'{"responseCode": "SUCC", "exists": true}')
        if seen.method == "GET"
        else functions.answer_as_voiceit(seen)
    )
    with pytest.raises(ProviderUnavailableError, match="still has it"):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    assert functions.item()["userId"] == {"S": "usr_1"}
