"""The errors that the sandbox raises rather than guess a permission."""

from __future__ import annotations


class IamError(Exception):
    """Something in a call or a policy that the sandbox's IAM cannot handle and does not ignore."""


class UnsupportedCall(IamError):  # noqa: N818 - the sandbox's term for what it does not emulate
    """A request whose action or resources the sandbox cannot determine: never silently allowed."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"the sandbox does not emulate {what}: {reason}")
        self.what = what
        self.reason = reason


class UnsupportedPolicy(IamError):  # noqa: N818 - as above
    """A policy that AWS may accept but the sandbox cannot evaluate; it names the part."""

    def __init__(self, policy: str, what: str, reason: str) -> None:
        super().__init__(f"the sandbox cannot evaluate {what} in policy {policy}: {reason}")
        self.policy = policy
        self.what = what
        self.reason = reason


class MalformedPolicy(IamError, ValueError):  # noqa: N818 - IAM's own name for it is MalformedPolicyDocument
    """A policy that IAM itself would refuse (MalformedPolicyDocument)."""

    def __init__(self, policy: str, problem: str, fix: str) -> None:
        super().__init__(f"policy {policy} is malformed: {problem}. {fix}")
        self.policy = policy
        self.problem = problem
