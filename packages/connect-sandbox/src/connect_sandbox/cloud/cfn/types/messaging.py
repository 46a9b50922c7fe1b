"""AWS::SNS::Topic and TopicPolicy, AWS::SQS::Queue and QueuePolicy, on moto's SNS and SQS."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from connect_sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded

_NO_FIFO = Only((False, "false"), "first-in-first-out order is not reproduced")


class Topic(ResourceType):
    """A topic; connect_sandbox.cloud.sns delivers what is published to it."""

    type_name = "AWS::SNS::Topic"
    properties: ClassVar[PropertyTable] = {
        "TopicName": SUPPORTED,
        "DisplayName": Recorded("only e-mails and text messages show it, and none are sent here"),
        "KmsMasterKeyId": SUPPORTED,
        "SignatureVersion": SUPPORTED,
        "TracingConfig": Recorded("there is no X-Ray here"),
        "FifoTopic": _NO_FIFO,
        "Tags": TAGS,
    }
    name_property = "TopicName"
    replaced_by = frozenset({"TopicName", "FifoTopic"})
    attributes = ("TopicArn", "TopicName")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the topic."""
        name = properties.get("TopicName") or context.physical_name(limit=256)
        tags = as_list_of_tags(merged_tags(context, properties.get("Tags")))
        arn = context.client("sns").create_topic(Name=name, Tags=tags)["TopicArn"]
        created = Created(arn, {"TopicArn": arn, "TopicName": name})
        return self.update(context, created, {}, properties)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Set the attributes that changed."""
        for name in ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig"):
            if old.get(name) != new.get(name):
                context.client("sns").set_topic_attributes(
                    TopicArn=existing.physical_id, AttributeName=name, AttributeValue=str(new.get(name, ""))
                )
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the topic and its subscriptions."""
        client = context.client("sns")
        try:
            client.delete_topic(TopicArn=existing.physical_id)
        except client.exceptions.NotFoundException:
            return


class TopicPolicy(ResourceType):
    """The resource policy of one or more topics."""

    type_name = "AWS::SNS::TopicPolicy"
    properties: ClassVar[PropertyTable] = {"PolicyDocument": SUPPORTED, "Topics": SUPPORTED}
    required = ("PolicyDocument", "Topics")
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the policy on each topic."""
        for topic in properties["Topics"]:
            context.client("sns").set_topic_attributes(
                TopicArn=topic,
                AttributeName="Policy",
                AttributeValue=json.dumps(properties["PolicyDocument"]),
            )
        name = context.physical_name(limit=128)
        return Created(name, {"Id": name})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the new policy on each topic."""
        self.create(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Leave each topic with a policy that allows nobody, until the topic is deleted."""
        client = context.client("sns")
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        for topic in properties["Topics"]:
            try:
                client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=nobody)
            except client.exceptions.NotFoundException:
                continue


class Queue(ResourceType):
    """A queue."""

    type_name = "AWS::SQS::Queue"
    properties: ClassVar[PropertyTable] = {
        "QueueName": SUPPORTED,
        "DelaySeconds": SUPPORTED,
        "MaximumMessageSize": SUPPORTED,
        "MessageRetentionPeriod": SUPPORTED,
        "ReceiveMessageWaitTimeSeconds": SUPPORTED,
        "VisibilityTimeout": SUPPORTED,
        "RedrivePolicy": SUPPORTED,
        "KmsMasterKeyId": SUPPORTED,
        "KmsDataKeyReusePeriodSeconds": Recorded("data keys are not cached here"),
        "SqsManagedSseEnabled": Recorded("encryption at rest: the queue lives in memory"),
        "FifoQueue": _NO_FIFO,
        "Tags": TAGS,
    }
    name_property = "QueueName"
    replaced_by = frozenset({"QueueName", "FifoQueue"})
    attributes = ("Arn", "QueueName", "QueueUrl")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the queue."""
        name = properties.get("QueueName") or context.physical_name(limit=80)
        client = context.client("sqs")
        tags = merged_tags(context, properties.get("Tags"))
        client.create_queue(QueueName=name, Attributes=_queue_attributes(properties), tags=tags)
        url = f"https://sqs.{context.region}.amazonaws.com/{context.account}/{name}"
        arn = f"arn:aws:sqs:{context.region}:{context.account}:{name}"
        return Created(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Set the attributes."""
        attributes = _queue_attributes(new)
        if attributes:
            context.client("sqs").set_queue_attributes(QueueUrl=existing.physical_id, Attributes=attributes)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the queue."""
        try:
            context.client("sqs").delete_queue(QueueUrl=existing.physical_id)
        except ClientError as error:
            if not _is_gone(error):
                raise


class QueuePolicy(ResourceType):
    """The resource policy of one or more queues."""

    type_name = "AWS::SQS::QueuePolicy"
    properties: ClassVar[PropertyTable] = {"PolicyDocument": SUPPORTED, "Queues": SUPPORTED}
    required = ("PolicyDocument", "Queues")
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the policy on each queue."""
        document = json.dumps(properties["PolicyDocument"])
        for url in properties["Queues"]:
            context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
        name = context.physical_name(limit=80)
        return Created(name, {"Id": name})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the new policy on each queue."""
        self.create(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the policy from each queue."""
        client = context.client("sqs")
        for url in properties["Queues"]:
            try:
                client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
            except ClientError as error:
                if not _is_gone(error):
                    raise


def _is_gone(error: ClientError) -> bool:
    """Return whether there is no such queue; the code is that of SQS's former protocol, which has no class in boto3."""
    return str(error.response["Error"]["Code"]).endswith(("NonExistentQueue", "QueueDoesNotExist"))


def _queue_attributes(properties: dict[str, Any]) -> dict[str, str]:
    names = (
        "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout", "KmsMasterKeyId",
    )  # fmt: skip
    attributes = {name: str(properties[name]) for name in names if name in properties}
    if "RedrivePolicy" in properties:
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    return attributes


TYPES = (Topic(), TopicPolicy(), Queue(), QueuePolicy())
