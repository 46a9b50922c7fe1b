"""AWS clients that give up in time, and which of their failures pass by themselves.

A flow waits for a Lambda function at most as long as its block says (3 s by default, 8 s at most), and
botocore's defaults (60 s per attempt) would outlive the caller. So every client here states its limits.

At most `attempts` x (`connect_timeout` + `read_timeout`) seconds pass in a call, plus the pauses between
attempts. The pauses are those of botocore's legacy mode, named here since newer releases default to
another: for DynamoDB 50 ms, then 100 ms and so on, for other services a random part of 1 s, then of 2 s.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's name)
    HTTPClientError,
)

AwsClient: TypeAlias = Any
"""A boto3 client: boto3 makes its operations from the service models at run time, so no type describes it."""

THROTTLING_CODES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledClientException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def client(
    service: str,
    *,
    connect_timeout: float,
    read_timeout: float,
    attempts: int,
    region: str | None = None,
) -> AwsClient:
    """Return a boto3 client for `service`; times in seconds, `attempts` counts the first one too.

    `region` defaults to the function's own (AWS_REGION).
    """
    return boto3.client(
        service,
        region_name=region,
        config=Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts, "mode": "legacy"},
        ),
    )


def is_temporary(error: Exception) -> bool:
    """Tell whether the same call may succeed shortly: throttled, a 5xx answer, no connection, a time-out."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error_code(error) in THROTTLING_CODES or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError)


def error_code(error: Exception) -> str:
    """Return the AWS error code, such as AccessDeniedException, or the exception's class name."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
