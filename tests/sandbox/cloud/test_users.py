"""An IAM user of the account: known by its access key, held to its policies, gone with its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
RECEIVE = {**SEND, "Action": "sqs:ReceiveMessage"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def managed(*statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": policy(*statements), **properties},
    }


@dataclass
class User:
    """A deployed user with a key, and a queue."""

    sandbox: Sandbox
    name: str
    key_id: str
    queue: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::123456789012:user/vendors/{self.name}"

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.sandbox.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.key_id,
            aws_secret_access_key="x",
        )

    def send(self) -> None:
        self.client("sqs").send_message(QueueUrl=self.queue, MessageBody="hello")

    def receive(self) -> None:
        self.client("sqs").receive_message(QueueUrl=self.queue)


@pytest.fixture
def make(sandbox: Sandbox, deploy: Any) -> Any:
    def made(*statements: dict[str, Any], more: dict[str, Any] | None = None, **properties: Any) -> User:
        if statements:
            inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}]
            properties = {"Policies": inline, **properties}
        stack = deploy(
            {
                "Resources": {
                    "Queue": {"Type": "AWS::SQS::Queue"},
                    "User": {"Type": "AWS::IAM::User", "Properties": {"Path": "/vendors/", **properties}},
                    "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
                    **(more or {}),
                }
            }
        )
        assert stack.status == "CREATE_COMPLETE", stack.reasons
        resources = stack.resources
        return User(sandbox, resources["User"], resources["Key"], resources["Queue"])

    return made


def test_a_key_tells_who_signed(make: Any) -> None:
    user = make()

    identity = user.client("sts").get_caller_identity()
    assert (identity["Arn"], identity["Account"]) == (user.arn, "123456789012")


def test_an_inline_policy_allows_what_it_names_and_nothing_else(make: Any) -> None:
    user = make(SEND)

    user.send()
    refusal = f"{user.arn} is not authorized to perform: sqs:ReceiveMessage.*no identity-based policy allows"
    with pytest.raises(ClientError, match=refusal):
        user.receive()


def test_every_decision_is_in_the_audit_log_under_the_users_arn(make: Any) -> None:
    user = make(SEND)

    user.send()
    with pytest.raises(ClientError):
        user.receive()
    entries = user.sandbox.audit.calls(principal=user.arn)
    assert [(e.role, e.action, e.allowed) for e in entries] == [
        (None, "sqs:SendMessage", True),
        (None, "sqs:ReceiveMessage", False),
    ]


def test_a_managed_policy_counts_too(make: Any) -> None:
    user = make(more={"Managed": managed(RECEIVE, Users=[{"Ref": "User"}])})

    user.receive()
    with pytest.raises(ClientError, match="not authorized to perform: sqs:SendMessage"):
        user.send()


def test_a_deny_of_any_policy_wins(make: Any) -> None:
    user = make(SEND, more={"Managed": managed({**SEND, "Effect": "Deny"}, Users=[{"Ref": "User"}])})

    with pytest.raises(ClientError, match="explicit deny"):
        user.send()


def test_a_boundary_limits_what_the_policies_allow(make: Any) -> None:
    user = make(SEND, RECEIVE, more={"Boundary": managed(SEND)}, PermissionsBoundary={"Ref": "Boundary"})

    user.send()
    with pytest.raises(ClientError, match="no permissions boundary allows"):
        user.receive()


def test_a_resource_policy_may_name_the_user(make: Any) -> None:
    statement = {**SEND, "Principal": {"AWS": {"Fn::GetAtt": ["User", "Arn"]}}}
    properties = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy(statement)}
    user = make(more={"QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}})

    user.send()
    with pytest.raises(ClientError, match="not authorized to perform: sqs:ReceiveMessage"):
        user.receive()


def test_conditions_see_the_users_name_and_no_second_factor(make: Any) -> None:
    named = {**SEND, "Resource": "*", "Condition": {"StringLike": {"aws:username": "stack-*"}}}
    without = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    user = make(named, {**RECEIVE, "Condition": without})

    user.send()
    with pytest.raises(ClientError, match="not authorized to perform: sqs:ReceiveMessage"):
        user.receive()


def test_a_user_may_list_its_own_keys_if_its_arn_is_granted(make: Any) -> None:
    own = {"Effect": "Allow", "Action": "iam:ListAccessKeys"}
    # Its path belongs to the ARN, which the request does not say.
    user = make({**own, "Resource": "arn:aws:iam::123456789012:user/vendors/${aws:username}"})
    without_path = make({**own, "Resource": "arn:aws:iam::123456789012:user/${aws:username}"})

    for request in ({"UserName": user.name}, {}):
        (key,) = user.client("iam").list_access_keys(**request)["AccessKeyMetadata"]
        assert key["AccessKeyId"] == user.key_id
    with pytest.raises(ClientError, match=f"iam:ListAccessKeys on resource: {without_path.arn}"):
        user.client("iam").list_access_keys(UserName=without_path.name)
    with pytest.raises(ClientError, match="AccessDenied"):
        without_path.client("iam").list_access_keys(UserName=without_path.name)


def test_a_key_that_is_switched_off_or_deleted_is_refused(make: Any) -> None:
    user = make(SEND)
    iam = user.sandbox.boto3_client("iam")
    invalid = r"InvalidClientTokenId.*The security token included in the request is invalid"

    iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    with pytest.raises(ClientError, match=f"{invalid}.*is Inactive") as refused:
        user.client("sts").get_caller_identity()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Active")
    user.send()

    iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    with pytest.raises(ClientError, match=invalid):
        user.client("sts").get_caller_identity()


def test_the_keys_of_a_deleted_user_are_refused(make: Any, deploy: Any) -> None:
    user = make(SEND)

    deploy.delete(deploy.names[-1])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        user.client("sts").get_caller_identity()


def test_a_role_may_list_a_users_keys_if_the_users_arn_is_granted(make: Any, role: Any) -> None:
    granted = {
        "Effect": "Allow",
        "Action": "iam:ListAccessKeys",
        "Resource": {"Fn::GetAtt": ["User", "Arn"]},
    }
    user = make(more={"Role": role(granted)})
    other = make()
    # More roles than one page holds may be there, of the tests before.
    roles = user.sandbox.boto3_client("iam").get_paginator("list_roles").paginate()
    (found,) = [
        r
        for page in roles
        for r in page["Roles"]
        if r["RoleName"].startswith(user.name.partition("User")[0])  # of the same stack
    ]
    session = user.sandbox.principals.issue(found["Arn"], "key-age")
    iam = boto3.client(
        "iam",
        endpoint_url=user.sandbox.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )

    assert len(iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]) == 1
    with pytest.raises(ClientError, match=f"iam:ListAccessKeys on resource: {other.arn}"):
        iam.list_access_keys(UserName=other.name)
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.list_access_keys(UserName="nobody")
