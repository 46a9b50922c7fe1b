"""Checks of the arguments that several constructs take: instance, queue, flow, names, key, options."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb

from connect_bridges.shared.checks import (
    FLOW_ARN,
    QUEUE_ARN,
    Problems,
    check,
    check_choice,
    check_flag,
    check_kind,
    check_text,
)
from connect_bridges.shared.function_options import FunctionOptions
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import comes_later
from constructs import Construct

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance

FLOW_NAME_LIMIT = 127
"""Characters: AWS::Connect::ContactFlow and ContactFlowModule."""
_PROMPT_LIMIT = 6_000
"""Characters: Amazon Connect API reference, flow language, MessageParticipant."""

# Names that a user may fix. Sources: the CloudFormation schemas of the types, and each service's naming rules.
NAMES: dict[str, tuple[re.Pattern[str], str]] = {
    "table_name": (
        re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII),
        "a DynamoDB table's name; write 3 to 255 letters, digits, - _ and .",
    ),
    "function_name": (
        re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII),
        "a Lambda function's name; write 1 to 64 letters, digits, - and _",
    ),
    "topic_name": (
        re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII),
        "a standard topic's name, the only kind that Connect publishes to; write 1 to 256 letters, digits, - and _",
    ),
    "attribute": (
        re.compile(r"\S(?:.{0,253}\S)?"),
        "an attribute's name in DynamoDB; write 1 to 255 characters",
    ),
    "header": (
        re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII),
        "a header's name; write 1 to 64 letters, digits and -",
    ),
    "api_name": (re.compile(r"\S.{0,127}"), "an API's name; write 1 to 128 characters"),
    "dashboard_name": (
        re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII),
        "a dashboard's name; write 1 to 255 letters, digits, - and _",
    ),
}


def check_name(setting: str, value: object, kind: str) -> None:
    """Check a fixed name of a kind in ``NAMES``; None leaves it to CloudFormation. Raises ``ValueError``."""
    if value is not None:
        shape, expected = NAMES[kind]
        check(setting, value, shape, expected)


def check_instance(problems: Problems, owner: Construct, instance: object) -> Place:
    """Check a construct's ``instance``, also against the construct's own stack; return where that is."""
    from connect_bridges.contact_center.connect_instance import ConnectInstance  # noqa: PLC0415 (it checks with this)

    place = Place(owner)
    problems.collect(
        check_kind,
        "instance",
        instance,
        'ConnectInstance.from_arn(self, "Instance", "arn:aws:connect:…")',
        ConnectInstance,
    )
    if isinstance(instance, ConnectInstance):
        place.check_arn(problems, "instance", instance.instance_arn)
    else:
        problems.raise_all()  # nothing else can be judged
    return place


def check_queue(problems: Problems, setting: str, arn: object, instance: ConnectInstance) -> None:
    """Check the ARN of a queue of the instance."""
    _check_part(problems, setting, arn, instance, QUEUE_ARN)


def check_flow(problems: Problems, setting: str, arn: object, instance: ConnectInstance) -> None:
    """Check the ARN of a flow of the instance; None is no flow."""
    if arn is not None:
        _check_part(problems, setting, arn, instance, FLOW_ARN)


def check_flow_name(setting: str, name: object) -> None:
    """Check the name that a flow is published under; None leaves it to the construct. Raises ``ValueError``."""
    if name is None:
        return
    text = check_text(setting, name, f"1 to {FLOW_NAME_LIMIT} characters, or leave it out")
    if not comes_later(text) and len(text) > FLOW_NAME_LIMIT:
        raise ValueError(
            f"{setting} is {text!r}, which has {len(text)} characters; Connect takes 1 to {FLOW_NAME_LIMIT}."
        )


def check_prompts(prompts: Any) -> None:  # noqa: ANN401 (one of the dataclasses of prompts)
    """Check every text of a dataclass of prompts; raises ``ConstructArgumentError`` naming each that is wrong."""
    problems = Problems(type(prompts).__name__)
    for field in dataclasses.fields(prompts):
        text = getattr(prompts, field.name)
        problems.collect(check_text, field.name, text, "what is to be said, or leave it out")
        if isinstance(text, str) and len(text) > _PROMPT_LIMIT:
            problems.add(
                f"{field.name} has {len(text):,} characters; Amazon Connect speaks {_PROMPT_LIMIT:,}."
            )
    problems.raise_all()


def check_key(problems: Problems, place: Place, key: object, *, for_table: bool = False) -> None:
    """Check ``encryption_key``: a key of the stack's Region; None is none.

    for_table: it encrypts a table that the construct makes, which the CDK can write only if the Region is known.
    """
    if key is not None:
        if for_table and place.region is None:
            problems.add(
                "encryption_key is given, yet the stack has no Region, without which the CDK cannot encrypt a table "
                'with a key; give the stack env=cdk.Environment(account="…", region="…").'
            )
        _check_object(
            problems, place, "encryption_key", key, 'kms.Key.from_key_arn(self, "Key", "arn:aws:kms:…")'
        )


def check_encrypt_logs(problems: Problems, encrypt_logs: object, key: object) -> None:
    """Check ``encrypt_logs``, which needs ``encryption_key``."""
    problems.collect(check_flag, "encrypt_logs", encrypt_logs)
    if encrypt_logs is True and key is None:
        problems.add("encrypt_logs is True without encryption_key; give the key, or leave encrypt_logs out.")


def check_secret(problems: Problems, place: Place, setting: str, secret: object) -> None:
    """Check a secret of the user's: an object, of the stack's Region; None is none."""
    if secret is not None:
        _check_object(
            problems,
            place,
            setting,
            secret,
            'secretsmanager.Secret.from_secret_complete_arn(self, "Secret", "arn:aws:secretsmanager:…")',
        )


def check_table(
    problems: Problems,
    owner: Construct,
    table: Any,  # noqa: ANN401 (whatever the user gave)
    *,
    partition_key: str,
    time_to_live_attribute: str,
    fixed_name: str | None,
) -> None:
    """Check a table of the user's: an object, here, with the key that is used, as far as that is known.

    The key of a table that is made in this app is known; that of an imported one is not. fixed_name: what the preset
    would call a table of the construct's own.
    """
    found = Problems("table")
    found.collect(check_kind, "table", table, 'dynamodb.TableV2.from_table_name(self, "Table", "my-table")')
    if not found:
        Place(owner).check_resource(found, "table", table)
        path, name = table.node.path, table.table_name
        if fixed_name is not None and (comes_later(name) or name != fixed_name):
            found.add(
                f"table is {path}, yet preset.table_name is {fixed_name!r}, the name of the construct's own table; "
                "give one of them. Without the name: dataclasses.replace(preset, table_name=None)."
            )
        made = table.node.default_child
        if isinstance(made, (dynamodb.CfnGlobalTable, dynamodb.CfnTable)):
            _check_schema(found, owner, made, partition_key, time_to_live_attribute)
    problems.collect(found.raise_all)


def _check_schema(
    problems: Problems,
    owner: Construct,
    made: dynamodb.CfnGlobalTable | dynamodb.CfnTable,
    partition_key: str,
    time_to_live_attribute: str,
) -> None:
    path = made.node.path.removesuffix("/Resource")
    stack = cdk.Stack.of(made)
    keys = {one["attributeName"]: one["keyType"] for one in stack.resolve(made.key_schema)}
    if keys != {partition_key: "HASH"}:
        has = " and ".join(f"{name!r} ({role})" for name, role in keys.items())
        problems.add(
            f"table is {path}, whose key is {has}; it needs the partition key {partition_key!r} and no sort key, or "
            "name its key in the preset's partition_key."
        )
    else:
        types = {
            one["attributeName"]: one["attributeType"]
            for one in stack.resolve(made.attribute_definitions) or []
        }
        if types.get(partition_key, "S") != "S":
            problems.add(
                f"table is {path}, whose key {partition_key!r} is of type {types[partition_key]}; it has to be S, a "
                "text."
            )
    expiry = stack.resolve(made.time_to_live_specification) or {}
    attribute = expiry.get("attributeName")
    if attribute is None:
        cdk.Annotations.of(owner).add_warning_v2(
            "connect-bridges:no-expiry",
            f"table is {path}, which has no time-to-live attribute: what nobody fetches stays for ever. Give it "
            f"time_to_live_attribute={time_to_live_attribute!r}.",
        )
    elif attribute != time_to_live_attribute:
        problems.add(
            f"table is {path}, whose time-to-live attribute is {attribute!r}; name it in the preset's ttl_attribute, "
            f"which is {time_to_live_attribute!r}."
        )


def check_value(setting: str, value: object, kind: type, write: str) -> None:
    """Check an option that is a value of a class, such as ``ApiOptions``; None leaves it out. Raises ``ValueError``."""
    if value is not None:
        check_kind(setting, value, write, kind)


def check_removal_policy(value: object) -> None:
    """Check a removal policy: a text would be taken for none of them. Raises ``ValueError``."""
    check_choice("removal_policy", value, tuple(cdk.RemovalPolicy))


def check_function_options(problems: Problems, options: object, functions: tuple[str, ...]) -> None:
    """Check ``function_options``, and the names of its overrides."""
    problems.collect(
        check_value, "function_options", options, FunctionOptions, "FunctionOptions(memory_size=512)"
    )
    if isinstance(options, FunctionOptions):
        problems.collect(options.check_names, functions)
        for function in functions:
            problems.collect(options.of, function)


def _check_object(problems: Problems, place: Place, setting: str, value: object, write: str) -> None:
    found = Problems(setting)
    found.collect(check_kind, setting, value, write)
    if not found:
        place.check_resource(found, setting, value, foreign=True)
    problems.collect(found.raise_all)


def _check_part(
    problems: Problems, setting: str, arn: object, instance: ConnectInstance, shape: re.Pattern[str]
) -> None:
    found = Problems(setting)
    found.collect(check, setting, arn, shape)
    if not found:
        Place(instance).check_of_instance(found, setting, arn, instance)
    problems.collect(found.raise_all)
