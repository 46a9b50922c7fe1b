"""The token that the webhook wants to see, from Secrets Manager.

The vendor's platform issues it (guide 001, step 1.3), so that a rotation happens in two places at two times. Both
versions that a rotation leaves in the secret are therefore tried, the current one first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from runtime.chat.failures import BotNotReachedError, Reason
from runtime.shared.clients import AwsClient, error_code
from runtime.shared.logging import LOGGER

_FITS_INTO_A_HEADER = re.compile(r"[\x21-\x7e]+", re.ASCII)


class VerificationToken:
    """Reads the token at most every `cache_seconds`, unless the vendor refuses what is in memory."""

    def __init__(
        self, client: AwsClient, secret_arn: str, cache_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._cache_seconds = cache_seconds
        # Wall clock, not a monotonic one: Lambda freezes the environment between invocations.
        self._clock = clock
        self._token = ""
        self._read_at = -math.inf

    def current(self) -> str:
        """Return the current token; while Secrets Manager cannot be read, the one in memory serves on.

        Raises BotNotReachedError (verificationTokenUnavailable) if there is none.
        """
        if not 0 <= self._clock() - self._read_at < self._cache_seconds:
            try:
                self._refresh()
            except BotNotReachedError as error:
                if not self._token:
                    raise
                LOGGER.warning("verification token not read again", detail=str(error))
        return self._token

    def others(self, refused: str) -> Iterator[str]:
        """Yield what to try after the vendor refused a token: a newer current one, then the previous one.

        A version that cannot be read is left out: the vendor's refusal then stands.
        """
        for stage in ("AWSCURRENT", "AWSPREVIOUS"):
            try:
                token = self._refresh() if stage == "AWSCURRENT" else self._read(stage)
            except BotNotReachedError as error:
                LOGGER.info("no other verification token", stage=stage, detail=str(error))
                continue
            if token != refused:
                yield token

    def _refresh(self) -> str:
        self._token = self._read("AWSCURRENT")
        self._read_at = self._clock()
        return self._token

    def _read(self, stage: str) -> str:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_arn, VersionStage=stage)
        except Exception as error:
            raise BotNotReachedError(
                Reason.TOKEN_UNAVAILABLE,
                f"version {stage} of secret {self._secret_arn} cannot be read: {error_code(error)}",
            ) from error
        token = str(answer.get("SecretString") or "").strip()  # a line end slips in easily
        if _FITS_INTO_A_HEADER.fullmatch(token) is None:
            raise BotNotReachedError(
                Reason.TOKEN_UNAVAILABLE,
                f"version {stage} of secret {self._secret_arn} is no token: store the vendor's verification token "
                "as the secret's text, printable ASCII without spaces, nothing around it",
            )
        return token
