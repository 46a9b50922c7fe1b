"""Request validators: required parameters, and the body against its model."""

from __future__ import annotations

import json
from typing import Any

from connect_sandbox.cloud.api_gateway.errors import GatewayError
from connect_sandbox.cloud.api_gateway.registry import ApiDefinition, Method
from connect_sandbox.cloud.http import HttpRequest


def validate(
    request: HttpRequest, method: Method, definition: ApiDefinition, path_parameters: dict[str, str]
) -> None:
    """Raise BAD_REQUEST_PARAMETERS or BAD_REQUEST_BODY for a request that the method's validator refuses."""
    validator = definition.validators.get(method.validator_id or "")
    if validator is None:
        return
    if validator.parameters:
        _validate_parameters(request, method, path_parameters)
    if validator.body:
        _validate_body(request, method, definition)


def _validate_parameters(request: HttpRequest, method: Method, path_parameters: dict[str, str]) -> None:
    given = {
        "querystring": {name for name, value in request.query if value},
        "path": set(path_parameters),
    }
    missing = []
    # Told are headers first, then parts of the path, then the query.
    for parameter, required in sorted(
        method.request_parameters.items(), key=lambda one: one[0].split(".")[2]
    ):
        where, name = parameter.removeprefix("method.request.").split(".", 1)
        present = bool(request.headers.get(name)) if where == "header" else name in given[where]
        if required and not present:
            missing.append(name)
    if missing:
        raise GatewayError(
            "BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]"
        )


def _validate_body(request: HttpRequest, method: Method, definition: ApiDefinition) -> None:
    content_type = (
        (request.headers.get("Content-Type") or "application/json").split(";", 1)[0].strip().lower()
    )
    models = {kind.lower(): name for kind, name in method.request_models.items()}
    name = models.get(content_type, models.get("$default"))
    if name is None:
        return  # a content type without a model passes unvalidated
    try:
        # An empty body is null to the validator.
        body: Any = json.loads(request.body) if request.body.strip() else None
    except (ValueError, RecursionError):  # nested too deeply to be parsed
        raise _invalid_body("Can not parse content") from None
    schema = definition.models[name]
    # Here, for it takes over a second to import where its checks of formats are installed.
    from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # noqa: PLC0415

    errors = sorted(Draft4Validator(schema).iter_errors(body), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _invalid_body("[" + ", ".join(error.message for error in errors) + "]")


def _invalid_body(detail: str) -> GatewayError:
    return GatewayError("BAD_REQUEST_BODY", "Invalid request body", detail)
