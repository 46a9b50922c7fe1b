"""Faults that last: what meets a service, an endpoint and the external voice system while they are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.cloud.troubles import EXTERNAL_VOICE, Trouble, Troubles
from connect_sandbox.rehearsal.ports import CallFailed, DialOutcome, HungUpByVendor, Invite, Line, NotAnswered
from connect_sandbox.rehearsal.troubled_voice import TroubledVoice


class Telephone:
    """A caller's end that notes what the vendor does."""

    def __init__(self) -> None:
        self.rang = 0.0

    def vendor_says(self, text: str) -> None:
        raise AssertionError(text)

    def vendor_asks(self, text: str) -> str | None:
        raise AssertionError(text)

    def vendor_does(self, text: str, seconds: float = 0.0, data: Mapping[str, Any] | None = None) -> None:
        assert text.endswith("a fault that was set")
        assert data is None
        self.rang += seconds

    def caller_stays(self) -> bool:
        return True


class Vendor:
    """An external voice system that takes every call; it remembers how long it might ring."""

    def __init__(self) -> None:
        self.limits: list[float] = []

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        assert invite.to
        assert line.caller_stays()
        self.limits.append(time_limit)
        return HungUpByVendor()


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("down", CallFailed("503 Service Unavailable")),
        ("denied", CallFailed("403 Forbidden")),
        ("throttled", CallFailed("486 Busy Here")),
    ],
)
def test_the_external_voice_system_refuses_calls(kind: str, outcome: DialOutcome) -> None:
    troubles, vendor = Troubles(), Vendor()
    voice = TroubledVoice(troubles, vendor)
    troubles.set(EXTERNAL_VOICE, kind)
    assert (
        voice.dial(Invite(to="+18005550100", from_="+12065550142"), time_limit=30, line=Telephone())
        == outcome
    )
    troubles.forget()
    assert (
        voice.dial(Invite(to="+18005550100", from_="+12065550142"), time_limit=30, line=Telephone())
        == HungUpByVendor()
    )
    assert vendor.limits == [30]


def test_a_slow_one_rings_and_a_slower_one_is_not_answered() -> None:
    troubles, vendor, telephone = Troubles(), Vendor(), Telephone()
    voice = TroubledVoice(troubles, vendor)
    invite = Invite(to="+18005550100", from_="+12065550142")
    troubles.set(EXTERNAL_VOICE, "slow", 20)
    assert voice.dial(invite, time_limit=30, line=telephone) == HungUpByVendor()
    assert (vendor.limits, telephone.rang) == ([10], 20)
    troubles.set(EXTERNAL_VOICE, "slow", 40)
    assert voice.dial(invite, time_limit=30, line=telephone) == NotAnswered()
    assert telephone.rang == 50


def test_a_service_that_is_down_or_throttled_answers_with_aws_errors() -> None:
    troubles = Troubles()
    assert troubles.meets("dynamodb") is None
    for kind, code, status in (
        ("down", "ServiceUnavailable", 503),
        ("throttled", "ThrottlingException", 400),
    ):
        troubles.set("service:dynamodb", kind)
        error = troubles.meets("dynamodb")
        assert error is not None
        assert (error.code, error.status) == (code, status)
        assert troubles.meets("sqs") is None


def test_a_new_trouble_takes_the_place_of_the_old_and_each_is_told() -> None:
    troubles = Troubles()
    told: list[tuple[str, bool]] = []

    def tell(trouble: Trouble, begins: bool) -> None:
        told.append((trouble.kind, begins))

    troubles.told_to = tell
    troubles.set("vendor:hooks.example.com", "down")
    troubles.set("vendor:hooks.example.com", "denied")
    troubles.forget("vendor:hooks.example.com")
    troubles.forget("vendor:hooks.example.com")
    assert told == [("down", True), ("down", False), ("denied", True), ("denied", False)]
    assert troubles.all() == []


@pytest.mark.parametrize(
    ("target", "kind", "seconds", "words"),
    [
        ("service:sqs", "tired", 1, "it is one of slow, down, denied, throttled"),
        ("sqs", "down", 1, "write function:NAME, service:NAME, vendor:HOST"),
        ("service:", "down", 1, "'service:' cannot have a fault"),
        ("service:sqs", "slow", 0, "more than 0 and at most 300 s"),
        ("service:sqs", "slow", float("nan"), "more than 0 and at most 300 s"),
    ],
)
def test_what_cannot_be_a_trouble_is_refused(target: str, kind: str, seconds: float, words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        Troubles().set(target, kind, seconds)
