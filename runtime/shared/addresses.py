"""Which addresses a host name may lead to.

A vendor's URL is configuration, yet what its host name resolves to is the name server's to say, at any time. An answer
such as 169.254.169.254 or 10.0.0.5 would turn a function into somebody's way into the account's network (server-side
request forgery). So addresses are checked after resolution, and the connection goes to one that was checked.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last 32 bits (RFC 6052)


class Reach(StrEnum):
    """Where a request may go; the value says it in an error message."""

    ANYWHERE = "any address"
    """The URL is trusted with its addresses: a vendor's API, or one within the VPC."""
    PUBLIC = "a public address"
    THIS_MACHINE = "this machine"

    def admits(self, address: str) -> bool:
        """Tell whether a resolved address may be connected to."""
        if self is Reach.ANYWHERE:
            return True
        parsed = ipaddress.ip_address(address.partition("%")[0])
        return _unwrapped(parsed).is_loopback if self is Reach.THIS_MACHINE else is_public(parsed)


def is_public(address: IpAddress) -> bool:
    """Tell whether an address belongs to the public internet, also if an IPv4 one is wrapped into IPv6."""
    address = _unwrapped(address)
    return address.is_global and not address.is_multicast


def _unwrapped(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
