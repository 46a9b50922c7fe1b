"""Whether a message is Twilio's: X-Twilio-Signature over the full public URL and the form that was posted.

Source: Twilio's documentation, "Security: validating requests". The URL is the one that Twilio was given, with the
API's stage. It is put together from what API Gateway says of the request, or from PUBLIC_URL where a proxy stands in
front. Our URLs have no query string, so that there is none to be written back in its original order; a message with
one is refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from runtime.biometrics.recordings import CREDENTIALS
from runtime.biometrics.secret import Secret
from runtime.shared.errors import BridgeError

SIGNATURE_HEADER = "x-twilio-signature"


class ForgedError(BridgeError):
    """Not a message of our Twilio account; says what was wrong, never the signature."""


def verified_form(event: Mapping[str, Any], *, secret: Secret, public_url: str, path: str) -> dict[str, str]:
    """Return the form that Twilio posted. Raises ForgedError, and what ``Secret`` raises.

    public_url: the API's URL with its stage, without the webhook's path; empty: as API Gateway says.
    path: the webhook's resource path, to find what follows it.
    """
    signature = _signature(event)
    url = _url(event, public_url, path)
    form = _form(event)
    if not _is_signed(url, form, signature, secret) and not (
        secret.read_anew() and _is_signed(url, form, signature, secret)
    ):
        raise ForgedError("the signature does not fit the URL and the form")
    return form


def base_url(event: Mapping[str, Any], public_url: str, path: str) -> str:
    """Return the webhook's public URL, to which steps are appended."""
    if public_url:
        return f"{public_url.rstrip('/')}/{path}"
    context = event.get("requestContext") or {}
    return f"https://{context.get('domainName')}{str(context.get('path') or '').removesuffix(_step(event))}"


def _is_signed(url: str, form: Mapping[str, str], signature: str, secret: Secret) -> bool:
    """Compare with every version of the auth token; all are computed, so that time does not tell which one fits."""
    matches = []
    for credentials in secret.fields(*CREDENTIALS):
        fits = bool(RequestValidator(credentials["authToken"]).validate(url, dict(form), signature))
        matches.append(fits and form.get("AccountSid") == credentials["accountSid"])
    return any(matches)


def _signature(event: Mapping[str, Any]) -> str:
    several = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    found = [one for name, values in several.items() if name.lower() == SIGNATURE_HEADER for one in values]
    if len(found) != 1 or not found[0]:
        raise ForgedError(f"there are {len(found)} headers X-Twilio-Signature instead of one")
    signature: str = found[0]
    return signature


def _url(event: Mapping[str, Any], public_url: str, path: str) -> str:
    if event.get("multiValueQueryStringParameters") or event.get("queryStringParameters"):
        raise ForgedError("the URL has a query string, which none of ours has")
    step = _step(event)
    # With the stage, or what a custom domain has in its place.
    before = str((event.get("requestContext") or {}).get("path") or "").removesuffix(step)
    if not before.endswith(f"/{path}"):
        raise ForgedError("the request is not for the webhook's path")
    return base_url(event, public_url, path) + step


def _step(event: Mapping[str, Any]) -> str:
    """Return what follows the webhook's path: ``/step/turn``, or nothing for a call that comes in."""
    parameters = event.get("pathParameters") or {}
    return f"/{parameters.get('step')}/{parameters.get('turn')}" if parameters.get("step") else ""


def _form(event: Mapping[str, Any]) -> dict[str, str]:
    body = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode("utf-8")
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body), max_num_fields=200)
    except (binascii.Error, ValueError) as error:
        raise ForgedError("the body is not a form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ForgedError("the form has a field twice")
    return form
