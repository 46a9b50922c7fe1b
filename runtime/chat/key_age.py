"""Invoked once a day by a schedule: tell how old the vendor's access keys are.

Environment: USER_NAME.
IAM: iam:ListAccessKeys on that user.

IAM publishes no metric and no event about a key's age; AWS Config has a rule, for those who record all of IAM with
it. This function writes the age in days of the oldest active key as the metric VendorKeyAge (embedded metric format,
no CloudWatch permission needed), for an alarm to watch. Keys that are not active count as gone. Raises when IAM
cannot be asked: the function's error metric has an alarm as well, so that missing data never looks like a fresh key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.shared.clients import AwsClient, client
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import METRICS, metered
from runtime.shared.service_models import iam

METRIC = "VendorKeyAge"
"""Age of the oldest active key in days, dimension `service`."""


@metered()
@event_logger()
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 (Lambda's signature)
    """Write the metric; answer with what was found, for who invokes it by hand."""
    user_name, users = _user()
    keys = users.list_access_keys(UserName=user_name)["AccessKeyMetadata"]  # a user has two at most: one page
    active = [key for key in keys if key["Status"] == "Active"]
    now = datetime.now(UTC)
    days = max(((now - key["CreateDate"]).days for key in active), default=0)
    METRICS.add_metric(name=METRIC, unit=MetricUnit.Count, value=days)
    LOGGER.info("vendor access keys", active=len(active), oldest_days=days)
    return {"activeKeys": len(active), "oldestDays": days}


@built_at_init
def _user() -> tuple[str, AwsClient]:
    environment = Environment(os.environ)
    user_name = environment.text("USER_NAME", pattern=r"[\w+=,.@-]{1,64}", form="the name of an IAM user")
    environment.check()
    return user_name, client(iam, connect_timeout=2, read_timeout=5, attempts=3)
