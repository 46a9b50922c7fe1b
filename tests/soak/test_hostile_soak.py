"""50,000 hostile requests: over HTTP to the deployed APIs, and to the functions in processes side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rehearsals.scenarios.deployment import Deployment
from tests.support import handlers_run, openapi_run
from tests.support.openapi_run import metadata_order, webhook_order
from tests.support.tally import Tally

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(1200)]

REQUESTS = 50_000
OVER_HTTP, SECONDS_OVER_HTTP = 10_000, 300.0
"""So many are sent over HTTP, or as many as this machine takes in that time."""
LONGEST = 900.0
"""Seconds that the others may take."""


def test_hostile_requests_are_answered_as_documented(
    deployment: Deployment, tally: Tally, scale: float
) -> None:
    orders = [
        replace(
            order(deployment, examples=int(OVER_HTTP * scale) // 2, seed=1, threads=2),
            seconds=SECONDS_OVER_HTTP,
        )
        for order in (metadata_order, webhook_order)
    ]
    with ThreadPoolExecutor(len(orders)) as pool:
        reports = list(
            pool.map(lambda order: openapi_run.drive(order, timeout=2 * SECONDS_OVER_HTTP), orders)
        )
    for order, over_http in zip(orders, reports, strict=True):
        what = f"requests by schemathesis over HTTP to {order.document}"
        tally.add(what, over_http.seconds, over_http.requests, over_http.found, over_http.shown)
        answers = dict(over_http.answers.most_common())
        print(f"\n{order.document}: {answers}, the slowest in {over_http.slowest:.1f} s")
    sent = sum(one.requests for one in reports)

    rest = int(REQUESTS * scale) - sent
    report = handlers_run.drive(rest, processes=2, seed=1, timeout=LONGEST)
    what = "hostile requests to the functions behind the APIs"
    tally.add(what, report.seconds, report.requests, report.found, report.shown)
    print(f"\n{dict(report.answers.most_common())}")
    print(f"the slowest in {report.slowest:.1f} s, {report.lines:,} lines logged")

    assert sent > 200 * min(1.0, scale), "HTTP should not be slower than that"
    assert sent + report.requests >= int(REQUESTS * scale)
    assert [one.found for one in reports] == [{}, {}], tally.shown
    assert report.found == {}, tally.shown
