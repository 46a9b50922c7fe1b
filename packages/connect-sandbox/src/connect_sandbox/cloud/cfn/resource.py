"""A resource type, as the deployment engine sees it: a table of properties and create, update, delete.

Each type calls the service APIs that CloudFormation's own handlers call, on moto or on one of the sandbox's
fakes.
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from connect_sandbox.cloud.cfn.support import PropertyTable
from connect_sandbox.cloud.cfn.template import Template
from connect_sandbox.cloud.errors import AwsError

if TYPE_CHECKING:
    from connect_sandbox.cloud.cfn.services import Services


@dataclass
class Created:
    """A resource that exists: its physical id, what Ref returns (by default the physical id) and its attributes."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    ref: str | None = None
    #: Why nothing was made, if the resource was tolerated.
    not_rehearsed: str = ""

    @property
    def reference(self) -> str:
        """What Ref returns."""
        return self.physical_id if self.ref is None else self.ref


class FailedResourceError(AwsError):
    """A failed create that left something behind for rollback to delete (a custom resource's failed Create)."""

    def __init__(self, cause: AwsError, leftover: Created) -> None:
        """`leftover` is passed to delete."""
        self.leftover = leftover
        super().__init__(cause.code, cause.message, cause.status)


class Clients(Protocol):
    """Returns boto3 clients that reach the services with every permission."""

    def __call__(self, service: str) -> Any:  # noqa: ANN401  (a boto3 client)
        """Return the client of a service, by boto3's name."""


@dataclass(frozen=True)
class Context:
    """What a resource type knows while it works: the stack, the account, and how to reach the services."""

    stack_name: str
    stack_id: str
    logical_id: str
    resource_type: str
    account: str
    region: str
    template: Template
    client: Clients
    services: Services
    tags: Mapping[str, str] = field(default_factory=dict)

    def physical_name(self, *, limit: int = 64, lower: bool = False) -> str:
        """Return a name like CloudFormation's: stack, logical id and a random suffix, cut to `limit`."""
        suffix = "".join(random.choices(string.ascii_uppercase + string.digits, k=12))  # noqa: S311  (no secret)
        room = limit - len(suffix) - 1
        stem = f"{self.stack_name}-{self.logical_id}"
        if len(stem) > room:
            stem = f"{self.stack_name[: max(room - len(self.logical_id) - 1, room // 2)]}-{self.logical_id}"[
                :room
            ]
        name = f"{stem}-{suffix}"
        return name.lower() if lower else name


class ResourceType:
    """Base class of the resource types. A subclass declares its properties and makes the calls."""

    #: The type, such as "AWS::SNS::Topic".
    type_name: ClassVar[str]
    properties: ClassVar[PropertyTable]
    required: ClassVar[tuple[str, ...]] = ()
    #: Properties that cannot change in place: a change creates a new resource and deletes the old one.
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    #: The property that names the resource, if two of one name cannot exist side by side and CloudFormation knows it.
    name_property: ClassVar[str] = ""
    #: What Fn::GetAtt can return.
    attributes: ClassVar[tuple[str, ...]] = ()
    #: Why the type is only recorded; empty for a type that does what it is for.
    without_effect: ClassVar[str] = ""

    def create(self, context: Context, properties: dict[str, Any], /) -> Created:
        """Create the resource from resolved properties."""
        raise NotImplementedError

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any], /
    ) -> Created:
        """Change the resource in place. The default replaces it: the new is created, the old deleted afterwards."""
        raise NotImplementedError

    def delete(self, context: Context, existing: Created, properties: dict[str, Any], /) -> None:
        """Delete the resource; it is no error if it is already gone."""
        raise NotImplementedError

    def needs_replacement(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Return whether going from `old` to `new` needs a new resource."""
        in_place = type(self).update is not ResourceType.update
        return not in_place or any(old.get(name) != new.get(name) for name in self.replaced_by)

    def keeps_its_name(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Return whether the template names the resource as before, so that no second one can stand beside it.

        Source: AWS knowledge center, "cannot update a stack when a custom-named resource requires replacing".
        """
        return bool(new.get(self.name_property)) and old.get(self.name_property) == new[self.name_property]

    def attribute(self, existing: Created, name: str) -> Any:  # noqa: ANN401
        """Return an attribute's value."""
        return existing.attributes[name]

    def has_attribute(self, name: str) -> bool:
        """Return whether Fn::GetAtt can return `name`."""
        return name in self.attributes


def as_list_of_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form [{Key, Value}]."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def merged_tags(context: Context, tags: Any) -> dict[str, str]:  # noqa: ANN401  (a list of tags or a mapping)
    """Return the stack's tags with the resource's own on top."""
    own = {tag["Key"]: tag["Value"] for tag in tags or []} if not isinstance(tags, dict) else tags
    return {**context.tags, **own}
