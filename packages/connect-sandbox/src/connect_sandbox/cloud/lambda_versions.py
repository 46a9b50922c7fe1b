"""Published versions, aliases and layers: what a function's ARN with a qualifier means, and what lies under /opt.

Sources: AWS Lambda developer guide, "Manage Lambda function versions", "Create an alias for a Lambda function",
"Packaging your layer content" and "Using resource-based policies in Lambda" (each qualifier has a policy of its own).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from connect_sandbox.cloud.errors import AwsError

if TYPE_CHECKING:
    from connect_sandbox.cloud.lambda_state import LambdaFunction


@dataclass
class Alias:
    """A name for a version, with a resource policy of its own."""

    name: str
    version: str
    description: str = ""
    statements: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Layer:
    """A version of a layer: a zip that is unpacked to /opt."""

    arn: str
    code: bytes
    description: str = ""


class Versions:
    """The versions and aliases of the functions of an account."""

    def __init__(self) -> None:
        """Start empty."""
        self._versions: dict[str, dict[str, LambdaFunction]] = {}
        self._last: dict[str, int] = {}
        self._aliases: dict[str, dict[str, Alias]] = {}

    def publish(self, function: LambdaFunction, description: str = "") -> tuple[LambdaFunction, bool]:
        """Freeze the function as it is now; return the version, and whether it is new.

        Without a change since the last version Lambda publishes none: that one is returned.
        """
        known = self._versions.setdefault(function.name, {})
        number = self._last.get(function.name, 0)
        last = known.get(str(number))
        if last is not None and last.fingerprint == function.fingerprint:
            return last, False
        version = str(number + 1)
        frozen = replace(
            function,
            arn=f"{function.arn}:{version}",
            version=version,
            description=description or function.description,
            statements=[],
            environment=dict(function.environment),
            logging=dict(function.logging),
            layers=list(function.layers),
            vpc=dict(function.vpc),
        )
        known[version] = frozen
        self._last[function.name] = number + 1
        return frozen, True

    def forget_version(self, name: str, version: str) -> None:
        """Delete a version; ResourceConflictException while an alias points to it."""
        users = [alias.name for alias in self._aliases.get(name, {}).values() if alias.version == version]
        if users:
            message = (
                f"Version {version} of {name} cannot be deleted: the alias {', '.join(users)} points to it"
            )
            raise AwsError("ResourceConflictException", message, 409)
        self._versions.get(name, {}).pop(version, None)

    def put_alias(self, function: LambdaFunction, alias: Alias, *, new: bool) -> str:
        """Create or change an alias of an existing version (or $LATEST); return its ARN."""
        aliases = self._aliases.setdefault(function.name, {})
        arn = f"{function.arn}:{alias.name}"
        if new and alias.name in aliases:
            raise AwsError("ResourceConflictException", f"Alias already exists: {arn}", 409)
        if alias.version != "$LATEST" and alias.version not in self._versions.get(function.name, {}):
            message = f"Function not found: {function.arn}:{alias.version}"
            raise AwsError("ResourceNotFoundException", message, 404)
        if alias.name in aliases:
            alias.statements = aliases[alias.name].statements
        aliases[alias.name] = alias
        return arn

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; it is no error if it is gone."""
        self._aliases.get(name, {}).pop(alias, None)

    def of(self, name: str) -> list[LambdaFunction]:
        """Return the versions of a function, oldest first."""
        return list(self._versions.get(name, {}).values())

    def aliases(self, name: str) -> list[Alias]:
        """Return the aliases of a function."""
        return list(self._aliases.get(name, {}).values())

    def find(self, function: LambdaFunction, qualifier: str) -> LambdaFunction | None:
        """Return what a qualifier of the function stands for, under the qualified ARN; None if there is nothing."""
        known = self._versions.get(function.name, {})
        if qualifier in known:
            return known[qualifier]
        alias = self._aliases.get(function.name, {}).get(qualifier)
        if alias is None:
            return None
        meant = function if alias.version == "$LATEST" else known.get(alias.version)
        if meant is None:
            return None
        return replace(meant, arn=f"{function.arn}:{qualifier}", statements=alias.statements)

    def forget(self, name: str) -> None:
        """Delete every version and alias, as deleting the function does."""
        self._versions.pop(name, None)
        self._aliases.pop(name, None)
        self._last.pop(name, None)
