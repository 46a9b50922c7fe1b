"""AWS::ApiGateway::*: REST APIs with Lambda proxy integrations and TOKEN authorizers, on the sandbox's API Gateway."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from connect_bridges.sandbox.cloud.api_gateway.context import KNOWN_VARIABLES, variables_in
from connect_bridges.sandbox.cloud.api_gateway.errors import RESPONSE_TYPES
from connect_bridges.sandbox.cloud.api_gateway.registry import (
    ApiRegistry,
    Authorizer,
    GatewayResponse,
    Method,
    MethodSetting,
    RequestValidator,
    RestApi,
    Stage,
    new_id,
)
from connect_bridges.sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_bridges.sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_bridges.sandbox.cloud.errors import AwsError, CannotStandInError
from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

_DESCRIPTION = Recorded("a description is kept")
_NEVER_HERE = {"EXPIRED_TOKEN", "INVALID_API_KEY", "INVALID_SIGNATURE", "QUOTA_EXCEEDED", "WAF_FILTERED"}
#: The errors that can be shaped; some never arise here (no API keys, no signatures, no firewall).
_GATEWAY_RESPONSE_TYPES = ({*RESPONSE_TYPES, "DEFAULT_4XX", "DEFAULT_5XX"} | _NEVER_HERE) - {"BAD_GATEWAY"}
_FALSE = (False, "false")
_FUNCTION_URI = re.compile(
    r"^arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(arn:[\w-]+:lambda:[^/]+)/invocations$"
)
_IDENTITY_SOURCE = re.compile(r"^method\.request\.header\.([A-Za-z0-9_-]+)$")


class Api(ResourceType):
    """A REST API."""

    type_name = "AWS::ApiGateway::RestApi"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": _DESCRIPTION,
        "EndpointConfiguration": Nested(
            {
                "Types": Only(("REGIONAL", "EDGE"), "private APIs need a VPC"),
                "IpAddressType": Recorded("the sandbox listens on the loopback interface"),
            }
        ),
        "SecurityPolicy": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "EndpointAccessMode": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "DisableExecuteApiEndpoint": Only(_FALSE, "custom domains are not reproduced"),
        "FailOnWarnings": Recorded("there are no warnings of an import"),
        "Tags": TAGS,
    }
    required = ("Name",)
    attributes = ("RootResourceId", "RestApiId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the API."""
        api = _apis(context).create(properties["Name"])
        return Created(api.id, {"RootResourceId": api.root_id, "RestApiId": api.id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Rename the API."""
        _apis(context).get(existing.physical_id).name = new["Name"]
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the API."""
        _apis(context).delete(existing.physical_id)


class Resource(ResourceType):
    """A part of a path."""

    type_name = "AWS::ApiGateway::Resource"
    properties: ClassVar[PropertyTable] = dict.fromkeys(("RestApiId", "ParentId", "PathPart"), SUPPORTED)
    required = ("RestApiId", "ParentId", "PathPart")
    attributes = ("ResourceId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the part."""
        resource = _apis(context).add_resource(*(properties[name] for name in self.required))
        return Created(resource.id, {"ResourceId": resource.id})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the part and its methods."""
        api = _find(context, properties)
        if api is not None:
            api.definition.resources.pop(existing.physical_id, None)
            methods = api.definition.methods
            for key in [key for key in methods if key[0] == existing.physical_id]:
                del methods[key]


class ApiMethod(ResourceType):
    """A method with a Lambda proxy integration."""

    type_name = "AWS::ApiGateway::Method"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "ResourceId": SUPPORTED,
        "HttpMethod": SUPPORTED,
        "AuthorizationType": Only(("NONE", "CUSTOM"), "AWS_IAM and Cognito are not reproduced"),
        "AuthorizerId": SUPPORTED,
        "ApiKeyRequired": Only(_FALSE, "API keys are not reproduced"),
        "OperationName": _DESCRIPTION,
        "RequestParameters": SUPPORTED,
        "RequestModels": SUPPORTED,
        "RequestValidatorId": SUPPORTED,
        "MethodResponses": Recorded("a proxy integration's answer is passed on as it is"),
        "Integration": Nested(
            {
                "Type": Only(("AWS_PROXY",), "only Lambda proxy integrations are reproduced"),
                "IntegrationHttpMethod": Only(("POST",), "Lambda is invoked by POST"),
                "Uri": SUPPORTED,
                "TimeoutInMillis": SUPPORTED,
                "PassthroughBehavior": Recorded("a proxy integration takes every content type"),
            }
        ),
    }
    required = ("RestApiId", "ResourceId", "HttpMethod")
    replaced_by = frozenset({"RestApiId", "ResourceId", "HttpMethod"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the method."""
        self._put(context, properties)
        return Created(f"{properties['RestApiId']}-{properties['ResourceId']}-{properties['HttpMethod']}")

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the method anew."""
        self._put(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the method."""
        api = _find(context, properties)
        if api is not None:
            api.definition.methods.pop((properties["ResourceId"], properties["HttpMethod"]), None)

    def _put(self, context: Context, properties: dict[str, Any]) -> None:
        integration = properties.get("Integration") or {}
        if integration.get("Type") != "AWS_PROXY":
            raise CannotStandInError(
                f"{self.type_name} without Integration.Type AWS_PROXY", "it has no other integration"
            )
        custom = properties.get("AuthorizationType", "NONE") == "CUSTOM"
        if custom != ("AuthorizerId" in properties):
            raise AwsError(
                "BadRequestException",
                "Invalid authorizer ID specified. "
                "Setting the authorization type to CUSTOM requires a valid authorizer.",
            )
        method = Method(
            verb=properties["HttpMethod"],
            resource_id=properties["ResourceId"],
            authorization_type=properties.get("AuthorizationType", "NONE"),
            authorizer_id=properties.get("AuthorizerId"),
            validator_id=properties.get("RequestValidatorId"),
            request_parameters={
                k: _is_true(v) for k, v in (properties.get("RequestParameters") or {}).items()
            },
            request_models=dict(properties.get("RequestModels") or {}),
            function_arn=_function_arn(integration.get("Uri", ""), "Integration.Uri"),
            timeout_ms=int(integration.get("TimeoutInMillis", 29_000)),
        )
        _apis(context).put_method(properties["RestApiId"], method)


class ApiAuthorizer(ResourceType):
    """A TOKEN authorizer."""

    type_name = "AWS::ApiGateway::Authorizer"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "Name": SUPPORTED,
        "Type": Only(("TOKEN",), "REQUEST and Cognito authorizers are not reproduced"),
        "AuthType": Recorded("an import's label"),
        "AuthorizerUri": SUPPORTED,
        "IdentitySource": SUPPORTED,
        "IdentityValidationExpression": SUPPORTED,
        "AuthorizerResultTtlInSeconds": SUPPORTED,
    }
    required = ("RestApiId", "Name", "Type")
    replaced_by = frozenset({"RestApiId"})
    attributes = ("AuthorizerId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the authorizer."""
        return self._put(context, new_id(6), properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the authorizer."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the authorizer."""
        api = _find(context, properties)
        if api is not None:
            api.definition.authorizers.pop(existing.physical_id, None)

    def _put(self, context: Context, authorizer_id: str, properties: dict[str, Any]) -> Created:
        ttl = int(properties.get("AuthorizerResultTtlInSeconds", 300))
        if not 0 <= ttl <= 3600:
            raise AwsError(
                "BadRequestException", "Authorizer result TTL in seconds must be between 0 and 3600"
            )
        source = _IDENTITY_SOURCE.match(properties.get("IdentitySource", ""))
        if source is None:
            raise AwsError(
                "BadRequestException",
                "Identity source of a TOKEN authorizer must be method.request.header.NAME",
            )
        expression = properties.get("IdentityValidationExpression", "")
        try:
            re.compile(expression)
        except re.error as error:
            raise AwsError(
                "BadRequestException", f"Invalid identity validation expression: {error}"
            ) from error
        _apis(context).get(properties["RestApiId"]).definition.authorizers[authorizer_id] = Authorizer(
            id=authorizer_id,
            name=properties["Name"],
            function_arn=_function_arn(properties.get("AuthorizerUri", ""), "AuthorizerUri"),
            identity_header=source[1],
            validation_expression=expression,
            ttl_seconds=ttl,
        )
        return Created(authorizer_id, {"AuthorizerId": authorizer_id})


class Validator(ResourceType):
    """A request validator."""

    type_name = "AWS::ApiGateway::RequestValidator"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("RestApiId", "Name", "ValidateRequestBody", "ValidateRequestParameters"), SUPPORTED
    )
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId", "Name"})
    attributes = ("RequestValidatorId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the validator."""
        return self._put(context, new_id(6), properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the validator."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the validator."""
        api = _find(context, properties)
        if api is not None:
            api.definition.validators.pop(existing.physical_id, None)

    def _put(self, context: Context, validator_id: str, properties: dict[str, Any]) -> Created:
        _apis(context).get(properties["RestApiId"]).definition.validators[validator_id] = RequestValidator(
            id=validator_id,
            name=properties.get("Name", ""),
            body=_is_true(properties.get("ValidateRequestBody")),
            parameters=_is_true(properties.get("ValidateRequestParameters")),
        )
        return Created(validator_id, {"RequestValidatorId": validator_id})


class Model(ResourceType):
    """A model: a JSON schema, draft 4, for a body."""

    type_name = "AWS::ApiGateway::Model"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "Name": SUPPORTED,
        "ContentType": SUPPORTED,
        "Schema": SUPPORTED,
        "Description": _DESCRIPTION,
    }
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId", "Name", "ContentType"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the model."""
        name = properties.get("Name") or re.sub(r"[^A-Za-z0-9]", "", context.physical_name(limit=128))
        return self._put(context, name, properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the schema."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the model."""
        api = _find(context, properties)
        if api is not None:
            api.definition.models.pop(existing.physical_id, None)

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Created:
        given = properties.get("Schema", {})
        schema = json.loads(given) if isinstance(given, str) else given
        try:
            Draft4Validator.check_schema(schema)
        except SchemaError as error:
            raise AwsError("BadRequestException", f"Invalid model specified: {error.message}") from error
        _apis(context).get(properties["RestApiId"]).definition.models[name] = schema
        return Created(name)


class GatewayAnswer(ResourceType):
    """How an error of the gateway's own is answered."""

    type_name = "AWS::ApiGateway::GatewayResponse"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("RestApiId", "ResponseType", "StatusCode", "ResponseParameters", "ResponseTemplates"), SUPPORTED
    )
    required = ("RestApiId", "ResponseType")
    replaced_by = frozenset({"RestApiId", "ResponseType"})
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Put the response."""
        kind = properties["ResponseType"]
        if kind not in _GATEWAY_RESPONSE_TYPES:
            raise AwsError("BadRequestException", f"Unsupported response type: {kind}")
        prefix = "gatewayresponse.header."
        headers = {
            name.removeprefix(prefix): self._parameter(name, value, prefix)
            for name, value in (properties.get("ResponseParameters") or {}).items()
        }
        templates = dict(properties.get("ResponseTemplates") or {})
        for content_type, template in templates.items():
            if content_type != "application/json":
                raise CannotStandInError(
                    f"{self.type_name} ResponseTemplates {content_type}", "errors are answered in JSON"
                )
            unknown = sorted(variables_in(template) - KNOWN_VARIABLES)
            if unknown:
                raise CannotStandInError(
                    f"{self.type_name} ResponseTemplates variable {unknown[0]}", "its value is not known"
                )
        status = properties.get("StatusCode")
        response = GatewayResponse(kind, None if status is None else int(status), headers, templates)
        _apis(context).get(properties["RestApiId"]).definition.gateway_responses[kind] = response
        return Created(f"{properties['RestApiId']}-{kind}", {"Id": f"{properties['RestApiId']}-{kind}"})

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Put the response anew."""
        return self.create(context, new)

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Go back to API Gateway's own response."""
        api = _find(context, properties)
        if api is not None:
            api.definition.gateway_responses.pop(properties["ResponseType"], None)

    def _parameter(self, name: str, value: str, prefix: str) -> str:
        quoted = value.startswith("'") and value.endswith("'")
        if not name.startswith(prefix) or not (quoted or "$" + value in KNOWN_VARIABLES):
            raise CannotStandInError(
                f"{self.type_name} ResponseParameters {name}={value}",
                "give a header a 'constant' or context.*",
            )
        return value


class Deployment(ResourceType):
    """A snapshot of the API."""

    type_name = "AWS::ApiGateway::Deployment"
    properties: ClassVar[PropertyTable] = {"RestApiId": SUPPORTED, "Description": _DESCRIPTION}
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId"})
    attributes = ("DeploymentId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Take the snapshot."""
        deployment_id = _apis(context).deploy(properties["RestApiId"])
        return Created(deployment_id, {"DeploymentId": deployment_id})

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the snapshot: only the description may change."""
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Drop the snapshot, which no stage may use any more."""
        api = _find(context, properties)
        if api is None:
            return
        users = [stage.name for stage in api.stages.values() if stage.deployment_id == existing.physical_id]
        if users:
            message = (
                f"Active stages pointing to this deployment must be moved or deleted: {', '.join(users)}"
            )
            raise AwsError("BadRequestException", message)
        api.deployments.pop(existing.physical_id, None)


class ApiStage(ResourceType):
    """A stage."""

    type_name = "AWS::ApiGateway::Stage"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "DeploymentId": SUPPORTED,
        "StageName": SUPPORTED,
        "Description": _DESCRIPTION,
        "AccessLogSetting": Nested({"DestinationArn": SUPPORTED, "Format": SUPPORTED}),
        "MethodSettings": Nested(
            {
                "HttpMethod": SUPPORTED,
                "ResourcePath": SUPPORTED,
                "ThrottlingRateLimit": SUPPORTED,
                "ThrottlingBurstLimit": SUPPORTED,
                "LoggingLevel": Recorded("there is no execution log here"),
                "MetricsEnabled": Recorded("there are no metrics here"),
                "DataTraceEnabled": Recorded("there is no execution log here"),
                "CachingEnabled": Only(_FALSE, "answers are not cached here"),
            }
        ),
        "CacheClusterEnabled": Only(_FALSE, "answers are not cached here"),
        "TracingEnabled": Recorded("there is no X-Ray here"),
        "Tags": TAGS,
    }
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId", "StageName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the stage."""
        self._put(context, properties, new=True)
        return Created(properties["StageName"])

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Point the stage to another deployment, change its settings."""
        self._put(context, new, new=False)
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the stage."""
        api = _find(context, properties)
        if api is not None:
            api.stages.pop(existing.physical_id, None)

    def _put(self, context: Context, properties: dict[str, Any], *, new: bool) -> None:
        registry = _apis(context)
        settings = properties.get("MethodSettings") or []
        if any(s.get("LoggingLevel", "OFF") != "OFF" for s in settings) and not registry.log_role_arn:
            message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
            raise AwsError("BadRequestException", message)
        access_log = properties.get("AccessLogSetting") or {}
        stage = Stage(
            name=properties["StageName"],
            deployment_id=properties["DeploymentId"],
            settings=[
                _setting(entry)
                for entry in settings
                if "ThrottlingRateLimit" in entry or "ThrottlingBurstLimit" in entry
            ],
            log_group=_log_group(access_log.get("DestinationArn", "")),
            log_format=access_log.get("Format", ""),
        )
        registry.put_stage(properties["RestApiId"], stage, new=new)


class Account(ResourceType):
    """The account's settings: the role with which API Gateway writes logs."""

    type_name = "AWS::ApiGateway::Account"
    properties: ClassVar[PropertyTable] = {"CloudWatchRoleArn": SUPPORTED}
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Set the role, which must exist."""
        arn = properties.get("CloudWatchRoleArn", "")
        if arn and not context.services.authorization.role_exists(arn):
            raise AwsError(
                "BadRequestException", "The role ARN does not have required permissions configured."
            )
        _apis(context).log_role_arn = arn
        name = context.physical_name(limit=64)
        return Created(name, {"Id": name})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Set another role."""
        self.create(context, new)
        return existing

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Leave the setting as it is, as CloudFormation does."""


def _apis(context: Context) -> ApiRegistry:
    registry: ApiRegistry = context.services.apis
    return registry


def _find(context: Context, properties: dict[str, Any]) -> RestApi | None:
    """Return the API, or None if it is gone already."""
    return next((api for api in _apis(context).all() if api.id == properties["RestApiId"]), None)


def _function_arn(uri: str, what: str) -> str:
    found = _FUNCTION_URI.match(uri)
    if found is None:
        raise CannotStandInError(f"{what} {uri!r}", "it invokes Lambda functions by their ARN alone")
    return found[1]


def _setting(entry: dict[str, Any]) -> MethodSetting:
    path = str(entry.get("ResourcePath", "/*")).replace("~1", "/").replace("//", "/")
    return MethodSetting(
        path="*" if path in {"/*", "*"} else path,
        verb=entry.get("HttpMethod", "*"),
        # API Gateway's defaults for an account: 10,000 requests a second, bursts of 5,000.
        rate=float(entry.get("ThrottlingRateLimit", 10_000)),
        burst=int(entry.get("ThrottlingBurstLimit", 5_000)),
    )


def _log_group(arn: str) -> str:
    if not arn:
        return ""
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "logs":
        raise CannotStandInError(
            f"AWS::ApiGateway::Stage AccessLogSetting.DestinationArn {arn}", "it writes to log groups"
        )
    return parts[6]


def _is_true(value: Any) -> bool:  # noqa: ANN401
    return str(value).lower() == "true"


TYPES = (
    Api(), Resource(), ApiMethod(), ApiAuthorizer(), Validator(), Model(), GatewayAnswer(), Deployment(), ApiStage(),
    Account(),
)  # fmt: skip
