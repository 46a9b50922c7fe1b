"""The SNS API for HTTP subscriptions and publishing, and the addresses that SNS serves publicly.

Requests for topics and their attributes go to moto.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from connect_sandbox.cloud.aws_service import AwsService, error_response
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import Principal, Principals
from connect_sandbox.cloud.sns import SNS_PATH, Sns, Subscription
from connect_sandbox.cloud.values import Member

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
        if action == "Publish":
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
        return {
            "Attributes": {
                **found.settings,
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
    """Publish, on behalf of one principal."""

    service_name = "sns"
    invalid_parameter_code = "InvalidParameter"

    def __init__(self, faults: Faults, sns: Sns, publisher: Principal) -> None:
        super().__init__(faults)
        self._sns = sns
        self._publisher = publisher

    def publish(self, message: str, **request: Member) -> dict[str, Any]:
        """Publish to a topic."""
        topic = request.get("topic_arn") or request.get("target_arn")
        if not isinstance(topic, str) or request.get("message_structure"):
            raise NotEmulatedError(
                "sns:Publish to anything but a topic, or with MessageStructure", "not reproduced"
            )
        attributes = request.get("message_attributes") or {}
        strange = next((name for name, value in attributes.items() if value["DataType"] != "String"), None)
        if strange is not None:
            raise NotEmulatedError(
                f"the message attribute {strange}", "attributes of type String are reproduced"
            )
        message_id = self._sns.publish(
            self._publisher,
            topic,
            message,
            subject=request.get("subject"),
            attributes={name: value["StringValue"] for name, value in attributes.items()},
        )
        return {"MessageId": message_id}


def _summary(found: Subscription) -> dict[str, str]:
    return {
        "SubscriptionArn": found.arn if found.confirmed else "PendingConfirmation",
        "Owner": found.topic_arn.split(":")[4],
        "Protocol": found.protocol,
        "Endpoint": found.endpoint,
        "TopicArn": found.topic_arn,
    }
