"""Failures on purpose: which AWS operation, or which resource of a stack, fails, how, and how many times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from connect_sandbox.cloud.errors import AwsError

ResourceOperation = Literal["create", "update", "delete"]
"""What CloudFormation does with a resource."""


class Faults:
    """The failures that a rehearsal asked for; every fake of a service checks them."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._resources: list[ResourceFault] = []
        self.told_to: Callable[[Fault, bool], None] | None = None
        """Hears of a service's fault that begins (true) or has ended."""

    def fail(
        self,
        service: str,
        operation: str,
        *,
        status: int = 500,
        code: str = "InternalFailure",
        message: str = "a failure that the rehearsal asked for",
        times: int | None = 1,
    ) -> Fault:
        """Make the next `times` calls of `operation` fail; `times` None means until `forget`.

        `service` is botocore's name ("chime-sdk-voice"), `operation` the API's ("PutVoiceConnectorOrigination").
        botocore retries calls that fail with 5xx or throttling: four attempts by default.
        """
        error = AwsError(code, message, status)
        fault = Fault(service=service, operation=operation, error=error, times=_times(times))
        with self._lock:
            self._faults.append(fault)
        self._tell(fault, begins=True)
        return fault

    def fail_resource(
        self,
        stack: str,
        logical_id: str,
        *,
        operation: ResourceOperation = "create",
        half_done: bool = False,
        code: str = "GeneralServiceException",
        message: str = "a failure that the rehearsal asked for",
        times: int | None = 1,
    ) -> ResourceFault:
        """Make CloudFormation fail the next `times` creations of a resource; `times` None means until `forget`.

        `stack` is the stack's name, `logical_id` the resource's in the template. `operation`: "update" or "delete"
        fail those instead; an update that replaces the resource is an update. `half_done`: the resource exists by
        then, or has been changed or deleted, as when something times out; else the failure comes before that.
        The stack's operation fails with the logical id and `message` in its events, and rolls back. A deployment
        of the stack that does not have the resource is refused, so that a misspelt id cannot pass unnoticed.
        """
        if operation not in {"create", "update", "delete"}:
            raise ValueError(f"operation must be 'create', 'update' or 'delete', not {operation!r}")
        fault = ResourceFault(
            stack=stack,
            logical_id=logical_id,
            operation=operation,
            half_done=half_done,
            error=AwsError(code, message),
            times=_times(times),
        )
        with self._lock:
            self._resources.append(fault)
        return fault

    def forget(self, fault: Fault | ResourceFault) -> None:
        """Cancel what is left of a failure."""
        ended = False
        with self._lock:
            if isinstance(fault, Fault) and fault in self._faults:
                self._faults.remove(fault)
                ended = True
            if isinstance(fault, ResourceFault) and fault in self._resources:
                self._resources.remove(fault)
        if ended and isinstance(fault, Fault):
            self._tell(fault, begins=False)

    def _tell(self, fault: Fault, *, begins: bool) -> None:
        if self.told_to is not None:
            self.told_to(fault, begins)

    def check(self, service: str, operation: str) -> None:
        """Raise the AwsError that the rehearsal asked for this operation, if any."""
        with self._lock:
            fault = next((f for f in self._faults if (f.service, f.operation) == (service, operation)), None)
            if fault is None:
                return
            ended = fault.used_up()
            if ended:
                self._faults.remove(fault)
        if ended:
            self._tell(fault, begins=False)
        raise fault.error

    def check_resource(
        self, stack: str, logical_id: str, operation: ResourceOperation, *, half_done: bool
    ) -> None:
        """Raise the AwsError that the rehearsal asked for at this point of a resource's life, if any."""
        asked = (stack, logical_id, operation, half_done)
        with self._lock:
            fault = next((f for f in self._resources if f.place == asked), None)
            if fault is None:
                return
            if fault.used_up():
                self._resources.remove(fault)
        raise fault.error

    def unknown_resources(self, stack: str, known: Collection[str]) -> list[str]:
        """Return the logical ids that are to fail in a stack and are not among `known`."""
        with self._lock:
            return sorted({f.logical_id for f in self._resources if f.stack == stack} - set(known))


def _times(times: int | None) -> int | None:
    if times is not None and times < 1:
        raise ValueError(f"times must be at least 1 or None (until forgotten), not {times}")
    return times


@dataclass(eq=False, kw_only=True)
class _Countdown:
    """A failure that was asked for; `times` counts how often it is still due."""

    error: AwsError
    times: int | None

    def used_up(self) -> bool:
        """Count one failure; return whether none is left."""
        if self.times is not None:
            self.times -= 1
        return self.times == 0


@dataclass(eq=False, kw_only=True)
class Fault(_Countdown):
    """A failure of an AWS operation that was asked for."""

    service: str
    operation: str

    @property
    def kind(self) -> str:
        """What it looks like to whoever calls: denied, throttled or down."""
        if self.error.status == 403 or "Denied" in self.error.code or "NotAuthorized" in self.error.code:
            return "denied"
        throttled = self.error.status == 429 or "Throttl" in self.error.code or "TooMany" in self.error.code
        return "throttled" if throttled else "down"


@dataclass(eq=False, kw_only=True)
class ResourceFault(_Countdown):
    """A failure of a stack's resource that was asked for."""

    stack: str
    logical_id: str
    operation: ResourceOperation
    half_done: bool

    @property
    def place(self) -> tuple[str, str, ResourceOperation, bool]:
        """Where it strikes: stack, logical id, operation, and whether after the deed."""
        return (self.stack, self.logical_id, self.operation, self.half_done)
