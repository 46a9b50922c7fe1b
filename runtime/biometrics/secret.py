"""Credentials in Secrets Manager, kept in memory for some minutes, never logged.

The current and the previous version are both offered, so that a rotation breaks no call that is under way; the previous
one for an hour only, so that a token that leaked is worth nothing after it was replaced.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from runtime.shared.clients import AwsClient, error_code
from runtime.shared.errors import ConfigurationError, TemporarilyUnavailableError

RECHECK_SECONDS = 5.0
"""The least time between two looks that a wrong signature can cause: whoever guesses cannot hammer Secrets Manager."""
PREVIOUS_SECONDS = 3600.0
"""How long after a rotation the previous version counts."""


class Secret:
    """One secret, read at most every ``cache_seconds``. If it cannot be read, what is in memory serves on."""

    def __init__(
        self, client: AwsClient, arn: str, clock: Callable[[], float], cache_seconds: float = 300
    ) -> None:
        self._client = client
        self._arn = arn
        self._clock = clock  # wall clock: Lambda freezes the environment between invocations
        self._cache_seconds = cache_seconds
        self._texts: tuple[str, ...] = ()
        self._looked_at = -math.inf

    def texts(self) -> tuple[str, ...]:
        """Return the SecretString of the current version, then of the previous one if there is one.

        Raises TemporarilyUnavailableError if it was never read and cannot be read now.
        """
        if not self._texts or not 0 <= self._clock() - self._looked_at < self._cache_seconds:
            self._read()
        return self._texts

    def read_anew(self) -> bool:
        """Look again, at most once in RECHECK_SECONDS; tell whether something else was found."""
        if 0 <= self._clock() - self._looked_at < RECHECK_SECONDS:
            return False
        before = self._texts
        self._read()
        return self._texts != before

    def fields(self, *names: str) -> tuple[dict[str, str], ...]:
        """Return both versions as JSON objects with at least these text fields.

        Raises ConfigurationError if the current one is not such an object; an unfit previous one is left out.
        """
        parsed = [_fields(text, names) for text in self.texts()]
        if parsed[0] is None:
            raise ConfigurationError(
                f"secret {self._arn} is no JSON object with the texts {', '.join(names)}; store it with "
                "aws secretsmanager put-secret-value"
            )
        return tuple(one for one in parsed if one is not None)

    def _read(self) -> None:
        self._looked_at = self._clock()
        texts: list[str] = []
        for stage in ("AWSCURRENT", "AWSPREVIOUS"):
            try:
                answer = self._client.get_secret_value(SecretId=self._arn, VersionStage=stage)
            except self._client.exceptions.ResourceNotFoundException as error:
                if stage == "AWSCURRENT":
                    raise ConfigurationError(
                        f"secret {self._arn} does not exist or has no value; store one with "
                        "aws secretsmanager put-secret-value"
                    ) from error
                continue  # never rotated yet
            except Exception as error:
                if self._texts:
                    return
                raise TemporarilyUnavailableError(
                    f"secret {self._arn} cannot be read: {error_code(error)}"
                ) from error
            texts.append(answer.get("SecretString") or "")
            rotated_at = answer.get("CreatedDate")
            if rotated_at is not None and self._clock() - rotated_at.timestamp() > PREVIOUS_SECONDS:
                break
        self._texts = tuple(texts)


def _fields(text: str, names: tuple[str, ...]) -> dict[str, str] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    found = {name: value for name in names if isinstance(value := document.get(name), str) and value}
    return found if len(found) == len(names) else None
