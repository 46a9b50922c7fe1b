"""An AWS that answers at once: as much of CloudFormation, S3, STS and SSM as the CDK's command line asks for.

    python -m bench.instant_server

prints its address and serves until it is ended. Nothing is made: a stack is complete, with an event for each of its
resources and a value for each output, as soon as its template has arrived. What the command line takes against it is
what the command line takes.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore import xform_name
from connect_sandbox.cloud.cfn.template import load_template

ACCOUNT = "123456789012"
REGION = "us-east-1"
BOOTSTRAP_VERSION = "30"
_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
#: What is said of any bucket, by what is asked for.
_BUCKET: Mapping[str, Mapping[str, Any]] = {
    "location": {"LocationConstraint": ""},
    "encryption": {
        "ServerSideEncryptionConfiguration": {
            "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        }
    },
    "list-type": {"ListBucketResult": {"KeyCount": 0, "MaxKeys": 1, "IsTruncated": "false"}},
}


class NotServedError(Exception):
    """The command line has asked for something that is not served here."""


@dataclass
class Stack:
    """A stack: complete from the beginning."""

    name: str
    template: str
    status: str = "CREATE_COMPLETE"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    made: str = field(default_factory=lambda: dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    @property
    def arn(self) -> str:
        """The stack's id."""
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.name}/{self.id}"

    def described(self) -> dict[str, Any]:
        """Return it as DescribeStacks has it."""
        told = {"BootstrapVersion": BOOTSTRAP_VERSION}
        named = load_template(self.template).outputs
        outputs = [{"OutputKey": key, "OutputValue": told.get(key, key)} for key in named]
        return {
            "StackName": self.name,
            "StackId": self.arn,
            "StackStatus": self.status,
            "CreationTime": self.made,
            "Outputs": outputs,
            "EnableTerminationProtection": "false",
        }

    def events(self) -> list[dict[str, Any]]:
        """Return an event for each resource, the newest first: the stack's own."""
        resources = {name: each.type for name, each in load_template(self.template).resources.items()}
        made = [*resources.items(), (self.name, "AWS::CloudFormation::Stack")]
        return [
            {
                "EventId": str(uuid.uuid4()),
                "StackName": self.name,
                "StackId": self.arn,
                "LogicalResourceId": name,
                "PhysicalResourceId": self.arn if kind.endswith("::Stack") else name,
                "ResourceType": kind,
                "ResourceStatus": self.status,
                "Timestamp": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
            for name, kind in reversed(made)
        ]


class Aws:
    """What is remembered between requests: stacks by name, objects by path."""

    def __init__(self) -> None:
        self._stacks: dict[str, Stack] = {}
        self._planned: dict[str, Stack] = {}
        self._objects: dict[str, bytes] = {}

    def query(self, asked: Mapping[str, str]) -> tuple[int, str]:
        """Answer a request of the query protocol: CloudFormation or STS."""
        action = asked["Action"]
        answer = getattr(self, f"_{xform_name(action)}", None)
        if answer is None:
            raise NotServedError(action)
        result = answer(asked)
        if result is None:
            message = f"Stack with id {_name(asked)} does not exist"
            error = f"<Type>Sender</Type><Code>ValidationError</Code><Message>{message}</Message>"
            return 400, f'<ErrorResponse xmlns="{_NAMESPACE}"><Error>{error}</Error></ErrorResponse>'
        return 200, (
            f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{_xml(result)}</{action}Result>'
            f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
        )

    def json(self, target: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request of the JSON protocol: SSM's GetParameter, of the version that was bootstrapped."""
        if target != "AmazonSSM.GetParameter":
            raise NotServedError(target)
        return {"Parameter": {"Name": asked["Name"], "Type": "String", "Value": BOOTSTRAP_VERSION}}

    def s3(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request to S3."""
        if method == "PUT":
            self._objects[path.rsplit("/", 1)[-1]] = body
            return 200, b""
        for asked, answer in _BUCKET.items():
            if method == "GET" and asked in query:
                return 200, _xml(answer).encode()
        raise NotServedError(f"S3 {method} {path}?{query}")

    # -- STS

    def _get_caller_identity(self, _asked: Mapping[str, str]) -> dict[str, Any]:
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": "root"}

    def _assume_role(self, asked: Mapping[str, str]) -> dict[str, Any]:
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "Credentials": {
                "AccessKeyId": "test",
                "SecretAccessKey": "test",
                "SessionToken": "test",
                "Expiration": until,
            },
            "AssumedRoleUser": {"Arn": asked["RoleArn"], "AssumedRoleId": "role:cdk"},
        }

    # -- CloudFormation

    def _describe_stacks(self, asked: Mapping[str, str]) -> dict[str, Any] | None:
        if "StackName" not in asked:
            return {"Stacks": [stack.described() for stack in self._stacks.values()]}
        stack = self._stacks.get(_name(asked))
        return None if stack is None else {"Stacks": [stack.described()]}

    def _get_template(self, asked: Mapping[str, str]) -> dict[str, Any] | None:
        stack = self._stacks.get(_name(asked))
        return None if stack is None else {"TemplateBody": stack.template}

    def _create_stack(self, asked: Mapping[str, str]) -> dict[str, Any]:
        stack = self._stacks[_name(asked)] = Stack(_name(asked), self._template(asked))
        return {"StackId": stack.arn}

    def _create_change_set(self, asked: Mapping[str, str]) -> dict[str, Any]:
        stack = self._planned[_name(asked)] = Stack(_name(asked), self._template(asked))
        return {"Id": f"{stack.arn}/changes", "StackId": stack.arn}

    def _describe_change_set(self, asked: Mapping[str, str]) -> dict[str, Any]:
        stack = self._planned[_name(asked)]
        change = {"Type": "Resource", "ResourceChange": {"Action": "Add", "LogicalResourceId": "All"}}
        return {
            "StackName": stack.name,
            "StackId": stack.arn,
            "ChangeSetId": f"{stack.arn}/changes",
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "AVAILABLE",
            "Changes": [change],
        }

    def _execute_change_set(self, asked: Mapping[str, str]) -> dict[str, Any]:
        self._stacks[_name(asked)] = self._planned.pop(_name(asked))
        return {}

    def _update_termination_protection(self, asked: Mapping[str, str]) -> dict[str, Any]:
        return {"StackId": self._stacks[_name(asked)].arn}

    def _describe_stack_events(self, asked: Mapping[str, str]) -> dict[str, Any] | None:
        stack = self._stacks.get(_name(asked))
        return None if stack is None else {"StackEvents": stack.events()}

    def _template(self, asked: Mapping[str, str]) -> str:
        if "TemplateBody" in asked:
            return asked["TemplateBody"]
        return self._objects[unquote(asked["TemplateURL"]).rsplit("/", 1)[-1]].decode()


def _name(asked: Mapping[str, str]) -> str:
    """Return the name of the stack that is asked for by name or id."""
    told = asked["StackName"]
    return told.split(":stack/", 1)[-1].split("/")[0]


def _xml(value: Any) -> str:  # noqa: ANN401  (JSON)
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(each)}</{name}>" for name, each in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(each)}</member>" for each in value)
    return escape(str(value))


def server(port: int = 0) -> ThreadingHTTPServer:
    """Return the server, not yet serving, on a port of the loopback interface."""
    aws = Aws()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            address = urlsplit(self.path)
            body = self._body()
            try:
                status, answer, kind = self._answer(address.path, address.query, body)
            except NotServedError as unknown:
                status, answer, kind = 501, f"this server has no {unknown}".encode(), "text/plain"
                sys.stderr.write(f"no {unknown}\n")
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def _answer(self, path: str, query: str, body: bytes) -> tuple[int, bytes, str]:
            if target := self.headers.get("X-Amz-Target"):
                return (
                    200,
                    json.dumps(aws.json(target, json.loads(body))).encode(),
                    "application/x-amz-json-1.1",
                )
            if "x-www-form-urlencoded" in self.headers.get("Content-Type", ""):
                status, text = aws.query(dict(parse_qsl(body.decode(), keep_blank_values=True)))
                return status, text.encode(), "text/xml"
            return *aws.s3(self.command, path, query, body), "application/xml"

        def _body(self) -> bytes:
            if "100-continue" in self.headers.get("Expect", ""):
                self.send_response_only(100)
                self.end_headers()
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
            """Say nothing."""

        do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    with server() as serving:
        sys.stdout.write(f"http://localhost:{serving.server_address[1]}\n")
        sys.stdout.flush()
        serving.serve_forever()
