"""The address ranges that Amazon publishes, as far as calls come from them.

Amazon's file: https://ip-ranges.amazonaws.com/ip-ranges.json (format: AWS General Reference, AWS IP address ranges).
evidence: voice-connector-ranges
"""

from __future__ import annotations

import ipaddress
import json
import urllib.request
from pathlib import Path
from urllib.error import URLError

from connect_bridges.operations.handoff.pages import Ranges

SERVICE = "CHIME_VOICECONNECTOR"
PUBLISHED = "https://ip-ranges.amazonaws.com/ip-ranges.json"
_SECONDS = 20


class RangesError(Exception):
    """The ranges could not be read; the message says why and what to do."""


def read_ranges(source: str) -> Ranges:
    """Read the ranges from a file or an https URL with the form of Amazon's file. Raises ``RangesError``."""
    try:
        text = _text(source)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise RangesError(
            f"--ranges {source} cannot be read ({reason}). Give a file, or an https URL such as {PUBLISHED}"
        ) from error
    try:
        return Ranges(_by_region(json.loads(text)), source)
    except (KeyError, TypeError, ValueError) as error:
        raise RangesError(
            f"--ranges {source} does not have the form of Amazon's file ({type(error).__name__}: {error}). Load "
            f"{PUBLISHED} once more."
        ) from error


def _text(source: str) -> str:
    if not source.startswith(("https://", "http://")):
        return Path(source).read_text(encoding="utf-8")
    if not source.startswith("https://"):
        raise ValueError("http can be forged on the way")
    with urllib.request.urlopen(source, timeout=_SECONDS) as answer:  # noqa: S310 (https, checked above)
        found: bytes = answer.read()
    return found.decode()


def _by_region(published: dict[str, list[dict[str, str]]]) -> dict[str, list[str]]:
    """Return the ranges of calls by Region, IPv4 first, in the order of addresses."""
    found: dict[str, list[str]] = {}
    for prefixes, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        networks = [
            (ipaddress.ip_network(prefix[key]), prefix["region"])
            for prefix in published[prefixes]
            if prefix["service"] == SERVICE
        ]
        for network, region in sorted(networks, key=lambda each: each[0].network_address.packed):
            found.setdefault(region, []).append(str(network))
    if not found:
        raise ValueError(f"no range of the service {SERVICE}")
    return found
