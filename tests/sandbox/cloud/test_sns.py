"""SNS over HTTP: confirmation, envelope, signature, filter, retries, dead letters, and who may publish."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from connect_sandbox.cloud import AwsError, Sandbox, ServicePrincipal
from connect_sandbox.cloud.principals import Admin
from connect_sandbox.cloud.sns_signing import is_signed

pytestmark = pytest.mark.sandbox

ACCOUNT = "123456789012"
INSTANCE = f"arn:aws:connect:us-east-1:{ACCOUNT}:instance/11111111-2222-3333-4444-555555555555"
CONNECT = ServicePrincipal("connect.amazonaws.com", source_account=ACCOUNT, source_arn=INSTANCE)
ONLY_INSTANCE = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnEquals": {"aws:SourceArn": INSTANCE},
}


@dataclass
class Endpoint:
    """An HTTP endpoint that keeps what it gets, and answers with `statuses` in turn, then with 200."""

    url: str
    got: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def notifications(self) -> list[dict[str, Any]]:
        return [body for headers, body in self.got if headers["x-amz-sns-message-type"] == "Notification"]

    def confirmation(self) -> dict[str, Any]:
        wait_for(lambda: bool(self.got))
        return self.got[0][1]

    def confirm(self) -> None:
        assert requests.get(self.confirmation()["SubscribeURL"], timeout=5).status_code == 200


def wait_for(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert holds()


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers.items()), json.loads(body)))
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    with endpoint() as found:
        yield found


def template(url: str, *, topic_conditions: Any = ONLY_INSTANCE, key_actions: Any = None, sqs: bool = True,
             **subscription: Any) -> dict[str, Any]:  # fmt: skip
    """Return a stack as the chat path has it: key, encrypted topic, subscription, dead-letter queue."""
    topic, queue = {"Ref": "Topic"}, {"Fn::GetAtt": ["Queue", "Arn"]}
    allow = {"Effect": "Allow", "Resource": "*"}
    key_statements = [
        {**allow, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"},
        {
            **allow,
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        },
        {
            **allow,
            "Principal": {"Service": "connect.amazonaws.com"},
            "Action": key_actions or ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Condition": ONLY_INSTANCE,
        },
    ]
    publish = {
        "Effect": "Allow",
        "Principal": {"Service": "connect.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": topic_conditions,
    }
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage" if sqs else "sqs:GetQueueUrl",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }

    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    return {
        "Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy(*key_statements)}},
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}, "SignatureVersion": "2"},
            },
            "TopicPolicy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {"Topics": [topic], "PolicyDocument": policy(publish)},
            },
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
            },
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy(send)},
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": topic,
                    "Protocol": "http",
                    "Endpoint": url,
                    "RedrivePolicy": {"deadLetterTargetArn": queue},
                    **subscription,
                },
            },
        }
    }


def publish(sandbox: Sandbox, topic: str, message: str = "hello", **attributes: str) -> None:
    sandbox.sns.publish(CONNECT, topic, message, attributes=attributes)
    assert sandbox.sns.deliveries.wait(10)


def test_nothing_is_delivered_before_the_endpoint_has_confirmed(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url))
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    topic, arn = stack.resources["Topic"], stack.resources["Subscription"]
    client = sandbox.boto3_client("sns")
    confirmation = hook.confirmation()
    publish(sandbox, topic)
    assert hook.notifications() == []
    [listed] = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    assert (confirmation["Type"], confirmation["TopicArn"]) == ("SubscriptionConfirmation", topic)
    with pytest.raises(ClientError, match="InvalidParameter"):
        client.confirm_subscription(TopicArn=topic, Token="wrong")

    hook.confirm()
    publish(sandbox, topic, "second")
    assert [n["Message"] for n in hook.notifications()] == ["second"]
    assert (
        client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"]
        == "false"
    )
    client.unsubscribe(SubscriptionArn=arn)
    publish(sandbox, topic, "third")
    assert len(hook.notifications()) == 1


def test_a_notification_has_the_documented_envelope_and_a_signature_that_the_certificate_verifies(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url))
    hook.confirm()
    publish(sandbox, stack.resources["Topic"], '{"a": "ü"}', Type="MESSAGE")
    headers, body = hook.got[-1]
    assert headers["x-amz-sns-topic-arn"] == stack.resources["Topic"]
    assert headers["x-amz-sns-subscription-arn"] == stack.resources["Subscription"]
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert set(body) == {
        *("Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature"),
        *("SigningCertURL", "UnsubscribeURL", "MessageAttributes"),
    }
    assert body["MessageAttributes"] == {"Type": {"Type": "String", "Value": "MESSAGE"}}
    certificate = requests.get(body["SigningCertURL"], timeout=5).content
    assert body["SignatureVersion"] == "2"
    assert is_signed(body, certificate)
    assert is_signed(hook.confirmation(), certificate)
    assert not is_signed({**body, "Message": "forged"}, certificate)
    assert not is_signed({**body, "SignatureVersion": "1"}, certificate)


def test_only_what_the_filter_policy_lets_through_is_delivered(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(
        template(hook.url, FilterPolicy={"Type": ["MESSAGE"], "Role": [{"anything-but": ["BOT"]}]})
    )
    hook.confirm()
    for kind, role in (("MESSAGE", "CUSTOMER"), ("EVENT", "CUSTOMER"), ("MESSAGE", "BOT")):
        publish(sandbox, stack.resources["Topic"], f"{kind} {role}", Type=kind, Role=role)
    publish(sandbox, stack.resources["Topic"], "neither")
    assert [n["Message"] for n in hook.notifications()] == ["MESSAGE CUSTOMER"]


def test_server_errors_are_retried_as_the_delivery_policy_says(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    policy = {"healthyRetryPolicy": {"numRetries": 3, "minDelayTarget": 1, "maxDelayTarget": 1}}
    stack = deploy(template(hook.url, DeliveryPolicy=policy))
    hook.confirm()
    hook.statuses = [500, 429, 503]
    publish(sandbox, stack.resources["Topic"], "at last")
    [delivery] = sandbox.sns.deliveries.notifications()[-1:]
    assert (delivery.attempts, delivery.outcome) == ([500, 429, 503, 200], "delivered")


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (404, 1)])
def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue_as_it_would_have_been_sent(
    sandbox: Sandbox, deploy: Any, hook: Endpoint, status: int, attempts: int
) -> None:
    policy = {"healthyRetryPolicy": {"numRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}}
    stack = deploy(template(hook.url, DeliveryPolicy=policy))
    hook.confirm()
    hook.statuses = [status] * attempts
    publish(sandbox, stack.resources["Topic"], "undelivered")
    delivery = sandbox.sns.deliveries.notifications()[-1]
    assert (len(delivery.attempts), delivery.outcome) == (attempts, "dead-lettered")
    [letter] = sandbox.boto3_client("sqs").receive_message(QueueUrl=stack.resources["Queue"])["Messages"]
    assert json.loads(letter["Body"]) == hook.notifications()[-1]


def test_a_queue_that_sns_may_not_write_to_loses_the_message_and_the_record_says_why(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url, sqs=False))
    hook.confirm()
    hook.statuses = [404]
    publish(sandbox, stack.resources["Topic"])
    delivery = sandbox.sns.deliveries.notifications()[-1]
    assert delivery.outcome == "lost"
    assert "sqs:SendMessage" in delivery.why


def test_amazon_connect_publishes_for_the_named_instance_only(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url))
    other = ServicePrincipal("connect.amazonaws.com", source_account=ACCOUNT, source_arn=INSTANCE[:-1] + "6")
    with pytest.raises(AwsError, match=r"AuthorizationError: .* sns:Publish"):
        sandbox.sns.publish(other, stack.resources["Topic"], "not mine")


@pytest.mark.parametrize("how", ["API", "console"])
def test_what_a_topics_policy_denies_to_everybody_the_developer_may_not_do_either(
    sandbox: Sandbox, deploy: Any, hook: Endpoint, how: str
) -> None:
    """All permissions in the account allow publishing where the policy is silent; a Deny wins on AWS, and here."""
    stack = deploy(template(hook.url))
    topic = stack.resources["Topic"]

    def publish_as_developer() -> None:
        if how == "API":
            sandbox.boto3_client("sns").publish(TopicArn=topic, Message="mine")
        else:
            sandbox.sns.publish(Admin(ACCOUNT), topic, "mine")

    publish_as_developer()
    document = json.loads(
        sandbox.boto3_client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    )
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnNotEquals": {"aws:SourceArn": INSTANCE}},
    }
    document["Statement"].append(denied)
    sandbox.boto3_client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(document)
    )
    with pytest.raises((AwsError, ClientError), match=r"AuthorizationError.* sns:Publish"):
        publish_as_developer()
    sandbox.sns.publish(CONNECT, topic, "Amazon Connect's")


def test_a_key_that_connect_may_not_use_fails_the_publish(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url, key_actions=["kms:Decrypt"]))
    with pytest.raises(AwsError, match=r"KMSAccessDenied: .* kms:GenerateDataKey"):
        sandbox.sns.publish(CONNECT, stack.resources["Topic"], "hello")


def test_raw_delivery_has_neither_envelope_nor_signature(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url, RawMessageDelivery=True))
    hook.confirm()
    publish(sandbox, stack.resources["Topic"], '{"only": "this"}')
    headers, body = hook.got[-1]
    assert (body, headers["x-amz-sns-rawdelivery"]) == ({"only": "this"}, "true")


@pytest.mark.parametrize(
    ("endpoint", "protocol"), [("https://bot.example.com/hook", "https"), ("on-call@example.com", "email")]
)
def test_an_endpoint_elsewhere_is_not_contacted_and_a_warning_says_so(
    sandbox: Sandbox, deploy: Any, endpoint: str, protocol: str
) -> None:
    stack = deploy(template(endpoint, Protocol=protocol))
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    assert any(endpoint in warning for warning in sandbox.warnings)
    publish(sandbox, stack.resources["Topic"])
    assert all(d.destination.topic_arn != stack.resources["Topic"] for d in sandbox.sns.deliveries.all)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"Protocol": "sms"}, "Protocol=sms"),
        ({"Protocol": "sqs"}, "Invalid parameter: SQS endpoint ARN"),
        ({"Protocol": "email"}, "Invalid parameter: Email address"),
        ({"FilterPolicyScope": "Message"}, "FilterPolicyScope: Invalid value [Message]"),
        ({"FilterPolicy": {"n": [{"numeric": [">"]}]}}, "FilterPolicy: Value of > must be numeric"),
        ({"SubscriptionRoleArn": "arn:aws:iam::123456789012:role/x"}, "SubscriptionRoleArn"),
        ({"DeliveryPolicy": {"healthyRetryPolicy": {"numRetries": 101}}}, "DeliveryPolicy"),
        (
            {"RedrivePolicy": {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:none"}},
            "deadLetterTargetArn",
        ),
    ],
)
def test_what_is_not_reproduced_or_not_allowed_fails_the_deployment_by_name(
    deploy: Any, hook: Endpoint, properties: dict[str, Any], named: str
) -> None:
    stack = deploy(template(hook.url, **properties))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert named in stack.reasons


def test_the_policies_of_a_subscription_change_in_place(
    sandbox: Sandbox, deploy: Any, hook: Endpoint
) -> None:
    stack = deploy(template(hook.url, FilterPolicy={"Type": ["MESSAGE"]}))
    hook.confirm()
    changed = deploy(template(hook.url, FilterPolicy={"Type": ["EVENT"]}), name=stack.name)
    assert changed.resources["Subscription"] == stack.resources["Subscription"]
    publish(sandbox, stack.resources["Topic"], "event", Type="EVENT")
    publish(sandbox, stack.resources["Topic"], "message", Type="MESSAGE")
    assert [n["Message"] for n in hook.notifications()] == ["event"]
