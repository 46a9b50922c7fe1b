"""A secret in Secrets Manager and its rotation: one reader, one policy, for tokens we check and credentials we show.

- **Which versions count.** The current one (AWSCURRENT), and for PREVIOUS_SECONDS after a rotation the previous one
  (AWSPREVIOUS) as well, whether it is compared with what somebody shows or shown to somebody: two sides never rotate
  in the same moment. The rotation's time is AWSCURRENT's CreatedDate. A current version without a date lets no
  previous one count, since nothing would end its time; one that lies a little ahead (the clocks of two machines)
  counts as created now. A rotation by AWS's four steps dates from its first step; moving AWSCURRENT back to an older
  version shuts the newer one out at once. The hour is kept at every use, not only when the secret is read.
- **How fresh.** The secret is read at most every ``cache_seconds``, and once more when none of its versions fits, at
  most every RECHECK_SECONDS: a version that was rotated in a moment ago is found, and whoever guesses tokens cannot
  make a function hammer Secrets Manager. A version that was rotated out is known as the current one until then, in
  functions that read it before the rotation.
- **An outage.** If the secret cannot be read, for whatever reason, what was read serves on for STALE_SECONDS beyond
  the cache time, and Secrets Manager is asked again at most every RECHECK_SECONDS. After that, and in a function that
  has read nothing yet, SecretUnavailableError says which secret and why.
- **Half of it readable.** A function that has read nothing yet serves with the version that it can read: the current
  one alone if the previous one cannot be read, the previous one alone, for its hour, if the current one is unfit. One
  that has both in memory keeps them, as in an outage.
- **To shut a leaked version out**, rotate twice; functions forget it within the cache time.

Neither a version nor anything made of it is ever logged or put into an error.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

from runtime.shared.clients import AwsClient, client, error_code
from runtime.shared.errors import BridgeError
from runtime.shared.logging import LOGGER
from runtime.shared.service_models import secretsmanager

PREVIOUS_SECONDS = 3600.0
"""How long after a rotation the previous version counts."""
STALE_SECONDS = 3600.0
"""How long, beyond its cache time, what was read serves on while the secret cannot be read."""
RECHECK_SECONDS = 5.0
"""The least time between two looks that a version which does not fit, or an outage, can cause."""

T = TypeVar("T")


class SecretUnavailableError(BridgeError):
    """A secret cannot be read, or does not hold what it should, and nothing recent is in memory."""


class UnfitSecretError(BridgeError):
    """Raised by a ``parse`` function: the text is not what it should be. The message says what that is."""


class RotatedSecret(Generic[T]):
    """One secret; ``parse`` makes of each version's text what the function needs, and raises UnfitSecretError.

    Beside an unfit current version, what was read before serves on, or else the previous one. An unfit previous one
    does not count.
    ``clock`` gives Unix time in seconds (Lambda freezes monotonic clocks between invocations).
    """

    def __init__(
        self,
        client: AwsClient,
        arn: str,
        parse: Callable[[str], T],
        *,
        cache_seconds: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._arn = arn
        self._parse = parse
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._current: list[T] = []
        self._previous: list[T] = []
        self._previous_ends = -math.inf
        self._read_at = -math.inf
        self._rechecked_at = -math.inf
        self._failed_at = -math.inf
        self._problem = ""

    def __repr__(self) -> str:
        return f"RotatedSecret({self._arn})"

    def versions(self) -> tuple[T, ...]:
        """Return the current version, then the previous one if it counts. Raises SecretUnavailableError."""
        if not self._is_younger_than(self._cache_seconds) or not self._known():
            self._refresh()
        return self._known()

    def reread(self) -> bool:
        """Look again because no version fitted, at most once in RECHECK_SECONDS; tell whether others were found.

        An outage changes nothing, and raises nothing, while what was read may serve.
        """
        if 0 <= self._clock() - self._rechecked_at < RECHECK_SECONDS:
            return False
        self._rechecked_at = self._clock()
        before = self._known()
        self._refresh()
        return self._known() != before

    def any_version(self, fits: Callable[[T], bool]) -> bool:
        """Tell whether a version fits, looking again if none does. Raises SecretUnavailableError.

        Every version is tried, so that the time taken does not tell which one fits; ``fits`` must compare in
        constant time.
        """
        if any([fits(version) for version in self.versions()]):  # noqa: C419 (a generator would stop early)
            return True
        return self.reread() and any([fits(version) for version in self._known()])  # noqa: C419

    def _known(self) -> tuple[T, ...]:
        counts = self._clock() < self._previous_ends
        return (*self._current, *(self._previous if counts else ()))

    def _is_younger_than(self, seconds: float) -> bool:
        # A clock that was set back makes the age negative: read again.
        return 0 <= self._clock() - self._read_at < seconds

    def _refresh(self) -> None:
        """Read both versions; while that fails, keep what is in memory for as long as it may serve."""
        serves = bool(self._known()) and self._is_younger_than(self._cache_seconds + STALE_SECONDS)
        if serves and 0 <= self._clock() - self._failed_at < RECHECK_SECONDS:
            return
        try:
            self._read(need_all=serves)
        except Exception as error:
            problem = _problem(error)
            LOGGER.warning("secret not read", secret=self._arn, cause=problem)
            self._failed_at = self._clock()
            if not serves:
                self._current, self._previous = [], []
                raise SecretUnavailableError(
                    f"secret {self._arn} cannot be read ({problem}), and nothing of it that was read in the last "
                    f"{self._cache_seconds + STALE_SECONDS:.0f} s is in memory; {_hint(error)}"
                ) from error

    def _read(self, *, need_all: bool) -> None:
        """Read both versions. Unless `need_all`, one of them is enough."""
        # evidence: secret-versions
        answer = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSCURRENT")
        unfit: UnfitSecretError | None = None
        try:
            current = [self._parse(_text(answer))]
        except UnfitSecretError as error:
            if need_all:
                raise
            current, unfit = [], error
        created = answer.get("CreatedDate")
        previous_ends = created.timestamp() + PREVIOUS_SECONDS if created is not None else -math.inf
        previous: list[T] = []
        if self._clock() < previous_ends:
            previous_ends = min(previous_ends, self._clock() + PREVIOUS_SECONDS)
            previous = self._read_previous(needed=need_all or not current)
        if unfit is not None:
            if not previous:
                raise unfit
            LOGGER.warning(
                "current version of the secret is unfit; the previous one serves",
                secret=self._arn,
                cause=str(unfit),
            )
        self._current, self._previous, self._previous_ends = current, previous, previous_ends
        self._read_at, self._failed_at = self._clock(), -math.inf

    def _read_previous(self, *, needed: bool) -> list[T]:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSPREVIOUS")
            return [self._parse(_text(answer))]
        except UnfitSecretError:
            return []
        except Exception as error:
            if error_code(error) == "ResourceNotFoundException":  # never rotated yet
                return []
            if needed:
                raise
            LOGGER.warning("previous version of the secret not read", secret=self._arn, cause=_problem(error))
            return []


def secret_at(
    arn: str, parse: Callable[[str], T], *, cache_seconds: float = 300.0, attempts: int = 2
) -> RotatedSecret[T]:
    """Return the secret of an ARN; reading a version of it takes at most `attempts` x (0.5 s + 1 s)."""
    return RotatedSecret(secrets_manager(attempts), arn, parse, cache_seconds=cache_seconds)


@cache
def secrets_manager(attempts: int) -> AwsClient:
    """Return a client that the secrets of a function share."""
    return client(secretsmanager, connect_timeout=0.5, read_timeout=1, attempts=attempts)


def digest_of(text: str) -> bytes:
    """Return a digest to compare instead of the text: of one length, and of no use to whoever reads the memory."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def accepts(tokens: RotatedSecret[bytes], shown: str) -> bool:
    """Tell whether a text is a version of a secret that was parsed with ``digest_of``, in constant time."""
    digest = digest_of(shown)
    return tokens.any_version(lambda known: hmac.compare_digest(digest, known))


def json_fields(*names: str) -> Callable[[str], dict[str, str]]:
    """Return a ``parse`` function for a JSON object that holds at least these names, each with a text."""

    def parse(text: str) -> dict[str, str]:
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        fields = document if isinstance(document, dict) else {}
        found = {name: value for name in names if isinstance(value := fields.get(name), str) and value}
        if len(found) < len(names):
            raise UnfitSecretError(f"it is no JSON object with the texts {', '.join(names)}")
        return found

    return parse


def _text(answer: dict[str, str]) -> str:
    text = answer.get("SecretString")
    if not text:
        raise UnfitSecretError("it holds no text (SecretString)")
    return text


def _problem(error: Exception) -> str:
    return str(error) if isinstance(error, UnfitSecretError) else error_code(error)


def _hint(error: Exception) -> str:
    if isinstance(error, UnfitSecretError) or error_code(error) == "ResourceNotFoundException":
        return "store it with aws secretsmanager put-secret-value"
    if error_code(error) == "AccessDeniedException":
        return "allow the function secretsmanager:GetSecretValue on it, and kms:Decrypt on its key"
    return "try again when Secrets Manager answers"
