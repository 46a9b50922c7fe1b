"""AWS::ApiGateway::*: REST APIs with Lambda proxy integrations and TOKEN authorizers, on the sandbox's API Gateway."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from connect_sandbox.cloud.api_gateway.registry import (
    Method,
    MethodSetting,
    MockResponse,
    RestApi,
    Stage,
)
from connect_sandbox.cloud.api_gateway.resource_policy import check_policy_document
from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.apigateway_support import (
    DESCRIPTION,
    add_domain,
    apis,
    find_api,
    function_arn,
    is_true,
    map_domain,
)
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

_FALSE = (False, "false")
_STATUS = re.compile(r"statusCode[\"']?\s*:\s*[\"']?(\d{3})")
_HEADER = "method.response.header."


class Api(ResourceType):
    """A REST API."""

    type_name = "AWS::ApiGateway::RestApi"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Description": DESCRIPTION,
        "EndpointConfiguration": Nested(
            {
                "Types": Only(("REGIONAL", "EDGE"), "private APIs need a VPC"),
                "IpAddressType": Recorded("the sandbox listens on the loopback interface"),
            }
        ),
        "SecurityPolicy": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "EndpointAccessMode": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "DisableExecuteApiEndpoint": SUPPORTED,
        "ApiKeySourceType": Only(("HEADER", "AUTHORIZER"), "API Gateway knows no other"),
        "Policy": SUPPORTED,
        "FailOnWarnings": Recorded("nothing is imported, so nothing is warned about"),
        "Tags": TAGS,
    }
    required = ("Name",)
    attributes = ("RootResourceId", "RestApiId")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the API."""
        api = apis(context).create(properties["Name"])
        self._set(api, properties)
        return Created(api.id, {"RootResourceId": api.root_id, "RestApiId": api.id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Rename the API, and change who may reach it; a policy counts from the next deployment on."""
        api = apis(context).get(existing.physical_id)
        api.name = new["Name"]
        self._set(api, new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the API."""
        apis(context).delete(existing.physical_id)

    def _set(self, api: RestApi, properties: dict[str, Any]) -> None:
        policy = properties.get("Policy")
        if policy:
            check_policy_document(policy)
        api.definition.policy = policy or None
        api.key_source = properties.get("ApiKeySourceType", "HEADER")
        api.closed = is_true(properties.get("DisableExecuteApiEndpoint", False))


class Resource(ResourceType):
    """A part of a path."""

    type_name = "AWS::ApiGateway::Resource"
    properties: ClassVar[PropertyTable] = dict.fromkeys(("RestApiId", "ParentId", "PathPart"), SUPPORTED)
    required = ("RestApiId", "ParentId", "PathPart")
    attributes = ("ResourceId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the part."""
        resource = apis(context).add_resource(*(properties[name] for name in self.required))
        return Created(resource.id, {"ResourceId": resource.id})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the part and its methods."""
        api = find_api(context, properties)
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
        "ApiKeyRequired": SUPPORTED,
        "OperationName": DESCRIPTION,
        "RequestParameters": SUPPORTED,
        "RequestModels": SUPPORTED,
        "RequestValidatorId": SUPPORTED,
        "MethodResponses": Nested(
            {
                "StatusCode": SUPPORTED,
                "ResponseParameters": SUPPORTED,
                "ResponseModels": Recorded("answers are not checked against models"),
            }
        ),
        "Integration": Nested(
            {
                "Type": Only(("AWS_PROXY", "MOCK"), "only Lambda proxy and mock integrations are reproduced"),
                "IntegrationHttpMethod": Only(("POST", "OPTIONS"), "Lambda is invoked by POST"),
                "RequestTemplates": SUPPORTED,
                "IntegrationResponses": Nested(
                    {
                        "StatusCode": SUPPORTED,
                        "SelectionPattern": SUPPORTED,
                        "ResponseParameters": SUPPORTED,
                        "ResponseTemplates": SUPPORTED,
                    }
                ),
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
        """Replace the method."""
        self._put(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the method."""
        api = find_api(context, properties)
        if api is not None:
            api.definition.methods.pop((properties["ResourceId"], properties["HttpMethod"]), None)

    def _put(self, context: Context, properties: dict[str, Any]) -> None:
        integration = properties.get("Integration") or {}
        mock = integration.get("Type") == "MOCK"
        if not mock and integration.get("Type") != "AWS_PROXY":
            raise NotEmulatedError(
                f"{self.type_name} without Integration.Type AWS_PROXY or MOCK", "it has no other integration"
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
                k: is_true(v) for k, v in (properties.get("RequestParameters") or {}).items()
            },
            request_models=dict(properties.get("RequestModels") or {}),
            function_arn="" if mock else function_arn(integration.get("Uri", ""), "Integration.Uri"),
            mock_status=_mock_status(integration) if mock else "",
            mock_responses=_mock_responses(integration, properties) if mock else (),
            timeout_ms=int(integration.get("TimeoutInMillis", 29_000)),
            api_key_required=is_true(properties.get("ApiKeyRequired", False)),
        )
        apis(context).put_method(properties["RestApiId"], method)


def _mock_status(integration: dict[str, Any]) -> str:
    """Return the status that a mock's request template gives; it must be written out: no template is evaluated."""
    template = (integration.get("RequestTemplates") or {}).get("application/json", "")
    if "#" in template or "$" in template:
        raise NotEmulatedError(
            "Integration.RequestTemplates with variables or directives", "write the statusCode out"
        )
    found = _STATUS.search(template)
    return found[1] if found else ""


def _mock_responses(integration: dict[str, Any], properties: dict[str, Any]) -> tuple[MockResponse, ...]:
    declared = {
        str(one["StatusCode"]): set(one.get("ResponseParameters") or {})
        for one in properties.get("MethodResponses") or []
    }
    made = []
    for one in integration.get("IntegrationResponses") or []:
        status, given = str(one["StatusCode"]), one.get("ResponseParameters") or {}
        undeclared = sorted(set(given) - declared.get(status, set()))
        if status not in declared or undeclared:
            where = undeclared[0] if undeclared else f"No method response exists for status {status}"
            message = f"Invalid mapping expression specified: Validation Result: errors : [{where}]"
            raise AwsError("BadRequestException", message)
        templates = one.get("ResponseTemplates") or {}
        body = templates.get("application/json", "")
        if "#" in body or "$" in body:
            raise NotEmulatedError("Integration.ResponseTemplates with variables", "write the answer out")
        headers = {name.removeprefix(_HEADER): _constant(name, value) for name, value in given.items()}
        made.append(MockResponse(int(status), one.get("SelectionPattern"), headers, body))
    return tuple(made)


def _constant(name: str, value: str) -> str:
    if not (name.startswith(_HEADER) and value.startswith("'") and value.endswith("'")):
        raise NotEmulatedError(f"Integration.ResponseParameters {name}={value}", "give a header a 'constant'")
    return value[1:-1]


class Domain(ResourceType):
    """A domain of one's own, under which stages of APIs are mapped."""

    type_name = "AWS::ApiGateway::DomainName"
    properties: ClassVar[PropertyTable] = {
        "DomainName": SUPPORTED,
        "CertificateArn": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "RegionalCertificateArn": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "EndpointConfiguration": Nested(
            {
                "Types": Only(("REGIONAL", "EDGE"), "private APIs need a VPC"),
                "IpAddressType": Recorded("the sandbox listens on the loopback interface"),
            }
        ),
        "EndpointAccessMode": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "MutualTlsAuthentication": Only((), "the sandbox speaks HTTP"),
        "OwnershipVerificationCertificateArn": Recorded("the sandbox speaks HTTP"),
        "RoutingMode": Only(("BASE_PATH_MAPPING_ONLY",), "there are no routing rules here"),
        "SecurityPolicy": Recorded("the sandbox speaks HTTP on the loopback interface"),
        "Tags": TAGS,
    }
    required = ("DomainName",)
    replaced_by = frozenset({"DomainName"})
    attributes: ClassVar[tuple[str, ...]] = (
        *("DomainNameArn", "RegionalDomainName", "RegionalHostedZoneId"),
        *("DistributionDomainName", "DistributionHostedZoneId"),
    )

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the domain."""
        return add_domain(context, properties["DomainName"])

    def update(
        self, _context: Context, existing: Created, _old: dict[str, Any], _new: dict[str, Any]
    ) -> Created:
        """Keep the domain: what may change has no effect here."""
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Remove the domain with its mappings."""
        apis(context).domains.pop(existing.physical_id, None)


class BasePathMapping(ResourceType):
    """A stage of an API under a domain of one's own."""

    type_name = "AWS::ApiGateway::BasePathMapping"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("BasePath", "DomainName", "RestApiId", "Stage"), SUPPORTED
    )
    required = ("DomainName",)
    replaced_by = frozenset({"BasePath", "DomainName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Map the stage; without one the first part of the path names it."""
        api = apis(context).get(properties["RestApiId"])
        stage = properties.get("Stage", "")
        if stage and stage not in api.stages:
            raise AwsError("BadRequestException", "Invalid stage identifier specified")
        base = str(properties.get("BasePath") or "").strip("/")
        map_domain(context, properties["DomainName"], base, (api.id, stage))
        return Created(f"{properties['DomainName']}|{base or '(none)'}")

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Map another stage."""
        domain = apis(context).domains.get(new["DomainName"])
        if domain is not None:
            domain.mappings.pop(str(new.get("BasePath") or "").strip("/"), None)
        self.create(context, new)
        return existing

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Remove the mapping."""
        domain = apis(context).domains.get(properties["DomainName"])
        if domain is not None:
            domain.mappings.pop(str(properties.get("BasePath") or "").strip("/"), None)


class Deployment(ResourceType):
    """A snapshot of the API, and with StageName a stage of its own that serves it."""

    type_name = "AWS::ApiGateway::Deployment"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "Description": DESCRIPTION,
        "StageName": SUPPORTED,
        "StageDescription": Only((), "declare an AWS::ApiGateway::Stage with these settings"),
    }
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId"})
    attributes = ("DeploymentId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Make the snapshot and its stage."""
        deployment_id = apis(context).deploy(properties["RestApiId"])
        self._serve(context, deployment_id, properties)
        return Created(deployment_id, {"DeploymentId": deployment_id})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Keep the snapshot; another name is a stage more, as in AWS the first one stays."""
        if new.get("StageName") != old.get("StageName"):
            self._serve(context, existing.physical_id, new)
        return existing

    def _serve(self, context: Context, deployment_id: str, properties: dict[str, Any]) -> None:
        name = properties.get("StageName")
        api = find_api(context, properties)
        if name and api is not None:
            stage = Stage(name=name, deployment_id=deployment_id)
            apis(context).put_stage(properties["RestApiId"], stage, new=name not in api.stages)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the snapshot and the stage of its own; no other stage may still use it."""
        api = find_api(context, properties)
        if api is None:
            return
        own = api.stages.get(properties.get("StageName", ""))
        if own is not None and own.deployment_id == existing.physical_id:
            del api.stages[own.name]
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
        "Description": DESCRIPTION,
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
        api = find_api(context, properties)
        if api is not None:
            api.stages.pop(existing.physical_id, None)

    def _put(self, context: Context, properties: dict[str, Any], *, new: bool) -> None:
        registry = apis(context)
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
        apis(context).log_role_arn = arn
        name = context.physical_name(limit=64)
        return Created(name, {"Id": name})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Set another role."""
        self.create(context, new)
        return existing

    def delete(self, _context: Context, _existing: Created, _properties: dict[str, Any]) -> None:
        """Keep the setting, as CloudFormation does."""


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
        raise NotEmulatedError(
            f"AWS::ApiGateway::Stage AccessLogSetting.DestinationArn {arn}", "it writes to log groups"
        )
    return parts[6]


TYPES = (
    Api(), Resource(), ApiMethod(), Deployment(), ApiStage(),
    Account(), Domain(), BasePathMapping(),
)  # fmt: skip
