"""Errors that say what is wrong, with which value, and what to do about it."""

from __future__ import annotations


class BridgeError(Exception):
    """Any failure that this package foresees; its message is fit for the log and for the operator."""


class ConfigurationError(BridgeError):
    """The function's environment is missing something or holds a value that it cannot work with."""


class TemporarilyUnavailableError(BridgeError):
    """An AWS service was throttling, unreachable or failing; the same request may succeed shortly."""


class ApiError(BridgeError):
    """A refusal that an HTTP client gets to see.

    ``status`` is the HTTP status, ``code`` the machine-readable error code (upper case, stable),
    ``message`` one sentence that names the value and the fix, ``headers`` what else the answer carries.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def shown(value: object, limit: int = 60) -> str:
    """Render a value for an error message: quoted, control characters escaped, at most `limit` characters."""
    text = ascii(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
