"""What the CDK's bootstrap stack needs: S3 bucket and policy, ECR repository, SSM parameter; and CDK metadata."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.iam import Policy, PolicyKind

#: Members of a CORS rule in CloudFormation, and what S3's API calls them.
_CORS = {
    "AllowedHeaders": "AllowedHeaders",
    "AllowedMethods": "AllowedMethods",
    "AllowedOrigins": "AllowedOrigins",
    "ExposedHeaders": "ExposeHeaders",
    "Id": "ID",
    "MaxAge": "MaxAgeSeconds",
}


class Bucket(ResourceType):
    """A bucket."""

    type_name = "AWS::S3::Bucket"
    properties: ClassVar[PropertyTable] = {
        "BucketName": SUPPORTED,
        "AccessControl": Only(("Private",), "access lists are not reproduced"),
        "BucketEncryption": Recorded("encryption at rest: the bucket lives in memory"),
        "PublicAccessBlockConfiguration": Recorded("only this machine reaches the sandbox"),
        "OwnershipControls": Recorded("there is one account here"),
        "VersioningConfiguration": SUPPORTED,
        "LifecycleConfiguration": Recorded("nothing expires while the sandbox runs"),
        "LoggingConfiguration": Recorded("moto writes no access log; the bucket for it must exist"),
        "CorsConfiguration": SUPPORTED,
        "NotificationConfiguration": Nested(
            {
                "LambdaConfigurations": Nested(
                    {"Event": SUPPORTED, "Function": SUPPORTED, "Filter": SUPPORTED}
                ),
                "QueueConfigurations": Nested({"Event": SUPPORTED, "Queue": SUPPORTED, "Filter": SUPPORTED}),
                "TopicConfigurations": Nested({"Event": SUPPORTED, "Topic": SUPPORTED, "Filter": SUPPORTED}),
                "EventBridgeConfiguration": Nested({"EventBridgeEnabled": SUPPORTED}),
            }
        ),
        "Tags": TAGS,
    }
    name_property = "BucketName"
    replaced_by = frozenset({"BucketName"})
    attributes = ("Arn", "DomainName", "RegionalDomainName")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the bucket; a bucket of this account that is there already (retained) is a failure, as on AWS."""
        client = context.client("s3")
        name = properties.get("BucketName") or context.physical_name(limit=63, lower=True)
        where = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
        client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        created = Created(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
            },
        )
        return self.update(context, created, {}, properties)

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change versioning, CORS rules, notifications and tags; the bucket for the access log must exist."""
        self._set_tags(context, existing.physical_id, old, new)
        self._set_access(context, existing.physical_id, old, new)
        if "NotificationConfiguration" in {*old, *new}:
            targets, event_bridge = _notifications(new.get("NotificationConfiguration") or {})
            context.services.bucket_events.configure(existing.physical_id, targets, event_bridge=event_bridge)
        if "VersioningConfiguration" in new:
            context.client("s3").put_bucket_versioning(
                Bucket=existing.physical_id, VersioningConfiguration=new["VersioningConfiguration"]
            )
        return existing

    def _set_tags(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        tags = [{"Key": key, "Value": value} for key, value in merged_tags(context, new.get("Tags")).items()]
        client = context.client("s3")
        if tags:
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        elif old.get("Tags"):
            client.delete_bucket_tagging(Bucket=name)

    def _set_access(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        client = context.client("s3")
        if target := new.get("LoggingConfiguration", {}).get("DestinationBucketName"):
            client.head_bucket(Bucket=target)
        if cors := new.get("CorsConfiguration"):
            rules = [{_CORS[member]: value for member, value in rule.items()} for rule in cors["CorsRules"]]
            client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
        elif "CorsConfiguration" in old:
            client.delete_bucket_cors(Bucket=name)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the bucket, which must be empty."""
        context.client("s3").delete_bucket(Bucket=existing.physical_id)


def _notifications(configuration: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """Return whom a bucket notifies of what, and whether EventBridge is among them."""
    named = (
        ("LambdaConfigurations", "Function"),
        ("QueueConfigurations", "Queue"),
        ("TopicConfigurations", "Topic"),
    )
    targets = [
        {
            "Arn": one[target],
            "Events": [one["Event"]],
            "Filter": ((one.get("Filter") or {}).get("S3Key") or {}).get("Rules") or [],
        }
        for kind, target in named
        for one in configuration.get(kind) or []
    ]
    bridge = configuration.get("EventBridgeConfiguration")
    return targets, bridge is not None and str(bridge.get("EventBridgeEnabled", True)).lower() == "true"


def _each(value: Any) -> list[Any]:  # noqa: ANN401  (one, or a list)
    return value if isinstance(value, list) else [value]


class BucketPolicy(ResourceType):
    """The resource policy of a bucket."""

    type_name = "AWS::S3::BucketPolicy"
    properties: ClassVar[PropertyTable] = {"Bucket": SUPPORTED, "PolicyDocument": SUPPORTED}
    required = ("Bucket", "PolicyDocument")
    replaced_by = frozenset({"Bucket"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Keep the policy; the sandbox evaluates it before moto, whose own evaluation ignores conditions."""
        name = properties["Bucket"]
        Policy.parse(properties["PolicyDocument"], name=f"policy of bucket {name}", kind=PolicyKind.RESOURCE)
        arn = f"arn:aws:s3:::{name}"
        for statement in _each(properties["PolicyDocument"]["Statement"]):
            for resource in _each(statement.get("Resource", [])):
                if resource not in {"*", arn} and resource.partition("/")[0].rstrip("*") != arn:
                    raise AwsError("MalformedPolicy", "Policy has invalid resource")
        context.services.authorization.bucket_policies[name] = properties["PolicyDocument"]
        return Created(name)

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Keep the new policy."""
        return self.create(context, new)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Forget the policy."""
        context.services.authorization.bucket_policies.pop(existing.physical_id, None)


class Repository(ResourceType):
    """A repository for container images, which the bootstrap stack declares and nothing here uses."""

    type_name = "AWS::ECR::Repository"
    properties: ClassVar[PropertyTable] = {
        "RepositoryName": SUPPORTED,
        "ImageTagMutability": Recorded("no images are pushed here"),
        "LifecyclePolicy": Recorded("no images are pushed here"),
        "RepositoryPolicyText": Recorded("no images are pulled here"),
        "Tags": TAGS,
    }
    replaced_by = frozenset({"RepositoryName"})
    attributes = ("Arn", "RepositoryUri")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the repository."""
        name = properties.get("RepositoryName") or context.physical_name(limit=256, lower=True)
        repository = context.client("ecr").create_repository(repositoryName=name)["repository"]
        return Created(
            name, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}
        )

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the repository: what may change has no effect here."""
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the repository."""
        client = context.client("ecr")
        try:
            client.delete_repository(repositoryName=existing.physical_id)
        except client.exceptions.RepositoryNotFoundException:
            return


class Parameter(ResourceType):
    """A parameter of Systems Manager."""

    type_name = "AWS::SSM::Parameter"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Type": SUPPORTED,
        "Value": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "Tier": Recorded("the tier changes only the price"),
        "Tags": TAGS,
    }
    required = ("Type", "Value")
    replaced_by = frozenset({"Name"})
    attributes = ("Type", "Value")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the parameter; an existing one is a failure."""
        name = properties.get("Name") or context.physical_name(limit=1011)
        return self._put(context, name, properties, overwrite=False)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the new value."""
        return self._put(context, existing.physical_id, new, overwrite=True)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the parameter."""
        client = context.client("ssm")
        try:
            client.delete_parameter(Name=existing.physical_id)
        except client.exceptions.ParameterNotFound:
            return

    def _put(self, context: Context, name: str, properties: dict[str, Any], *, overwrite: bool) -> Created:
        value, kind = str(properties["Value"]), properties["Type"]
        context.client("ssm").put_parameter(Name=name, Value=value, Type=kind, Overwrite=overwrite)
        return Created(name, {"Type": kind, "Value": value})


class Metadata(ResourceType):
    """The CDK's usage statistics; nothing is sent from here."""

    type_name = "AWS::CDK::Metadata"
    properties: ClassVar[PropertyTable] = {
        "Analytics": Recorded("usage statistics of the CDK; nothing is sent")
    }

    def create(self, context: Context, _properties: dict[str, Any]) -> Created:
        """Record that it exists."""
        return Created(context.physical_name())

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep it."""
        return existing

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the record."""


TYPES = (Bucket(), BucketPolicy(), Repository(), Parameter(), Metadata())
