# ruff: noqa: N803, N818 (fakes have the signatures of what they replace)
"""One policy for every secret under rotation; each test is a sentence of the module's docstring."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.shared import rotated_secret
from runtime.shared.rotated_secret import (
    PREVIOUS_SECONDS,
    RECHECK_SECONDS,
    STALE_SECONDS,
    RotatedSecret,
    SecretUnavailableError,
    accepts,
    digest_of,
    json_fields,
)

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"
NOW = 1_800_000_000.0
CACHE_SECONDS = 300.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class SecretsManager:
    """GetSecretValue, with a switch to break it and a list of the calls."""

    class ResourceNotFoundException(Exception):
        pass

    def __init__(self, clock: Clock, current: str | None = "a") -> None:
        self.clock = clock
        self.versions: dict[str, str | None] = {"AWSCURRENT": current}
        self.created: float | None = NOW - 10 * 86_400
        self.failures: dict[str, Exception] = {}
        self.calls: list[str] = []

    def rotate(self, new: str) -> None:
        self.versions = {"AWSCURRENT": new, "AWSPREVIOUS": self.versions["AWSCURRENT"]}
        self.created = self.clock.now

    def break_down(self, error: Exception | None = None) -> None:
        self.failures = dict.fromkeys(("AWSCURRENT", "AWSPREVIOUS"), error or ConnectionError("no route"))

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:
        assert SecretId == ARN
        self.calls.append(VersionStage)
        if VersionStage in self.failures:
            raise self.failures[VersionStage]
        if self.versions.get(VersionStage) is None:
            raise self.ResourceNotFoundException
        answer: dict[str, Any] = {"SecretString": self.versions[VersionStage]}
        if self.created is not None:
            answer["CreatedDate"] = datetime.fromtimestamp(self.created, UTC)
        return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> SecretsManager:
    return SecretsManager(clock)


@pytest.fixture
def secret(store: SecretsManager, clock: Clock) -> RotatedSecret[str]:
    return RotatedSecret(store, ARN, str, cache_seconds=CACHE_SECONDS, clock=clock)


@pytest.fixture
def tokens(store: SecretsManager, clock: Clock) -> RotatedSecret[bytes]:
    return RotatedSecret(store, ARN, digest_of, cache_seconds=CACHE_SECONDS, clock=clock)


# --- which versions count ----------------------------------------------------------------------------------------


def test_without_a_rotation_there_is_one_version_read_once(
    secret: RotatedSecret[str], store: SecretsManager
) -> None:
    assert secret.versions() == ("a",)
    assert store.calls == ["AWSCURRENT"], "the previous one cannot count"


def test_a_secret_that_was_just_made_has_no_previous_version(
    secret: RotatedSecret[str], store: SecretsManager
) -> None:
    store.created = NOW
    assert secret.versions() == ("a",)


def test_the_previous_version_counts_for_an_hour_after_the_rotation(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    store.rotate("b")
    assert secret.versions() == ("b", "a")
    clock.now = NOW + PREVIOUS_SECONDS - 1
    assert secret.versions() == ("b", "a")
    clock.now = NOW + PREVIOUS_SECONDS
    assert secret.versions() == ("b",)


def test_the_hour_is_kept_between_two_reads_and_in_an_outage(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    store.rotate("b")
    clock.now += PREVIOUS_SECONDS - 10
    assert secret.versions() == ("b", "a")
    store.break_down()
    clock.now += 11
    assert secret.versions() == ("b",)
    clock.now += CACHE_SECONDS
    assert secret.versions() == ("b",)


def test_a_rotation_while_a_version_is_in_memory_is_seen_when_the_cache_time_is_over(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    assert secret.versions() == ("a",)
    clock.now += 10
    store.rotate("b")
    clock.now += CACHE_SECONDS - 11
    assert secret.versions() == ("a",)
    clock.now += 1
    assert secret.versions() == ("b", "a")


def test_of_two_rotations_within_the_hour_the_oldest_version_is_shut_out(
    tokens: RotatedSecret[bytes], store: SecretsManager
) -> None:
    store.rotate("b")
    store.rotate("c")
    assert accepts(tokens, "c")
    assert accepts(tokens, "b")
    assert not accepts(tokens, "a")


def test_without_the_rotations_date_no_previous_version_counts(
    secret: RotatedSecret[str], store: SecretsManager
) -> None:
    store.rotate("b")
    store.created = None
    assert secret.versions() == ("b",)


@pytest.mark.parametrize("ahead", [2.0, 10 * 86_400.0])
def test_a_date_ahead_of_our_clock_counts_as_now(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock, ahead: float
) -> None:
    store.rotate("b")
    store.created = NOW + ahead
    assert secret.versions() == ("b", "a")
    store.break_down()
    clock.now += PREVIOUS_SECONDS
    assert secret.versions() == ("b",)


def test_a_current_version_put_back_from_long_ago_shuts_the_newer_one_out(
    secret: RotatedSecret[str], store: SecretsManager
) -> None:
    store.versions = {"AWSCURRENT": "old and good", "AWSPREVIOUS": "new and leaked"}
    assert secret.versions() == ("old and good",)


def test_a_previous_version_that_is_unfit_does_not_count(store: SecretsManager, clock: Clock) -> None:
    store.versions["AWSCURRENT"] = "nonsense"
    store.rotate('{"a": "1"}')
    secret = RotatedSecret(store, ARN, json_fields("a"), clock=clock)
    assert secret.versions() == ({"a": "1"},)


# --- how fresh ---------------------------------------------------------------------------------------------------


def test_the_secret_is_read_once_in_the_cache_time(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    for _ in range(10):
        secret.versions()
        clock.now += 30
    assert len(store.calls) == 1
    secret.versions()
    assert len(store.calls) == 2


def test_a_cache_time_of_zero_reads_every_time(store: SecretsManager, clock: Clock) -> None:
    secret = RotatedSecret(store, ARN, str, cache_seconds=0, clock=clock)
    secret.versions()
    secret.versions()
    assert len(store.calls) == 2


def test_a_token_rotated_in_a_moment_ago_is_accepted_at_once(
    tokens: RotatedSecret[bytes], store: SecretsManager, clock: Clock
) -> None:
    assert accepts(tokens, "a")
    clock.now += 1
    store.rotate("b")
    assert accepts(tokens, "b")
    assert accepts(tokens, "a")


def test_guessing_tokens_does_not_hammer_secrets_manager(
    tokens: RotatedSecret[bytes], store: SecretsManager, clock: Clock
) -> None:
    for guess in range(1000):
        assert not accepts(tokens, f"guess {guess}")
        clock.now += 0.02
    assert len(store.calls) <= 1 + 20 / RECHECK_SECONDS


def test_looking_again_tells_whether_anything_changed(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    secret.versions()
    assert secret.reread() is False
    store.rotate("b")
    assert secret.reread() is False, "within the 5 s"
    clock.now += RECHECK_SECONDS
    assert secret.reread() is True
    assert secret.versions() == ("b", "a")


def test_a_clock_set_back_reads_the_secret_anew(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    secret.versions()
    clock.now -= 1000
    secret.versions()
    assert len(store.calls) == 2


# --- an outage ---------------------------------------------------------------------------------------------------


def test_what_was_read_serves_on_for_an_hour_beyond_the_cache_time_and_no_longer(
    tokens: RotatedSecret[bytes], store: SecretsManager, clock: Clock
) -> None:
    assert accepts(tokens, "a")
    store.break_down()
    clock.now += CACHE_SECONDS + STALE_SECONDS - 1
    assert accepts(tokens, "a")
    assert not accepts(tokens, "b")
    clock.now += 1
    with pytest.raises(SecretUnavailableError, match=rf"{ARN} cannot be read \(ConnectionError\)"):
        accepts(tokens, "a")
    store.failures = {}
    assert accepts(tokens, "a")


def test_an_outage_is_not_made_worse_by_asking_at_every_request(
    tokens: RotatedSecret[bytes], store: SecretsManager, clock: Clock
) -> None:
    assert accepts(tokens, "a")
    store.break_down()
    clock.now += CACHE_SECONDS
    for _ in range(100):
        assert accepts(tokens, "a")
        assert not accepts(tokens, "b")
    assert len(store.calls) == 2
    clock.now += RECHECK_SECONDS
    assert accepts(tokens, "a")
    assert len(store.calls) == 3


def test_a_function_that_has_read_nothing_yet_says_so(
    secret: RotatedSecret[str], store: SecretsManager
) -> None:
    store.break_down()
    with pytest.raises(SecretUnavailableError, match="try again when Secrets Manager answers"):
        secret.versions()
    store.failures = {}
    assert secret.versions() == ("a",)


def test_a_previous_version_that_cannot_be_read_is_an_outage_too(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock
) -> None:
    assert secret.versions() == ("a",)
    clock.now += CACHE_SECONDS
    store.rotate("b")
    store.failures = {"AWSPREVIOUS": TimeoutError()}
    assert secret.versions() == ("a",), "half a rotation would refuse those who still show the previous one"


@pytest.mark.parametrize("failure", [TimeoutError(), ConnectionError("no route"), RuntimeError("denied")])
def test_a_previous_version_that_cannot_be_read_does_not_keep_a_cold_start_from_the_current_one(
    secret: RotatedSecret[str], store: SecretsManager, clock: Clock, failure: Exception
) -> None:
    store.rotate("b")
    store.failures = {"AWSPREVIOUS": failure}
    assert secret.versions() == ("b",)
    assert not secret.any_version(lambda version: version == "a")
    store.failures = {}
    clock.now += RECHECK_SECONDS
    assert secret.any_version(lambda version: version == "a"), "looked for again when nothing fitted"


def test_beside_an_unfit_current_version_the_previous_one_serves_a_cold_start_for_its_hour(
    store: SecretsManager, clock: Clock
) -> None:
    store.versions["AWSCURRENT"] = '{"a": "1"}'
    store.rotate("mistyped")
    secret = RotatedSecret(store, ARN, json_fields("a"), cache_seconds=CACHE_SECONDS, clock=clock)
    assert secret.versions() == ({"a": "1"},)
    clock.now = NOW + PREVIOUS_SECONDS
    with pytest.raises(SecretUnavailableError, match=r"no JSON object with the texts a.*put-secret-value"):
        secret.versions()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, r"ResourceNotFoundException.*put-secret-value"),
        ("", r"holds no text.*put-secret-value"),
        ("nonsense", r"no JSON object with the texts a, b.*put-secret-value"),
        ("[]", "no JSON object"),
        ('{"a": "1"}', "no JSON object"),
        ('{"a": "1", "b": ""}', "no JSON object"),
        ('{"a": "1", "b": 2}', "no JSON object"),
    ],
)
def test_a_secret_that_does_not_hold_what_it_should_is_named_with_the_fix(
    clock: Clock, content: str | None, problem: str
) -> None:
    unfit = RotatedSecret(SecretsManager(clock, content), ARN, json_fields("a", "b"), clock=clock)
    with pytest.raises(SecretUnavailableError, match=problem):
        unfit.versions()


def test_an_unfit_new_version_leaves_the_one_in_memory_in_force(store: SecretsManager, clock: Clock) -> None:
    store.versions["AWSCURRENT"] = '{"a": "1"}'
    secret = RotatedSecret(store, ARN, json_fields("a"), cache_seconds=CACHE_SECONDS, clock=clock)
    assert secret.versions() == ({"a": "1"},)
    store.rotate("mistyped")
    clock.now += CACHE_SECONDS
    assert secret.versions() == ({"a": "1"},)


# --- comparison, and what is written down ------------------------------------------------------------------------


@given(token=st.text(min_size=1))
def test_no_text_but_the_token_is_accepted(token: str) -> None:
    clock = Clock()
    tokens = RotatedSecret(SecretsManager(clock, "the token"), ARN, digest_of, clock=clock)
    assert accepts(tokens, token) is (token == "the token")


@pytest.mark.parametrize(("shown", "accepted"), [("b", True), ("a", True), ("c", False)])
def test_every_version_is_compared_in_constant_time_on_digests(
    tokens: RotatedSecret[bytes],
    store: SecretsManager,
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    accepted: bool,
) -> None:
    store.rotate("b")
    tokens.versions()
    tokens.reread()
    compared: list[tuple[bytes, bytes]] = []
    genuine = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return genuine(left, right)

    monkeypatch.setattr(rotated_secret.hmac, "compare_digest", spy)
    assert accepts(tokens, shown) is accepted
    digest = hashlib.sha256(shown.encode()).digest()
    assert compared == [(digest, hashlib.sha256(known).digest()) for known in (b"b", b"a")]


def test_nothing_of_a_secret_is_ever_logged_or_said(
    clock: Clock, logs: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    store = SecretsManager(clock, "nobody-may-log, and no JSON")
    secret = RotatedSecret(store, ARN, json_fields("a"), clock=clock)
    with pytest.raises(SecretUnavailableError) as raised:
        secret.versions()
    store.versions["AWSCURRENT"] = '{"a": "nobody-may-log"}'
    assert secret.any_version(lambda version: version["a"] == "nobody-may-log")
    written = logs() + "".join(capsys.readouterr()) + repr(secret) + repr(raised.value)
    assert "secret not read" in written
    assert ARN in written
    assert "nobody-may-log" not in written
