"""The token in Secrets Manager, kept in memory as digests.

Both versions that a rotation leaves behind, AWSCURRENT and AWSPREVIOUS, are accepted, so that clients can
switch over without an interruption. To shut a leaked token out, rotate twice.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Callable

from runtime.shared.clients import AwsClient, error_code
from runtime.shared.errors import BridgeError, ConfigurationError
from runtime.shared.logging import LOGGER

RECHECK_SECONDS = 5.0
"""The least time between two looks into Secrets Manager that an unknown token can cause."""
STALE_SECONDS = 3600.0
"""How long tokens stay accepted beyond their cache time while Secrets Manager cannot be read."""


class TokenUnavailableError(BridgeError):
    """The token cannot be read, and no recent copy is in memory."""


class AcceptedTokens:
    """Compares tokens with those in Secrets Manager, reading them at most every `cache_seconds`.

    An unknown token may be one that was rotated in a moment ago. It causes a fresh look, yet at most one in
    RECHECK_SECONDS: whoever guesses tokens cannot make this function hammer Secrets Manager. API Gateway
    caches the refusal too, so a client may see it for the authorizer's cache time (300 s by default).

    If Secrets Manager cannot be read, what is in memory serves on for STALE_SECONDS.
    """

    def __init__(
        self, client: AwsClient, secret_arn: str, cache_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._cache_seconds = cache_seconds
        # Wall clock, not a monotonic one: Lambda freezes the environment between invocations.
        self._clock = clock
        self._digests: list[bytes] = []
        self._read_at = -math.inf
        self._looked_at = -math.inf
        self._failing = False

    def accepts(self, token: str) -> bool:
        """Tell whether the token is the current or the previous one. Raises TokenUnavailableError."""
        if not 0 <= self._age() < self._cache_seconds:
            self._refresh()
        if self._matches(token):
            return True
        if self._looked_just_now():
            return False
        self._refresh()
        return self._matches(token)

    def _matches(self, token: str) -> bool:
        shown = _digest(token)
        # Both comparisons always run, and run on digests: time tells neither which matched nor a length.
        matches = [hmac.compare_digest(shown, digest) for digest in self._digests]
        return any(matches)

    def _refresh(self) -> None:
        """Read both versions; while that fails, keep what is in memory as long as it may serve."""
        if not (self._failing and self._digests and self._looked_just_now()):
            self._looked_at = self._clock()
            try:
                self._digests = [self._read("AWSCURRENT"), self._read("AWSPREVIOUS")]
            except Exception as error:  # noqa: BLE001 (whatever it is, the tokens in memory may still serve)
                LOGGER.warning(
                    "token not read from Secrets Manager", cause=error_code(error), detail=str(error)
                )
                self._failing = True
            else:
                self._failing = False
                self._read_at = self._clock()
        if self._failing and not 0 <= self._age() < self._cache_seconds + STALE_SECONDS:
            self._digests = []
            raise TokenUnavailableError(
                f"secret {self._secret_arn} cannot be read, and no token read in the last "
                f"{self._cache_seconds + STALE_SECONDS:.0f} s is in memory; see the warning logged before"
            )

    def _read(self, stage: str) -> bytes:
        try:
            response = self._client.get_secret_value(SecretId=self._secret_arn, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException:
            if stage == "AWSPREVIOUS":  # never rotated yet
                return secrets.token_bytes(hashlib.sha256().digest_size)
            raise
        token = response.get("SecretString")
        if not token:
            raise ConfigurationError(
                f"version {stage} of secret {self._secret_arn} has no SecretString; store the token as text"
            )
        return _digest(token)

    def _looked_just_now(self) -> bool:
        return 0 <= self._clock() - self._looked_at < RECHECK_SECONDS

    def _age(self) -> float:
        return self._clock() - self._read_at


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
