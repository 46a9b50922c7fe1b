"""A role's new policy does not count at once, if the rehearsal says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

CODE = """
    import boto3
    from botocore.config import Config

    def handler(event, context):
        client = boto3.client("sqs", config=Config(retries={"total_max_attempts": 1}))
        try:
            client.list_queues()
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return "allowed"
"""
MAY = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}


def called(sandbox: Sandbox, function: str) -> Any:
    answer = sandbox.boto3_client("lambda").invoke(FunctionName=function)
    return json.loads(answer["Payload"].read())


def test_a_new_policy_counts_after_some_calls(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    template = {"Resources": function(CODE, MAY, Timeout=30)}
    with sandbox.authorization.slow_to_spread(calls=1):
        name = deploy(template).resources["Function"]
        first, *_, last = [called(sandbox, name) for _ in range(3)]

    assert (first, last) == ("AccessDenied", "allowed")


def test_it_can_be_about_some_roles_alone(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    with sandbox.authorization.slow_to_spread(calls=1000, roles="another-stack"):
        name = deploy({"Resources": function(CODE, MAY, Timeout=30)}).resources["Function"]
        assert called(sandbox, name) == "allowed"


def test_what_was_deployed_before_counts_at_once(sandbox: Sandbox, deploy: Any, function: Any) -> None:
    name = deploy({"Resources": function(CODE, MAY, Timeout=30)}).resources["Function"]
    with sandbox.authorization.slow_to_spread(calls=1000):
        assert called(sandbox, name) == "allowed"


def test_so_many_calls_are_at_least_one(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="calls is 0"), sandbox.authorization.slow_to_spread(calls=0):
        pass
