"""The names that vendors' guides give to the parts of a metadata bridge: data, one preset each."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class MetadataPreset:
    """Names of a metadata bridge's parts; ``None`` leaves the name to CloudFormation, so that stacks never clash.

    Every name can be overridden by the keyword of the same name on ``MetadataBridge``.
    """

    path: str = "kore-metadata"
    """The API's resource path, without slashes."""
    token_header: str = "authorizationToken"  # noqa: S105 (a header's name)
    """The request header that carries the token."""
    partition_key: str = "contactId"
    """The table's partition key."""
    table_name: str | None = None
    store_function_name: str | None = None
    authorize_function_name: str | None = None
    retrieve_function_name: str | None = None
    authorizer_name: str | None = None
    api_name: str | None = None

    @classmethod
    def default(cls) -> MetadataPreset:
        """Return the guide's paths and headers with CloudFormation's names."""
        return cls()

    @classmethod
    def kore(cls) -> MetadataPreset:
        """Return the names of guide 000 (Kore, metadata passing).

        They are fixed names: one bridge per account and Region can carry them.
        """
        return cls(
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

    def with_overrides(self, **names: str | None) -> MetadataPreset:
        """Return this preset with the names that are not ``None`` replaced."""
        return replace(self, **{key: value for key, value in names.items() if value is not None})
