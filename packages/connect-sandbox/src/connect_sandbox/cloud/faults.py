"""Failures on purpose: which AWS operation answers with which error, and how many times."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from connect_sandbox.cloud.errors import AwsError


class Faults:
    """The failures that a rehearsal asked for; shared by everything that answers AWS calls."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

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
        """Make the next `times` calls of `operation` fail; `times` None means until it is forgotten (`forget`).

        `service` is botocore's name ("chime-sdk-voice"), `operation` the API's ("PutVoiceConnectorOrigination").
        Mind that botocore repeats a call that fails with 5xx or throttling: four attempts by default.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1 or None (until forgotten), not {times}")
        fault = Fault(service, operation, AwsError(code, message, status), times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def forget(self, fault: Fault) -> None:
        """Let what is left of a failure not happen."""
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)

    def check(self, service: str, operation: str) -> None:
        """Raise the AwsError that the rehearsal asked for this operation, if any."""
        with self._lock:
            fault = next((f for f in self._faults if (f.service, f.operation) == (service, operation)), None)
            if fault is None:
                return
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
        raise fault.error


@dataclass(eq=False)
class Fault:
    """A failure asked for; `times` counts those that are still to come."""

    service: str
    operation: str
    error: AwsError
    times: int | None
