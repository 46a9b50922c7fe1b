"""When SNS retries a delivery over HTTP: a subscription's delivery policy as a list of pauses.

Source: Amazon SNS developer guide, "Amazon SNS message delivery retries" and "Creating an HTTP/S delivery policy".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from connect_sandbox.cloud.errors import AwsError

_DEFAULTS: dict[str, Any] = {
    "numRetries": 3,
    "numNoDelayRetries": 0,
    "minDelayTarget": 20,
    "numMinDelayRetries": 0,
    "maxDelayTarget": 20,
    "numMaxDelayRetries": 0,
    "backoffFunction": "linear",
}
_LONGEST = 3600
"""Seconds that all retries of a policy may take together, a limit that cannot be raised."""
_KNOWN = frozenset(
    {"healthyRetryPolicy", "throttlePolicy", "requestPolicy", "sicklyRetryPolicy", "guaranteed"}
)


def pauses(policy: Mapping[str, Any] | None) -> list[float]:
    """Return the seconds before each retry. The four phases: at once, minimum delay, back-off, maximum delay.

    InvalidParameter for a policy that SNS rejects.
    """
    given = policy or {}
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        raise _invalid(f"unknown key {unknown[0]}")
    if given.get("throttlePolicy"):
        raise _invalid("throttlePolicy is not reproduced by the sandbox")
    retry = {**_DEFAULTS, **(given.get("healthyRetryPolicy") or {})}
    strange = sorted(set(retry) - set(_DEFAULTS))
    if strange:
        raise _invalid(f"healthyRetryPolicy has an unknown key {strange[0]}")
    total, at_once, at_minimum, at_maximum = (
        int(retry[name])
        for name in ("numRetries", "numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    )
    least, most = float(retry["minDelayTarget"]), float(retry["maxDelayTarget"])
    backing_off = total - at_once - at_minimum - at_maximum
    if not 0 <= total <= 100 or min(at_once, at_minimum, at_maximum, backing_off) < 0:
        raise _invalid("the retries of the phases must add up to at most numRetries, 0 to 100")
    if not 1 <= least <= most <= _LONGEST:
        raise _invalid("delays must be 1 to 3600 seconds, minDelayTarget not above maxDelayTarget")
    found = [0.0] * at_once + [least] * at_minimum
    found += [
        _between(least, most, index, backing_off, retry["backoffFunction"]) for index in range(backing_off)
    ]
    found += [most] * at_maximum
    if sum(found) > _LONGEST:
        raise _invalid(f"the retries take {sum(found):.0f} seconds, more than {_LONGEST}")
    return found


def _between(least: float, most: float, index: int, count: int, function: str) -> float:
    share = 1.0 if count == 1 else index / (count - 1)
    match function.lower():  # the CDK writes it in capitals, which SNS takes
        case "linear":
            return least + (most - least) * share
        case "arithmetic":
            return least + (most - least) * share * (1 + share) / 2
        case "geometric":
            return float(least * (most / least) ** share)
        case "exponential":
            return least + (most - least) * (math.exp2(share * 6) - 1) / 63
        case _:
            raise _invalid(f"backoffFunction {function!r}")


def _invalid(problem: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: DeliveryPolicy: {problem}")
