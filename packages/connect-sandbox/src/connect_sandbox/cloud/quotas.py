"""The account's quotas: what applies, what AWS gives by default, and the increases that were asked for.

A sandbox starts with what an account has that the apps to be rehearsed can be deployed to: one external voice transfer
connector, and 1,000 concurrent executions. A new account has none and 10; `Quotas.set` makes it one.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from dataclasses import dataclass, field
from typing import Final

from connect_sandbox.cloud.errors import AwsError

#: (service code, quota code) of the quotas that the sandbox enforces.
VOICE_CONNECTORS: Final = ("connect", "L-2BE4D75F")
CONCURRENT_EXECUTIONS: Final = ("lambda", "L-B99A9384")
FUNCTIONS_PER_INSTANCE: Final = ("connect", "L-E3D2F503")
INSTANCES: Final = ("connect", "L-AA17A6B9")
PHONE_NUMBERS: Final = ("connect", "L-8F812903")
FLOWS: Final = ("connect", "L-22922690")
QUEUES: Final = ("connect", "L-19A87C94")
USERS: Final = ("connect", "L-9A46857E")
ROUTING_PROFILES: Final = ("connect", "L-D3E7BE26")
SECURITY_PROFILES: Final = ("connect", "L-F325A715")
HOURS: Final = ("connect", "L-20CD02F7")
QUICK_CONNECTS: Final = ("connect", "L-68BBE2E8")
PROMPTS: Final = ("connect", "L-0865B754")
HIERARCHY_GROUPS: Final = ("connect", "L-D68AAAE4")

#: Lambda keeps so many executions for the functions without a reservation; of a new account's 10 it keeps all.
UNRESERVED_MINIMUM: Final = 100

Code = tuple[str, str]


@dataclass(frozen=True)
class Quota:
    """A quota as AWS publishes it. `per_instance`: it applies to each Connect instance, not to the account."""

    name: str
    default: float
    per_instance: bool = False


#: Names, codes and defaults: Amazon Connect administrator guide, "Quotas"; Lambda developer guide, "Quotas".
QUOTAS: Final[dict[Code, Quota]] = {
    VOICE_CONNECTORS: Quota("External voice transfer connectors per account", 0),
    CONCURRENT_EXECUTIONS: Quota("Concurrent executions", 1000),
    FUNCTIONS_PER_INSTANCE: Quota("AWS Lambda functions per instance", 50, per_instance=True),
    INSTANCES: Quota("Amazon Connect instances per account", 2),
    PHONE_NUMBERS: Quota("Phone numbers per instance", 5, per_instance=True),
    FLOWS: Quota("Flows per instance", 100, per_instance=True),
    QUEUES: Quota("Queues per instance", 100, per_instance=True),
    USERS: Quota("Users per instance", 500, per_instance=True),
    ROUTING_PROFILES: Quota("Routing profiles per instance", 500, per_instance=True),
    SECURITY_PROFILES: Quota("Security profiles per instance", 100, per_instance=True),
    HOURS: Quota("Hours of operation per instance", 100, per_instance=True),
    QUICK_CONNECTS: Quota("Quick connects per instance", 100, per_instance=True),
    PROMPTS: Quota("Prompts per instance", 500, per_instance=True),
    HIERARCHY_GROUPS: Quota("User hierarchy groups per instance", 500, per_instance=True),
    ("connect", "L-19755C7E"): Quota("Flow modules per instance", 200, per_instance=True),
    ("connect", "L-D945C9A8"): Quota("Agent status per instance", 50, per_instance=True),
    ("connect", "L-B93A6612"): Quota("Amazon Lex bots per instance", 70, per_instance=True),
    ("connect", "L-CCEA7427"): Quota("Amazon Lex V2 bot aliases per instance", 100, per_instance=True),
    ("connect", "L-60553137"): Quota("Concurrent active tasks per instance", 2500, per_instance=True),
    ("connect", "L-12AB7C57"): Quota("Concurrent active calls per instance", 10, per_instance=True),
    ("connect", "L-D4BA6F6E"): Quota("Concurrent active chats per instance", 500, per_instance=True),
}


@dataclass
class IncreaseRequest:
    """An increase that somebody asked for; it stays pending until `Quotas.grant`."""

    code: Code
    desired: float
    context: str | None
    status: str = "PENDING"
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


class Quotas:
    """What the account may have. Values apply to the account, or to one Connect instance (`context`: its ARN)."""

    def __init__(self) -> None:
        """Start with one voice connector; of every other quota the default applies."""
        self._lock = threading.Lock()
        self._applied: dict[tuple[Code, str | None], float] = {(VOICE_CONNECTORS, None): 1}
        self._requests: list[IncreaseRequest] = []

    def value(self, code: Code, context: str | None = None) -> float:
        """Return what applies: the value of the instance, else of the account, else AWS's default."""
        with self._lock:
            for place in (context, None):
                if (code, place) in self._applied:
                    return self._applied[code, place]
        return self.known(code).default

    def applied(self, code: Code, context: str | None = None) -> float | None:
        """Return the value that was set for the account or the instance; None if only the default exists."""
        with self._lock:
            return self._applied.get((code, context))

    def set(self, code: Code, value: float, context: str | None = None) -> None:
        """Let the account, or one Connect instance, have this value; what exists already stays."""
        self.known(code)
        with self._lock:
            self._applied[code, context] = value

    def forget(self, code: Code, context: str | None = None) -> None:
        """Leave the account with AWS's default, as Service Quotas shows a quota that nobody ever raised."""
        self.known(code)
        with self._lock:
            self._applied.pop((code, context), None)

    def request(self, code: Code, desired: float, context: str | None = None) -> IncreaseRequest:
        """Ask for an increase, as RequestServiceQuotaIncrease does."""
        present = self.value(code, context)
        if desired <= present:
            message = f"You must provide a quota value greater than the current quota value of {present:g}."
            raise AwsError("IllegalArgumentException", message)
        with self._lock:
            if any((r.code, r.context, r.status) == (code, context, "PENDING") for r in self._requests):
                message = (
                    "Only one open service quota increase request is allowed per quota. For more information, see the "
                    "service quota request history."
                )
                raise AwsError("ResourceAlreadyExistsException", message)
            wanted = IncreaseRequest(code, desired, context)
            self._requests.append(wanted)
        return wanted

    def requests(self) -> list[IncreaseRequest]:
        """Return every request for an increase, the oldest first."""
        return list(self._requests)

    def grant(self, request: IncreaseRequest) -> None:
        """Do what AWS does some hours or days after the request: approve it, and apply what was desired."""
        request.status = "APPROVED"
        self.set(request.code, request.desired, request.context)

    def known(self, code: Code) -> Quota:
        """Return a quota; raise NoSuchResourceException for one that the sandbox does not know."""
        quota = QUOTAS.get(code)
        if quota is None:
            raise AwsError(
                "NoSuchResourceException", "The request failed because the specified quota does not exist."
            )
        return quota

    def check_reservation(self, wanted: int, other_reservations: int) -> None:
        """Refuse a reserved concurrency that leaves too little to the functions without one, in Lambda's words."""
        total = int(self.value(CONCURRENT_EXECUTIONS))
        least = min(UNRESERVED_MINIMUM, total)
        if wanted and total - other_reservations - wanted < least:
            message = (
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{least}]."
            )
            raise AwsError("InvalidParameterValueException", message)
