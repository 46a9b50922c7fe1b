"""Which addresses the webhook may have: those of the public internet.

The webhook's URL is configuration, yet what its host name resolves to is the name server's to say, at any time. An
answer such as 169.254.169.254 or 10.0.0.5 would turn this function into somebody's way into the account's network
(server-side request forgery). So the address is checked after resolution, and the connection goes to that very
address.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from typing import TypeAlias

from runtime.chat.failures import BotNotReachedError, Reason

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last 32 bits (RFC 6052)


def resolve(host: str, port: int, *, loopback: bool, timeout: float) -> list[str]:
    """Return the addresses of a host, in the order to try them, if every single one of them may be used.

    loopback: the host is this machine by its own name, and must resolve to it; otherwise every address must be
    public. timeout: seconds; the system's resolver has none that can be set, hence the thread.
    Raises BotNotReachedError: webhookUnreachable, webhookTimedOut or webhookAddressRefused.
    """
    addresses = _looked_up(host, port, timeout)
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if (_is_loopback(address) if loopback else is_public(address)) is False:
            raise BotNotReachedError(
                Reason.WEBHOOK_ADDRESS_REFUSED,
                f"the webhook's host {host} resolves to {text}, which is not "
                f"{'this machine' if loopback else 'a public address'}; nothing was sent",
            )
    return addresses


def is_public(address: IpAddress) -> bool:
    """Tell whether an address belongs to the public internet, also if an IPv4 one is wrapped into IPv6."""
    address = _unwrapped(address)
    return address.is_global and not address.is_multicast


def _is_loopback(address: IpAddress) -> bool:
    return _unwrapped(address).is_loopback


def _unwrapped(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _looked_up(host: str, port: int, timeout: float) -> list[str]:
    answers: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout, 0.001))
    except queue.Empty:
        raise BotNotReachedError(
            Reason.WEBHOOK_TIMED_OUT, f"the name of the webhook's host {host} was not resolved in time"
        ) from None
    if isinstance(answer, Exception):
        raise BotNotReachedError(
            Reason.WEBHOOK_UNREACHABLE, f"the webhook's host {host} cannot be resolved", temporary=True
        ) from answer
    return answer
