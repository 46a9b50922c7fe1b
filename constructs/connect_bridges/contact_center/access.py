"""Who and what may work with an instance: sites that embed it, keys, bots, third-party applications."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_appintegrations as appintegrations
from aws_cdk import aws_connect as connect

from connect_bridges.contact_center.parts import BEYOND_GOVCLOUD, claim, group
from connect_bridges.shared.checks import ConstructArgumentError, Problems, check, check_texts
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import comes_later

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance

# Administrator guide, "Amazon Connect feature limits" and "Encrypt sensitive customer input"; CloudFormation's schemas.
ORIGINS_LIMIT = 100
ORIGIN_LENGTH = 267
KEYS_LIMIT = 2
KEY_LENGTH = 1024
ORIGIN = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
ORIGIN_IS = (
    "an origin: https:// and a host, without path, as in https://example.my.salesforce.com; a wildcard is none, so "
    "name each host"
)
PUBLIC_KEY = re.compile(
    r"-----BEGIN PUBLIC KEY-----\r?\n(?:[A-Za-z0-9+/=]+\r?\n)+-----END PUBLIC KEY-----\r?\n?", re.ASCII
)
KEY_IS = (
    f"a public key in PEM of at most {KEY_LENGTH:,} characters, beginning with -----BEGIN PUBLIC KEY-----; "
    "`openssl rsa -in private.pem -pubout` prints it"
)
# The service authorization data of Amazon Lex V2 and Amazon Lex.
_BOT_ALIAS = re.compile(
    r"arn:aws[-a-z]*:lex:[-a-z0-9]+:[0-9]{12}:bot-alias/[0-9A-Z]{10}/(?:[0-9A-Z]{10}|TSTALIASID)", re.ASCII
)
_BOT_V1 = re.compile(r"arn:aws[-a-z]*:lex:[-a-z0-9]+:[0-9]{12}:bot:[A-Za-z_]+(?::[^:]+)?", re.ASCII)
BOT_IS = (
    "the ARN of a bot's alias; it reads arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS. That of a Lex V1 bot reads "
    "arn:aws:lex:REGION:ACCOUNT:bot:NAME"
)
BOT = re.compile(f"{_BOT_ALIAS.pattern}|{_BOT_V1.pattern}", re.ASCII)
APPLICATION_NAME = re.compile(r"[a-zA-Z0-9/._ -]{1,255}", re.ASCII)
NAMESPACE = re.compile(r"[a-zA-Z0-9/._-]{1,255}", re.ASCII)
HTTPS = re.compile(r"https://[^\s/]+(?:/\S*)?")
PERMISSION = re.compile(r"[a-zA-Z0-9/._*-]{1,255}", re.ASCII)


@dataclass(frozen=True)
class InstanceApplication:
    """A third-party application that an instance offers to its agents."""

    arn: str
    """Of the application; a security profile of the instance still has to allow it."""
    application: appintegrations.CfnApplication
    association: connect.CfnIntegrationAssociation


def allow_origin(instance: ConnectInstance, origin: str) -> connect.CfnApprovedOrigin:
    """Approve a site; approving it twice is approving it once."""
    problems = Problems(instance)
    problems.collect(check, "origin", origin, ORIGIN, ORIGIN_IS)
    if isinstance(origin, str) and len(origin) > ORIGIN_LENGTH:
        problems.add(f"origin has {len(origin)} characters; Amazon Connect takes {ORIGIN_LENGTH}.")
    problems.raise_all()
    place = group(instance, "Origins")
    id = _short(instance, origin)  # noqa: A001
    found = place.node.try_find_child(id)
    if isinstance(found, connect.CfnApprovedOrigin):
        return found
    if len(place.node.children) == ORIGINS_LIMIT:
        raise ConstructArgumentError(
            instance.node.path,
            [f"{origin!r} would be origin {ORIGINS_LIMIT + 1}; an instance has {ORIGINS_LIMIT} at most."],
        )
    approved = connect.CfnApprovedOrigin(place, id, instance_id=instance.instance_arn, origin=origin)
    instance.chain("origins", approved)
    instance.note("origins", {"origin": origin})
    return approved


def add_security_key(instance: ConnectInstance, public_key: str) -> connect.CfnSecurityKey:
    """Add a public key; its id in the tree is made of it, so that another key is another resource."""
    problems = Problems(instance)
    if isinstance(public_key, str) and "PRIVATE KEY" in public_key:
        problems.add(f"public_key is a private key, which belongs nowhere near a template; give {KEY_IS}.")
    else:
        problems.collect(check, "public_key", public_key, PUBLIC_KEY, KEY_IS)
    if isinstance(public_key, str) and len(public_key) > KEY_LENGTH:
        problems.add(
            f"public_key has {len(public_key):,} characters; Amazon Connect takes {KEY_LENGTH:,}, which is "
            "enough for RSA with 4,096 bits."
        )
    problems.raise_all()
    place = group(instance, "SecurityKeys")
    id = f"Key{hashlib.sha256(public_key.strip().encode()).hexdigest()[:8]}"  # noqa: A001
    if place.node.try_find_child(id) is not None:
        raise ConstructArgumentError(instance.node.path, ["public_key was added before; add each key once."])
    if len(place.node.children) == KEYS_LIMIT:
        raise ConstructArgumentError(
            instance.node.path,
            [
                (
                    f"public_key is a third security key; an instance has {KEYS_LIMIT} at most, the old and the new "
                    "one of a rotation. Deploy without the oldest first."
                )
            ],
        )
    key = connect.CfnSecurityKey(place, id, instance_id=instance.instance_arn, key=public_key)
    instance.chain("security keys", key)
    return key


def add_lex_bot(instance: ConnectInstance, alias_arn: str) -> connect.CfnIntegrationAssociation:
    """Let flows use a bot; asking twice is asking once."""
    problems = Problems(instance)
    problems.collect(check, "alias_arn", alias_arn, BOT, BOT_IS)
    Place(instance).check_arn(problems, "alias_arn", alias_arn)
    problems.raise_all()
    place = group(instance, "Bots")
    id = _short(instance, alias_arn)  # noqa: A001
    found = place.node.try_find_child(id)
    if isinstance(found, connect.CfnIntegrationAssociation):
        return found
    if not comes_later(alias_arn) and not _BOT_ALIAS.fullmatch(alias_arn):
        # evidence: lex-v1-has-ended
        cdk.Annotations.of(instance).add_warning_v2(
            "connect-bridges:lex-v1",
            f"alias_arn is {alias_arn!r}, a bot of Lex V1, which AWS has ended; give a Lex V2 alias.",
        )
    association = connect.CfnIntegrationAssociation(
        place,
        id,
        instance_id=instance.instance_arn,
        integration_type="LEX_BOT",
        integration_arn=alias_arn,
    )
    association.add_property_deletion_override("Tags")
    instance.chain("associations", association)
    return association


def add_application(
    instance: ConnectInstance,
    id: str,  # noqa: A002
    *,
    url: str,
    name: str | None,
    namespace: str | None,
    description: str | None,
    origins: Sequence[str],
    permissions: Sequence[str],
) -> InstanceApplication:
    """Make a third-party application and let the instance use it."""
    name = id if name is None else name
    problems = Problems(instance)
    Place(instance).check_region(
        problems, having=BEYOND_GOVCLOUD, feature="AWS::AppIntegrations::Application", region=instance.region
    )
    problems.collect(check, "url", url, HTTPS, "an address that begins with https://")
    problems.collect(
        check, "name", name, APPLICATION_NAME, "1 to 255 letters, digits, spaces, '/', '.', '_' and '-'"
    )
    if namespace is None:
        namespace = cdk.Names.unique_resource_name(group(instance, "Applications"), max_length=100) + f".{id}"
    problems.collect(
        check, "namespace", namespace, NAMESPACE, "1 to 255 letters, digits, '/', '.', '_' and '-'"
    )
    problems.collect(check_texts, "origins", origins, '["https://crm.example.com"]')
    problems.collect(check_texts, "permissions", permissions, '["User.Details.View"]')
    problems.raise_all()
    for origin in origins:
        problems.collect(check, "origins", origin, ORIGIN, ORIGIN_IS)
    for permission in permissions:
        problems.collect(check, "permissions", permission, PERMISSION, "a permission: User.Details.View")
    problems.raise_all()
    claim(instance, "application", namespace, f"an application of the namespace {namespace!r} already.")
    place = group(instance, "Applications")
    guard_identity(
        place,
        parameter=f"{id}Identity",
        rule=f"{id}Stays",
        identity=namespace,
        written=f"Namespace of the application {place.node.path}/{id}",
        refusal=(
            f"{place.node.path}/{id}: its namespace would become {namespace}, which an application cannot change, so "
            "that the deployment would fail half-way. Set namespace back, or add the application with an id of its "
            f"own. The stack's parameter can be set with {SAID}, should it be wrong."
        ),
    )
    # evidence: application-shape
    application = appintegrations.CfnApplication(
        place,
        id,
        name=name,
        namespace=namespace,
        description=description or f"{name}, for agents",
        application_source_config=appintegrations.CfnApplication.ApplicationSourceConfigProperty(
            external_url_config=appintegrations.CfnApplication.ExternalUrlConfigProperty(
                access_url=url, approved_origins=list(origins) or [_origin_of(url)]
            )
        ),
        permissions=list(permissions) or None,
    )
    association = connect.CfnIntegrationAssociation(
        place,
        f"{id}Association",
        instance_id=instance.instance_arn,
        integration_type="APPLICATION",
        integration_arn=application.attr_application_arn,
    )
    association.add_property_deletion_override("Tags")
    instance.chain("associations", association)
    return InstanceApplication(application.attr_application_arn, application, association)


def _origin_of(url: str) -> str:
    if comes_later(url):
        return url
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _short(instance: ConnectInstance, text: str) -> str:
    """Return an id for a value: of letters and digits, another one for another value, the same in every synthesis."""
    plain = re.sub(r"[^A-Za-z0-9]", "", text.removeprefix("https://"))[-20:]
    if comes_later(text):
        plain, text = "Later", json.dumps(cdk.Stack.of(instance).resolve(text), sort_keys=True)
    return f"{plain}{hashlib.sha256(text.encode()).hexdigest()[:8]}"
