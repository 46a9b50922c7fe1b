"""The properties of Custom::ExternalVoiceConnector, checked before anything is created.

CloudFormation hands every scalar over as a string. All problems are reported at once, since each attempt
costs the user a stack update. The value lists are those of botocore's models of the two APIs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.shared.errors import BridgeError, shown
from runtime.voice import limits

AWS_REGIONS = (
    "us-east-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
)
OWN_TAG_PREFIX = "connect-bridges:"
ENABLED_TAG = "AmazonConnectEnabled"
"""Amazon Connect's role may use a voice connector only if it has this tag, with the value True."""
MAX_TAGS = 47
"""The API takes 50; three are this package's own."""

_KNOWN = frozenset(
    {
        "ServiceToken",
        "ServiceTimeout",
        "InstanceId",
        "Name",
        "Host",
        "Port",
        "Protocol",
        "RequireEncryption",
        "SessionBorderControllerTypes",
        "ContactCenterSystemTypes",
        "SipLogs",
        "MediaMetricLogs",
        "LogRetentionDays",
        "LogKeyArn",
        "KeepLogs",
        "AwsRegion",
        "Tags",
    }
)
_INSTANCE_ARN = re.compile(
    r"arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{12}:instance/"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE
)


class InvalidPropertiesError(BridgeError):
    """Some properties are missing or wrong; the message lists all of them."""


@dataclass(frozen=True, slots=True)
class ConnectorProperties:
    """What the user wants: where calls go (`host`, `port`, `protocol`), how, and for which instance."""

    instance_id: str
    name: str
    host: str
    port: int
    protocol: str
    require_encryption: bool
    session_border_controller_types: tuple[str, ...]
    contact_center_system_types: tuple[str, ...]
    sip_logs: bool
    media_metric_logs: bool
    log_retention_days: int
    log_key_arn: str
    """What the log groups are encrypted with; empty for the key that AWS owns."""
    aws_region: str
    tags: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, properties: Mapping[str, Any]) -> ConnectorProperties:
        """Read ResourceProperties; raises InvalidPropertiesError with every problem in it."""
        reader = _Reader(properties)
        parsed = cls(
            instance_id=reader.instance_id(),
            name=reader.matching(
                "Name", limits.CONNECTOR_NAME.pattern, "1 to 256 of letters, digits, space and _.-"
            ),
            host=reader.host(),
            port=reader.port(),
            protocol=reader.one_of("Protocol", limits.PROTOCOLS),
            require_encryption=reader.boolean("RequireEncryption"),
            session_border_controller_types=reader.several_of(
                "SessionBorderControllerTypes",
                limits.SESSION_BORDER_CONTROLLER_TYPES,
                (limits.SESSION_BORDER_CONTROLLER_TYPE,),
            ),
            contact_center_system_types=reader.several_of(
                "ContactCenterSystemTypes", limits.CONTACT_CENTER_SYSTEM_TYPES, ()
            ),
            sip_logs=reader.boolean("SipLogs", default="false"),
            media_metric_logs=reader.boolean("MediaMetricLogs", default="false"),
            log_retention_days=reader.log_retention_days(),
            log_key_arn=reader.log_key_arn(),
            aws_region=reader.one_of("AwsRegion", AWS_REGIONS),
            tags=reader.tags(),
        )
        reader.boolean("KeepLogs", default="false")
        if parsed.require_encryption and parsed.protocol == "UDP":
            reader.problems.append(
                "Protocol is 'UDP' but RequireEncryption is 'true': TLS goes over TCP, so set Protocol to TCP"
            )
        if reader.problems:
            raise InvalidPropertiesError(
                "properties of the external voice connector: " + "; ".join(reader.problems)
            )
        return parsed


def instance_id_of(properties: Mapping[str, Any]) -> str:
    """Return the id within the instance ARN; of use where the other properties do not matter (Delete)."""
    reader = _Reader(properties)
    instance_id = reader.instance_id()
    if not instance_id:
        raise InvalidPropertiesError(
            "properties of the external voice connector: " + "; ".join(reader.problems)
        )
    return instance_id


def keeps_logs(properties: Mapping[str, Any]) -> bool:
    """Return whether the connector's log groups outlive it."""
    return str(properties.get("KeepLogs", "false")).lower() == "true"


class _Reader:
    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties
        self.problems = [
            f"{name} is not known; remove it or correct its spelling"
            for name in sorted(set(properties) - _KNOWN)
        ]

    def text(self, name: str, form: str, default: str | None = None) -> str:
        value = self._properties.get(name, default)
        if isinstance(value, str) and value:
            return value
        self.problems.append(f"{name} is {'missing' if value is None else shown(value)}; set it to {form}")
        return ""

    def matching(self, name: str, pattern: str, form: str) -> str:
        value = self.text(name, form)
        if value and re.fullmatch(pattern, value) is None:
            self.problems.append(f"{name} is {shown(value)}; it must be {form}")
        return value

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, f"one of {', '.join(choices)}")
        if value and value not in choices:
            self.problems.append(f"{name} is {shown(value)}; it must be one of {', '.join(choices)}")
        return value

    def boolean(self, name: str, default: str | None = None) -> bool:
        value = self.text(name, "true or false", default)
        if value and value.lower() not in {"true", "false"}:
            self.problems.append(f"{name} is {shown(value)}; it must be true or false")
        return value.lower() == "true"

    def instance_id(self) -> str:
        form = "the ARN of an Amazon Connect instance, arn:aws:connect:<region>:<account>:instance/<id>"
        match = _INSTANCE_ARN.fullmatch(self.matching("InstanceId", _INSTANCE_ARN.pattern, form))
        return match[1] if match else ""

    def host(self) -> str:
        form = "the public IPv4 address or domain name of the session border controller"
        value = self.text("Host", form)
        if value and not _is_host(value):
            self.problems.append(f"Host is {shown(value)}; it must be {form}, without scheme or port")
        return value

    def port(self) -> int:
        form = "a port from 1 to 65535"
        value = self.matching("Port", r"[0-9]{1,5}", form)
        port = int(value) if re.fullmatch(r"[0-9]{1,5}", value) else 0
        if port > limits.PORT_RANGE[1] or (value and value.strip("0") == ""):
            self.problems.append(f"Port is {shown(value)}; it must be {form}")
        return port

    def log_retention_days(self) -> int:
        choices = tuple(str(days) for days in limits.LOG_RETENTION_CHOICES)
        default = str(limits.LOG_RETENTION_DAYS)
        value = self.text("LogRetentionDays", f"a number of days: {', '.join(choices)}", default)
        if value and value not in choices:
            self.problems.append(
                f"LogRetentionDays is {shown(value)}; it must be one of {', '.join(choices)}"
            )
        return int(value) if value in choices else 0

    def log_key_arn(self) -> str:
        if "LogKeyArn" not in self._properties:
            return ""
        form = "the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>"
        return self.matching("LogKeyArn", _KEY_ARN.pattern, form)

    def several_of(self, name: str, choices: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
        given = self._properties.get(name, list(default))
        if not isinstance(given, list) or (not given and default):
            self.problems.append(f"{name} is {shown(given)}; it must be a list of {', '.join(choices)}")
            return ()
        self.problems.extend(
            f"{name} holds {shown(value)}; each must be one of {', '.join(choices)}"
            for value in given
            if value not in choices
        )
        return tuple(str(value) for value in given)

    def tags(self) -> tuple[tuple[str, str], ...]:
        given = self._properties.get("Tags", [])
        if not isinstance(given, list) or not all(_is_tag(tag) for tag in given):
            self.problems.append(
                f"Tags is {shown(given)}; it must be a list of objects with Key and Value as text"
            )
            return ()
        tags = tuple((str(tag["Key"]), str(tag["Value"])) for tag in given)
        self.problems.extend(_tag_problems(tags))
        return tags


def _is_host(value: str) -> bool:
    if re.fullmatch(r"[0-9.]+", value):
        try:
            address = ipaddress.IPv4Address(value)
        except ValueError:
            return False
        # Nobody could be called there, wherever the call comes from.
        return not (
            address.is_link_local or address.is_loopback or address.is_multicast or address.is_unspecified
        )
    return _DOMAIN.fullmatch(value) is not None


def _is_tag(tag: object) -> bool:
    return (
        isinstance(tag, Mapping)
        and set(tag) == {"Key", "Value"}
        and all(isinstance(x, str) for x in tag.values())
    )


def _tag_problems(tags: tuple[tuple[str, str], ...]) -> Iterable[str]:
    if len(tags) > MAX_TAGS:
        yield f"Tags holds {len(tags)} tags; at most {MAX_TAGS} fit beside this resource's own"
    keys = [key for key, _ in tags]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"Tags holds the key {shown(key)} more than once; give each key once"
    for key, value in tags:
        if not 1 <= len(key) <= 128 or len(value) > 256:
            yield f"tag {shown(key)} is too long or empty; keys take 1 to 128 characters, values up to 256"
        if key.lower().startswith(("aws:", OWN_TAG_PREFIX)):
            yield f"tag {shown(key)} is reserved; choose one without the prefixes aws: and connect-bridges:"
        if key == ENABLED_TAG:
            yield f"tag {ENABLED_TAG} is set by this resource, to True; leave it out"
