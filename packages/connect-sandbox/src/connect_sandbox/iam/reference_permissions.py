"""The permissions of a call as the Service Authorization Reference lists them, filled from its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from connect_sandbox.iam.errors import UnsupportedCall
from connect_sandbox.iam.lookup import Lookup
from connect_sandbox.iam.service_authorization import Action, ResourceType, find_action

if TYPE_CHECKING:
    from connect_sandbox.iam.wire import AwsRequest

#: An action (dynamodb:PutItem) and the ARN that it applies to (``*`` if the action has no resources).
Permission = tuple[str, str]


class Place:
    """A request, and what its resources' ARNs have in common."""

    def __init__(self, request: AwsRequest, account: str, partition: str, lookup: Lookup) -> None:
        self.request = request
        self.params = request.params
        self.account = account
        self.partition = partition
        self.lookup = lookup

    def arn(self, resource: str, service: str | None = None) -> str:
        """Return the ARN of a resource (``table/T``) in the request's Region and the sandbox's account."""
        service = service or self.request.prefix
        return f"arn:{self.partition}:{service}:{self.request.region}:{self.account}:{resource}"

    def param(self, name: str) -> str:
        """Return a parameter that the ARN needs, whatever the case of its first letter."""
        value = self.find(name)
        if value is None:
            raise self.unsupported(f"the request has no {name}, which names the resource")
        return value

    def find(self, name: str) -> str | None:
        """Return a text parameter, or None if it is absent or empty."""
        wanted = name.lower()
        return next(
            (v for k, v in self.params.items() if k.lower() == wanted and isinstance(v, str) and v), None
        )

    def unsupported(self, reason: str) -> UnsupportedCall:
        """Return the error that rejects this call."""
        return UnsupportedCall(f"{self.request.prefix}:{self.request.operation}", reason)


def by_reference(place: Place) -> Iterator[Permission]:
    """Fill the ARN formats of the reference's resource types from the parameters."""
    yield from permissions_for(place, own_action(place), lambda kind: fill_arn(place, kind))


def own_action(place: Place, name: str | None = None) -> Action:
    """Return the reference's action, by default the one with the operation's name; refuse an unknown one."""
    wanted = f"{place.request.prefix}:{name or place.request.operation}"
    action = find_action(wanted)
    if action is None:
        raise place.unsupported("the Service Authorization Reference knows no action of this name")
    return action


def permissions_for(
    place: Place, action: Action, arn_of: Callable[[ResourceType], str | None]
) -> Iterator[Permission]:
    """Yield an action with each resource type that it must or may name; ``arn_of`` returns a type's ARN."""
    if not action.knows_resources:
        yield action.full_name, "*"
        return
    found = 0
    for kind in action.required:
        arn = arn_of(kind)
        if arn is None:
            raise place.unsupported(
                f"the {kind.name} it acts on ({kind.arn_format}) cannot be determined from its parameters "
                f"({', '.join(sorted(place.params)) or 'none'})"
            )
        found += 1
        yield action.full_name, arn
    # A call that names its resource by ARN (tagging does) acts on that alone, not also on a type without an id.
    named = [kind for kind in action.optional if _named_by_arn(place, kind)]
    for kind in named or action.optional:
        if (arn := arn_of(kind)) is not None:
            found += 1
            yield action.full_name, arn
    if not found:
        raise place.unsupported("none of the resources it may act on can be determined from its parameters")


def fill_arn(
    place: Place, kind: ResourceType, aliases: Mapping[str, str] | None = None, *, ids_as_sent: bool = False
) -> str | None:
    """Fill an ARN format from a parameter that is such an ARN, else variable by variable.

    The id of what a Create… call makes is not known yet: it is ``*``, so only a policy with a wildcard there allows
    it. ``ids_as_sent``: an ARN in a parameter named …Id is no ARN to the service, but becomes a part of one.
    """
    if (named := _named_by_arn(place, kind, ids_as_sent=ids_as_sent)) is not None:
        return named
    values = {
        "Partition": place.partition,
        "Region": place.request.region,
        "Account": place.account,
        "AccountId": place.account,
    }
    for name in kind.variables:
        value = place.find((aliases or {}).get(name, name))
        if value is None and place.request.operation.startswith("Create") and name == kind.variables[-1]:
            value = "*"
        if value is None:
            return None
        # Seen in denials: InstanceId as it is, other ids percent-encoded.
        encoded = ids_as_sent and value.startswith("arn:") and name != "InstanceId"
        values[name] = quote(value, safe="") if encoded else value
    return kind.arn(values)


def _named_by_arn(place: Place, kind: ResourceType, *, ids_as_sent: bool = False) -> str | None:
    """Return the ARN of that type among the parameters, if there is one."""
    for name, value in place.params.items():
        if name == "InstanceId" or (ids_as_sent and name.endswith("Id")):
            continue
        if isinstance(value, str) and kind.matches(value):
            return value
    return None
