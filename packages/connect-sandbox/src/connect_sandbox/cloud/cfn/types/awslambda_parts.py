"""AWS::Lambda::Version, Alias, LayerVersion, EventSourceMapping and EventInvokeConfig."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.lambda_state import LambdaFunction, LambdaState
from connect_sandbox.cloud.lambda_versions import Alias
from connect_sandbox.cloud.triggers.asynchronous import MAX_RETRIES, InvokeConfig
from connect_sandbox.cloud.triggers.mappings import SourceMapping, new_id

_PROVISIONED = Recorded("the first call of a process is cold here, whatever is provisioned")
_NOT_HERE = Only((), "it is not reproduced")


class Version(ResourceType):
    """A function as it was when this was deployed."""

    type_name = "AWS::Lambda::Version"
    properties: ClassVar[PropertyTable] = {
        "FunctionName": SUPPORTED,
        "CodeSha256": SUPPORTED,
        "Description": SUPPORTED,
        "ProvisionedConcurrencyConfig": _PROVISIONED,
        "RuntimePolicy": Recorded("functions run on this machine's Python or Node.js"),
        "FunctionScalingConfig": _NOT_HERE,
    }
    required = ("FunctionName",)
    replaced_by = frozenset(
        {"FunctionName", "CodeSha256", "Description", "ProvisionedConcurrencyConfig", "RuntimePolicy"}
    )
    attributes = ("Version", "FunctionArn")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Publish; without a change since the last version CloudFormation fails."""
        function = _function(context, properties)
        wanted = properties.get("CodeSha256", function.code_sha256)
        if wanted != function.code_sha256:
            message = (
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({function.code_sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
            raise AwsError("InvalidParameterValueException", message)
        version, new = _state(context).versions.publish(function, properties.get("Description", ""))
        if not new:
            message = (
                f"A version for this Lambda function exists ( {version.version} ). Modify the function to create a "
                "new version."
            )
            raise AwsError("AlreadyExists", message)
        return Created(version.arn, {"Version": version.version, "FunctionArn": version.arn})

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the version: nothing of it can change."""
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the version, to which no alias may point."""
        name, _, version = existing.physical_id.rpartition(":")
        _state(context).versions.forget_version(name.rpartition(":")[2], version)


class FunctionAlias(ResourceType):
    """A name for a version."""

    type_name = "AWS::Lambda::Alias"
    properties: ClassVar[PropertyTable] = {
        "FunctionName": SUPPORTED,
        "FunctionVersion": SUPPORTED,
        "Name": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "ProvisionedConcurrencyConfig": _PROVISIONED,
        "RoutingConfig": Only((), "every call goes to the one version"),
    }
    required = ("FunctionName", "FunctionVersion", "Name")
    replaced_by = frozenset({"FunctionName", "Name"})
    attributes = ("AliasArn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the alias."""
        return self._put(context, properties, new=True)

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Point it to another version; its permissions stay."""
        return self._put(context, new, new=False)

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the alias."""
        name, _, alias = existing.physical_id.rpartition(":")
        _state(context).versions.delete_alias(name.rpartition(":")[2], alias)

    def _put(self, context: Context, properties: dict[str, Any], *, new: bool) -> Created:
        alias = Alias(
            properties["Name"], str(properties["FunctionVersion"]), properties.get("Description", "")
        )
        arn = _state(context).versions.put_alias(_function(context, properties), alias, new=new)
        return Created(arn, {"AliasArn": arn})


class LayerVersion(ResourceType):
    """A zip of modules that functions share."""

    type_name = "AWS::Lambda::LayerVersion"
    properties: ClassVar[PropertyTable] = {
        "LayerName": SUPPORTED,
        "Content": Nested({"S3Bucket": SUPPORTED, "S3Key": SUPPORTED, "S3ObjectVersion": SUPPORTED}),
        "Description": Recorded("a description is kept"),
        "LicenseInfo": Recorded("a licence is kept"),
        "CompatibleRuntimes": Recorded("Lambda, too, only shows them"),
        "CompatibleArchitectures": Recorded("Lambda, too, only shows them"),
    }
    required = ("Content",)
    attributes = ("LayerVersionArn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add a version of the layer."""
        content = properties["Content"]
        request = {"Bucket": content["S3Bucket"], "Key": content["S3Key"]}
        if "S3ObjectVersion" in content:
            request["VersionId"] = content["S3ObjectVersion"]
        body = context.client("s3").get_object(**request)["Body"].read()
        name = properties.get("LayerName") or re.sub(r"\W", "", context.logical_id)
        layer = _state(context).add_layer(name, body, properties.get("Description", ""))
        return Created(layer.arn, {"LayerVersionArn": layer.arn})

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the version; functions that use it go on."""
        _state(context).delete_layer(existing.physical_id)


class LayerPermission(ResourceType):
    """Who of other accounts may use a layer: nobody is here to try."""

    type_name = "AWS::Lambda::LayerVersionPermission"
    without_effect = "there is no other account here that could use the layer"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("LayerVersionArn", "Action", "Principal", "OrganizationId"), Recorded(without_effect)
    )
    required = ("LayerVersionArn", "Action", "Principal")
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Keep it."""
        name = f"{properties['LayerVersionArn']}#{context.logical_id}"
        return Created(name, {"Id": name})

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Forget it."""


class EventSourceMapping(ResourceType):
    """Polls a queue or a stream for a function."""

    type_name = "AWS::Lambda::EventSourceMapping"
    properties: ClassVar[PropertyTable] = {
        "FunctionName": SUPPORTED,
        "EventSourceArn": SUPPORTED,
        "BatchSize": SUPPORTED,
        "Enabled": SUPPORTED,
        "FilterCriteria": Nested({"Filters": Nested({"Pattern": SUPPORTED})}),
        "FunctionResponseTypes": Only(("ReportBatchItemFailures",), "Lambda knows no other"),
        "StartingPosition": Only(("TRIM_HORIZON", "LATEST"), "records are not looked up by their time here"),
        "MaximumRetryAttempts": SUPPORTED,
        "BisectBatchOnFunctionError": Recorded("a batch is retried whole here"),
        "DestinationConfig": Nested({"OnFailure": Nested({"Destination": SUPPORTED})}),
        "MaximumBatchingWindowInSeconds": Recorded("what has arrived is sent at once"),
        "MaximumRecordAgeInSeconds": Recorded("records do not grow old here"),
        "ParallelizationFactor": Recorded("the batches of a shard go one after another"),
        "ScalingConfig": Recorded("the batches of a queue go one after another"),
        "TumblingWindowInSeconds": _NOT_HERE,
        "MetricsConfig": Recorded("there are no metrics of mappings here"),
        "LoggingConfig": Recorded("there is no log of mappings here"),
        "KmsKeyArn": Recorded("filters lie in memory"),
        "Tags": TAGS,
    }
    required = ("FunctionName", "EventSourceArn")
    replaced_by = frozenset({"EventSourceArn", "StartingPosition"})
    attributes = ("Id", "EventSourceMappingArn")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Start polling; the function's role must be allowed to read the source."""
        mapping = _mapping(context, new_id(), properties)
        if mapping.kind != "sqs" and "StartingPosition" not in properties:
            raise AwsError(
                "InvalidParameterValueException", "1 validation error detected: StartingPosition is null"
            )
        context.services.mappings.add(mapping)
        arn = f"arn:aws:lambda:{context.region}:{context.account}:event-source-mapping:{mapping.id}"
        return Created(mapping.id, {"Id": mapping.id, "EventSourceMappingArn": arn})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the settings."""
        context.services.mappings.change(_mapping(context, existing.physical_id, new))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Stop polling."""
        context.services.mappings.remove(existing.physical_id)


class EventInvokeConfig(ResourceType):
    """What becomes of asynchronous invocations: retries and destinations."""

    type_name = "AWS::Lambda::EventInvokeConfig"
    properties: ClassVar[PropertyTable] = {
        "FunctionName": SUPPORTED,
        "Qualifier": SUPPORTED,
        "MaximumRetryAttempts": SUPPORTED,
        "MaximumEventAgeInSeconds": Recorded("events do not grow old here"),
        "DestinationConfig": Nested(
            {
                "OnSuccess": Nested({"Destination": SUPPORTED}),
                "OnFailure": Nested({"Destination": SUPPORTED}),
            }
        ),
    }
    required = ("FunctionName", "Qualifier")
    replaced_by = frozenset({"FunctionName", "Qualifier"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Keep the settings for the function and qualifier."""
        destinations = properties.get("DestinationConfig") or {}
        arn = _qualified(context, properties)
        context.services.asynchronous.configs[arn] = InvokeConfig(
            int(properties.get("MaximumRetryAttempts", MAX_RETRIES)),
            (destinations.get("OnSuccess") or {}).get("Destination", ""),
            (destinations.get("OnFailure") or {}).get("Destination", ""),
        )
        return Created(f"{properties['FunctionName']}|{properties['Qualifier']}")

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the settings."""
        self.create(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Go back to two retries and no destination."""
        context.services.asynchronous.configs.pop(_qualified(context, properties), None)


def _state(context: Context) -> LambdaState:
    return context.services.lambda_state


def _function(context: Context, properties: dict[str, Any]) -> LambdaFunction:
    return _state(context).get(properties["FunctionName"])


def _qualified(context: Context, properties: dict[str, Any]) -> str:
    """Return the ARN that an invocation of the qualifier has."""
    name = properties["FunctionName"].rpartition(":")[2]
    arn = f"arn:aws:lambda:{context.region}:{context.account}:function:{name}"
    qualifier = properties["Qualifier"]
    return arn if qualifier == "$LATEST" else f"{arn}:{qualifier}"


def _mapping(context: Context, mapping_id: str, properties: dict[str, Any]) -> SourceMapping:
    filters = (properties.get("FilterCriteria") or {}).get("Filters") or []
    destination = ((properties.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination", "")
    queue = ":sqs:" in properties["EventSourceArn"]
    if destination.startswith("arn:aws:s3"):
        raise NotEmulatedError(f"{destination} as OnFailure", "it sends to queues and topics")
    return SourceMapping(
        id=mapping_id,
        source_arn=properties["EventSourceArn"],
        function_arn=_function(context, properties).arn,
        batch_size=int(properties.get("BatchSize", 10 if queue else 100)),
        enabled=str(properties.get("Enabled", True)).lower() == "true",
        patterns=[json.loads(one["Pattern"]) for one in filters if one.get("Pattern")],
        partial="ReportBatchItemFailures" in (properties.get("FunctionResponseTypes") or []),
        from_start=properties.get("StartingPosition") == "TRIM_HORIZON",
        retries=int(properties.get("MaximumRetryAttempts", -1)),
        on_failure=destination,
    )


TYPES = (
    Version(), FunctionAlias(), LayerVersion(), LayerPermission(), EventSourceMapping(), EventInvokeConfig(),
)  # fmt: skip
