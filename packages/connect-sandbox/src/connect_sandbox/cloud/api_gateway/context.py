"""$context: what is known about a request, for gateway responses and the access log."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import uuid
from dataclasses import dataclass, field

from connect_sandbox.cloud.http import HttpRequest

_VARIABLE = re.compile(r"\$context(?:\.[A-Za-z][A-Za-z0-9_-]*)+")
#: The variables that gateway responses may use here.
KNOWN_VARIABLES = frozenset(
    {
        "$context." + name
        for name in (
            "accountId", "apiId", "domainName", "domainPrefix", "error.message", "error.messageString",
            "error.responseType", "error.validationErrorString", "extendedRequestId", "httpMethod",
            "identity.sourceIp", "identity.userAgent", "path", "protocol", "requestId", "requestTime",
            "requestTimeEpoch", "resourceId", "resourcePath", "stage", "status", "responseLength", "responseLatency",
            "integrationLatency", "integration.latency", "integration.status", "integrationStatus",
            "integration.integrationStatus", "integrationErrorMessage", "integration.error", "integration.requestId",
            "authorizer.principalId", "authorizer.error", "authorizer.latency", "authorizer.status",
            "authorizer.requestId", "authorize.error", "authorize.latency", "authorize.status", "authenticate.error",
            "authenticate.latency", "authenticate.status", "identity.caller", "identity.user", "xrayTraceId",
            "wafResponseCode", "identity.accountId", "identity.userArn", "identity.apiKey", "deploymentId",
        )
    }
)  # fmt: skip


@dataclass
class RequestState:
    """One request on its way through an API."""

    request: HttpRequest
    account: str
    api_id: str
    stage: str
    host: str
    path: str
    #: Where the API is; a domain of one's own does not tell.
    region: str = ""
    #: The base path, with a slash in front, under which a domain of one's own has the API; None without such a domain.
    base_path: str | None = None
    deployment_id: str = ""
    resource_id: str = ""
    resource_path: str = ""
    authorizer: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    extended_id: str = field(default_factory=lambda: secrets.token_urlsafe(11) + "=")
    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def full_path(self) -> str:
        """The path with the stage in front, or as it was asked for under a domain of one's own."""
        if self.base_path is not None:
            return self.base_path + self.path
        return f"/{self.stage}{self.path}"

    @property
    def trace_id(self) -> str:
        """The X-Ray trace id: the client's, or one for this request."""
        given = self.request.headers.get("X-Amzn-Trace-Id")
        return given or f"Root=1-{int(self.started.timestamp()):08x}-{self.request_id.replace('-', '')[:24]}"

    @property
    def method_arn(self) -> str:
        """What a policy must allow to let this request pass."""
        region = self.region or self.host.split(".")[2]
        verb, path = self.request.method, self.path.lstrip("/")
        return f"arn:aws:execute-api:{region}:{self.account}:{self.api_id}/{self.stage}/{verb}/{path}"

    @property
    def request_time(self) -> str:
        """The time in Common Log Format."""
        return self.started.strftime("%d/%b/%Y:%H:%M:%S +0000")

    def variables(self) -> dict[str, str]:
        """Return the values of $context variables; one that is not set is missing."""
        request = self.request
        return {
            "accountId": self.account,
            "apiId": self.api_id,
            "domainName": self.host,
            "domainPrefix": self.host.split(".", 1)[0],
            "extendedRequestId": self.extended_id,
            "httpMethod": request.method,
            "identity.sourceIp": request.source_ip,
            "identity.userAgent": request.headers.get("User-Agent"),
            "path": self.full_path,
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": self.request_time,
            "requestTimeEpoch": str(int(self.started.timestamp() * 1000)),
            "resourceId": self.resource_id,
            "resourcePath": self.resource_path,
            "stage": self.stage,
            **{f"authorizer.{name}": value for name, value in self.authorizer.items()},
            **self.values,
        }


def substitute(template: str, variables: dict[str, str], missing: str) -> str:
    """Replace each $context variable in the text by its value, or by `missing`."""
    return _VARIABLE.sub(lambda found: variables.get(found[0].removeprefix("$context."), missing), template)


def variables_in(template: str) -> set[str]:
    """Return the $context variables that a text uses."""
    return set(_VARIABLE.findall(template))


def error_variables(message: str | None, response_type: str, validation_error: str) -> dict[str, str]:
    """Return the error's own variables; messageString is the message in quotes, ready for JSON."""
    return {
        "error.message": "" if message is None else message,
        "error.messageString": json.dumps(message),
        "error.responseType": response_type,
        "error.validationErrorString": validation_error,
    }
