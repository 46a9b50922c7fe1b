"""The names that vendors' guides give to the parts of a metadata bridge: data, one preset each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.metadata import limits
else:
    limits = runtime_module("metadata.limits")


class MetadataNames(TypedDict, total=False):
    """The names of a ``MetadataPreset``, each of which ``with_overrides`` takes."""

    path: str | None
    token_header: str | None
    contact_token_header: str | None
    partition_key: str | None
    ttl_attribute: str | None
    table_name: str | None
    store_function_name: str | None
    authorize_function_name: str | None
    retrieve_function_name: str | None
    sign_function_name: str | None
    authorizer_name: str | None
    api_name: str | None


@dataclass(frozen=True, kw_only=True)
class MetadataPreset:
    """Names of a metadata bridge's parts; ``None`` leaves the name to CloudFormation, so that stacks never clash.

    Every name can be replaced: ``MetadataPreset.kore().with_overrides(path="voice/metadata")``.
    """

    path: str = "metadata"
    """The API's resource path, without slashes at its ends."""
    token_header: str = "authorizationToken"  # noqa: S105 (a header's name)
    """The request header that carries the token."""
    contact_token_header: str = limits.CONTACT_TOKEN_HEADER
    """The request header that carries a contact's own token, where the bridge asks for one."""
    partition_key: str = limits.PARTITION_KEY
    """The table's partition key."""
    ttl_attribute: str = limits.TTL_ATTRIBUTE
    """The table's time-to-live attribute."""
    table_name: str | None = None
    store_function_name: str | None = None
    authorize_function_name: str | None = None
    retrieve_function_name: str | None = None
    sign_function_name: str | None = None
    authorizer_name: str | None = None
    api_name: str | None = None

    @classmethod
    def default(cls) -> MetadataPreset:
        """Return names of no vendor, with CloudFormation's where a name would have to be unique."""
        return cls()

    @classmethod
    def kore(cls) -> MetadataPreset:
        """Return the names of Kore's guide to external voice (docs/guides.md#voice-table-1).

        They are fixed names: one bridge per account and Region can carry them.
        """
        # evidence: vendor-token-header
        return cls(
            path="kore-metadata",
            table_name="koreCcSessions",
            store_function_name="koreStoreSessionMetadata",
            authorize_function_name="AuthenticateBeforeStoringInDynamoDB",
            retrieve_function_name="koreRetrieveSessionMetadata",
            authorizer_name="koreClientAuth",
        )

    @classmethod
    def named(cls, name: str) -> MetadataPreset:
        """Return the preset of that name; raises ``ValueError`` naming the ones that exist."""
        presets = {"default": cls.default, "kore": cls.kore}
        if name not in presets:
            raise ValueError(
                f"There is no metadata preset {name!r}; choose one of {', '.join(sorted(presets))}."
            )
        return presets[name]()

    def with_overrides(self, **names: Unpack[MetadataNames]) -> MetadataPreset:
        """Return this preset with the names that are not ``None`` replaced."""
        given: dict[str, Any] = {key: value for key, value in names.items() if value is not None}
        return replace(self, **given)
