"""AWS::SecretsManager::Secret and ResourcePolicy, on moto's Secrets Manager."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import (
    Context,
    Created,
    ResourceType,
    as_list_of_tags,
    merged_tags,
)
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError

_GENERATE = Nested(
    dict.fromkeys(
        (
            "PasswordLength", "ExcludeCharacters", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
            "ExcludeLowercase", "IncludeSpace", "RequireEachIncludedType", "SecretStringTemplate", "GenerateStringKey",
        ),
        SUPPORTED,
    )
)  # fmt: skip


class Secret(ResourceType):
    """A secret, with a value of the template's or a generated one.

    Changing GenerateSecretString generates a new one, as on AWS.
    """

    type_name = "AWS::SecretsManager::Secret"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "SecretString": SUPPORTED,
        "GenerateSecretString": _GENERATE,
        "KmsKeyId": SUPPORTED,
        "ReplicaRegions": Only((), "there is one Region here"),
        "Tags": TAGS,
    }
    replaced_by = frozenset({"Name"})
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the secret with its first version."""
        client = context.client("secretsmanager")
        request = {
            "Name": properties.get("Name") or context.physical_name(limit=128),
            "Description": properties.get("Description", ""),
            "SecretString": _value(client, properties),
            "Tags": as_list_of_tags(merged_tags(context, properties.get("Tags"))),
        }
        if properties.get("KmsKeyId"):
            request["KmsKeyId"] = properties["KmsKeyId"]
        arn = client.create_secret(**request)["ARN"]
        return Created(arn, {"Id": arn})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Store a new version if the value, or how it is generated, has changed."""
        client = context.client("secretsmanager")
        sources = ("SecretString", "GenerateSecretString")
        if [old.get(name) for name in sources] != [new.get(name) for name in sources]:
            client.put_secret_value(SecretId=existing.physical_id, SecretString=_value(client, new))
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            client.update_secret(
                SecretId=existing.physical_id, KmsKeyId=new.get("KmsKeyId", "alias/aws/secretsmanager")
            )
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the secret for good, as CloudFormation does."""
        client = context.client("secretsmanager")
        try:
            client.delete_secret(SecretId=existing.physical_id, ForceDeleteWithoutRecovery=True)
        except client.exceptions.ResourceNotFoundException:
            return


class ResourcePolicy(ResourceType):
    """The resource policy of a secret."""

    type_name = "AWS::SecretsManager::ResourcePolicy"
    properties: ClassVar[PropertyTable] = {
        "SecretId": SUPPORTED,
        "ResourcePolicy": SUPPORTED,
        "BlockPublicPolicy": Recorded("linters look for public policies"),
    }
    required = ("SecretId", "ResourcePolicy")
    replaced_by = frozenset({"SecretId"})
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the policy on the secret."""
        context.client("secretsmanager").put_resource_policy(
            SecretId=properties["SecretId"], ResourcePolicy=json.dumps(properties["ResourcePolicy"])
        )
        return Created(properties["SecretId"], {"Id": properties["SecretId"]})

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the new policy on the secret."""
        return self.create(context, new)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Remove the policy from the secret."""
        client = context.client("secretsmanager")
        try:
            client.delete_resource_policy(SecretId=existing.physical_id)
        except client.exceptions.ResourceNotFoundException:
            return


def _value(client: Any, properties: dict[str, Any]) -> str:  # noqa: ANN401
    generate = properties.get("GenerateSecretString")
    if generate is None:
        return str(properties.get("SecretString", ""))
    if "SecretString" in properties:
        raise AwsError("InvalidRequest", "You can't specify both SecretString and GenerateSecretString.")
    password = _password(client, generate)
    template, key = generate.get("SecretStringTemplate"), generate.get("GenerateStringKey")
    if (template is None) != (key is None):
        raise AwsError("InvalidRequest", "SecretStringTemplate and GenerateStringKey must be given together.")
    return password if template is None else json.dumps({**json.loads(template), key: password})


def _password(client: Any, generate: dict[str, Any]) -> str:  # noqa: ANN401
    request: dict[str, Any] = {
        "PasswordLength": int(generate.get("PasswordLength", 32)),
        "ExcludeCharacters": generate.get("ExcludeCharacters", ""),
        "RequireEachIncludedType": _is_true(generate.get("RequireEachIncludedType", True)),
    }
    for name in (
        "ExcludeNumbers",
        "ExcludePunctuation",
        "ExcludeUppercase",
        "ExcludeLowercase",
        "IncludeSpace",
    ):
        request[name] = _is_true(generate.get(name, False))
    return str(client.get_random_password(**request)["RandomPassword"])


def _is_true(value: Any) -> bool:  # noqa: ANN401
    return str(value).lower() == "true"


TYPES = (Secret(), ResourcePolicy())
