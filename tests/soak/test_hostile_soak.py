"""50,000 hostile requests: 10,000 over HTTP to the deployed APIs, 40,000 to the functions in processes side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rehearsals.scenarios.deployment import Deployment
from tests.support import handlers_run, openapi_run
from tests.support.openapi_run import metadata_order, webhook_order
from tests.support.tally import Tally

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(1200)]

OVER_HTTP = 10_000
TO_HANDLERS = 40_000
LONGEST = 900.0
"""Seconds that either may take."""


def test_hostile_requests_over_http_are_answered_as_documented(
    deployment: Deployment, tally: Tally, scale: float
) -> None:
    share = int(OVER_HTTP * scale) // 2
    orders = [
        metadata_order(deployment, examples=share, seed=1, threads=2),
        webhook_order(deployment, examples=share, seed=1, threads=2),
    ]
    with ThreadPoolExecutor(len(orders)) as pool:
        reports = list(pool.map(lambda order: openapi_run.drive(order, timeout=LONGEST), orders))
    for order, report in zip(orders, reports, strict=True):
        tally.add(f"requests by schemathesis over HTTP to {order.document}", report.seconds, report.requests,
                  report.found, report.shown)  # fmt: skip
        print(
            f"\n{order.document}: {dict(report.answers.most_common())}, the slowest in {report.slowest:.1f} s"
        )
    assert sum(report.requests for report in reports) >= share * 2 * 0.99
    assert [report.found for report in reports] == [{}, {}], [report.shown for report in reports]


def test_hostile_requests_to_the_functions_are_answered_as_documented(tally: Tally, scale: float) -> None:
    number = int(TO_HANDLERS * scale)
    report = handlers_run.drive(number, processes=2, seed=1, timeout=LONGEST)
    tally.add("hostile requests to the functions behind the APIs", report.seconds, report.requests,
              report.found, report.shown)  # fmt: skip
    print(
        f"\n{dict(report.answers.most_common())}, the slowest in {report.slowest:.1f} s, {report.lines:,} lines logged"
    )
    assert report.requests >= number
    assert report.found == {}, report.shown
