"""AWS::IAM::User and AccessKey: created, switched off, replaced, rolled back and deleted as CloudFormation does it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import Sandbox

USER: dict[str, Any] = {"Type": "AWS::IAM::User"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def user(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::User", "Properties": properties}


def key(user_name: Any = None, **properties: Any) -> dict[str, Any]:
    name = user_name or {"Ref": "User"}
    return {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": name, **properties}}


def document(action: str = "sqs:SendMessage") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def secret(key_name: str) -> dict[str, Any]:
    """Return a secret as the CDK writes it for {accessKeyId, secretAccessKey}."""
    parts = [
        '{"accessKeyId":"', {"Ref": key_name},
        '","secretAccessKey":"', {"Fn::GetAtt": [key_name, "SecretAccessKey"]},
        '"}',
    ]  # fmt: skip
    return {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": {"Fn::Join": ["", parts]}}}


def failing(*after: str) -> dict[str, Any]:
    properties = {"PolicyDocument": {}, "Queues": ["http://localhost/none"]}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": properties, "DependsOn": list(after)}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


@pytest.fixture
def iam(sandbox: Sandbox) -> Any:
    return sandbox.boto3_client("iam")


def keys_of(iam: Any, name: str) -> dict[str, str]:
    """Return a user's keys with their status."""
    return {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}


def value_of(sandbox: Sandbox, arn: str) -> dict[str, str]:
    text = sandbox.boto3_client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    value: dict[str, str] = json.loads(text)
    return value


def test_references_and_attributes_are_what_cloudformation_gives(
    sandbox: Sandbox, iam: Any, deploy: Any
) -> None:
    outputs = {"Name": {"Ref": "User"}, "Arn": {"Fn::GetAtt": ["User", "Arn"]}, "KeyId": {"Ref": "Key"}}
    body = template(User=user(Path="/vendors/"), Key=key(Serial=1), Secret=secret("Key"))
    stack = deploy({**body, "Outputs": {name: {"Value": value} for name, value in outputs.items()}})

    name = stack.outputs["Name"]
    assert name.startswith(f"{stack.name}-User-")
    assert stack.outputs["Arn"] == f"arn:aws:iam::123456789012:user/vendors/{name}"
    assert keys_of(iam, name) == {stack.outputs["KeyId"]: "Active"}
    value = value_of(sandbox, stack.resources["Secret"])
    assert value["accessKeyId"] == stack.outputs["KeyId"]
    assert len(value["secretAccessKey"]) == 40
    told = json.dumps([stack.outputs, stack.resources, stack.events], default=str)
    assert value["secretAccessKey"] not in told


def test_a_user_has_its_policies_of_its_own_and_of_others(iam: Any, deploy: Any) -> None:
    inline = [{"PolicyName": "own", "PolicyDocument": document()}]
    body = template(
        User=user(ManagedPolicyArns=[READ_ONLY], Policies=inline),
        Policy={
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "given",
                "PolicyDocument": document("sqs:ReceiveMessage"),
                "Users": [{"Ref": "User"}],
            },
        },
        Managed={
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": document("sns:Publish"), "Users": [{"Ref": "User"}]},
        },
    )
    stack = deploy(body)
    name = stack.resources["User"]

    def attached() -> set[str]:
        found = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        return {policy["PolicyArn"] for policy in found}

    assert set(iam.list_user_policies(UserName=name)["PolicyNames"]) == {"own", "given"}
    assert attached() == {READ_ONLY, stack.resources["Managed"]}

    less = template(User=user(), Managed=body["Resources"]["Managed"])
    after = deploy(less, name=stack.name)
    assert after.status == "UPDATE_COMPLETE"
    assert iam.list_user_policies(UserName=name)["PolicyNames"] == []
    assert attached() == {stack.resources["Managed"]}


def test_policies_change_in_place(iam: Any, deploy: Any) -> None:
    def policies(name: str, action: str, *holders: str) -> dict[str, Any]:
        users = [{"Ref": one} for one in holders]
        inline = {"PolicyName": name, "PolicyDocument": document(action), "Users": users}
        managed = {"PolicyDocument": document(action), "Users": users}
        return template(
            One=user(),
            Other=user(),
            Policy={"Type": "AWS::IAM::Policy", "Properties": inline},
            Managed={"Type": "AWS::IAM::ManagedPolicy", "Properties": managed},
        )

    before = deploy(policies("old", "sqs:SendMessage", "One"))
    after = deploy(policies("new", "sns:Publish", "Other"), name=before.name)

    assert after.resources == before.resources
    one, other = (before.resources[name] for name in ("One", "Other"))
    arn = before.resources["Managed"]
    assert iam.list_user_policies(UserName=one)["PolicyNames"] == []
    assert iam.list_user_policies(UserName=other)["PolicyNames"] == ["new"]
    assert iam.list_attached_user_policies(UserName=one)["AttachedPolicies"] == []
    assert [
        each["PolicyArn"] for each in iam.list_attached_user_policies(UserName=other)["AttachedPolicies"]
    ] == [arn]
    (version,) = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    held = iam.get_policy_version(PolicyArn=arn, VersionId=version["VersionId"])["PolicyVersion"]
    assert held["Document"] == document("sns:Publish")


def test_a_key_is_switched_off_and_on_in_place(iam: Any, deploy: Any) -> None:
    stack = deploy(template(User=USER, Key=key(Status="Inactive")))
    name, key_id = stack.resources["User"], stack.resources["Key"]
    assert keys_of(iam, name) == {key_id: "Inactive"}

    assert deploy(template(User=USER, Key=key()), name=stack.name).resources["Key"] == key_id
    assert keys_of(iam, name) == {key_id: "Active"}


def test_a_greater_serial_replaces_the_key_and_the_secret_follows(
    sandbox: Sandbox, iam: Any, deploy: Any
) -> None:
    before = deploy(template(User=USER, Key=key(Serial=1), Secret=secret("Key")))
    first = value_of(sandbox, before.resources["Secret"])
    after = deploy(template(User=USER, Key=key(Serial=2), Secret=secret("Key")), name=before.name)
    second = value_of(sandbox, after.resources["Secret"])

    assert after.status == "UPDATE_COMPLETE"
    assert after.resources["Secret"] == before.resources["Secret"]
    assert keys_of(iam, after.resources["User"]) == {second["accessKeyId"]: "Active"}
    assert first["accessKeyId"] != second["accessKeyId"] == after.resources["Key"]
    assert first["secretAccessKey"] != second["secretAccessKey"]


def test_a_smaller_serial_is_refused_by_name(iam: Any, deploy: Any) -> None:
    before = deploy(template(User=USER, Key=key(Serial=2)))
    after = deploy(template(User=USER, Key=key(Serial=1)), name=before.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "AWS::IAM::AccessKey Serial going from 2 to 1" in after.reasons
    assert keys_of(iam, before.resources["User"]) == {before.resources["Key"]: "Active"}


def test_a_third_key_fails_and_the_update_is_rolled_back(sandbox: Sandbox, iam: Any, deploy: Any) -> None:
    two = {"One": key(Serial=1), "Two": key(Serial=2)}
    before = deploy(template(User=USER, **two, Secret=secret("Two")))
    held = value_of(sandbox, before.resources["Secret"])
    # As with VendorAccess.access_key(serials=(2, 3)) while key 1 is still there: IAM allows two.
    next_two = {"Two": key(Serial=2), "Three": key(Serial=3)}
    after = deploy(template(User=USER, **next_two, Secret=secret("Three")), name=before.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cannot exceed quota for AccessKeysPerUser: 2" in after.reasons
    assert set(keys_of(iam, before.resources["User"])) == {before.resources["One"], before.resources["Two"]}
    assert value_of(sandbox, before.resources["Secret"]) == held


def test_a_failed_update_takes_the_new_key_back_and_keeps_the_old_one(
    sandbox: Sandbox, iam: Any, deploy: Any
) -> None:
    before = deploy(template(User=USER, Key=key(Serial=1), Secret=secret("Key")))
    held = value_of(sandbox, before.resources["Secret"])
    broken = template(
        User=user(Path="/vendors/"), Key=key(Serial=2), Secret=secret("Key"), Broken=failing("Secret")
    )
    after = deploy(broken, name=before.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert keys_of(iam, before.resources["User"]) == {held["accessKeyId"]: "Active"}
    assert value_of(sandbox, before.resources["Secret"]) == held
    arn = iam.get_user(UserName=before.resources["User"])["User"]["Arn"]
    assert arn == f"arn:aws:iam::123456789012:user/{before.resources['User']}"


def test_another_user_name_replaces_the_user_and_its_key(iam: Any, deploy: Any) -> None:
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "given", "PolicyDocument": document(), "Users": [{"Ref": "User"}]},
    }
    before = deploy(template(User=user(UserName="bot-1"), Key=key(), Policy=policy))
    after = deploy(template(User=user(UserName="bot-2"), Key=key(), Policy=policy), name=before.name)

    assert after.status == "UPDATE_COMPLETE"
    assert keys_of(iam, "bot-2") == {after.resources["Key"]: "Active"}
    assert iam.list_user_policies(UserName="bot-2")["PolicyNames"] == ["given"]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_user(UserName="bot-1")


def test_another_path_changes_the_arn_in_place(iam: Any, deploy: Any) -> None:
    def at(path: str) -> dict[str, Any]:
        return {
            **template(User=user(Path=path), Key=key()),
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["User", "Arn"]}}},
        }

    before = deploy(at("/a/"))
    after = deploy(at("/b/"), name=before.name)

    assert after.resources == before.resources
    assert after.outputs["Arn"] == before.outputs["Arn"].replace("user/a/", "user/b/")
    assert keys_of(iam, after.resources["User"]) == {before.resources["Key"]: "Active"}


def test_deleting_leaves_no_user_even_with_a_key_made_by_hand(iam: Any, deploy: Any) -> None:
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "given", "PolicyDocument": document(), "Users": [{"Ref": "User"}]},
    }
    stack = deploy(template(User=user(ManagedPolicyArns=[READ_ONLY]), Key=key(), Policy=policy))
    iam.create_access_key(UserName=stack.resources["User"])

    assert deploy.delete(stack.name).status == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_user(UserName=stack.resources["User"])


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (user(Groups=["bots"]), "AWS::IAM::User Groups"),
        (user(LoginProfile={"Password": "x"}), "AWS::IAM::User LoginProfile"),
        (key("anybody", Status="Expired"), "AWS::IAM::AccessKey Status=Expired"),
        (
            {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "p", "PolicyDocument": document(), "Groups": ["bots"]},
            },
            "AWS::IAM::Policy Groups",
        ),
    ],
)
def test_what_cannot_be_reproduced_is_refused_by_name(
    iam: Any, deploy: Any, resource: dict[str, Any], named: str
) -> None:
    stack = deploy(template(Odd=resource))

    assert stack.status == "ROLLBACK_COMPLETE"
    assert f"the sandbox does not emulate {named}" in stack.reasons


@pytest.mark.parametrize(
    "resource",
    [
        user(UserName="half-made", ManagedPolicyArns=["arn:aws:iam::123456789012:policy/none"]),
        user(UserName="half-made", PermissionsBoundary="arn:aws:iam::aws:policy/NoSuchThing"),
        key("nobody"),
        {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": "half-made", "PolicyDocument": document(), "Users": ["nobody"],
            },
        },
    ],
)  # fmt: skip
def test_what_fails_leaves_nothing_behind(iam: Any, deploy: Any, resource: dict[str, Any]) -> None:
    stack = deploy(template(Odd=resource))

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "NoSuchEntity" in stack.reasons
    assert "half-made" not in {found["UserName"] for found in iam.list_users()["Users"]}
    assert "half-made" not in {p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]}
