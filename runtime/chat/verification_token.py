"""The token that the webhook wants to see, from Secrets Manager: see ``rotated_secret`` for what counts, and how long.

The vendor's platform issues the token (Kore's guide to chat, docs/guides.md#chat-1-3-3), so that a rotation happens in
two places at two times. Both versions are therefore tried, the current one first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runtime.chat import limits
from runtime.chat.failures import BotNotReachedError, Reason
from runtime.shared.clients import is_temporary
from runtime.shared.deadline import Deadline
from runtime.shared.rotated_secret import RotatedSecret, SecretUnavailableError, UnfitSecretError

READ_SECONDS = 3.0
"""The longest that reading both versions can take, with one attempt each."""

_FITS_INTO_A_HEADER = re.compile(r"[\x21-\x7e]+", re.ASCII)


def header_safe(text: str) -> str:
    """Return the token in a secret's text. Raises UnfitSecretError if no header can carry it."""
    token = text.strip()  # a line end slips in easily
    if _FITS_INTO_A_HEADER.fullmatch(token) is None:
        raise UnfitSecretError(
            "it is no verification token: the vendor's, printable ASCII without spaces, nothing around it"
        )
    return token


class VerificationToken:
    """The versions of the token, for one announcement at a time."""

    def __init__(self, secret: RotatedSecret[str]) -> None:
        self._secret = secret

    def current(self, deadline: Deadline) -> str:
        """Return the current token. Raises BotNotReachedError (verificationTokenUnavailable).

        A failure that may pass by itself is tried again after a random pause, ``limits.TRIES`` times in all, and only
        while a slow answer would still come before the deadline.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._secret.versions()[0]
            except SecretUnavailableError as error:
                cause = error.__cause__
                temporary = isinstance(cause, Exception) and is_temporary(cause)
                again = temporary and attempt < limits.TRIES and deadline.earlier(READ_SECONDS).pause(attempt)
                if not again:
                    raise BotNotReachedError(Reason.TOKEN_UNAVAILABLE, str(error)) from error

    def others(self, refused: str) -> Iterator[str]:
        """Yield what to try after the vendor refused a token: a newer current one, then the previous one.

        None if nothing can be read: the vendor's refusal then stands.
        """
        try:
            self._secret.reread()
            versions = self._secret.versions()
        except SecretUnavailableError:
            return
        yield from (token for token in versions if token != refused)
