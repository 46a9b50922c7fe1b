"""Telephone numbers: the pool of free ones, claiming, releasing, and the time until a released one is free again.

Sources: API reference, ClaimPhoneNumber and ReleasePhoneNumber; administrator guide, "Quotas". The numbers are those
that national authorities keep for fiction, and ranges that nobody uses.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connect_sandbox.cloud.connect_state import ConnectState, Instance, Number
from connect_sandbox.cloud.contact_center.calendar import Calendar
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.quotas import PHONE_NUMBERS, Quotas

COOL_DOWN: Final = dt.timedelta(days=180)
#: Claims and releases together, in percent of the quota, that block further claims for the cool-down.
MOST_MOVES: Final = 2.0
_SEARCHED = 30
#: The pool: how the numbers of a country and type begin, and how many digits follow.
_POOL: Final[dict[tuple[str, str], tuple[str, int]]] = {
    ("US", "DID"): ("+120655501", 2),
    ("US", "TOLL_FREE"): ("+180055501", 2),
    ("CA", "DID"): ("+161355501", 2),
    ("CA", "TOLL_FREE"): ("+186655501", 2),
    ("GB", "DID"): ("+442079460", 3),
    ("GB", "TOLL_FREE"): ("+448081570", 3),
    ("DE", "DID"): ("+4930231250", 2),
    ("DE", "TOLL_FREE"): ("+498000000", 3),
    ("FR", "DID"): ("+3319900", 4),
    ("FR", "TOLL_FREE"): ("+33800000", 3),
    ("AU", "DID"): ("+6125550", 4),
    ("AU", "TOLL_FREE"): ("+611800160", 3),
}


@dataclass(frozen=True)
class _Moved:
    """A claim or a release of an instance: `number` is None for a claim."""

    at: dt.datetime
    instance_id: str
    number: str | None = None


class Numbers:
    """Searches, claims, moves and releases telephone numbers."""

    def __init__(self, state: ConnectState, quotas: Quotas, calendar: Calendar) -> None:
        """`state` holds the instances, each with its numbers."""
        self._state = state
        self._quotas = quotas
        self._calendar = calendar
        self._lock = threading.RLock()
        self._moves: list[_Moved] = []

    def available(self, country: str, type_: str, prefix: str = "") -> list[str]:
        """Return up to 30 free numbers in E.164; none for a country or type that the pool does not have."""
        with self._lock:
            cooling = {each.number for each in self._recent() if each.number}
            claimed = {number.number for _, number in self._all()}
            for state in self._state.elsewhere():
                claimed |= {each.number for one in state.instances() for each in one.numbers.values()}
            return [
                number
                for number in _pool(country, type_)
                if number.startswith(prefix) and number not in cooling | claimed
            ][:_SEARCHED]

    def claim_one(
        self,
        instance_arn: str,
        *,
        country: str,
        type_: str,
        prefix: str = "",
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Number:
        """Claim a random free number; an error NotFound without a message, as of the handler, if none is free."""
        free = self.available(country, type_, prefix)
        if not free:
            # The handler sets no message, which CloudFormation shows as "null".
            raise AwsError("NotFound", "null", 404)
        number = random.choice(free)  # noqa: S311  (no secret)
        return self.claim(instance_arn, number, description=description, tags=tags)

    def claim(
        self,
        instance_arn: str,
        number: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Number:
        """Claim a number for an instance; refused if it is not free, or past the quota or the churn limit."""
        with self._lock:
            instance = self._state.instance(instance_arn)
            self._check_limits(instance)
            found = next((each for each in _POOL if number in self.available(*each)), None)
            pattern = found and number in _pool(*found)
            if found is None or not pattern:
                raise AwsError("InvalidParameterException", f"Phone number {number} not available")
            country, type_ = found
            held = Number(str(uuid.uuid4()), number, None, country, type_, description, dict(tags or {}))
            instance.numbers[held.id] = held
            self._moves.append(_Moved(self._calendar.now(), instance.id))
        return held

    def move(self, number_id: str, target_arn: str) -> Number:
        """Let a number belong to another instance; it leads to no flow then."""
        with self._lock:
            owner, number = self.find(number_id)
            target = self._state.instance(target_arn)
            if target is not owner:
                del owner.numbers[number.id]
                target.numbers[number.id] = number
                number.flow_id = None
        return number

    def release(self, number_id: str) -> None:
        """Give a number back; nobody can claim it for 180 days."""
        with self._lock:
            owner, number = self.find(number_id)
            del owner.numbers[number.id]
            self._moves.append(_Moved(self._calendar.now(), owner.id, number.number))

    def release_all(self, instance: Instance) -> None:
        """Give back what an instance has, because it is being deleted."""
        for number in list(instance.numbers.values()):
            self.release(number.id)

    def find(self, id_or_arn: str) -> tuple[Instance, Number]:
        """Return a number by id or ARN, with its instance; raise ResourceNotFoundException."""
        wanted = id_or_arn.rpartition("/")[2]
        found = next((each for each in self._all() if each[1].id == wanted), None)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Phone number {wanted} not found", 404)
        return found

    def arn(self, number: Number) -> str:
        """Return a number's ARN, which has no instance part."""
        return f"arn:aws:connect:{self._state.region}:{self._state.account}:phone-number/{number.id}"

    def _all(self) -> Iterator[tuple[Instance, Number]]:
        for instance in self._state.instances():
            for number in list(instance.numbers.values()):
                yield instance, number

    def _recent(self) -> list[_Moved]:
        start = self._calendar.now() - COOL_DOWN
        return [each for each in self._moves if each.at > start]

    def _check_limits(self, instance: Instance) -> None:
        quota = self._quotas.value(PHONE_NUMBERS, instance.arn)
        if len(instance.numbers) >= quota:
            # evidence: number-quota-error
            message = "You've reached the limit of Phone Numbers. To increase limit, contact support."
            raise AwsError("LimitExceededException", message, 429)
        if len([each for each in self._recent() if each.instance_id == instance.id]) >= MOST_MOVES * quota:
            message = (
                f"Claims and releases are over {MOST_MOVES:.0%} of the quota of {quota:g} numbers; wait until "
                f"{COOL_DOWN.days} days after the oldest release"
            )
            raise AwsError("InvalidParameterException", message)


def _pool(country: str, type_: str) -> Iterator[str]:
    found = _POOL.get((country, type_))
    if found is not None:
        start, digits = found
        for number in range(10**digits):
            yield f"{start}{number:0{digits}d}"
