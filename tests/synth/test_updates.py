"""Every setting of a contact centre, changed in a stack that is deployed: what CloudFormation would do to it.

EXAMPLES has two values for every argument of everything that the contact centre offers; an argument without an example
fails test_every_setting_has_an_example. What holds data, a number or an identity is changed in place, or a rule of the
template refuses the change before it begins.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from connect_bridges import (
    ConnectInstance,
    ContactCenter,
    ContactCenterMonitoring,
    ContactFlow,
    FunctionOptions,
    IdentityManagement,
    InstanceAttributes,
    OpeningHours,
)
from connect_flows import FlowKind
from connect_sandbox.cloud.errors import AwsError

from tests.support import INSTANCE_ARN
from tests.support.change_sets import Change, changes

HOLDS = {
    "AWS::AppIntegrations::Application": "security profiles allow it by hand",
    "AWS::Connect::ContactFlow": "numbers, widgets and other flows name it",
    "AWS::Connect::ContactFlowModule": "other flows name it",
    "AWS::Connect::HoursOfOperation": "holidays are entered by hand",
    "AWS::Connect::Instance": "numbers, configuration, metrics",
    "AWS::Connect::InstanceStorageConfig": "nothing is kept while there is none",
    "AWS::Connect::PhoneNumber": "the number that callers know",
    "AWS::Connect::Queue": "who waits, and its metrics",
    "AWS::Connect::QuickConnect": "queues name it",
    "AWS::Connect::RoutingProfile": "people have it",
    "AWS::Connect::User": "a password, and metrics",
    "AWS::KMS::Key": "what it encrypted cannot be read without it",
    "AWS::Kinesis::Stream": "records that nobody has read yet",
    "AWS::KinesisFirehose::DeliveryStream": "records of the last minutes",
    "AWS::Logs::LogGroup": "logs",
    "AWS::Logs::LogStream": "logs",
    "AWS::S3::Bucket": "recordings, transcripts, reports",
    "AWS::S3::BucketPolicy": "what keeps plain HTTP out of a bucket that stays",
    "AWS::SecretsManager::Secret": "a password",
    "Custom::PhoneNumberFlow": "without it nobody answers",
}
"""What must not be replaced, and what of it would be missed."""
HOLDS_NOTHING = {
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Connect::ApprovedOrigin",
    "AWS::Connect::IntegrationAssociation",
    "AWS::Connect::SecurityKey",
    "AWS::Connect::SecurityProfile",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
}
"""What can be made anew from the template."""
OTHER_INSTANCE = INSTANCE_ARN.replace("11111111", "99999999")
REGION_ARN = "us-east-1:123456789012"
UUIDS = ("66666666-2222-3333-4444-555555555555", "77777777-2222-3333-4444-555555555555")


def two(text: str) -> tuple[str, str]:
    """Return a text twice, with another UUID in place of the star."""
    return text.replace("*", UUIDS[0]), text.replace("*", UUIDS[1])


FLOWS, QUEUES = two(f"{INSTANCE_ARN}/contact-flow/*"), two(f"{INSTANCE_ARN}/queue/*")
HOURS, PROFILES = two(f"{INSTANCE_ARN}/operating-hours/*"), two(f"{INSTANCE_ARN}/routing-profile/*")
PERMITS, USERS = two(f"{INSTANCE_ARN}/security-profile/*"), two(f"{INSTANCE_ARN}/agent/*")
NUMBERS, KEYS = two(f"arn:aws:connect:{REGION_ARN}:phone-number/*"), two(f"arn:aws:kms:{REGION_ARN}:key/*")
ROLES = two(
    "arn:aws:iam::123456789012:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_*"
)
PEM = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A*\n-----END PUBLIC KEY-----\n"
PEMS = (PEM.replace("*", "A"), PEM.replace("*", "B"))
BOT = f"arn:aws:lex:{REGION_ARN}:bot-alias/ABCDEFGHIJ/*"
BOTS = (BOT.replace("*", "TSTALIASID"), BOT.replace("*", "ABCDEFGHIJ"))
OPEN = (OpeningHours.weekdays("09:00", "17:00"), OpeningHours.always())
UNSET: Any = object()
"""The argument is left out."""
ATTRIBUTES = InstanceAttributes()
FLIPPED = InstanceAttributes(
    **{one.name: not getattr(ATTRIBUTES, one.name) for one in dataclasses.fields(InstanceAttributes)}
)


@dataclass(frozen=True)
class Made:
    """A value that needs a stack."""

    make: Callable[[cdk.Stack], Any]


def key(arn: str) -> Made:
    return Made(lambda stack: kms.Key.from_key_arn(stack, f"Key{arn[-36]}", arn))


def function(name: str) -> Made:
    def make(stack: cdk.Stack) -> lambda_.Function:
        return lambda_.Function(
            stack,
            name,
            code=lambda_.Code.from_inline("def handler(event, context): return {}"),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            role=iam.Role.from_role_arn(stack, f"{name}Role", f"arn:aws:iam::123456789012:role/{name}"),
        )

    return Made(make)


KEY, OTHER_KEY = (key(arn) for arn in KEYS)
OWN_KEY = Made(lambda stack: kms.Key(stack, "OwnKey"))
BUCKET = Made(lambda stack: s3.Bucket.from_bucket_name(stack, "Bucket", "recordings-of-ours"))
STREAM = Made(
    lambda stack: kinesis.Stream.from_stream_arn(
        stack, "Stream", f"arn:aws:kinesis:{REGION_ARN}:stream/records"
    )
)
FIREHOSE = Made(
    lambda stack: firehose.DeliveryStream.from_delivery_stream_arn(
        stack, "Firehose", f"arn:aws:firehose:{REGION_ARN}:deliverystream/records"
    )
)
SECRET = Made(
    lambda stack: secretsmanager.Secret.from_secret_complete_arn(
        stack, "Password", f"arn:aws:secretsmanager:{REGION_ARN}:secret:password-AbCdEf"
    )
)
TOPIC = Made(lambda stack: sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{REGION_ARN}:alarms"))
FUNCTION, OTHER_FUNCTION = function("Ask"), function("Tell")
OPTIONS = FunctionOptions(
    memory_size=512, log_retention=logs.RetentionDays.ONE_WEEK, tracing=lambda_.Tracing.ACTIVE
)


@dataclass(frozen=True)
class Example:
    """Two values of an argument. beside: what else is given. refused: what the error says that refuses the change.

    lets_go: types of what the change takes away, and why that is meant. replaces: types that it replaces.
    """

    before: Any
    after: Any
    beside: dict[str, Any] = field(default_factory=dict)
    refused: str = ""
    lets_go: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """Something that a contact centre offers: how it is called, with what at least, and examples of its arguments."""

    called: Callable[..., Any]
    call: Callable[[cdk.Stack, dict[str, Any]], Any]
    usual: dict[str, Any]
    examples: dict[str, list[Example]]
    identity: tuple[str, ...] = ("self", "scope", "id")
    """Arguments that say which thing is meant."""


def of_center(name: str, *positional: str) -> Callable[[cdk.Stack, dict[str, Any]], Any]:
    """Return what calls a method of a new instance."""

    def call(stack: cdk.Stack, given: dict[str, Any]) -> Any:
        center = ContactCenter(stack, "Center", **given.pop("center", {"alias": "example-support"}))
        first = ["Thing"] if "id" in inspect.signature(getattr(ConnectInstance, name)).parameters else []
        rest = {key: value for key, value in given.items() if key not in positional}
        return getattr(center, name)(*first, *(given[key] for key in positional), **rest)

    return call


def imported(stack: cdk.Stack, given: dict[str, Any]) -> None:
    instance = ConnectInstance.from_arn(stack, "Instance", **given)
    profile, permit = (one.replace(INSTANCE_ARN, given["instance_arn"]) for one in (PROFILES[0], PERMITS[0]))
    instance.add_user("Ana", **PERSON, routing_profile=profile, security_profiles=[permit])
    instance.add_call_recordings(bucket=BUCKET.make(stack))
    instance.add_agent_events_stream()
    instance.claim_number("Line", country_code="US", flow=f"{given['instance_arn']}/contact-flow/{UUIDS[0]}")


def flow_of(stack: cdk.Stack, given: dict[str, Any]) -> None:
    ContactFlow(stack, "Flow", **given)


def instance_of(arn: str) -> Made:
    return Made(lambda stack: ConnectInstance.from_arn(stack, "Instance", arn))


def flow(said: str, **parameters: str) -> dict[str, Any]:
    """Return a flow that says something and hangs up."""
    return {
        "Version": "2019-10-30",
        "StartAction": "say",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "say",
                "Type": "MessageParticipant",
                "Parameters": {"Text": said},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                    "Conditions": [],
                },
            },
            {"Identifier": "end", **parameters, "Parameters": {}, "Transitions": {}},
        ],
    }


IN_A_DIRECTORY = {
    "identity_management": IdentityManagement.EXISTING_DIRECTORY,
    "directory_id": "d-0123456789",
}
PERSON: dict[str, Any] = {"username": "ana", "first_name": "Ana", "last_name": "Silva"}
NAMED = {
    "name": [Example(UNSET, "Other"), Example("One", "Other")],
    "description": [Example(UNSET, "What it is for"), Example("One", "Other")],
}
IN_A_BUCKET = {
    "bucket": [Example(UNSET, BUCKET), Example(BUCKET, UNSET)],
    "prefix": [Example(UNSET, "elsewhere"), Example("one/place", "another/place")],
    "encryption_key": [Example(UNSET, KEY), Example(KEY, OTHER_KEY), Example(UNSET, OWN_KEY)],
    "expire_after": [
        Example(UNSET, cdk.Duration.days(30)),
        Example(cdk.Duration.days(30), cdk.Duration.days(60)),
    ],
}
IN_A_STREAM = {
    "stream": [Example(UNSET, STREAM), Example(STREAM, UNSET)],
    "encryption_key": [Example(UNSET, OWN_KEY), Example(KEY, OTHER_KEY)],
    "retention": [Example(UNSET, cdk.Duration.days(30)), Example(cdk.Duration.days(2), cdk.Duration.days(1))],
}

OFFERS: dict[str, Offer] = {
    "ContactCenter": Offer(
        ContactCenter.__init__,
        lambda stack, given: ContactCenter(stack, "Center", **given),
        {"alias": "example-support"},
        {
            "alias": [Example("example-support", "other", refused="which an instance cannot change")],
            "identity_management": [
                Example(UNSET, IdentityManagement.SAML, refused="which an instance cannot change")
            ],
            "directory_id": [
                Example(
                    "d-0123456789",
                    "d-9876543210",
                    {"alias": UNSET, "identity_management": IdentityManagement.EXISTING_DIRECTORY},
                    refused="which an instance cannot change",
                )
            ],
            "attributes": [Example(ATTRIBUTES, FLIPPED), Example(FLIPPED, UNSET)],
            "removal_policy": [Example(UNSET, cdk.RemovalPolicy.DESTROY)],
        },
    ),
    "from_arn": Offer(
        ConnectInstance.from_arn,
        imported,
        {
            "instance_arn": INSTANCE_ARN,
            "service_role_arn": ROLES[0],
            "identity_management": IdentityManagement.SAML,
        },
        {
            "instance_arn": [
                Example(INSTANCE_ARN, OTHER_INSTANCE, refused="which nothing in it can move to")
            ],
            "service_role_arn": [Example(*ROLES)],
            "instance_id": [
                Example(UNSET, UUIDS[0], {"instance_arn": Made(lambda _: cdk.Fn.import_value("instance"))})
            ],
            "identity_management": [
                Example(
                    IdentityManagement.SAML,
                    IdentityManagement.CONNECT_MANAGED,
                    refused="which a user cannot change",
                )
            ],
        },
    ),
    "associate_function": Offer(
        ConnectInstance.associate_function,
        of_center("associate_function"),
        {},
        {"function": [Example(FUNCTION, OTHER_FUNCTION)]},
    ),
    "add_call_recordings": Offer(
        ConnectInstance.add_call_recordings, of_center("add_call_recordings"), {}, IN_A_BUCKET
    ),
    **{
        name: Offer(
            getattr(ConnectInstance, name),
            of_center(name),
            {},
            {setting: examples[:1] for setting, examples in IN_A_BUCKET.items()},
        )
        for name in ("add_chat_transcripts", "add_reports", "add_contact_records_bucket")
    },
    "add_contact_records_stream": Offer(
        ConnectInstance.add_contact_records_stream,
        of_center("add_contact_records_stream"),
        {},
        {
            **IN_A_STREAM,
            "stream": [*IN_A_STREAM["stream"], Example(UNSET, FIREHOSE), Example(FIREHOSE, STREAM)],
        },
    ),
    "add_agent_events_stream": Offer(
        ConnectInstance.add_agent_events_stream, of_center("add_agent_events_stream"), {}, IN_A_STREAM
    ),
    "add_live_media_streaming": Offer(
        ConnectInstance.add_live_media_streaming,
        of_center("add_live_media_streaming"),
        {"prefix": "example"},
        {
            "prefix": [Example("example", "other")],
            "retention": [Example(UNSET, cdk.Duration.hours(1))],
            "encryption_key": [Example(UNSET, KEY), Example(KEY, OTHER_KEY)],
        },
    ),
    "allow_origin": Offer(
        ConnectInstance.allow_origin,
        of_center("allow_origin"),
        {},
        {"origin": [Example("https://crm.example.com", "https://other.example.com")]},
    ),
    "add_security_key": Offer(
        ConnectInstance.add_security_key,
        of_center("add_security_key"),
        {},
        {"public_key": [Example(*PEMS)]},
    ),
    "add_lex_bot": Offer(
        ConnectInstance.add_lex_bot, of_center("add_lex_bot"), {}, {"alias_arn": [Example(*BOTS)]}
    ),
    "add_application": Offer(
        ConnectInstance.add_application,
        of_center("add_application"),
        {"url": "https://assist.example.com"},
        {
            **NAMED,
            "url": [Example("https://assist.example.com", "https://other.example.com/app")],
            "namespace": [
                Example(UNSET, "other", refused="which an application cannot change"),
                Example("one", "other", refused="which an application cannot change"),
            ],
            "origins": [Example(UNSET, ["https://crm.example.com"])],
            "permissions": [Example(UNSET, ["User.Details.View"])],
        },
    ),
    "add_hours": Offer(
        ConnectInstance.add_hours,
        of_center("add_hours"),
        {"time_zone": "UTC", "hours": OPEN[0]},
        {
            **NAMED,
            "time_zone": [Example("UTC", "Europe/Berlin")],
            "hours": [Example(*OPEN)],
        },
    ),
    "add_queue": Offer(
        ConnectInstance.add_queue,
        of_center("add_queue"),
        {"hours": HOURS[0]},
        {
            **NAMED,
            "hours": [Example(*HOURS)],
            "max_contacts": [Example(UNSET, 5), Example(5, 6)],
            "caller_id_name": [Example(UNSET, "Example"), Example("One", "Other")],
            "caller_id_number": [Example(UNSET, NUMBERS[0]), Example(*NUMBERS)],
            "whisper_flow": [Example(UNSET, FLOWS[0]), Example(*FLOWS)],
        },
    ),
    "add_routing_profile": Offer(
        ConnectInstance.add_routing_profile,
        of_center("add_routing_profile"),
        {"queues": [QUEUES[0]]},
        {
            **NAMED,
            "queues": [Example([QUEUES[0]], [*QUEUES])],
            "outbound_queue": [Example(UNSET, QUEUES[1])],
            "channels": [Example(UNSET, {"TASK": 2})],
        },
    ),
    "add_quick_connect": Offer(
        ConnectInstance.add_quick_connect,
        of_center("add_quick_connect"),
        {"phone_number": "+12065550100"},
        {
            **NAMED,
            "phone_number": [Example("+12065550100", "+12065550199")],
            "queue": [Example(*QUEUES, beside={"phone_number": UNSET, "flow": FLOWS[0]})],
            "user": [Example(*USERS, beside={"phone_number": UNSET, "flow": FLOWS[0]})],
            "flow": [Example(*FLOWS, beside={"phone_number": UNSET})],
        },
    ),
    "add_security_profile": Offer(
        ConnectInstance.add_security_profile,
        of_center("add_security_profile"),
        {"permissions": ["BasicAgentAccess"]},
        {
            "permissions": [Example(["BasicAgentAccess"], ["OutboundCallAccess"])],
            "name": [Example("One", "Other", replaces=("AWS::Connect::SecurityProfile",))],
            "description": NAMED["description"],
        },
    ),
    "add_user": Offer(
        ConnectInstance.add_user,
        of_center("add_user"),
        {**PERSON, "routing_profile": PROFILES[0], "security_profiles": [PERMITS[0]]},
        {
            "username": [Example("ana", "anna", refused="which a user cannot change")],
            "routing_profile": [Example(*PROFILES)],
            "security_profiles": [Example([PERMITS[0]], [*PERMITS])],
            "first_name": [Example("Ana", "Anna")],
            "last_name": [Example("Silva", "Souza")],
            "email": [Example(UNSET, "ana@example.com")],
            "directory_user_id": [
                Example(
                    "one",
                    "other",
                    {"center": IN_A_DIRECTORY, "first_name": UNSET, "last_name": UNSET},
                    refused="which a user cannot change",
                )
            ],
            "password_secret": [Example(UNSET, SECRET, refused="which a user cannot change")],
        },
    ),
    "claim_number": Offer(
        ConnectInstance.claim_number,
        of_center("claim_number"),
        {"country_code": "US"},
        {
            "country_code": [Example("US", "GB", refused="CloudFormation would claim another number")],
            "number_type": [Example(UNSET, "TOLL_FREE", refused="CloudFormation would claim another number")],
            "prefix": [
                Example(UNSET, "+1206", refused="CloudFormation would claim another number"),
                Example("+1206", UNSET, refused="CloudFormation would claim another number"),
            ],
            "description": [Example(UNSET, "Main line"), Example("Main line", "Second line")],
            "flow": [
                Example(UNSET, FLOWS[0]),
                Example(*FLOWS),
                Example(FLOWS[0], UNSET, lets_go=("Custom::PhoneNumberFlow", "AWS::Logs::LogGroup")),
            ],
            "removal_policy": [Example(UNSET, cdk.RemovalPolicy.DESTROY)],
            "function_options": [Example(UNSET, OPTIONS, {"flow": FLOWS[0]})],
        },
    ),
    "answer": Offer(
        ConnectInstance.answer,
        of_center("answer", "number", "flow"),
        {"number": NUMBERS[0], "flow": FLOWS[0]},
        {
            "number": [Example(*NUMBERS)],
            "flow": [Example(*FLOWS)],
            "function_options": [Example(UNSET, OPTIONS), Example(OPTIONS, UNSET)],
        },
    ),
    "ContactFlow": Offer(
        ContactFlow.__init__,
        flow_of,
        {
            "instance": instance_of(INSTANCE_ARN),
            "template": flow("Hello.", Type="DisconnectParticipant"),
        },
        {
            "instance": [
                Example(
                    instance_of(INSTANCE_ARN),
                    instance_of(OTHER_INSTANCE),
                    refused="which nothing in it can move to",
                )
            ],
            "template": [
                Example(
                    flow("Hello.", Type="DisconnectParticipant"),
                    flow("Good day.", Type="DisconnectParticipant"),
                )
            ],
            "values": [
                Example(
                    {"Greeting": "Hello"},
                    {"Greeting": "Welcome"},
                    {"template": flow("${Greeting}.", Type="DisconnectParticipant")},
                )
            ],
            "kind": [
                Example(FlowKind.FLOW, FlowKind.MODULE, refused="Update of resource type is not permitted")
            ],
            "flow_type": [
                Example(
                    "CUSTOMER_QUEUE",
                    "CUSTOMER_WHISPER",
                    {"template": flow("Hello.", Type="EndFlowExecution")},
                    replaces=("AWS::Connect::ContactFlow",),
                )
            ],
            **NAMED,
        },
    ),
}
NOT_SETTABLE = {"chain", "grant", "note"}
"""Methods of an instance that make nothing from settings: they put in order, permit, and describe what others made."""


def cases() -> Iterator[Any]:
    for name, offer in OFFERS.items():
        for setting, examples in offer.examples.items():
            for number, example in enumerate(examples, 1):
                yield pytest.param(
                    name,
                    setting,
                    example,
                    id=f"{name} {setting}" + (f" {number}" if len(examples) > 1 else ""),
                )


def template(offer: Offer, given: dict[str, Any]) -> dict[str, Any]:
    stack = cdk.Stack(
        cdk.App(context={"aws:cdk:bundling-stacks": []}),
        "users-stack",
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        env=cdk.Environment(account="123456789012", region="us-east-1"),
    )
    values = {
        name: value.make(stack) if isinstance(value, Made) else value
        for name, value in {**offer.usual, **given}.items()
        if value is not UNSET
    }
    offer.call(stack, values)
    return dict(assertions.Template.from_stack(stack).to_json())


@cache
def usual(name: str) -> dict[str, Any]:
    """Return the template of an offer with the usual arguments, from which most changes begin."""
    return template(OFFERS[name], {})


def before(name: str, setting: str, example: Example) -> dict[str, Any]:
    given = {**example.beside, setting: example.before}
    if all(OFFERS[name].usual.get(key, UNSET) is value for key, value in given.items()):
        return usual(name)
    return template(OFFERS[name], given)


@pytest.mark.parametrize(("name", "setting", "example"), list(cases()))
def test_a_changed_setting_replaces_nothing_that_would_be_missed(
    name: str, setting: str, example: Example
) -> None:
    old = before(name, setting, example)
    new = template(OFFERS[name], {**example.beside, setting: example.after})
    assert new != old
    assert {one["Type"] for one in new["Resources"].values()} <= {*HOLDS, *HOLDS_NOTHING}
    if example.refused:
        with pytest.raises(AwsError, match=example.refused):
            changes(old, new)
        return
    found = changes(old, new)
    assert found
    lost = [one for one in found if one.loses and one.type in HOLDS]
    assert [one for one in lost if one.type not in (*example.lets_go, *example.replaces)] == []
    assert {one.type for one in found if one.replacement == "True"} >= set(example.replaces)
    assert {one.type for one in found if one.action == "Remove"} >= set(example.lets_go)


def test_every_setting_has_an_example() -> None:
    offered = {
        name
        for name, method in inspect.getmembers(ConnectInstance, callable)
        if not name.startswith("_") and name not in dir(cdk.CfnResource) and name not in dir(cdk.Stack)
    }
    assert offered - NOT_SETTABLE == set(OFFERS) - {"ContactCenter", "ContactFlow"}
    for offer in OFFERS.values():
        parameters = set(inspect.signature(offer.called).parameters) - set(offer.identity)
        assert parameters == set(offer.examples)


def test_what_monitors_holds_nothing() -> None:
    """Whatever is changed of it, it can be made anew: alarms and a dashboard."""
    offer = Offer(
        ContactCenterMonitoring.__init__,
        lambda stack, given: ContactCenterMonitoring(stack, "Monitoring", **given),
        {"instance": instance_of(INSTANCE_ARN)},
        {},
    )
    every: dict[str, Any] = {
        "instance": instance_of(INSTANCE_ARN),
        "flows": ["Line"],
        "queues": ["Support"],
        "signing_key_ids": ["a" * 64],
        "retired_signing_key_ids": ["b" * 64],
        "alarm_topic": TOPIC,
        "thresholds": {"MissedCalls": 2},
        "dashboard_name": "Support",
    }
    # dashboard: one of somebody else's, in place of the one that is made here.
    assert set(inspect.signature(offer.called).parameters) == {*offer.identity, *every, "dashboard"}
    found: list[Change] = changes(template(offer, {}), template(offer, every))
    assert {one.type for one in found} <= HOLDS_NOTHING
    assert len(found) > 8


def test_another_number_can_be_meant() -> None:
    offer = OFFERS["claim_number"]
    old, new = template(offer, {}), template(offer, {"country_code": "GB"})
    (parameter,) = [name for name in new["Parameters"] if "ThingIdentity" in name]
    with pytest.raises(AwsError, match=f"deploy once with --parameters users-stack:{parameter}=GB/DID;"):
        changes(old, new)
    (number,) = [
        one for one in changes(old, new, **{parameter: "GB/DID"}) if one.type == "AWS::Connect::PhoneNumber"
    ]
    assert (number.replacement, number.because, number.kept) == ("True", ("CountryCode",), True)


def test_in_a_nested_stack_nothing_is_guarded() -> None:
    nested = cdk.NestedStack(cdk.Stack(cdk.App(), "users-stack"), "Nested")
    instance = ConnectInstance.from_arn(nested, "Instance", INSTANCE_ARN)
    instance.claim_number("Line", country_code="US")
    assert "Rules" not in assertions.Template.from_stack(nested).to_json()
