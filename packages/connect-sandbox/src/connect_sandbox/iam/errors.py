"""What the sandbox raises rather than guess at a permission."""

from __future__ import annotations


class IamError(Exception):
    """Something about a call or a policy that the sandbox's IAM will not pass over."""


class UnsupportedCall(IamError):  # noqa: N818 - the sandbox's term for all that it cannot stand in for
    """A request whose action or resources the sandbox cannot work out: never allowed silently."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"the sandbox cannot stand in for {what}: {reason}")
        self.what = what
        self.reason = reason


class UnsupportedPolicy(IamError):  # noqa: N818 - as above
    """A policy that AWS may well accept and that the sandbox cannot evaluate; it names the part."""

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
