"""The watchdog's answer when it comes at the last moment: the work is done, and the handler is about to stop it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.voice import handler as module

OLD = "arn:aws:chime:us-east-1:123456789012:vc/abcdef1ghij2klmno3pqr4"


class LastMoment:
    """A timer that goes off just when it would have been cancelled."""

    daemon = False

    def __init__(self, _seconds: float, function: Callable[[], None]) -> None:
        self._function = function

    def start(self) -> None:
        """Wait for `cancel`."""

    def cancel(self) -> None:
        self._function()


@pytest.fixture
def late_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "threading", SimpleNamespace(Timer=LastMoment))


def test_a_replacement_that_was_rolled_back_is_nobodys_to_delete(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, late_watchdog: None
) -> None:
    cloud.failures["CreateIntegrationAssociation"] = [api_error(400, "BadRequestException")]
    answer = cloudformation.send(
        "Update", properties | {"AwsRegion": "eu-west-2"}, physical_id=OLD, old=properties
    )
    assert cloud.empty
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", OLD)
    assert "ran out of time" in answer["Reason"]
    assert "by hand" not in answer["Reason"]
    assert ":eu-west-2:" not in answer["Reason"]


def test_a_replacement_that_could_not_be_rolled_back_is_named(
    cloud: Any, cloudformation: Any, properties: dict[str, Any], api_error: Any, late_watchdog: None
) -> None:
    cloud.failures["CreateIntegrationAssociation"] = [api_error(400, "BadRequestException")]
    cloud.failures["DeleteVoiceConnector"] = [api_error(403, "ForbiddenException")]
    answer = cloudformation.send(
        "Update", properties | {"AwsRegion": "eu-west-2"}, physical_id=OLD, old=properties
    )
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", OLD)
    assert f"{cloud.connector['VoiceConnectorArn']}, made as the replacement, remains" in answer["Reason"]
