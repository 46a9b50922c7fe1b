"""AWS::ApiGateway::* types that are parts of an API's definition: authorizers, validators, models, error answers."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from connect_sandbox.cloud.api_gateway.context import KNOWN_VARIABLES, variables_in
from connect_sandbox.cloud.api_gateway.errors import RESPONSE_TYPES
from connect_sandbox.cloud.api_gateway.registry import (
    Authorizer,
    GatewayResponse,
    RequestValidator,
    new_id,
)
from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.apigateway_support import (
    DESCRIPTION,
    apis,
    find_api,
    function_arn,
    is_true,
)
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

_NEVER_HERE = {"EXPIRED_TOKEN", "INVALID_SIGNATURE", "QUOTA_EXCEEDED", "WAF_FILTERED"}
#: The errors that can be shaped; some never arise here (no quotas, no signatures, no firewall).
_GATEWAY_RESPONSE_TYPES = ({*RESPONSE_TYPES, "DEFAULT_4XX", "DEFAULT_5XX"} | _NEVER_HERE) - {"BAD_GATEWAY"}
_IDENTITY_SOURCE = re.compile(r"^method\.request\.header\.([A-Za-z0-9_-]+)$")


class _Part(ResourceType):
    """A part that the definition keeps by id in the mapping `kept_in`; a subclass says what is kept."""

    kept_in: ClassVar[str]

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the part."""
        return self._put(context, self._new_id(context, properties), properties)

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the part."""
        return self._put(context, existing.physical_id, new)

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the part."""
        api = find_api(context, properties)
        if api is not None:
            getattr(api.definition, self.kept_in).pop(existing.physical_id, None)

    def _new_id(self, context: Context, properties: dict[str, Any]) -> str:  # noqa: ARG002  (a model has a name)
        return new_id(6)

    def _put(self, context: Context, part_id: str, properties: dict[str, Any]) -> Created:
        definition = apis(context).get(properties["RestApiId"]).definition
        getattr(definition, self.kept_in)[part_id] = self._part(part_id, properties)
        return Created(part_id, dict.fromkeys(self.attributes, part_id))

    def _part(self, part_id: str, properties: dict[str, Any]) -> object:
        """Return what the definition keeps; AwsError if API Gateway would refuse it."""
        raise NotImplementedError


class ApiAuthorizer(_Part):
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
    kept_in = "authorizers"

    def _part(self, part_id: str, properties: dict[str, Any]) -> Authorizer:
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
        return Authorizer(
            id=part_id,
            name=properties["Name"],
            function_arn=function_arn(properties.get("AuthorizerUri", ""), "AuthorizerUri"),
            identity_header=source[1],
            validation_expression=expression,
            ttl_seconds=ttl,
        )


class Validator(_Part):
    """A request validator."""

    type_name = "AWS::ApiGateway::RequestValidator"
    properties: ClassVar[PropertyTable] = dict.fromkeys(
        ("RestApiId", "Name", "ValidateRequestBody", "ValidateRequestParameters"), SUPPORTED
    )
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId", "Name"})
    attributes = ("RequestValidatorId",)
    kept_in = "validators"

    def _part(self, part_id: str, properties: dict[str, Any]) -> RequestValidator:
        return RequestValidator(
            id=part_id,
            name=properties.get("Name", ""),
            body=is_true(properties.get("ValidateRequestBody")),
            parameters=is_true(properties.get("ValidateRequestParameters")),
        )


class Model(_Part):
    """A model: a JSON schema, draft 4, for a body."""

    type_name = "AWS::ApiGateway::Model"
    properties: ClassVar[PropertyTable] = {
        "RestApiId": SUPPORTED,
        "Name": SUPPORTED,
        "ContentType": SUPPORTED,
        "Schema": SUPPORTED,
        "Description": DESCRIPTION,
    }
    required = ("RestApiId",)
    replaced_by = frozenset({"RestApiId", "Name", "ContentType"})
    kept_in = "models"

    def _new_id(self, context: Context, properties: dict[str, Any]) -> str:
        return properties.get("Name") or re.sub(r"[^A-Za-z0-9]", "", context.physical_name(limit=128))

    def _part(self, part_id: str, properties: dict[str, Any]) -> object:  # noqa: ARG002  (a schema has no id)
        given = properties.get("Schema", {})
        schema = json.loads(given) if isinstance(given, str) else given
        # Here, for it takes over a second to import where its checks of formats are installed.
        from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # noqa: PLC0415
        from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]  # noqa: PLC0415

        try:
            Draft4Validator.check_schema(schema)
        except SchemaError as error:
            raise AwsError("BadRequestException", f"Invalid model specified: {error.message}") from error
        return schema


class GatewayAnswer(ResourceType):
    """The response to one of the gateway's own errors."""

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
                raise NotEmulatedError(
                    f"{self.type_name} ResponseTemplates {content_type}", "errors are answered in JSON"
                )
            unknown = sorted(variables_in(template) - KNOWN_VARIABLES)
            if unknown:
                raise NotEmulatedError(
                    f"{self.type_name} ResponseTemplates variable {unknown[0]}", "its value is not known"
                )
        status = properties.get("StatusCode")
        response = GatewayResponse(kind, None if status is None else int(status), headers, templates)
        apis(context).get(properties["RestApiId"]).definition.gateway_responses[kind] = response
        return Created(f"{properties['RestApiId']}-{kind}", {"Id": f"{properties['RestApiId']}-{kind}"})

    def update(
        self, context: Context, _existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Replace the response."""
        return self.create(context, new)

    def delete(self, context: Context, _existing: Created, properties: dict[str, Any]) -> None:
        """Go back to API Gateway's own response."""
        api = find_api(context, properties)
        if api is not None:
            api.definition.gateway_responses.pop(properties["ResponseType"], None)

    def _parameter(self, name: str, value: str, prefix: str) -> str:
        quoted = value.startswith("'") and value.endswith("'")
        if not name.startswith(prefix) or not (quoted or "$" + value in KNOWN_VARIABLES):
            raise NotEmulatedError(
                f"{self.type_name} ResponseParameters {name}={value}",
                "give a header a 'constant' or context.*",
            )
        return value


TYPES = (ApiAuthorizer(), Validator(), Model(), GatewayAnswer())
