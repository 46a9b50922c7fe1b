"""An AWS API request as it arrives over HTTP: its service, operation and parameters.

The service is that of the SigV4 credential scope (Authorization header or presigned X-Amz-Credential); the
operation that of X-Amz-Target (JSON protocols), Action (query), /service/X/operation/Y (Smithy RPC v2 CBOR),
or the REST method and path that botocore's service model gives it. Parameters come out under the API's own
member names. boto3 1.44.5 picks JSON for CloudWatch and SQS; CBOR is what other SDKs send to CloudWatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote

from botocore.parsers import RpcV2CBORParser
from werkzeug.datastructures import Headers, MultiDict

from connect_sandbox.iam.errors import UnsupportedCall
from connect_sandbox.moto_internals import Operation, WireRequest, read_parameters, service_model


@dataclass(frozen=True)
class AwsRequest:
    """A request as read from the wire.

    ``service`` is botocore's name (chime-sdk-voice), ``prefix`` IAM's (chime). ``protocol`` is that of the request
    and of its response: json, query, rest-json, rest-xml or smithy-rpc-v2-cbor. ``json_version`` and
    ``query_compatible`` shape an error response.
    """

    service: str
    prefix: str
    operation: str
    protocol: str
    region: str
    access_key: str
    params: Mapping[str, Any]
    method: str
    path: str
    user_agent: str | None = None
    json_version: str = "1.0"
    query_compatible: bool = False


@dataclass(frozen=True)
class _Service:
    models: tuple[str, ...]
    prefix: str


#: By signing name. ``execute-api`` is left to connectparticipant: a call of an own API is not an AWS API
#: call.
_SERVICES: Final = {
    "apigateway": _Service(("apigateway", "apigatewayv2"), "apigateway"),
    "app-integrations": _Service(("appintegrations",), "app-integrations"),
    "chime": _Service(("chime-sdk-voice",), "chime"),
    "cloudformation": _Service(("cloudformation",), "cloudformation"),
    "connect": _Service(("connect", "connect-contact-lens"), "connect"),
    "dynamodb": _Service(("dynamodb", "dynamodbstreams"), "dynamodb"),
    "ec2": _Service(("ec2",), "ec2"),
    "ecr": _Service(("ecr",), "ecr"),
    "events": _Service(("events",), "events"),
    "execute-api": _Service(("connectparticipant",), "execute-api"),
    "firehose": _Service(("firehose",), "firehose"),
    "iam": _Service(("iam",), "iam"),
    "kinesis": _Service(("kinesis",), "kinesis"),
    "kms": _Service(("kms",), "kms"),
    "lambda": _Service(("lambda",), "lambda"),
    "lex": _Service(("lexv2-models",), "lex"),
    "logs": _Service(("logs",), "logs"),
    "monitoring": _Service(("cloudwatch",), "cloudwatch"),
    "s3": _Service(("s3",), "s3"),
    "scheduler": _Service(("scheduler",), "scheduler"),
    "secretsmanager": _Service(("secretsmanager",), "secretsmanager"),
    "servicequotas": _Service(("service-quotas",), "servicequotas"),
    "sns": _Service(("sns",), "sns"),
    "sqs": _Service(("sqs",), "sqs"),
    "ssm": _Service(("ssm",), "ssm"),
    "states": _Service(("stepfunctions",), "states"),
    "sts": _Service(("sts",), "sts"),
    "tagging": _Service(("resourcegroupstaggingapi",), "tag"),
}

_SCOPE: Final = re.compile(r"(?:^|[ ,])Credential=([^,\s]+)")
_CBOR_PATH: Final = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_BUCKET_HOST: Final = re.compile(r"(?P<bucket>.+?)\.(?:s3[.-].*|localhost(?:\.localstack\.cloud)?)(?::\d+)?")


def parse_request(
    method: str,
    path: str,
    query: str | Mapping[str, str] | Iterable[tuple[str, str]],
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
) -> AwsRequest:
    """Read a request. ``path`` is the raw path, still percent-encoded, and may carry ``?query`` itself.

    ``query`` is the raw query string or its pairs. Raises UnsupportedCall, naming what is missing or unknown.
    """
    path, _, own_query = path.partition("?")
    pairs = _pairs(query or own_query)
    fields = Headers(_as_pairs(headers))
    access_key, region, signing_name = _credential_scope(method, path, fields, pairs)
    service = _SERVICES.get(signing_name)
    if service is None:
        raise UnsupportedCall(
            f"{method} {path} of service {signing_name}", f"services known are {', '.join(sorted(_SERVICES))}"
        )
    form = _form(fields, body)
    http = _Http(method.upper(), path, fields, pairs, form)
    name, operation, protocol, url_params = _operation(service, http)
    wire = WireRequest(method, path, fields, MultiDict([*pairs, *form]), body, url_params)
    model = operation.service_model
    return AwsRequest(
        service=name,
        prefix=service.prefix,
        operation=operation.name,
        protocol=protocol,
        region=region,
        access_key=access_key,
        params=_parameters(protocol, operation, wire),
        method=method.upper(),
        path=path,
        user_agent=fields.get("user-agent"),
        json_version=str(model.metadata.get("jsonVersion", "1.0")),
        query_compatible=model.is_query_compatible and fields.get("x-amzn-query-mode") == "true",
    )


def _pairs(query: str | Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    if isinstance(query, str):
        return parse_qsl(query.lstrip("?"), keep_blank_values=True)
    return _as_pairs(query)


def _as_pairs(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    # Not isinstance(…, Mapping): HTTP libraries have header types of their own.
    items: Callable[[], Iterable[tuple[str, str]]] | None = getattr(fields, "items", None)
    return list(cast("Iterable[tuple[str, str]]", fields) if items is None else items())


def _form(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _credential_scope(
    method: str, path: str, headers: Headers, pairs: list[tuple[str, str]]
) -> tuple[str, str, str]:
    """Return access key, region and signing name of a credential KEY/20261121/us-east-1/sns/aws4_request."""
    found = _SCOPE.search(headers.get("authorization", ""))
    credential = found.group(1) if found else dict(pairs).get("X-Amz-Credential", "")
    parts = credential.split("/")
    if len(parts) < 5 or parts[-1] != "aws4_request":
        raise UnsupportedCall(
            f"{method} {path}", "it has no SigV4 credential scope, so its service and caller are unknown"
        )
    return "/".join(parts[:-4]), parts[-3], parts[-2]


@dataclass(frozen=True)
class _Http:
    method: str
    path: str
    headers: Headers
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]


def _operation(service: _Service, http: _Http) -> tuple[str, Operation, str, dict[str, str]]:
    """Return botocore's service name, the operation, the protocol and the path's parameters."""
    if cbor := _CBOR_PATH.fullmatch(http.path):
        return *_by_name(service, cbor.group(2), cbor.group(1)), "smithy-rpc-v2-cbor", {}
    if target := http.headers.get("x-amz-target"):
        prefix, _, name = target.rpartition(".")
        return *_by_name(service, name, prefix), "json", {}
    if action := dict([*http.query, *http.form]).get("Action"):
        return *_by_name(service, action, None), "query", {}
    return _by_route(service, http)


def _by_name(service: _Service, operation: str, target_prefix: str | None) -> tuple[str, Operation]:
    for name in service.models:
        model = service_model(name)
        if target_prefix not in {None, model.metadata.get("targetPrefix")}:
            continue
        if operation in model.operation_names:
            return name, model.operation_model(operation)
    asked = f"{target_prefix}.{operation}" if target_prefix else operation
    raise UnsupportedCall(f"operation {asked} of {' or '.join(service.models)}", "botocore's model has none")


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    prefix: str
    """What its path begins with, up to the first label."""
    path: str
    """An expression for the whole path, compiled when a request comes near: Amazon Connect has 400."""
    literals: frozenset[tuple[str, str]]
    needed_query: frozenset[str]
    needed_headers: frozenset[str]
    static_length: int

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.static_length, len(self.literals), len(self.needed_query) + len(self.needed_headers)


def _by_route(service: _Service, http: _Http) -> tuple[str, Operation, str, dict[str, str]]:
    path = _path_style(http.path, http.headers) if service.models == ("s3",) else http.path
    query = dict(http.query)
    best: tuple[_Route, dict[str, str], str] | None = None
    for name in service.models:
        for route in _routes(name):
            if route.method != http.method or not path.startswith(route.prefix):
                continue
            found = _compiled(route.path).fullmatch(path) if _carries(route, query, http.headers) else None
            if found and (best is None or route.rank > best[0].rank):
                best = (route, found.groupdict(), name)
    if best is None:
        raise UnsupportedCall(
            f"{http.method} {path}", f"no operation of {' or '.join(service.models)} has this route"
        )
    route, groups, name = best
    operation = service_model(name).operation_model(route.operation)
    names = _uri_names(operation)
    return (
        name,
        operation,
        str(service_model(name).protocol),
        {names[key]: unquote(value) for key, value in groups.items()},
    )


def _carries(route: _Route, query: dict[str, str], headers: Headers) -> bool:
    literals = all(key in query and (not value or query[key] == value) for key, value in route.literals)
    return (
        literals
        and route.needed_query <= query.keys()
        and all(name in headers for name in route.needed_headers)
    )


@lru_cache(maxsize=16)
def _routes(service: str) -> tuple[_Route, ...]:
    model = service_model(service)
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


@cache
def _compiled(path: str) -> re.Pattern[str]:
    return re.compile(path)


def _route(operation: Operation) -> _Route:
    trait = operation.http_trait
    regex = ""
    static = 0
    for index, piece in enumerate(re.split(r"\{([^}]+)\}", trait.path)):
        if index % 2 == 0:
            regex += re.escape(piece)
            static += len(piece)
        else:
            regex += f"(?P<p{index // 2}>.+)" if piece.endswith("+") else f"(?P<p{index // 2}>[^/]+)"
    shape = operation.input_shape
    return _Route(
        operation=operation.name,
        method=trait.method,
        prefix=trait.path.partition("{")[0],
        path=regex + "/?" if not regex.endswith("/") else regex,
        # S3's x-id is the SDK's label, not the operation's.
        literals=frozenset((key, value) for key, value in trait.query_args.items() if key != "x-id"),
        needed_query=frozenset(shape.required_query_args if shape else ()),
        needed_headers=frozenset(shape.required_headers if shape else ()),
        static_length=static,
    )


def _uri_names(operation: Operation) -> dict[str, str]:
    """Map p0, p1, … to the URI labels, whose names (x-y, key+) regex groups cannot have."""
    labels = re.findall(r"\{([^}]+)\}", operation.http_trait.path)
    return {f"p{index}": label.rstrip("+") for index, label in enumerate(labels)}


def _path_style(path: str, headers: Headers) -> str:
    """Return the path with the bucket, which may be in the host (bucket.s3.region.amazonaws.com, bucket.localhost)."""
    found = _BUCKET_HOST.fullmatch(headers.get("host", ""))
    return f"/{found['bucket']}{path}" if found and found["bucket"] != "s3" else path


def _parameters(protocol: str, operation: Operation, wire: WireRequest) -> dict[str, Any]:
    try:
        if protocol == "smithy-rpc-v2-cbor":
            reader = RpcV2CBORParser()
            found = (
                reader.parse_data_item(reader.get_peekable_stream_from_bytes(wire.body)) if wire.body else {}
            )
        else:
            found = read_parameters(operation, protocol, wire)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UnsupportedCall(
            f"operation {operation.name}", f"its parameters cannot be read as {protocol} ({error})"
        ) from error
    return (
        {key: value for key, value in found.items() if value is not None} if isinstance(found, dict) else {}
    )
