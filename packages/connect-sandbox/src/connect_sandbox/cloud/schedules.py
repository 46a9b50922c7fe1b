"""Triggers a scheduled rule, as Amazon EventBridge does when the time has come."""

from __future__ import annotations

import datetime as dt
import json
import uuid

from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.cloud.functions import Invocation
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.cloud.sandbox import Sandbox


def run_rule(sandbox: Sandbox, name: str) -> list[Invocation]:
    """Invoke the targets of the rule, one after the other, with a scheduled event; return what they answered.

    Like EventBridge, it needs each function's resource policy to allow it: AwsError 403 if not.
    Raises SandboxError if the rule is disabled.
    """
    events = sandbox.boto3_client("events")
    rule = events.describe_rule(Name=name)
    if rule["State"] != "ENABLED":
        raise SandboxError(f"the rule {name} is {rule['State']}, so its schedule triggers nothing")
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    principal = ServicePrincipal("events.amazonaws.com", sandbox.account, rule["Arn"])
    return [
        sandbox.functions.invoke(
            target["Arn"], target.get("Input") or _event(sandbox, rule["Arn"]), invoked_by=principal
        )
        for target in targets
    ]


def _event(sandbox: Sandbox, rule_arn: str) -> str:
    """Return a scheduled event (EventBridge user guide, "Events from AWS services": aws.events)."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": sandbox.account,
            "time": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": sandbox.region,
            "resources": [rule_arn],
            "detail": {},
        }
    )
