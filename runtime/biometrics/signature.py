"""Whether a message is Twilio's: X-Twilio-Signature over the full public URL and the form that was posted.

Source: Twilio's documentation, "Security: validating requests". The URL is the one that Twilio was given, with the
API's stage. It is put together from what API Gateway says of the request, or from PUBLIC_URL where a proxy stands in
front. Our URLs have no query string, so that there is none to be written back in its original order; a message with
one is refused.

Twilio signs names and values one after the other, without anything between them: the same signature fits every form
that the text can be cut into. What we go by (READ) must therefore stand in the text where the form has it, and nowhere
else; a form in which it could be cut out elsewhere is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools.utilities.data_classes.api_gateway_proxy_event import (
    APIGatewayProxyEvent,
)
from twilio.request_validator import RequestValidator

from runtime.shared.errors import BridgeError
from runtime.shared.rotated_secret import RotatedSecret

SIGNATURE_HEADER = "x-twilio-signature"
READ = {
    "AccountSid": r"AC[0-9a-f]",
    "CallSid": r"CA[0-9a-f]",
    "CallStatus": r"[a-z]",
    "Digits": r"[0-9]",
    "From": r"\+[0-9]",
    "RecordingSid": r"RE[0-9a-f]",
}
"""The fields that we go by, and how a value of each begins."""
LONGER = ("ForwardedFrom", "ParentCallSid", "DialCallSid", "DialCallStatus")
"""Names of Twilio's that end like one of them."""
_STEP, _TURN = re.compile(r"[a-z]{1,20}", re.ASCII), re.compile(r"[0-9]{1,20}", re.ASCII)


class ForgedError(BridgeError):
    """Not a message of our Twilio account; says what was wrong, never the signature."""


def verified_form(
    event: Mapping[str, Any], *, secret: RotatedSecret[dict[str, str]], public_url: str, path: str
) -> dict[str, str]:
    """Return the form that Twilio posted. Raises ForgedError, and what the secret raises.

    secret: with accountSid and authToken. public_url: the API's URL with its stage, without the webhook's path; empty:
    as API Gateway says. path: the webhook's resource path, to find what follows it.
    """
    request = APIGatewayProxyEvent(dict(event))
    signature = _signature(request)
    url = _url(request, public_url, path)
    form = _form(request)
    _check_cuts(url, form)

    # evidence: twilio-signature
    def signed_with(credentials: Mapping[str, str]) -> bool:
        fits = bool(RequestValidator(credentials["authToken"]).validate(url, dict(form), signature))
        return fits and form.get("AccountSid") == credentials["accountSid"]

    if not secret.any_version(signed_with):
        raise ForgedError("the signature does not fit the URL and the form")
    return form


def base_url(request: APIGatewayProxyEvent, public_url: str, path: str) -> str:
    """Return the webhook's public URL, to which steps are appended."""
    if public_url:
        return f"{public_url.rstrip('/')}/{path}"
    # evidence: request-context-names-the-host
    context = request.request_context
    return f"https://{context.domain_name}{str(context.get('path') or '').removesuffix(_step(request))}"


def _signature(request: APIGatewayProxyEvent) -> str:
    # Not from Powertools' case-insensitive headers, which keep one of two that differ in case.
    several = request.get("multiValueHeaders") or {
        name: [value] for name, value in (request.get("headers") or {}).items()
    }
    found = [one for name, values in several.items() if name.lower() == SIGNATURE_HEADER for one in values]
    if len(found) != 1 or not found[0]:
        raise ForgedError(f"there are {len(found)} headers X-Twilio-Signature instead of one")
    signature: str = found[0]
    return signature


def _url(request: APIGatewayProxyEvent, public_url: str, path: str) -> str:
    if request.multi_value_query_string_parameters or request.query_string_parameters:
        raise ForgedError("the URL has a query string, which none of ours has")
    step = _step(request)
    # With the stage, or what a custom domain has in its place.
    before = str(request.request_context.get("path") or "").removesuffix(step)
    if not before.endswith(f"/{path}"):
        raise ForgedError("the request is not for the webhook's path")
    return base_url(request, public_url, path) + step


def _step(request: APIGatewayProxyEvent) -> str:
    """Return what follows the webhook's path: ``/step/turn``, or nothing for a call that comes in."""
    parameters = request.path_parameters
    step, turn = parameters.get("step"), parameters.get("turn")
    if not step:
        return ""
    # Before a signature is computed, URLs are parsed, and what is no part of one (a line end) is dropped.
    if not _STEP.fullmatch(str(step)) or not _TURN.fullmatch(str(turn)):
        raise ForgedError("the URL's step or turn is none of ours")
    return f"/{step}/{turn}"


def _check_cuts(url: str, form: Mapping[str, str]) -> None:
    """Raise ForgedError if the text that was signed could be cut into another form that says something else to us."""
    text, starts = url, {}
    for name in sorted(form):
        starts[len(text)] = name
        text += name + form[name]
    for name, value in READ.items():
        for found in re.finditer(f"{name}(?={value})", text, re.ASCII):
            at = found.start()
            longer = next(
                (one for one in LONGER if one.endswith(name) and text.endswith(one, 0, found.end())), name
            )
            if starts.get(at - len(longer) + len(name)) != longer:
                raise ForgedError(f"{name} can be read from the form in more than one way")


def _form(request: APIGatewayProxyEvent) -> dict[str, str]:
    body = request.body or ""
    try:
        if request.is_base64_encoded:
            body = base64.b64decode(body, validate=True).decode("utf-8")
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200)
    except (binascii.Error, ValueError) as error:
        raise ForgedError("the body is not a form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ForgedError("the form has a field twice")
    return form
