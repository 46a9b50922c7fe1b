"""The account, as checks ask it: clients, pages, and what AWS means when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from connect_bridges.operations import aws

_MISSING = frozenset(
    {"ResourceNotFoundException", "NotFoundException", "NotFound", "ParameterNotFound", "NoSuchEntity"}
)
_PREFIXES = {"service-quotas": "servicequotas", "chime-sdk-voice": "chime"}
_CONFIG = Config(connect_timeout=10, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})
"""Who is throttled, as Service Quotas does soon, waits up to 1, 2, 4 and 8 s; nobody waits before that."""


class Refused(Exception):  # noqa: N818 (what AWS did)
    """AWS answered an operation with an error."""

    def __init__(self, service: str, error: ClientError) -> None:
        """service: boto3's name of the client."""
        self.code = aws.code(error)
        self.message = aws.message(error)
        self.operation = error.operation_name
        self.service = service
        super().__init__(f"{service} {self.operation}: {self.code}: {self.message}")

    @property
    def denied(self) -> bool:
        """Whether IAM refused."""
        return self.code in aws.DENIED

    @property
    def missing(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.code in _MISSING

    @property
    def expired(self) -> bool:
        """Whether the credentials have expired."""
        return self.code in aws.EXPIRED

    @property
    def unknown_credentials(self) -> bool:
        """Whether AWS does not know the credentials."""
        return self.code in aws.UNKNOWN_CREDENTIALS

    @property
    def action(self) -> str:
        """The IAM action that was refused: the one that AWS names, else the operation's."""
        named = aws.named_action(self.message)
        if named:
            return named
        if self.service == "apigateway":
            return "apigateway:GET"
        return f"{_PREFIXES.get(self.service, self.service)}:{self.operation}"


class Region:
    """One Region of the account. What is asked twice is asked once."""

    def __init__(self, session: boto3.Session, name: str) -> None:
        """session: with the credentials."""
        self.session = session
        self.name = name
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, Any] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 (a boto3 client)
        """Return a client of this Region."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, region_name=self.name, config=_CONFIG)
        return self._clients[service]

    def ask(self, service: str, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 (boto3's answer)
        """Return the answer to an operation that reads; ``Refused`` if AWS refuses."""
        key = f"{service} {operation} {sorted(arguments.items())}"
        if key not in self._answers:
            try:
                self._answers[key] = getattr(self.client(service), operation)(**arguments)
            except ClientError as error:
                raise Refused(service, error) from error
        return self._answers[key]

    def pages(self, service: str, operation: str, member: str, **arguments: Any) -> list[Any]:  # noqa: ANN401
        """Return the items that a paged operation lists; ``Refused`` if AWS refuses."""
        key = f"{service} {operation} {sorted(arguments.items())}"
        if key not in self._answers:
            try:
                self._answers[key] = list(self._pages(service, operation, member, arguments))
            except ClientError as error:
                raise Refused(service, error) from error
        found: list[Any] = self._answers[key]
        return found

    def _pages(self, service: str, operation: str, member: str, arguments: dict[str, Any]) -> Iterator[Any]:
        client = self.client(service)
        if client.can_paginate(operation):
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(member, [])
            return
        token: dict[str, str] = {}  # chime-sdk-voice has no paginators
        while True:
            page = getattr(client, operation)(**arguments, **token)
            yield from page.get(member, [])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}
