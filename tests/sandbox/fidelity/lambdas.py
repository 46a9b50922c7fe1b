"""Lambda: invocations, their errors and logs, and requests of the API that are wrong, by boto3.

The function Works does what its event says; the others fail each in their own way.
"""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import Case, called, error_of, fill, plain_client

_WORKS = """
    import logging, sys
    def handler(event, context):
        if "raise" in event: raise Exception(event["raise"])
        if "exit" in event: sys.exit(event["exit"])
        if "nothing" in event: return None
        if "size" in event: return "a" * (event["size"] - 2)
        if "print" in event:
            print(event["print"])
            logging.getLogger().warning(event["print"])
        if "context" in event:
            names = ("invoked_function_arn", "function_version", "function_name", "memory_limit_in_mb",
                     "aws_request_id", "log_group_name", "log_stream_name", "client_context")
            return {name: getattr(context, name) for name in names}
        return len(event["long"]) if "long" in event else event
"""
_CODE = {
    "Works": _WORKS,
    "Capped": "def handler(event, context):\n    return event\n",
    "FailsToStart": "raise Exception('Runtime startup fails')\n",
    "ExitsAtStart": "import sys\nsys.exit(0)\n",
    "Waits": "import time\ndef handler(event, context):\n    time.sleep(20)\n",
    "HasNoHandler": "def another(event, context):\n    return 1\n",
    "ReturnsNoJson": "def handler(event, context):\n    return {1, 2}\n",
}


def answers(sandbox: Sandbox, cases: Iterable[Case]) -> Iterator[Any]:
    """Deploy the functions, send each case, and delete the functions."""
    stage = Stage(sandbox)
    for case in cases:
        yield getattr(stage, case.kind)(case.sent)
    stage.clean_up()


class Stage:
    """The deployed functions: fidelity-works and so on, the first with version 1 and the alias alias1."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stacks = sandbox.boto3_client("cloudformation")
        self.stacks.create_stack(StackName="fidelity-lambda", TemplateBody=json.dumps(_template()))
        stack = self.stacks.describe_stacks(StackName="fidelity-lambda")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        self.client = plain_client(sandbox, "lambda")
        place = f"arn:aws:lambda:{sandbox.region}:{sandbox.account}:function"
        self.names = {"functions": place, "account": sandbox.account, "region": sandbox.region}

    # -- the kinds of cases

    def invoked(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Invoke a function; what the client gets."""
        payload = (
            base64.b64decode(sent["base64"]) if "base64" in sent else json.dumps(self._event(sent)).encode()
        )
        request = fill(sent.get("with", {}), self.names)
        try:
            answer = self.client.invoke(FunctionName=sent["function"], Payload=payload, **request)
        except ClientError as error:
            return {**error_of(error), "reason": error.response.get("Reason")}
        body = answer["Payload"].read()
        told: dict[str, Any] = {
            "status": answer["StatusCode"],
            "error": answer.get("FunctionError"),
            "version": answer.get("ExecutedVersion"),
            "text": body.decode() if len(body) < 5_000 else f"{len(body)} bytes",
        }
        if told["text"].startswith(("{", "[")):
            told["payload"] = json.loads(body)
        if "LogResult" in answer:
            told["log"] = base64.b64decode(answer["LogResult"]).decode().rstrip("\n").split("\n")
        return told

    def call(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Call another operation; the answer to that."""
        return called(self.client, sent["operation"], fill(sent["with"], self.names))

    def clean_up(self) -> None:
        """Delete the functions."""
        self.stacks.delete_stack(StackName="fidelity-lambda")
        self.sandbox.deployments.wait()

    def _event(self, sent: dict[str, Any]) -> Any:
        event = sent.get("event", {})
        return {"long": "x" * event["characters"]} if "characters" in event else event


def _template() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            **{
                name: {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "FunctionName": f"fidelity-{name.lower()}",
                        "Code": {"ZipFile": textwrap.dedent(code)},
                        "Handler": "index.handler",
                        "Runtime": "python3.13",
                        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                        "Timeout": 1 if name == "Waits" else 10,
                        **({"ReservedConcurrentExecutions": 0} if name == "Capped" else {}),
                    },
                }
                for name, code in _CODE.items()
            },
            "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Works"}}},
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Works"},
                    "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                    "Name": "alias1",
                },
            },
        }
    }
