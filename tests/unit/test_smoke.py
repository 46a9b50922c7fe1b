"""What `connect-bridges smoke` says of a deployment that is not as it should be; AWS and the APIs are stubs."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from connect_bridges.cli import main
from connect_bridges.operations import aws, evidence, smoke, web
from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke import chat, flows, gate, metadata, voice
from connect_bridges.operations.smoke.account import Account, Need
from connect_bridges.operations.smoke.policy import policy
from connect_bridges.operations.smoke.proofs import Proof, proofs
from connect_bridges.operations.smoke.result import Check, Checks, Outcome, asking

INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
INSTANCE = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_ID}"
FLOW_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
FLOW = f"{INSTANCE}/contact-flow/{FLOW_ID}"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Start"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:Token-AbCdEf"
TOPIC = "arn:aws:sns:us-east-1:123456789012:Chat"
SUBSCRIPTION = f"{TOPIC}:0b6c7a1e-0000-4000-8000-000000000000"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/dead"
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
CONNECTOR = "arn:aws:chime:us-east-1:123456789012:vc/abcdefghijklmnopqrstu"
TOKEN = "17ceed4151e38bae8d16cd547e0144203"


class Stubs:
    """An Account whose clients answer as a test says; a request that it does not expect fails."""

    def __init__(self) -> None:
        session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
        self.account = Account(session, "123456789012", "us-east-1")
        self._stubbers: dict[str, Stubber] = {}

    def __getitem__(self, service: str) -> Stubber:
        if service not in self._stubbers:
            stubber = Stubber(self.account.client(service))
            stubber.activate()
            self._stubbers[service] = stubber
        return self._stubbers[service]

    def invoked(
        self,
        answer: object,
        *,
        log: str = "",
        error: str | None = None,
        expected: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the next invocation answer that."""
        response = {
            "Payload": StreamingBody(io.BytesIO(body := json.dumps(answer).encode()), len(body)),
            "LogResult": base64.b64encode(log.encode()).decode(),
            **({"FunctionError": error} if error else {}),
        }
        wanted = {"FunctionName": ANY, "InvocationType": "RequestResponse", "LogType": "Tail", "Payload": ANY}
        self["lambda"].add_response("invoke", response, {**wanted, **(expected or {})})

    def items(self, *items: Mapping[str, Any]) -> None:
        """Let the next reads of the table find these."""
        for item in items:
            self["dynamodb"].add_response("get_item", {"Item": item} if item else {})

    def done(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


@dataclass
class Api:
    """A deployed API on a real port: what it answers, and what it was asked."""

    url: str = ""
    answers: Callable[[Mapping[str, str], Mapping[str, str], str], tuple[int, str]] = lambda *_: (200, "{}")
    location: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.headers.append(headers)
            query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
            status, text = state.answers(headers, query, body)
            self.send_response(status)
            if state.location:
                self.send_header("Location", state.location)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/dev/path"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def bridge(construct: str, **facts: object) -> Bridge:
    return Bridge(construct, f"stack/{construct}", "Description", {"instanceArn": INSTANCE, **facts})


def found(checks: Checks, name: str) -> Check:
    [check] = [check for check in checks.done if check.name == name]
    return check


# --- ChatStreamBridge --------------------------------------------------------------------------------------------

CHECKED = {
    "streaming": "checked",
    "reason": "none",
    "token": "read",
    "start": "ResourceNotFoundException",
    "stop": "none",
    "webhook": "notAsked",
    "detail": "none",
}
CONNECT_MAY = {"Effect": "Allow", "Principal": {"Service": "connect.amazonaws.com"}, "Resource": "*"}


def chat_bridge() -> Bridge:
    return bridge(
        "ChatStreamBridge",
        webhookUrl="https://bot.example.com/hook",
        topicArn=TOPIC,
        subscriptionArn=SUBSCRIPTION,
        deadLetterQueueUrl=QUEUE,
        secrets={"token": {"arn": SECRET}},
        functions={"Start": "Start"},
        flows={},
    )


def try_chat(
    stubs: Stubs,
    answer: object,
    *,
    error: str | None = None,
    log: str = "",
    pending: str = "false",
    waiting: str = "0",
    publish: object = "sns:Publish",
    key: str = KEY,
    uses: object = ("kms:GenerateDataKey*", "kms:Decrypt"),
) -> Checks:
    stubs.invoked(answer, error=error, log=log)
    attributes = {"PendingConfirmation": pending, "RedrivePolicy": "{}"}
    stubs["sns"].add_response("get_subscription_attributes", {"Attributes": attributes})
    counts = {"ApproximateNumberOfMessages": waiting, "ApproximateNumberOfMessagesNotVisible": "0"}
    stubs["sqs"].add_response("get_queue_attributes", {"Attributes": counts})
    topic = {"Policy": json.dumps({"Statement": [{**CONNECT_MAY, "Action": publish}]})}
    stubs["sns"].add_response(
        "get_topic_attributes", {"Attributes": topic | ({"KmsMasterKeyId": key} if key else {})}
    )
    if key == KEY:
        statement = {**CONNECT_MAY, "Action": list(uses) if isinstance(uses, tuple) else uses}
        stubs["kms"].add_response("get_key_policy", {"Policy": json.dumps({"Statement": statement})})
    checks = Checks()
    chat.attempt(chat_bridge(), stubs.account, checks, vendor=False)
    stubs.done()
    return checks


def test_a_chat_bridge_that_is_well_passes_and_the_vendor_is_not_asked(stubs: Stubs) -> None:
    checks = try_chat(stubs, CHECKED)
    skipped = {check.name for check in checks.done if check.outcome is Outcome.SKIPPED}
    assert skipped == {"chat-webhook-connection"}
    assert {check.outcome for check in checks.done} == {Outcome.OK, Outcome.SKIPPED}


def test_a_refused_start_names_function_action_and_the_arn_that_aws_checked(stubs: Stubs) -> None:
    refused = (
        "connect StartContactStreaming: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/r/f is not "
        f"authorized to perform: connect:StartContactStreaming on resource: {INSTANCE}/contact/c because no"
    )
    checks = try_chat(stubs, {**CHECKED, "start": "AccessDeniedException", "detail": refused})
    check = found(checks, "chat-start-permission")
    assert (check.outcome, check.conclusive) == (Outcome.FAILED, True)
    assert check.why == (
        f"Start may not call connect:StartContactStreaming on {INSTANCE}/contact/c (AccessDeniedException)."
    )
    assert "connect:StartContactStreaming" in check.todo
    assert found(checks, "chat-stop-permission").outcome is Outcome.OK


def test_throttling_shows_nothing_about_a_permission(stubs: Stubs) -> None:
    check = found(try_chat(stubs, {**CHECKED, "stop": "ThrottlingException"}), "chat-stop-permission")
    assert (check.outcome, check.conclusive) == (Outcome.FAILED, False)


def test_a_function_of_an_older_version_is_told_apart(stubs: Stubs) -> None:
    old = {
        "errorType": "InvalidEventError",
        "errorMessage": "the block's parameter action is 'check'; write start or stop, or leave it out for start",
    }
    checks = try_chat(stubs, old, error="Unhandled")
    check = found(checks, "chat-dry-run")
    assert (check.outcome, check.conclusive) == (Outcome.FAILED, False)
    assert "older version" in check.why
    assert found(checks, "chat-start-permission").outcome is Outcome.SKIPPED


def test_a_wrong_environment_is_told_in_the_functions_words(stubs: Stubs) -> None:
    raised = {"errorType": "ConfigurationError", "errorMessage": "WEBHOOK_URL is missing"}
    check = found(try_chat(stubs, raised, error="Unhandled"), "chat-dry-run")
    assert "ConfigurationError: WEBHOOK_URL is missing" in check.why


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("chat-token", {"answer": {**CHECKED, "token": "verificationTokenUnavailable"}}, "put-secret-value"),
        (
            "chat-webhook-connection",
            {"answer": {**CHECKED, "webhook": "webhookUntrusted"}},
            "bot.example.com",
        ),
        ("chat-subscription", {"pending": "true"}, "Request confirmation"),
        ("chat-dead-letters", {"waiting": "3"}, "3 messages"),
        ("chat-topic-policy", {"publish": "sns:Subscribe"}, "publish"),
        ("chat-key-policy", {"uses": ("kms:Decrypt",)}, "kms:GenerateDataKey*"),
        ("chat-key-policy", {"key": "alias/aws/sns"}, "alias/aws/sns"),
    ],
)
def test_what_is_wrong_with_a_chat_bridge_is_found_and_nothing_else(
    stubs: Stubs, name: str, wrong: dict[str, Any], told: str
) -> None:
    checks = try_chat(stubs, **{"answer": CHECKED, **wrong})
    assert [check.name for check in checks.done if check.outcome is Outcome.FAILED] == [name]
    check = found(checks, name)
    assert told in check.why + check.todo
    assert check.todo


def test_a_topic_without_a_key_has_no_key_policy_to_check(stubs: Stubs) -> None:
    assert found(try_chat(stubs, CHECKED, key=""), "chat-key-policy").outcome is Outcome.SKIPPED


# --- VoiceBiometricGate ------------------------------------------------------------------------------------------

OPENED = {
    "Branch": "enrollfromscratch",
    "Reason": "transfer",
    "biometricResult": "pending",
    "Digits": ",,12345678",
}
BACK = {"Branch": "unavailable", "Reason": "dialogueIncomplete", "biometricResult": "unavailable"}
ITEM = {"phoneNumber": {"S": "+999"}, "revision": {"S": "r1"}}


def gate_bridge(api: Api) -> Bridge:
    names = ("Gate", "Webhook", "Erase", "Unlock", "Retention")
    return bridge(
        "VoiceBiometricGate",
        webhookUrl=api.url,
        telephonyNumber="+12065550188",
        table={"name": "callers", "partitionKey": "phoneNumber"},
        secrets={"telephony": {"arn": SECRET}},
        functions={name: name for name in names},
        flows={},
    )


def try_gate(
    stubs: Stubs,
    api: Api,
    *,
    first: Mapping[str, str] = OPENED,
    log: str = "",
    back: Mapping[str, str] = BACK,
    seen: tuple[Mapping[str, Any], ...] = (ITEM,) * 4,
    erased: tuple[object, ...] = ({"erased": True}, {"erased": False}),
    left: Mapping[str, Any] | None = None,
) -> Checks:
    stubs.invoked(first, log=log, expected={"FunctionName": "Gate"})
    stubs.items(*seen)
    stubs.invoked(back, expected={"FunctionName": "Gate"})
    stubs.items(ITEM if first is OPENED else {})
    for answer in erased:
        stubs.invoked(answer, expected={"FunctionName": "Erase"})
    stubs.items(left or {})
    if left:
        stubs["dynamodb"].add_response("delete_item", {})
    checks = Checks()
    gate.attempt(gate_bridge(api), stubs.account, checks)
    stubs.done()
    return checks


def test_a_gate_that_is_well_passes_and_shows_no_code(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    checks = try_gate(stubs, api)
    assert {check.name: check.outcome for check in checks.done if check.outcome is not Outcome.OK} == {
        "gate-retention": Outcome.SKIPPED
    }
    assert "12345678" not in " ".join(check.why for check in checks.done)
    assert [("x-twilio-signature" in headers) for headers in api.headers] == [False, True]


def test_without_self_enrolment_an_unknown_caller_is_turned_away(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    turned_away = {"Branch": "unavailable", "Reason": "notEnrolled", "biometricResult": "notEnrolled"}
    checks = try_gate(
        stubs, api, first=turned_away, seen=({},) * 4, erased=({"erased": False}, {"erased": False})
    )
    assert Outcome.FAILED not in {check.outcome for check in checks.done}


def test_a_gate_that_verifies_a_stranger_is_found(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    verified = {"Branch": "verified", "Reason": "voiceMatched", "biometricResult": "verified"}
    checks = try_gate(stubs, api, back=verified)
    assert "called a caller verified" in found(checks, "gate-nothing-proved").why


def test_a_gate_that_cannot_use_its_table_names_function_and_action(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    checks = try_gate(
        stubs,
        api,
        first={"Branch": "unavailable", "Reason": "tableUnavailable", "biometricResult": "unavailable"},
        log='{"level":"WARNING","message":"gate could not decide","cause":"AccessDeniedException"}',
        seen=({},) * 4,
        erased=({"erased": False}, {"erased": False}),
    )
    check = found(checks, "gate-unknown-caller")
    assert "Gate met AccessDeniedException" in check.why
    assert "dynamodb:PutItem" in check.todo


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (200, "<?xml version='1.0'?><Response><Hangup/></Response>", "takes forged ones"),
        (502, "{}", "502 instead of 403"),
    ],
)
def test_a_webhook_that_does_not_refuse_a_forged_message_is_found(
    stubs: Stubs, api: Api, status: int, text: str, told: str
) -> None:
    api.answers = lambda *_: (status, text)
    checks = try_gate(stubs, api, seen=(ITEM,) * 2)
    for name in ("gate-webhook-unsigned", "gate-webhook-wrong-signature"):
        assert told in found(checks, name).why


def test_a_forged_message_that_changes_something_is_found(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    changed = {**ITEM, "revision": {"S": "r2"}}
    checks = try_gate(stubs, api, seen=(ITEM, changed, changed, changed))
    assert "has changed" in found(checks, "gate-webhook-unsigned").why
    assert found(checks, "gate-webhook-wrong-signature").outcome is Outcome.OK


def test_a_test_caller_that_the_erase_function_leaves_is_deleted(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    check = found(try_gate(stubs, api, left=ITEM), "gate-erase")
    assert check.outcome is Outcome.FAILED
    assert "now deleted" in check.why


def test_a_test_caller_is_deleted_when_the_erase_function_fails(stubs: Stubs, api: Api) -> None:
    api.answers = lambda *_: (403, "<Response/>")
    stubs.invoked(OPENED)
    stubs.items(*(ITEM,) * 4)
    stubs.invoked(BACK)
    stubs.items(ITEM)
    stubs.invoked(
        {"errorType": "ClientError", "errorMessage": "An error occurred (AccessDeniedException)"},
        error="Unhandled",
        log="x is not authorized to perform: dynamodb:DeleteItem on resource: arn:aws:dynamodb:table/callers because",
    )
    stubs["dynamodb"].add_response("delete_item", {}, {"TableName": "callers", "Key": ANY})
    checks = Checks()
    gate.attempt(gate_bridge(api), stubs.account, checks)
    stubs.done()
    assert "Erase may not call dynamodb:DeleteItem" in found(checks, "gate-erase").why


# --- MetadataBridge ----------------------------------------------------------------------------------------------


class Store:
    """What a metadata API does, and where it may go wrong."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.accepts = TOKEN
        self.limit = 32_768
        self.status = 0
        self.interrupted = False

    def __call__(self, headers: Mapping[str, str], query: Mapping[str, str], body: str) -> tuple[int, str]:
        token = headers.get("authorizationtoken")
        if self.status:
            return self.status, '{"error": {"code": "INTERNAL_ERROR"}}'
        if token is None or (self.accepts and token != self.accepts):
            return (401 if token is None else 403), "{}"
        if "contactId" not in query:
            return 400, "{}"
        if len(body) >= self.limit:
            return 413, '{"error": {"code": "METADATA_TOO_LARGE"}}'
        self.held[query["contactId"]] = body
        return 200, '{"stored": true, "expiresAt": "2026-11-22T12:00:00Z"}'


def metadata_bridge(api: Api) -> Bridge:
    return bridge(
        "MetadataBridge",
        url=api.url,
        restApiId="abcdefghij",
        stageName="dev",
        tokenHeader="authorizationToken",
        table={"name": "metadata", "partitionKey": "contactId"},
        secrets={"token": {"arn": SECRET}},
        functions={"Store": "Store", "Authorize": "Authorize", "Retrieve": "Retrieve"},
    )


@dataclass
class Http:
    """What botocore wants to see of an answer that a handler gives in AWS's place."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


def try_metadata(stubs: Stubs, api: Api, store: Store, *, removes: str | None = None) -> Checks:
    """Try a bridge whose functions are answered by `store`; removes: the error code of DeleteItem, none if it works."""
    api.answers = store
    stubs["secretsmanager"].add_response("get_secret_value", {"SecretString": TOKEN})
    denied = "is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:1:table/t because"

    def invoke(params: Mapping[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        name, event = params["url_path"].split("/")[3], json.loads(params["body"])
        answer: dict[str, object] = {"statusCode": 500} if name == "Store" else {"principalId": "vendor"}
        if name == "Retrieve":
            if store.interrupted:
                store.interrupted = False
                raise KeyboardInterrupt
            body = store.held.get(event["Details"]["ContactData"]["ContactId"])
            answer = {"found": "false"} if body is None else {"found": "true", "body": body}
        text = json.dumps(answer).encode()
        return Http(200), {
            "Payload": StreamingBody(io.BytesIO(text), len(text)),
            "LogResult": base64.b64encode(denied.encode() if name == "Store" else b"").decode(),
        }

    stubs.account.client("lambda").meta.events.register("before-call.lambda.Invoke", invoke)

    def delete(params: Mapping[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        if removes:
            return Http(400), {"Error": {"Code": removes, "Message": "no"}}
        store.held.pop(json.loads(params["body"])["Key"]["contactId"]["S"], None)
        return Http(200), {}

    stubs.account.client("dynamodb").meta.events.register("before-call.dynamodb.DeleteItem", delete)
    arns = ["arn:aws:lambda:us-east-1:123456789012:function:Retrieve"]
    stubs["connect"].add_response("list_lambda_functions", {"LambdaFunctions": arns})
    checks = Checks()
    metadata.attempt(metadata_bridge(api), stubs.account, checks)
    stubs.done()
    return checks


def failures(checks: Checks) -> list[str]:
    return [check.name for check in checks.done if check.outcome is Outcome.FAILED]


def test_a_metadata_bridge_that_is_well_passes_and_keeps_nothing(stubs: Stubs, api: Api) -> None:
    store = Store()
    checks = try_metadata(stubs, api, store)
    assert {check.outcome for check in checks.done} == {Outcome.OK}, checks.done
    assert store.held == {}
    assert TOKEN not in repr(checks.done)


def test_a_store_function_without_a_permission_is_named_with_the_action(stubs: Stubs, api: Api) -> None:
    store = Store()
    store.status = 500
    check = found(try_metadata(stubs, api, store), "metadata-round-trip")
    assert "500 INTERNAL_ERROR" in check.why
    assert "Store may not call dynamodb:PutItem" in check.why


def test_an_api_that_takes_any_token_is_found_and_cleaned_up(stubs: Stubs, api: Api) -> None:
    store = Store()
    store.accepts = ""
    checks = try_metadata(stubs, api, store)
    assert failures(checks) == ["metadata-wrong-token"]
    assert store.held == {}


def test_an_api_that_does_not_take_the_secrets_token_is_found(stubs: Stubs, api: Api) -> None:
    store = Store()
    store.accepts = "another"
    checks = try_metadata(stubs, api, store)
    assert "does not take the token that the secret holds" in found(checks, "metadata-round-trip").why


def test_metadata_without_a_limit_is_found(stubs: Stubs, api: Api) -> None:
    store = Store()
    store.limit = 1_000_000
    assert failures(try_metadata(stubs, api, store)) == ["metadata-oversized"]
    assert store.held == {}


def test_who_interrupts_a_run_leaves_nothing_behind(stubs: Stubs, api: Api) -> None:
    store = Store()
    store.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        try_metadata(stubs, api, store)
    assert len(api.headers) == 1
    assert store.held == {}


def test_what_may_not_be_deleted_expires_and_the_run_says_when(stubs: Stubs, api: Api) -> None:
    store = Store()
    check = found(try_metadata(stubs, api, store, removes="AccessDeniedException"), "metadata-removed")
    assert check.outcome is Outcome.SKIPPED
    assert "expires by itself at 2026-11-22T12:00:00Z" in check.why
    assert "dynamodb:DeleteItem" in check.todo


# --- flows and connectors ----------------------------------------------------------------------------------------


def content(*blocks: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2019-10-30", "StartAction": "first", "Actions": list(blocks)})


INVOKES = {
    "Identifier": "first",
    "Type": "InvokeLambdaFunction",
    "Parameters": {"LambdaFunctionARN": FUNCTION},
}


@pytest.mark.parametrize(
    ("flow", "associated", "failed", "told"),
    [
        ({}, [FUNCTION], [], ""),
        ({"Status": "SAVED"}, [FUNCTION], ["flow-published"], "SAVED"),
        ({"State": "ARCHIVED"}, [FUNCTION], ["flow-published"], "ARCHIVED"),
        ({"Content": "{"}, None, ["flow-published"], "no flow"),
        ({"Content": content({"Identifier": "other"})}, None, ["flow-published"], "no flow"),
        ({}, [], ["functions-associated"], FUNCTION),
        ({}, [f"{FUNCTION}-other"], ["functions-associated"], FUNCTION),
    ],
)
def test_what_is_wrong_with_a_flow_is_found(
    stubs: Stubs, flow: dict[str, str], associated: list[str] | None, failed: list[str], told: str
) -> None:
    described = {"Name": "Support", "State": "ACTIVE", "Status": "PUBLISHED", "Content": content(INVOKES)}
    stubs["connect"].add_response(
        "describe_contact_flow",
        {"ContactFlow": described | flow},
        {"InstanceId": INSTANCE_ID, "ContactFlowId": FLOW_ID},
    )
    if associated is not None:
        stubs["connect"].add_response(
            "list_lambda_functions", {"LambdaFunctions": associated}, {"InstanceId": INSTANCE_ID}
        )
    checks = Checks()
    flows.attempt(bridge("ExternalVoiceTransfer", flows={"Flow": FLOW}), stubs.account, checks)
    stubs.done()
    assert failures(checks) == failed
    assert told in " ".join(check.why for check in checks.done)


@pytest.mark.parametrize(
    ("kind", "associated", "host", "failed"),
    [
        ("CONNECT_CALL_TRANSFER_CONNECTOR", [CONNECTOR], "sbc.example.com", []),
        ("CONNECT_ANALYTICS_CONNECTOR", [CONNECTOR], "sbc.example.com", ["connector-exists"]),
        ("CONNECT_CALL_TRANSFER_CONNECTOR", [], "sbc.example.com", ["connector-associated"]),
        ("CONNECT_CALL_TRANSFER_CONNECTOR", [CONNECTOR], "other.example.com", ["connector-origination"]),
    ],
)
def test_what_is_wrong_with_a_connector_is_found(
    stubs: Stubs, kind: str, associated: list[str], host: str, failed: list[str]
) -> None:
    chime = stubs["chime-sdk-voice"]
    chime.add_response("get_voice_connector", {"VoiceConnector": {"Name": "vendor", "IntegrationType": kind}})
    if kind == "CONNECT_CALL_TRANSFER_CONNECTOR":
        routes = {"Routes": [{"Host": host, "Port": 5061, "Protocol": "TCP"}]}
        chime.add_response("get_voice_connector_origination", {"Origination": routes})
        chime.add_response("get_voice_connector_logging_configuration", {"LoggingConfiguration": {}})
    listed = [{"IntegrationArn": arn} for arn in associated]
    stubs["connect"].add_response(
        "list_integration_associations", {"IntegrationAssociationSummaryList": listed}
    )
    checks = Checks()
    connector = bridge(
        "ExternalVoiceConnector", connectorArn=CONNECTOR, host="sbc.example.com", port=5061, protocol="TCP"
    )
    voice.attempt_connector(connector, stubs.account, checks)
    stubs.done()
    assert failures(checks) == failed
    assert all(check.todo for check in checks.done if check.outcome is Outcome.FAILED)


# --- requests ----------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed_with_the_token(api: Api) -> None:
    api.answers, api.location = (lambda *_: (307, "")), api.url
    assert web.post(api.url, headers={"authorizationToken": TOKEN}, body=b"{}").status == 307
    assert len(api.headers) == 1


def test_a_token_does_not_travel_in_the_clear() -> None:
    with pytest.raises(web.WebError, match="no https URL"):
        web.post("http://api.example.com/dev", headers={"authorizationToken": TOKEN}, body=b"{}")


@pytest.mark.parametrize("answers", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"])
def test_an_answer_that_does_not_come_is_given_up_in_time(answers: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            held.append(connection)
            connection.recv(1000)
            connection.sendall(answers)

        held: list[socket.socket] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(web.WebError, match=r"127.0.0.1 gave no answer within 0 s \(") as raised:
            web.post(
                f"http://127.0.0.1:{server.getsockname()[1]}/x", headers={"t": TOKEN}, body=b"", seconds=0.4
            )
        thread.join()
        held[0].close()
    assert TOKEN not in str(raised.value)


def test_an_emulator_on_this_machine_is_asked_for_the_api_by_name(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = "abcdefghij.execute-api.us-east-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{urlsplit(api.url).port}")
    assert web.post(f"https://{host}/dev/x?contactId=1", headers={}, body=b"{}").status == 200
    assert api.headers[0]["host"] == host


def test_an_endpoint_elsewhere_gets_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://emulator.example.com:4566")
    url = "https://abcdefghij.execute-api.us-east-1.amazonaws.com/dev"
    assert web._where(url) == (url, "")


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch, api: Api) -> Api:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": api.url.removesuffix("/dev/path"),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    return api


def refusal(code: str, message: str) -> str:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<ErrorResponse>{error}</ErrorResponse>"


STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"


def described(status: str) -> str:
    member = (
        f"<member><StackName>s</StackName><StackId>{STACK_ID}</StackId><StackStatus>{status}</StackStatus>"
        "<CreationTime>2026-11-21T12:00:00Z</CreationTime></member>"
    )
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
        f"<Stacks>{member}</Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )


NO_RESOURCES = (
    '<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStackResourcesResult>'
    "<StackResourceSummaries/></ListStackResourcesResult></ListStackResourcesResponse>"
)


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (
            400,
            refusal("ValidationError", "Stack with id s does not exist"),
            "there is no stack s in us-east-1",
        ),
        (403, refusal("AccessDenied", "no"), "cloudformation:DescribeStacks"),
        (403, refusal("ExpiredToken", "old"), "have expired"),
        (200, described("ROLLBACK_COMPLETE"), "connect-bridges doctor --stack s"),
        (200, described("CREATE_COMPLETE"), "tells of no construct"),
    ],
)
def test_a_stack_that_cannot_be_tried_is_an_error_and_nothing_is_tried(
    cloudformation: Api, capsys: pytest.CaptureFixture[str], status: int, text: str, told: str
) -> None:
    def answer(_headers: object, _query: object, body: str) -> tuple[int, str]:
        return (200, NO_RESOURCES) if "Action=ListStackResources" in body else (status, text)

    cloudformation.answers = answer
    assert main(["smoke", "--stack", "s"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err


@pytest.mark.parametrize("arguments", [[], ["--stack"], ["--stack", ""], ["--stack", "s", "--fast"]])
def test_a_command_that_is_written_wrongly_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["smoke", *arguments]) == 2
    assert "connect-bridges smoke: " in capsys.readouterr().err


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--help"]) == 0
    assert "--vendor-check" in capsys.readouterr().out


# --- results -----------------------------------------------------------------------------------------------------


def test_credentials_that_aws_does_not_take_end_the_run(stubs: Stubs) -> None:
    stubs["sqs"].add_client_error("get_queue_attributes", "ExpiredToken", "old")
    with (
        pytest.raises(aws.AwsError, match="have expired"),
        asking("read the queue", "sqs:GetQueueAttributes"),
    ):
        stubs.account.client("sqs").get_queue_attributes(QueueUrl=QUEUE)


@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("no. really", "connect:ListLambdaFunctions"),
        (
            "x is not authorized to perform: connect:DescribeInstance on resource: y",
            "connect:DescribeInstance",
        ),
    ],
)
def test_a_permission_that_the_person_lacks_concludes_nothing(
    stubs: Stubs, message: str, action: str
) -> None:
    stubs["connect"].add_client_error("list_lambda_functions", "AccessDeniedException", message)
    checks = Checks()
    flows.try_association(bridge("MetadataBridge"), stubs.account, checks, ["Retrieve"])
    [check] = checks.done
    assert (check.outcome, check.conclusive) == (Outcome.FAILED, False)
    assert check.todo == f"Let your role or user call {action}."


ENTRY = """
[[entry]]
id = "some-claim"
claim = "It is so."
used_in = ["constructs/connect_bridges/chat/bridge.py"]
known = "inferred"
source = "nowhere"
noticed = "a chat"
proved_by = ["smoke:chat-start-permission", "smoke:chat-stop-permission"]
if_wrong = "Grant it."
"""


@pytest.mark.parametrize(
    ("start", "stop", "state"),
    [
        (
            Check("chat-start-permission", Outcome.OK, ""),
            Check("chat-stop-permission", Outcome.OK, ""),
            "proved",
        ),
        (
            Check("chat-start-permission", Outcome.FAILED, "", conclusive=True),
            Check("chat-stop-permission", Outcome.OK, ""),
            "disproved",
        ),
        (
            Check("chat-start-permission", Outcome.FAILED, ""),
            Check("chat-stop-permission", Outcome.OK, ""),
            "open",
        ),
        (
            Check("chat-start-permission", Outcome.SKIPPED, ""),
            Check("chat-stop-permission", Outcome.OK, ""),
            "open",
        ),
    ],
)
def test_an_entry_is_proved_by_all_its_checks_and_disproved_by_one_that_concludes(
    monkeypatch: pytest.MonkeyPatch, start: Check, stop: Check, state: str
) -> None:
    entries = evidence.read(ENTRY)
    monkeypatch.setattr(evidence, "entries", lambda: entries)
    [one] = proofs([("ChatStreamBridge", start), ("ChatStreamBridge", stop)])
    assert (one.id, one.state) == ("some-claim", state)
    assert proofs([("VoiceBiometricGate", start), ("VoiceBiometricGate", stop)]) == []


def test_ids_of_open_entries_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"entry-number-{number}" for number in range(40)]
    smoke._conclude(smoke.Run(proofs=[Proof(one, "open", (), "a call") for one in ids]))
    assert re.findall(r"entry-number-\d+", capsys.readouterr().out) == ids


def test_every_check_that_evidence_names_exists() -> None:
    named = {
        name.removeprefix("smoke:")
        for entry in evidence.entries()
        for name in entry.proved_by
        if name.startswith("smoke:")
    }
    sources = " ".join(
        Path(str(module.__file__)).read_text(encoding="utf-8")
        for module in (chat, flows, gate, metadata, voice)
    )
    known = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', sources)) | {
        "flow-published",
        "module-published",
        "description-resolved",
    }
    assert named - known == set()


def test_a_policy_joins_what_is_needed_on_one_resource_and_keeps_conditions() -> None:
    document = policy(
        [
            Need(("b:Two", "a:One"), "arn:x"),
            Need(("a:One",), "arn:x"),
            Need(("a:One", "b:Two"), "arn:y"),
            Need(("kms:Decrypt",), "arn:key/*", ("dynamodb.us-east-1.amazonaws.com",)),
        ]
    )
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["a:One", "b:Two"], "Resource": ["arn:x", "arn:y"]},
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": ["arn:key/*"],
            "Condition": {"StringEquals": {"kms:ViaService": ["dynamodb.us-east-1.amazonaws.com"]}},
        },
    ]
