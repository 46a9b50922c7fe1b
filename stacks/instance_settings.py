"""The Amazon Connect instance that an environment creates: settings, checked before anything is built.

Hours, queues, profiles and the like stand under a key, by which the other settings name them. The key is also the name
in Amazon Connect, unless ``name`` says another: another name is a change in place, another key is another thing.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, Self

from connect_bridges.contact_center import access, contact_center, numbers, parts, routing, storage
from pydantic import AfterValidator, Field, model_validator

from .setting_types import (
    CamelSettings,
    PhoneNumber,
    Problem,
    SecretArn,
    SettingProblemsError,
    bounded,
)

Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
Channel = Literal["VOICE", "CHAT", "TASK", "EMAIL"]
NumberType = Literal["DID", "TOLL_FREE", "UIFN", "SHARED", "THIRD_PARTY_DID", "THIRD_PARTY_TF", "SHORT_CODE"]
_EVERY_DAY: list[Day] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
_SECURITY_PROFILES = 10
"""Security profiles of a user: schema of AWS::Connect::User."""


def _like(shape: re.Pattern[str], expected: str, *, longest: int | None = None) -> AfterValidator:
    def check(value: str) -> str:
        if not shape.fullmatch(value) or (longest is not None and len(value) > longest):
            limit = f" of at most {longest} characters" if longest is not None else ""
            raise ValueError(f"{value!r} is not {expected}{limit}")
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    known = _zones()
    if known and value not in known:  # a machine may have no list
        raise ValueError(
            f"{value!r} is not a time zone of the IANA database; write one such as America/New_York"
        )
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _public_key(value: str) -> str:
    if "PRIVATE KEY" in value:  # not to be shown in an error either
        raise ValueError(f"a private key belongs nowhere near a template; write {access.KEY_IS}")
    if not access.PUBLIC_KEY.fullmatch(value) or len(value) > access.KEY_LENGTH:
        raise ValueError(f"a text of {len(value)} characters is not {access.KEY_IS}")
    return value


Alias = Annotated[str, _like(contact_center.ALIAS, contact_center.ALIAS_IS)]
DirectoryId = Annotated[str, _like(contact_center.DIRECTORY, contact_center.DIRECTORY_IS)]
PartName = Annotated[str, _like(parts.NAME, parts.NAME_IS)]
ProfileName = Annotated[
    str, _like(routing.PROFILE_NAME, "a name of 1 to 127 letters, digits, spaces, '_', '@' and '-'")
]
NumberKey = Annotated[
    str, _like(re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}"), "a key of letters and digits, as in Support")
]
Description = Annotated[
    str, Field(min_length=1, max_length=parts.DESCRIPTION_LIMIT, pattern=r"^\S[^\x00-\x1f]*$")
]
Zone = Annotated[str, AfterValidator(_zone)]
Time = Annotated[str, _like(routing.TIME, "a time from 00:00 to 23:59, as in 09:00")]
Origin = Annotated[str, _like(access.ORIGIN, access.ORIGIN_IS, longest=access.ORIGIN_LENGTH)]
PublicKey = Annotated[str, AfterValidator(_public_key)]
BotArn = Annotated[str, _like(access.BOT, access.BOT_IS)]
BucketPrefix = Annotated[str, _like(storage.PREFIX, storage.PREFIX_IS, longest=128)]
KeyArn = Annotated[str, Field(pattern=r"^arn:aws[-a-z]*:kms:[-a-z0-9]+:[0-9]{12}:key/[A-Za-z0-9-]+$")]
DataStreamArn = Annotated[
    str, Field(pattern=r"^arn:aws[-a-z]*:kinesis:[-a-z0-9]+:[0-9]{12}:stream/[A-Za-z0-9_.-]{1,128}$")
]
AnyStreamArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[-a-z]*:(kinesis:[-a-z0-9]+:[0-9]{12}:stream|firehose:[-a-z0-9]+:[0-9]{12}:deliverystream)"
        r"/[A-Za-z0-9_.-]{1,128}$"
    ),
]


class AttributeSettings(CamelSettings):
    """What the instance is told to do; names and defaults are those of ``InstanceAttributes``."""

    inbound_calls: bool = True
    outbound_calls: bool = True
    flow_logs: bool = True
    contact_lens: bool = True
    early_media: bool = True
    auto_resolve_best_voices: bool = True
    multi_party_conference: bool = False
    multi_party_chat_conference: bool = False
    enhanced_contact_monitoring: bool = False
    enhanced_chat_monitoring: bool = False
    high_volume_outbound: bool = False
    auto_mute_agent_on_hold: bool = False
    message_streaming: bool = True


class BucketSettings(CamelSettings):
    """Where one type of file goes: a new bucket, or one that exists."""

    bucket_name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: BucketPrefix | None = None
    expire_after_days: int | None = bounded(None, storage.EXPIRY_DAYS)

    @model_validator(mode="after")
    def _of_a_new_bucket(self) -> Self:
        if self.bucket_name is not None and self.expire_after_days is not None:
            raise ValueError("expireAfterDays is of a new bucket; with bucketName leave it out")
        return self


class RecordStreamSettings(CamelSettings):
    """Where contact records go: a new data stream, or a data or Firehose stream that exists."""

    stream_arn: AnyStreamArn | None = None
    retention_days: int | None = bounded(None, storage.STREAM_DAYS)

    @model_validator(mode="after")
    def _of_a_new_stream(self) -> Self:
        if self.stream_arn is not None and self.retention_days is not None:
            raise ValueError("retentionDays is of a new stream; with streamArn leave it out")
        return self


class EventStreamSettings(RecordStreamSettings):
    """Where agent events go: data streams alone take them."""

    stream_arn: DataStreamArn | None = None


class MediaSettings(CamelSettings):
    """Live media, in video streams that Amazon Connect makes."""

    prefix: Annotated[
        str, _like(storage.MEDIA_PREFIX, "a prefix of 1 to 128 letters, digits, '_', '.' and '-'")
    ]
    retention_hours: int = bounded(24, storage.MEDIA_HOURS)


class StorageSettings(CamelSettings):
    """What the instance keeps; what is left out is not kept."""

    key_arn: KeyArn | None = None
    """Of a key for everything that is new here; default is one key that the environment creates."""
    call_recordings: BucketSettings | None = None
    chat_transcripts: BucketSettings | None = None
    reports: BucketSettings | None = None
    contact_records: RecordStreamSettings | None = None
    agent_events: EventStreamSettings | None = None
    live_media: MediaSettings | None = None


class OpeningSettings(CamelSettings):
    """Opening hours that are the same on several days; ``closes`` 00:00 is the end of the day."""

    days: list[Day] = Field(default=_EVERY_DAY, min_length=1, max_length=7)
    opens: Time = "00:00"
    closes: Time = "00:00"


class PartSettings(CamelSettings):
    """What hours, queues, routing profiles and quick connects have in common."""

    name: PartName | None = None
    """Default: the key."""
    description: Description | None = None


class HoursSettings(PartSettings):
    """Hours of operation; around the clock unless ``openings`` says otherwise."""

    time_zone: Zone
    openings: list[OpeningSettings] = Field(default=[OpeningSettings()], min_length=1)

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        count = sum(len(one.days) for one in self.openings)
        if count > routing.SLICES_LIMIT:
            raise ValueError(
                f"openings make {count} times of a day; Amazon Connect takes {routing.SLICES_LIMIT}"
            )
        return self


class QueueSettings(PartSettings):
    """A queue; hours: the key of the hours in which it is open."""

    hours: str
    max_contacts: int | None = Field(default=None, ge=0, le=2_147_483_647)
    caller_id_name: str | None = Field(default=None, min_length=1, max_length=255, pattern=r"^\S.*$")


class RoutingProfileSettings(PartSettings):
    """Which queues agents serve, by their keys, the most urgent first, and how many contacts at a time."""

    queues: list[str] = Field(min_length=1)
    outbound_queue: str | None = None
    channels: dict[Channel, int] = Field(default={"VOICE": 1, "CHAT": 2}, min_length=1)

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        for channel, amount in self.channels.items():
            low, high = routing.CHANNELS[channel]
            if not low <= amount <= high:
                raise ValueError(f"channels.{channel} is {amount}; choose {low} to {high}")
        entries = len(self.queues) * len(self.channels)
        if entries > routing.QUEUE_LIMIT:
            raise ValueError(
                f"queues and channels make {entries} entries; a routing profile has {routing.QUEUE_LIMIT} at most"
            )
        return self


class SecurityProfileSettings(CamelSettings):
    """What users may do in Amazon Connect's pages."""

    permissions: list[str] = Field(min_length=1)
    name: ProfileName | None = None
    description: Description | None = None


class UserSettings(CamelSettings):
    """A user; the key is the user name, which cannot be changed. No password is a setting."""

    routing_profile: str
    security_profiles: list[str] = Field(min_length=1, max_length=_SECURITY_PROFILES)
    first_name: str | None = Field(default=None, min_length=1, max_length=255)
    last_name: str | None = Field(default=None, min_length=1, max_length=255)
    email: Annotated[str, _like(routing.EMAIL, "an address, as in ana@example.com")] | None = None
    directory_user_id: str | None = Field(default=None, min_length=1)
    password_secret_arn: SecretArn | None = None


class QuickConnectSettings(PartSettings):
    """A telephone number that agents transfer to."""

    phone_number: PhoneNumber


class ApplicationSettings(CamelSettings):
    """A third-party application in the agents' workspace."""

    url: Annotated[str, _like(access.HTTPS, "an address that begins with https://")]
    name: (
        Annotated[
            str, _like(access.APPLICATION_NAME, "1 to 255 letters, digits, spaces, '/', '.', '_' and '-'")
        ]
        | None
    ) = None
    namespace: (
        Annotated[str, _like(access.NAMESPACE, "1 to 255 letters, digits, '/', '.', '_' and '-'")] | None
    ) = None
    description: Description | None = None
    origins: list[Origin] = Field(default_factory=list)
    permissions: list[Annotated[str, _like(access.PERMISSION, "a permission, as in User.Details.View")]] = (
        Field(default_factory=list)
    )


class NumberSettings(CamelSettings):
    """A telephone number to claim, and the flow of this environment that answers it."""

    country_code: Annotated[str, _like(numbers.COUNTRY, "a country of ISO 3166-1, as in US")]
    type: NumberType = "DID"
    prefix: (
        Annotated[
            str, _like(numbers.PREFIX, "the beginning of a number with + and country code, as in +1206")
        ]
        | None
    ) = None
    description: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^\S.*$")
    flow: Literal["voice", "biometrics"]
    """The capability whose flow answers."""
    retain: bool = True
    """Keep the number when its stack is deleted; a released one is gone for up to 180 days."""


class InstanceSettings(CamelSettings):
    """An instance that the environment creates, with everything in it."""

    alias: Alias | None = None
    identity_management: Literal["CONNECT_MANAGED", "SAML", "EXISTING_DIRECTORY"] = "CONNECT_MANAGED"
    directory_id: DirectoryId | None = None
    attributes: AttributeSettings = AttributeSettings()
    retain: bool = True
    """Keep the instance when its stack is deleted; its numbers, users and metrics go with it."""
    storage: StorageSettings = StorageSettings()
    hours: dict[PartName, HoursSettings] = Field(min_length=1)
    queues: dict[PartName, QueueSettings] = Field(min_length=1)
    routing_profiles: dict[PartName, RoutingProfileSettings] = Field(default_factory=dict)
    security_profiles: dict[ProfileName, SecurityProfileSettings] = Field(default_factory=dict)
    users: dict[
        Annotated[str, _like(routing.USERNAME, "1 to 64 letters, digits, '_', '-', '.' and '@'")],
        UserSettings,
    ] = Field(default_factory=dict)
    quick_connects: dict[PartName, QuickConnectSettings] = Field(default_factory=dict)
    origins: list[Origin] = Field(default_factory=list, max_length=access.ORIGINS_LIMIT)
    security_keys: list[PublicKey] = Field(default_factory=list, max_length=access.KEYS_LIMIT)
    lex_bots: list[BotArn] = Field(default_factory=list)
    applications: dict[PartName, ApplicationSettings] = Field(default_factory=dict)
    numbers: dict[NumberKey, NumberSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*self._identity(), *self._references(), *self._users(), *self._twice()]
        if problems:
            raise SettingProblemsError(problems)
        return self

    def _identity(self) -> Iterator[Problem]:
        if self.identity_management == "EXISTING_DIRECTORY":
            if self.alias is not None:
                yield (
                    "alias",
                    f"{self.alias!r} with EXISTING_DIRECTORY, whose directory names the instance; remove it",
                )
            if self.directory_id is None:
                yield "directoryId", f"is missing; EXISTING_DIRECTORY needs {contact_center.DIRECTORY_IS}"
            return
        if self.alias is None:
            yield "alias", f"is missing; write {contact_center.ALIAS_IS}"
        if self.directory_id is not None:
            yield "directoryId", f"{self.directory_id!r} is for EXISTING_DIRECTORY alone; remove it"

    def _references(self) -> Iterator[Problem]:
        for key, queue in self.queues.items():
            yield from _known(f"queues.{key}.hours", [queue.hours], "hours", self.hours)
        for key, profile in self.routing_profiles.items():
            path = f"routingProfiles.{key}"
            yield from _known(f"{path}.queues", profile.queues, "queues", self.queues)
            if profile.outbound_queue is not None:
                yield from _known(f"{path}.outboundQueue", [profile.outbound_queue], "queues", self.queues)
        for key, user in self.users.items():
            path = f"users.{key}"
            profiles = self.routing_profiles
            yield from _known(f"{path}.routingProfile", [user.routing_profile], "routingProfiles", profiles)
            named = user.security_profiles
            yield from _known(f"{path}.securityProfiles", named, "securityProfiles", self.security_profiles)

    def _users(self) -> Iterator[Problem]:
        identity = self.identity_management
        for key, user in self.users.items():
            if identity == "CONNECT_MANAGED":
                for setting, given in {"firstName": user.first_name, "lastName": user.last_name}.items():
                    if given is None:
                        yield (
                            f"users.{key}.{setting}",
                            "is missing; Amazon Connect keeps the users, and needs it",
                        )
            elif user.password_secret_arn is not None:
                yield (
                    f"users.{key}.passwordSecretArn",
                    f"is given with {identity}, yet only CONNECT_MANAGED keeps passwords; remove it",
                )
            if identity != "EXISTING_DIRECTORY" and user.directory_user_id is not None:
                yield f"users.{key}.directoryUserId", "is for EXISTING_DIRECTORY alone; remove it"

    def _twice(self) -> Iterator[Problem]:
        """Find what Amazon Connect would refuse as a second one."""
        kinds: dict[str, dict[str, Any]] = {
            "hours": self.hours,
            "queues": self.queues,
            "routingProfiles": self.routing_profiles,
            "securityProfiles": self.security_profiles,
            "quickConnects": self.quick_connects,
        }
        for kind, named in kinds.items():
            seen: dict[str, str] = {}
            for key, part in named.items():
                name = part.name or key
                if name in seen:
                    yield (
                        f"{kind}.{key}.name",
                        f"{name!r} is the name of {kind}.{seen[name]} already; choose another",
                    )
                seen.setdefault(name, key)
        names = ["".join(filter(str.isalnum, key)) for key in self.queues]
        for key, name in zip(self.queues, names, strict=True):
            if names.count(name) > 1 or not name:
                yield (
                    f"queues.{key}",
                    "needs a key that differs from the others in letters or digits; change it",
                )
        lists = {"origins": self.origins, "lexBots": self.lex_bots}
        for kind, values in lists.items():
            for value in sorted({value for value in values if values.count(value) > 1}):
                yield kind, f"{value!r} is there twice; remove one"
        if len(set(self.security_keys)) < len(self.security_keys):
            yield "securityKeys", "the same key is there twice; remove one"

    def arns_of_account(self) -> dict[str, str | None]:
        """Return what must be in the environment's account and Region, by key path."""
        kept = self.storage
        found: dict[str, str | None] = {"instance.storage.keyArn": kept.key_arn}
        for name, stream in {
            "contactRecords": kept.contact_records,
            "agentEvents": kept.agent_events,
        }.items():
            found[f"instance.storage.{name}.streamArn"] = stream.stream_arn if stream else None
        found |= {f"instance.lexBots.{index}": arn for index, arn in enumerate(self.lex_bots)}
        found |= {
            f"instance.users.{key}.passwordSecretArn": user.password_secret_arn
            for key, user in self.users.items()
        }
        return found


def _known(path: str, names: Iterable[str], kind: str, known: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            there = ", ".join(known) or "nothing"
            yield path, f"{name!r} is not in instance.{kind}, which has {there}; correct it, or add it there"
