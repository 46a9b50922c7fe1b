"""The errors that API Gateway returns itself, and how gateway responses shape them."""

from __future__ import annotations

from dataclasses import dataclass

from connect_sandbox.cloud.api_gateway.context import RequestState, error_variables, substitute
from connect_sandbox.cloud.api_gateway.registry import ApiDefinition, GatewayResponse
from connect_sandbox.cloud.http import HttpResponse

DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
#: What refuses by a policy writes the name in capitals, unless the API has a gateway response for it.
_DENIED_TEMPLATE = '{"Message":$context.error.messageString}'
#: Response type -> (status, x-amzn-ErrorType) (API Gateway, "Gateway response types").
RESPONSE_TYPES: dict[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": (500, "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": (500, "AuthorizerConfigurationException"),
    "BAD_REQUEST_BODY": (400, "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": (400, "BadRequestException"),
    "INVALID_API_KEY": (403, "ForbiddenException"),
    "INTEGRATION_FAILURE": (504, "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "MissingAuthenticationTokenException"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException"),
    "RESOURCE_NOT_FOUND": (404, "NotFoundException"),
    "THROTTLED": (429, "TooManyRequestsException"),
    "UNAUTHORIZED": (401, "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UnsupportedMediaTypeException"),
    # Answers of 502 have no type of their own; only the defaults can shape them.
    "BAD_GATEWAY": (502, "InternalServerErrorException"),
}


@dataclass
class GatewayError(Exception):
    """A request to which API Gateway returns an error of its own."""

    response_type: str
    message: str | None
    validation_error: str = ""


def render(error: GatewayError, definition: ApiDefinition | None, state: RequestState) -> HttpResponse:
    """Return the answer, shaped by the API's gateway responses."""
    status, kind = RESPONSE_TYPES[error.response_type]
    shaped = _shape(error, definition)
    if shaped is not None and shaped.status is not None:
        status = shaped.status
    default = (
        _DENIED_TEMPLATE if error.response_type == "ACCESS_DENIED" and shaped is None else DEFAULT_TEMPLATE
    )
    template = (shaped.templates if shaped is not None else {}).get("application/json", default)
    variables = {
        **state.variables(),
        **error_variables(error.message, error.response_type, error.validation_error),
    }
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", state.request_id),
        ("x-amz-apigw-id", state.extended_id),
        ("x-amzn-ErrorType", kind),
    ]
    for name, value in (shaped.headers if shaped is not None else {}).items():
        headers = [(key, old) for key, old in headers if key.lower() != name.lower()]
        headers.append((name, header_value(value, variables)))
    state.values.update({key: value for key, value in variables.items() if key.startswith("error.")})
    return HttpResponse(status, headers, substitute(template, variables, "").encode())


def header_value(expression: str, variables: dict[str, str]) -> str:
    """Evaluate a response parameter: a quoted constant or a context variable."""
    if expression.startswith("'"):
        return expression.strip("'")
    return variables.get(expression.removeprefix("context."), "")


def _shape(error: GatewayError, definition: ApiDefinition | None) -> GatewayResponse | None:
    responses = definition.gateway_responses if definition is not None else {}
    own = responses.get(error.response_type)
    if own is not None:
        return own
    status = RESPONSE_TYPES[error.response_type][0]
    default = responses.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX")
    # The defaults keep the error's own status: they cover many.
    return (
        None
        if default is None
        else GatewayResponse(default.response_type, default.status, default.headers, default.templates)
    )
