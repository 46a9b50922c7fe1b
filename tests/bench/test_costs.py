from __future__ import annotations

import json
from typing import Any

import pytest

from bench import costs

PRICES = {
    "looked_up": "2026-01-01",
    "region": "us-east-1",
    "prices": {
        "lambda_requests": {"usd": 0.20, "per": 1_000_000},
        "lambda_gb_seconds_arm64": {"usd": 0.00001, "per": 1},
        "logs_gb": {"usd": 0.5, "per": 1},
    },
}
REPORT = "REPORT RequestId: 1\tDuration: 79.20 ms\tBilled Duration: 200 ms\tMemory Size: 512 MB"


def test_a_price_is_for_so_many_units() -> None:
    prices = costs.PriceList(PRICES)
    # 2 requests are 0.4 millionths, 3 GB-seconds 30.
    used = {"lambda_requests": 2.0, "lambda_gb_seconds_arm64": 3.0, "billed_seconds": 99.0}
    assert prices.cost(used) == pytest.approx(0.4e-6 + 30e-6)
    with pytest.raises(KeyError, match="sns_requests"):
        prices.cost({"sns_requests": 1.0})


def test_every_unit_that_is_counted_has_a_price_with_its_source() -> None:
    document = json.loads((costs._FOLDER / "prices.json").read_text())
    units = {*costs._UNITS.values(), *costs._MONTHLY.values()}
    assert units <= set(document["prices"])
    assert all(price["source"].startswith("https://") for price in document["prices"].values())
    designs = json.loads((costs._FOLDER / "guide_designs.json").read_text())
    for design in (designs["voice"], designs["chat"]):
        counted = {*design["alone"], *design["busy"], f"lambda_gb_seconds_{design['architecture']}"}
        assert counted <= set(document["prices"])


def test_logs_tell_invocations_requests_and_bytes() -> None:
    access = json.dumps({"requestId": "1", "resourcePath": "/metadata"})
    own = json.dumps({"level": "INFO", "message": "stored"})
    used = costs.usage_of_logs(["START RequestId: 1", own, REPORT, access])

    assert used["lambda_requests"] == 1
    assert used["lambda_gb_seconds_arm64"] == pytest.approx(0.2 * 0.5)
    assert used["api_gateway_rest_requests"] == 1
    platform = len("START RequestId: 1") + len(REPORT) + 2 * 26
    assert used["platform_log_gb"] == pytest.approx(platform / 1e9)
    assert used["logs_gb"] == pytest.approx((platform + len(own) + len(access) + 2 * 26) / 1e9)


def test_calls_become_units_and_an_unknown_call_is_refused() -> None:
    used = costs.usage_of_calls(
        ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "sns:Publish", "logs:PutLogEvents"]
    )
    assert used == {"dynamodb_write_units": 2, "dynamodb_read_units": 1, "sns_requests": 1}
    with pytest.raises(ValueError, match=r"dynamodb:Scan was called; say in bench/costs\.py"):
        costs.usage_of_calls(["dynamodb:Scan"])


def test_a_guide_pays_its_own_requests_for_our_durations() -> None:
    measured = {
        "lambda_requests": 3.0,
        "billed_seconds": 0.6,
        "platform_log_gb": 9e-7,
        "sns_requests": 5.0,
        "secrets_manager_requests": 1.0,
    }
    design: dict[str, Any] = {
        "architecture": "x86_64",
        "memory_mb": 128,
        "alone": {"lambda_requests": 3},
        "busy": {"lambda_requests": 2},
        "same_as_ours": ["sns_requests"],
        "monthly": {},
    }
    guide = costs.guide_contact(
        design, costs.Contact(alone=measured, busy=measured, monthly={"secret_months": 1})
    )

    assert guide.busy["lambda_gb_seconds_x86_64"] == pytest.approx(0.6 * 2 / 3 / 8)
    assert guide.busy["logs_gb"] == pytest.approx(6e-7)
    assert guide.alone["sns_requests"] == 5.0
    assert "secrets_manager_requests" not in guide.alone
    assert guide.monthly == {}
