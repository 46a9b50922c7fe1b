"""Stacks are created, updated, rolled back and deleted as CloudFormation does it, and nothing is skipped silently."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox, support_table

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE = {"Type": "AWS::SQS::Queue"}
FLOW_CONTENT = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Actions": [
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        ],
    }
)


def flow(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Connect::ContactFlow",
        "Properties": {
            "InstanceArn": INSTANCE, "Name": "welcome", "Type": "CONTACT_FLOW", "Content": FLOW_CONTENT, **properties,
        },
    }  # fmt: skip


def queues(sandbox: Sandbox) -> list[str]:
    urls = sandbox.boto3_client("sqs").list_queues().get("QueueUrls", [])
    return sorted(url.rsplit("/", 1)[-1] for url in urls)


def test_a_resource_type_that_is_not_reproduced_is_refused_by_name_before_anything_is_created(
    sandbox: Sandbox, deploy: Any
) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE, "Machine": {"Type": "AWS::EC2::Instance"}}})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "the sandbox does not emulate the resource type AWS::EC2::Instance" in stack.reasons
    failed = [e["LogicalResourceId"] for e in stack.events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert failed == ["Machine"]
    assert queues(sandbox) == []


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (
            {"Type": "AWS::SQS::Queue", "Properties": {"RedriveAllowPolicy": {}}},
            "AWS::SQS::Queue RedriveAllowPolicy",
        ),
        ({"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}, "AWS::SQS::Queue FifoQueue=True"),
        (
            {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": "x"}, "Role": "r"}},
            "AWS::Lambda::Function Code.ImageUri",
        ),
        (
            {
                "Type": "AWS::ApiGateway::Authorizer",
                "Properties": {"RestApiId": "a", "Name": "n", "Type": "REQUEST"},
            },
            "AWS::ApiGateway::Authorizer Type=REQUEST",
        ),
        (
            flow(State={"Fn::If": ["Yes", "ACTIVE", "ARCHIVED"]}, Colour="blue"),
            "AWS::Connect::ContactFlow Colour",
        ),
    ],
)
def test_a_property_that_would_have_no_effect_is_refused_by_name(
    sandbox: Sandbox, deploy: Any, resource: dict[str, Any], named: str
) -> None:
    conditions = {"Yes": {"Fn::Equals": ["a", "a"]}}
    stack = deploy({"Conditions": conditions, "Resources": {"Queue": QUEUE, "Odd": resource}})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert f"the sandbox does not emulate {named}" in stack.reasons
    assert queues(sandbox) == []


def test_a_value_that_shows_only_at_deploy_time_is_refused_too(sandbox: Sandbox, deploy: Any) -> None:
    template = {
        "Parameters": {"Fifo": {"Type": "String"}},
        "Resources": {"Odd": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": {"Ref": "Fifo"}}}},
    }

    assert deploy(template, Fifo="false").status == "CREATE_COMPLETE"
    assert "does not emulate AWS::SQS::Queue FifoQueue=true" in deploy(template, Fifo="true").reasons


def test_a_failing_resource_rolls_back_what_was_created_before_it(sandbox: Sandbox, deploy: Any) -> None:
    broken = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"PolicyDocument": {}, "Queues": ["http://localhost/none"]},
    }
    stack = deploy({"Resources": {"Queue": QUEUE, "Policy": {**broken, "DependsOn": "Queue"}}})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "The following resource(s) failed to create: [Policy]" in stack.reasons
    statuses = [e["ResourceStatus"] for e in reversed(stack.events) if e["LogicalResourceId"] == "Queue"]
    assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert queues(sandbox) == []


def test_references_attributes_and_outputs_are_what_cloudformation_gives(deploy: Any) -> None:
    template = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "calls-${Stage}"}}},
            "Alarm": {"Type": "AWS::SNS::Topic", "Condition": "IsProd"},
        },
        "Outputs": {
            "Ref": {"Value": {"Ref": "Topic"}, "Export": {"Name": "topic-arn"}},
            "Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}},
            "Joined": {
                "Value": {"Fn::Join": ["/", [{"Ref": "AWS::Region"}, {"Fn::If": ["IsProd", "a", "b"]}]]}
            },
        },
    }
    stack = deploy(template)
    importing = deploy(
        {
            "Resources": {"Queue": QUEUE},
            "Outputs": {"Imported": {"Value": {"Fn::ImportValue": "topic-arn"}}},
        }
    )

    assert stack.outputs == {
        "Ref": "arn:aws:sns:us-east-1:123456789012:calls-dev",
        "Name": "calls-dev",
        "Joined": "us-east-1/b",
    }
    assert set(stack.resources) == {"Topic"}
    assert importing.outputs == {"Imported": stack.outputs["Ref"]}


def reading(**argument: str) -> dict[str, Any]:
    return {
        "Resources": {"Queue": QUEUE},
        "Outputs": {"Read": {"Value": {"Fn::GetStackOutput": argument}}},
    }


def test_an_output_of_another_stack_is_read_at_create_and_update_without_holding_that_stack_up(
    sandbox: Sandbox, deploy: Any
) -> None:
    cloudformation = sandbox.boto3_client("cloudformation")

    def producing(output: str) -> dict[str, Any]:
        return {"Resources": {"Queue": QUEUE}, "Outputs": {"Text": {"Value": output}}}

    producer = deploy(producing("first")).name
    template = reading(StackName=producer, OutputName="Text", Region="us-east-1")
    consumer = deploy(template)
    assert consumer.outputs == {"Read": "first"}

    assert deploy(producing("second"), name=producer).outputs == {"Text": "second"}
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName=consumer.name, TemplateBody=json.dumps(template))
    template["Resources"]["Another"] = QUEUE
    assert deploy(template, name=consumer.name).outputs == {"Read": "second"}


@pytest.mark.parametrize(
    ("argument", "refusal"),
    [
        ({"StackName": "nobody", "OutputName": "Text"}, "stack nobody does not exist in us-east-1"),
        ({"OutputName": "Text", "Region": "eu-west-2"}, "does not exist in eu-west-2"),
        ({"OutputName": "Txet"}, "has no output Txet; it has Name, Text"),
        ({}, "requires StackName and OutputName"),
        ({"OutputName": "Text", "ExportName": "x"}, "Fn::GetStackOutput does not take ExportName"),
    ],
)
def test_an_output_that_is_not_there_is_refused_before_anything_is_created(
    sandbox: Sandbox, deploy: Any, argument: dict[str, str], refusal: str
) -> None:
    producer = deploy(
        {"Resources": {"Queue": QUEUE}, "Outputs": {"Text": {"Value": "x"}, "Name": {"Value": "y"}}}
    )
    there = queues(sandbox)
    with pytest.raises(ClientError, match=refusal) as refused:
        deploy(reading(**{"StackName": producer.name, **argument}))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert queues(sandbox) == there


def test_an_attribute_that_a_type_does_not_have_is_refused_by_name(deploy: Any) -> None:
    template = {
        "Resources": {"Queue": QUEUE},
        "Outputs": {"X": {"Value": {"Fn::GetAtt": ["Queue", "Colour"]}}},
    }
    stack = deploy(template)

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "the attribute Colour of AWS::SQS::Queue (Queue)" in stack.reasons


def test_an_update_changes_in_place_adds_and_removes(sandbox: Sandbox, deploy: Any) -> None:
    def template(seconds: int, *names: str) -> dict[str, Any]:
        properties = {"VisibilityTimeout": seconds}
        return {"Resources": {name: {"Type": "AWS::SQS::Queue", "Properties": properties} for name in names}}

    before = deploy(template(30, "Kept", "Removed"))
    after = deploy(template(60, "Kept", "Added"), name=before.name)

    assert after.status == "UPDATE_COMPLETE"
    assert after.resources["Kept"] == before.resources["Kept"]
    attributes = sandbox.boto3_client("sqs").get_queue_attributes(
        QueueUrl=after.resources["Kept"], AttributeNames=["VisibilityTimeout"]
    )
    assert attributes["Attributes"]["VisibilityTimeout"] == "60"
    assert queues(sandbox) == sorted(url.rsplit("/", 1)[-1] for url in after.resources.values())


def test_a_change_that_needs_a_new_resource_replaces_the_old_one(sandbox: Sandbox, deploy: Any) -> None:
    def template(name: str) -> dict[str, Any]:
        return {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}}}

    before = deploy(template("one"))
    after = deploy(template("two"), name=before.name)

    assert after.status == "UPDATE_COMPLETE"
    assert after.resources["Queue"].endswith("/two")
    assert queues(sandbox) == ["two"]
    assert "requires the creation of a new physical resource" in after.reasons


def test_a_failed_update_restores_what_was_there(sandbox: Sandbox, deploy: Any) -> None:
    before = deploy({"Resources": {"Flow": flow(Description="first"), "Queue": QUEUE}})
    broken = {"Flow": flow(Description="second"), "Queue": QUEUE, "Twin": {**flow(), "DependsOn": "Flow"}}

    after = deploy({"Resources": broken}, name=before.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "DuplicateResourceException" in after.reasons
    assert after.resources == before.resources
    assert sandbox.connect.instance(INSTANCE).flow("welcome").description == "first"


def test_nothing_to_update_is_an_error(deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE}})

    with pytest.raises(ClientError, match="No updates are to be performed"):
        deploy({"Resources": {"Queue": QUEUE}}, name=stack.name)


def test_deleting_goes_in_reverse_and_keeps_what_is_retained(sandbox: Sandbox, deploy: Any) -> None:
    topic = {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain"}
    policy = {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {
            "Topics": [{"Ref": "Topic"}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
        },
    }
    stack = deploy({"Resources": {"Topic": topic, "Policy": policy}})
    gone = deploy.delete(stack.name)

    assert gone.status == "DELETE_COMPLETE"
    order = [
        (e["LogicalResourceId"], e["ResourceStatus"])
        for e in reversed(gone.events)
        if "DELETE" in e["ResourceStatus"]
    ]
    assert order.index(("Policy", "DELETE_COMPLETE")) < order.index(("Topic", "DELETE_SKIPPED"))
    topics = sandbox.boto3_client("sns").list_topics()["Topics"]
    assert stack.resources["Topic"] in [entry["TopicArn"] for entry in topics]


def test_termination_protection_keeps_a_stack(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE}})
    client = sandbox.boto3_client("cloudformation")
    client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=True)

    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        client.delete_stack(StackName=stack.name)
    client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"Resources": {"A": {**QUEUE, "DependsOn": "B"}, "B": {**QUEUE, "DependsOn": "A"}}},
            "Circular dependency",
        ),
        (
            {"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "X"}}}}},
            r"\[X\]",
        ),
        ({"Resources": {}}, "At least one Resources member"),
        ({"Resources": {"A": QUEUE}, "Colour": 1}, "Invalid template property"),
        (
            {"Resources": {"A": QUEUE}, "Parameters": {"P": {"Type": "String"}}},
            r"Parameters: \[P\] must have values",
        ),
    ],
)
def test_a_template_that_is_wrong_in_itself_is_refused_at_once(
    deploy: Any, template: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        deploy(template)


def test_a_generated_secret_follows_its_specification(sandbox: Sandbox, deploy: Any) -> None:
    generate = {"PasswordLength": 48, "ExcludePunctuation": True, "ExcludeCharacters": "abc"}
    keyed = {"SecretStringTemplate": '{"user": "kore"}', "GenerateStringKey": "password"}
    stack = deploy(
        {
            "Resources": {
                "Bare": {
                    "Type": "AWS::SecretsManager::Secret",
                    "Properties": {"GenerateSecretString": generate},
                },
                "Keyed": {
                    "Type": "AWS::SecretsManager::Secret",
                    "Properties": {"GenerateSecretString": keyed},
                },
            }
        }
    )
    client = sandbox.boto3_client("secretsmanager")
    bare = client.get_secret_value(SecretId=stack.resources["Bare"])["SecretString"]
    pair = json.loads(client.get_secret_value(SecretId=stack.resources["Keyed"])["SecretString"])

    assert len(bare) == 48
    assert bare.isalnum()
    assert not set(bare) & set("abc")
    assert pair["user"] == "kore"
    assert len(pair["password"]) == 32


def test_a_table_has_its_key_ttl_and_protection(sandbox: Sandbox, deploy: Any) -> None:
    table = {
        "Type": "AWS::DynamoDB::GlobalTable",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": "contactId", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "contactId", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            "Replicas": [{"Region": {"Ref": "AWS::Region"}, "DeletionProtectionEnabled": False}],
        },
    }
    stack = deploy(
        {"Resources": {"Table": table}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}}}}
    )
    client = sandbox.boto3_client("dynamodb")
    name = stack.resources["Table"]

    assert client.describe_table(TableName=name)["Table"]["TableArn"] == stack.outputs["Arn"]
    assert client.describe_time_to_live(TableName=name)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expiresAt",
    }


def test_connect_resources_that_may_be_created_at_once_are_warned_about(
    sandbox: Sandbox, deploy: Any
) -> None:
    sandbox.warnings.clear()

    deploy({"Resources": {"One": flow(Name="one"), "Two": {**flow(Name="two"), "DependsOn": "One"}}})
    assert sandbox.warnings == []
    deploy({"Resources": {"Three": flow(Name="three"), "Four": flow(Name="four")}})
    assert len(sandbox.warnings) == 1
    assert "Four and Three do not depend on each other" in sandbox.warnings[0]


def test_a_flow_that_connect_refuses_fails_the_stack_without_details(deploy: Any) -> None:
    stack = deploy({"Resources": {"Flow": flow(Content='{"Version": "2019-10-30"}')}})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "InvalidContactFlowException" in stack.reasons
    assert "StartAction" not in stack.reasons


def test_every_type_says_what_it_does_with_each_property() -> None:
    table = support_table()

    assert table["AWS::Lambda::Function"]["Timeout"] == "supported"
    assert table["AWS::Lambda::Function"]["MemorySize"].startswith("recorded: ")
    assert table["AWS::ApiGateway::Method"]["Integration.Type"].startswith("only AWS_PROXY")


def test_a_default_stays_the_parameters_value_when_the_template_has_another(
    sandbox: Sandbox, deploy: Any
) -> None:
    def template(default: str) -> dict[str, Any]:
        return {
            "Parameters": {"Stage": {"Type": "String", "Default": default}},
            "Resources": {"Queue": QUEUE},
            "Outputs": {"Stage": {"Value": {"Ref": "Stage"}}},
        }

    stack = deploy(template("first"))
    client = sandbox.boto3_client("cloudformation")
    (described,) = client.describe_stacks(StackName=stack.name)["Stacks"]
    assert described["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "first"}]
    client.update_stack(
        StackName=stack.name,
        TemplateBody=json.dumps(template("second")),
        Parameters=[{"ParameterKey": "Stage", "UsePreviousValue": True}],
    )
    assert deploy.look(stack.name).outputs == {"Stage": "first"}
    assert deploy(template("second"), name=stack.name, Stage="third").outputs == {"Stage": "third"}
