"""Failures on purpose: which AWS operation answers with which error, and how many times."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from connect_sandbox.cloud.errors import AwsError


class Faults:
    """The failures that a rehearsal asked for; every fake of a service checks them."""

    def __init__(self) -> None:
        """Start empty."""
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
        """Make the next `times` calls of `operation` fail; `times` None means until `forget`.

        `service` is botocore's name ("chime-sdk-voice"), `operation` the API's ("PutVoiceConnectorOrigination").
        botocore retries calls that fail with 5xx or throttling: four attempts by default.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1 or None (until forgotten), not {times}")
        fault = Fault(service, operation, AwsError(code, message, status), times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def forget(self, fault: Fault) -> None:
        """Cancel what is left of a failure."""
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
    """A failure that was asked for; `times` counts how often it is still due."""

    service: str
    operation: str
    error: AwsError
    times: int | None
