"""IAM: whether a user of the account may do something with these policies; each request is the user's own, by boto3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import Case, error_of, fill

_USER = "fidelity"
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


def answers(sandbox: Sandbox, cases: Iterable[Case]) -> Iterator[Any]:
    """Send each case; one user, one queue, one bucket and one table serve all."""
    stage = Stage(sandbox)
    for case in cases:
        yield stage.decided(case.sent)


class Stage:
    """The user and what there is to be allowed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.iam = sandbox.boto3_client("iam")
        self.iam.create_user(UserName=_USER, Tags=[{"Key": "team", "Value": "blue"}])
        self.key = self.iam.create_access_key(UserName=_USER)["AccessKey"]["AccessKeyId"]
        self.sqs = sandbox.boto3_client("sqs")
        self.queue = self.sqs.create_queue(QueueName="fidelity-iam", tags={"stage": "test"})["QueueUrl"]
        sandbox.boto3_client("s3").create_bucket(Bucket="fidelity-bucket")
        sandbox.boto3_client("dynamodb").create_table(
            TableName="fidelity-table",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.names = {
            "queue": f"arn:aws:sqs:{sandbox.region}:{sandbox.account}:fidelity-iam",
            "queue_url": self.queue,
            "user": f"arn:aws:iam::{sandbox.account}:user/{_USER}",
            "table": f"arn:aws:dynamodb:{sandbox.region}:{sandbox.account}:table/fidelity-table",
            "account": sandbox.account,
            "region": sandbox.region,
        }
        self.clients: dict[str, Any] = {}

    def decided(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Attach the policies, make the request, take them away; whether it was allowed."""
        sent = fill(sent, self.names)
        policies = sent.get("policies", [])
        boundary = sent.get("boundary")
        try:
            for index, policy in enumerate(policies):
                self.iam.put_user_policy(
                    UserName=_USER, PolicyName=f"p{index}", PolicyDocument=json.dumps(policy)
                )
            if boundary is not None:
                self._bound(boundary)
            if "queue_policy" in sent:
                self._set_queue_policy(json.dumps(sent["queue_policy"]))
            return self._asked(sent["service"], sent["operation"], sent["with"])
        except ClientError as error:
            return error_of(error)
        finally:
            for index in range(len(policies)):
                self._remove(index)
            if boundary is not None:
                self.sandbox.authorization.user_boundaries.pop(_USER, None)
                self.iam.delete_policy(PolicyArn=f"arn:aws:iam::{self.sandbox.account}:policy/fidelity")
            if "queue_policy" in sent:
                self._set_queue_policy("")

    def _asked(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            getattr(self._client(service), operation)(**parameters)
        except ClientError as error:
            told = error_of(error)
            if told["code"] in _DENIED:
                return {"allowed": False, "message": told["message"]}
            # What S3 does not find was allowed to be looked for.
            return {"allowed": True} if told["status"] == 404 else told
        return {"allowed": True}

    def _client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.sandbox.endpoint_url,
                region_name=self.sandbox.region,
                aws_access_key_id=self.key,
                aws_secret_access_key="x",
                config=Config(
                    retries={"max_attempts": 1, "mode": "standard"}, s3={"addressing_style": "path"}
                ),
            )
        return self.clients[service]

    def _bound(self, policy: dict[str, Any]) -> None:
        made = self.iam.create_policy(PolicyName="fidelity", PolicyDocument=json.dumps(policy))
        self.sandbox.authorization.user_boundaries[_USER] = made["Policy"]["Arn"]

    def _remove(self, index: int) -> None:
        if f"p{index}" in self.iam.list_user_policies(UserName=_USER)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=_USER, PolicyName=f"p{index}")

    def _set_queue_policy(self, policy: str) -> None:
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
