"""A contact's ports to the sandbox's cloud: published flows, deployed functions, associated connectors."""

import json
import time
from collections.abc import Mapping

from connect_sandbox.cloud import AwsError, Invocation, InvocationTimeoutError, Sandbox
from connect_sandbox.cloud.tolerance import NotRehearsedError, refusal
from connect_sandbox.rehearsal.errors import (
    FunctionFailedError,
    InvocationDeniedError,
    InvocationThrottledError,
    InvocationTimedOutError,
    NoSuchFlowError,
    ServiceFailureError,
)
from connect_sandbox.rehearsal.ports import (
    DialOutcome,
    ExternalVoice,
    Invite,
    LambdaAnswer,
    Line,
    NotDialled,
)
from connect_sandbox.rehearsal.published import MODULE, PublishedFlow
from connect_sandbox.rehearsal.values import Json

CONNECT = "connect.amazonaws.com"
CALL_TRANSFER_CONNECTOR = "CALL_TRANSFER_CONNECTOR"


class PublishedFlows:
    """The flows and modules that were deployed into a Connect instance. A FlowSource."""

    def __init__(self, sandbox: Sandbox, instance_arn: str) -> None:
        self._instance = sandbox.connect.instance(instance_arn)

    def flow(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow; NoSuchFlowError if the instance has not published it."""
        for flow in self._instance.flows.values():
            if arn_or_id in (flow.arn, flow.id):
                return PublishedFlow.parse(flow.content, arn=flow.arn, name=flow.name, type=flow.type)
        raise NoSuchFlowError(f"the instance has no flow {arn_or_id!r}")

    def module(self, arn_or_id: str) -> PublishedFlow:
        """Return the flow module; NoSuchFlowError if the instance has not published it."""
        for module in self._instance.modules.values():
            if arn_or_id in (module.arn, module.id):
                return PublishedFlow.parse(module.content, arn=module.arn, name=module.name, type=MODULE)
        raise NoSuchFlowError(f"the instance has no flow module {arn_or_id!r}")


class DeployedFunctions:
    """Lambda as an instance's flows reach it: association, resource policy, code. A LambdaInvoker."""

    def __init__(self, sandbox: Sandbox, instance_arn: str) -> None:
        self._sandbox = sandbox
        self._instance_arn = instance_arn

    def invoke(self, function_arn: str, event: Mapping[str, Json], *, time_limit: float) -> LambdaAnswer:
        """Invoke the function as Amazon Connect and wait `time_limit` seconds for it."""
        started = time.monotonic()
        invocation = self._call(function_arn, event, time_limit)
        seconds = time.monotonic() - started
        if invocation.function_error:
            raise FunctionFailedError(_said(invocation), seconds=seconds)
        return LambdaAnswer(invocation.json(), len(invocation.payload), seconds, invocation.request_id)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Json]) -> str:
        """Invoke the function; the flow does not learn of a failure."""
        return self._call(function_arn, event, None).request_id

    def _call(self, function_arn: str, event: Mapping[str, Json], time_limit: float | None) -> Invocation:
        decision = self._sandbox.connect.may_invoke(self._instance_arn, function_arn)
        if not decision.allowed:
            reason = f"Amazon Connect may not invoke it: {decision.reason}"
            self._sandbox.functions.refused(function_arn, dict(event), CONNECT, reason)
            raise InvocationDeniedError(reason)
        principal = self._sandbox.connect.principal(self._instance_arn)
        started = time.monotonic()
        before = len(self._sandbox.tolerance.uses)
        try:
            invocation = self._sandbox.functions.invoke(
                function_arn, json.dumps(event), invoked_by=principal, timeout=time_limit
            )
        except InvocationTimeoutError as error:
            raise InvocationTimedOutError(str(error), seconds=time_limit or 0.0) from error
        except AwsError as error:
            raise _told(error, time.monotonic() - started) from error
        # The function may have caught the refusal: the call went through what is not there all the same.
        name = invocation.function_arn.split(":")[6]
        for use in self._sandbox.tolerance.uses[before:]:
            if use.by == name:
                raise NotRehearsedError(refusal(use))
        return invocation


class AssociatedConnectors:
    """Calls over voice connectors, which must be associated with the instance. An ExternalVoice."""

    def __init__(self, sandbox: Sandbox, instance_arn: str, other_end: ExternalVoice) -> None:
        self._instance = sandbox.connect.instance(instance_arn)
        self._other_end = other_end

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        """Call the other end if Amazon Connect can reach it."""
        arn = invite.voice_connector_arn
        associations = self._instance.associations.values()
        associated = {a.integration_arn for a in associations if a.type == CALL_TRANSFER_CONNECTOR}
        if arn is not None and arn not in associated:
            return NotDialled(
                f"the voice connector {arn} is not associated with the instance {self._instance.arn}"
            )
        return self._other_end.dial(invite, time_limit=time_limit, line=line)


def _said(invocation: Invocation) -> str:
    error = invocation.json()
    if isinstance(error, dict) and "errorMessage" in error:
        return f"{error.get('errorType', 'error')}: {error['errorMessage']}"
    return f"it failed: {invocation.payload.decode(errors='replace')}"


def _told(error: AwsError, seconds: float) -> Exception:
    if error.status == 429:
        return InvocationThrottledError(f"Lambda throttles it ({error.code})", seconds=seconds)
    if error.status >= 500:
        return ServiceFailureError(f"Lambda fails ({error.code}): {error.message}", seconds=seconds)
    return InvocationDeniedError(f"{error.code}: {error.message}", seconds=seconds)
