from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.iam.models import iam_backends

from runtime.chat.key_age import handler
from runtime.shared.errors import ConfigurationError

USER = "chat-vendor"


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("USER_NAME", USER)
    with mock_aws():
        client = boto3.client("iam")
        client.create_user(UserName=USER)
        yield client


def create_key(iam: Any, *, days_ago: int) -> str:
    key: str = iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]
    (stored,) = [
        k for k in iam_backends["123456789012"]["global"].users[USER].access_keys if k.access_key_id == key
    ]
    stored.create_date = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days_ago, hours=1)
    return key


def metric(printed: str) -> int:
    (blob,) = [json.loads(line) for line in printed.splitlines() if '"VendorKeyAge"' in line]
    (value,) = blob["VendorKeyAge"]
    return int(value)


def test_the_oldest_active_key_counts(iam: Any, context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    create_key(iam, days_ago=100)
    create_key(iam, days_ago=3)
    assert handler({}, context) == {"activeKeys": 2, "oldestDays": 100}
    assert metric(capsys.readouterr().out) == 100


def test_a_key_that_was_switched_off_counts_no_more(
    iam: Any, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old = create_key(iam, days_ago=100)
    create_key(iam, days_ago=3)
    iam.update_access_key(UserName=USER, AccessKeyId=old, Status="Inactive")
    assert handler({}, context)["oldestDays"] == 3
    assert metric(capsys.readouterr().out) == 3


def test_a_user_without_keys_has_none_that_is_old(iam: Any, context: Any) -> None:
    assert handler({}, context) == {"activeKeys": 0, "oldestDays": 0}


def test_a_user_that_cannot_be_asked_about_raises(
    iam: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER_NAME", "somebody-else")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        handler({}, context)


def test_a_missing_user_name_is_named(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USER_NAME", raising=False)
    with pytest.raises(ConfigurationError, match="USER_NAME is not set"):
        handler({}, context)
