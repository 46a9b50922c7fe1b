"""SNS for subscriptions over HTTP, of queues and of functions: subscribe, confirm, publish. moto keeps the topics.

Sources: Amazon SNS developer guide, "Subscribing an HTTP/S endpoint", "Parsing Amazon SNS message formats" and "Key
management" (what an encrypted topic asks of a publisher).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.principals import Principal, ServicePrincipal
from connect_sandbox.cloud.sns_delivery import Deliveries, Delivery, Destination
from connect_sandbox.cloud.sns_filter import SCOPES, Attribute, FilterPolicy
from connect_sandbox.cloud.sns_retries import pauses
from connect_sandbox.cloud.sns_signing import SnsSigner
from connect_sandbox.moto_internals import backend

if TYPE_CHECKING:
    from connect_sandbox.cloud.triggers.targets import Targets

SNS_PATH = "/.sns/"
"""Where the sandbox serves what AWS serves publicly at https://sns.REGION.amazonaws.com/: confirmations and
the signing certificate."""
#: Protocols that need no confirmation: their endpoints are this account's own.
_INSIDE = frozenset({"sqs", "lambda"})
_LONGEST_MESSAGE = 262_144
#: The form of a confirmation's token.
_TOKEN = re.compile(r"[0-9a-f]{128,}")
_SETTINGS = frozenset(
    {"FilterPolicy", "FilterPolicyScope", "DeliveryPolicy", "RedrivePolicy", "RawMessageDelivery"}
)
#: Attributes that SNS has too; here they would have no effect.
_OTHER_SETTINGS = frozenset({"SubscriptionRoleArn", "ReplayPolicy"})
#: Protocols that SNS has and the sandbox does not deliver by.
_OTHER_PROTOCOLS = frozenset({"email-json", "sms", "application", "firehose"})


@dataclass
class Subscription:
    """A subscription. `settings` are the attributes as set; `confirmed` is true once the endpoint has agreed."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    token: str
    settings: dict[str, str] = field(default_factory=dict)
    confirmed: bool = False
    filter: FilterPolicy | None = None

    def destination(self) -> Destination:
        """Return where and how messages go."""
        redrive = json.loads(self.settings.get("RedrivePolicy") or "{}")
        policy = json.loads(self.settings.get("DeliveryPolicy") or "{}")
        return Destination(
            subscription_arn=self.arn,
            topic_arn=self.topic_arn,
            url=self.endpoint,
            pauses=tuple(pauses(policy)),
            raw=self.settings.get("RawMessageDelivery", "false").lower() == "true",
            content_type=(policy.get("requestPolicy") or {}).get(
                "headerContentType", "text/plain; charset=UTF-8"
            ),
            dead_letter_queue_arn=redrive.get("deadLetterTargetArn"),
        )


class Sns:
    """The subscriptions of the account, and publishing to them. `deliveries` tells what became of each message."""

    def __init__(
        self,
        account: str,
        region: str,
        authorization: Authorization,
        endpoint_url: str,
        warn: Callable[[str], None],
    ) -> None:
        """`endpoint_url` is the sandbox's; `warn` is told what AWS would do and the sandbox does not."""
        self._account = account
        self._region = region
        self._authorization = authorization
        self._base = endpoint_url + SNS_PATH
        self._warn = warn
        self._lock = threading.RLock()
        self._subscriptions: dict[str, Subscription] = {}
        self.signer = SnsSigner()
        self.deliveries = Deliveries(account, region, authorization)
        self._targets: Targets | None = None

    @property
    def certificate_url(self) -> str:
        """The URL of the signing certificate."""
        return self._base + self.signer.certificate_name

    def close(self) -> None:
        """Drop what has not been delivered."""
        self.deliveries.close()

    def sends_to(self, targets: Targets) -> None:
        """Deliver to queues and functions by these; topics become a kind of target themselves."""
        self._targets = targets
        self.deliveries.told = targets.told
        targets.add("sns", self.publish)

    # -- subscriptions

    def subscribe(
        self, topic_arn: str, protocol: str, endpoint: str, settings: Mapping[str, str] | None = None
    ) -> Subscription:
        """Subscribe an endpoint and ask it to confirm. Subscribing it again returns the same subscription."""
        self._topic(topic_arn)
        _check_endpoint(protocol, endpoint)
        with self._lock:
            existing = next(
                (
                    s
                    for s in self._subscriptions.values()
                    if (s.topic_arn, s.protocol, s.endpoint) == (topic_arn, protocol, endpoint)
                ),
                None,
            )
            if existing is not None:
                if any(existing.settings.get(name) != value for name, value in (settings or {}).items()):
                    raise AwsError(
                        "InvalidParameter",
                        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes",
                    )
                return existing
            subscription = Subscription(
                f"{topic_arn}:{uuid.uuid4()}", topic_arn, protocol, endpoint, secrets.token_hex(64)
            )
            self.change(subscription, dict(settings or {}), prefix="Attributes Reason: ")
            self._subscriptions[subscription.arn] = subscription
        if protocol in _INSIDE:
            # The owner of topic and queue, or function, is one account: nobody has to confirm.
            subscription.confirmed = True
            return subscription
        self._ask_to_confirm(subscription)
        return subscription

    def request_confirmation(self, subscription: Subscription) -> None:
        """Ask the endpoint once more to confirm, as "Request confirmation" of the console does."""
        self._ask_to_confirm(subscription)

    def change(self, subscription: Subscription, settings: Mapping[str, str], *, prefix: str = "") -> None:
        """Replace the subscription's attributes; InvalidParameter for what SNS rejects, in its words after `prefix`."""
        other = sorted(set(settings) & _OTHER_SETTINGS)
        if other:
            raise NotEmulatedError(f"the subscription attribute {other[0]}", "it would have no effect here")
        if not set(settings) <= _SETTINGS:
            raise AwsError("InvalidParameter", "Invalid parameter: AttributeName")
        _check_values(settings, prefix)
        written = settings.get("FilterPolicy")
        scope = settings.get("FilterPolicyScope") or "MessageAttributes"
        found = (
            FilterPolicy(_json("FilterPolicy", written, prefix), scope=scope, prefix=prefix)
            if written
            else None
        )
        pauses(_json("DeliveryPolicy", settings.get("DeliveryPolicy") or "{}", prefix))
        redrive = _json("RedrivePolicy", settings.get("RedrivePolicy") or "{}", prefix)
        if redrive:
            letters = str(redrive.get("deadLetterTargetArn"))
            if not letters.startswith("arn:"):
                raise _invalid(prefix, "RedrivePolicy: deadLetterTargetArn is an invalid arn")
            self.deliveries.require_queue(letters)
        with self._lock:
            subscription.settings = dict(settings)
            subscription.filter = found

    def get(self, arn: str) -> Subscription:
        """Return a subscription; NotFound if there is none."""
        with self._lock:
            if arn not in self._subscriptions:
                raise AwsError("NotFound", "Subscription does not exist", 404)
            return self._subscriptions[arn]

    def of_topic(self, topic_arn: str | None = None) -> list[Subscription]:
        """Return the subscriptions of a topic, or all."""
        with self._lock:
            return [s for s in self._subscriptions.values() if topic_arn in {None, s.topic_arn}]

    def confirm(self, topic_arn: str, token: str) -> Subscription:
        """Confirm the subscription that the token was sent for; InvalidParameter for any other token."""
        if not _TOKEN.fullmatch(token):
            raise AwsError("InvalidParameter", "Invalid token")
        with self._lock:
            for subscription in self._subscriptions.values():
                if subscription.topic_arn == topic_arn and secrets.compare_digest(subscription.token, token):
                    subscription.confirmed = True
                    return subscription
        raise AwsError("InvalidParameter", "Invalid parameter: Token")

    def unsubscribe(self, arn: str) -> None:
        """Remove a subscription; it is no error if it is already gone."""
        with self._lock:
            self._subscriptions.pop(arn, None)

    # -- publishing

    def publish(
        self,
        publisher: Principal,
        topic_arn: str,
        message: str,
        *,
        subject: str | None = None,
        attributes: Mapping[str, str | Attribute] | None = None,
        by_protocol: bool = False,
    ) -> str:
        """Publish a message; return its id. A text among the attributes is one of type String.

        `by_protocol`: the message is JSON with a text for each protocol and a `default` (MessageStructure).
        The topic's policy (and the publisher's own) must allow sns:Publish, else AuthorizationError; a topic with a
        customer-managed key asks the publisher for kms:GenerateDataKey* and kms:Decrypt, else KMSAccessDenied.
        """
        topic = self._topic(topic_arn)
        given = {
            name: value if isinstance(value, Attribute) else Attribute("String", value)
            for name, value in (attributes or {}).items()
        }
        if not message:
            raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
        size = sum(len(part.encode()) for n, one in given.items() for part in (n, one.type, one.value))
        if len(message.encode()) + size > _LONGEST_MESSAGE:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
        texts = _by_protocol(message) if by_protocol else {"default": message}
        self._authorize(publisher, topic_arn, str(topic.kms_master_key_id or ""))
        message_id = str(uuid.uuid4())
        self.deliveries.told.sent("sns", topic_arn, message, {name: one.value for name, one in given.items()})
        for subscription in self.of_topic(topic_arn):
            text = texts.get(subscription.protocol, texts["default"])
            if not subscription.confirmed or not (
                subscription.filter is None or subscription.filter.lets_pass(given, text)
            ):
                continue
            destination = subscription.destination()
            notification = self._notification(
                topic=topic,
                message_id=message_id,
                message=text,
                subject=subject,
                attributes=given,
                subscription=subscription,
            )
            if subscription.protocol in _INSIDE:
                self._deliver_inside(subscription, notification, destination, given)
                continue
            body = text if destination.raw else json.dumps(notification)
            values = {name: one.value for name, one in given.items()}
            self.deliveries.add(Delivery(message_id, "Notification", destination, body, attributes=values))
        return message_id

    def _deliver_inside(
        self,
        subscription: Subscription,
        notification: dict[str, Any],
        destination: Destination,
        attributes: Mapping[str, Attribute],
    ) -> None:
        """Deliver to a queue or a function of this account, if its policy lets SNS."""
        if self._targets is None:
            raise NotEmulatedError(f"SNS deliveries to {subscription.endpoint}", "nothing delivers them")
        message = str(notification["Message"]) if destination.raw else json.dumps(notification)
        if subscription.protocol == "lambda":
            message = json.dumps(
                {
                    "Records": [
                        {
                            "EventSource": "aws:sns",
                            "EventVersion": "1.0",
                            "EventSubscriptionArn": subscription.arn,
                            "Sns": {"Subject": None, "MessageAttributes": {}, **_for_function(notification)},
                        }
                    ]
                }
            )
        sender = ServicePrincipal("sns.amazonaws.com", self._account, subscription.topic_arn)
        raw_queue = destination.raw and subscription.protocol == "sqs"
        more = {"message_attributes": _for_queue(attributes)} if raw_queue and attributes else {}
        refused = self._targets.send(sender, subscription.endpoint, message, **more)
        if refused and destination.dead_letter_queue_arn:
            self._targets.send(sender, destination.dead_letter_queue_arn, message)

    def _authorize(self, publisher: Principal, topic_arn: str, key: str) -> None:
        decision = self._authorization.decide(publisher, "sns:Publish", topic_arn)
        if not decision.allowed:
            raise AwsError("AuthorizationError", decision.message, 403)
        if not key:
            return
        key_arn = self._authorization.key_arn(key)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            needed = self._authorization.decide(publisher, action, key_arn, encrypted=topic_arn)
            if not needed.allowed:
                raise AwsError("KMSAccessDenied", needed.message, 400)

    def _notification(
        self,
        *,
        topic: Any,  # noqa: ANN401  (moto's topic)
        message_id: str,
        message: str,
        subject: str | None,
        attributes: Mapping[str, Attribute],
        subscription: Subscription,
    ) -> dict[str, Any]:
        document = {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": subscription.topic_arn,
            **({"Subject": subject} if subject else {}),
            "Message": message,
            "Timestamp": _now(),
        }
        unsubscribe = urlencode({"Action": "Unsubscribe", "SubscriptionArn": subscription.arn})
        return {
            **self._signed(topic, document),
            "UnsubscribeURL": f"{self._base}?{unsubscribe}",
            **(
                {"MessageAttributes": {n: {"Type": v.type, "Value": v.value} for n, v in attributes.items()}}
                if attributes
                else {}
            ),
        }

    def _ask_to_confirm(self, subscription: Subscription) -> None:
        topic = self._topic(subscription.topic_arn)
        if urlsplit(subscription.endpoint).hostname not in {"localhost", "127.0.0.1", "::1"}:
            self._warn(
                f"SNS would ask {subscription.endpoint} to confirm its subscription; the sandbox reaches this machine "
                "alone, so it stays pending and nothing is delivered"
            )
            return
        query = {
            "Action": "ConfirmSubscription",
            "TopicArn": subscription.topic_arn,
            "Token": subscription.token,
        }
        document = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "Token": subscription.token,
            "TopicArn": subscription.topic_arn,
            "Message": f"You have chosen to subscribe to the topic {subscription.topic_arn}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message.",
            "SubscribeURL": f"{self._base}?{urlencode(query)}",
            "Timestamp": _now(),
        }
        body = json.dumps(self._signed(topic, document))
        kind = "SubscriptionConfirmation"
        # A confirmation is no message: it never goes to the dead-letter queue.
        destination = subscription.destination().without_dead_letters()
        self.deliveries.add(Delivery(document["MessageId"], kind, destination, body))

    def _signed(self, topic: Any, document: dict[str, str]) -> dict[str, str]:  # noqa: ANN401
        version = str(getattr(topic, "signature_version", "") or "1")
        return {
            **document,
            "SignatureVersion": version,
            "Signature": self.signer.sign(document, version),
            "SigningCertURL": self.certificate_url,
        }

    def _topic(self, arn: str) -> Any:  # noqa: ANN401  (moto's topic)
        if arn.count(":") < 5:
            raise AwsError(
                "InvalidParameter",
                "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, "
                f"not {arn.count(':') + 1}",
            )
        topic = backend("sns", self._account, self._region).topics.get(arn)
        if topic is None:
            raise AwsError("NotFound", "Topic does not exist", 404)
        return topic


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol == "email":
        if "@" not in endpoint:
            raise AwsError("InvalidParameter", "Invalid parameter: Email address")
        return
    if protocol in _INSIDE:
        if not endpoint.startswith(f"arn:aws:{protocol}:"):
            raise AwsError("InvalidParameter", f"Invalid parameter: {protocol.upper()} endpoint ARN")
        return
    if protocol not in {"http", "https"} | _OTHER_PROTOCOLS:
        raise AwsError(
            "InvalidParameter",
            f"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}",
        )
    if protocol in _OTHER_PROTOCOLS:
        raise NotEmulatedError(
            f"SNS subscriptions of protocol {protocol}",
            "it delivers to http, https, sqs and lambda, and leaves email pending",
        )
    if not endpoint.startswith(f"{protocol}://"):
        raise AwsError("InvalidParameter", "Invalid parameter: Endpoint must match the specified protocol")


def _for_function(notification: dict[str, Any]) -> dict[str, Any]:
    """Return a notification with the names that a function's event has for two of its members."""
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    return {renamed.get(name, name): value for name, value in notification.items()}


def _for_queue(attributes: Mapping[str, Attribute]) -> dict[str, dict[str, str | bytes]]:
    """Return attributes as moto's queues keep them."""
    return {
        name: {
            "DataType": one.type,
            **(
                {"BinaryValue": base64.b64decode(one.value)}
                if one.type.startswith("Binary")
                else {"StringValue": one.value}
            ),
        }
        for name, one in attributes.items()
    }


def _by_protocol(message: str) -> dict[str, str]:
    """Read a message with MessageStructure json; what is no text among its values is left out, as SNS does."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AwsError(
            "InvalidParameter",
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        )
    texts = {name: text for name, text in found.items() if isinstance(text, str)}
    if "default" not in texts:
        raise AwsError(
            "InvalidParameter",
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        )
    return texts


def _check_values(settings: Mapping[str, str], prefix: str) -> None:
    raw = settings.get("RawMessageDelivery")
    if raw is not None and raw.lower() not in {"true", "false"}:
        raise _invalid(prefix, f"RawMessageDelivery: Invalid value [{raw}]. Must be true or false.")
    scope = settings.get("FilterPolicyScope") or SCOPES[0]
    if scope not in SCOPES:
        raise _invalid(
            prefix,
            f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes",
        )


def _invalid(prefix: str, problem: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {prefix}{problem}")


def _json(name: str, text: str, prefix: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise _invalid(prefix, f"{name}: failed to parse JSON. {_why_no_json(text)}") from None
    if not isinstance(found, dict):
        raise _invalid(prefix, f"{name}: failed to parse JSON")
    return found


def _why_no_json(text: str) -> str:
    """Return what AWS's parser says of the commonest mistake, a name without quotation marks."""
    bare = re.match(r"\s*\{\s*([A-Za-z_])", text)
    if bare is None:
        return ""
    return (
        f"Unexpected character ('{bare[1]}' (code {ord(bare[1])})): "
        "was expecting double-quote to start field name"
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
