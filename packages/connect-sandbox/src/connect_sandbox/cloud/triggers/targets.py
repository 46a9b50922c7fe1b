"""Where services send things: functions, queues, topics, buses and state machines, with the sender's permissions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError, SandboxError
from connect_sandbox.cloud.told import Told, service_of, source_of
from connect_sandbox.moto_internals import backend

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.principals import Principal

Send = Callable[..., object]
"""Sends a text to an ARN for a principal; AwsError if that is refused. Queues take more: message attributes."""


@dataclass(frozen=True)
class Sent:
    """One thing that a service has sent, or tried to. `refused` says why it did not arrive; empty if it did."""

    target_arn: str
    message: str
    refused: str = ""


class Targets:
    """Sends by the kind of the target. `history` is everything that was sent."""

    def __init__(
        self, account: str, region: str, authorization: Authorization, told: Told | None = None
    ) -> None:
        """`add` says how a kind of target is reached; queues are known from the start. `told` hears of deliveries."""
        self.told = Told() if told is None else told
        self.history: list[Sent] = []
        self._account = account
        self._region = region
        self._authorization = authorization
        self._lock = threading.Lock()
        self._kinds: dict[str, Send] = {"sqs": self.to_queue}
        #: Returns what reaches the targets of another account and Region.
        self.elsewhere: Callable[[str, str], Targets] | None = None

    def add(self, service: str, send: Send) -> None:
        """Let ARNs of a service be targets."""
        self._kinds[service] = send

    def reaches(self, arn: str) -> bool:
        """Return whether things can be sent to the ARN here."""
        parts = arn.split(":")
        return len(parts) > 5 and parts[2] in self._kinds

    def send(self, sender: Principal, arn: str, message: str, **more: Any) -> str:  # noqa: ANN401
        """Send; return why it was refused, or an empty text. `more` is what the kind of target takes besides."""
        try:
            if not self.reaches(arn):
                known = ", ".join(sorted(self._kinds))
                raise NotEmulatedError(f"the target {arn}", f"it sends to {known}")
            self._there(arn).deliver(sender, arn, message, **more)
        except AwsError as error:
            refused = f"{error.code}: {error.message}"
        except SandboxError as error:
            refused = str(error)
        else:
            refused = ""
        with self._lock:
            self.history.append(Sent(arn, message, refused))
        self.told.delivered(service_of(sender), source_of(sender), arn, failed=bool(refused))
        return refused

    def deliver(self, sender: Principal, arn: str, message: str, **more: Any) -> None:  # noqa: ANN401
        """Send to a target of this account and Region; AwsError if that is refused."""
        self._kinds[arn.split(":")[2]](sender, arn, message, **more)

    def _there(self, arn: str) -> Targets:
        region, account = arn.split(":")[3:5]
        if self.elsewhere is None or (account, region) in {(self._account, self._region), ("", "")}:
            return self
        return self.elsewhere(account, region)

    def to_queue(self, sender: Principal, arn: str, message: str, group: str = "", **more: Any) -> None:  # noqa: ANN401
        """Put a message into a queue, with the sender's permission on the queue and on its key."""
        queues = backend("sqs", self._account, self._region)
        queue = next((one for one in list(queues.queues.values()) if one.queue_arn == arn), None)
        if queue is None:
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {arn}")
        needed = [("sqs:SendMessage", arn)]
        if key := str(getattr(queue, "kms_master_key_id", "") or ""):
            key_arn = self._authorization.key_arn(key)
            needed += [("kms:GenerateDataKey", key_arn), ("kms:Decrypt", key_arn)]
        for action, resource in needed:
            encrypted = arn if action.startswith("kms:") else None
            decision = self._authorization.decide(sender, action, resource, encrypted=encrypted)
            if not decision.allowed:
                raise AwsError("AccessDenied", decision.message, 403)
        with self.told.taking:
            sent = queues.send_message(queue.name, message, group_id=group or None, **more)
            self.told.remember(str(sent.id))
