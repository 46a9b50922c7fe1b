"""Checks of what settings name by ARN in the Amazon Connect instance."""

from __future__ import annotations

from stacks.settings import Settings

from .findings import Aws, Check, Finding


def queue(name: str, arn: str) -> Check:
    """Return the check that a queue exists and is enabled."""

    def look(settings: Settings, aws: Aws) -> Finding:
        found = aws.client("connect").describe_queue(
            InstanceId=settings.instance_arn, QueueId=arn.rpartition("/")[2]
        )["Queue"]
        status = found.get("Status", "ENABLED")
        return Finding(name, f"{found['Name']}: {status}", "" if status == "ENABLED" else "enable the queue")

    return Check(name, look)


def flow(name: str, arn: str) -> Check:
    """Return the check that a flow exists and is active."""

    def look(settings: Settings, aws: Aws) -> Finding:
        found = aws.client("connect").describe_contact_flow(
            InstanceId=settings.instance_arn, ContactFlowId=arn.rpartition("/")[2]
        )["ContactFlow"]
        state = found.get("State", "ACTIVE")
        return Finding(name, f"{found['Name']}: {state}", "" if state == "ACTIVE" else "activate the flow")

    return Check(name, look)
