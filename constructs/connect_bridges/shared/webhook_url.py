"""Check the URL of a vendor's webhook or API when the app is synthesized, as far as it can be seen then."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from connect_bridges.shared.checks import check, check_text
from connect_bridges.shared.tokens import comes_later

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
INTERNAL_SUFFIXES = (".internal", ".local", ".localdomain", ".localhost", ".lan", ".home.arpa")
_LONGEST = 2048  # an endpoint of an SNS subscription
_API_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")


def check_webhook_url(setting: str, value: str) -> str:
    """Return the URL if a vendor's webhook can have it; raise ``ValueError`` naming the setting, the value and the fix.

    Only https to a public host. http, and any scheme to a private host, would send the verification token and what
    customers say in the clear or into the account's own network. The exception is localhost, for rehearsals on a
    laptop: Amazon SNS refuses to deliver there, so that it cannot slip into an account. What a host name resolves to
    is checked once more when the function connects. A CDK token passes.
    """
    check_text(setting, value, "https://HOST/PATH, as the vendor's channel configuration shows it")
    if comes_later(value):
        return value
    problem = _problem(value)
    if problem:
        raise ValueError(f"{setting} is {value!r}; {problem}.")
    return value


def check_api_url(setting: str, value: str, *, such_as: str) -> str:
    """Return ``value`` if credentials, recordings and what is signed may travel to that URL; a token passes.

    It is https. http is for a fake on this machine, localhost or 127.0.0.1: anywhere else it would show them to
    whoever is on the way. Raises ``ValueError`` naming the setting, the value and the fix.
    """
    check(setting, value, _API_URL, f"a URL; write one such as {such_as}")
    if is_plain_http(value) and not is_loopback(value):
        raise ValueError(
            f"{setting} is {value!r}, where credentials and voices would travel in clear; write https, http is for a "
            "fake on localhost or 127.0.0.1 only."
        )
    return value


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine: a fake for a rehearsal."""
    return not comes_later(url) and urlsplit(url).hostname in _LOOPBACK_HOSTS


def is_plain_http(url: str) -> bool:
    """Tell whether a URL is http; a token counts as https."""
    return not comes_later(url) and urlsplit(url).scheme == "http"


def _problem(value: str) -> str | None:
    if not value.isascii() or any(character <= " " or character == "\x7f" for character in value):
        return "percent-encode what is not printable ASCII"
    if len(value) > _LONGEST:
        return f"it has {len(value)} characters, and SNS takes {_LONGEST}"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return "that is no URL; copy the webhook URL from the vendor's channel configuration"
    host = (parts.hostname or "").rstrip(".")
    wrong = {
        "write https://HOST/PATH, as the vendor's channel configuration shows it": (
            parts.scheme not in {"https", "http"} or not host
        ),
        "leave out user and password; the verification token goes into a header, from Secrets Manager": (
            parts.username is not None
        ),
        "leave out what follows #; it would not be sent": bool(parts.fragment),
        "write https; http is for a fake on localhost only": (
            parts.scheme == "http" and host not in _LOOPBACK_HOSTS
        ),
    }
    first = next((advice for advice, applies in wrong.items() if applies), None)
    return first or (None if host in _LOOPBACK_HOSTS else _host_problem(host))


def _host_problem(host: str) -> str | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host.isdigit() or host.lower().startswith("0x"):
            return "write the host's name: an address in this form is a disguise"
        if "." not in host or host.lower().endswith(INTERNAL_SUFFIXES):
            return "that host is not on the public internet, where SNS could deliver"
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast:
        return "that address is private, link-local or reserved; the webhook has to be on the public internet"
    return None
