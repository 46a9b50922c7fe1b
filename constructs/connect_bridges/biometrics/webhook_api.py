"""The REST API that the telephony provider posts to: two resources, one function, signatures instead of tokens."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.api_options import ApiOptions
from connect_bridges.shared.logged_rest_api import access_log_of, logged_rest_api
from constructs import Construct

_SIGNATURE = "method.request.header.X-Twilio-Signature"
_SORRY = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say>We cannot check your voice at the moment. Goodbye.</Say>'
    "<Hangup /></Response>"
)
_HANG_UP = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup /></Response>'
# What API Gateway answers by itself, as TwiML: the telephony provider has a caller on the line. It speaks TwiML only
# if the status is 200. Types: API Gateway developer guide, "Gateway response types".
# evidence: twilio-plays-200-only
_REFUSALS: dict[str, tuple[str | None, str]] = {
    "BAD_REQUEST_PARAMETERS": ("403", _HANG_UP),  # no signature
    "MISSING_AUTHENTICATION_TOKEN": ("404", _HANG_UP),  # no such path
    "THROTTLED": ("200", _SORRY),
    "INTEGRATION_FAILURE": ("200", _SORRY),
    "INTEGRATION_TIMEOUT": ("200", _SORRY),
    "DEFAULT_4XX": (None, _HANG_UP),
    "DEFAULT_5XX": (None, _SORRY),
}


class VoiceBiometricWebhookApi(Construct):
    """POST /path for a call that arrives, POST /path/{step}/{turn} for what follows."""

    api: apigateway.RestApi
    url: str

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        path: str,
        options: ApiOptions,
        function: lambda_.IFunction,
    ) -> None:
        """Create the API; the arguments are those of ``VoiceBiometricGate``."""
        super().__init__(scope, id)
        self.access_log = access_log_of(self, options)
        self.api = logged_rest_api(
            self,
            name=cdk.Names.unique_resource_name(self, max_length=128, separator="-"),
            description="Takes a telephony provider's signed webhooks about callers who prove themselves by voice.",
            options=options,
            access_log=self.access_log,
            not_logged=frozenset({"extendedRequestId", "authorizerStatus"}),
        )
        validator = apigateway.RequestValidator(
            self,
            "Validator",
            rest_api=self.api,
            validate_request_parameters=True,
            validate_request_body=True,
        )
        integration = apigateway.LambdaIntegration(function, proxy=True, allow_test_invoke=False)
        arrive = self.api.root.resource_for_path(path)
        follow = arrive.add_resource("{step}").add_resource("{turn}")
        for resource in (arrive, follow):
            method = resource.add_method(
                "POST",
                integration,
                authorization_type=apigateway.AuthorizationType.NONE,
                request_parameters={_SIGNATURE: True},
                request_validator=validator,
            )
            self._acknowledge_method(method)
        self._explain_refusals()
        self._acknowledge()
        self.url = self.api.url_for_path(f"/{path.strip('/')}")

    def _acknowledge_method(self, method: apigateway.Method) -> None:
        reason = (
            "The telephony provider signs each message over URL and form (X-Twilio-Signature), which no authorizer "
            "sees as a whole; the function checks the signature before anything else and answers 403."
        )
        acknowledge(method, "AwsSolutions-APIG4", reason)
        acknowledge(method, "AwsSolutions-COG4", reason)

    def _acknowledge(self) -> None:
        acknowledge(
            self.api.deployment_stage,
            "AwsSolutions-APIG3",
            "Signed messages only, throttled and validated; a web ACL costs more than the API and is the user's to "
            "attach (api.deployment_stage).",
        )

    def _explain_refusals(self) -> None:
        for type_name, (status, twiml) in _REFUSALS.items():
            self.api.add_gateway_response(
                type_name.title().replace("_", ""),
                type=apigateway.ResponseType.of(type_name),
                status_code=status,
                templates={"application/json": twiml},
                response_headers={"Content-Type": "'text/xml'"},
            )
