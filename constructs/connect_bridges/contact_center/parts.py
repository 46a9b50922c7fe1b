"""What the things have in common that are added to an instance: ARN, name, and a place in the tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk

from connect_bridges.shared.checks import ConstructArgumentError, Problems, check
from connect_bridges.shared.known_regions import CONNECT_REGIONS
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import comes_later, is_token
from constructs import Construct

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# evidence: connect-regions
BEYOND_GOVCLOUD = tuple(region for region in CONNECT_REGIONS if region != "us-gov-west-1")
"""Where AWS::Connect::PhoneNumber and AWS::AppIntegrations::Application exist: cfn-lint 1.58.0."""
NAME_LIMIT = 127
"""Characters of a name: the schemas of AWS::Connect::Queue, HoursOfOperation, RoutingProfile, QuickConnect."""
DESCRIPTION_LIMIT = 250
# evidence: metric-names-of-queues
NAME = re.compile(rf"(?=\S)[0-9A-Za-z.,\-_/#:$@|&{{}}+?% ]{{1,{NAME_LIMIT}}}(?<=\S)", re.ASCII)
NAME_IS = (
    f"a name that metrics can show: 1 to {NAME_LIMIT} letters, digits, spaces and . , - _ / # : $ @ | & {{ }} + ? %, "
    "without space at its ends"
)

_NUMBER_ARN = re.compile(rf"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{{12}}:phone-number/{_UUID}")
_NUMBER_IS = (
    "what claim_number returned, or the ARN of a claimed number, as `aws connect list-phone-numbers-v2` prints it: "
    "arn:aws:connect:REGION:ACCOUNT:phone-number/UUID"
)


@dataclass(frozen=True)
class InstancePart:
    """Something that was added to an instance: hours, a queue, a routing profile, a quick connect, a user."""

    arn: str
    """Its ARN, a token."""
    name: str
    """Its name in Amazon Connect; of a telephone number, the number, a token."""
    resource: cdk.CfnResource
    """The L1 resource, for what this library does not offer."""


def group(instance: ConnectInstance, name: str) -> Construct:
    """Return the place of one kind of parts below the instance, so that kinds do not share ids."""
    found = instance.node.try_find_child(name)
    return found if isinstance(found, Construct) else Construct(instance, name)


def claim(instance: ConnectInstance, kind: str, name: str, said: str) -> None:
    """Refuse a second thing of the app where AWS allows one to an instance; said: what to do.

    On the app's root, since two stacks may add to one instance.
    """
    arn = instance.instance_arn
    key = (instance.node.path if comes_later(arn) and not is_token(arn) else arn, kind, name)
    claimed: dict[object, str] = instance.node.root.__dict__.setdefault("_connect_bridges_parts", {})
    if key in claimed:
        raise ConstructArgumentError(instance.node.path, [f"{claimed[key]} has {said}"])
    claimed[key] = instance.node.path


def check_part_name(problems: Problems, setting: str, name: object) -> None:
    """Check a name of hours, a queue, a routing profile or a quick connect."""
    problems.collect(check, setting, name, NAME, NAME_IS)


def check_description(problems: Problems, description: object) -> None:
    """Check a description; None leaves it out."""
    if description is not None:
        shape = re.compile(rf"\S[^\x00-\x1f]{{0,{DESCRIPTION_LIMIT - 1}}}")
        problems.collect(
            check, "description", description, shape, f"1 to {DESCRIPTION_LIMIT} characters in one line"
        )


def arn_of(
    problems: Problems, instance: ConnectInstance, setting: str, part: object, *, kind: str, write: str
) -> str:
    """Return the ARN of a part, given as what an ``add_…`` returned, as a flow, or as its ARN.

    kind: its name in ARNs, such as ``queue``. write: what to write instead, for the error.
    """
    arn = getattr(part, "arn", part)
    shape = re.compile(
        rf"arn:aws[-a-z]*:connect:[-a-z0-9]+:[0-9]{{12}}:instance/{_UUID}/{re.escape(kind)}/{_UUID}"
    )
    found = Problems(setting)
    found.collect(check, setting, arn, shape, write)
    if not found:
        Place(instance).check_of_instance(found, setting, arn, instance)
    problems.collect(found.raise_all)
    return arn if isinstance(arn, str) else ""


def number_arn_of(problems: Problems, instance: ConnectInstance, setting: str, number: object) -> str:
    """Return the ARN of a telephone number, given as what ``claim_number`` returned, or as its ARN."""
    arn = getattr(number, "arn", number)
    found = Problems(setting)
    found.collect(check, setting, arn, _NUMBER_ARN, _NUMBER_IS)
    if not found:
        Place(instance).check_arn(found, setting, arn)
    problems.collect(found.raise_all)
    return arn if isinstance(arn, str) else ""
