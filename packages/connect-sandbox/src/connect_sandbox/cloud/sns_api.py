"""The SNS API for HTTP subscriptions and publishing, and the addresses that SNS serves publicly.

Requests for topics and their attributes go to moto.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from botocore import xform_name

from connect_sandbox.cloud.aws_service import AwsService, error_response
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import Principal, Principals
from connect_sandbox.cloud.sns import SNS_PATH, Sns, Subscription
from connect_sandbox.cloud.sns_filter import Attribute
from connect_sandbox.cloud.values import Member

_LARGEST_BATCH = 10
_LONGEST_ID = 80
#: Bytes of an attribute's name.
_LONGEST_NAME = 256
_TYPE = re.compile(r"(?:String|Number|Binary)(?:\..+)?", re.DOTALL)

_OURS = frozenset(
    {
        *("Subscribe", "ConfirmSubscription", "Unsubscribe", "Publish", "PublishBatch"),
        *("GetSubscriptionAttributes", "SetSubscriptionAttributes"),
        *("ListSubscriptions", "ListSubscriptionsByTopic"),
    }
)


class SnsApi(AwsService):
    """Serves subscriptions and publishing."""

    service_name = "sns"
    invalid_parameter_code = "InvalidParameter"
    constraint_code = "ValidationError"

    def __init__(self, faults: Faults, sns: Sns, principals: Principals) -> None:
        """`principals` tells who publishes: an encrypted topic needs the publisher's permission to use its key."""
        super().__init__(faults)
        self._sns = sns
        self._principals = principals

    def early(self, request: HttpRequest) -> HttpResponse | None:
        """Respond to what this fake serves; None leaves the request to moto."""
        action = parse_qs(request.body.decode("utf-8", "replace")).get("Action", [""])[0]
        if action not in _OURS:
            return None
        if action in {"Publish", "PublishBatch"}:
            return _Publishing(self._faults, self._sns, self._principals.identify(request)).handle(request)
        return self.handle(request)

    def open_to_anybody(self, request: HttpRequest) -> HttpResponse:
        """Serve the signing certificate, a SubscribeURL and an UnsubscribeURL; the token is the only credential."""
        if request.path == SNS_PATH + self._sns.signer.certificate_name:
            return HttpResponse(
                200, [("Content-Type", "application/x-pem-file")], self._sns.signer.certificate_pem
            )
        query = dict(request.query)
        try:
            match query.get("Action"):
                case "ConfirmSubscription":
                    found = self._sns.confirm(query.get("TopicArn", ""), query.get("Token", ""))
                    result = f"<SubscriptionArn>{found.arn}</SubscriptionArn>"
                case "Unsubscribe":
                    self._sns.unsubscribe(query.get("SubscriptionArn", ""))
                    result = ""
                case _:
                    raise AwsError("NotFound", f"there is nothing at {request.path}", 404)
        except AwsError as error:
            return error_response(error, "query")
        action = query["Action"]
        body = f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
        return HttpResponse(200, [("Content-Type", "text/xml")], body.encode())

    # -- operations

    def subscribe(self, topic_arn: str, protocol: str, **request: Member) -> dict[str, Any]:
        """Subscribe; the ARN is returned before the confirmation only on request."""
        found = self._sns.subscribe(
            topic_arn, protocol, str(request.get("endpoint", "")), request.get("attributes") or {}
        )
        told = found.confirmed or request.get("return_subscription_arn")
        return {"SubscriptionArn": found.arn if told else "pending confirmation"}

    def confirm_subscription(self, topic_arn: str, token: str, **_request: Member) -> dict[str, Any]:
        """Confirm with the token that the endpoint was sent."""
        return {"SubscriptionArn": self._sns.confirm(topic_arn, token).arn}

    def unsubscribe(self, subscription_arn: str) -> None:
        """Remove a subscription."""
        self._sns.unsubscribe(subscription_arn)

    def get_subscription_attributes(self, subscription_arn: str) -> dict[str, Any]:
        """Describe a subscription."""
        found = self._sns.get(subscription_arn)
        # The scope shows only beside a policy.
        hidden = () if found.settings.get("FilterPolicy") else ("FilterPolicy", "FilterPolicyScope")
        return {
            "Attributes": {
                **{name: value for name, value in found.settings.items() if name not in hidden},
                **_summary(found),
                "SubscriptionArn": found.arn,
                "PendingConfirmation": str(not found.confirmed).lower(),
                "RawMessageDelivery": found.settings.get("RawMessageDelivery", "false"),
            }
        }

    def set_subscription_attributes(
        self, subscription_arn: str, attribute_name: str, **request: Member
    ) -> None:
        """Change one attribute."""
        found = self._sns.get(subscription_arn)
        self._sns.change(found, {**found.settings, attribute_name: str(request.get("attribute_value") or "")})

    def list_subscriptions(self, **_request: Member) -> dict[str, Any]:
        """List all subscriptions."""
        return {"Subscriptions": [_summary(found) for found in self._sns.of_topic()]}

    def list_subscriptions_by_topic(self, topic_arn: str, **_request: Member) -> dict[str, Any]:
        """List a topic's subscriptions."""
        return {"Subscriptions": [_summary(found) for found in self._sns.of_topic(topic_arn)]}


class _Publishing(AwsService):
    """Publish and PublishBatch, on behalf of one principal."""

    service_name = "sns"
    invalid_parameter_code = "InvalidParameter"
    constraint_code = "ValidationError"

    def __init__(self, faults: Faults, sns: Sns, publisher: Principal) -> None:
        super().__init__(faults)
        self._sns = sns
        self._publisher = publisher

    def publish(self, message: str = "", **request: Member) -> dict[str, Any]:
        """Publish to a topic."""
        topic = request.get("topic_arn")
        topic = request.get("target_arn") if topic is None else topic
        if not isinstance(topic, str) or "phone_number" in request:
            raise NotEmulatedError("sns:Publish to anything but a topic", "not reproduced")
        return {"MessageId": self._publish(topic, message, request)}

    def publish_batch(
        self, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Publish up to ten messages to a topic; what is wrong with one is wrong with all, as with SNS."""
        _check_batch(publish_batch_request_entries)
        published = []
        for entry in publish_batch_request_entries:
            request = {xform_name(name): value for name, value in entry.items() if value is not None}
            published.append(
                {"Id": entry["Id"], "MessageId": self._publish(topic_arn, entry["Message"], request)}
            )
        return {"Successful": published, "Failed": []}

    def _publish(self, topic_arn: str, message: str, request: dict[str, Any]) -> str:
        if request.get("subject") == "":
            raise AwsError("InvalidParameter", "Invalid parameter: Subject")
        if request.get("message_structure") not in {None, "json"}:
            raise AwsError("InvalidParameter", "Invalid parameter: MessageStructure")
        refused = sorted({"message_group_id", "message_deduplication_id"} & set(request))
        if refused:
            raise NotEmulatedError(f"sns:Publish with {refused[0]}", "topics are standard topics here")
        return self._sns.publish(
            self._publisher,
            topic_arn,
            message,
            subject=request.get("subject"),
            attributes={
                name: _attribute(name, value)
                for name, value in (request.get("message_attributes") or {}).items()
            },
            by_protocol=request.get("message_structure") == "json",
        )


def _attribute(name: str, given: Mapping[str, Any]) -> Attribute:
    """Read a message attribute; ParameterValueInvalid in SNS's words for a wrong one."""
    wrong = _wrong_name(name)
    if wrong:
        raise AwsError("ParameterValueInvalid", wrong)
    kind = given.get("DataType")
    if kind is None:
        member = f"messageAttributes.{name}.member.dataType"
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
            "Member must not be null",
        )
    if not _TYPE.fullmatch(kind):
        raise AwsError(
            "ParameterValueInvalid",
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
            "prefixes is Binary, Number, and String.",
        )
    field, other = ("Binary", "String") if kind.startswith("Binary") else ("String", "Binary")
    value = given.get(f"{field}Value")
    if value is None and given.get(f"{other}Value") is not None:
        raise AwsError(
            "ParameterValueInvalid",
            f"The message attribute '{name}' with type '{kind}' must use field '{field}'.",
        )
    if not value:
        raise AwsError(
            "ParameterValueInvalid",
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
            f"type '{kind}'.",
        )
    return Attribute(kind, base64.b64encode(value).decode() if isinstance(value, bytes) else value)


def _wrong_name(name: str) -> str:
    """Return what SNS says of an attribute's name, or an empty text."""
    if len(name.encode()) > _LONGEST_NAME:
        return f"Length of message attribute name must be less than {_LONGEST_NAME} bytes."
    strange = re.search(r"[^A-Za-z0-9_.-]", name)
    if strange:
        return (
            f"Invalid non-alphanumeric character '#x{ord(strange[0]):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.startswith(".") or name.endswith("."):
        end = "starting" if name.startswith(".") else "ending"
        return f"Invalid message attribute name {end} with character '.' was found."
    return "Message attribute name can not have successive '.' character." if ".." in name else ""


def _check_batch(entries: list[dict[str, Any]]) -> None:
    ids = [entry["Id"] for entry in entries]
    if not ids:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > _LARGEST_BATCH:
        raise AwsError(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
        )
    if len(set(ids)) < len(ids):
        raise AwsError(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )
    for one in ids:
        wrong = (
            "is too long"
            if len(one) > _LONGEST_ID
            else "contains an impermissible character"
            if not re.fullmatch(r"[\w-]+", one, re.ASCII)
            else ""
        )
        if wrong:
            raise AwsError(
                "InvalidBatchEntryId", f"The Id of a batch entry in the batch request {wrong}: {one}"
            )


def _summary(found: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": found.arn if found.confirmed else "PendingConfirmation",
        "Owner": found.topic_arn.split(":")[4],
        "Protocol": found.protocol,
        "Endpoint": found.endpoint,
        "TopicArn": found.topic_arn,
    }
