"""Instances and what they hold, deployed by CloudFormation: attributes, limits, what is refused, and what is left."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from connect_sandbox.cloud import AwsError, Sandbox

ACCOUNT = "123456789012"
MANAGED = "CONNECT_MANAGED"
PEM = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{}\n-----END PUBLIC KEY-----\n"
GOOD = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Actions": [
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        ],
    }
)


@pytest.fixture(autouse=True)
def room(sandbox: Sandbox) -> Iterator[None]:
    """Let every test have instances of its own: the two of the quota, and 100 moves of the month."""
    yield
    for instance in [each for each in sandbox.connect.instances() if each.created]:
        sandbox.contact_center.instances.delete(instance.id)
    sandbox.contact_center.instances.taken_elsewhere.clear()
    sandbox.contact_center.calendar.passes(days=365)


def get(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def instance(alias: str = "example-dev", **attributes: Any) -> dict[str, Any]:
    switches = {"InboundCalls": True, "OutboundCalls": False, **attributes}
    properties = {"IdentityManagementType": MANAGED, "InstanceAlias": alias, "Attributes": switches}
    return {"Type": "AWS::Connect::Instance", "Properties": properties}


def within(type_: str, **properties: Any) -> dict[str, Any]:
    """Return a resource in the stack's instance, called Instance."""
    return {"Type": f"AWS::Connect::{type_}", "Properties": {"InstanceArn": get("Instance"), **properties}}


def stack(**resources: Any) -> dict[str, Any]:
    outputs = {"Arn": {"Value": get("Instance")}} if "Instance" in resources else {}
    return {"Resources": resources, "Outputs": outputs}


HOURS = within(
    "HoursOfOperation",
    Name="Weekdays",
    TimeZone="Europe/Berlin",
    Config=[
        {"Day": "MONDAY", "StartTime": {"Hours": 9, "Minutes": 0}, "EndTime": {"Hours": 17, "Minutes": 0}}
    ],
)
QUEUE = within("Queue", Name="Support", HoursOfOperationArn=get("Hours", "HoursOfOperationArn"))
ROUTING = within(
    "RoutingProfile",
    Name="Everything",
    Description="Voice",
    MediaConcurrencies=[{"Channel": "VOICE", "Concurrency": 1}],
    DefaultOutboundQueueArn=get("Queue", "QueueArn"),
    QueueConfigs=[
        {
            "Delay": 0,
            "Priority": 1,
            "QueueReference": {"Channel": "VOICE", "QueueArn": get("Queue", "QueueArn")},
        }
    ],
)


# --- the instance


def test_an_instance_has_its_attributes_and_what_a_new_one_holds(sandbox: Sandbox, deploy: Any) -> None:
    template = stack(Instance=instance(ContactflowLogs=True))
    for name in ("Id", "ServiceRole", "InstanceStatus", "CreatedTime"):
        template["Outputs"][name] = {"Value": get("Instance", name)}
    outputs = deploy(template).outputs
    connect = sandbox.boto3_client("connect")
    told = connect.describe_instance(InstanceId=outputs["Id"])["Instance"]
    switches = connect.list_instance_attributes(InstanceId=outputs["Id"])["Attributes"]
    queues = connect.list_queues(InstanceId=outputs["Id"], QueueTypes=["STANDARD"])["QueueSummaryList"]
    flows = connect.list_contact_flows(InstanceId=outputs["Id"])["ContactFlowSummaryList"]
    logs = sandbox.boto3_client("logs").describe_log_groups(logGroupNamePrefix="/aws/connect/example-dev")

    assert outputs["Arn"].endswith(f"instance/{outputs['Id']}")
    assert outputs["InstanceStatus"] == told["InstanceStatus"] == "ACTIVE"
    assert outputs["ServiceRole"] == told["ServiceRole"]
    assert "/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_" in told["ServiceRole"]
    assert {each["AttributeType"] for each in switches if each["Value"] == "true"} == {
        "INBOUND_CALLS",
        "CONTACTFLOW_LOGS",
        "EARLY_MEDIA",
    }
    assert [queue["Name"] for queue in queues] == ["BasicQueue"]
    assert {flow["Name"] for flow in flows} >= {"Default customer queue", "Sample AB test"}
    assert [group["logGroupName"] for group in logs["logGroups"]] == ["/aws/connect/example-dev"]


def test_an_update_switches_off_what_the_template_leaves_out(sandbox: Sandbox, deploy: Any) -> None:
    first = deploy(stack(Instance=instance()))
    held = sandbox.connect.instance(first.outputs["Arn"])
    before = set(held.attributes)
    second = deploy(stack(Instance=instance(ContactLens=True)), name=first.name)

    assert before == {"INBOUND_CALLS", "EARLY_MEDIA"}
    assert second.outputs == first.outputs
    assert held.attributes == {"INBOUND_CALLS", "CONTACT_LENS"}


def test_another_alias_replaces_the_instance(deploy: Any) -> None:
    first = deploy(stack(Instance=instance()))
    second = deploy(stack(Instance=instance("example-other")), name=first.name)

    assert second.status == "UPDATE_COMPLETE"
    assert second.outputs["Arn"] != first.outputs["Arn"]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"InstanceAlias": None}, "Required parameter missing InstanceAlias"),
        ({"DirectoryId": "d-0123456789"}, "Invalid Parameter DirectoryId for type CONNECT_MANAGED"),
        (
            {"IdentityManagementType": "EXISTING_DIRECTORY", "DirectoryId": "d-0123456789"},
            "Invalid Parameter InstanceAlias for type EXISTING_DIRECTORY",
        ),
        ({"InstanceAlias": "d-123"}, r"#/InstanceAlias: string \[d-123\] does not match pattern"),
        ({"Attributes": {"InboundCalls": True}}, r"required key \[OutboundCalls\] not found"),
        ({"Attributes": {"InboundCalls": True, "OutboundCalls": True, "UseCustomTTSVoices": True}}, "listed customers"),
        ({"InstanceAlias": "taken"}, "Instance alias is already used"),
    ],
)  # fmt: skip
def test_an_instance_is_refused(
    sandbox: Sandbox, deploy: Any, properties: dict[str, Any], reason: str
) -> None:
    sandbox.contact_center.instances.say_taken("Taken")
    refused = instance()
    given = {**refused["Properties"], **properties}
    refused["Properties"] = {name: value for name, value in given.items() if value is not None}
    done = deploy({"Resources": {"Instance": refused}})

    assert done.status == "ROLLBACK_COMPLETE"
    assert re.search(reason, done.reasons), done.reasons


@pytest.mark.parametrize(("alias", "status"), [("Taken", 302), ("example-dev", 302), ("example-free", 404)])
def test_the_address_of_an_alias_tells_whether_anybody_has_it(
    sandbox: Sandbox, alias: str, status: int
) -> None:
    sandbox.contact_center.instances.say_taken("Taken")
    sandbox.contact_center.instances.create(MANAGED, alias="example-dev")
    port = int(sandbox.endpoint_url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/", headers={"Host": f"{alias}.my.connect.aws"})
    answer = connection.getresponse()
    connection.close()

    assert answer.status == status


def test_an_account_has_two_instances(sandbox: Sandbox, deploy: Any) -> None:
    two = stack(Instance=instance(), Other={**instance("example-b")})
    three = deploy({"Resources": {**two["Resources"], "Third": instance("example-c")}})
    sandbox.quotas.set(("connect", "L-AA17A6B9"), 3)
    try:
        more = deploy({"Resources": {**two["Resources"], "Third": instance("example-c")}})
    finally:
        sandbox.quotas.forget(("connect", "L-AA17A6B9"))

    assert three.status == "ROLLBACK_COMPLETE"
    assert "You have reached the limit of 2 Amazon Connect instances" in three.reasons
    assert more.status == "CREATE_COMPLETE"


def test_a_month_has_a_hundred_creations_and_deletions(sandbox: Sandbox) -> None:
    instances, calendar = sandbox.contact_center.instances, sandbox.contact_center.calendar
    for _ in range(50):
        instances.delete(instances.create(MANAGED, alias="again").id)
    with pytest.raises(AwsError, match="excessive number of creation and deletion attempts"):
        instances.create(MANAGED, alias="again")
    calendar.passes(days=31)

    assert instances.create(MANAGED, alias="again").status == "ACTIVE"


def test_a_deleted_instance_is_gone_and_its_numbers_with_it(sandbox: Sandbox, deploy: Any) -> None:
    number = {
        "Type": "AWS::Connect::PhoneNumber",
        "Properties": {"TargetArn": get("Instance"), "Type": "DID", "CountryCode": "US"},
        "DeletionPolicy": "Retain",
    }
    made = deploy(stack(Instance=instance(), Number=number))
    address = next(iter(sandbox.connect.instance(made.outputs["Arn"]).numbers.values())).number
    deploy.delete(made.name)

    with pytest.raises(AwsError, match="not found"):
        sandbox.connect.instance(made.outputs["Arn"])
    assert address not in sandbox.contact_center.numbers.available("US", "DID")
    sandbox.contact_center.calendar.passes(days=181)
    assert address in sandbox.contact_center.numbers.available("US", "DID")


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(HOURS, id="hours"),
        pytest.param(within("AgentStatus", Name="Lunch", State="ENABLED"), id="status"),
        pytest.param(within("ContactFlow", Name="Main", Type="CONTACT_FLOW", Content=GOOD), id="flow"),
        pytest.param(within("ContactFlowModule", Name="Part", Content=GOOD.replace(
            "DisconnectParticipant", "EndFlowModuleExecution")), id="module"),
        pytest.param(within("UserHierarchyGroup", Name="North"), id="group"),
        pytest.param(within("QuickConnect", Name="Reception", QuickConnectConfig={
            "QuickConnectType": "PHONE_NUMBER", "PhoneConfig": {"PhoneNumber": "+12065550123"}}), id="quick connect"),
    ],
)  # fmt: skip
def test_an_instance_arn_cannot_be_updated(sandbox: Sandbox, deploy: Any, resource: dict[str, Any]) -> None:
    first = deploy(stack(Instance=instance(), Thing=resource))
    other = sandbox.contact_center.instances.create(MANAGED, alias="elsewhere")
    moved = {**resource, "Properties": {**resource["Properties"], "InstanceArn": other.arn}}
    done = deploy(stack(Instance=instance(), Thing=moved), name=first.name)

    assert first.status == "CREATE_COMPLETE", first.reasons
    assert "InstanceArn cannot be updated." in done.reasons
    assert done.status == "UPDATE_ROLLBACK_COMPLETE"
    assert done.resources == first.resources


def test_default_flows_count_in_the_quota_of_flows(sandbox: Sandbox) -> None:
    made = sandbox.contact_center.instances.create(MANAGED, alias="many-flows")
    room = 100 - len(made.flows)
    for number in range(room):
        sandbox.connect.create_flow(made.arn, name=f"Flow {number}", type="CONTACT_FLOW", content=GOOD)

    assert room == 80
    with pytest.raises(AwsError, match="has its 100 flows already"):
        sandbox.connect.create_flow(made.arn, name="One more", type="CONTACT_FLOW", content=GOOD)


# --- hours, queues, people


def test_hours_queue_profile_and_user_are_deployed_listed_and_found(sandbox: Sandbox, deploy: Any) -> None:
    profile = within("SecurityProfile", SecurityProfileName="Team")
    user = within(
        "User",
        Username="ada",
        Password="Secret-1234",
        IdentityInfo={"FirstName": "Ada", "LastName": "Example"},
        RoutingProfileArn=get("Routing", "RoutingProfileArn"),
        SecurityProfileArns=[get("Profile", "SecurityProfileArn")],
    )
    made = deploy(
        stack(Instance=instance(), Hours=HOURS, Queue=QUEUE, Routing=ROUTING, Profile=profile, User=user)
    )
    assert made.status == "CREATE_COMPLETE", made.reasons
    connect = sandbox.boto3_client("connect")
    instance_id = made.outputs["Arn"].rpartition("/")[2]
    queue_id = made.resources["Queue"].rpartition("/")[2]
    queue = connect.describe_queue(InstanceId=instance_id, QueueId=queue_id)["Queue"]
    hours = connect.describe_hours_of_operation(
        InstanceId=instance_id, HoursOfOperationId=queue["HoursOfOperationId"]
    )["HoursOfOperation"]
    users = connect.list_users(InstanceId=instance_id)["UserSummaryList"]
    profiles = connect.list_routing_profiles(InstanceId=instance_id)["RoutingProfileSummaryList"]
    found = connect.search_queues(
        InstanceId=instance_id,
        SearchCriteria={
            "StringCondition": {"FieldName": "name", "Value": "supp", "ComparisonType": "STARTS_WITH"}
        },
    )["Queues"]

    assert (queue["Name"], queue["Status"]) == ("Support", "ENABLED")
    assert (hours["Name"], hours["TimeZone"]) == ("Weekdays", "Europe/Berlin")
    assert [each["Username"] for each in users] == ["ada"]
    assert [each["Name"] for each in profiles] == ["Basic Routing Profile", "Everything"]
    assert [each["QueueId"] for each in found] == [queue_id]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (within("Queue", Name="Lost", HoursOfOperationArn={"Fn::Sub": "${Instance.Arn}/operating-hours/none"}),
         "Hours of operation none not found"),
        (within("Queue", Name="BasicQueue", HoursOfOperationArn=get("Hours", "HoursOfOperationArn")),
         "Queue with name BasicQueue already exists"),
        ({**HOURS, "Properties": {**HOURS["Properties"], "Name": "Odd", "TimeZone": "CET/Nowhere"}},
         "TimeZone is 'CET/Nowhere'"),
        (within("RoutingProfile", Name="R", Description="d", DefaultOutboundQueueArn=get("Queue", "QueueArn"),
                MediaConcurrencies=[{"Channel": "VOICE", "Concurrency": 2}]), "Concurrency of VOICE is 2; use 1 to 1"),
        (within("QuickConnect", Name="Q", QuickConnectConfig={
            "QuickConnectType": "QUEUE", "PhoneConfig": {"PhoneNumber": "+12065550142"}}),
         "A quick connect of type QUEUE has QueueConfig and nothing else"),
        (within("Prompt", Name="Hello", S3Uri="s3://no-such-bucket/hello.wav"), "cannot be read"),
        (within("User", Username="ada", RoutingProfileArn=get("Routing", "RoutingProfileArn"),
                SecurityProfileArns=[get("Profile", "SecurityProfileArn")]), "Password is required"),
    ],
    ids=["no hours", "taken name", "time zone", "concurrency", "quick connect", "prompt", "password"],
)  # fmt: skip
def test_a_part_is_refused(deploy: Any, resource: dict[str, Any], reason: str) -> None:
    profile = within("SecurityProfile", SecurityProfileName="Team")
    around = {"Hours": HOURS, "Queue": QUEUE, "Routing": ROUTING, "Profile": profile}
    done = deploy(stack(Instance=instance(), **around, Refused=resource))

    assert done.status == "ROLLBACK_COMPLETE"
    assert reason in done.reasons


def test_a_queue_that_is_used_stays(sandbox: Sandbox, deploy: Any) -> None:
    made = deploy(stack(Instance=instance(), Hours=HOURS, Queue=QUEUE, Routing=ROUTING))
    parts = sandbox.contact_center.parts

    with pytest.raises(AwsError, match="Queue Support is in use by Routing profile Everything"):
        parts.delete(made.outputs["Arn"], "Queue", made.resources["Queue"])
    assert deploy.delete(made.name).status == "DELETE_COMPLETE"


# --- associations


def test_two_security_keys_and_no_third(sandbox: Sandbox, deploy: Any) -> None:
    def key(number: int) -> dict[str, Any]:
        properties = {"InstanceId": get("Instance"), "Key": PEM.format(number)}
        return {"Type": "AWS::Connect::SecurityKey", "Properties": properties}

    made = deploy(stack(Instance=instance(), One=key(1), Two=key(2)))
    refused = deploy(stack(Instance=instance(), One=key(1), Two=key(2), Three=key(3)), name=made.name)
    connect = sandbox.boto3_client("connect")
    listed = connect.list_security_keys(InstanceId=made.outputs["Arn"].rpartition("/")[2])["SecurityKeys"]

    assert made.status == "CREATE_COMPLETE", made.reasons
    assert [each["Key"] for each in listed] == [PEM.format(1), PEM.format(2)]
    assert refused.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "has its 2 security keys already" in refused.reasons


def test_origins_bots_and_applications_are_associated(sandbox: Sandbox, deploy: Any) -> None:
    origin = {
        "Type": "AWS::Connect::ApprovedOrigin",
        "Properties": {"InstanceId": get("Instance"), "Origin": "https://crm.example.com"},
    }
    application = {
        "Type": "AWS::AppIntegrations::Application",
        "Properties": {
            "Name": "Assist",
            "Namespace": "com.example.assist",
            "ApplicationSourceConfig": {"ExternalUrlConfig": {"AccessUrl": "https://assist.example.com"}},
        },
    }

    def association(kind: str, arn: Any) -> dict[str, Any]:
        properties = {"InstanceId": get("Instance"), "IntegrationType": kind, "IntegrationArn": arn}
        return {"Type": "AWS::Connect::IntegrationAssociation", "Properties": properties}

    alias = f"arn:aws:lex:us-east-1:{ACCOUNT}:bot-alias/BOT1234567/ALIAS12345"
    made = deploy(
        stack(
            Instance=instance(),
            Origin=origin,
            App=application,
            Page=association("APPLICATION", get("App", "ApplicationArn")),
            Bot=association("LEX_BOT", alias),
        )
    )
    connect = sandbox.boto3_client("connect")
    instance_id = made.outputs["Arn"].rpartition("/")[2]

    assert made.status == "CREATE_COMPLETE", made.reasons
    assert connect.list_approved_origins(InstanceId=instance_id)["Origins"] == ["https://crm.example.com"]
    assert connect.list_bots(InstanceId=instance_id, LexVersion="V2")["LexBots"] == [
        {"LexV2Bot": {"AliasArn": alias}}
    ]
    assert deploy.delete(made.name).status == "DELETE_COMPLETE"


# --- storage


@pytest.fixture
def storage() -> Callable[..., dict[str, Any]]:
    def make(resource_type: str, storage_type: str = "S3", **config: Any) -> dict[str, Any]:
        return within("InstanceStorageConfig", ResourceType=resource_type, StorageType=storage_type, **config)

    return make


BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
IN_BUCKET = {"BucketName": {"Ref": "Bucket"}, "BucketPrefix": "recordings"}


def test_storage_is_associated_once_per_type(sandbox: Sandbox, deploy: Any, storage: Any) -> None:
    first = storage("CALL_RECORDINGS", S3Config=IN_BUCKET)
    made = deploy(stack(Instance=instance(), Bucket=BUCKET, First=first))
    second = deploy(stack(Instance=instance(), Bucket=BUCKET, First=first, Second=first), name=made.name)
    listed = sandbox.boto3_client("connect").list_instance_storage_configs(
        InstanceId=made.outputs["Arn"].rpartition("/")[2], ResourceType="CALL_RECORDINGS"
    )["StorageConfigs"]

    assert made.status == "CREATE_COMPLETE", made.reasons
    assert [each["S3Config"]["BucketName"] for each in listed] == [made.resources["Bucket"]]
    assert second.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "ResourceConflictException" in second.reasons


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (("CALL_RECORDINGS", "S3", {"S3Config": {**IN_BUCKET, "BucketName": "absent"}}),
         "The bucket absent does not exist"),
        (("AGENT_EVENTS", "KINESIS_FIREHOSE", {"KinesisFirehoseConfig": {
            "FirehoseArn": f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/calls"}}),
         "Invalid Parameter StorageType KINESIS_FIREHOSE for AGENT_EVENTS"),
        (("CALL_RECORDINGS", "S3", {"S3Config": IN_BUCKET, "KinesisStreamConfig": {
            "StreamArn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/calls"}}),
         "Invalid Parameter KinesisStreamConfig for storage type S3"),
        (("CALL_RECORDINGS", "S3", {"S3Config": {"BucketName": {"Ref": "Bucket"}}}),
         "#/S3Config: required key [BucketPrefix] not found"),
        (("ATTACHMENTS", "S3", {"S3Config": IN_BUCKET}), "needs a CORS rule"),
        (("CALL_RECORDINGS", "S3", {"S3Config": {**IN_BUCKET, "EncryptionConfig": {
            "EncryptionType": "KMS", "KeyId": {"Ref": "Key"}}}}), "the key's full ARN"),
        (("CALL_RECORDINGS", "S3", {"S3Config": {**IN_BUCKET, "EncryptionConfig": {
            "EncryptionType": "KMS", "KeyId": get("Key")}}}), "not authorized to perform: kms:"),
        (("CONTACT_TRACE_RECORDS", "KINESIS_STREAM", {"KinesisStreamConfig": {
            "StreamArn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/absent"}}), "does not exist"),
    ],
    ids=["bucket", "kind", "two", "prefix", "cors", "key id", "key policy", "stream"],
)  # fmt: skip
def test_storage_is_refused(deploy: Any, storage: Any, config: Any, reason: str) -> None:
    nobody = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": nobody}}
    kind, storage_type, members = config
    done = deploy(
        stack(Instance=instance(), Bucket=BUCKET, Key=key, Storage=storage(kind, storage_type, **members))
    )

    assert done.status == "ROLLBACK_COMPLETE"
    assert reason in done.reasons


# --- numbers


def number(**properties: Any) -> dict[str, Any]:
    claimed = {"TargetArn": get("Instance"), "Type": "DID", "CountryCode": "US", **properties}
    return {"Type": "AWS::Connect::PhoneNumber", "Properties": claimed}


def test_a_number_is_claimed_leads_to_a_flow_and_keeps_the_flow(sandbox: Sandbox, deploy: Any) -> None:
    flow = within("ContactFlow", Name="Main", Type="CONTACT_FLOW", Content=GOOD)
    template = stack(Instance=instance(), Number=number(), Flow=flow)
    template["Outputs"]["Address"] = {"Value": get("Number", "Address")}
    made = deploy(template)
    assert made.status == "CREATE_COMPLETE", made.reasons
    connect = sandbox.boto3_client("connect")
    instance_id = made.outputs["Arn"].rpartition("/")[2]
    flow_id, number_id = (made.resources[name].rpartition("/")[2] for name in ("Flow", "Number"))
    connect.associate_phone_number_contact_flow(
        InstanceId=instance_id, PhoneNumberId=number_id, ContactFlowId=flow_id
    )
    without = stack(Instance=instance(), Number=number())
    kept = deploy(without, name=made.name)
    with pytest.raises(connect.exceptions.InvalidRequestException, match="in use by the phone number"):
        connect.delete_contact_flow(InstanceId=instance_id, ContactFlowId=flow_id)
    connect.disassociate_phone_number_contact_flow(InstanceId=instance_id, PhoneNumberId=number_id)
    connect.delete_contact_flow(InstanceId=instance_id, ContactFlowId=flow_id)

    assert made.outputs["Address"].startswith("+1206555")
    assert "in use by the phone number" in kept.reasons
    told = connect.describe_phone_number(PhoneNumberId=number_id)["ClaimedPhoneNumberSummary"]
    assert (told["PhoneNumber"], told["PhoneNumberStatus"]["Status"]) == (made.outputs["Address"], "CLAIMED")


def test_a_number_that_moves_leads_to_no_flow(sandbox: Sandbox, deploy: Any) -> None:
    flow = within("ContactFlow", Name="Main", Type="CONTACT_FLOW", Content=GOOD)
    other = instance("example-b")
    made = deploy(stack(Instance=instance(), Other=other, Number=number(), Flow=flow))
    held = next(iter(sandbox.connect.instance(made.outputs["Arn"]).numbers.values()))
    held.flow_id = made.resources["Flow"].rpartition("/")[2]
    moved = deploy(
        stack(Instance=instance(), Other=other, Number=number(TargetArn=get("Other")), Flow=flow),
        name=made.name,
    )

    assert moved.resources["Number"] == made.resources["Number"]
    assert list(sandbox.connect.instance(moved.resources["Other"]).numbers.values()) == [held]
    assert held.flow_id is None


def test_a_country_without_free_numbers_is_told_without_a_reason(deploy: Any) -> None:
    done = deploy(stack(Instance=instance(), Number=number(CountryCode="VA")))

    assert done.status == "ROLLBACK_COMPLETE"
    assert 'Resource handler returned message: "null (NotFound)"' in done.reasons


def test_five_numbers_and_ten_moves_in_half_a_year(sandbox: Sandbox) -> None:
    numbers = sandbox.contact_center.numbers
    made = sandbox.contact_center.instances.create(MANAGED, alias="many-numbers")
    held = [numbers.claim_one(made.arn, country="US", type_="DID") for _ in range(5)]
    with pytest.raises(AwsError, match="You've reached the limit of Phone Numbers"):
        numbers.claim_one(made.arn, country="US", type_="TOLL_FREE")
    for each in held:
        numbers.release(each.id)
    with pytest.raises(AwsError, match="over 200% of the quota"):
        numbers.claim_one(made.arn, country="US", type_="TOLL_FREE")
    sandbox.contact_center.calendar.passes(days=181)

    assert numbers.claim_one(made.arn, country="US", type_="TOLL_FREE").number.startswith("+1800555")
