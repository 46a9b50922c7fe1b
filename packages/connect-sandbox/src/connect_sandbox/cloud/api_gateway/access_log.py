"""Access logs: one line per request, written with the permissions of the account's CloudWatch role alone."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from connect_sandbox.cloud.api_gateway.context import RequestState, substitute
from connect_sandbox.cloud.api_gateway.registry import ApiRegistry, Stage
from connect_sandbox.cloud.principals import Principals

_NO_RETRIES = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


class AccessLog:
    """Writes access log lines to the log group of their stage."""

    def __init__(self, registry: ApiRegistry, principals: Principals, endpoint_url: str) -> None:
        """`registry` knows the role; `endpoint_url` is the front, which evaluates its permissions."""
        self._registry = registry
        self._principals = principals
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._streams: set[tuple[str, str]] = set()
        #: Why lines could not be written, in order.
        self.refused: list[str] = []

    def write(self, stage: Stage, state: RequestState) -> None:
        """Write one request's line; a missing permission loses the line, as on AWS."""
        line = substitute(stage.log_format, state.variables(), "-")
        stream = f"{state.api_id}_{stage.name}"
        event = {"timestamp": int(time.time() * 1000), "message": line}
        try:
            client = self._client(self._registry.log_role_arn)
            self._create_stream(client, stage.log_group, stream)
            client.put_log_events(logGroupName=stage.log_group, logStreamName=stream, logEvents=[event])
        except ClientError as error:
            self.refused.append(str(error))

    def _create_stream(self, client: Any, group: str, stream: str) -> None:  # noqa: ANN401
        if (group, stream) in self._streams:
            return
        # A request at the same moment may have made it.
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        self._streams.add((group, stream))

    def _client(self, role_arn: str) -> Any:  # noqa: ANN401  (a boto3 client)
        with self._lock:
            if role_arn not in self._clients:
                credentials = self._principals.issue(role_arn, "BackplaneAssumeRoleSession")
                self._clients[role_arn] = boto3.client(
                    "logs",
                    region_name=self._registry.region,
                    endpoint_url=self._endpoint_url,
                    aws_access_key_id=credentials.access_key_id,
                    aws_secret_access_key=credentials.secret_access_key,
                    aws_session_token=credentials.session_token,
                    config=_NO_RETRIES,
                )
            return self._clients[role_arn]
