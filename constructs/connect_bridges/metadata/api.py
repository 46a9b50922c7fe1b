"""The REST API of a metadata bridge: authorizer, request validation, throttling, access log, readable refusals."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from connect_bridges.metadata.presets import MetadataPreset
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.api_options import ApiOptions
from connect_bridges.shared.logged_rest_api import access_log_of, limit_the_vendor, logged_rest_api
from constructs import Construct

# Which refusal of API Gateway itself gets which code and advice. Without these, the vendor would get
# {"message": "Unauthorized"}; ours is the shape that the store function answers with.
# Types and defaults: API Gateway developer guide, "Gateway response types".
# evidence: authorizer-unauthorized
_REFUSALS: dict[str, tuple[str, str | None, str]] = {
    "UNAUTHORIZED": ("MISSING_TOKEN", "401", "Send the token in the header {header}."),
    "ACCESS_DENIED": (
        "WRONG_TOKEN",
        "403",
        "The token in the header {header} is not valid; ask for the current one.",
    ),
    "INVALID_API_KEY": (
        "WRONG_TOKEN",
        "403",
        "The token in the header {header} is not valid; ask for the current one.",
    ),
    "AUTHORIZER_FAILURE": (
        "AUTHORIZER_FAILED",
        "503",
        "The token could not be checked. Try again in some seconds.",
    ),
    "AUTHORIZER_CONFIGURATION_ERROR": (
        "AUTHORIZER_FAILED",
        "503",
        "The token could not be checked. Try again in some seconds.",
    ),
    "MISSING_AUTHENTICATION_TOKEN": ("NO_SUCH_ROUTE", "404", "POST to /{path}?{parameter}=<contact id>."),
    "BAD_REQUEST_PARAMETERS": (
        "MISSING_CONTACT_ID",
        "400",
        "Add the query parameter {parameter} with the Amazon Connect contact id.",
    ),
    "BAD_REQUEST_BODY": ("INVALID_BODY", "400", "Send the metadata as one JSON object."),
    "UNSUPPORTED_MEDIA_TYPE": (
        "UNSUPPORTED_MEDIA_TYPE",
        "415",
        "Send the header Content-Type: application/json.",
    ),
    "REQUEST_TOO_LARGE": ("METADATA_TOO_LARGE", "413", "Send less than 30 KB of metadata."),
    "THROTTLED": ("TOO_MANY_REQUESTS", "429", "Too many requests at once. Try again in a second."),
    "QUOTA_EXCEEDED": ("TOO_MANY_REQUESTS", "429", "The quota is used up. Try again later."),
    "INTEGRATION_FAILURE": (
        "UNAVAILABLE",
        "503",
        "The metadata could not be kept. Try again in some seconds.",
    ),
    "INTEGRATION_TIMEOUT": (
        "UNAVAILABLE",
        "503",
        "The metadata could not be kept in time. Try again in some seconds.",
    ),
    "DEFAULT_4XX": (
        "REFUSED",
        None,
        "The request was refused; check path, header {header} and parameter {parameter}.",
    ),
    "DEFAULT_5XX": ("INTERNAL_ERROR", None, "The metadata could not be kept. Try again in some seconds."),
}
_CONTACT_ID = "contactId"  # the query parameter that carries the contact id
_RETRY_AFTER_SECONDS = {
    "THROTTLED": "1",
    "AUTHORIZER_FAILURE": "5",
    "INTEGRATION_FAILURE": "5",
    "INTEGRATION_TIMEOUT": "5",
}


class MetadataApi(Construct):
    """POST /path?contactId=…, one method, closed by default."""

    api: apigateway.RestApi
    url: str

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        names: MetadataPreset,
        options: ApiOptions,
        store_function: lambda_.IFunction,
        authorize_function: lambda_.IFunction,
        authorizer_cache: cdk.Duration,
        vendor_key: str,
    ) -> None:
        """Create the API; the arguments are those of ``MetadataBridge``.

        vendor_key: the API key that the authorizer names for who has the token.
        """
        super().__init__(scope, id)
        self.access_log = access_log_of(self, options)
        self.api = logged_rest_api(
            self,
            name=names.api_name or cdk.Names.unique_resource_name(self, max_length=128, separator="-"),
            description="Takes what an external voice system learned about a contact.",
            options=options,
            access_log=self.access_log,
            knows_the_vendor=True,
        )
        limit_the_vendor(self, self.api, options, key=vendor_key)
        authorizer = apigateway.TokenAuthorizer(
            self,
            "Authorizer",
            authorizer_name=names.authorizer_name,
            handler=authorize_function,
            identity_source=apigateway.IdentitySource.header(names.token_header),
            results_cache_ttl=authorizer_cache,
        )
        # A tree of its own path parts, so that a path like voice/metadata works too.
        resource = self.api.root.resource_for_path(names.path)
        method = resource.add_method(
            "POST",
            apigateway.LambdaIntegration(store_function, proxy=True, allow_test_invoke=False),
            authorizer=authorizer,
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            api_key_required=True,
            request_parameters={f"method.request.querystring.{_CONTACT_ID}": True},
            request_models={"application/json": self._object_model()},
            request_validator=apigateway.RequestValidator(
                self,
                "Validator",
                rest_api=self.api,
                validate_request_body=True,
                validate_request_parameters=True,
            ),
        )
        self._explain_refusals(names)
        self._acknowledge(method)
        self.url = self.api.url_for_path(f"/{names.path.strip('/')}")

    def _acknowledge(self, method: apigateway.Method) -> None:
        acknowledge(
            method,
            "AwsSolutions-COG4",
            "The caller is a vendor's platform with a shared token, not a user of a Cognito pool; a Lambda authorizer "
            "compares the token in constant time.",
        )
        acknowledge(
            self.api.deployment_stage,
            "AwsSolutions-APIG3",
            "One method, authorized, throttled and validated; a web ACL costs more than the API and is the user's to "
            "attach (api.deployment_stage).",
        )

    def _object_model(self) -> apigateway.Model:
        return self.api.add_model(
            "Metadata",
            content_type="application/json",
            description="Any JSON object.",
            schema=apigateway.JsonSchema(
                schema=apigateway.JsonSchemaVersion.DRAFT4, type=apigateway.JsonSchemaType.OBJECT
            ),
        )

    def _explain_refusals(self, names: MetadataPreset) -> None:
        for type_name, (code, status, advice) in _REFUSALS.items():
            message = advice.format(header=names.token_header, parameter=_CONTACT_ID, path=names.path)
            retry_after = _RETRY_AFTER_SECONDS.get(type_name)
            self.api.add_gateway_response(
                type_name.title().replace("_", ""),
                type=apigateway.ResponseType.of(type_name),
                status_code=status,
                templates={"application/json": _refusal(code, message)},
                response_headers={"Retry-After": f"'{retry_after}'"} if retry_after else None,
            )


def _refusal(code: str, message: str) -> str:
    """Return the body that the store function gives its own refusals, with the request's id for the logs."""
    return json.dumps({"error": {"code": code, "message": message, "requestId": "$context.requestId"}})
