"""Forgetting callers: on request, after long, and again where it failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from connect_bridges.runtime.voice_biometrics import erase, retention
from connect_bridges.runtime.voice_biometrics.erasure import ErasureIncompleteError
from connect_bridges.runtime.voice_biometrics.provider import ProviderUnavailableError

NUMBER = "+12065550100"


def deletions(stand_in: Any) -> list[str]:
    return [one.path for one in stand_in.seen if one.method == "DELETE"]


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
    assert functions.follow(twiml)[0] == 409
    assert functions.ask("return")["Branch"] == "failedverified"


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
    with pytest.raises(ErasureIncompleteError, match="2 recordings were not deleted"):
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
