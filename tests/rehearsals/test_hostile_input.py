"""Hostile requests to the deployed REST APIs: every answer is one that the published OpenAPI document says.

A few of those that `make soak` sends, the same ones everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
import yaml

from rehearsals.scenarios import Deployment
from tests.support.logs import audited, logged, secrets_of
from tests.support.openapi_run import DOCUMENTS, Order, drive, metadata_order, webhook_order

pytestmark = pytest.mark.sandbox

EXAMPLES = 120


@pytest.fixture
def nothing_in_logs(deployment: Deployment) -> Iterator[None]:
    """Let the log have neither traceback nor secret nor number when the test is over."""
    began = time.time()
    yield
    numbers = [number.lstrip("+") for number in Order("", "", ("", 0), "").numbers]
    found = audited(logged(deployment.sandbox, since=began), secrets_of(deployment.sandbox), numbers)
    assert found["lines"] > EXAMPLES, "the functions should have logged something"
    assert {name: found[name] for name in ("tracebacks", "secrets", "digits")} == {
        "tracebacks": 0,
        "secrets": 0,
        "digits": 0,
    }


@pytest.mark.usefixtures("nothing_in_logs")
def test_the_metadata_api_answers_what_its_document_says(deployment: Deployment) -> None:
    report = drive(metadata_order(deployment, examples=EXAMPLES), timeout=50)
    assert report.found == {}, "\n".join(report.shown)
    assert report.requests == EXAMPLES
    assert {
        "200",
        "400 LONE_SURROGATE",
        "400 INVALID_BODY by API Gateway",
        "401 MISSING_TOKEN by API Gateway",
        "403 WRONG_TOKEN by API Gateway",
        "413 METADATA_TOO_LARGE",
        "415 UNSUPPORTED_MEDIA_TYPE",
    } <= set(report.answers), report.answers


@pytest.mark.usefixtures("nothing_in_logs")
def test_the_webhook_answers_what_its_document_says(deployment: Deployment) -> None:
    report = drive(webhook_order(deployment, examples=EXAMPLES), timeout=50)
    assert report.found == {}, "\n".join(report.shown)
    assert report.requests == EXAMPLES
    assert {"200", "403", "403 by API Gateway", "409"} <= set(report.answers), report.answers


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_and_paths_are_the_documented_404(deployment: Deployment, verb: str) -> None:
    for order in (metadata_order(deployment), webhook_order(deployment)):
        document = yaml.safe_load((DOCUMENTS / f"{order.document}.yaml").read_text(encoding="utf-8"))
        for path in (order.path, f"{order.path}/a/b/c"):
            answer = requests.request(verb, order.local + path, headers={"Host": order.host}, timeout=29)
            assert answer.status_code == 404
            [media_type] = [
                kind
                for operation in document["paths"][min(document["paths"], key=len)].values()
                for kind in (operation["responses"]["404"].get("content") or {"text/xml": {}})
            ]
            assert answer.headers["Content-Type"].startswith(media_type)
