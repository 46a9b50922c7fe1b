"""The counts that functions write of themselves, as metrics with the options that CDK users know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "ConnectBridges"


class MetricOptions(TypedDict, total=False):
    """What every ``metric_*`` method takes: the CDK's own ``MetricOptions``.

    Defaults: five minutes, and the statistic that the method's documentation names.
    """

    account: str
    color: str
    dimensions_map: Mapping[str, str]
    id: str
    label: str
    period: cdk.Duration
    region: str
    stack_account: str
    stack_region: str
    statistic: str
    unit: cloudwatch.Unit
    visible: bool


def counted(name: str, service: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return a count that the functions of a bridge write, summed over five minutes unless the options say otherwise.

    service: the value of the dimension ``service``, which keeps two bridges apart.
    """
    merged: MetricOptions = {
        "dimensions_map": {"service": service},
        "statistic": "Sum",
        "period": cdk.Duration.minutes(5),
        **options,
    }
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, **merged)


def summed() -> MetricOptions:
    """Return the options that alarms look at counts with: the sum of five minutes."""
    return {"statistic": "Sum", "period": cdk.Duration.minutes(5)}
