"""Chats: what function, vendor and Amazon Connect may do is what they do. And no secret appears in any log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from connect_sandbox.iam import compare_grants
from connect_sandbox.rehearsal.chat_room import SaysAfter
from connect_sandbox.rehearsal.conditions import Says

from rehearsals.scenarios import Deployment, Rehearsal
from rehearsals.scenarios.chat_path import EXTERNAL_ID
from rehearsals.scenarios.chats import PlayedChat
from rehearsals.vendors.chat.script import BotScript
from tests.rehearsals.played import Played
from tests.support.roles import deployed_role

pytestmark = pytest.mark.sandbox

CONNECT, SNS = "connect.amazonaws.com", "sns.amazonaws.com"


@pytest.fixture(scope="module")
def exercised(deployment: Deployment, played: Played) -> Deployment:
    """Let the function start, stop, and find a token refused; let messages reach the bot and the dead letters."""
    played.passes("chat/bot-converses", "chat/wrong-verification-token", "chat/messages-survive-outage")
    return deployment


@pytest.mark.parametrize("part", ["ChatStartRole", "ChatVendorRole"])
def test_a_role_uses_what_it_is_granted_and_is_granted_what_it_uses(exercised: Deployment, part: str) -> None:
    name, granted = deployed_role(exercised, exercised.chat.stack, part)
    report = compare_grants(granted, exercised.sandbox.audit.calls(role=name))
    assert report.exact, str(report)
    assert not report.wildcard_actions, str(report)


def test_the_function_may_start_and_stop_streaming_on_this_instance_and_read_its_token(
    exercised: Deployment,
) -> None:
    _, granted = deployed_role(exercised, exercised.chat.stack, "ChatStartRole")
    actions = {action for policy in granted for s in policy.statements for action in s.actions or ()}
    assert {action for action in actions if not action.startswith("logs:")} == {
        "connect:StartContactStreaming",
        "connect:StopContactStreaming",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }


def test_nothing_was_refused(exercised: Deployment) -> None:
    # Of this stack: other tests of the run provoke refusals on purpose.
    refused = exercised.sandbox.audit.calls(allowed=False)
    assert [str(entry) for entry in refused if exercised.chat.stack in f"{entry.role} {entry.resource}"] == []


def test_without_the_statement_for_connect_in_the_topics_policy_no_message_is_published(
    exercised: Deployment,
) -> None:
    with _topic_policy_without(exercised, CONNECT):
        chat = _chat(exercised)
    assert chat.deliveries == []
    assert "AuthorizationError" in chat.chat.refused[0]
    assert "sns:Publish" in chat.chat.refused[0]


def test_without_the_statement_for_connect_in_the_keys_policy_no_message_is_published(
    exercised: Deployment,
) -> None:
    with _key_policy_without(exercised, CONNECT):
        chat = _chat(exercised)
    assert chat.deliveries == []
    assert "KMSAccessDenied" in chat.chat.refused[0]


def test_without_the_statement_for_sns_in_the_keys_policy_dead_letters_are_lost(
    exercised: Deployment,
) -> None:
    with _key_policy_without(exercised, SNS):
        try:
            chat = _chat(exercised, SaysAfter("hello?", exercised.chat.bot.goes_down))
            became = chat.accounts_for()
        finally:
            exercised.chat.bot.comes_up()
    assert became == {"lost": 1}
    assert "kms:GenerateDataKey" in chat.deliveries[0].why


@pytest.mark.parametrize("external_id", ["somebody-elses", None])
def test_the_vendors_role_is_assumed_with_its_external_id_only(
    exercised: Deployment, external_id: str | None
) -> None:
    key, secret = exercised.sandbox.principals.admit("arn:aws:iam::210987654321:user/example-bot-platform")
    client = boto3.client(
        "sts",
        endpoint_url=exercised.sandbox.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    request = {"RoleArn": exercised.chat.vendor_role_arn, "RoleSessionName": "vendor"}
    with pytest.raises(ClientError, match="AccessDenied"):
        client.assume_role(**request, **({"ExternalId": external_id} if external_id else {}))
    assert client.assume_role(**request, ExternalId=EXTERNAL_ID)["Credentials"]


def _chat(deployment: Deployment, *moves: Says) -> PlayedChat:
    script = BotScript(token="", greeting="Hello")
    return Rehearsal(deployment).chat(script, moves=moves or [Says("hello?")], patience=0.1)


@contextmanager
def _topic_policy_without(deployment: Deployment, service: str) -> Iterator[None]:
    client, topic = deployment.sandbox.boto3_client("sns"), deployment.chat.topic_arn
    policy = client.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]

    def put(document: str) -> None:
        client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)

    put(_without(policy, service))
    try:
        yield
    finally:
        put(policy)


@contextmanager
def _key_policy_without(deployment: Deployment, service: str) -> Iterator[None]:
    client = deployment.sandbox.boto3_client("kms")
    key = deployment.physical_id(deployment.chat.stack, "AWS::KMS::Key")
    policy = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=_without(policy, service))
    try:
        yield
    finally:
        client.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def _without(policy: str, service: str) -> str:
    document: dict[str, Any] = json.loads(policy)
    kept = [s for s in document["Statement"] if s.get("Principal") != {"Service": service}]
    assert len(kept) < len(document["Statement"])
    return json.dumps({**document, "Statement": kept})
