"""After all of it (this file is the last by its name): what the deployed functions and APIs have logged."""

from __future__ import annotations

import time

import pytest

from rehearsals.scenarios.deployment import Deployment
from tests.support.logs import audited, logged, secrets_of
from tests.support.openapi_run import Order
from tests.support.tally import Tally

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]


def test_no_log_holds_a_traceback_a_secret_or_a_number(deployment: Deployment, tally: Tally) -> None:
    began = time.monotonic()
    numbers = [number.lstrip("+") for number in Order("", "", ("", 0), "").numbers]
    callers = [f"1206555{number:04d}" for number in range(1_000)]
    found = audited(logged(deployment.sandbox), secrets_of(deployment.sandbox), numbers + callers)
    lines = found.pop("lines")
    tally.add("lines of logs read", time.monotonic() - began, lines, +found)
    assert lines > 100, "the functions should have logged something"
    assert not +found
