"""Writes what functions print to CloudWatch Logs, with the permission of the function's role and of nobody else."""

from __future__ import annotations

import threading
import time
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from connect_sandbox.cloud.environment import make_client
from connect_sandbox.cloud.lambda_state import LambdaFunction
from connect_sandbox.cloud.principals import Credentials

_NO_RETRIES = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


class FunctionLogs:
    """Delivers log lines the way Lambda does: stream per process, group created only if the role may create it."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        """`endpoint_url` is the sandbox's front, which evaluates and records each call."""
        self._endpoint_url = endpoint_url
        self._region = region
        self._lock = threading.Lock()
        self._streams: dict[str, Any] = {}

    def deliver(
        self, function: LambdaFunction, credentials: Credentials, stream: str, lines: list[str]
    ) -> str | None:
        """Write the lines to the function's log group; return why that was refused, or None."""
        group = function.log_group
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        try:
            client = self._client(credentials, group, stream)
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return None

    def _client(self, credentials: Credentials, group: str, stream: str) -> Any:  # noqa: ANN401  (a boto3 client)
        with self._lock:
            known = self._streams.get(group + stream)
            if known is not None:
                return known
            client = make_client(
                self._region,
                "logs",
                endpoint_url=self._endpoint_url,
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token,
                config=_NO_RETRIES,
            )
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceNotFoundException:
            client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        with self._lock:
            self._streams[group + stream] = client
        return client
