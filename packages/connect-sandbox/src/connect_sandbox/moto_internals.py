"""Everything that the sandbox uses of moto and botocore beyond their public interfaces, behind typed names.

moto promises no stability for what is below `moto.core` or for its backends, and botocore's service models come
without types. Nothing else in this package imports moto: when moto moves something, this module and its test
(tests/sandbox/test_moto_internals.py) say by name what is gone.
"""

from __future__ import annotations

import base64
import copy
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from http.client import HTTPMessage
from io import BytesIO
from types import SimpleNamespace
from typing import Any, Literal, Protocol, cast

import botocore.loaders
from botocore.model import ListShape, MapShape, StringShape, StructureShape
from moto.backends import get_backend
from moto.core import responses, utils
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeKey
from moto.sts.models import sts_backends
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import NotFound

Backend = Any
"""One of moto's backends: the resources of a service in one account and region. It has no type."""

RegionalService = Literal["cloudwatch", "dynamodb", "events", "kms", "logs", "secretsmanager", "sns", "sqs"]
"""A service whose backend the sandbox looks into, by moto's name."""

MOTO_ACCOUNT_HEADER = "x-moto-account-id"
"""The header by which a request to moto says whose resources it is about, in lower case."""

GLOBAL_REGION = "aws"
"""The region under which moto keeps the services that have none."""


# --- service models


class HttpTrait(Protocol):
    """How an operation looks over HTTP."""

    method: str
    path: str
    query_args: Mapping[str, str]


class InputShape(Protocol):
    """The structure of an operation's parameters."""

    @property
    def required_query_args(self) -> Sequence[str]:
        """The query parameters without which this is not the operation."""
        ...

    @property
    def required_headers(self) -> Sequence[str]:
        """The headers without which this is not the operation."""
        ...


class Service(Protocol):
    """A service, as botocore describes it."""

    service_name: str
    metadata: Mapping[str, Any]

    @property
    def operation_names(self) -> Sequence[str]:
        """The names of its operations."""
        ...

    @property
    def protocol(self) -> str:
        """The protocol that it prefers: json, query, rest-json, rest-xml or smithy-rpc-v2-cbor."""
        ...

    @property
    def is_query_compatible(self) -> bool:
        """Whether it answers old clients in the query protocol's error codes."""
        ...

    def operation_model(self, operation_name: str, /) -> Operation:
        """Return an operation by its name."""
        ...


class Operation(Protocol):
    """An operation of a service, as botocore describes it."""

    @property
    def name(self) -> str:
        """Its name, such as "GetSecretValue"."""
        ...

    @property
    def service_model(self) -> Service:
        """The service that it belongs to."""
        ...

    @property
    def http_trait(self) -> HttpTrait:
        """How it looks over HTTP."""
        ...

    @property
    def input_shape(self) -> InputShape | None:
        """The structure of its parameters, None if it takes none."""
        ...


@dataclass(frozen=True)
class WireRequest:
    """A request as the parsers of the protocols take it. `path` and `path_parameters` are what the route matched."""

    method: str
    path: str
    headers: Headers
    values: MultiDict[str, str]
    body: bytes
    path_parameters: Mapping[str, Any]


@lru_cache(maxsize=32)
def service_model(service: str) -> Service:
    """Return the model of a service, by botocore's name."""
    description = _models().load_service_model(service, "service-2")
    return cast("Service", ServiceModel(description, service))


@cache
def _models() -> botocore.loaders.Loader:
    """Return what reads botocore's models; a new one lists all services first."""
    return botocore.loaders.create_loader()


def read_parameters(operation: Operation, protocol: str, request: WireRequest) -> Any:  # noqa: ANN401  (JSON)
    """Return an operation's parameters from a request; whatever moto's parser raises if they cannot be read."""
    parser = PROTOCOL_PARSERS[protocol](cast("Any", operation))
    return parser.parse(
        {
            "method": request.method,
            "url_path": request.path,
            "headers": request.headers,
            "values": request.values,
            "body": request.body,
            "url_params": dict(request.path_parameters),
        }
    )


class NoSuchRouteError(Exception):
    """The service has no operation with this method and path."""


def route(
    service: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[Operation, str, WireRequest]:
    """Return the operation that a request asks for, its protocol and the request in parts; else NoSuchRouteError."""
    parsed = Request.from_primitives(method, url, dict(headers), body)
    try:
        found, path_parameters = get_service_router(service).match(parsed)
    except NotFound as error:
        raise NoSuchRouteError(f"{method} {parsed.path} of {service}") from error
    protocol = determine_request_protocol(found.service_model, parsed.content_type)
    wire = WireRequest(
        parsed.method, parsed.path, parsed.headers, parsed.values, parsed.data, dict(path_parameters)
    )
    return cast("Operation", found), protocol, wire


def write_answer(
    operation: Operation, protocol: str, result: Mapping[str, Any], request_id: str
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of an operation's answer in the wire form of the protocol."""
    made = get_serializer_class(operation.service_model.service_name, protocol)
    answer = made(cast("Any", operation), SerializationContext(request_id)).serialize(dict(result))
    body = answer["body"]
    headers = [(str(name), str(value)) for name, value in answer["headers"].items()]
    return int(answer["status_code"]), headers, body if isinstance(body, bytes) else body.encode()


# --- shapes: botocore computes their parts when they are first read, which type checkers cannot see


def members_of(shape: StructureShape) -> Mapping[str, Any]:
    """Return a structure's members by name."""
    return cast("Mapping[str, Any]", shape.members)


def required_of(shape: StructureShape) -> Sequence[str]:
    """Return the names of the members that a structure must have."""
    return cast("Sequence[str]", shape.required_members)


def item_of(shape: ListShape) -> Any:  # noqa: ANN401  (a shape)
    """Return the shape of a list's items."""
    return shape.member


def value_of(shape: MapShape) -> Any:  # noqa: ANN401  (a shape)
    """Return the shape of a map's values."""
    return shape.value


def enum_of(shape: StringShape) -> Sequence[str]:
    """Return the values that a text may have; empty if it may have any."""
    return cast("Sequence[str]", shape.enum)


def metadata_of(shape: StringShape | ListShape) -> Mapping[str, Any]:
    """Return the constraints of a text or a list: min, max, pattern."""
    return cast("Mapping[str, Any]", shape.metadata)


# --- backends


def set_table_key(account: str, region: str, table: str, key: str | None) -> None:
    """Let a DynamoDB table be encrypted with this key; None: with one that AWS owns. UpdateTable lacks it in moto."""
    found = backend("dynamodb", account, region).tables[table]
    found.sse_specification = {"Enabled": True, "KMSMasterKeyId": key} if key else None


def set_log_group_key(account: str, region: str, group: str, key: str | None) -> bool:
    """Let a log group be encrypted with this key, or with none of its own; return whether there is such a group."""
    found = backend("logs", account, region).groups.get(group)
    if found is not None:
        found.kms_key_id = key
    return found is not None


def put_composite_alarm(
    account: str,
    region: str,
    name: str,
    *,
    rule: str,
    description: str | None,
    enabled: bool,
    actions: Mapping[str, Sequence[str]],
) -> None:
    """Keep an alarm on other alarms; PutCompositeAlarm is missing in moto. `actions` by CloudFormation's names."""
    backend("cloudwatch", account, region).put_metric_alarm(
        name=name,
        namespace=None,
        metric_name=None,
        comparison_operator=None,
        evaluation_periods=None,
        period=None,
        threshold=None,
        statistic=None,
        description=description,
        dimensions=[],
        alarm_actions=list(actions.get("AlarmActions", [])),
        ok_actions=list(actions.get("OKActions", [])),
        insufficient_data_actions=list(actions.get("InsufficientDataActions", [])),
        actions_enabled=enabled,
        rule=rule,
    )


def table_keys(table: Backend) -> list[str]:
    """Return the names of a DynamoDB table's key attributes."""
    return list(table.table_key_attrs)


def table_item(table: Backend, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an item of a DynamoDB table as plain values. key: as requests have it; None if there is no such item."""
    values = [DynamoType(key[name]) for name in table_keys(table) if name in key]
    if len(values) < len(table_keys(table)):
        return None
    found = table.get_item(*values)
    return None if found is None else plain_item(found.attrs)


def table_items(table: Backend) -> list[dict[str, Any]]:
    """Return all items of a DynamoDB table as plain values."""
    return [plain_item(item.attrs) for item in table.all_items()]


def plain_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item, as requests, streams or moto have it, as JSON: numbers, texts, lists; bytes in base64."""
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401  (JSON)
    known = isinstance(value, DynamoType)
    kind, inner = (value.type, value.value) if known else next(iter(dict(value).items()))
    return _PLAIN.get(kind, lambda same: same)(inner)


def _number(text: object) -> int | float:
    written = str(text)
    return int(written) if written.lstrip("-").isdecimal() else float(written)


def _text(value: bytes | str) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "N": _number,
    "B": _text,
    "NULL": lambda _: None,
    "L": lambda inner: [_plain(one) for one in inner],
    "M": plain_item,
    "SS": sorted,
    "NS": lambda inner: sorted(map(_number, inner)),
    "BS": lambda inner: sorted(map(_text, inner)),
}
"""DynamoDB's types -> what makes plain JSON of a value; S and BOOL are plain."""


def backend(service: RegionalService, account: str, region: str) -> Backend:
    """Return the resources of a service."""
    return cast("Any", get_backend(service))[account][region]


def iam(account: str) -> Backend:
    """Return the roles, users and policies of an account."""
    return cast("Any", iam_backends)[account][GLOBAL_REGION]


def sts(account: str) -> Backend:
    """Return the role sessions of an account."""
    return cast("Any", sts_backends)[account][GLOBAL_REGION]


def account_of_issued_key(access_key: str) -> str | None:
    """Return the account of a role session's or user's access key; None if nobody was given it."""
    for account, parts in list(iam_backends.items()):
        if any(access_key in part.access_keys for part in list(parts.values())):
            return str(account)
    return None


@lru_cache
def aws_managed_policies() -> Mapping[str, Any]:
    """Return the policies that AWS manages, by name, as moto knows them."""
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def aws_managed_policy(name: str, account: str) -> Any:  # noqa: ANN401  (moto's policy)
    """Return one policy that AWS manages, to be kept in an account's IAM."""
    return AWSManagedPolicy.from_data(name, account, GLOBAL_REGION, aws_managed_policies()[name])


# --- remembering

MotoState = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""What moto's backends hold, by service, account and Region."""

#: The services whose resources are remembered. Keys of KMS cannot be copied, and sessions of STS go on.
_REMEMBERED = (
    "cloudwatch", "dynamodb", "events", "firehose", "iam", "kinesis", "logs", "s3", "secretsmanager", "sns", "sqs",
    "ssm",
)  # fmt: skip
#: Keys of role sessions, by service: they go on as well.
_GOES_ON = {"iam": {"access_keys"}}


def remember() -> MotoState:
    """Return a copy of what moto holds in all accounts and Regions."""
    return {
        (service, str(account), str(region)): _copied(service, found)
        for service in _REMEMBERED
        for account, regions in list(get_backend(cast("Any", service)).items())
        for region, found in list(regions.items())
    }


def set_back(state: MotoState) -> None:
    """Let moto hold what it held, and nothing where it held nothing."""
    for service in _REMEMBERED:
        for account, regions in list(get_backend(cast("Any", service)).items()):
            for region, found in list(regions.items()):
                kept = state.get((service, str(account), str(region)))
                if kept is None:
                    found.reset()
                elif service != "s3" or _objects(found.buckets) != _objects(kept["buckets"]):
                    _set_back(service, found, kept)


def with_data_of(now: MotoState, before: MotoState) -> MotoState:
    """Return `now` with the items, objects, messages, records, log events and metrics that there were before.

    That is of what is the same in both: `now` is after a deployment, and settings are its.
    """
    for place, kept in now.items():
        old = before.get(place)
        container, parts = _DATA.get(place[0], ("", ()))
        for name, resource in kept.get(container, {}).items() if old is not None else ():
            earlier = old[container].get(name) if old is not None else None
            if earlier is not None and type(earlier) is type(resource):
                for part in parts:
                    setattr(resource, part, getattr(earlier, part))
    return now


_DATA: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "dynamodb": ("tables", ("items", "stream_shard")),
    "kinesis": ("streams", ("shards",)),
    "logs": ("groups", ("streams",)),
    "s3": ("buckets", ("keys", "multiparts")),
    "sqs": ("queues", ("_messages", "_pending_messages", "deleted_messages")),
}
"""What holds data, by service: the attribute with the resources, and the attributes of a resource that are data."""


def _copied(service: str, found: Backend) -> dict[str, Any]:
    locks = [queue._messages_lock for queue in found.queues.values()] if service == "sqs" else []  # noqa: SLF001
    held = {
        name: dict(value) if isinstance(value, dict) else value
        for name, value in vars(found).items()
        if name not in _GOES_ON.get(service, ())
    }
    return copy.deepcopy(held, {id(lock): lock for lock in locks})


def _set_back(service: str, found: Backend, kept: Mapping[str, Any]) -> None:
    if service == "s3":
        for bucket in found.buckets.values():
            for key in _versions(bucket):
                if isinstance(key, FakeKey):
                    key.dispose()
    locks = [queue._messages_lock for queue in kept["queues"].values()] if service == "sqs" else []  # noqa: SLF001
    for name, value in copy.deepcopy(dict(kept), {id(lock): lock for lock in locks}).items():
        present = getattr(found, name)
        if isinstance(present, OrderedDict):
            present.clear()
            present.update(value)
        elif isinstance(present, dict):
            present.clear()
            dict.update(present, value)  # moto's own dicts do something else when an item is set
        else:
            setattr(found, name, value)


def _objects(buckets: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return what tells one state of buckets from another."""
    return [
        (
            name,
            len(bucket.multiparts),
            *((key.name, key.version_id, getattr(key, "etag", "")) for key in _versions(bucket)),
        )
        for name, bucket in sorted(buckets.items())
    ]


def _versions(bucket: Any) -> list[Any]:  # noqa: ANN401  (moto's)
    """Return every version of every object, delete markers among them."""
    return [key for name in bucket.keys for key in bucket.keys.getlist(name)]


# --- the server


def load_services(services: Iterable[str]) -> None:
    """Load services, by moto's names; otherwise the first request to each does: 0.5 s for ssm, which needs EC2."""
    for service in services:
        get_backend(cast("Any", service))


class MotoApplication:
    """moto as its server has it, without the server: no port, no thread and no connection for each request."""

    def __init__(self) -> None:
        _remember_what_never_changes()
        self._application = DomainDispatcherApplication(create_backend_app)

    def answer(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body of the answer to a request."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start(
            status: str, headers: list[tuple[str, str]], _failed: object = None
        ) -> Callable[[bytes], None]:
            begun[:] = [(status, headers)]
            return lambda _part: None

        answer = self._application(_Asked(method, target, headers, body).make_environ(), start)
        try:
            parts = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        status, answered = begun[0]
        return int(status.split(" ", 1)[0]), answered, parts


class _Asked(MotoRequestHandler):
    """A request from which moto's own handler makes the WSGI environment. It has no connection."""

    def __init__(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.command, self.path, self.request_version = method, target, "HTTP/1.1"
        self.headers = HTTPMessage()
        for name, value in headers:
            self.headers[name] = value
        self.rfile = BytesIO(body)
        self.client_address = ("127.0.0.1", 0)
        self.connection: Any = None
        self.server: Any = _SERVER


_SERVER = SimpleNamespace(
    ssl_context=None, multithread=True, multiprocess=False, server_address=("127.0.0.1", 9)
)


@cache
def _remember_what_never_changes() -> None:
    """Keep what moto works out for each request anew: a third of what a request costs.

    It reads the folder of its modules twice to learn which service a host name means, inspects the class of a service
    for the names of its actions, and lists all services before it reads the model of one.
    """
    finds = DomainDispatcherApplication.get_backend_for_host
    DomainDispatcherApplication.get_backend_for_host = lru_cache(maxsize=256)(finds)  # type: ignore[method-assign]
    utils.Session = cache(utils.Session)  # type: ignore[attr-defined]
    utils.create_loader = cache(utils.create_loader)  # type: ignore[attr-defined]
    responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]
