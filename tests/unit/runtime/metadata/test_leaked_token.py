# ruff: noqa: N803 (the fake has the signature of what it replaces)
"""A token that was rotated out twice is refused when the page says, although two caches lie in its way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from connect_sandbox.cloud.api_gateway.authorizer import TokenAuthorizers
from connect_sandbox.cloud.api_gateway.context import RequestState
from connect_sandbox.cloud.api_gateway.errors import GatewayError
from connect_sandbox.cloud.api_gateway.registry import Authorizer
from connect_sandbox.cloud.http import Headers, HttpRequest

from runtime.metadata import limits
from runtime.metadata.authorize import _authorize, _token_digest
from runtime.shared.rotated_secret import PREVIOUS_SECONDS, RotatedSecret

LEAKED = "leaked-token"
START = 1_800_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class SecretsManager:
    """GetSecretValue of one secret; `versions` are the current one and the one before."""

    clock: Clock
    versions: tuple[str, str | None] = (LEAKED, None)
    created: float = START - 86_400

    def rotate(self, new: str) -> None:
        self.versions, self.created = (new, self.versions[0]), self.clock.now

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:
        text = self.versions[VersionStage == "AWSPREVIOUS"]
        assert SecretId.endswith("t-AbCdEf")
        assert text
        return {"SecretString": text, "CreatedDate": datetime.fromtimestamp(self.created, UTC)}


@dataclass
class Invocation:
    payload: dict[str, Any]
    function_error: str = ""

    def json(self) -> dict[str, Any]:
        return self.payload


@dataclass
class Functions:
    """Lambda with the one authorizer function, warm all the time."""

    tokens: RotatedSecret[bytes]

    def invoke(self, _arn: str, event: dict[str, Any], **_how: object) -> Invocation:
        return Invocation(json.loads(json.dumps(_authorize(event, self.tokens)[1])))


class Bridge:
    """The sandbox's API Gateway before the real authorizer, on one clock, with the caches of a token_cache."""

    def __init__(self, token_cache: int) -> None:
        self.clock = Clock()
        self.secrets = SecretsManager(self.clock)
        gateway, function = limits.shared_cache(token_cache)
        tokens = RotatedSecret(
            self.secrets,
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:t-AbCdEf",
            _token_digest,
            cache_seconds=function,
            clock=self.clock,
        )
        self.gateway = TokenAuthorizers(Functions(tokens), self.clock)  # type: ignore[arg-type]
        self._authorizer = Authorizer("a", "a", "arn", "authorizationToken", "", gateway)

    def takes(self, token: str) -> bool:
        request = HttpRequest("POST", "/prod/metadata", Headers([("authorizationToken", token)]))
        state = RequestState(
            request,
            "123456789012",
            "a1b2c3d4e5",
            "prod",
            "a.execute-api.us-east-1.amazonaws.com",
            "/metadata",
        )
        try:
            self.gateway.authorize(self._authorizer, state)
        except GatewayError as refusal:
            if refusal.response_type != "ACCESS_DENIED":
                raise
            return False
        return True


@pytest.mark.parametrize("token_cache", [0, 1, 2, 60, 300, 3600])
@pytest.mark.parametrize("last_look", [0.0, 0.25, 0.499, 0.5, 0.75, 0.999])
def test_after_two_rotations_it_is_refused_within_the_documented_time(
    token_cache: int, last_look: float
) -> None:
    bridge = Bridge(token_cache)
    assert bridge.takes(LEAKED)
    bridge.secrets.rotate("second")
    bridge.secrets.rotate("third")
    bridge.clock.now = START + token_cache * last_look
    bridge.gateway.flush("a1b2c3d4e5")  # another host of the gateway, which has not seen the token yet
    bridge.takes(LEAKED)
    bridge.clock.now = START + token_cache
    assert not bridge.takes(LEAKED)
    assert bridge.takes("third")


@pytest.mark.parametrize("token_cache", [60, 300, 3600])
def test_without_a_leak_a_decision_is_trusted_for_half_the_time_at_the_gateway(token_cache: int) -> None:
    bridge = Bridge(token_cache)
    assert bridge.takes(LEAKED)
    bridge.secrets.rotate("second")
    bridge.secrets.rotate("third")
    bridge.clock.now = START + token_cache // 2 - 1
    assert bridge.takes(LEAKED), "nobody asks again before"


def test_a_token_rotated_out_once_ends_an_hour_and_half_a_cache_time_later_at_the_latest() -> None:
    bridge = Bridge(3600)
    bridge.secrets.rotate("second")
    assert bridge.takes(LEAKED)
    bridge.clock.now = START + PREVIOUS_SECONDS - 1
    bridge.gateway.flush("a1b2c3d4e5")
    assert bridge.takes(LEAKED), "the vendor has this hour"
    bridge.clock.now = START + PREVIOUS_SECONDS + 1800 - 1
    bridge.takes(LEAKED)
    bridge.clock.now += 1
    assert not bridge.takes(LEAKED)
