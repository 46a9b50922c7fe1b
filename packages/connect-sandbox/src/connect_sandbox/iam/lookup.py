"""What must be looked up to know which permissions a call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from connect_sandbox.iam.errors import UnsupportedCall

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lookup(Protocol):
    """What AWS knows about resources and a request does not say; None for one that does not exist."""

    def secret_arn(self, name: str) -> str | None:
        """Return the full ARN, with its random suffix, of the secret of this name (or ARN without suffix)."""
        ...

    def encryption_key_arn(self, arn: str) -> str | None:
        """Return the ARN of the customer-managed key of a secret, table, topic or queue.

        None if AWS owns or manages the key, which then is open to whoever may use the resource in this account.
        """
        ...

    def key_arn(self, alias: str) -> str | None:
        """Return the ARN of the KMS key behind an alias: ``alias/NAME`` or the alias's ARN."""
        ...

    def partition_key(self, table_arn: str) -> str | None:
        """Return the name of a DynamoDB table's partition key."""
        ...

    def user_arn(self, name: str) -> str | None:
        """Return the ARN, with its path, of the IAM user of this name."""
        ...

    def role_arn(self, name: str) -> str | None:
        """Return the ARN, with its path, of the IAM role of this name."""
        ...

    def boundary_arn(self, arn: str) -> str | None:
        """Return the ARN of the permissions boundary of a role or user; None if it has none."""
        ...

    def key_owner(self, access_key: str) -> str | None:
        """Return the ARN of the IAM user with this access key; None if no user has it."""
        ...

    def resource_tags(self, arn: str) -> Mapping[str, str] | None:
        """Return a resource's tags; None if they are not known."""
        ...


class NoLookup:
    """A lookup that knows nothing: calls and policies that need one are refused by name."""

    def secret_arn(self, name: str) -> str | None:
        """Refuse: a secret's ARN ends in six random characters that its name does not give away."""
        raise UnsupportedCall(
            f"secret {name}", "its ARN is needed; use its full ARN, or pass describe_call a lookup"
        )

    def encryption_key_arn(self, arn: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Know nothing with a key of its own."""
        return None

    def key_arn(self, alias: str) -> str | None:
        """Refuse: policies name keys, and an alias does not give its key away."""
        raise UnsupportedCall(
            f"KMS alias {alias}", "its key is needed; use the key's ARN, or pass describe_call a lookup"
        )

    def partition_key(self, table_arn: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Know no table."""
        return None

    def user_arn(self, name: str) -> str | None:
        """Refuse: a user's ARN holds its path, which its name does not give away."""
        raise UnsupportedCall(f"IAM user {name}", "its path is needed; pass describe_call a lookup")

    def role_arn(self, name: str) -> str | None:
        """Refuse, as for a user."""
        raise UnsupportedCall(f"IAM role {name}", "its path is needed; pass describe_call a lookup")

    def boundary_arn(self, arn: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Know no boundary."""
        return None

    def key_owner(self, access_key: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Know no user's key."""
        return None

    def resource_tags(self, arn: str) -> Mapping[str, str] | None:  # noqa: ARG002 - the protocol's
        """Know no tags."""
        return None
