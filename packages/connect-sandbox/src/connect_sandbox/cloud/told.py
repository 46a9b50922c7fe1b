"""What the cloud tells to a run, and because of what it happens: calls of functions, decisions, messages, items."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.principals import credential_scope
from connect_sandbox.runs import Cause, Recorder, because, cause
from connect_sandbox.runs.events import (
    Decision,
    Delivery,
    Deployed,
    Fault,
    FunctionEnded,
    FunctionInvoked,
    Message,
)
from connect_sandbox.runs.recorder import LONGEST_VALUE

if TYPE_CHECKING:
    from connect_sandbox.cloud.cfn.stack import Stack
    from connect_sandbox.cloud.functions import Invocation
    from connect_sandbox.cloud.http import HttpRequest
    from connect_sandbox.cloud.principals import Principal
    from connect_sandbox.iam import AuditEntry

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REMEMBERED = 10_000
_BY_SESSION = {"EventBridge": "events"}
"""The service that takes a role to send something, by the name of its session; any other session is a function's."""


class Told:
    """Tells `run`. Whoever signs with the credentials of a running function does so because of its invocation."""

    def __init__(self, run: Recorder | None = None) -> None:
        """Take the run; without one, its own in memory."""
        self.run = Recorder() if run is None else run
        self.taking = threading.RLock()
        """Held from when a service takes something until it is remembered: whoever receives it waits for that."""
        self._causes: dict[str, Cause] = {}
        self._sent: dict[str, Cause] = {}
        self._functions: dict[str, str] = {}  # of the invocations that go on

    # -- because of what

    def serves(self, access_key: str) -> None:
        """Let requests with this key happen because of what happens now, until `done`."""
        self._causes[access_key] = cause()

    def done(self, access_key: str) -> None:
        """Let requests with this key have no known cause."""
        self._causes.pop(access_key, None)

    def cause_of(self, request: HttpRequest) -> Cause:
        """Return why a request is made: because of the function whose key signs it, or of the contact that it names.

        Whoever calls a deployed API from outside tells by a contact's id what it is about, if by anything.
        """
        scope = credential_scope(request)
        if scope is not None:
            return self._causes.get(scope[0]) or Cause()
        if ".execute-api." not in request.host or len(request.body) > LONGEST_VALUE:
            return Cause()
        text = unquote(request.target) + request.body.decode("utf-8", "replace")
        named = (self.run.contact(id_) for id_ in dict.fromkeys(_UUID.findall(text)))
        return next((of for of in named if of is not None), Cause())

    def caller(self) -> str | None:
        """Return the function (ARN) in which something happens now, None if it is none."""
        invocation = cause().invocation
        return None if invocation is None else self._functions.get(invocation)

    def remember(self, key: str) -> None:
        """Keep the present cause for what will be taken by this key, such as a message's id."""
        of = cause()
        if of.contact is None and of.invocation is None:
            return
        with self.taking:
            self._sent[key] = of.later()
            while len(self._sent) > _REMEMBERED:
                self._sent.pop(next(iter(self._sent)))

    def remembered(self, keys: Iterable[str]) -> list[Cause]:
        """Return the causes of these, one for each contact; an empty one for those of which it is not known."""
        with self.taking:
            found = [self._sent.get(key) or Cause() for key in keys]
        return list({of.contact or of.invocation: of for of in found}.values())

    # -- what

    @contextmanager
    def call(
        self, function_arn: str, invocation: str, payload: str, by: str | None
    ) -> Iterator[Callable[[Invocation], Invocation]]:
        """Tell of a call of a function, in which happens what happens meanwhile. What it yields takes the answer."""
        of = cause()
        self._begins(function_arn, invocation, payload, by, of)
        answered: FunctionEnded | None = None

        def answers(found: Invocation) -> Invocation:
            nonlocal answered
            answered = FunctionEnded(
                function=function_arn,
                invocation=invocation,
                answer=_json(found.payload.decode("utf-8", "replace")),
                error=found.function_error,
                milliseconds=round(found.duration_ms, 3),
                cold=found.cold_start,
                logs=list(found.logs),
            )
            return found

        self._functions[invocation] = function_arn
        try:
            with because(of.within(invocation)):
                yield answers
        except BaseException as problem:
            answered = FunctionEnded(function=function_arn, invocation=invocation, refused=_words(problem))
            raise
        finally:
            self._functions.pop(invocation, None)
            if answered is not None:
                self.run.emit(answered, of=of)

    def refused(self, function_arn: str, invocation: str, payload: str, by: str | None, why: str) -> None:
        """Tell of a function that was not invoked at all."""
        of = cause()
        self._begins(function_arn, invocation, payload, by, of)
        self.run.emit(FunctionEnded(function=function_arn, invocation=invocation, refused=why), of=of)

    def _begins(self, function_arn: str, invocation: str, payload: str, by: str | None, of: Cause) -> None:
        block = None if of.block is None else of.block()
        self.run.emit(
            FunctionInvoked(
                function=function_arn, invocation=invocation, block=block, input=_json(payload), by=by
            ),
            of=of,
        )

    def decided(self, entries: Iterable[AuditEntry]) -> None:
        """Tell what IAM decided for a contact or a function; the deployment's own decisions are nobody's story."""
        of = cause()
        if of.contact is None and of.invocation is None:
            return
        for entry in entries:
            self.run.emit(
                Decision(
                    action=entry.action,
                    resource=entry.resource,
                    principal=entry.principal,
                    allowed=entry.allowed,
                    reason=entry.reason if entry.statement is None else f"{entry.reason} ({entry.statement})",
                ),
                of=of,
            )

    def deployed(self, stack: Stack, account: str, region: str) -> None:
        """Tell what became of a stack."""
        outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in stack.outputs}
        told = Deployed(
            stack=stack.name, account=account, region=region, status=stack.status, outputs=outputs
        )
        self.run.emit(told, of=Cause())

    def fault(self, target: str, kind: str, *, begins: bool) -> None:
        """Tell that a failure on purpose begins or ends."""
        self.run.emit(Fault(target=target, kind=kind, set=begins))

    def sent(self, service: str, to: str, body: str, attributes: dict[str, Any] | None = None) -> None:
        """Tell of a message. to: ARN."""
        self.run.emit(Message(service=service, to=to, body=_json(body), attributes=attributes or None))

    def delivered(
        self,
        service: str,
        source: str,
        to: str,
        *,
        failed: bool,
        status: int | None = None,
        attempt: int | None = None,
    ) -> None:
        """Tell what became of a message."""
        outcome = "failed" if failed else "delivered"
        self.run.emit(
            Delivery(service=service, from_=source, to=to, outcome=outcome, status=status, attempt=attempt)
        )


def name_of(principal: Principal | None) -> str | None:
    """Return who somebody is: an ARN, or the name of a service."""
    if principal is None:
        return None
    return str(getattr(principal, "arn", "") or getattr(principal, "service", ""))


def service_of(sender: Principal) -> str:
    """Return the service that sends, by its signing name: that of a role is the one of what it sends for."""
    name = str(getattr(sender, "service", ""))
    return (
        name.partition(".")[0]
        if name
        else _BY_SESSION.get(str(getattr(sender, "session_name", "")), "lambda")
    )


def source_of(sender: Principal) -> str:
    """Return what a service sends for: a topic, a rule, a bucket; for a role, the role's session."""
    return str(getattr(sender, "source_arn", "") or name_of(sender))


def _words(problem: BaseException) -> str:
    return f"{problem.code}: {problem.message}" if isinstance(problem, AwsError) else f"{problem}"


def _json(text: str) -> Any:  # noqa: ANN401
    """Return JSON as it is; the text of anything else, and of what would be cut anyhow."""
    if len(text) > LONGEST_VALUE:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
