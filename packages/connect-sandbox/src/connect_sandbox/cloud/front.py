"""The single entrance to the sandbox: who is calling, whether they may, and which fake responds.

An execute-api host goes to the deployed APIs, a ResponseURL to the custom resource that waits for it; every
other request is an AWS API call, which goes through IAM to the sandbox's fake of the service or to moto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import unquote, unquote_plus

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.aws_service import error_response
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.http import Handler, HttpRequest, HttpResponse
from connect_sandbox.cloud.moto import Moto
from connect_sandbox.cloud.principals import Principal, Principals, RolePrincipal, credential_scope
from connect_sandbox.cloud.tolerance import NotRehearsedError, Tolerance
from connect_sandbox.cloud.troubles import Troubles
from connect_sandbox.runs import Cause, because

#: Services (by signing name) whose state is kept in moto, which the deployment engine and the functions use.
#: moto knows more, but nothing is deployed there: it would describe an empty account.
MOTO_SERVICES = frozenset(
    {
        *("dynamodb", "ecr", "events", "firehose", "iam", "kinesis", "kms", "logs", "monitoring"),
        *("s3", "secretsmanager", "sns", "sqs", "ssm", "sts"),
    }
)

EarlyHandler = Callable[[HttpRequest], HttpResponse | None]
AfterHandler = Callable[[HttpRequest], None]
Around = Callable[[HttpRequest, str, Callable[[], HttpResponse]], HttpResponse]
"""Takes a request, its Region, and what lets moto answer it."""


class Front:
    """Dispatches requests."""

    def __init__(
        self,
        *,
        principals: Principals,
        authorization: Authorization,
        moto: Moto,
        execute_api: Callable[[HttpRequest], HttpResponse | None],
        internal: Mapping[str, Handler],
        services: Mapping[str, Handler],
        before_services: Mapping[str, EarlyHandler],
        after_services: Mapping[str, AfterHandler] = MappingProxyType({}),
        tolerance: Tolerance | None = None,
        troubles: Troubles | None = None,
        around_services: Mapping[str, Around] = MappingProxyType({}),
        cause_of: Callable[[HttpRequest], Cause] = lambda _request: Cause(),
        account: str = "",
    ) -> None:
        """Take the handlers: `services` by signing name, `internal` by path prefix.

        `before_services` see a request first, and pass it on to the service by returning None. `after_services` hear of
        each request to one of moto's services that it has answered; `around_services` let moto answer. `cause_of`
        returns why a request is made. `account` is whose resources moto is asked for.
        """
        self._around_services = around_services
        self._cause_of = cause_of
        self._after_services = after_services
        self._tolerance = tolerance or Tolerance()
        self._troubles = troubles or Troubles()
        self._principals = principals
        self._authorization = authorization
        self._moto, self._account = moto, account
        self._execute_api = execute_api
        self._internal = internal
        self._services = services
        self._before_services = before_services

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        for prefix, handler in self._internal.items():
            if request.path.startswith(prefix):
                return handler(request)
        try:
            with because(self._cause_of(request)):
                answer = self._execute_api(request)
                return answer if answer is not None else self._handle_aws(request)
        except NotRehearsedError as refusal:
            return error_response(AwsError("NotRehearsed", str(refusal), 501), _protocol(request))

    def _handle_aws(self, request: HttpRequest) -> HttpResponse:
        scope = credential_scope(request)
        name = scope[2] if scope is not None else ""
        try:
            principal = self._principals.identify(request)
        except AwsError as error:
            return error_response(error, _protocol(request))
        if name != "cloudformation":
            self._check_tolerated(principal, request, name)
        refused = self._refused(principal, request, name)
        if refused is not None:
            return refused
        early = self._before_services.get(name)
        if early is not None and (answer := early(request)) is not None:
            return answer
        handler = self._services.get(name)
        if handler is not None:
            return handler(request)
        if name in MOTO_SERVICES:
            response = self._by_moto(request, name, "" if scope is None else scope[1])
            if name in self._after_services and response.status < 400:
                self._after_services[name](request)
            return response
        refusal = NotEmulatedError(f"the service {name}", "nothing in it is deployed or emulated")
        return error_response(AwsError("NotImplemented", str(refusal), 501), _protocol(request))

    def _refused(self, principal: Principal, request: HttpRequest, service: str) -> HttpResponse | None:
        """Return the answer if the service is in trouble, or the principal may not do this."""
        trouble = None if self._authorization.is_developer(principal) else self._troubles.meets(service)
        if trouble is not None:
            return error_response(trouble, _protocol(request))
        return self._authorization.check_request(principal, request)

    def _by_moto(self, request: HttpRequest, service: str, region: str) -> HttpResponse:
        around = self._around_services.get(service)
        if around is None:
            return self._ask_moto(request, service)
        return around(request, region, lambda: self._ask_moto(request, service))

    def _ask_moto(self, request: HttpRequest, service: str) -> HttpResponse:
        """Return moto's response; what moto does not implement becomes a 501 that says so."""
        answer = self._moto.answer(request, self._account)
        if answer.status == 500 and b"Internal Server Error" in answer.body:
            operation = request.headers.get("X-Amz-Target") or f"{request.method} {request.path}"
            refusal = NotEmulatedError(
                f"{service} {operation}", "moto, which emulates the service, does not implement it"
            )
            return error_response(AwsError("NotImplemented", str(refusal), 501), _protocol(request))
        return answer

    def _check_tolerated(self, principal: Principal, request: HttpRequest, service: str) -> None:
        """Refuse a request that names a tolerated resource; the developer's tools may look at stacks as they are."""
        if b"not-rehearsed" not in request.body and "not-rehearsed" not in request.target:
            return
        by = principal.session_name if isinstance(principal, RolePrincipal) else ""
        text = unquote(request.target) + "\n" + unquote_plus(request.body.decode("utf-8", "replace"))
        self._tolerance.check(text, lambda: f"a request to {service}", by)


def _protocol(request: HttpRequest) -> str:
    """Guess the protocol for an error when no fake of the service was reached."""
    if "X-Amz-Target" in request.headers or "json" in request.headers.get("Content-Type"):
        return "json"
    return "query" if "x-www-form-urlencoded" in request.headers.get("Content-Type") else "rest-json"
