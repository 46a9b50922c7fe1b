"""A fake of one AWS service: botocore's own model of the service reads requests and writes responses.

A fake is a class with one method per operation that it reproduces, named as in boto3. Everything around the
method comes from the model: which operation a request asks for, its parameters, whether they are allowed
(required members, types, lengths, patterns, enums), and the wire form of the response. An operation without a
method gets a 501 that names it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from botocore import xform_name
from botocore.model import ListShape, MapShape, StringShape, StructureShape
from botocore.validate import ParamValidator

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.values import Member
from connect_sandbox.moto_internals import (
    NoSuchRouteError,
    Operation,
    enum_of,
    item_of,
    members_of,
    metadata_of,
    read_parameters,
    required_of,
    route,
    value_of,
    write_answer,
)


class AwsService:
    """Base of the fakes: dispatches each request to the method for its operation."""

    #: The service's name in botocore, such as "connect".
    service_name: str
    #: The error code for parameters that the model does not allow.
    invalid_parameter_code = "ValidationException"
    #: The code for what the model's constraints forbid (required members, enums, patterns), if it is another.
    constraint_code = ""

    def __init__(self, faults: Faults) -> None:
        """`faults` can make an operation fail on purpose."""
        self._faults = faults

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Respond to one request, errors included, in the service's wire form."""
        try:
            operation, protocol, wire = route(
                self.service_name,
                request.method,
                f"http://{request.host or 'localhost'}{request.target}",
                dict(request.headers.items()),
                request.body,
            )
        except NoSuchRouteError:
            return error_response(
                AwsError(
                    "UnknownOperationException",
                    str(
                        NotEmulatedError(
                            f"{request.method} {request.path} of {self.service_name}", "no such operation"
                        )
                    ),
                    501,
                ),
                protocol="rest-json",
            )
        try:
            self._faults.check(self.service_name, operation.name)
            parsed = read_parameters(operation, protocol, wire)
            given = {name: value for name, value in parsed.items() if value is not None}
            result = self._call(operation, given)
        except AwsError as error:
            return error_response(error, protocol)
        except NotEmulatedError as refusal:
            return error_response(AwsError("NotImplemented", str(refusal), 501), protocol)
        return _serialize(operation, protocol, result)

    def _call(self, operation: Operation, parameters: dict[str, Any]) -> dict[str, Any]:
        method = getattr(self, xform_name(operation.name), None)
        if method is None:
            raise NotEmulatedError(f"{self.service_name}:{operation.name}", "the operation is not reproduced")
        self._validate(operation, parameters)
        result: dict[str, Any] | None = method(
            **{xform_name(name): value for name, value in parameters.items()}
        )
        return result or {}

    def _validate(self, operation: Operation, parameters: dict[str, Any]) -> None:
        shape = operation.input_shape
        if shape is None:
            return
        problems = list(_constraint_problems(shape, parameters, ""))
        if problems:
            count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
            raise AwsError(self.constraint_code or self.invalid_parameter_code, count + "; ".join(problems))
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise AwsError(self.invalid_parameter_code, report.generate_report())


def error_response(error: AwsError, protocol: str) -> HttpResponse:
    """Return an error response in the wire form of `protocol` (query, json or rest-json)."""
    request_id = str(uuid.uuid4())
    if protocol in {"query", "ec2", "rest-xml"}:
        kind = "Sender" if error.status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return HttpResponse(
            error.status, [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)], body.encode()
        )
    members = {"__type": error.code, "message": error.message, "Message": error.message, **error.members}
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", error.code),
        ("x-amzn-RequestId", request_id),
    ]
    return HttpResponse(error.status, headers, json.dumps(members).encode())


def _serialize(operation: Operation, protocol: str, result: dict[str, Any]) -> HttpResponse:
    request_id = str(uuid.uuid4())
    status, headers, body = write_answer(operation, protocol, result, request_id)
    return HttpResponse(status, [*headers, ("x-amzn-RequestId", request_id)], body)


def _constraint_problems(shape: object, value: Member, path: str) -> Iterator[str]:
    """Yield what the service's model forbids, in AWS's words: required members, enums, patterns and maximum lengths."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, member in members_of(shape).items():
            inner = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
            if value.get(name) is not None:
                yield from _constraint_problems(member, value[name], inner)
            elif name in required_of(shape):
                yield _problem("null", inner, "Member must not be null")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from _list_problems(shape, value, path)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from _constraint_problems(value_of(shape), item, f"{path}.{key}.member")
    elif isinstance(shape, StringShape) and isinstance(value, str):
        yield from _string_problems(shape, value, path)


def _list_problems(shape: ListShape, value: list[Member], path: str) -> Iterator[str]:
    longest = metadata_of(shape).get("max")
    if longest is not None and len(value) > longest and all(isinstance(item, str) for item in value):
        constraint = f"Member must have length less than or equal to {longest}"
        yield _problem(f"'[{', '.join(value)}]'", path, constraint)
    for index, item in enumerate(value, 1):
        yield from _constraint_problems(item_of(shape), item, f"{path}.{index}.member")


def _string_problems(shape: StringShape, value: str, path: str) -> Iterator[str]:
    allowed, metadata = enum_of(shape), metadata_of(shape)
    if allowed and value not in allowed:
        yield _problem(f"'{value}'", path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    longest = metadata.get("max")
    if longest is not None and len(value) > longest:
        yield _problem(f"'{value}'", path, f"Member must have length less than or equal to {longest}")
    pattern = _compiled(metadata.get("pattern", ""))
    if pattern and not pattern.fullmatch(value):
        yield _problem(
            f"'{value}'", path, f"Member must satisfy regular expression pattern: {pattern.pattern}"
        )


def _problem(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


@lru_cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    # The patterns are Java's; the few that Python cannot compile (\p{L}) are left to AWS. Connect's of telephone
    # numbers is escaped twice.
    pattern = pattern.replace("\\\\", "\\") if "\\\\d" in pattern else pattern
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
