"""AWS::SNS::Subscription of an HTTP(S) endpoint, a queue, a function, or an email address that never confirms."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, Only, PropertyTable
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.sns import Sns

_DOCUMENTS = ("FilterPolicy", "DeliveryPolicy", "RedrivePolicy")


class Subscription(ResourceType):
    """A subscription. Like CloudFormation, the sandbox does not wait for the endpoint's confirmation."""

    type_name = "AWS::SNS::Subscription"
    properties: ClassVar[PropertyTable] = {
        "TopicArn": SUPPORTED,
        "Protocol": Only(
            ("http", "https", "email", "sqs", "lambda"),
            "the sandbox delivers over HTTP, to queues and functions, and leaves email pending",
        ),
        "Endpoint": SUPPORTED,
        "FilterPolicy": SUPPORTED,
        "FilterPolicyScope": SUPPORTED,
        "DeliveryPolicy": SUPPORTED,
        "RedrivePolicy": SUPPORTED,
        "RawMessageDelivery": SUPPORTED,
        "Region": Only((), "the topic is in the stack's Region here"),
        "SubscriptionRoleArn": Only((), "it is for Firehose"),
        "ReplayPolicy": Only((), "it is for FIFO topics"),
    }
    required = ("TopicArn", "Protocol")
    replaced_by = frozenset({"TopicArn", "Protocol", "Endpoint"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Subscribe; the endpoint is asked to confirm."""
        subscription = _sns(context).subscribe(
            properties["TopicArn"],
            properties["Protocol"],
            properties.get("Endpoint", ""),
            _settings(properties),
        )
        return Created(subscription.arn, {"Arn": subscription.arn})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the policies."""
        sns = _sns(context)
        sns.change(sns.get(existing.physical_id), _settings(new))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Unsubscribe."""
        _sns(context).unsubscribe(existing.physical_id)


def _settings(properties: dict[str, Any]) -> dict[str, str]:
    settings = {name: _document(properties[name]) for name in _DOCUMENTS if properties.get(name)}
    if "RawMessageDelivery" in properties:
        settings["RawMessageDelivery"] = str(properties["RawMessageDelivery"]).lower()
    if "FilterPolicyScope" in properties:
        settings["FilterPolicyScope"] = properties["FilterPolicyScope"]
    return settings


def _document(value: Any) -> str:  # noqa: ANN401  (an object, or its text)
    return value if isinstance(value, str) else json.dumps(value)


def _sns(context: Context) -> Sns:
    sns = context.services.sns
    if not isinstance(sns, Sns):
        raise AwsError("InternalFailure", "the deployment engine was built without SNS", 500)
    return sns


TYPES = (Subscription(),)
