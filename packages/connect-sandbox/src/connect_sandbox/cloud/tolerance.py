"""Deploying in spite of what the sandbox does not emulate: what was not made, why, and who met it.

A tolerated resource is recorded and stands in the stack, but nothing is made. Ref and Fn::GetAtt give a mark in its
place; a request, an invocation or a flow block that carries the mark fails and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import PropertyTable
from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.marks import mark, marked


@dataclass(frozen=True)
class NotRehearsed:
    """A resource that is in a stack without doing what it is for, and why."""

    stack: str
    logical_id: str
    type: str
    why: str
    #: Whether it was tolerated, and nothing was made; else the type is known and recorded without effect.
    tolerated: bool = False


@dataclass(frozen=True)
class Use:
    """Something that went through a tolerated resource, and failed for that."""

    stack: str
    logical_id: str
    what: str
    #: The session name of a function's role, which is the function's name; empty for others.
    by: str = ""


class NotRehearsedError(SandboxError):
    """A call went through a resource that was tolerated instead of made."""


class Tolerance:
    """Which resource types may be missing. `uses` is everything that went through one of them."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """`patterns` are names of types, with * and ?: "AWS::WAFv2::*"."""
        self.patterns: tuple[str, ...] = ()
        self.uses: list[Use] = []
        self.add(patterns)

    def add(self, patterns: Iterable[str]) -> None:
        """Let further types be missing, in the deployments from now on; ValueError for what is no type."""
        wanted = tuple(patterns)
        wrong = [one for one in wanted if "::" not in one]
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} is no resource type; write a type or a pattern, such as 'AWS::WAFv2::*'"
            )
        self.patterns = tuple(dict.fromkeys((*self.patterns, *wanted)))

    def covers(self, type_name: str) -> bool:
        """Return whether a resource of the type may be missing."""
        return any(fnmatchcase(type_name, pattern) for pattern in self.patterns)

    def check(self, text: str, what: Callable[[], str], by: str = "") -> None:
        """Raise NotRehearsedError, and remember it, if the text carries the mark of a tolerated resource."""
        if "not-rehearsed" not in text:
            return
        found = marked(text)
        if found is None:
            return
        use = Use(found[0], found[1], what(), by)
        self.uses.append(use)
        raise NotRehearsedError(refusal(use))


def refusal(use: Use) -> str:
    """Return what is said to whoever went through a tolerated resource."""
    return (
        f"{use.what} goes through {use.logical_id} of the stack {use.stack}, which was tolerated instead of deployed: "
        "nothing is there, so this was not rehearsed"
    )


class Tolerated(ResourceType):
    """A resource that is recorded, whatever it is."""

    type_name = "a tolerated type"
    properties: ClassVar[PropertyTable] = {}

    def __init__(self, type_name: str, why: str) -> None:
        """`why` is what the sandbox would have refused."""
        self.type_name = type_name  # type: ignore[misc]
        self.why = why

    def create(self, context: Context, _properties: dict[str, Any]) -> Created:
        """Record it."""
        physical_id = mark(context.account, context.region, context.stack_name, context.logical_id)
        return Created(physical_id, not_rehearsed=self.why)

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the record."""
        return existing

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Forget it."""

    def attribute(self, existing: Created, name: str) -> str:
        """Return the mark."""
        return f"{existing.physical_id}:{name}"

    def has_attribute(self, name: str) -> bool:  # noqa: ARG002
        """Return True: any attribute can be asked for."""
        return True
