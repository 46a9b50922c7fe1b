"""SNS: filter policies, what a publisher may send, envelopes and signatures, by boto3 and a subscribed queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import requests
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.sandbox.fidelity.cases import Case, called, error_of, fill, plain_client

_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


def answers(sandbox: Sandbox, cases: Iterable[Case]) -> Iterator[Any]:
    """Send each case; one topic and one queue serve all."""
    stage = Stage(sandbox)
    for case in cases:
        yield getattr(stage, case.kind)(case.sent)


class Stage:
    """A topic, a queue subscribed to it, and an empty one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sqs = sandbox.boto3_client("sqs")
        # Some requests are wrong on purpose: nobody but the sandbox is to say so.
        self.sns = plain_client(sandbox, "sns")
        self.topic = self.sns.create_topic(Name="fidelity")["TopicArn"]
        self.queue, self.queue_arn = self._queue("fidelity")
        _, self.spare_arn = self._queue("fidelity-spare")
        self.subscription = self._subscribe(self.topic)
        self.names = {
            "topic": self.topic,
            "queue": self.queue_arn,
            "queue_url": self.queue,
            "spare_queue": self.spare_arn,
            "subscription": self.subscription,
            "account": sandbox.account,
            "region": sandbox.region,
        }

    # -- the kinds of cases

    def delivered(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Set a filter policy, publish, and look whether the queue has the message."""
        policy = json.dumps(sent["policy"])
        try:
            self._set(FilterPolicy="", RawMessageDelivery="true")
            self._set(FilterPolicyScope=sent.get("scope", "MessageAttributes"), FilterPolicy=policy)
            self._publish(sent)
        except ClientError as error:
            return error_of(error)
        finally:
            self._set(FilterPolicy="", RawMessageDelivery="false")
        return {"delivered": bool(self._received())}

    def set_policy(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Set a filter policy of a subscription that there is; the answer to that."""
        try:
            self._set(FilterPolicy="", FilterPolicyScope=sent.get("scope", "MessageAttributes"))
            self._set(FilterPolicy=json.dumps(sent["policy"]))
        except ClientError as error:
            return error_of(error)
        finally:
            self._set(FilterPolicy="", FilterPolicyScope="MessageAttributes")
        return {"status": 200}

    def subscribe_with_policy(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Subscribe with a filter policy; the answer to that."""
        attributes = {"FilterPolicy": json.dumps(sent["policy"])}
        if "scope" in sent:
            attributes["FilterPolicyScope"] = sent["scope"]
        answer = called(
            self.sns,
            "subscribe",
            {"TopicArn": self.topic, "Protocol": "sqs", "Endpoint": self.spare_arn, "Attributes": attributes},
        )
        if answer["status"] == 200:
            self.sns.unsubscribe(SubscriptionArn=answer["SubscriptionArn"])
        return answer

    def call(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Call an operation of SNS; the answer to that, and what the queue got."""
        parameters = _with_bytes(fill(sent["with"], self.names))
        if "repeat" in sent:
            name, count = sent["repeat"]
            parameters[name] = parameters[name] * count
        answer = called(self.sns, sent["operation"], parameters)
        self._received()
        return answer

    def attributes(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Set attributes of the subscription one after the other; what GetSubscriptionAttributes tells then."""
        try:
            self._set(**fill(sent["set"], self.names))
        except ClientError as error:
            return error_of(error)
        told = self.sns.get_subscription_attributes(SubscriptionArn=self.subscription)["Attributes"]
        self._set(FilterPolicy="", FilterPolicyScope="MessageAttributes", RawMessageDelivery="false")
        return dict(told)

    def received(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Publish; what the queue got: its body (read as JSON if it is an envelope) and its attributes."""
        self._set(RawMessageDelivery=str(sent.get("raw", False)).lower())
        try:
            self._publish(sent)
        except ClientError as error:
            return error_of(error)
        finally:
            self._set(RawMessageDelivery="false")
        [message] = self._received()
        told = {
            name: {key: _as_text(value) for key, value in one.items()}
            for name, one in message.get("MessageAttributes", {}).items()
        }
        body = message["Body"] if sent.get("raw") else json.loads(message["Body"])
        names = sorted(body) if isinstance(body, dict) else None
        return {"body": body, "names": names, "attributes": told or None}

    def signed(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Publish on a topic of that signature version; whether the envelope's signature holds."""
        topic = self.sns.create_topic(
            Name=f"fidelity-signed-{sent['version']}", Attributes={"SignatureVersion": sent["version"]}
        )["TopicArn"]
        subscription = self._subscribe(topic)
        try:
            self._publish(sent, topic)
        except ClientError as error:
            return error_of(error)
        finally:
            self.sns.unsubscribe(SubscriptionArn=subscription)
        [message] = self._received()
        body = json.loads(message["Body"])
        pem = requests.get(body["SigningCertURL"], timeout=5).content
        held = {**body, **sent.get("forged", {})}
        return {
            "version": body["SignatureVersion"],
            "valid": _holds(held, pem, sent.get("hash", sent["version"])),
            "algorithm": "RSA",
        }

    # -- what they need

    def _queue(self, name: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn

    def _subscribe(self, topic: str) -> str:
        return str(
            self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self.queue_arn)["SubscriptionArn"]
        )

    def _set(self, **attributes: str) -> None:
        for name, value in attributes.items():
            self.sns.set_subscription_attributes(
                SubscriptionArn=self.subscription, AttributeName=name, AttributeValue=value
            )

    def _publish(self, sent: dict[str, Any], topic: str = "") -> None:
        message = sent.get("message", "a message")
        parameters: dict[str, Any] = {
            "TopicArn": topic or self.topic,
            "Message": message if isinstance(message, str) else json.dumps(message),
            "MessageAttributes": {
                name: {"DataType": kind, **_value(kind, value)}
                for name, (kind, value) in sent.get("attributes", {}).items()
            },
        }
        for name in ("Subject", "MessageStructure"):
            if name in sent:
                parameters[name] = sent[name]
        self.sns.publish(**parameters)

    def _received(self) -> list[dict[str, Any]]:
        got = self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = got.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return messages


def _value(kind: str, value: str) -> dict[str, Any]:
    if kind.partition(".")[0] == "Binary":
        return {"BinaryValue": base64.b64decode(value)}
    return {"StringValue": value}


def _with_bytes(parameters: Any) -> Any:
    """Return parameters with BinaryValue, which a case has in base64, as bytes."""
    if isinstance(parameters, list):
        return [_with_bytes(item) for item in parameters]
    if isinstance(parameters, dict):
        return {
            name: base64.b64decode(value) if name == "BinaryValue" else _with_bytes(value)
            for name, value in parameters.items()
        }
    return parameters


def _as_text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _holds(document: dict[str, str], pem: bytes, version: str) -> bool:
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    text = "".join(f"{name}\n{document[name]}\n" for name in _SIGNED if name in document)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  (version 1 is that)
    try:
        key.verify(base64.b64decode(document["Signature"]), text.encode(), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True
