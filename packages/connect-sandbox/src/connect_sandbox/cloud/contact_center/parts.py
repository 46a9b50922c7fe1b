"""What an instance holds by name: hours, queues, routing profiles, quick connects, users and the like.

One table says of each kind where it refers to others, what must be unique, its quota, and whether it can be deleted
while others refer to it. Sources: API reference (errors of Create…, Delete…); the provider schemas of CloudFormation.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from connect_sandbox.cloud.cfn.resource import Clients
from connect_sandbox.cloud.connect_state import ConnectState, Instance, Part
from connect_sandbox.cloud.contact_center.defaults import ARN_NAMES
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.quotas import (
    HIERARCHY_GROUPS,
    HOURS,
    PROMPTS,
    QUEUES,
    QUICK_CONNECTS,
    ROUTING_PROFILES,
    SECURITY_PROFILES,
    USERS,
    Code,
    Quotas,
)

#: Fewest and most contacts that an agent can have at a time, by channel (API reference, MediaConcurrency).
CONCURRENCY: Final = {"VOICE": (1, 1), "CHAT": (1, 10), "TASK": (1, 10), "EMAIL": (1, 10)}


@dataclass(frozen=True)
class Kind:
    """A kind of part: its title in messages, its quota, and whether deletion is refused while it is in use."""

    title: str
    quota: Code | None = None
    stays_while_used: bool = False


KINDS: Final[dict[str, Kind]] = {
    "HoursOfOperation": Kind("Hours of operation", HOURS),
    "Queue": Kind("Queue", QUEUES, stays_while_used=True),
    "RoutingProfile": Kind("Routing profile", ROUTING_PROFILES, stays_while_used=True),
    "QuickConnect": Kind("Quick connect", QUICK_CONNECTS),
    "User": Kind("User", USERS),
    "SecurityProfile": Kind("Security profile", SECURITY_PROFILES, stays_while_used=True),
    "Prompt": Kind("Prompt", PROMPTS),
    "UserHierarchyGroup": Kind("Hierarchy group", HIERARCHY_GROUPS, stays_while_used=True),
    "AgentStatus": Kind("Agent status"),
    "View": Kind("View"),
    "TaskTemplate": Kind("Task template"),
}
_KIND_OF = {name: kind for kind, name in ARN_NAMES.items()}


class Parts:
    """Creates, changes and deletes the parts of instances."""

    def __init__(self, state: ConnectState, quotas: Quotas, clients: Clients) -> None:
        """`clients` read the audio of prompts."""
        self._state = state
        self._quotas = quotas
        self._clients = clients
        self._lock = threading.RLock()

    def create(
        self,
        instance_arn: str,
        kind: str,
        name: str,
        properties: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
    ) -> Part:
        """Add a part with CloudFormation's properties.

        Raises DuplicateResourceException for a name that is taken, LimitExceededException at the quota,
        ResourceNotFoundException for something that a property names, InvalidParameterException for the rest.
        """
        with self._lock:
            instance = self._state.instance(instance_arn)
            there = self.all(instance.arn, kind)
            described = KINDS[kind]
            if described.quota and len(there) >= self._quotas.value(described.quota, instance.arn):
                raise AwsError("LimitExceededException", f"{described.title}: the quota is used up", 429)
            self._check_name(there, kind, name)
            self._check(instance, kind, properties)
            part_id = str(uuid.uuid4())
            arn = f"{instance.arn}/{ARN_NAMES[kind]}/{part_id}"
            part = Part(kind, part_id, arn, name, dict(properties), dict(tags or {}))
            instance.parts[part_id] = part
        return part

    def update(
        self, instance_arn: str, kind: str, part_id: str, name: str, properties: Mapping[str, Any]
    ) -> Part:
        """Change a part, under the same rules."""
        with self._lock:
            instance = self._state.instance(instance_arn)
            part = self.get(instance.arn, kind, part_id)
            self._check_name([p for p in self.all(instance.arn, kind) if p is not part], kind, name)
            self._check(instance, kind, properties)
            part.name, part.properties, part.modified = name, dict(properties), dt.datetime.now(dt.UTC)
        return part

    def delete(self, instance_arn: str, kind: str, part_id: str) -> None:
        """Delete a part; some kinds stay while others refer to them, with a ResourceInUseException."""
        with self._lock:
            instance = self._state.instance(instance_arn)
            part = self.get(instance.arn, kind, part_id)
            if KINDS[kind].stays_while_used and (user := self._user_of(instance, part)):
                message = f"{KINDS[kind].title} {part.name} is in use by {KINDS[user.kind].title} {user.name}"
                raise AwsError("ResourceInUseException", message, 409)
            del instance.parts[part.id]

    def get(self, instance_arn: str, kind: str, id_or_arn: str) -> Part:
        """Return a part by id or ARN; raise ResourceNotFoundException."""
        wanted = id_or_arn.rpartition("/")[2]
        found = next((part for part in self.all(instance_arn, kind) if part.id == wanted), None)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"{KINDS[kind].title} {wanted} not found", 404)
        return found

    def all(self, instance_arn: str, kind: str) -> list[Part]:
        """Return the parts of a kind, the built-in ones first."""
        return [part for part in self._state.instance(instance_arn).parts.values() if part.kind == kind]

    def named(self, instance_arn: str, kind: str, name: str) -> Part:
        """Return a part by its name; raise ResourceNotFoundException."""
        found = next((part for part in self.all(instance_arn, kind) if part.name == name), None)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"{KINDS[kind].title} {name!r} not found", 404)
        return found

    def _check_name(self, others: list[Part], kind: str, name: str) -> None:
        if any(other.name == name for other in others):
            message = f"{KINDS[kind].title} with name {name} already exists"
            raise AwsError("DuplicateResourceException", message, 409)

    def _user_of(self, instance: Instance, part: Part) -> Part | None:
        others = [other for other in instance.parts.values() if other is not part]
        return next((other for other in others if part.arn in _texts(other.properties)), None)

    def _check(self, instance: Instance, kind: str, properties: Mapping[str, Any]) -> None:
        for arn in _texts(properties):
            if arn.startswith("arn:") and ":connect:" in arn:
                self._check_reference(instance, arn)
        if check := _CHECKS.get(kind):
            check(instance, properties)
        if kind == "Prompt":
            self._check_audio(properties)

    def _check_reference(self, instance: Instance, arn: str) -> None:
        name = arn.split(":", 5)[5]
        if name.startswith("phone-number/"):
            if instance.created and name.rpartition("/")[2] not in instance.numbers:
                raise AwsError("ResourceNotFoundException", f"{arn} is no number of {instance.arn}", 404)
            return
        if not arn.startswith(f"{instance.arn}/"):
            raise AwsError("InvalidParameterException", f"{arn} is not in the instance {instance.arn}")
        segment = arn.removeprefix(f"{instance.arn}/").partition("/")[0]
        if not instance.created:
            return  # nobody knows here what was made by hand
        if segment == "contact-flow":
            instance.flow(arn)
        else:
            self.get(instance.arn, _KIND_OF[segment], arn)

    def _check_audio(self, properties: Mapping[str, Any]) -> None:
        """Require the object that a prompt is made of."""
        uri = str(properties.get("S3Uri", ""))
        if not uri:
            raise AwsError("InvalidParameterException", "S3Uri is needed to create a prompt")
        parsed = urlparse(uri)
        bucket = parsed.netloc if parsed.scheme == "s3" else parsed.netloc.split(".s3", 1)[0]
        try:
            self._clients("s3").head_object(Bucket=bucket, Key=parsed.path.lstrip("/"))
        except ClientError as error:
            raise AwsError("InvalidParameterException", f"The audio {uri} cannot be read") from error


def _check_hours(_instance: Instance, properties: Mapping[str, Any]) -> None:
    zone = properties["TimeZone"]
    if zone not in zoneinfo.available_timezones():
        message = f"TimeZone is {zone!r}; use a name like America/New_York"
        raise AwsError("InvalidParameterException", message)
    for slot in properties["Config"]:
        for end in ("StartTime", "EndTime"):
            hours, minutes = int(slot[end]["Hours"]), int(slot[end]["Minutes"])
            if not (0 <= hours <= 23 and 0 <= minutes <= 59):
                message = f"{slot['Day']} {end} is {hours}:{minutes:02d}; use 0:00 to 23:59"
                raise AwsError("InvalidParameterException", message)


def _check_routing(_instance: Instance, properties: Mapping[str, Any]) -> None:
    for each in properties["MediaConcurrencies"]:
        channel, number = each["Channel"], int(each["Concurrency"])
        if channel not in CONCURRENCY:
            known = ", ".join(CONCURRENCY)
            raise AwsError("InvalidParameterException", f"Channel is {channel!r}; use one of {known}")
        least, most = CONCURRENCY[channel]
        if not least <= number <= most:
            message = f"Concurrency of {channel} is {number}; use {least} to {most}"
            raise AwsError("InvalidParameterException", message)
    channels = {each["Channel"] for each in properties["MediaConcurrencies"]}
    for queue in properties.get("QueueConfigs", []):
        channel = queue["QueueReference"]["Channel"]
        if channel not in channels:
            message = f"QueueConfigs names {channel}, for which MediaConcurrencies says nothing"
            raise AwsError("InvalidParameterException", message)


_CONFIG_OF_QUICK_CONNECT = {
    "PHONE_NUMBER": "PhoneConfig",
    "QUEUE": "QueueConfig",
    "USER": "UserConfig",
    "FLOW": "FlowConfig",
}


def _check_quick_connect(_instance: Instance, properties: Mapping[str, Any]) -> None:
    config = properties["QuickConnectConfig"]
    kind = config.get("QuickConnectType")
    if kind not in _CONFIG_OF_QUICK_CONNECT:
        known = ", ".join(_CONFIG_OF_QUICK_CONNECT)
        raise AwsError("InvalidParameterException", f"QuickConnectType is {kind!r}; use one of {known}")
    needed = _CONFIG_OF_QUICK_CONNECT[kind]
    given = set(config) - {"QuickConnectType"}
    if given != {needed}:
        message = (
            f"A quick connect of type {kind} has {needed} and nothing else, not {', '.join(sorted(given))}"
        )
        raise AwsError("InvalidParameterException", message)


def _check_user(instance: Instance, properties: Mapping[str, Any]) -> None:
    managed = instance.identity == "CONNECT_MANAGED"
    if managed and instance.created and not properties.get("Password"):
        # evidence: user-needs-a-password
        message = "Password is required for users of an instance that manages identities itself"
        raise AwsError("InvalidParameterException", message)
    if not managed and properties.get("Password"):
        message = f"Password is not allowed: {instance.identity} manages the identities of {instance.arn}"
        raise AwsError("InvalidParameterException", message)
    identity = properties.get("IdentityInfo", {})
    if instance.identity != "EXISTING_DIRECTORY" and not (
        identity.get("FirstName") and identity.get("LastName")
    ):
        raise AwsError("InvalidParameterException", "IdentityInfo needs FirstName and LastName")


_CHECKS: Final[dict[str, Callable[[Instance, Mapping[str, Any]], None]]] = {
    "HoursOfOperation": _check_hours,
    "RoutingProfile": _check_routing,
    "QuickConnect": _check_quick_connect,
    "User": _check_user,
}


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  (JSON)
    """Yield every text in a JSON value, the instance's own ARN aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name != "InstanceArn":
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
