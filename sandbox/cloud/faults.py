"""Failures on purpose: which AWS operation answers with which error, and how many times."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from connect_bridges.sandbox.cloud.errors import AwsError


class Faults:
    """The failures that a rehearsal asked for; shared by everything that answers AWS calls."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []

    def fail(
        self,
        service: str,
        operation: str,
        *,
        status: int = 500,
        code: str = "InternalFailure",
        message: str = "a failure that the rehearsal asked for",
        times: int | None = 1,
    ) -> None:
        """Make the next `times` calls of `operation` fail; `times` None means until `clear`.

        `service` is botocore's name ("chime-sdk-voice"), `operation` the API's ("PutVoiceConnectorOrigination").
        Mind that botocore repeats a call that fails with 5xx or throttling: four attempts by default.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1 or None (until cleared), not {times}")
        with self._lock:
            self._faults.append(_Fault(service, operation, AwsError(code, message, status), times))

    def clear(self) -> None:
        """Forget every failure asked for."""
        with self._lock:
            self._faults.clear()

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


@dataclass
class _Fault:
    service: str
    operation: str
    error: AwsError
    times: int | None
