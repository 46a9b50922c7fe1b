"""AWS::ApiGatewayV2::*: HTTP APIs on the sandbox's API Gateway, and domains of one's own for both kinds of API."""

from __future__ import annotations

from typing import Any, ClassVar

from connect_sandbox.cloud.api_gateway.http_api import (
    HttpApi,
    HttpApis,
    HttpAuthorizer,
    HttpIntegration,
    HttpRoute,
    HttpStage,
)
from connect_sandbox.cloud.api_gateway.registry import new_id
from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types import apigateway
from connect_sandbox.cloud.cfn.types.apigateway_support import (
    DESCRIPTION,
    apis,
    function_arn,
    is_true,
    map_domain,
)
from connect_sandbox.cloud.errors import AwsError

_LOOPBACK = Recorded("the sandbox speaks HTTP on the loopback interface")
_NOT_HERE = Only((), "it is not reproduced")


class Api(ResourceType):
    """An HTTP API."""

    type_name = "AWS::ApiGatewayV2::Api"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "ProtocolType": Only(("HTTP",), "WebSocket APIs are not reproduced"),
        "CorsConfiguration": SUPPORTED,
        "DisableExecuteApiEndpoint": SUPPORTED,
        "Description": DESCRIPTION,
        "IpAddressType": _LOOPBACK,
        "Version": Recorded("a version is kept"),
        **dict.fromkeys(("Body", "BodyS3Location", "Target", "RouteKey", "CredentialsArn"), _NOT_HERE),
        "RouteSelectionExpression": Only(
            ("$request.method $request.path", "${request.method} ${request.path}"), "HTTP APIs know no other"
        ),
        "FailOnWarnings": Recorded("nothing is imported, so nothing is warned about"),
        "Tags": TAGS,
    }
    required = ("Name", "ProtocolType")
    replaced_by = frozenset({"ProtocolType"})
    attributes = ("ApiId", "ApiEndpoint", "ExecuteApiArn")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the API."""
        api = _http(context).create(properties["Name"])
        self._set(api, properties)
        return Created(
            api.id,
            {
                "ApiId": api.id,
                "ApiEndpoint": f"https://{api.id}.execute-api.{context.region}.amazonaws.com",
                "ExecuteApiArn": f"arn:aws:execute-api:{context.region}:{context.account}:{api.id}",
            },
        )

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change name, CORS and whether the execute-api host answers."""
        self._set(_http(context).get(existing.physical_id), new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the API."""
        _http(context).apis.pop(existing.physical_id, None)

    def _set(self, api: HttpApi, properties: dict[str, Any]) -> None:
        cors = properties.get("CorsConfiguration") or {}
        if is_true(cors.get("AllowCredentials")) and "*" in (cors.get("AllowOrigins") or []):
            message = "allowCredentials is not supported for origin '*'"
            raise AwsError("BadRequestException", message)
        api.name, api.cors = properties["Name"], cors
        api.closed = is_true(properties.get("DisableExecuteApiEndpoint", False))


class _Part(ResourceType):
    """A part of an HTTP API that has an id of its own."""

    replaced_by = frozenset({"ApiId"})
    kept_in: ClassVar[str]

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the part."""
        return self._put(context, new_id(7), properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the part."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the part."""
        api = _http(context).apis.get(properties["ApiId"])
        if api is not None:
            getattr(api.definition, self.kept_in).pop(existing.physical_id, None)

    def _put(self, context: Context, part_id: str, properties: dict[str, Any]) -> Created:
        api = _http(context).get(properties["ApiId"])
        getattr(api.definition, self.kept_in)[part_id] = self._part(api, part_id, properties)
        return Created(part_id, dict.fromkeys(self.attributes, part_id))

    def _part(self, api: HttpApi, part_id: str, properties: dict[str, Any]) -> object:
        """Return what the definition keeps; AwsError if API Gateway would refuse it."""
        raise NotImplementedError


class Integration(_Part):
    """A function behind routes."""

    type_name = "AWS::ApiGatewayV2::Integration"
    properties: ClassVar[PropertyTable] = {
        "ApiId": SUPPORTED,
        "IntegrationType": Only(("AWS_PROXY",), "only Lambda proxy integrations are reproduced"),
        "IntegrationUri": SUPPORTED,
        "IntegrationMethod": Only(("POST",), "Lambda is invoked by POST"),
        "PayloadFormatVersion": Only(("2.0",), "events have payload format 2.0"),
        "TimeoutInMillis": SUPPORTED,
        "Description": DESCRIPTION,
        **dict.fromkeys(
            ("IntegrationSubtype", "RequestParameters", "ResponseParameters", "CredentialsArn", "TlsConfig"),
            _NOT_HERE,
        ),
        "ConnectionType": Only(("INTERNET",), "there is no VPC link here"),
    }
    required = ("ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion")
    attributes = ("IntegrationId",)
    kept_in = "integrations"

    def _part(self, api: HttpApi, part_id: str, properties: dict[str, Any]) -> HttpIntegration:  # noqa: ARG002
        uri = properties["IntegrationUri"]
        arn = function_arn(uri, "IntegrationUri") if ":apigateway:" in uri else uri
        timeout = int(properties.get("TimeoutInMillis", 30_000))
        if not 50 <= timeout <= 30_000:
            raise AwsError("BadRequestException", "TimeoutInMillis should be between 50 and 30000")
        return HttpIntegration(part_id, arn, timeout)


class Authorizer(_Part):
    """A Lambda authorizer with simple answers."""

    type_name = "AWS::ApiGatewayV2::Authorizer"
    properties: ClassVar[PropertyTable] = {
        "ApiId": SUPPORTED,
        "Name": SUPPORTED,
        "AuthorizerType": Only(("REQUEST",), "JWT authorizers are not reproduced"),
        "AuthorizerUri": SUPPORTED,
        "AuthorizerPayloadFormatVersion": Only(("2.0",), "events have payload format 2.0"),
        "EnableSimpleResponses": Only((True, "true"), "answers with an IAM policy are not reproduced"),
        "IdentitySource": SUPPORTED,
        "AuthorizerResultTtlInSeconds": Recorded("the authorizer is asked each time"),
        **dict.fromkeys(
            ("AuthorizerCredentialsArn", "JwtConfiguration", "IdentityValidationExpression"), _NOT_HERE
        ),
    }
    required = ("ApiId", "AuthorizerType", "Name", "AuthorizerUri", "EnableSimpleResponses")
    attributes = ("AuthorizerId",)
    kept_in = "authorizers"

    def _part(self, api: HttpApi, part_id: str, properties: dict[str, Any]) -> HttpAuthorizer:  # noqa: ARG002
        arn = function_arn(properties["AuthorizerUri"], "AuthorizerUri")
        return HttpAuthorizer(part_id, properties["Name"], arn, tuple(properties.get("IdentitySource") or ()))


class Route(_Part):
    """A method and path, or $default, and the integration that answers."""

    type_name = "AWS::ApiGatewayV2::Route"
    properties: ClassVar[PropertyTable] = {
        "ApiId": SUPPORTED,
        "RouteKey": SUPPORTED,
        "Target": SUPPORTED,
        "AuthorizationType": Only(("NONE", "CUSTOM"), "AWS_IAM and JWT are not reproduced"),
        "AuthorizerId": SUPPORTED,
        "ApiKeyRequired": Only((False, "false"), "HTTP APIs have no keys"),
        "OperationName": DESCRIPTION,
        "AuthorizationScopes": _NOT_HERE,
    }
    required = ("ApiId", "RouteKey", "Target")
    attributes = ("RouteId",)
    kept_in = "routes"

    def _part(self, api: HttpApi, part_id: str, properties: dict[str, Any]) -> HttpRoute:
        key, target = properties["RouteKey"], properties["Target"].removeprefix("integrations/")
        others = {one.key for one in api.definition.routes.values() if one.id != part_id}
        if key in others:
            message = f"Route with key {key} already exists for this API"
            raise AwsError("ConflictException", message, 409)
        if target not in api.definition.integrations:
            raise AwsError("NotFoundException", f"Invalid Integration identifier specified {target}", 404)
        authorizer = properties.get("AuthorizerId")
        custom = properties.get("AuthorizationType", "NONE") == "CUSTOM"
        if custom != (authorizer is not None) or (custom and authorizer not in api.definition.authorizers):
            raise AwsError("BadRequestException", "Invalid authorizer ID specified.")
        return HttpRoute(part_id, key, target, authorizer)


class Deployment(ResourceType):
    """A snapshot of the API."""

    type_name = "AWS::ApiGatewayV2::Deployment"
    properties: ClassVar[PropertyTable] = {
        "ApiId": SUPPORTED,
        "StageName": _NOT_HERE,
        "Description": DESCRIPTION,
    }
    required = ("ApiId",)
    replaced_by = frozenset({"ApiId"})
    attributes = ("DeploymentId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Make the snapshot."""
        deployment_id = _http(context).get(properties["ApiId"]).deploy()
        return Created(deployment_id, {"DeploymentId": deployment_id})

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the snapshot: only the description may change."""
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the snapshot."""
        api = _http(context).apis.get(properties["ApiId"])
        if api is not None:
            api.deployments.pop(existing.physical_id, None)


class Stage(ResourceType):
    """A stage."""

    type_name = "AWS::ApiGatewayV2::Stage"
    properties: ClassVar[PropertyTable] = {
        "ApiId": SUPPORTED,
        "StageName": SUPPORTED,
        "AutoDeploy": SUPPORTED,
        "DeploymentId": SUPPORTED,
        "StageVariables": SUPPORTED,
        "Description": DESCRIPTION,
        "AccessLogSettings": Recorded("HTTP APIs write no access log here"),
        "DefaultRouteSettings": Recorded("HTTP APIs are not throttled and have no metrics here"),
        "RouteSettings": Recorded("HTTP APIs are not throttled and have no metrics here"),
        "ClientCertificateId": _NOT_HERE,
        "Tags": TAGS,
    }
    required = ("ApiId", "StageName")
    replaced_by = frozenset({"ApiId", "StageName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the stage."""
        api = _http(context).get(properties["ApiId"])
        if properties["StageName"] in api.stages:
            raise AwsError("ConflictException", "Stage already exists", 409)
        return self._put(api, properties)

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the stage."""
        return self._put(_http(context).get(new["ApiId"]), new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the stage."""
        api = _http(context).apis.get(properties["ApiId"])
        if api is not None:
            api.stages.pop(existing.physical_id, None)

    def _put(self, api: HttpApi, properties: dict[str, Any]) -> Created:
        name = properties["StageName"]
        api.stages[name] = HttpStage(
            name,
            is_true(properties.get("AutoDeploy", False)),
            properties.get("DeploymentId", ""),
            {key: str(value) for key, value in (properties.get("StageVariables") or {}).items()},
        )
        return Created(name)


class Domain(apigateway.Domain):
    """The same domains: stages of both kinds of APIs can be mapped under one."""

    type_name = "AWS::ApiGatewayV2::DomainName"
    properties: ClassVar[PropertyTable] = {
        "DomainName": SUPPORTED,
        "DomainNameConfigurations": _LOOPBACK,
        "MutualTlsAuthentication": Only((), "the sandbox speaks HTTP"),
        "RoutingMode": Only(("API_MAPPING_ONLY",), "there are no routing rules here"),
        "Tags": TAGS,
    }
    attributes = ("RegionalDomainName", "RegionalHostedZoneId", "DomainNameArn")


class ApiMapping(ResourceType):
    """A stage of an API under a domain of one's own."""

    type_name = "AWS::ApiGatewayV2::ApiMapping"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("ApiId", "ApiMappingKey", "DomainName", "Stage"), SUPPORTED
    )
    required = ("ApiId", "DomainName", "Stage")
    replaced_by = frozenset({"DomainName"})
    attributes = ("ApiMappingId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Map the stage."""
        self._map(context, properties)
        mapping_id = new_id(6)
        return Created(mapping_id, {"ApiMappingId": mapping_id})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Map another stage, or another path."""
        self.delete(context, existing, old)
        self._map(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the mapping."""
        domain = apis(context).domains.get(properties["DomainName"])
        if domain is not None:
            domain.mappings.pop(properties.get("ApiMappingKey", ""), None)

    def _map(self, context: Context, properties: dict[str, Any]) -> None:
        api_id, stage = properties["ApiId"], properties["Stage"]
        http = _http(context).apis.get(api_id)
        stages = http.stages if http is not None else apis(context).get(api_id).stages
        if stage not in stages:
            raise AwsError("BadRequestException", f"Invalid stage identifier specified {stage}")
        map_domain(context, properties["DomainName"], properties.get("ApiMappingKey", ""), (api_id, stage))


def _http(context: Context) -> HttpApis:
    return context.services.http_apis


TYPES = (
    Api(), Integration(), Authorizer(), Route(), Deployment(), Stage(), Domain(), ApiMapping(),
)  # fmt: skip
