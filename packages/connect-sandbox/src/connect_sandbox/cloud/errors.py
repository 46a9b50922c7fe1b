"""Errors of the emulated AWS: they carry an AWS error code, or say what is not emulated."""

from __future__ import annotations

from connect_sandbox.cloud.values import Member


class SandboxError(Exception):
    """The sandbox itself could not do what it was asked to (a command failed, a port was taken)."""


class NotEmulatedError(SandboxError):
    """A type, property or operation that the sandbox does not emulate; refused by name, never skipped."""

    def __init__(self, thing: str, reason: str) -> None:
        """`thing` names the type, property or operation; `reason` says why and, if possible, what to do."""
        self.thing = thing
        self.reason = reason
        super().__init__(f"the sandbox does not emulate {thing}: {reason}")


class AwsError(Exception):
    """An error response of an AWS API: code, message, HTTP status and, for some errors, further members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Member) -> None:
        """`members` go into the error's body beside the message (InvalidContactFlowException: problems)."""
        self.code = code
        self.message = message
        self.status = status
        self.members = members
        super().__init__(f"{code}: {message}")
