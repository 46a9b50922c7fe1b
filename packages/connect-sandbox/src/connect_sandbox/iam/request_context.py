"""The condition keys of one request, and those known to be absent."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: One value, or a tuple for a multivalued key (aws:TagKeys, dynamodb:LeadingKeys, …), which needs a set
#: operator.
ContextValue = str | tuple[str, ...]


class UnknownConditionKey(LookupError):  # noqa: N818 - "unknown", not "wrong"
    """A condition key whose value the sandbox does not know, nor that AWS omits it."""


@dataclass(frozen=True)
class RequestContext:
    """Condition keys and values of a request; names of keys are case-insensitive, as in IAM.

    For a key that is not in the request IAM has defined results (StringEquals false, StringNotEquals true, …). The
    sandbox uses them only for a key listed in ``absent``; any other unlisted key is unknown. ``absent`` entries may
    end in ``*`` (``aws:requesttag/*``).
    """

    values: Mapping[str, ContextValue] = field(default_factory=lambda: MappingProxyType({}))
    absent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, ContextValue | None], absent: Iterable[str] = ()) -> RequestContext:
        """Build a context; a value of None lists its key as absent."""
        missing = {key.lower() for key, value in values.items() if value is None}
        present = {key.lower(): value for key, value in values.items() if value is not None}
        return cls(MappingProxyType(present), frozenset(missing | {key.lower() for key in absent}))

    def merged(self, other: RequestContext) -> RequestContext:
        """Return this context updated with the other's values; a key present in either is not absent."""
        return RequestContext(MappingProxyType({**self.values, **other.values}), self.absent | other.absent)

    def get(self, key: str) -> ContextValue | None:
        """Return the key's value, or None if AWS omits the key; raise UnknownConditionKey otherwise."""
        name = key.lower()
        if name in self.values:
            return self.values[name]
        if name in self.absent or any(a.endswith("*") and name.startswith(a[:-1]) for a in self.absent):
            return None
        raise UnknownConditionKey(key)
