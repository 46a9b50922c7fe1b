"""The page of a sandbox that is up: its document, its events, and who may ask for either."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.runs import Recorder

PAGE = "/page"
PATIENCE = 15.0
"""Seconds for which a question for events waits for news."""
AT_ONCE = 2000
"""Events of one answer."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


def refused(request: HttpRequest) -> str | None:
    """Return why a request must not be answered; None if it may.

    A name that leads to this machine without being its own (DNS rebinding) is refused by the Host header, what another
    site's page sends by the Origin header.
    """
    host = urlsplit(f"//{request.host}").hostname if request.host else None
    if host not in _LOOPBACK:
        return f"this is no host of the sandbox: {request.host[:100]!r}"
    origin = request.headers.get("Origin")
    if origin and origin != f"http://{request.host}":
        return f"pages of {origin[:100]!r} may not ask the sandbox"
    return None


class LivePage:
    """Serves the page. Whoever has its address has the token, which is in the fragment and is never sent with it."""

    def __init__(self, recorder: Callable[[], Recorder], title: str) -> None:
        self._recorder, self._title = recorder, title

    def shell(self) -> HttpResponse:
        """Return the page, which holds nothing of the sandbox."""
        return HttpResponse(200, list(_HEADERS), _shell(self._title))

    def events(self, told: dict[str, Any]) -> dict[str, Any]:
        """Return the `events` from number `after` on, waiting for one, and the `next` number to ask for.

        There are more at once if `more` is true.
        """
        try:
            after = int(told.get("after", 0))
        except (TypeError, ValueError):
            raise ValueError(f"after is {told.get('after')!r}; it must be the number of an event") from None
        from connect_sandbox.viewer.report import for_page  # noqa: PLC0415  (a sandbox starts without it)

        found = self._recorder().events(after, PATIENCE)
        events = found[:AT_ONCE]
        return {
            "events": [for_page(event) for event in events],
            "next": int(events[-1]["n"]) + 1 if events else after,
            "more": len(found) > len(events),
        }


@cache
def _shell(title: str) -> bytes:
    from connect_sandbox.viewer.document import document  # noqa: PLC0415  (a sandbox starts without it)

    return document(title, live=True).encode()
