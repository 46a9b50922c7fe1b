"""Hours, queues, routing profiles, quick connects, security profiles and users of an instance."""

from __future__ import annotations

import hashlib
import json
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_secretsmanager as secretsmanager

from connect_bridges.contact_center.instance_options import IdentityManagement
from connect_bridges.contact_center.parts import (
    InstancePart,
    arn_of,
    check_description,
    check_part_name,
    claim,
    group,
    number_arn_of,
)
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.arguments import check_secret
from connect_bridges.shared.checks import E164, Problems, check, check_choice, check_texts, check_whole
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import comes_later
from constructs import Construct

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance
    from connect_bridges.contact_center.contact_flow import ContactFlow

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
# CloudFormation's schemas of the types.
CHANNELS = {"VOICE": (1, 1), "CHAT": (1, 10), "TASK": (1, 10), "EMAIL": (1, 10)}
"""How many contacts of a channel an agent may have at a time."""
SLICES_LIMIT = 100
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
USERNAME = re.compile(r"[a-zA-Z0-9_.@-]{1,64}", re.ASCII)
PROFILE_NAME = re.compile(r"[ a-zA-Z0-9_@-]{1,127}", re.ASCII)
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_QUEUE = 'what add_queue returned, or "arn:aws:connect:…:instance/UUID/queue/UUID"'
QUEUE_LIMIT = 50
"""Queues of a routing profile, channels counted apart: quota L-516BC0EB."""


@dataclass(frozen=True)
class OpeningHours:
    """From when to when an instance is open on one day, in the time zone of the hours."""

    day: str
    """MONDAY to SUNDAY."""
    opens: str
    """As HH:MM, 00:00 to 23:59."""
    closes: str
    """As HH:MM; 00:00 is the end of the day, and a time before ``opens`` is on the day after."""

    def __post_init__(self) -> None:
        """Check the values; raises ``ConstructArgumentError``."""
        problems = Problems(type(self).__name__)
        problems.collect(check_choice, "day", self.day, DAYS)
        for setting in ("opens", "closes"):
            problems.collect(
                check, setting, getattr(self, setting), TIME, "a time from 00:00 to 23:59, as in 09:00"
            )
        problems.raise_all()

    @classmethod
    def always(cls) -> tuple[OpeningHours, ...]:
        """Return every day around the clock."""
        return tuple(cls(day, "00:00", "00:00") for day in DAYS)

    @classmethod
    def weekdays(cls, opens: str, closes: str) -> tuple[OpeningHours, ...]:
        """Return Monday to Friday from ``opens`` to ``closes``."""
        return tuple(cls(day, opens, closes) for day in DAYS[:5])


def add_hours(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    time_zone: str,
    hours: Sequence[OpeningHours],
    name: str | None,
    description: str | None,
) -> InstancePart:
    """Add hours of operation."""
    name = id if name is None else name
    problems = Problems(instance)
    check_part_name(problems, "name", name)
    check_description(problems, description)
    _check_zone(problems, time_zone)
    if not isinstance(hours, (list, tuple)) or any(not isinstance(one, OpeningHours) for one in hours):
        problems.add(f'hours is {hours!r}; write OpeningHours.weekdays("09:00", "17:00"), or a list of them.')
    elif len(hours) > SLICES_LIMIT:
        problems.add(f"hours has {len(hours)} entries; Amazon Connect takes {SLICES_LIMIT}.")
    problems.raise_all()
    claim(instance, "hours", name, f"hours named {name!r} already, and names are unique in an instance.")
    made = connect.CfnHoursOfOperation(
        group(instance, "Hours"),
        id,
        instance_arn=instance.instance_arn,
        name=name,
        description=description,
        time_zone=time_zone,
        config=[
            connect.CfnHoursOfOperation.HoursOfOperationConfigProperty(
                day=one.day, start_time=_slice(one.opens), end_time=_slice(one.closes)
            )
            for one in hours
        ],
    )
    instance.chain("hours", made)
    return InstancePart(made.attr_hours_of_operation_arn, name, made)


def add_queue(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    hours: InstancePart | str,
    name: str | None,
    description: str | None,
    max_contacts: int | None,
    caller_id_name: str | None,
    caller_id_number: InstancePart | str | None,
    whisper_flow: ContactFlow | str | None,
) -> InstancePart:
    """Add a queue."""
    name = id if name is None else name
    problems = Problems(instance)
    check_part_name(problems, "name", name)
    check_description(problems, description)
    hours_arn = arn_of(
        problems,
        instance,
        "hours",
        hours,
        kind="operating-hours",
        write='what add_hours returned, or "arn:aws:connect:…:instance/UUID/operating-hours/UUID"',
    )
    if max_contacts is not None:
        problems.collect(check_whole, "max_contacts", max_contacts, (0, 2_147_483_647), "contacts")
    if caller_id_name is not None:
        shape = re.compile(r"\S.{0,254}")
        problems.collect(check, "caller_id_name", caller_id_name, shape, "1 to 255 characters")
    flow_arn = _flow_arn(problems, instance, "whisper_flow", whisper_flow) if whisper_flow else None
    number_arn = (
        number_arn_of(problems, instance, "caller_id_number", caller_id_number) if caller_id_number else None
    )
    problems.raise_all()
    claim(instance, "queue", name, f"a queue named {name!r} already, and names are unique in an instance.")
    made = connect.CfnQueue(
        group(instance, "Queues"),
        id,
        instance_arn=instance.instance_arn,
        name=name,
        description=description,
        hours_of_operation_arn=hours_arn,
        max_contacts=max_contacts,
        outbound_caller_config=(
            connect.CfnQueue.OutboundCallerConfigProperty(
                outbound_caller_id_name=caller_id_name,
                outbound_caller_id_number_arn=number_arn,
                outbound_flow_arn=flow_arn,
            )
            if caller_id_name or number_arn or flow_arn
            else None
        ),
    )
    instance.chain("queues", made)
    instance.note("queues", {"name": name, "arn": made.attr_queue_arn})
    return InstancePart(made.attr_queue_arn, name, made)


def add_routing_profile(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    queues: Sequence[InstancePart | str],
    outbound_queue: InstancePart | str | None,
    channels: Mapping[str, int],
    name: str | None,
    description: str | None,
) -> InstancePart:
    """Add a routing profile."""
    name = id if name is None else name
    problems = Problems(instance)
    check_part_name(problems, "name", name)
    check_description(problems, description)
    if not isinstance(queues, (list, tuple)) or not queues:
        problems.add(f"queues is {queues!r}; write a list of at least one queue, the most urgent first.")
        problems.raise_all()
    arns = [arn_of(problems, instance, "queues", one, kind="queue", write=_QUEUE) for one in queues]
    outbound_arn = (
        arn_of(problems, instance, "outbound_queue", outbound_queue, kind="queue", write=_QUEUE)
        if outbound_queue is not None
        else arns[0]
    )
    if not isinstance(channels, Mapping) or not channels:
        problems.add(f'channels is {channels!r}; write {{"VOICE": 1, "CHAT": 2}}.')
        problems.raise_all()
    for channel, amount in channels.items():
        problems.collect(check_choice, "channels", channel, tuple(CHANNELS))
        if channel in CHANNELS:
            problems.collect(check_whole, f"channels[{channel!r}]", amount, CHANNELS[channel], "contacts")
    if len(arns) * len(channels) > QUEUE_LIMIT:
        problems.add(
            f"queues and channels make {len(arns) * len(channels)} entries; a routing profile has {QUEUE_LIMIT} "
            "at most (quota L-516BC0EB)."
        )
    problems.raise_all()
    claim(instance, "routing profile", name, f"a routing profile named {name!r} already.")
    made = connect.CfnRoutingProfile(
        group(instance, "RoutingProfiles"),
        id,
        instance_arn=instance.instance_arn,
        name=name,
        description=description or name,
        default_outbound_queue_arn=outbound_arn,
        media_concurrencies=[
            connect.CfnRoutingProfile.MediaConcurrencyProperty(channel=channel, concurrency=amount)
            for channel, amount in channels.items()
        ],
        queue_configs=[
            connect.CfnRoutingProfile.RoutingProfileQueueConfigProperty(
                delay=0,
                priority=priority,
                queue_reference=connect.CfnRoutingProfile.RoutingProfileQueueReferenceProperty(
                    channel=channel, queue_arn=arn
                ),
            )
            for priority, arn in enumerate(arns, 1)
            for channel in channels
        ],
    )
    instance.chain("routing profiles", made)
    return InstancePart(made.attr_routing_profile_arn, name, made)


def add_quick_connect(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    phone_number: str | None,
    queue: InstancePart | str | None,
    user: InstancePart | str | None,
    flow: ContactFlow | str | None,
    name: str | None,
    description: str | None,
) -> InstancePart:
    """Add a quick connect to one of a number, a queue, a user and a flow."""
    name = id if name is None else name
    problems = Problems(instance)
    check_part_name(problems, "name", name)
    check_description(problems, description)
    targets = [
        setting
        for setting, given in (("phone_number", phone_number), ("queue", queue), ("user", user))
        if given is not None
    ]
    if len(targets) > 1 or (phone_number is not None and flow is not None) or not (targets or flow):
        problems.add(
            "a quick connect leads to one thing: give phone_number, or queue with flow, or user with flow, or flow."
        )
        problems.raise_all()
    if targets in (["queue"], ["user"]) and flow is None:
        problems.add(
            f"flow is missing: what is transferred to a {targets[0]} passes through a flow of the type "
            f"{'QUEUE_TRANSFER' if targets == ['queue'] else 'AGENT_TRANSFER'}; give one."
        )
        problems.raise_all()
    flow_arn = _flow_arn(problems, instance, "flow", flow) if flow is not None else ""
    L1 = connect.CfnQuickConnect  # noqa: N806
    if phone_number is not None:
        problems.collect(check, "phone_number", phone_number, E164)
        config = L1.QuickConnectConfigProperty(
            quick_connect_type="PHONE_NUMBER",
            phone_config=L1.PhoneNumberQuickConnectConfigProperty(phone_number=str(phone_number)),
        )
    elif queue is not None:
        arn = arn_of(problems, instance, "queue", queue, kind="queue", write=_QUEUE)
        config = L1.QuickConnectConfigProperty(
            quick_connect_type="QUEUE",
            queue_config=L1.QueueQuickConnectConfigProperty(contact_flow_arn=flow_arn, queue_arn=arn),
        )
    elif user is not None:
        arn = arn_of(
            problems, instance, "user", user, kind="agent", write="what add_user returned, or its ARN"
        )
        config = L1.QuickConnectConfigProperty(
            quick_connect_type="USER",
            user_config=L1.UserQuickConnectConfigProperty(contact_flow_arn=flow_arn, user_arn=arn),
        )
    else:
        config = L1.QuickConnectConfigProperty(quick_connect_type="FLOW")
    problems.raise_all()
    claim(instance, "quick connect", name, f"a quick connect named {name!r} already.")
    made = connect.CfnQuickConnect(
        group(instance, "QuickConnects"),
        id,
        instance_arn=instance.instance_arn,
        name=name,
        description=description,
        quick_connect_config=config,
    )
    if not targets:  # the classes of older CDKs do not know it
        made.add_property_override("QuickConnectConfig.FlowConfig.ContactFlowArn", flow_arn)
    instance.chain("quick connects", made)
    return InstancePart(made.attr_quick_connect_arn, name, made)


def add_security_profile(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    permissions: Sequence[str],
    name: str | None,
    description: str | None,
) -> InstancePart:
    """Add a security profile."""
    name = id if name is None else name
    problems = Problems(instance)
    problems.collect(check, "name", name, PROFILE_NAME, "1 to 127 letters, digits, spaces, '_', '@' and '-'")
    check_description(problems, description)
    problems.collect(check_texts, "permissions", permissions, '["BasicAgentAccess", "OutboundCallAccess"]')
    problems.raise_all()
    claim(instance, "security profile", name, f"a security profile named {name!r} already.")
    made = connect.CfnSecurityProfile(
        group(instance, "SecurityProfiles"),
        id,
        instance_arn=instance.instance_arn,
        security_profile_name=name,
        description=description,
        permissions=list(permissions),
    )
    instance.chain("security profiles", made)
    return InstancePart(made.attr_security_profile_arn, name, made)


@dataclass(frozen=True)
class InstanceUser(InstancePart):
    """A user of an instance."""

    password_secret: secretsmanager.ISecret | None = None
    """Holds the first password; None unless the instance keeps passwords."""


def add_user(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    username: str,
    routing_profile: InstancePart | str,
    security_profiles: Sequence[InstancePart | str],
    first_name: str | None,
    last_name: str | None,
    email: str | None,
    directory_user_id: str | None,
    password_secret: secretsmanager.ISecret | None,
) -> InstanceUser:
    """Add a user."""
    problems, place = Problems(instance), Place(instance)
    identity = instance.identity_management
    problems.collect(
        check,
        "username",
        username,
        USERNAME,
        "1 to 64 letters, digits, '_', '-', '.' and '@', without spaces",
    )
    profile_arn = arn_of(
        problems,
        instance,
        "routing_profile",
        routing_profile,
        kind="routing-profile",
        write="what add_routing_profile returned, or its ARN",
    )
    if not isinstance(security_profiles, (list, tuple)) or not 1 <= len(security_profiles) <= 10:
        problems.add(f"security_profiles is {security_profiles!r}; write a list of 1 to 10.")
        problems.raise_all()
    profiles = [
        arn_of(
            problems,
            instance,
            "security_profiles",
            one,
            kind="security-profile",
            write="what add_security_profile returned, or its ARN",
        )
        for one in security_profiles
    ]
    if email is not None:
        problems.collect(check, "email", email, EMAIL, "an address, as in ana@example.com")
    _check_sign_in(problems, identity, directory_user_id, password_secret)
    if identity is IdentityManagement.CONNECT_MANAGED and not (first_name and last_name):
        problems.add("first_name and last_name are needed where Amazon Connect keeps the users; give both.")
    check_secret(problems, place, "password_secret", password_secret)
    problems.raise_all()
    claim(instance, "user", username, f"a user named {username!r} already.")
    users = group(instance, "Users")
    if identity is IdentityManagement.CONNECT_MANAGED and password_secret is None:
        generated = secretsmanager.Secret(
            users,
            f"{id}Password",
            description=f"First password of {username} in Amazon Connect. Do not rotate it: see the user's docs.",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=24, exclude_characters="\"'\\/@ `{}$", require_each_included_type=True
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        # evidence: user-password-once
        acknowledge(
            generated,
            "AwsSolutions-SMG4",
            "CloudFormation cannot change a user's password, so another one here would break the next deployment; the "
            "user changes it in Amazon Connect.",
        )
        password_secret = cast("secretsmanager.ISecret", generated)
    # evidence: user-password-once
    secret = _mark(users, password_secret) if password_secret is not None else None
    _guard_user(users, id, (username, directory_user_id, secret))
    made = connect.CfnUser(
        users,
        id,
        instance_arn=instance.instance_arn,
        username=username,
        password=password_secret.secret_value.unsafe_unwrap() if password_secret is not None else None,
        directory_user_id=directory_user_id,
        identity_info=(
            connect.CfnUser.UserIdentityInfoProperty(first_name=first_name, last_name=last_name, email=email)
            if first_name or last_name or email
            else None
        ),
        phone_config=connect.CfnUser.UserPhoneConfigProperty(phone_type="SOFT_PHONE"),
        routing_profile_arn=profile_arn,
        security_profile_arns=profiles,
    )
    instance.chain("users", made)
    return InstanceUser(made.attr_user_arn, username, made, password_secret)


def _guard_user(users: Construct, id: str, identity: Sequence[str | None]) -> None:  # noqa: A002
    """Refuse a deployment that would change what CloudFormation cannot change of a user."""
    text = "/".join(filter(None, identity))
    guard_identity(
        users,
        parameter=f"{id}Identity",
        rule=f"{id}Stays",
        identity=text,
        written=f"Username, directory id and password's secret of the user {users.node.path}/{id}",
        refusal=(
            f"{users.node.path}/{id}: username, directory_user_id or password_secret would become another, which a "
            f"user cannot change ({text}), so that the deployment would fail half-way. Set them back, or add the user "
            f"with an id of its own. The stack's parameter can be set with {SAID}, should it be wrong."
        ),
    )


def _mark(users: Construct, secret: secretsmanager.ISecret) -> str:
    """Return what tells one secret from another; its ARN is no secret, but long."""
    arn = cdk.Stack.of(users).resolve(secret.secret_arn)
    return hashlib.sha256(json.dumps(arn).encode()).hexdigest()[:8]


def _check_sign_in(problems: Problems, identity: object, directory_user_id: object, password: object) -> None:
    if identity is None:
        problems.add(
            "nobody has told where the users of this imported instance are kept; give ConnectInstance.from_arn(…, "
            "identity_management=IdentityManagement.SAML), or what it has."
        )
    if password is not None and identity is not IdentityManagement.CONNECT_MANAGED:
        problems.add("password_secret is given, yet only CONNECT_MANAGED keeps passwords; leave it out.")
    if directory_user_id is not None and identity is not IdentityManagement.EXISTING_DIRECTORY:
        problems.add("directory_user_id is given, yet only EXISTING_DIRECTORY has such users; leave it out.")


def _flow_arn(problems: Problems, instance: ConnectInstance, setting: str, flow: object) -> str:
    return arn_of(
        problems,
        instance,
        setting,
        flow,
        kind="contact-flow",
        write='a ContactFlow, or "arn:aws:connect:…:instance/UUID/contact-flow/UUID"',
    )


def _slice(time: str) -> connect.CfnHoursOfOperation.HoursOfOperationTimeSliceProperty:
    hours, minutes = map(int, time.split(":"))
    return connect.CfnHoursOfOperation.HoursOfOperationTimeSliceProperty(hours=hours, minutes=minutes)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _check_zone(problems: Problems, zone: object) -> None:
    shape = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
    expected = "a time zone of the IANA database, as in America/New_York"
    problems.collect(check, "time_zone", zone, shape, expected)
    known = isinstance(zone, str) and not comes_later(zone) and bool(shape.fullmatch(zone))
    if known and _zones() and zone not in _zones():  # a machine may have no list
        problems.add(f"time_zone is {zone!r}, which is not {expected}.")
