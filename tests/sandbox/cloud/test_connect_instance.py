"""What the Connect API says of an instance itself, and API Gateway of the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

INSTANCE = "77777777-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}"
QUEUE = "66666666-7777-8888-9999-000000000000"
FLOW = (
    '{"Version":"2019-10-30","StartAction":"end","Metadata":{},"Actions":[{"Identifier":"end",'
    '"Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}'
)


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Any]:
    yield sandbox.boto3_client("connect")
    sandbox.connect.say_absent(INSTANCE)
    sandbox.connect.say_absent(INSTANCE, absent=False)


def test_an_instance_is_listed_and_described(connect: Any) -> None:
    described = connect.describe_instance(InstanceId=INSTANCE)["Instance"]
    assert (described["Arn"], described["InstanceStatus"]) == (ARN, "ACTIVE")
    assert ARN in {each["Arn"] for each in connect.list_instances()["InstanceSummaryList"]}


def test_an_instance_that_is_not_there_is_not_found(sandbox: Sandbox, connect: Any) -> None:
    sandbox.connect.say_absent(INSTANCE)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        connect.describe_instance(InstanceId=INSTANCE)
    assert ARN not in {each["Arn"] for each in connect.list_instances()["InstanceSummaryList"]}


def test_attributes_are_switched(connect: Any) -> None:
    named = {"InstanceId": INSTANCE, "AttributeType": "OUTBOUND_CALLS"}
    assert connect.describe_instance_attribute(**named)["Attribute"]["Value"] == "true"
    connect.update_instance_attribute(**named, Value="false")
    assert connect.describe_instance_attribute(**named)["Attribute"]["Value"] == "false"
    assert connect.describe_instance(InstanceId=INSTANCE)["Instance"]["OutboundCallsEnabled"] is False
    connect.update_instance_attribute(**named, Value="true")
    assert connect.describe_instance(InstanceId=INSTANCE)["Instance"]["OutboundCallsEnabled"] is True


def test_a_queue_is_disabled_and_enabled_and_may_be_absent(sandbox: Sandbox, connect: Any) -> None:
    named = {"InstanceId": INSTANCE, "QueueId": QUEUE}
    connect.update_queue_status(**named, Status="DISABLED")
    assert connect.describe_queue(**named)["Queue"]["Status"] == "DISABLED"
    connect.update_queue_status(**named, Status="ENABLED")
    assert connect.describe_queue(**named)["Queue"]["Status"] == "ENABLED"
    sandbox.connect.instance(INSTANCE).absent_queues.add(QUEUE)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        connect.describe_queue(**named)


def test_a_number_leads_to_the_flow_that_it_is_attached_to(sandbox: Sandbox, connect: Any) -> None:
    number = sandbox.connect.instance(INSTANCE).claim_number("+442079460100")
    [listed] = connect.list_phone_numbers_v2(TargetArn=ARN)["ListPhoneNumbersSummaryList"]
    assert (listed["PhoneNumber"], listed["PhoneNumberId"]) == ("+442079460100", number.id)
    assert connect.list_flow_associations(InstanceId=INSTANCE)["FlowAssociationSummaryList"] == []
    flow = connect.create_contact_flow(InstanceId=INSTANCE, Name="f", Type="CONTACT_FLOW", Content=FLOW)
    connect.associate_phone_number_contact_flow(
        InstanceId=INSTANCE, PhoneNumberId=number.id, ContactFlowId=flow["ContactFlowId"]
    )
    [led] = connect.list_flow_associations(InstanceId=INSTANCE)["FlowAssociationSummaryList"]
    assert (led["FlowId"], led["ResourceId"]) == (flow["ContactFlowArn"], listed["PhoneNumberArn"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        connect.associate_phone_number_contact_flow(
            InstanceId=INSTANCE, PhoneNumberId="gone", ContactFlowId=flow["ContactFlowId"]
        )


def test_a_prefix_of_more_than_eleven_digits_is_refused_as_aws_refuses_it(connect: Any) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        connect.list_phone_numbers_v2(TargetArn=ARN, PhoneNumberPrefix="+442079460100")


def test_the_role_with_which_api_gateway_logs_is_read_and_set(sandbox: Sandbox) -> None:
    client, before = sandbox.boto3_client("apigateway"), sandbox.apis.log_role_arn
    role = "arn:aws:iam::123456789012:role/theirs"
    try:
        sandbox.apis.log_role_arn = ""
        assert "cloudwatchRoleArn" not in client.get_account()
        client.update_account(
            patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
        )
        assert client.get_account()["cloudwatchRoleArn"] == role
        with pytest.raises(ClientError, match="NotImplemented"):
            client.update_account(patchOperations=[{"op": "add", "path": "/features", "value": "x"}])
        with pytest.raises(ClientError, match="NotImplemented"):
            client.get_rest_apis()
    finally:
        sandbox.apis.log_role_arn = before
