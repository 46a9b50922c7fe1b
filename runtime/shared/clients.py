"""AWS clients that give up in time, and which of their failures pass by themselves.

A flow waits for a Lambda function at most as long as its block says (3 s by default, 8 s at most), and
botocore's defaults (60 s per attempt) would outlive the caller. So every client here states its limits.

At most `attempts` x (`connect_timeout` + `read_timeout`) seconds pass in a call, plus the pauses between
attempts: `read_timeout` is for the whole answer here, where botocore's own is for each piece of it. The pauses
are those of botocore's legacy mode, named here since newer releases default to another: for DynamoDB 50 ms, then
100 ms and so on, for other services a random part of 1 s, then of 2 s.

Clients are made by botocore, from cut down service models and in one session: importing boto3 on top of it, and
reading whole models, took 40 % of a function's cold start.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
from functools import cache
from typing import Any, Protocol, TypeAlias

import botocore.session
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's name)
    HTTPClientError,
)
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from runtime.shared.service_models import endpoints

AwsClient: TypeAlias = Any
"""A botocore client: its operations are made from the service's model at run time, so no type describes it."""


class ServiceModel(Protocol):
    """A module of ``service_models``."""

    SERVICE: str
    """The service's name in botocore."""
    MODEL: str
    """Its description as JSON."""


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
    service: ServiceModel,
    *,
    connect_timeout: float,
    read_timeout: float,
    attempts: int,
    region: str | None = None,
) -> AwsClient:
    """Return a client for a service, such as ``service_models.dynamodb``, that has the model's operations only.

    Times in seconds; `attempts` counts the first one too. `region` defaults to the function's own.
    """
    session, loader = _session()
    loader.add(service)
    made = session.create_client(
        service.SERVICE,
        region_name=region,
        config=Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts, "mode": "legacy"},
        ),
    )
    made.meta.events.register("before-parse", _require_json)
    return made


def _require_json(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:  # noqa: ANN401
    """Raise ResponseParserError for a success whose body is no JSON object although the service answers with one.

    botocore takes such a body for an answer without fields, and so for a write that went well or an item that is not
    there. A refusal with such a body counts by its status alone: botocore would stumble over it.
    """
    shape = operation_model.output_shape
    if operation_model.service_model.resolved_protocol not in {"json", "rest-json"}:
        return
    fields = shape is not None and any(
        "location" not in field.serialization for field in shape.members.values()
    )
    if shape is not None and "payload" in shape.serialization:
        return
    try:
        answered = isinstance(json.loads(response_dict["body"]), dict)
    except ValueError:
        answered = False
    if answered:
        return
    if response_dict["status_code"] >= 300:
        response_dict["body"] = b""
    elif fields:
        raise ResponseParserError(f"{operation_model.name} was answered with 200 and no JSON object")


class _CutDownModels(Loader):  # type: ignore[misc] # botocore has no types
    """botocore's reader of service descriptions, for services whose model is at hand already.

    The list of endpoints is cut down too; everything else (endpoint rules, partitions, retry rules) it reads from
    botocore's own data.
    """

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, str] = {}

    def add(self, service: ServiceModel) -> None:
        self._models[service.SERVICE] = service.MODEL

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's signature)
        # botocore's own looks into the folders of all 400 services for this.
        return list(self._models)

    def load_data_with_path(self, name: str) -> tuple[dict[str, Any], str]:
        if name == "endpoints":
            return json.loads(endpoints.MODEL), f"{self.BUILTIN_DATA_PATH}/endpoints"
        found: tuple[dict[str, Any], str] = super().load_data_with_path(name)
        return found

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        model: dict[str, Any] = (
            json.loads(self._models[service_name])
            if type_name == "service-2"
            else super().load_service_model(service_name, type_name, api_version)
        )
        return model


class _Answer(http.client.HTTPResponse):
    """An answer that has to be there as a whole within the socket's time limit."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_InTime(self.fp.detach(), sock))


class _InTime(io.RawIOBase):
    """Reads a socket, each time for no longer than what is left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        seconds = sock.gettimeout()
        self._end = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 (anything that bytes can be written to)
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer was not there as a whole in time")
            self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


@cache
def _session() -> tuple[Any, _CutDownModels]:
    for connection in (AWSHTTPConnection, AWSHTTPSConnection):
        connection.response_class = _Answer
    session, loader = botocore.session.get_session(), _CutDownModels()
    session.register_component("data_loader", loader)
    return session, loader


def is_temporary(error: Exception) -> bool:
    """Tell whether the same call may succeed shortly: throttled, a 5xx or unreadable answer, no connection, a time-out.

    Of the last four nobody knows whether the call was carried out.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error_code(error) in THROTTLING_CODES or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError | ResponseParserError)


def error_code(error: Exception) -> str:
    """Return the AWS error code, such as AccessDeniedException, or the exception's class name."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__
