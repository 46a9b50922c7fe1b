"""The pauses between attempts, phase by phase."""

from __future__ import annotations

import pytest
from connect_sandbox.cloud import AwsError
from connect_sandbox.cloud.sns_retries import pauses


def retry(**policy: int | str) -> dict[str, dict[str, int | str]]:
    return {"healthyRetryPolicy": policy}


def test_without_a_policy_there_are_three_retries_twenty_seconds_apart() -> None:
    assert pauses(None) == [20.0, 20.0, 20.0]


def test_the_phases_come_one_after_the_other() -> None:
    policy = retry(
        numRetries=7,
        numNoDelayRetries=1,
        numMinDelayRetries=2,
        numMaxDelayRetries=1,
        minDelayTarget=10,
        maxDelayTarget=30,
        backoffFunction="LINEAR",
    )
    assert pauses(policy) == [0.0, 10.0, 10.0, 10.0, 20.0, 30.0, 30.0]


@pytest.mark.parametrize("function", ["linear", "arithmetic", "geometric", "exponential"])
def test_backing_off_goes_from_the_minimum_to_the_maximum_without_ever_going_back(function: str) -> None:
    found = pauses(retry(numRetries=10, minDelayTarget=1, maxDelayTarget=60, backoffFunction=function))
    assert (found[0], round(found[-1], 6)) == (1.0, 60.0)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        (retry(numRetries=1, numNoDelayRetries=2), "add up"),
        (retry(minDelayTarget=30, maxDelayTarget=20), "minDelayTarget"),
        (retry(numRetries=100, minDelayTarget=60, maxDelayTarget=60), "6000 seconds"),
        (retry(backoffFunction="random"), "backoffFunction"),
        (retry(retries=3), "unknown key retries"),
        ({"throttlePolicy": {"maxReceivesPerSecond": 1}}, "throttlePolicy"),
        ({"healthy": {}}, "unknown key healthy"),
    ],
)
def test_a_policy_that_sns_refuses_is_refused_by_name(policy: dict[str, object], named: str) -> None:
    with pytest.raises(AwsError, match=named):
        pauses(policy)
