"""Connect's fake: associations, flows, and which functions an instance may invoke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import AwsError, Sandbox
from connect_sandbox.cloud.connect_state import Part
from connect_sandbox.cloud.contact_center.defaults import ARN_NAMES

INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
INSTANCE = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}"
GOOD = json.dumps(
    {
        "Version": "2019-10-30",
        "StartAction": "end",
        "Actions": [
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        ],
    }
)
BAD = GOOD.replace('"DisconnectParticipant"', '"DoNothingAtAll"')


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Any]:
    yield sandbox.boto3_client("connect")
    instance = sandbox.connect.instance(INSTANCE)
    for held in (instance.flows, instance.modules, instance.associations, instance.parts):
        held.clear()


def test_a_flow_is_published_described_changed_listed_and_deleted(sandbox: Sandbox, connect: Any) -> None:
    created = connect.create_contact_flow(InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=GOOD)
    flow_id = created["ContactFlowId"]
    described = connect.describe_contact_flow(InstanceId=INSTANCE_ID, ContactFlowId=flow_id)["ContactFlow"]
    changed = GOOD.replace('"end"', '"bye"')
    connect.update_contact_flow_content(InstanceId=INSTANCE_ID, ContactFlowId=flow_id, Content=changed)
    listed = connect.list_contact_flows(InstanceId=INSTANCE_ID)["ContactFlowSummaryList"]

    assert described["Content"] == GOOD
    assert (described["State"], described["Status"]) == ("ACTIVE", "PUBLISHED")
    assert [summary["Arn"] for summary in listed] == [created["ContactFlowArn"]]
    assert sandbox.connect.instance(INSTANCE).flow("a").content == changed
    connect.delete_contact_flow(InstanceId=INSTANCE_ID, ContactFlowId=flow_id)
    with pytest.raises(connect.exceptions.ResourceNotFoundException):
        connect.describe_contact_flow(InstanceId=INSTANCE_ID, ContactFlowId=flow_id)


def test_content_that_connect_refuses_comes_back_with_its_problems(connect: Any) -> None:
    with pytest.raises(connect.exceptions.InvalidContactFlowException) as refused:
        connect.create_contact_flow(InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=BAD)
    with pytest.raises(connect.exceptions.InvalidContactFlowModuleException):
        connect.create_contact_flow_module(InstanceId=INSTANCE_ID, Name="a", Content=BAD)

    assert any("DoNothingAtAll" in problem["message"] for problem in refused.value.response["problems"])


def test_a_saved_flow_is_not_checked(connect: Any) -> None:
    created = connect.create_contact_flow(
        InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=BAD, Status="SAVED"
    )

    assert created["ContactFlowArn"].startswith(INSTANCE)


def test_a_saved_flow_is_seen_under_its_alias_alone_until_it_is_published(connect: Any) -> None:
    flow_id = connect.create_contact_flow(
        InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=BAD, Status="SAVED"
    )["ContactFlowId"]

    def seen(alias: str = "") -> tuple[str, str]:
        flow = connect.describe_contact_flow(InstanceId=INSTANCE_ID, ContactFlowId=flow_id + alias)[
            "ContactFlow"
        ]
        return flow["Status"], flow["Content"]

    with pytest.raises(connect.exceptions.ContactFlowNotPublishedException):
        seen()
    assert seen(":$SAVED") == ("SAVED", BAD)
    with pytest.raises(connect.exceptions.InvalidContactFlowException):
        connect.update_contact_flow_content(InstanceId=INSTANCE_ID, ContactFlowId=flow_id, Content=BAD)
    connect.update_contact_flow_content(InstanceId=INSTANCE_ID, ContactFlowId=flow_id, Content=GOOD)
    assert seen() == seen(":$SAVED") == ("PUBLISHED", GOOD)
    connect.update_contact_flow_content(
        InstanceId=INSTANCE_ID, ContactFlowId=f"{flow_id}:$SAVED", Content=BAD
    )
    assert seen() == ("PUBLISHED", GOOD)
    assert seen(":$SAVED") == ("SAVED", BAD)


def test_a_modules_draft_is_seen_under_its_alias(connect: Any) -> None:
    module = GOOD.replace("DisconnectParticipant", "EndFlowModuleExecution")
    draft = module.replace('"end"', '"bye"')
    given = {"InstanceId": INSTANCE_ID}
    given["ContactFlowModuleId"] = ident = connect.create_contact_flow_module(
        **given, Name="a", Content=module
    )["Id"]
    connect.update_contact_flow_module_content(
        **given | {"ContactFlowModuleId": f"{ident}:$SAVED"}, Content=draft
    )

    published = connect.describe_contact_flow_module(**given)["ContactFlowModule"]
    saved = connect.describe_contact_flow_module(**given | {"ContactFlowModuleId": f"{ident}:$SAVED"})
    assert (published["Status"], published["Content"]) == ("PUBLISHED", module)
    assert (saved["ContactFlowModule"]["Status"], saved["ContactFlowModule"]["Content"]) == ("SAVED", draft)


def test_views_and_task_templates_are_listed(sandbox: Sandbox, connect: Any) -> None:
    instance = sandbox.connect.instance(INSTANCE)
    for kind in ("View", "TaskTemplate"):
        instance.parts[kind] = Part(kind, kind, f"{INSTANCE}/{ARN_NAMES[kind]}/{kind}", f"My {kind}")

    assert [v["Name"] for v in connect.list_views(InstanceId=INSTANCE_ID)["ViewsSummaryList"]] == ["My View"]
    assert connect.list_views(InstanceId=INSTANCE_ID, Type="AWS_MANAGED")["ViewsSummaryList"] == []
    templates = connect.list_task_templates(InstanceId=INSTANCE_ID)["TaskTemplates"]
    assert [one["Arn"] for one in templates] == [f"{INSTANCE}/task-template/TaskTemplate"]


def test_a_name_is_taken_once_per_instance_and_type(connect: Any) -> None:
    connect.create_contact_flow(InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=GOOD)
    connect.create_contact_flow(InstanceId=INSTANCE_ID, Name="a", Type="QUEUE_TRANSFER", Content=GOOD)
    connect.create_contact_flow(
        InstanceId=INSTANCE_ID[:-1] + "6", Name="a", Type="CONTACT_FLOW", Content=GOOD
    )

    with pytest.raises(connect.exceptions.DuplicateResourceException):
        connect.create_contact_flow(InstanceId=INSTANCE_ID, Name="a", Type="CONTACT_FLOW", Content=GOOD)


def test_an_arn_is_no_instance_id(connect: Any) -> None:
    with pytest.raises(
        connect.exceptions.InvalidRequestException, match="Invalid input for field InstanceId"
    ):
        connect.list_contact_flows(InstanceId=INSTANCE)


def test_an_instance_of_another_account_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        sandbox.connect.instance(INSTANCE.replace("123456789012", "210987654321"))


def test_an_operation_that_is_not_reproduced_is_refused_by_name(connect: Any) -> None:
    with pytest.raises(ClientError, match="the sandbox does not emulate connect:ListRules") as refused:
        connect.list_rules(InstanceId=INSTANCE_ID)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_parameters_are_checked_by_the_services_model(sandbox: Sandbox) -> None:
    chime = sandbox.boto3_client("chime-sdk-voice")

    with pytest.raises(chime.exceptions.BadRequestException, match="integrationType"):
        chime.create_voice_connector(Name="x", RequireEncryption=True, IntegrationType="NONSENSE")


def test_a_voice_connector_is_created_set_up_associated_and_removed(sandbox: Sandbox, connect: Any) -> None:
    chime = sandbox.boto3_client("chime-sdk-voice")
    created = chime.create_voice_connector(
        Name="vendor",
        AwsRegion="us-east-1",
        RequireEncryption=True,
        IntegrationType="CONNECT_CALL_TRANSFER_CONNECTOR",
        Tags=[{"Key": "app", "Value": "bridges"}],
    )["VoiceConnector"]
    connector_id, arn = created["VoiceConnectorId"], created["VoiceConnectorArn"]
    route = {"Host": "sbc.example.com", "Port": 5061, "Protocol": "TCP", "Priority": 1, "Weight": 1}
    chime.put_voice_connector_origination(VoiceConnectorId=connector_id, Origination={"Routes": [route]})
    chime.put_voice_connector_external_systems_configuration(
        VoiceConnectorId=connector_id, SessionBorderControllerTypes=["AUDIOCODES_MEDIANT_SBC"]
    )
    chime.put_voice_connector_logging_configuration(
        VoiceConnectorId=connector_id, LoggingConfiguration={"EnableSIPLogs": True}
    )
    request = {"InstanceId": INSTANCE_ID, "IntegrationType": "CALL_TRANSFER_CONNECTOR", "IntegrationArn": arn}
    association = connect.create_integration_association(**request)["IntegrationAssociationId"]

    held = sandbox.voice_connectors.get(arn)
    assert held.origination == {"Routes": [route]}
    assert held.external_systems is not None
    assert held.external_systems["SessionBorderControllerTypes"] == ["AUDIOCODES_MEDIANT_SBC"]
    assert held.logging == {"EnableSIPLogs": True}
    # Associating sets the second tag, without which Connect's role may not use the connector.
    assert chime.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "app", "Value": "bridges"},
        {"Key": "AmazonConnectEnabled", "Value": "True"},
    ]
    logs = sandbox.boto3_client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/ChimeVoiceConnector")["logGroups"]
    assert [(g["logGroupName"], g.get("retentionInDays")) for g in groups] == [
        (f"/aws/ChimeVoiceConnectorSipMessages/{connector_id}", None)
    ]
    assert [a.integration_arn for a in sandbox.connect.instance(INSTANCE).associations.values()] == [arn]
    with pytest.raises(connect.exceptions.DuplicateResourceException):
        connect.create_integration_association(**request)

    connect.delete_integration_association(InstanceId=INSTANCE_ID, IntegrationAssociationId=association)
    chime.delete_voice_connector(VoiceConnectorId=connector_id)
    assert sandbox.voice_connectors.all() == []
    with pytest.raises(chime.exceptions.NotFoundException):
        chime.get_voice_connector(VoiceConnectorId=connector_id)
    # As on AWS, nobody deletes what callers left there.
    logs.delete_log_group(logGroupName=groups[0]["logGroupName"])


def test_only_a_call_transfer_connector_can_be_associated(connect: Any) -> None:
    with pytest.raises(connect.exceptions.InvalidRequestException, match="CONNECT_CALL_TRANSFER_CONNECTOR"):
        connect.create_integration_association(
            InstanceId=INSTANCE_ID,
            IntegrationType="CALL_TRANSFER_CONNECTOR",
            IntegrationArn="arn:aws:chime:us-east-1:123456789012:vc/abcdef1ghij2klmno3pqr4",
        )


def test_a_failure_asked_for_happens_so_many_times(sandbox: Sandbox) -> None:
    chime = sandbox.boto3_client("chime-sdk-voice")
    sandbox.faults.fail(
        "chime-sdk-voice", "ListVoiceConnectors", status=503, code="ServiceUnavailableException", times=1
    )

    with pytest.raises(chime.exceptions.ServiceUnavailableException):
        chime.list_voice_connectors()
    assert chime.list_voice_connectors()["VoiceConnectors"] == []


def test_connect_may_invoke_a_function_with_association_and_permission_alone(
    sandbox: Sandbox, deploy: Any, function: Any
) -> None:
    association = {
        "Type": "AWS::Connect::IntegrationAssociation",
        "Properties": {
            "InstanceId": INSTANCE,
            "IntegrationType": "LAMBDA_FUNCTION",
            "IntegrationArn": {"Fn::GetAtt": ["Function", "Arn"]},
        },
    }
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
            "Principal": "connect.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": INSTANCE,
        },
    }
    resources = function("def handler(e, c): return {}")
    stack = deploy({"Resources": {**resources, "Permission": permission}})
    arn = sandbox.lambda_state.get(stack.resources["Function"]).arn
    unassociated = sandbox.connect.may_invoke(INSTANCE, arn)
    deploy({"Resources": {**resources, "Association": association}}, name=stack.name)
    unpermitted = sandbox.connect.may_invoke(INSTANCE, arn)
    deploy(
        {"Resources": {**resources, "Association": association, "Permission": permission}}, name=stack.name
    )

    assert not unassociated.allowed
    assert "is not associated with the instance" in unassociated.reason
    assert not unpermitted.allowed
    assert "lambda:InvokeFunction" in unpermitted.reason
    assert sandbox.connect.may_invoke(INSTANCE, arn).allowed


def test_bots_and_aliases_of_lex_have_names(sandbox: Sandbox) -> None:
    sandbox.bots.add("ABCDEFGHIJ", "Orders", TSTALIASID="live")
    lex = sandbox.boto3_client("lexv2-models")

    assert lex.describe_bot(botId="ABCDEFGHIJ")["botName"] == "Orders"
    assert lex.describe_bot_alias(botId="ABCDEFGHIJ", botAliasId="TSTALIASID")["botAliasName"] == "live"
    with pytest.raises(lex.exceptions.ResourceNotFoundException, match="ZZZZZZZZZZ"):
        lex.describe_bot(botId="ZZZZZZZZZZ")
    with pytest.raises(lex.exceptions.ResourceNotFoundException, match="AAAAAAAAAA"):
        lex.describe_bot_alias(botId="ABCDEFGHIJ", botAliasId="AAAAAAAAAA")
