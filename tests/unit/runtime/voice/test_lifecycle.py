from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest

from runtime.voice.apis import ApiCallError, ConnectorApis
from runtime.voice.cloudformation import Request
from runtime.voice.lifecycle import PERMISSION_PAUSES as PAUSES
from runtime.voice.lifecycle import ConnectorLifecycle

STEPS = [
    "CreateVoiceConnector",
    "PutVoiceConnectorOrigination",
    "PutVoiceConnectorExternalSystemsConfiguration",
    "PutVoiceConnectorLoggingConfiguration",
    "CreateLogGroup",
    "PutRetentionPolicy",
    "CreateIntegrationAssociation",
]


def tags_of(connector: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in connector["Tags"]}


def test_create_makes_a_transfer_connector_and_associates_it(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    answer = cloudformation.send("Create", properties, request_id="request-1")
    assert answer["Status"] == "SUCCESS"
    connector, association = cloud.connector, cloud.association
    assert answer["PhysicalResourceId"] == connector["VoiceConnectorArn"]
    assert answer["Data"] == {
        "VoiceConnectorArn": connector["VoiceConnectorArn"],
        "VoiceConnectorId": connector["VoiceConnectorId"],
        "OutboundHostName": connector["OutboundHostName"],
        "IntegrationAssociationId": association["IntegrationAssociationId"],
    }
    assert connector["IntegrationType"] == "CONNECT_CALL_TRANSFER_CONNECTOR"
    assert connector["Name"] == "connect-bridges-dev"
    assert connector["AwsRegion"] == "us-east-1"
    assert connector["RequireEncryption"] is True
    assert connector["Origination"] == {
        "Disabled": False,
        "Routes": [{"Host": "sbc.example.com", "Port": 5061, "Protocol": "TCP", "Priority": 1, "Weight": 1}],
    }
    assert connector["Systems"] == {
        "SessionBorderControllerTypes": ["AUDIOCODES_MEDIANT_SBC"],
        "ContactCenterSystemTypes": [],
    }
    assert connector["LoggingConfiguration"] == {"EnableSIPLogs": True, "EnableMediaMetricLogs": False}
    assert tags_of(connector).items() >= {"app": "connect-bridges", "environment": "dev"}.items()
    assert association["IntegrationType"] == "CALL_TRANSFER_CONNECTOR"
    assert association["IntegrationArn"] == connector["VoiceConnectorArn"]
    assert association["Tags"] == {"app": "connect-bridges", "environment": "dev"}


def test_delete_removes_everything_and_again_is_fine(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    for _ in range(2):
        answer = cloudformation.send("Delete", properties, physical_id=arn)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn)
        assert cloud.empty


def test_delete_leaves_other_connectors_alone(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    cloud.page_size = 1
    arns = [cloudformation.send("Create", properties)["PhysicalResourceId"] for _ in range(3)]
    assert len(cloud.connectors) == len(cloud.associations) == 3
    assert cloudformation.send("Delete", properties, physical_id=arns[2])["Status"] == "SUCCESS"
    assert {connector["VoiceConnectorArn"] for connector in cloud.connectors.values()} == set(arns[:2])
    assert {association["IntegrationArn"] for association in cloud.associations.values()} == set(arns[:2])


def test_delete_succeeds_when_the_instance_is_gone(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.instances.clear()
    cloud.associations.clear()
    assert cloudformation.send("Delete", properties, physical_id=arn)["Status"] == "SUCCESS"
    assert cloud.empty


@pytest.mark.parametrize(
    "physical_id", ["not-created/some-request", "connect-bridges-dev-voice-Connector-1ABC"]
)
def test_delete_of_what_never_was_created_succeeds(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], physical_id: str
) -> None:
    kept = cloudformation.send("Create", properties)["PhysicalResourceId"]
    answer = cloudformation.send("Delete", properties, physical_id=physical_id)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert cloud.connector["VoiceConnectorArn"] == kept


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("status", "code"), [(400, "BadRequestException"), (500, "ServiceFailureException")])
def test_a_create_that_fails_at_any_step_leaves_nothing(
    cloud: Any,
    cloudformation: Any,
    properties: dict[str, Any],
    api_error: Any,
    step: str,
    status: int,
    code: str,
) -> None:
    cloud.failures[step] = [api_error(status, code, "the reason given")]
    answer = cloudformation.send("Create", properties)
    assert answer["Status"] == "FAILED"
    assert step in answer["Reason"]
    assert "the reason given" in answer["Reason"]
    assert not answer["Reason"].startswith("While deleting"), "it failed before that"
    assert cloud.empty
    cleaned = cloudformation.send("Delete", properties, physical_id=answer["PhysicalResourceId"])
    assert cleaned["Status"] == "SUCCESS"
    assert cloud.empty


@pytest.mark.parametrize("step", STEPS)
def test_a_create_whose_answer_is_lost_at_any_step_leaves_nothing(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, step: str
) -> None:
    cloud.lose_answers.add(step)
    cloud.failures[step] = [api_error(503, "ServiceUnavailableException")]
    answer = cloudformation.send("Create", properties)
    if answer["Status"] == "SUCCESS":  # what was created is found again
        assert answer["PhysicalResourceId"] == cloud.connector["VoiceConnectorArn"]
    cloudformation.send("Delete", properties, physical_id=answer["PhysicalResourceId"])
    assert cloud.empty


def test_a_connector_whose_creation_was_answered_with_an_error_is_found_not_made_twice(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.lose_answers.add("CreateVoiceConnector")
    cloud.failures["CreateVoiceConnector"] = [api_error(500, "ServiceFailureException")]
    assert cloudformation.send("Create", properties)["Status"] == "SUCCESS"
    assert cloud.calls.count("CreateVoiceConnector") == 1
    assert len(cloud.connectors) == 1


def test_a_throttled_creation_is_tried_again(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateVoiceConnector"] = [api_error(429, "ThrottledClientException"), None]
    assert cloudformation.send("Create", properties)["Status"] == "SUCCESS"
    assert len(cloud.connectors) == 1


def test_the_same_request_delivered_twice_makes_one_connector(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    first = cloudformation.send("Create", properties, request_id="same")
    second = cloudformation.send("Create", properties, request_id="same")
    assert first == second
    assert len(cloud.connectors) == len(cloud.associations) == 1


def test_another_request_with_the_same_name_makes_its_own_connector(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    first = cloudformation.send("Create", properties)["PhysicalResourceId"]
    second = cloudformation.send("Create", properties)["PhysicalResourceId"]
    assert first != second
    assert len(cloud.connectors) == 2


def test_what_could_not_be_undone_is_named_and_removed_by_the_delete_that_follows(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateIntegrationAssociation"] = [api_error(400, "InvalidRequestException")]
    cloud.failures["DeleteVoiceConnector"] = [api_error(403, "ForbiddenException")]
    answer = cloudformation.send("Create", properties)
    arn = cloud.connector["VoiceConnectorArn"]
    assert answer["Status"] == "FAILED"
    assert "CreateIntegrationAssociation" in answer["Reason"]
    assert f"{arn} remains" in answer["Reason"]
    assert answer["PhysicalResourceId"] == arn
    cloud.failures.clear()
    assert cloudformation.send("Delete", properties, physical_id=arn)["Status"] == "SUCCESS"
    assert cloud.empty


def test_what_a_creation_left_unseen_is_found_by_the_delete_that_follows(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.lose_answers.add("CreateVoiceConnector")
    cloud.failures["CreateVoiceConnector"] = [api_error(500, "ServiceFailureException")]
    cloud.failures["ListVoiceConnectors"] = [None, api_error(403, "ForbiddenException")]
    answer = cloudformation.send("Create", properties)
    assert answer["Status"] == "FAILED"
    assert len(cloud.connectors) == 1
    cloud.failures.clear()
    assert (
        cloudformation.send("Delete", properties, physical_id=answer["PhysicalResourceId"])["Status"]
        == "SUCCESS"
    )
    assert cloud.empty


def test_an_account_without_the_quota_is_told_how_to_request_it(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateVoiceConnector"] = [api_error(400, "ResourceLimitExceededException")]
    reason = cloudformation.send("Create", properties)["Reason"]
    assert "CreateVoiceConnector" in reason
    assert "request-service-quota-increase --service-code connect --quota-code L-2BE4D75F" in reason
    assert cloud.calls.count("CreateVoiceConnector") == 1


NOT_AUTHORIZED = (
    "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: chime:CreateVoiceConnector on "
    "resource: * because no identity-based policy allows the chime:CreateVoiceConnector action"
)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ForbiddenException"])
def test_a_call_that_iam_denies_is_repeated_for_a_minute_and_not_blamed_on_the_quota(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, code: str
) -> None:
    cloud.failures["CreateVoiceConnector"] = [api_error(403, code, NOT_AUTHORIZED)]
    reason = cloudformation.send("Create", properties)["Reason"]
    assert cloud.calls.count("CreateVoiceConnector") == 1 + len(PAUSES)
    assert sum(PAUSES) == 60
    assert NOT_AUTHORIZED in reason
    assert "L-2BE4D75F" not in reason
    assert "boundary" in reason


def test_a_refusal_that_names_no_permission_may_be_the_quota_or_a_policy(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateVoiceConnector"] = [api_error(403, "ForbiddenException", "Forbidden")]
    reason = cloudformation.send("Create", properties)["Reason"]
    assert "L-2BE4D75F" in reason
    assert "service control policy" in reason


@pytest.mark.parametrize("step", ["ListVoiceConnectors", *STEPS])
def test_a_creation_waits_until_iam_has_spread_the_new_roles_policy(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, step: str
) -> None:
    denied = api_error(403, "AccessDeniedException", NOT_AUTHORIZED)
    cloud.failures[step] = [denied, denied, None]
    assert cloudformation.send("Create", properties)["Status"] == "SUCCESS"
    assert len(cloud.connectors) == len(cloud.associations) == 1


def test_the_minute_is_for_the_creation_as_a_whole(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    denied = api_error(403, "AccessDeniedException", NOT_AUTHORIZED)
    cloud.failures["ListVoiceConnectors"] = [*[denied] * 4, None]
    cloud.failures["CreateVoiceConnector"] = [*[denied] * 4, None]
    assert cloudformation.send("Create", properties)["Status"] == "FAILED"
    assert cloud.empty


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_an_update_or_delete_is_denied_at_once_since_its_role_is_not_new(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, kind: str
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    operation = f"{kind}VoiceConnector"
    cloud.failures[operation] = [api_error(403, "AccessDeniedException", NOT_AUTHORIZED)]
    new = properties | {"Host": "192.0.2.10"}
    old = properties if kind == "Update" else None
    assert cloudformation.send(kind, new, physical_id=arn, old=old)["Status"] == "FAILED"
    assert cloud.calls.count(operation) == 1


def groups_of(cloud: Any) -> tuple[str, str]:
    connector = cloud.connector["VoiceConnectorId"]
    return (
        f"/aws/ChimeVoiceConnectorSipMessages/{connector}",
        f"/aws/ChimeVoiceConnectorLogs/{connector}",
    )


@pytest.mark.parametrize("amazon_made_it", [True, False])
def test_logs_of_callers_are_kept_for_a_month_or_as_long_as_wanted(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], amazon_made_it: bool
) -> None:
    cloud.makes_log_groups = amazon_made_it
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    sip, media = groups_of(cloud)
    assert cloud.log_groups == {sip: {"days": 30}}

    new = properties | {"MediaMetricLogs": "true", "LogRetentionDays": "7"}
    cloudformation.send("Update", new, physical_id=arn, old=properties)
    assert cloud.log_groups == {sip: {"days": 7}, media: {"days": 7}}


def test_logs_are_encrypted_with_a_key_that_can_be_changed_and_taken_away(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    keys = [f"arn:aws:kms:us-east-1:123456789012:key/{n * 8}" for n in "12"]
    first, second = (properties | {"LogKeyArn": key} for key in keys)
    arn = cloudformation.send("Create", first)["PhysicalResourceId"]
    sip, _ = groups_of(cloud)
    assert cloud.log_groups[sip]["key"] == keys[0]
    cloudformation.send("Update", second, physical_id=arn, old=first)
    assert cloud.log_groups[sip]["key"] == keys[1]
    cloudformation.send("Update", properties, physical_id=arn, old=second)
    assert "key" not in cloud.log_groups[sip]


def test_logs_outlive_the_connector_only_if_they_are_to_be_kept(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    kept = properties | {"KeepLogs": "true"}
    arn = cloudformation.send("Create", kept)["PhysicalResourceId"]
    groups = dict(cloud.log_groups)
    cloudformation.send("Delete", kept, physical_id=arn)
    assert (cloud.connectors, cloud.log_groups) == ({}, groups)


def test_a_failed_create_leaves_no_logs_even_if_logs_are_to_be_kept(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateIntegrationAssociation"] = [api_error(400, "InvalidRequestException")]
    assert cloudformation.send("Create", properties | {"KeepLogs": "true"})["Status"] == "FAILED"
    assert cloud.empty


@pytest.mark.parametrize(
    "connector_id",
    ["a1b2c3d4e5f6a7b8c9d0e", "a1b2c3d4e5f6a7b8c9d0e1", "11111111-2222-3333-4444-555555555555"],
)
def test_ids_of_all_the_forms_that_amazon_makes_are_taken(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], connector_id: str
) -> None:
    cloudformation.send("Create", properties)
    (made,) = cloud.connectors.values()
    arn = f"arn:aws:chime:us-east-1:123456789012:vc/{connector_id}"
    made.update(VoiceConnectorId=connector_id, VoiceConnectorArn=arn)
    cloud.association["IntegrationArn"] = arn
    cloud.connectors = {connector_id: made}
    new = properties | {"Host": "192.0.2.10"}
    updated = cloudformation.send("Update", new, physical_id=arn, old=properties)
    assert (updated["Status"], updated["PhysicalResourceId"]) == ("SUCCESS", arn)
    assert cloudformation.send("Delete", new, physical_id=arn)["Status"] == "SUCCESS"
    assert (cloud.connectors, cloud.associations) == ({}, {})


def test_a_connector_carries_the_tag_that_connects_role_needs_and_updates_leave_it(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    assert tags_of(cloud.connector)["AmazonConnectEnabled"] == "True"
    new = {name: value for name, value in properties.items() if name != "Tags"}
    cloudformation.send("Update", new, physical_id=arn, old=properties)
    assert tags_of(cloud.connector)["AmazonConnectEnabled"] == "True"
    assert "environment" not in tags_of(cloud.connector)


def test_a_very_long_reason_is_shortened_to_what_cloudformation_takes(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    cloud.failures["CreateVoiceConnector"] = [api_error(400, "BadRequestException", "é😀" * 5000)]
    answer = cloudformation.send("Create", properties)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        "While creating the voice connector: chime-sdk-voice CreateVoiceConnector"
    )


def test_wrong_properties_are_all_named_and_no_api_is_called(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    wrong = properties | {"Port": "99999", "AwsRegion": "mars-1", "Host": "sip:x", "Extra": "1"}
    answer = cloudformation.send("Create", wrong)
    assert answer["Status"] == "FAILED"
    assert all(name in answer["Reason"] for name in ("'99999'", "'mars-1'", "'sip:x'", "Extra"))
    assert (
        cloudformation.send("Delete", wrong, physical_id=answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    )
    assert cloud.calls == []


def test_an_update_changes_everything_in_place(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    created = cloudformation.send("Create", properties, request_id="request-1")
    new = copy.deepcopy(properties) | {
        "Name": "renamed",
        "Host": "192.0.2.10",
        "Port": "5060",
        "Protocol": "UDP",
        "RequireEncryption": "false",
        "SessionBorderControllerTypes": ["RIBBON_SBC"],
        "ContactCenterSystemTypes": ["AVAYA_AURA_CONTACT_CENTER"],
        "SipLogs": "false",
        "MediaMetricLogs": "true",
        "Tags": [{"Key": "environment", "Value": "test"}],
    }
    arn = created["PhysicalResourceId"]
    answer = cloudformation.send("Update", new, physical_id=arn, old=properties)
    assert (answer["Status"], answer["PhysicalResourceId"], answer["Data"]) == (
        "SUCCESS",
        arn,
        created["Data"],
    )
    connector = cloud.connector
    assert connector["Name"] == "renamed"
    assert connector["RequireEncryption"] is False
    (route,) = connector["Origination"]["Routes"]
    assert (route["Host"], route["Port"], route["Protocol"]) == ("192.0.2.10", 5060, "UDP")
    assert connector["Systems"] == {
        "SessionBorderControllerTypes": ["RIBBON_SBC"],
        "ContactCenterSystemTypes": ["AVAYA_AURA_CONTACT_CENTER"],
    }
    assert connector["LoggingConfiguration"] == {"EnableSIPLogs": False, "EnableMediaMetricLogs": True}
    tags = tags_of(connector)
    assert tags.pop("connect-bridges:request") == "request-1"
    assert tags.pop("connect-bridges:stack")
    assert tags.pop("AmazonConnectEnabled") == "True"
    assert tags == {"environment": "test"} == cloud.association["Tags"]


def test_an_update_mends_a_missing_association(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.associations.clear()
    answer = cloudformation.send("Update", properties, physical_id=arn, old=properties)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["IntegrationAssociationId"] == cloud.association["IntegrationAssociationId"]
    assert cloud.association["Tags"] == {"app": "connect-bridges", "environment": "dev"}


def test_an_update_of_a_connector_that_somebody_deleted_says_so(
    cloud: Any, cloudformation: Any, properties: dict[str, Any]
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.connectors.clear()
    answer = cloudformation.send("Update", properties, physical_id=arn, old=properties)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "outside of CloudFormation" in answer["Reason"]


@pytest.mark.parametrize("changed", ["InstanceId", "AwsRegion"])
def test_another_instance_or_region_replaces_the_connector(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], changed: str
) -> None:
    other = "22222222-2222-3333-4444-555555555555"
    cloud.instances.add(other)
    value = {
        "InstanceId": f"arn:aws:connect:us-east-1:123456789012:instance/{other}",
        "AwsRegion": "eu-west-2",
    }
    new = properties | {changed: value[changed]}
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    answer = cloudformation.send("Update", new, physical_id=arn, old=properties)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] != arn
    assert len(cloud.connectors) == 2
    assert cloudformation.send("Delete", properties, physical_id=arn)["Status"] == "SUCCESS"
    assert cloud.connector["VoiceConnectorArn"] == answer["PhysicalResourceId"]
    assert cloud.association["IntegrationArn"] == answer["PhysicalResourceId"]


@pytest.mark.parametrize("step", STEPS)
def test_a_failed_replacement_leaves_the_old_connector_only(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, step: str
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.failures[step] = [api_error(400, "BadRequestException")]
    answer = cloudformation.send(
        "Update", properties | {"AwsRegion": "eu-west-2"}, physical_id=arn, old=properties
    )
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert cloud.connector["VoiceConnectorArn"] == cloud.association["IntegrationArn"] == arn


@pytest.mark.parametrize("undone", [True, False])
def test_after_a_failed_replacement_only_what_was_not_undone_is_left_to_report(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, undone: bool
) -> None:
    """What the watchdog would tell the user to delete by hand, were time to run out now."""
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.failures["CreateIntegrationAssociation"] = [api_error(400, "InvalidRequestException")]
    if not undone:
        cloud.failures["DeleteVoiceConnector"] = [api_error(403, "ForbiddenException")]
    request = Request(
        kind="Update",
        request_id="request",
        stack_id="stack",
        logical_id="Connector",
        response_url="https://example.com/",
        physical_id=arn,
        properties=properties | {"AwsRegion": "eu-west-2"},
        old_properties=properties,
    )
    lifecycle = ConnectorLifecycle(
        request, apis_in_region=ConnectorApis.in_region, seconds_left=lambda: 300.0
    )
    with pytest.raises(ApiCallError):
        lifecycle.run()
    assert lifecycle.physical_id == arn
    assert (lifecycle.unreported is None) is undone
    assert undone or ":eu-west-2:" in str(lifecycle.unreported)


def test_a_connector_that_is_still_associated_for_a_moment_is_deleted_in_the_end(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    conflict = api_error(409, "ConflictException")
    cloud.failures["DeleteVoiceConnector"] = [conflict, conflict, None]
    assert cloudformation.send("Delete", properties, physical_id=arn)["Status"] == "SUCCESS"
    assert cloud.empty


def test_a_delete_that_fails_says_so_and_keeps_the_physical_id(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    cloud.failures["DeleteIntegrationAssociation"] = [api_error(400, "InvalidRequestException", "in use")]
    answer = cloudformation.send("Delete", properties, physical_id=arn)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "DeleteIntegrationAssociation" in answer["Reason"]
    assert "in use" in answer["Reason"]


def test_slow_apis_are_given_up_on_while_there_is_time_to_undo(
    cloud: Any,
    cloudformation: Any,
    properties: dict[str, Any],
    new_context: type[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = iter([100.0, 100.0, 100.0, 90.0, 80.0, 70.0])
    monkeypatch.setattr(new_context, "get_remaining_time_in_millis", lambda _: int(next(left, 30.0) * 1000))
    answer = cloudformation.send("Create", properties)
    assert answer["Status"] == "FAILED"
    assert "out of time" in answer["Reason"]
    assert "CreateVoiceConnector" in cloud.calls
    assert cloud.empty


def test_a_hanging_api_does_not_keep_cloudformation_waiting(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, answered = cloud._put, threading.Event()

    def slow(one: str, body: dict[str, Any]) -> dict[str, Any]:
        answered.wait(10)  # until CloudFormation has its answer
        result: dict[str, Any] = genuine(one, body)
        return result

    monkeypatch.setattr(cloud, "_put", slow)
    cloudformation.receiver.respond = lambda _: (answered.set(), (200, {}, b""))[1]
    answer = cloudformation.send("Create", properties, seconds=3.0)
    assert answer["Status"] == "FAILED"
    assert "ran out of time while setting the connector's origination" in answer["Reason"]
    monkeypatch.setattr(cloud, "_put", genuine)
    assert (
        cloudformation.send("Delete", properties, physical_id=answer["PhysicalResourceId"])["Status"]
        == "SUCCESS"
    )
    assert cloud.empty


def test_a_replacement_that_hangs_names_the_connector_that_nobody_else_will_remove(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = cloudformation.send("Create", properties)["PhysicalResourceId"]
    genuine, answered = cloud._put, threading.Event()

    def slow(one: str, body: dict[str, Any]) -> dict[str, Any]:
        answered.wait(10)  # until CloudFormation has its answer
        result: dict[str, Any] = genuine(one, body)
        return result

    monkeypatch.setattr(cloud, "_put", slow)
    cloudformation.receiver.respond = lambda _: (answered.set(), (200, {}, b""))[1]
    new = properties | {"AwsRegion": "eu-west-2"}
    answer = cloudformation.send("Update", new, physical_id=arn, old=properties, seconds=3.0)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert ":eu-west-2:" in answer["Reason"]
    assert "remains: delete it by hand" in answer["Reason"]


def test_secrets_of_the_answer_url_are_not_logged(
    cloud: Any,
    cloudformation: Any,
    properties: dict[str, Any],
    logs: Callable[[], str],
) -> None:
    cloudformation.send("Create", properties)
    assert "answering CloudFormation" in logs()
    assert "nobody-may-log" not in logs()
