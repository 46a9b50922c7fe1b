"""Whether the AWS CLI would take a command that ours print to be pasted; nothing is sent."""

from __future__ import annotations

from typing import Any

import boto3

from rehearsals.scenarios.aws_command import call

_NO_API = ("aws sso login", "aws configure ")


class Asked:
    """Makes clients that answer nothing and remember what they were asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, service: str) -> Any:
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

        def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.calls.append((model.name, params))

        def answer(**_: Any) -> Any:
            raise Sent

        client.meta.events.register("before-parameter-build", remember)
        client.meta.events.register("before-call", answer)
        return client


class Sent(Exception):  # noqa: N818
    """The request would be sent now: botocore has found nothing wrong with it."""


def expect_taken(command: str) -> None:
    """Fail unless the AWS CLI takes the command, as far as AWS's service models say."""
    if command.startswith(_NO_API):
        return
    try:
        call(command, Asked().client, {"secret.txt": "{}"})
    except Sent:
        return
    raise AssertionError(f"{command} made no request")
