"""Deliveries over HTTP: attempts, retries on a faster clock, the dead-letter queue, and a record of all that.

Source: Amazon SNS developer guide, "Amazon SNS message delivery retries" and "Amazon SNS dead-letter queues": 5xx and
429 answers, time-outs and broken connections are tried again as the delivery policy says; any other answer than 2xx is
final. What is not delivered goes to the dead-letter queue, or is lost.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.cloud.told import Told
from connect_sandbox.cloud.troubles import Troubles
from connect_sandbox.moto_internals import Backend, backend
from connect_sandbox.runs import Cause, because, cause

_LOG = logging.getLogger(__name__)
SPEED_UP = 300.0
"""Seconds of a delivery policy that pass in one real second: ten minutes of retries take two seconds."""
ATTEMPT_LIMIT = 15.0
"""Real seconds that SNS waits for the endpoint's response."""
_WORKERS = 6
_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SNS = "sns.amazonaws.com"

Outcome = Literal["pending", "delivered", "dead-lettered", "lost"]


@dataclass(frozen=True)
class Destination:
    """Where messages go. `pauses` are the policy's seconds before each retry."""

    subscription_arn: str
    topic_arn: str
    url: str
    pauses: tuple[float, ...]
    raw: bool
    content_type: str
    dead_letter_queue_arn: str | None

    def without_dead_letters(self) -> Destination:
        """Return the destination without its dead-letter queue."""
        return replace(self, dead_letter_queue_arn=None)


@dataclass
class Delivery:
    """One message on its way to one subscription.

    `attempts` holds the outcome of each: a status, or the kind of failure. `order` counts deliveries as they
    end.
    """

    message_id: str
    kind: str
    destination: Destination
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    attempts: list[int | str] = field(default_factory=list)
    outcome: Outcome = "pending"
    why: str = ""
    order: int = 0
    because_of: Cause = field(default_factory=lambda: cause().later())


class Deliveries:
    """Delivers in the background, several at a time, and like SNS in no order.

    `speed_up` divides the pauses of delivery policies. `all` is every delivery there was, in the order of publishing.
    """

    def __init__(self, account: str, region: str, authorization: Authorization) -> None:
        """Start idle; the first delivery starts the threads."""
        self.speed_up = SPEED_UP
        self.troubles = Troubles()
        self.all: list[Delivery] = []
        self.told = Told()
        """Hears of each attempt."""
        self._region = region
        self._account = account
        self._authorization = authorization
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._ended = itertools.count(1)
        self._pending = 0
        self._closed = False
        self._threads: list[threading.Thread] = []

    def _queues(self) -> Backend:
        return backend("sqs", self._account, self._region)

    def add(self, delivery: Delivery) -> None:
        """Deliver, as soon as a thread is free."""
        with self._changed:
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name="sns-delivery", daemon=True)
                    for _ in range(_WORKERS)
                ]
                for thread in self._threads:
                    thread.start()
            self.all.append(delivery)
            self._pending += 1
            heapq.heappush(self._due, (time.monotonic(), next(self._numbers), delivery))
            self._changed.notify()

    def wait_until(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Wait until something holds, checking after each delivery; return whether it does."""
        with self._changed:
            return self._changed.wait_for(holds, timeout)

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until nothing is in flight; return whether that is so."""
        return self.wait_until(lambda: self._pending == 0, timeout)

    def notifications(self, **attributes: str) -> list[Delivery]:
        """Return the notifications whose message attributes have these values."""
        with self._changed:
            return [
                d
                for d in self.all
                if d.kind == "Notification"
                and all(d.attributes.get(name) == value for name, value in attributes.items())
            ]

    def require_queue(self, arn: str | None) -> None:
        """Raise InvalidParameter unless the dead-letter queue exists."""
        if self._queue(arn) is None:
            raise AwsError(
                "InvalidParameter",
                f"Invalid parameter: RedrivePolicy: deadLetterTargetArn {arn} does not exist",
            )

    def forget(self) -> None:
        """Drop what waits for another attempt, wait for what is in flight, and forget every delivery."""
        with self._changed:
            self._pending -= len(self._due)
            self._due.clear()
            self._changed.notify_all()
        self.wait()
        with self._changed:
            self.all.clear()

    def close(self) -> None:
        """Stop the threads; what is in flight stays undelivered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=2)

    # -- the threads

    def _work(self) -> None:
        connections: dict[str, http.client.HTTPConnection] = {}
        try:
            while (delivery := self._next()) is not None:
                try:
                    with because(delivery.because_of):
                        self._attempt(delivery, connections)
                except Exception as error:  # noqa: BLE001
                    # Nothing may be lost without a trace, not even by a bug in the sandbox.
                    _LOG.exception("the delivery of %s failed inside the sandbox", delivery.message_id)
                    self._end(delivery, "lost", f"the sandbox failed: {type(error).__name__}: {error}")
        finally:
            for connection in connections.values():
                connection.close()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._closed:
                if not self._due:
                    self._changed.wait()
                    continue
                left = self._due[0][0] - time.monotonic()
                if left <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(left)
        return None

    def _attempt(self, delivery: Delivery, connections: dict[str, http.client.HTTPConnection]) -> None:
        got = self._troubled(delivery) or _post(delivery, connections)
        delivery.attempts.append(got)
        self.told.delivered(
            "sns",
            delivery.destination.topic_arn,
            delivery.destination.url,
            failed=not (isinstance(got, int) and 200 <= got < 300),
            status=got if isinstance(got, int) else None,
            attempt=len(delivery.attempts),
        )
        if isinstance(got, int) and 200 <= got < 300:
            return self._end(delivery, "delivered")
        pauses = delivery.destination.pauses
        again = isinstance(got, str) or got == 429 or got >= 500
        if again and len(delivery.attempts) <= len(pauses):
            pause = pauses[len(delivery.attempts) - 1] / self.speed_up
            with self._changed:
                heapq.heappush(self._due, (time.monotonic() + pause, next(self._numbers), delivery))
                self._changed.notify()
            return None
        return self._give_up(delivery)

    def _troubled(self, delivery: Delivery) -> int | str | None:
        """Let an endpoint that is in trouble on purpose answer; None if it answers itself, be it late."""
        trouble = self.troubles.of(f"vendor:{urlsplit(delivery.destination.url).netloc}")
        if trouble is None:
            return None
        if trouble.kind == "slow":
            time.sleep(min(trouble.seconds, ATTEMPT_LIMIT))
            return None if trouble.seconds < ATTEMPT_LIMIT else "TimeoutError"
        return {"denied": 403, "throttled": 429}.get(trouble.kind, "ConnectionRefusedError")

    def _give_up(self, delivery: Delivery) -> None:
        arn = delivery.destination.dead_letter_queue_arn
        if arn is None:
            return self._end(delivery, "lost", "there is no dead-letter queue")
        refusal = self._send_to(arn, delivery)
        return self._end(delivery, "lost" if refusal else "dead-lettered", refusal)

    def _send_to(self, arn: str, delivery: Delivery) -> str:
        """Put a message into the dead-letter queue; return why that was refused, if it was."""
        queue = self._queue(arn)
        if queue is None:
            return f"the dead-letter queue {arn} does not exist"
        sns = ServicePrincipal(_SNS, source_account=self._account, source_arn=delivery.destination.topic_arn)
        needed: list[tuple[str, str]] = [("sqs:SendMessage", arn)]
        if key := str(getattr(queue, "kms_master_key_id", "") or ""):
            key_arn = self._authorization.key_arn(key)
            needed += [("kms:GenerateDataKey", key_arn), ("kms:Decrypt", key_arn)]
        for action, resource in needed:
            encrypted = arn if action.startswith("kms:") else None
            decision = self._authorization.decide(sns, action, resource, encrypted=encrypted)
            if not decision.allowed:
                return str(decision.message)
        with self.told.taking:
            sent = self._queues().send_message(queue.name, delivery.body)
            self.told.remember(str(sent.id))
        self.told.delivered("sns", delivery.destination.topic_arn, arn, failed=False)
        return ""

    def _queue(self, arn: str | None) -> Any:  # noqa: ANN401  (moto's queue)
        return next((q for q in list(self._queues().queues.values()) if q.queue_arn == arn), None)

    def _end(self, delivery: Delivery, outcome: Outcome, why: str = "") -> None:
        with self._changed:
            delivery.outcome, delivery.why, delivery.order = outcome, why, next(self._ended)
            self._pending -= 1
            self._changed.notify_all()


def _post(delivery: Delivery, connections: dict[str, http.client.HTTPConnection]) -> int | str:
    """Try once; return the response's status, or the kind of failure. Connections are kept alive."""
    destination = delivery.destination
    url = urlsplit(destination.url)
    if url.hostname not in _HOSTS:
        return "the sandbox reaches this machine alone"
    headers = {
        "Content-Type": destination.content_type,
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": delivery.kind,
        "x-amz-sns-message-id": delivery.message_id,
        "x-amz-sns-topic-arn": destination.topic_arn,
    }
    if delivery.kind == "Notification":
        headers["x-amz-sns-subscription-arn"] = destination.subscription_arn
    if destination.raw and delivery.kind == "Notification":
        headers["x-amz-sns-rawdelivery"] = "true"
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kept = connections.pop(url.netloc, None)
    # A kept-alive connection may have been closed meanwhile, which is no failure of the endpoint.
    for connection in [*([kept] if kept else []), _connect(url.scheme, url.netloc)]:
        try:
            connection.request("POST", target, body=delivery.body.encode(), headers=headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if connection is kept and not isinstance(error, TimeoutError):
                continue
            return type(error).__name__
        connections[url.netloc] = connection
        return answer.status
    raise AssertionError("the last connection is a new one")


def _connect(scheme: str, netloc: str) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(netloc, timeout=ATTEMPT_LIMIT)
