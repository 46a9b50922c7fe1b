from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from connect_bridges import (
    ConnectInstance,
    ConstructArgumentError,
    ContactCenter,
    ContactFlow,
    IdentityManagement,
    InstanceAttributes,
    MetadataBridge,
    OpeningHours,
)

from tests.support import INSTANCE_ARN, QUEUE_ARN, ROOT, policy_statements

ROLE = "arn:aws:iam::123456789012:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_AbCd"
PEM = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{}\n-----END PUBLIC KEY-----\n"
NUMBER_ARN = "arn:aws:connect:us-east-1:123456789012:phone-number/11111111-2222-3333-4444-555555555555"
FLOW_ARN = f"{INSTANCE_ARN}/contact-flow/11111111-2222-3333-4444-555555555555"
OTHER = INSTANCE_ARN.replace("11111111", "99999999")
PROFILE_ARN = f"{INSTANCE_ARN}/routing-profile/11111111-2222-3333-4444-555555555555"
SECURITY_ARN = f"{INSTANCE_ARN}/security-profile/11111111-2222-3333-4444-555555555555"
HOURS_ARN = f"{INSTANCE_ARN}/operating-hours/11111111-2222-3333-4444-555555555555"
BOT = "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/TSTALIASID"
MEANT = OpeningHours.weekdays("09:00", "17:00")
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


@pytest.fixture
def center(stack: cdk.Stack) -> ContactCenter:
    return ContactCenter(stack, "Center", alias="example-support")


def of_type(stack: cdk.Stack, kind: str) -> dict[str, Any]:
    return dict(assertions.Template.from_stack(stack).find_resources(kind))


def only(stack: cdk.Stack, kind: str) -> dict[str, Any]:
    (found,) = of_type(stack, kind).values()
    return dict(found)


def properties(stack: cdk.Stack, kind: str) -> dict[str, Any]:
    return dict(only(stack, kind)["Properties"])


def storage_of(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    return {
        one["Properties"]["ResourceType"]: one
        for one in of_type(stack, "AWS::Connect::InstanceStorageConfig").values()
    }


# -- the instance


def test_an_instance_is_made_with_every_attribute_stated_and_kept(
    stack: cdk.Stack, center: ContactCenter
) -> None:
    made = only(stack, "AWS::Connect::Instance")
    assert made.items() >= KEPT.items()
    assert made["Properties"] == {
        "IdentityManagementType": "CONNECT_MANAGED",
        "InstanceAlias": "example-support",
        "Attributes": {
            **dict.fromkeys(
                (
                    *("InboundCalls", "OutboundCalls", "ContactflowLogs", "ContactLens", "EarlyMedia"),
                    *("AutoResolveBestVoices", "MessageStreaming"),
                ),
                True,
            ),
            **dict.fromkeys(
                (
                    *("MultiPartyConference", "MultiPartyChatConference", "EnhancedContactMonitoring"),
                    *("EnhancedChatMonitoring", "HighVolumeOutBound", "UseCustomTTSVoices"),
                ),
                False,
            ),
        },
    }
    assert center.region == "us-east-1"
    assert center.account == "123456789012"


def test_every_attribute_can_be_set(stack: cdk.Stack) -> None:
    turned = {
        field: not getattr(InstanceAttributes(), field) for field in InstanceAttributes.__dataclass_fields__
    }
    ContactCenter(stack, "Center", alias="a", attributes=InstanceAttributes(**turned))
    attributes = properties(stack, "AWS::Connect::Instance")["Attributes"]
    before = InstanceAttributes().in_template() | {"AutoMuteAgentOnHold": False}
    assert attributes == {name: not value for name, value in before.items()} | {"UseCustomTTSVoices": False}


def test_a_rule_refuses_a_deployment_that_would_make_another_instance(
    stack: cdk.Stack, center: ContactCenter
) -> None:
    template = assertions.Template.from_stack(stack).to_json()
    (parameter,) = [name for name in template["Parameters"] if name.startswith("CenterIdentity")]
    assert template["Parameters"][parameter]["Default"] == "CONNECT_MANAGED/example-support"
    (rule,) = [rule for name, rule in template["Rules"].items() if name.startswith("CenterInstanceStays")]
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": parameter}, "CONNECT_MANAGED/example-support"]}
    assert f"--parameters users-stack:{parameter}=CONNECT_MANAGED" in assertion["AssertDescription"]


def test_a_directory_names_the_instance(stack: cdk.Stack) -> None:
    ContactCenter(
        stack,
        "Center",
        identity_management=IdentityManagement.EXISTING_DIRECTORY,
        directory_id="d-0123456789",
    )
    made = properties(stack, "AWS::Connect::Instance")
    assert made["DirectoryId"] == "d-0123456789"
    assert "InstanceAlias" not in made


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "alias is None"),
        ({"alias": "d-example"}, "alias is 'd-example'"),
        ({"alias": "a" * 46}, "no other instance in the world may have it"),
        ({"alias": "ends-"}, "alias is 'ends-'"),
        ({"alias": "under_score"}, "alias is 'under_score'"),
        ({"alias": "a", "directory_id": "d-0123456789"}, "only IdentityManagement.EXISTING_DIRECTORY takes"),
        (
            {"alias": "a", "identity_management": IdentityManagement.EXISTING_DIRECTORY},
            "whose directory names the instance",
        ),
        ({"identity_management": IdentityManagement.EXISTING_DIRECTORY}, "directory_id is None"),
        ({"alias": "a", "identity_management": "SAML"}, "identity_management is 'SAML'"),
        ({"alias": "a", "attributes": {"inbound": True}}, "attributes is {'inbound': True}"),
        ({"alias": "a", "removal_policy": "retain"}, "removal_policy is 'retain'"),
    ],
)
def test_wrong_arguments_are_told_with_value_and_fix(
    stack: cdk.Stack, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConstructArgumentError, match="users-stack/Center") as caught:
        ContactCenter(stack, "Center", **arguments)
    assert said in str(caught.value)


def test_a_region_without_connect_is_told() -> None:
    env = cdk.Environment(account="123456789012", region="eu-west-3")
    with pytest.raises(ConstructArgumentError, match="has no Amazon Connect"):
        ContactCenter(cdk.Stack(cdk.App(), "s", env=env), "Center", alias="a")


def test_an_attribute_is_true_or_false() -> None:
    with pytest.raises(ConstructArgumentError, match="flow_logs is 'yes'"):
        InstanceAttributes(flow_logs="yes")  # type: ignore[arg-type]


def test_a_bridge_takes_an_instance_of_the_same_stack(stack: cdk.Stack, center: ContactCenter) -> None:
    MetadataBridge(stack, "Metadata", instance=center)
    arn = {"Fn::GetAtt": [stack.get_logical_id(center.resource), "Arn"]}
    for one in of_type(stack, "AWS::Connect::IntegrationAssociation").values():
        assert one["Properties"]["InstanceId"] == arn


def test_the_stack_tells_what_was_added(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_chat_transcripts()
    center.allow_origin("https://crm.example.com")
    handle = only(stack, "AWS::CloudFormation::WaitConditionHandle")
    told = handle["Metadata"]["connect-bridges"]
    assert (told["construct"], told["alias"]) == ("ContactCenter", "example-support")
    assert told["storage"][0]["type"] == "CHAT_TRANSCRIPTS"
    assert told["origins"] == [{"origin": "https://crm.example.com"}]


def test_an_imported_instance_tells_nothing_until_something_is_added(
    stack: cdk.Stack,
) -> None:
    bare = cdk.Stack(cdk.App(), "bare")
    ConnectInstance.from_arn(bare, "Instance", INSTANCE_ARN)
    assert of_type(bare, "AWS::CloudFormation::WaitConditionHandle") == {}
    ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN).add_queue("Support", hours=HOURS_ARN)
    told = only(stack, "AWS::CloudFormation::WaitConditionHandle")["Metadata"]["connect-bridges"]
    assert (told["construct"], told["instanceArn"]) == ("ConnectInstance", INSTANCE_ARN)


# -- storage


def test_storage_is_private_encrypted_versioned_logged_and_kept(
    stack: cdk.Stack, center: ContactCenter
) -> None:
    made = center.add_call_recordings(expire_after=cdk.Duration.days(90))
    key = {"Fn::GetAtt": [next(iter(of_type(stack, "AWS::KMS::Key"))), "Arn"]}
    assert made.bucket is not None
    bucket = of_type(stack, "AWS::S3::Bucket")[stack.resolve(made.bucket.bucket_name)["Ref"]]
    assert bucket.items() >= KEPT.items()
    held = bucket["Properties"]
    assert set(held["PublicAccessBlockConfiguration"].values()) == {True}
    assert held["VersioningConfiguration"] == {"Status": "Enabled"}
    assert held["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 90
    (rule,) = held["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert held["LoggingConfiguration"]["LogFilePrefix"] == "CallRecordings/"
    policies = of_type(stack, "AWS::S3::BucketPolicy").values()
    denied = [
        statement["Condition"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}] * 2
    config = storage_of(stack)["CALL_RECORDINGS"]["Properties"]
    assert config["StorageType"] == "S3"
    assert config["S3Config"]["EncryptionConfig"] == {"EncryptionType": "KMS", "KeyId": key}
    assert config["S3Config"]["BucketPrefix"] == "CallRecordings"
    assert only(stack, "AWS::KMS::Key").items() >= KEPT.items()


def test_associations_are_made_one_after_another(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_call_recordings()
    center.add_chat_transcripts()
    center.add_reports()
    center.add_contact_records_stream()
    center.add_agent_events_stream()
    center.add_live_media_streaming(prefix="example")
    made = of_type(stack, "AWS::Connect::InstanceStorageConfig")
    waits = [[name for name in one.get("DependsOn", []) if name in made] for one in made.values()]
    assert sorted(len(one) for one in waits) == [0, 1, 1, 1, 1, 1]
    assert sorted(name for one in waits for name in one) == sorted(set(made) - {list(made)[-1]})
    assert len(of_type(stack, "AWS::KMS::Key")) == 1


def test_the_key_of_a_stream_lets_the_instances_role_in(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_agent_events_stream(retention=cdk.Duration.days(2))
    assert {
        "Sid": "ConnectWrites",
        "Effect": "Allow",
        "Action": "kms:GenerateDataKey",
        "Principal": {"AWS": {"Fn::GetAtt": [stack.get_logical_id(center.resource), "ServiceRole"]}},
        "Resource": "*",
    } in properties(stack, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    stream = only(stack, "AWS::Kinesis::Stream")
    assert stream.items() >= KEPT.items()
    assert stream["Properties"]["RetentionPeriodHours"] == 48
    assert stream["Properties"]["StreamEncryption"]["EncryptionType"] == "KMS"


def test_of_an_imported_instance_the_role_has_to_be_told(stack: cdk.Stack, instance: ConnectInstance) -> None:
    with pytest.raises(ConstructArgumentError, match=r"service_role_arn=.*describe-instance"):
        instance.add_contact_records_stream()
    told = ConnectInstance.from_arn(
        stack, "Told", INSTANCE_ARN.replace("11111111", "77777777"), service_role_arn=ROLE
    )
    told.add_contact_records_stream()
    statements = [
        statement
        for key in of_type(stack, "AWS::KMS::Key").values()
        for statement in key["Properties"]["KeyPolicy"]["Statement"]
    ]
    assert {"AWS": ROLE} in [statement["Principal"] for statement in statements]


def test_a_second_association_of_a_type_says_which_is_there(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_call_recordings()
    with pytest.raises(
        ConstructArgumentError, match="users-stack/Center has a CALL_RECORDINGS association already"
    ):
        center.add_call_recordings()
    there = ConnectInstance.from_arn(stack, "One", INSTANCE_ARN)
    there.add_reports()
    again = ConnectInstance.from_arn(cdk.Stack(stack.node.root, "later"), "Two", INSTANCE_ARN)  # type: ignore[arg-type]
    with pytest.raises(ConstructArgumentError, match="users-stack/One has a SCHEDULED_REPORTS association"):
        again.add_reports()


def test_a_bucket_and_streams_that_exist_are_used_as_they_are(
    stack: cdk.Stack, center: ContactCenter
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Mine", "example-recordings")
    center.add_call_recordings(bucket=bucket, prefix="calls/2026")
    arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/records"
    center.add_contact_records_stream(
        stream=firehose.DeliveryStream.from_delivery_stream_arn(stack, "F", arn)
    )
    stream_arn = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
    center.add_agent_events_stream(stream=kinesis.Stream.from_stream_arn(stack, "S", stream_arn))
    made = {kind: one["Properties"] for kind, one in storage_of(stack).items()}
    assert made["CALL_RECORDINGS"]["S3Config"] == {
        "BucketName": "example-recordings",
        "BucketPrefix": "calls/2026",
    }
    assert made["CONTACT_TRACE_RECORDS"]["StorageType"] == "KINESIS_FIREHOSE"
    assert made["CONTACT_TRACE_RECORDS"]["KinesisFirehoseConfig"] == {"FirehoseArn": arn}
    assert made["AGENT_EVENTS"]["KinesisStreamConfig"] == {"StreamArn": stream_arn}
    assert of_type(stack, "AWS::S3::Bucket") == {}


def test_contact_records_go_through_firehose_into_a_bucket(stack: cdk.Stack, center: ContactCenter) -> None:
    made = center.add_contact_records_bucket(expire_after=cdk.Duration.days(90))
    assert made.bucket
    assert made.delivery_stream
    key, bucket = stack.resolve(center_key(stack)), stack.resolve(made.bucket.bucket_arn)
    delivery = properties(stack, "AWS::KinesisFirehose::DeliveryStream")
    assert delivery["DeliveryStreamEncryptionConfigurationInput"] == {
        "KeyType": "CUSTOMER_MANAGED_CMK",
        "KeyARN": key,
    }
    target = delivery["ExtendedS3DestinationConfiguration"]
    assert (target["BucketARN"], target["Prefix"]) == (bucket, "ContactRecords/")
    assert target["EncryptionConfiguration"] == {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}
    [config] = storage_of(stack).values()
    assert config["Properties"]["StorageType"] == "KINESIS_FIREHOSE"
    assert config["Properties"]["KinesisFirehoseConfig"] == {
        "FirehoseArn": stack.resolve(made.delivery_stream.delivery_stream_arn)
    }
    [policy] = [
        one["Properties"]
        for one in of_type(stack, "AWS::IAM::Policy").values()
        if one["Properties"]["Roles"] == [{"Ref": target["RoleARN"]["Fn::GetAtt"][0]}]
    ]
    allowed = [
        (one["Action"], one["Resource"], one.get("Condition"))
        for one in policy["PolicyDocument"]["Statement"]
    ]
    log = {"Fn::GetAtt": [next(iter(of_type(stack, "AWS::Logs::LogGroup"))), "Arn"]}
    assert allowed == [
        (
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            {"Fn::Join": ["", [bucket, "/ContactRecords/*"]]},
            None,
        ),
        (["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], bucket, None),
        ("logs:PutLogEvents", log, None),
        (
            ["kms:Decrypt", "kms:GenerateDataKey"],
            key,
            {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        ),
    ]
    trusting = json.dumps(of_type(stack, "AWS::IAM::Role")).count("firehose.amazonaws.com")
    assert trusting == 1


def center_key(stack: cdk.Stack) -> dict[str, Any]:
    return {"Fn::GetAtt": [next(iter(of_type(stack, "AWS::KMS::Key"))), "Arn"]}


def test_contact_records_go_into_a_bucket_that_exists_without_its_key(
    stack: cdk.Stack, center: ContactCenter
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Mine", "example-records")
    made = center.add_contact_records_bucket(bucket=bucket, prefix="calls/")
    assert made.encryption_key is None
    assert of_type(stack, "AWS::KMS::Key") == {}
    delivery = properties(stack, "AWS::KinesisFirehose::DeliveryStream")
    assert delivery["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    assert delivery["ExtendedS3DestinationConfiguration"]["Prefix"] == "calls/"
    with pytest.raises(ConstructArgumentError, match="has a CONTACT_TRACE_RECORDS association already"):
        center.add_contact_records_stream()


def test_a_key_of_ones_own_is_used(stack: cdk.Stack, center: ContactCenter) -> None:
    key = kms.Key(stack, "Mine")
    center.add_reports(encryption_key=key)
    center.add_contact_records_stream(encryption_key=key)
    center.add_live_media_streaming(prefix="media", retention=cdk.Duration.hours(0), encryption_key=key)
    assert list(of_type(stack, "AWS::KMS::Key")) == [stack.get_logical_id(key.node.default_child)]  # type: ignore[arg-type]
    media = storage_of(stack)["MEDIA_STREAMS"]["Properties"]["KinesisVideoStreamConfig"]
    assert media == {
        "Prefix": "media",
        "RetentionPeriodHours": 0,
        "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": stack.resolve(key.key_arn)},
    }


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda c, _: c.add_call_recordings(prefix="/calls"), "prefix is '/calls'"),
        (lambda c, _: c.add_call_recordings(prefix="p" * 129), "1 to 128"),
        (lambda c, _: c.add_call_recordings(bucket="mine"), "bucket is 'mine'"),
        (lambda c, _: c.add_call_recordings(expire_after=90), "expire_after is 90"),
        (lambda c, _: c.add_contact_records_bucket(prefix="/records"), "prefix is '/records'"),
        (
            lambda c, s: c.add_reports(
                bucket=s3.Bucket.from_bucket_name(s, "B", "mine"), expire_after=cdk.Duration.days(1)
            ),
            "whose own rules",
        ),
        (
            lambda c, s: c.add_agent_events_stream(
                stream=firehose.DeliveryStream.from_delivery_stream_arn(
                    s, "F", "arn:aws:firehose:us-east-1:123456789012:deliverystream/records"
                )
            ),
            "Kinesis data streams alone",
        ),
        (
            lambda c, s: c.add_agent_events_stream(
                stream=kinesis.Stream.from_stream_arn(
                    s, "S", "arn:aws:kinesis:eu-central-1:123456789012:stream/events"
                )
            ),
            "in eu-central-1",
        ),
        (lambda c, _: c.add_agent_events_stream(retention=cdk.Duration.days(366)), "retention is 366"),
        (lambda c, _: c.add_live_media_streaming(prefix="a b"), "prefix is 'a b'"),
        (
            lambda c, _: c.add_live_media_streaming(prefix="a", retention=cdk.Duration.minutes(90)),
            "whole hours",
        ),
        (lambda c, _: c.add_reports(encryption_key="alias/mine"), "encryption_key is 'alias/mine'"),
    ],
)
def test_wrong_storage_is_told(stack: cdk.Stack, center: ContactCenter, add: Any, said: str) -> None:
    with pytest.raises(ConstructArgumentError, match="users-stack/Center") as caught:
        add(center, stack)
    assert said in str(caught.value)


# -- origins, keys, bots, applications


def test_origins_keys_and_bots_are_there_once(stack: cdk.Stack, center: ContactCenter) -> None:
    assert center.allow_origin("https://a.example.com") is center.allow_origin("https://a.example.com")
    center.allow_origin("https://b.example.com:8443")
    assert center.add_lex_bot(BOT) is center.add_lex_bot(BOT)
    first = center.add_security_key(PEM.format("one"))
    center.add_security_key(PEM.format("two"))
    assert first.attr_association_id
    with pytest.raises(ConstructArgumentError, match="a third security key"):
        center.add_security_key(PEM.format("three"))
    with pytest.raises(ConstructArgumentError, match="added before"):
        center.add_security_key(PEM.format("two"))
    assert len(of_type(stack, "AWS::Connect::ApprovedOrigin")) == 2
    assert len(of_type(stack, "AWS::Connect::SecurityKey")) == 2
    assert properties(stack, "AWS::Connect::IntegrationAssociation")["IntegrationType"] == "LEX_BOT"


def test_another_key_is_another_resource() -> None:
    def keys(*names: str) -> dict[str, str]:
        stack = cdk.Stack(cdk.App(), "s")
        center = ContactCenter(stack, "Center", alias="a")
        for name in names:
            center.add_security_key(PEM.format(name))
        return {
            logical: one["Properties"]["Key"]
            for logical, one in of_type(stack, "AWS::Connect::SecurityKey").items()
        }

    both = keys("old", "new")
    assert keys("old").items() <= both.items()
    assert keys("new").items() <= both.items()
    assert len(both) == 2


def test_a_bot_of_lex_v1_is_warned_of(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_lex_bot("arn:aws:lex:us-east-1:123456789012:bot:Orders")
    warnings = assertions.Annotations.from_stack(stack).find_warning(
        "*", assertions.Match.string_like_regexp("Lex V1, which AWS has ended")
    )
    assert len(warnings) == 1


def test_a_bot_that_comes_later_keeps_its_id(stack: cdk.Stack, center: ContactCenter) -> None:
    for _ in range(3):
        cdk.CfnParameter(stack, f"Before{_}")
    center.add_lex_bot(cdk.Fn.import_value("bot-alias"))
    other = cdk.Stack(cdk.App(), "users-stack")
    ContactCenter(other, "Center", alias="example-support").add_lex_bot(cdk.Fn.import_value("bot-alias"))
    kind = "AWS::Connect::IntegrationAssociation"
    assert set(of_type(stack, kind)) == set(of_type(other, kind))


def test_an_application_is_made_and_associated(stack: cdk.Stack, center: ContactCenter) -> None:
    made = center.add_application(
        "Assist", url="https://assist.example.com/panel", permissions=["User.Details.View"]
    )
    application = properties(stack, "AWS::AppIntegrations::Application")
    assert application["ApplicationSourceConfig"] == {
        "ExternalUrlConfig": {
            "AccessUrl": "https://assist.example.com/panel",
            "ApprovedOrigins": ["https://assist.example.com"],
        }
    }
    assert application["Permissions"] == ["User.Details.View"]
    association = properties(stack, "AWS::Connect::IntegrationAssociation")
    assert association["IntegrationType"] == "APPLICATION"
    assert association["IntegrationArn"] == stack.resolve(made.arn)


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda c: c.allow_origin("https://a.example.com/path"), "without path"),
        (lambda c: c.allow_origin("https://*.example.com"), "a wildcard is none"),
        (lambda c: c.allow_origin("http://a.example.com"), "origin is 'http://a.example.com'"),
        (lambda c: c.allow_origin(f"https://{'a' * 260}"), "takes 267"),
        (
            lambda c: c.add_security_key("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END"),
            "a private key, which belongs nowhere",
        ),
        (lambda c: c.add_security_key("-----BEGIN CERTIFICATE-----\nabc\n"), "BEGIN PUBLIC KEY"),
        (lambda c: c.add_security_key(PEM.format("a" * 1024)), "takes 1,024"),
        (lambda c: c.add_lex_bot("arn:aws:lex:us-east-1:123456789012:bot/ABCDEFGHIJ"), "bot-alias/BOT/ALIAS"),
        (lambda c: c.add_lex_bot(BOT.replace("us-east-1", "eu-west-2")), "eu-west-2"),
        (lambda c: c.add_application("A", url="http://a.example.com"), "begins with https://"),
        (lambda c: c.add_application("A", url="https://a.example.com", origins="https://b"), "write a list"),
        (
            lambda c: c.add_application("A", url="https://a.example.com", permissions=["a b"]),
            "permissions is 'a b'",
        ),
    ],
)
def test_wrong_access_is_told(center: ContactCenter, add: Any, said: str) -> None:
    with pytest.raises(ConstructArgumentError, match="users-stack/Center") as caught:
        add(center)
    assert said in str(caught.value)


def test_the_hundred_and_first_origin_is_refused(center: ContactCenter) -> None:
    for number in range(100):
        center.allow_origin(f"https://a{number}.example.com")
    with pytest.raises(ConstructArgumentError, match="would be origin 101"):
        center.allow_origin("https://b.example.com")


# -- hours, queues, people


def test_hours_queue_profile_quick_connects_and_a_user(stack: cdk.Stack, center: ContactCenter) -> None:
    hours = center.add_hours("Weekdays", time_zone="Europe/Berlin", hours=MEANT)
    queue = center.add_queue("Support", hours=hours, max_contacts=20, caller_id_name="Example")
    agents = center.add_routing_profile("Agents", queues=[queue], channels={"VOICE": 1, "TASK": 3})
    permits = center.add_security_profile("Agents", permissions=["BasicAgentAccess"])
    user = center.add_user(
        "Ana",
        username="ana",
        first_name="Ana",
        last_name="Silva",
        routing_profile=agents,
        security_profiles=[permits],
    )
    center.add_quick_connect("Front desk", phone_number="+12065550100")
    config = properties(stack, "AWS::Connect::HoursOfOperation")
    assert config["TimeZone"] == "Europe/Berlin"
    assert [one["Day"] for one in config["Config"]] == [
        "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY",
    ]  # fmt: skip
    assert config["Config"][0]["StartTime"] == {"Hours": 9, "Minutes": 0}
    made = properties(stack, "AWS::Connect::Queue")
    assert made["HoursOfOperationArn"] == stack.resolve(hours.arn)
    assert made["OutboundCallerConfig"] == {"OutboundCallerIdName": "Example"}
    profile = properties(stack, "AWS::Connect::RoutingProfile")
    assert profile["DefaultOutboundQueueArn"] == stack.resolve(queue.arn)
    assert [one["QueueReference"]["Channel"] for one in profile["QueueConfigs"]] == ["VOICE", "TASK"]
    assert properties(stack, "AWS::Connect::User")["Username"] == "ana"
    assert user.password_secret is not None


def test_no_template_holds_a_password(stack: cdk.Stack, center: ContactCenter) -> None:
    center.add_user(
        "Ana",
        username="ana",
        first_name="Ana",
        last_name="Silva",
        routing_profile=cdk.Fn.import_value("routing-profile"),
        security_profiles=[cdk.Fn.import_value("security-profile")],
    )
    password = json.dumps(properties(stack, "AWS::Connect::User")["Password"])
    assert "{{resolve:secretsmanager:" in password
    generated = properties(stack, "AWS::SecretsManager::Secret")["GenerateSecretString"]
    assert generated["PasswordLength"] == 24
    assert generated["RequireEachIncludedType"] is True


def test_where_saml_signs_in_there_is_no_password(stack: cdk.Stack) -> None:
    center = ContactCenter(stack, "Center", alias="a", identity_management=IdentityManagement.SAML)
    profile, security = cdk.Fn.import_value("profile"), cdk.Fn.import_value("security")
    made = center.add_user("Ana", username="ana", routing_profile=profile, security_profiles=[security])
    assert made.password_secret is None
    assert "Password" not in properties(stack, "AWS::Connect::User")
    assert of_type(stack, "AWS::SecretsManager::Secret") == {}


@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        (
            {"queue": QUEUE_ARN, "flow": FLOW_ARN},
            {
                "QuickConnectType": "QUEUE",
                "QueueConfig": {"QueueArn": QUEUE_ARN, "ContactFlowArn": FLOW_ARN},
            },
        ),
        (
            {"user": f"{INSTANCE_ARN}/agent/11111111-2222-3333-4444-555555555555", "flow": FLOW_ARN},
            {
                "QuickConnectType": "USER",
                "UserConfig": {
                    "UserArn": f"{INSTANCE_ARN}/agent/11111111-2222-3333-4444-555555555555",
                    "ContactFlowArn": FLOW_ARN,
                },
            },
        ),
        ({"flow": FLOW_ARN}, {"QuickConnectType": "FLOW", "FlowConfig": {"ContactFlowArn": FLOW_ARN}}),
        (
            {"phone_number": "+12065550100"},
            {"QuickConnectType": "PHONE_NUMBER", "PhoneConfig": {"PhoneNumber": "+12065550100"}},
        ),
    ],
)
def test_a_quick_connect_leads_to_one_thing(
    stack: cdk.Stack, instance: ConnectInstance, arguments: dict[str, Any], config: dict[str, Any]
) -> None:
    instance.add_quick_connect("There", **arguments)
    assert properties(stack, "AWS::Connect::QuickConnect")["QuickConnectConfig"] == config


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda i: i.add_hours("H", time_zone="Mars/Base", hours=MEANT), "time_zone is 'Mars/Base'"),
        (lambda i: i.add_hours("H", time_zone="UTC", hours="always"), "OpeningHours.weekdays"),
        (lambda i: i.add_hours("ü", time_zone="UTC", hours=MEANT), "a name that metrics can show"),
        (lambda i: i.add_queue("Q", hours="Basic Hours"), "hours is 'Basic Hours'"),
        (lambda i: i.add_queue("Q", hours=HOURS_ARN.replace(INSTANCE_ARN, OTHER)), "not of the instance"),
        (lambda i: i.add_queue("Q", hours=HOURS_ARN, max_contacts=-1), "max_contacts is"),
        (lambda i: i.add_queue("Q", hours=HOURS_ARN, description=""), "description is ''"),
        (
            lambda i: i.add_queue("Q", hours=HOURS_ARN, caller_id_number="+1206"),
            "caller_id_number is '+1206'",
        ),
        (lambda i: i.add_routing_profile("P", queues=[]), "at least one queue"),
        (lambda i: i.add_routing_profile("P", queues=[QUEUE_ARN], channels={"FAX": 1}), "channels is 'FAX'"),
        (lambda i: i.add_routing_profile("P", queues=[QUEUE_ARN], channels={"CHAT": 11}), "1 to 10"),
        (lambda i: i.add_routing_profile("P", queues=[QUEUE_ARN] * 26), "L-516BC0EB"),
        (lambda i: i.add_quick_connect("C"), "leads to one thing"),
        (lambda i: i.add_quick_connect("C", queue=QUEUE_ARN), "QUEUE_TRANSFER"),
        (lambda i: i.add_quick_connect("C", phone_number="911"), "phone_number is '911'"),
        (lambda i: i.add_security_profile("Ä", permissions=[]), "name is 'Ä'"),
        (lambda i: i.add_security_profile("P", permissions="All"), "write a list"),
        (
            lambda i: i.add_user(
                "U", username="a b", routing_profile=PROFILE_ARN, security_profiles=[SECURITY_ARN]
            ),
            "username is 'a b'",
        ),
        (
            lambda i: i.add_user(
                "U", username="ana", routing_profile=PROFILE_ARN, security_profiles=[SECURITY_ARN]
            ),
            "identity_management=IdentityManagement.SAML",
        ),
        (
            lambda i: i.claim_number("N", country_code="USA"),
            "country_code is 'USA'",
        ),
        (lambda i: i.claim_number("N", country_code="US", number_type="MOBILE"), "number_type is 'MOBILE'"),
        (lambda i: i.claim_number("N", country_code="US", prefix="206"), "prefix is '206'"),
        (lambda i: i.answer("N", "+12065550100", FLOW_ARN), "list-phone-numbers-v2"),
        (lambda i: i.answer("N", NUMBER_ARN, "Main"), "flow is 'Main'"),
    ],
)
def test_wrong_parts_are_told(instance: ConnectInstance, add: Any, said: str) -> None:
    with pytest.raises(ConstructArgumentError, match="users-stack/Instance") as caught:
        add(instance)
    assert said in str(caught.value)


def test_names_are_told_that_clash(center: ContactCenter) -> None:
    hours = center.add_hours("Weekdays", time_zone="UTC", hours=OpeningHours.always())
    center.add_queue("Support", hours=hours)
    with pytest.raises(ConstructArgumentError, match="a queue named 'Support' already"):
        center.add_queue("Other", hours=hours, name="Support")


@pytest.mark.parametrize("time", ["9:00", "24:00", "09:60", None])
def test_opening_hours_are_times(time: Any) -> None:
    with pytest.raises(ConstructArgumentError, match="opens is"):
        OpeningHours("MONDAY", time, "17:00")


# -- numbers


def test_a_number_is_kept_and_answered_by_a_flow(stack: cdk.Stack, center: ContactCenter) -> None:
    flow = ContactFlow(
        stack,
        "Line",
        instance=center,
        template=ROOT / "examples/contact_center/flows/weekday_line.json",
        values={"QueueArn": cdk.Fn.import_value("queue")},
    )
    number = center.claim_number("Line", country_code="US", prefix="+1206", flow=flow)
    claimed = only(stack, "AWS::Connect::PhoneNumber")
    assert claimed.items() >= KEPT.items()
    assert claimed["Properties"] == {
        "TargetArn": stack.resolve(center.instance_arn),
        "CountryCode": "US",
        "Type": "DID",
        "Prefix": "+1206",
    }
    resource = only(stack, "Custom::PhoneNumberFlow")
    arns = [stack.resolve(number.arn), stack.resolve(flow.arn)]
    assert resource["Properties"]["InstanceId"] == stack.resolve(center.instance_id)
    assert resource["Properties"]["PhoneNumberId"] == arns[0]
    assert resource["Properties"]["ContactFlowId"] == arns[1]
    template = assertions.Template.from_stack(stack).to_json()
    granted = {
        action: statement["Resource"]
        for statement in policy_statements(template)
        for action in statement["Action"]
        if action.startswith("connect:")
    }
    assert granted == {
        "connect:AssociatePhoneNumberContactFlow": arns,
        "connect:DisassociatePhoneNumberContactFlow": arns[:1],
    }
    policies = of_type(stack, "AWS::IAM::Policy")
    assert set(resource["DependsOn"]) & set(policies)


def test_a_number_that_exists_gets_a_flow(stack: cdk.Stack, instance: ConnectInstance) -> None:
    instance.answer("Line", NUMBER_ARN, FLOW_ARN)
    told = properties(stack, "Custom::PhoneNumberFlow")
    assert {name: told[name] for name in ("InstanceId", "PhoneNumberId", "ContactFlowId")} == {
        "InstanceId": instance.instance_id,
        "PhoneNumberId": NUMBER_ARN.rpartition("/")[2],
        "ContactFlowId": FLOW_ARN.rpartition("/")[2],
    }
    with pytest.raises(ConstructArgumentError, match="a number has one"):
        instance.answer("Second", NUMBER_ARN, FLOW_ARN)


def test_a_number_is_released_if_that_is_said(stack: cdk.Stack, center: ContactCenter) -> None:
    center.claim_number("Line", country_code="US", removal_policy=cdk.RemovalPolicy.DESTROY)
    assert only(stack, "AWS::Connect::PhoneNumber")["DeletionPolicy"] == "Delete"


def test_the_example_is_a_complete_app_of_sixty_lines() -> None:
    assert len((ROOT / "examples/contact_center/app.py").read_text().splitlines()) <= 60
