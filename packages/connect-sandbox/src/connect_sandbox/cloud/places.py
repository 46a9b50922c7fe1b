"""The accounts and Regions of one sandbox: each has resources of its own, and each request is for one of them.

A signed request is for the Region in its credential scope and for the account of its access key: the developer's key
"test" is the account that the sandbox was started as, the developer's key of any other account is its 12 digits, and a
role session's or a user's is that of the role or user. Requests without a signature go where their host, token or topic
is. Services that have no Region (IAM, STS) are asked in a Region of the account that is there already.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from connect_sandbox.cloud.environment import account_of_key, check_place
from connect_sandbox.cloud.principals import credential_scope
from connect_sandbox.moto_internals import account_of_issued_key

if TYPE_CHECKING:
    from connect_sandbox.cloud.http import HttpRequest
    from connect_sandbox.cloud.sandbox import Sandbox

_EXECUTE_API = re.compile(r"^([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.", re.IGNORECASE)
_WITHOUT_REGION = frozenset({"iam", "sts", "cloudfront", "route53", "organizations"})


class Places:
    """The places of a sandbox, made when something first asks for them; the first is the one that it was started as."""

    def __init__(self, first: Sandbox, make: Callable[[str, str], Sandbox]) -> None:
        """`make` makes a further place, by account and Region."""
        self._first = first
        self._make = make
        self._lock = threading.Lock()
        self._known = {(first.account, first.region): first}

    def all(self) -> list[Sandbox]:
        """Return the places there are, the first one first."""
        return list(self._known.values())

    def at(self, account: str, region: str) -> Sandbox:
        """Return a place, made now if need be; ValueError for what is no account or no Region."""
        with self._lock:
            if (account, region) not in self._known:
                check_place(account, region)
                self._known[account, region] = self._make(account, region)
            return self._known[account, region]

    def only(self, places: Collection[tuple[str, str]]) -> None:
        """Forget every place but the first and these."""
        with self._lock:
            gone = [at for at, place in self._known.items() if place is not self._first and at not in places]
            for at in gone:
                place = self._known.pop(at)
                place.mappings.close()
                place.functions.forget()

    def asked(self, request: HttpRequest) -> Sandbox:
        """Return the place that a request is for; ValueError for a Region that there is not."""
        scope = credential_scope(request)
        host = request.host.split(":", 1)[0].lower()
        if scope is None or _EXECUTE_API.match(host):
            return self._by_what_it_names(request, host)
        key, region, service = scope
        account = account_of_key(key) or account_of_issued_key(key) or self._first.account
        if service in _WITHOUT_REGION or region == "aws-global":
            there = (place for place in self.all() if place.account == account)
            return next(there, None) or self.at(account, self._first.region)
        return self.at(account, region)

    def _by_what_it_names(self, request: HttpRequest, host: str) -> Sandbox:
        """Return the place of an API, a site, a participant or a topic; without any, the first."""
        api = _EXECUTE_API.match(host)
        bearer = request.headers.get("X-Amz-Bearer")
        arns = [value.split(":") for name, value in request.query if name in {"TopicArn", "SubscriptionArn"}]
        for place in self.all():
            held = {one.id for one in place.apis.all()} | set(place.http_apis.apis)
            if (
                (api is not None and api[1] in held)
                or host in place.apis.domains
                or host.partition(".my.connect.aws")[0] in place.contact_center.instances.aliases()
                or (bearer and place.chats.knows(bearer))
                or any(arn[3:5] == [place.region, place.account] for arn in arns)
            ):
                return place
        return self._first
