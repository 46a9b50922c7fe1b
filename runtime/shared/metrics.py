"""Custom metrics in CloudWatch's embedded metric format: one count of the outcome per invocation.

The namespace is POWERTOOLS_METRICS_NAMESPACE (default ConnectBridges), the dimension `service` is
POWERTOOLS_SERVICE_NAME.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from runtime.shared.logging import Handler

METRICS = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "ConnectBridges")


def count(outcome: str) -> None:
    """Count one outcome, such as MetadataStored. Call it exactly once in an invocation."""
    METRICS.add_metric(name=outcome, unit=MetricUnit.Count, value=1)


def metered() -> Callable[[Handler], Handler]:
    """Decorate a handler: what it counted is written out when it ends, also when it raises."""

    def decorate(handler: Handler) -> Handler:
        decorated: Handler = METRICS.log_metrics(handler)
        return decorated

    return decorate
