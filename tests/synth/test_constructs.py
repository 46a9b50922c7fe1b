from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import connect_bridges
import pytest
from aws_cdk import assertions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Match
from connect_bridges import (
    ApiOptions,
    ConnectInstance,
    ContactFlow,
    ContactFlowError,
    ExternalVoiceConnector,
    ExternalVoiceTransfer,
    FlowKind,
    MetadataBridge,
    MetadataPreset,
    VoiceDestination,
    VoicePrompts,
)

from tests.support import CONNECTOR_ARN, INSTANCE_ARN, QUEUE_ARN, policy_statements


def template_of(stack: cdk.Stack) -> assertions.Template:
    return assertions.Template.from_stack(stack)


def content(stack: cdk.Stack, kind: str = "AWS::Connect::ContactFlow") -> dict[str, Any]:
    """Return the flow that a stack publishes, with deploy-time values written as <LogicalId>."""
    (resource,) = template_of(stack).find_resources(kind).values()
    text = resource["Properties"]["Content"]
    if isinstance(text, dict):
        text = "".join(
            part if isinstance(part, str) else f"<{json.dumps(part)[1:-1]}>".replace('"', "")
            for part in text["Fn::Join"][1]
        )
    flow: dict[str, Any] = json.loads(text)
    return flow


def statements_by_role(template: assertions.Template) -> dict[str, list[dict[str, Any]]]:
    """Return what each role is granted, by the role's logical id without its hash."""
    found: dict[str, list[dict[str, Any]]] = {}
    for policy in template.find_resources("AWS::IAM::Policy").values():
        for role in policy["Properties"]["Roles"]:
            found.setdefault(role["Ref"][:-8], []).extend(policy_statements({"Resources": {"one": policy}}))
    return found


def granted_by_role(template: assertions.Template) -> dict[str, set[str]]:
    """Return the actions that each role is granted; a union over all roles would hide what one of them lacks."""
    return {
        role: {action for statement in statements for action in statement["Action"]}
        for role, statements in statements_by_role(template).items()
    }


def services_of_key_use(template: assertions.Template) -> dict[str, set[str]]:
    """Return through which services each role may use keys."""
    return {
        role: {
            statement["Condition"]["StringEquals"]["kms:ViaService"]
            for statement in statements
            if any(action.startswith("kms:") for action in statement["Action"])
        }
        for role, statements in statements_by_role(template).items()
    }


def block(flow: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [action for action in flow["Actions"] if action["Type"] == kind]
    return found


# --- the library's face ------------------------------------------------------------------------------------------


def test_importing_the_library_starts_neither_cdk_nor_node() -> None:
    code = (
        "import sys, connect_bridges, connect_flows;"
        "sys.exit('aws_cdk' in sys.modules or 'boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert "MetadataBridge" in dir(connect_bridges)
    with pytest.raises(AttributeError, match="MetadataBrigde"):
        _ = connect_bridges.MetadataBrigde


# --- ConnectInstance ---------------------------------------------------------------------------------------------


def test_only_this_instance_may_invoke_an_associated_function(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge = MetadataBridge(stack, "Metadata", instance=instance)
    assert instance.associate_function(bridge.retrieve_function) is bridge.association

    template = template_of(stack)
    template.resource_count_is("AWS::Connect::IntegrationAssociation", 1)
    template.has_resource_properties(
        "AWS::Lambda::Permission",
        {
            "Principal": "connect.amazonaws.com",
            "Action": "lambda:InvokeFunction",
            "SourceAccount": "123456789012",
            "SourceArn": INSTANCE_ARN,
        },
    )
    template.has_resource_properties(
        "AWS::Connect::IntegrationAssociation",
        {"InstanceId": INSTANCE_ARN, "IntegrationType": "LAMBDA_FUNCTION"},
    )


def test_an_instance_may_be_named_by_a_token(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "InstanceArn")
    instance = ConnectInstance.from_arn(stack, "Instance", parameter.value_as_string)
    MetadataBridge(stack, "Metadata", instance=instance)
    template_of(stack).has_resource_properties(
        "AWS::Lambda::Permission", {"SourceArn": {"Ref": "InstanceArn"}, "Principal": "connect.amazonaws.com"}
    )


def test_associations_are_created_one_after_the_other(stack: cdk.Stack, instance: ConnectInstance) -> None:
    for name in ("One", "Two", "Three"):
        MetadataBridge(stack, name, instance=instance, api=ApiOptions(cloud_watch_role=False))
    associations = template_of(stack).find_resources("AWS::Connect::IntegrationAssociation")
    waiting = [
        name for name, resource in associations.items() if set(resource["DependsOn"]) & set(associations)
    ]
    assert len(associations) == 3
    assert len(waiting) == 2


@pytest.mark.parametrize("arn", ["", "instance/5", QUEUE_ARN, CONNECTOR_ARN])
def test_what_is_no_instance_arn_is_refused(stack: cdk.Stack, arn: str) -> None:
    with pytest.raises(
        ValueError, match=r"instance_arn is '.*', which is not the ARN of an Amazon Connect instance"
    ):
        ConnectInstance.from_arn(stack, "Instance", arn)


# --- ContactFlow -------------------------------------------------------------------------------------------------

GOODBYE: dict[str, Any] = {
    "Version": "2019-10-30",
    "StartAction": "Say",
    "Actions": [
        {
            "Identifier": "Say",
            "Type": "MessageParticipant",
            "Parameters": {"Text": "${Text}"},
            "Transitions": {
                "NextAction": "End",
                "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "End"}],
            },
        },
        {"Identifier": "End", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ],
}


def test_a_flow_of_ones_own_is_published(stack: cdk.Stack, instance: ConnectInstance, tmp_path: Path) -> None:
    path = tmp_path / "goodbye.json"
    path.write_text(json.dumps(GOODBYE))
    flow = ContactFlow(stack, "Goodbye", instance=instance, template=path, values={"Text": 'Good "bye"\n'})
    cdk.CfnOutput(stack, "Flow", value=flow.arn)

    assert content(stack)["Actions"][0]["Parameters"]["Text"] == 'Good "bye"\n'
    template_of(stack).has_resource_properties(
        "AWS::Connect::ContactFlow",
        {
            "Name": Match.string_like_regexp("usersstack-Goodbye"),
            "Type": "CONTACT_FLOW",
            "InstanceArn": INSTANCE_ARN,
        },
    )


def test_a_deploy_time_value_becomes_part_of_the_flow(stack: cdk.Stack, instance: ConnectInstance) -> None:
    parameter = cdk.CfnParameter(stack, "Text")
    ContactFlow(
        stack, "Flow", instance=instance, template=GOODBYE, values={"Text": parameter.value_as_string}
    )
    assert content(stack)["Actions"][0]["Parameters"]["Text"] == "<Ref: Text>"


def test_placeholders_without_value_and_values_without_placeholder_are_both_named(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    with pytest.raises(ContactFlowError) as raised:
        ContactFlow(stack, "Flow", instance=instance, template=GOODBYE, values={"Txet": "x"})
    assert "Text" in str(raised.value)
    assert "Txet" in str(raised.value)


def test_a_flow_that_connect_would_refuse_stops_the_synthesis_with_every_problem(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    broken = json.loads(json.dumps(GOODBYE))
    broken["Actions"][0]["Transitions"]["NextAction"] = "Nowhere"
    broken["Actions"][1]["Transitions"] = {"NextAction": "Say"}
    with pytest.raises(ContactFlowError) as raised:
        ContactFlow(stack, "Flow", instance=instance, template=broken, values={"Text": "x"})
    assert len(raised.value.diagnostics) >= 2
    assert "Nowhere" in str(raised.value)
    assert "End" in str(raised.value)


def test_a_value_that_connect_would_refuse_in_its_place_stops_the_synthesis(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    with pytest.raises(ContactFlowError, match=r"\[Say\]"):
        ContactFlow(stack, "Flow", instance=instance, template=GOODBYE, values={"Text": ""})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "is not JSON"), ("[]", "a flow is a JSON object"), (None, "no flow template")],
)
def test_a_file_that_is_no_flow_is_named(
    stack: cdk.Stack, instance: ConnectInstance, tmp_path: Path, text: str | None, complaint: str
) -> None:
    path = tmp_path / "mine.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ContactFlowError, match=rf"mine\.json.*{complaint}|{complaint}.*mine\.json"):
        ContactFlow(stack, "Flow", instance=instance, template=path)


def test_two_stacks_publish_under_different_names() -> None:
    app = cdk.App()
    names = set()
    for stack_id in ("one", "two"):
        stack = cdk.Stack(app, stack_id)
        instance = ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)
        names.add(ContactFlow(stack, "Flow", instance=instance, template=GOODBYE, values={"Text": "x"}).name)
    assert len(names) == 2


# --- MetadataBridge ----------------------------------------------------------------------------------------------


def test_one_statement_is_a_safe_bridge(stack: cdk.Stack, instance: ConnectInstance) -> None:
    MetadataBridge(stack, "Metadata", instance=instance)

    template = template_of(stack)
    template.has_resource(
        "AWS::DynamoDB::GlobalTable",
        {
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "contactId", "KeyType": "HASH"}],
                "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
                "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
                "Replicas": [
                    Match.object_like(
                        {
                            "DeletionProtectionEnabled": False,
                            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                        }
                    )
                ],
            },
        },
    )
    template.has_resource_properties(
        "AWS::ApiGateway::Method",
        {
            "HttpMethod": "POST",
            "AuthorizationType": "CUSTOM",
            "RequestParameters": {"method.request.querystring.contactId": True},
            "RequestValidatorId": Match.any_value(),
            "RequestModels": {"application/json": Match.any_value()},
            "Integration": {"Type": "AWS_PROXY"},
        },
    )
    template.has_resource_properties(
        "AWS::ApiGateway::Authorizer",
        {
            "Type": "TOKEN",
            "IdentitySource": "method.request.header.authorizationToken",
            "AuthorizerResultTtlInSeconds": 150,
        },
    )
    template.has_resource_properties(
        "AWS::ApiGateway::RequestValidator", {"ValidateRequestBody": True, "ValidateRequestParameters": True}
    )
    template.has_resource_properties(
        "AWS::ApiGateway::Stage",
        {
            "AccessLogSetting": Match.any_value(),
            "MethodSettings": [
                Match.object_like(
                    {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000, "DataTraceEnabled": False}
                )
            ],
        },
    )
    template.has_resource_properties(
        "AWS::ApiGateway::UsagePlan", {"Throttle": {"RateLimit": 50, "BurstLimit": 100}}
    )
    template.has_resource_properties(
        "AWS::SecretsManager::Secret",
        {"GenerateSecretString": Match.object_like({"PasswordLength": 48, "ExcludePunctuation": True})},
    )
    template.all_resources_properties(
        "AWS::Lambda::Function", {"Runtime": "python3.14", "Architectures": ["arm64"]}
    )


def test_each_function_is_granted_the_one_call_that_it_makes(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    MetadataBridge(stack, "Metadata", instance=instance)
    granted = sorted(
        tuple(sorted(action for action in statement["Action"] if not action.startswith("logs:")))
        for statement in policy_statements(template_of(stack).to_json())
    )
    assert [actions for actions in granted if actions] == [
        ("dynamodb:GetItem",),
        ("dynamodb:PutItem",),
        ("secretsmanager:GetSecretValue",),
    ]


def test_every_refusal_of_the_gateway_is_machine_readable(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    MetadataBridge(stack, "Metadata", instance=instance)
    answers = {
        resource["Properties"]["ResponseType"]: resource["Properties"]
        for resource in template_of(stack).find_resources("AWS::ApiGateway::GatewayResponse").values()
    }
    for kind in (
        "UNAUTHORIZED",
        "ACCESS_DENIED",
        "BAD_REQUEST_BODY",
        "BAD_REQUEST_PARAMETERS",
        "THROTTLED",
        "DEFAULT_5XX",
    ):
        error = json.loads(answers[kind]["ResponseTemplates"]["application/json"])["error"]
        assert set(error) == {"code", "message", "requestId"}
        assert error["message"].endswith(".")
    assert answers["THROTTLED"]["StatusCode"] == "429"
    assert answers["ACCESS_DENIED"]["StatusCode"] == "403"
    assert answers["UNAUTHORIZED"]["StatusCode"] == "401"


def test_the_kore_preset_gives_the_guides_names(stack: cdk.Stack, instance: ConnectInstance) -> None:
    MetadataBridge(stack, "Metadata", instance=instance, preset=MetadataPreset.kore())
    template = template_of(stack)
    template.has_resource_properties("AWS::DynamoDB::GlobalTable", {"TableName": "koreCcSessions"})
    for name in (
        "koreStoreSessionMetadata",
        "AuthenticateBeforeStoringInDynamoDB",
        "koreRetrieveSessionMetadata",
    ):
        template.has_resource_properties("AWS::Lambda::Function", {"FunctionName": name})
    template.has_resource_properties("AWS::ApiGateway::Authorizer", {"Name": "koreClientAuth"})
    template.has_resource_properties("AWS::ApiGateway::Resource", {"PathPart": "kore-metadata"})


def test_the_parts_can_be_ones_own(stack: cdk.Stack, instance: ConnectInstance) -> None:
    table = dynamodb.TableV2.from_table_name(stack, "Own", "my-table")
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "my-token")
    bridge = MetadataBridge(
        stack,
        "Metadata",
        instance=instance,
        table=table,
        preset=MetadataPreset.default().with_overrides(partition_key="contact", path="voice/metadata"),
        token_secret=token,
        api=ApiOptions(stage_name="live"),
        time_to_live=cdk.Duration.hours(1),
        token_cache=cdk.Duration.seconds(0),
    )
    template = template_of(stack)
    template.resource_count_is("AWS::DynamoDB::GlobalTable", 0)
    template.resource_count_is("AWS::SecretsManager::Secret", 0)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Environment": {
                "Variables": Match.object_like({"KEY_ATTRIBUTE": "contact", "TTL_SECONDS": "3600"})
            }
        },
    )
    template.has_resource_properties("AWS::ApiGateway::Stage", {"StageName": "live"})
    template.has_resource_properties("AWS::ApiGateway::Authorizer", {"AuthorizerResultTtlInSeconds": 0})
    template.has_resource_properties("AWS::ApiGateway::Resource", {"PathPart": "voice"})
    assert bridge.table is table


def test_a_customer_managed_key_encrypts_table_and_token(stack: cdk.Stack, instance: ConnectInstance) -> None:
    key = kms.Key(stack, "Key")
    MetadataBridge(stack, "Metadata", instance=instance, encryption_key=key)
    template = template_of(stack)
    template.has_resource_properties("AWS::SecretsManager::Secret", {"KmsKeyId": Match.any_value()})
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {"Replicas": [Match.object_like({"SSESpecification": {"KMSMasterKeyId": Match.any_value()}})]},
    )
    own_log = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert granted_by_role(template) == {
        "MetadataStoreRole": own_log | {"dynamodb:PutItem", "kms:Decrypt", "kms:GenerateDataKey"},
        "MetadataRetrieveRole": own_log | {"dynamodb:GetItem", "kms:Decrypt"},
        "MetadataAuthorizeRole": own_log | {"secretsmanager:GetSecretValue", "kms:Decrypt"},
    }
    assert services_of_key_use(template) == {
        "MetadataStoreRole": {"dynamodb.us-east-1.amazonaws.com"},
        "MetadataRetrieveRole": {"dynamodb.us-east-1.amazonaws.com"},
        "MetadataAuthorizeRole": {"secretsmanager.us-east-1.amazonaws.com"},
    }


def test_the_key_of_a_table_and_a_token_of_ones_own_is_granted_too(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    table = dynamodb.TableV2.from_table_attributes(
        stack, "Own", table_name="mine", encryption_key=kms.Key(stack, "TableKey")
    )
    token = secretsmanager.Secret(stack, "Token", encryption_key=kms.Key(stack, "TokenKey"))
    MetadataBridge(stack, "Metadata", instance=instance, table=table, token_secret=token)
    template = template_of(stack)
    keys = {
        role: {
            json.dumps(resource)
            for statement in statements
            if statement["Action"][0].startswith("kms:")
            for resource in statement["Resource"]
        }
        for role, statements in statements_by_role(template).items()
    }
    for role, key in (("Store", "TableKey"), ("Retrieve", "TableKey"), ("Authorize", "TokenKey")):
        (granted,) = keys[f"Metadata{role}Role"]
        assert key in granted


def test_settings_out_of_range_are_refused(stack: cdk.Stack, instance: ConnectInstance) -> None:
    with pytest.raises(ValueError, match="time_to_live is 5 seconds; choose a value from 60") as raised:
        MetadataBridge(
            stack,
            "A",
            instance=instance,
            preset=MetadataPreset(path="/voice/"),
            time_to_live=cdk.Duration.seconds(5),
            token_cache=cdk.Duration.hours(2),
        )
    assert "token_cache is 7,200 seconds (2 hours)" in str(raised.value)
    assert "path is '/voice/'" in str(raised.value)
    with pytest.raises(ValueError, match="no metadata preset 'kroe'; choose one of default, kore"):
        MetadataPreset.named("kroe")


# --- ExternalVoiceTransfer ---------------------------------------------------------------------------------------


def test_the_flow_transfers_over_the_connector_and_tells_its_errors_apart(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=bridge,
        connection_time_limit=cdk.Duration.seconds(20),
        prompts=VoicePrompts(call_failed="Busy."),
    )
    flow = content(stack)
    transfer = block(flow, "TransferParticipantToThirdParty")
    assert transfer["Parameters"] == {
        "ThirdPartyConnectionTimeLimitSeconds": "20",
        "ContinueFlowExecution": "True",
        "VoiceConnector": {
            "VoiceConnectorType": "CallTransferConnector",
            "VoiceConnectorArn": CONNECTOR_ARN,
            "FromUser": "$.CustomerEndpoint.Address",
            "ToUser": "+12065550100",
        },
    }
    branches = {error["ErrorType"]: error["NextAction"] for error in transfer["Transitions"]["Errors"]}
    assert set(branches) == {"CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError"}
    assert len(set(branches.values())) == 3
    texts = {action["Identifier"]: action["Parameters"].get("Text") for action in flow["Actions"]}
    assert texts[branches["CallFailed"]] == "Busy."
    assert block(flow, "UpdateContactAttributes")["Parameters"]["Attributes"] == {
        "customData": "$.External.body"
    }
    assert "TransferToFlow" not in {action["Type"] for action in flow["Actions"]}
    assert set(flow["Metadata"]["ActionMetadata"]) == {action["Identifier"] for action in flow["Actions"]}


def test_the_flow_waits_for_the_association_of_the_function_that_it_invokes(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    bridge = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=bridge,
    )
    template = template_of(stack)
    (association,) = template.find_resources("AWS::Connect::IntegrationAssociation")
    (flow,) = template.find_resources("AWS::Connect::ContactFlow").values()
    (module,) = template.find_resources("AWS::Connect::ContactFlowModule").values()
    assert association in flow["DependsOn"]
    assert association in module["DependsOn"]


def test_without_a_connector_the_call_goes_to_a_telephone_number(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.phone_number("+442079460000"),
        queue_arn=QUEUE_ARN,
    )
    for kind in ("AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"):
        flow = content(stack, kind)
        assert block(flow, "TransferParticipantToThirdParty")["Parameters"] == {
            "ThirdPartyPhoneNumber": "+442079460000",
            "ThirdPartyConnectionTimeLimitSeconds": "60",
            "ContinueFlowExecution": "True",
        }
        assert "InvokeLambdaFunction" not in {action["Type"] for action in flow["Actions"]}


def test_another_flow_can_take_over_before_the_queue(stack: cdk.Stack, instance: ConnectInstance) -> None:
    agent_assist = f"{INSTANCE_ARN}/contact-flow/77777777-7777-4777-8777-777777777777"
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        next_flow_arn=agent_assist,
        user_to_user_information="$.Attributes.userToUser",
        from_user="$.SystemEndpoint.Address",
    )
    flow = content(stack)
    hand_over = block(flow, "TransferToFlow")
    assert hand_over["Parameters"] == {"ContactFlowId": agent_assist}
    assert block(flow, "UpdateContactTargetQueue")["Transitions"]["NextAction"] == hand_over["Identifier"]
    queue = block(flow, "TransferContactToQueue")["Identifier"]
    assert [error["NextAction"] for error in hand_over["Transitions"]["Errors"]] == [queue]
    connector = block(flow, "TransferParticipantToThirdParty")["Parameters"]["VoiceConnector"]
    assert connector["UserToUserInformation"] == "$.Attributes.userToUser"
    assert connector["FromUser"] == "$.SystemEndpoint.Address"


def test_the_module_leaves_its_outcome_in_attributes(stack: cdk.Stack, instance: ConnectInstance) -> None:
    bridge = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=bridge,
        metadata_attribute="assistant",
    )
    module = content(stack, "AWS::Connect::ContactFlowModule")
    written: dict[str, set[str]] = {}
    for action in module["Actions"]:
        if action["Type"] == "UpdateContactAttributes":
            for key, value in action["Parameters"]["Attributes"].items():
                written.setdefault(key, set()).add(value)
    assert written == {
        "externalVoiceResult": {"completed", "callFailed", "connectionTimedOut", "transferError"},
        "externalVoiceMetadata": {"found", "none", "unavailable"},
        "assistant": {"$.External.body"},
    }
    assert block(module, "EndFlowModuleExecution")


@pytest.mark.parametrize(
    ("argument", "value", "complaint"),
    [
        ("queue_arn", INSTANCE_ARN, "queue_arn is .* which is not the ARN of a queue"),
        ("next_flow_arn", QUEUE_ARN, "next_flow_arn is .* which is not the ARN of a flow"),
        ("connection_time_limit", cdk.Duration.minutes(11), "connection_time_limit is 660 seconds"),
        ("metadata_attribute", "custom data", "metadata_attribute is 'custom data'"),
        ("from_user", "2065550100", r"from_user is '2065550100', which is not an E\.164"),
        ("user_to_user_information", "xyz", "user_to_user_information is 'xyz'"),
    ],
)
def test_a_wrong_argument_is_named_with_its_fix(
    stack: cdk.Stack, instance: ConnectInstance, argument: str, value: Any, complaint: str
) -> None:
    arguments: dict[str, Any] = {
        "instance": instance,
        "destination": VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        "queue_arn": QUEUE_ARN,
        argument: value,
    }
    with pytest.raises(ValueError, match=complaint):
        ExternalVoiceTransfer(stack, "Transfer", **arguments)


def test_wrong_destinations_are_refused() -> None:
    with pytest.raises(ValueError, match="connector is 'vc/1', which is not the ARN of a voice connector"):
        VoiceDestination.connector("vc/1", did="+12065550100")
    with pytest.raises(ValueError, match=r"did is '12065550100', which is not an E\.164"):
        VoiceDestination.connector(CONNECTOR_ARN, did="12065550100")
    with pytest.raises(ValueError, match="number is '911'"):
        VoiceDestination.phone_number("911")


def key_statements(stack: cdk.Stack) -> set[tuple[str, str, str]]:
    """Return (key, service, action) of what the functions may do with keys."""
    return {
        (
            str(statement["Resource"]),
            statement["Condition"]["StringEquals"]["kms:ViaService"].split(".")[0],
            action,
        )
        for policy in template_of(stack).find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith("kms:")
    }


def test_table_and_token_may_be_behind_two_keys_of_ones_own(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    table_key, secret_key = (
        f"arn:aws:kms:us-east-1:123456789012:key/{name * 8}-0000-0000-0000-000000000000" for name in "12"
    )
    MetadataBridge(
        stack,
        "Metadata",
        instance=instance,
        table=dynamodb.TableV2.from_table_attributes(
            stack,
            "Table",
            table_name="mine",
            encryption_key=kms.Key.from_key_arn(stack, "TableKey", table_key),
        ),
        token_secret=secretsmanager.Secret.from_secret_attributes(
            stack,
            "Token",
            secret_complete_arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf",
            encryption_key=kms.Key.from_key_arn(stack, "SecretKey", secret_key),
        ),
    )
    assert key_statements(stack) == {
        (table_key, "dynamodb", "kms:Decrypt"),
        (table_key, "dynamodb", "kms:GenerateDataKey"),
        (secret_key, "secretsmanager", "kms:Decrypt"),
    }


# --- ExternalVoiceConnector --------------------------------------------------------------------------------------


def test_a_created_connector_is_encrypted_unless_told_otherwise(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    connector = ExternalVoiceConnector(stack, "Connector", instance=instance, host="203.0.113.10")
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(connector, did="+12065550100"),
        queue_arn=QUEUE_ARN,
    )
    template = template_of(stack)
    template.has_resource_properties(
        "Custom::ExternalVoiceConnector",
        {
            "InstanceId": INSTANCE_ARN,
            "Host": "203.0.113.10",
            "Port": "5061",
            "Protocol": "TCP",
            "RequireEncryption": "true",
            "SessionBorderControllerTypes": ["AUDIOCODES_MEDIANT_SBC"],
            "SipLogs": "true",
            "MediaMetricLogs": "true",
            "AwsRegion": "us-east-1",
        },
    )
    (logical_id,) = template.find_resources("Custom::ExternalVoiceConnector")
    transfer = block(content(stack), "TransferParticipantToThirdParty")["Parameters"]
    assert transfer["VoiceConnector"]["VoiceConnectorArn"] == f"<Ref: {logical_id}>"


def statements_of(stack: cdk.Stack, role: str) -> dict[str, tuple[set[str], Any]]:
    """Return actions and resources by sid, of the policies of a role."""
    found: dict[str, tuple[set[str], Any]] = {}
    for policy in template_of(stack).find_resources("AWS::IAM::Policy").values():
        if any(role in str(one) for one in policy["Properties"]["Roles"]):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                named = {actions} if isinstance(actions, str) else set(actions)
                found[statement.get("Sid", "")] = (named, statement["Resource"])
    return found


def test_a_created_connector_may_turn_on_its_logs_and_limit_them(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    ExternalVoiceConnector(stack, "Connector", instance=instance, host="203.0.113.10", log_retention_days=7)
    template_of(stack).has_resource_properties(
        "Custom::ExternalVoiceConnector", {"LogRetentionDays": "7", "KeepLogs": "false"}
    )
    statements = statements_of(stack, "Connector")
    # Both are missing in the service authorization reference.
    assert {"logs:PutResourcePolicy", "logs:DescribeResourcePolicies"} <= statements["NoResourceLogs"][0]
    assert {"logs:PutRetentionPolicy", "logs:DeleteLogGroup"} <= statements["ConnectorLogs"][0]
    assert "chime:GetVoiceConnector" in statements["Connectors"][0]


def test_a_connector_that_logs_nothing_may_not_write_resource_policies(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    ExternalVoiceConnector(
        stack, "Connector", instance=instance, host="203.0.113.10", sip_logs=False, media_metric_logs=False
    )
    template_of(stack).has_resource_properties(
        "Custom::ExternalVoiceConnector", {"SipLogs": "false", "MediaMetricLogs": "false"}
    )
    statements = statements_of(stack, "Connector")
    assert "logs:PutResourcePolicy" not in statements["NoResourceLogs"][0]
    assert "logs:CreateLogGroup" not in statements["ConnectorLogs"][0]


def test_a_connectors_logs_can_be_kept_and_encrypted_with_a_key_that_lets_logs_use_it(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    key = kms.Key(stack, "LogKey")
    ExternalVoiceConnector(
        stack,
        "Connector",
        instance=instance,
        host="203.0.113.10",
        log_encryption_key=key,
        log_removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    template = template_of(stack)
    template.has_resource_properties(
        "Custom::ExternalVoiceConnector",
        {"KeepLogs": "true", "LogKeyArn": stack.resolve(key.key_arn)},
    )
    template.has_resource_properties(
        "AWS::KMS::Key",
        {
            "KeyPolicy": Match.object_like(
                {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
                                    "Sid": "LogsEncrypts",
                                }
                            )
                        ]
                    )
                }
            )
        },
    )
    assert "logs:AssociateKmsKey" in statements_of(stack, "Connector")["ConnectorLogs"][0]


@pytest.mark.parametrize("seconds", [0, 1, 60, 3600])
def test_gateway_and_authorizer_together_trust_a_decision_as_long_as_was_said(
    stack: cdk.Stack, instance: ConnectInstance, seconds: int
) -> None:
    MetadataBridge(stack, "Metadata", instance=instance, token_cache=cdk.Duration.seconds(seconds))
    template = template_of(stack)
    half = seconds // 2
    template.has_resource_properties("AWS::ApiGateway::Authorizer", {"AuthorizerResultTtlInSeconds": half})
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"CACHE_SECONDS": str(seconds - half)})}},
    )


def test_every_name_of_a_preset_can_be_replaced(stack: cdk.Stack, instance: ConnectInstance) -> None:
    preset = MetadataPreset.kore().with_overrides(
        path="mine",
        token_header="X-Token",
        partition_key="contact",
        ttl_attribute="goesAt",
        table_name="MyTable",
        store_function_name="MyStore",
        authorize_function_name="MyAuthorize",
        retrieve_function_name="MyRetrieve",
        authorizer_name="MyAuthorizer",
        api_name="MyApi",
    )
    MetadataBridge(stack, "Metadata", instance=instance, preset=preset)
    template = template_of(stack)
    template.has_resource_properties("AWS::ApiGateway::Resource", {"PathPart": "mine"})
    template.has_resource_properties("AWS::ApiGateway::RestApi", {"Name": "MyApi"})
    template.has_resource_properties(
        "AWS::ApiGateway::Authorizer",
        {"Name": "MyAuthorizer", "IdentitySource": "method.request.header.X-Token"},
    )
    template.has_resource_properties(
        "AWS::DynamoDB::GlobalTable",
        {
            "TableName": "MyTable",
            "KeySchema": [{"AttributeName": "contact", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "goesAt", "Enabled": True},
        },
    )
    for name in ("MyStore", "MyAuthorize", "MyRetrieve"):
        template.has_resource_properties("AWS::Lambda::Function", {"FunctionName": name})


def test_the_default_names_are_no_vendors(stack: cdk.Stack, instance: ConnectInstance) -> None:
    MetadataBridge(stack, "Metadata", instance=instance)
    text = json.dumps(template_of(stack).to_json()).lower()
    assert "kore" not in text
    template_of(stack).has_resource_properties("AWS::ApiGateway::Resource", {"PathPart": "metadata"})


@pytest.mark.parametrize(
    ("argument", "value", "complaint"),
    [
        ("host", "https://sbc.example.com", "host is 'https://sbc.example.com'"),
        ("host", "127.0.0.1", "host is 127.0.0.1, which Amazon cannot reach"),
        ("host", "169.254.10.20", "host is 169.254.10.20, which Amazon cannot reach"),
        ("host", "0.0.0.0", "host is 0.0.0.0, which Amazon cannot reach"),  # noqa: S104 (refused)
        ("host", "224.0.0.1", "host is 224.0.0.1, which Amazon cannot reach"),
        ("session_border_controller_types", [], "session_border_controller_types is empty"),
        (
            "contact_center_system_types",
            ["GENESYS"],
            "holds 'GENESYS'; choose from GENESYS_ENGAGE_ON_PREMISES",
        ),
        ("port", 0, "port is 0"),
        ("log_retention_days", 2, "log_retention_days is 2; CloudWatch Logs takes 1, 3, 5"),
        (
            "log_removal_policy",
            cdk.RemovalPolicy.SNAPSHOT,
            r"SNAPSHOT.*; choose RemovalPolicy\.DESTROY or RemovalPolicy\.RETAIN",
        ),
        ("protocol", "SCTP", "choose TCP or UDP"),
        ("protocol", "UDP", "TLS runs over TCP"),
        ("name", "a/b", "name is 'a/b'"),
        ("session_border_controller_types", ["CISCO"], "holds 'CISCO'; choose from RIBBON_SBC"),
    ],
)
def test_a_connector_that_could_not_work_is_refused(
    stack: cdk.Stack, instance: ConnectInstance, argument: str, value: Any, complaint: str
) -> None:
    arguments: dict[str, Any] = {"instance": instance, "host": "sbc.example.com", argument: value}
    with pytest.raises(ValueError, match=complaint):
        ExternalVoiceConnector(stack, "Connector", **arguments)


def test_a_module_of_ones_own_is_published_as_a_module(stack: cdk.Stack, instance: ConnectInstance) -> None:
    module = {
        "Version": "2019-10-30",
        "StartAction": "End",
        "Actions": [
            {"Identifier": "End", "Type": "EndFlowModuleExecution", "Parameters": {}, "Transitions": {}}
        ],
    }
    published = ContactFlow(
        stack, "Module", instance=instance, template=module, kind=FlowKind.MODULE, name="Mine"
    )
    assert published.name == "Mine"
    template_of(stack).has_resource_properties("AWS::Connect::ContactFlowModule", {"Name": "Mine"})
