"""Troubles on purpose that last until they are taken back: a function, a service or a vendor is slow, down or denied.

`Faults` fails single calls by their operation; this is for somebody who watches and wonders what happens if.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.iam import Policy, PolicyKind

Kind = Literal["slow", "down", "denied", "throttled"]
"""slow: it answers late; down: it does not work; denied: nobody may use it; throttled: it takes no more requests."""
KINDS: tuple[Kind, ...] = get_args(Kind)
FAULT = "a fault that was set"
"""What a denial on purpose is called."""
LONGEST = 300.0
"""Seconds that something slow may take."""
EXTERNAL_VOICE = "vendor:external-voice"
"""Whatever Amazon Connect dials."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong. target: `function:NAME`, `service:dynamodb`, `vendor:HOST` or `vendor:external-voice`.

    seconds: how late something slow answers.
    """

    target: str
    kind: Kind
    seconds: float = 3.0


class Troubles:
    """Everything that is wrong now. `told_to` hears of each trouble, and whether it begins or ends."""

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._set: dict[str, Trouble] = {}
        self.told_to: Callable[[Trouble, bool], None] = lambda _trouble, _begins: None

    def set(self, target: str, kind: str, seconds: float = 3.0) -> Trouble:
        """Let a target be in trouble, in place of what it may be in already; SandboxError if that cannot be."""
        if kind not in KINDS:
            raise SandboxError(f"{kind!r} is no kind of fault: it is one of {', '.join(KINDS)}")
        group, colon, name = target.partition(":")
        if group not in {"function", "service", "vendor"} or not colon or not name:
            raise SandboxError(
                f"{target!r} cannot have a fault: write function:NAME, service:NAME, vendor:HOST or {EXTERNAL_VOICE}"
            )
        if not 0 < seconds <= LONGEST:
            raise SandboxError(
                f"seconds is {seconds:g}; something slow takes more than 0 and at most {LONGEST:g} s"
            )
        self.forget(target)
        trouble = Trouble(target, cast("Kind", kind), seconds)
        with self._lock:
            self._set[target] = trouble
        self.told_to(trouble, True)
        return trouble

    def forget(self, target: str | None = None) -> None:
        """End the trouble of a target, or (None) all."""
        with self._lock:
            gone = [self._set.pop(one) for one in list(self._set) if target in {None, one}]
        for trouble in gone:
            self.told_to(trouble, False)

    def all(self) -> list[Trouble]:
        """Return what is wrong now."""
        with self._lock:
            return list(self._set.values())

    def of(self, target: str) -> Trouble | None:
        """Return what is wrong with a target, if anything."""
        return self._set.get(target)

    def meets(self, service: str) -> AwsError | None:
        """Delay a request to a service (by its signing name) if it is slow; return the error if it does not work."""
        trouble = self.of(f"service:{service}")
        if trouble is None:
            return None
        if trouble.kind == "slow":
            time.sleep(trouble.seconds)
        if trouble.kind == "down":
            return AwsError("ServiceUnavailable", f"{service} is down: a fault that was set", 503)
        if trouble.kind == "throttled":
            return AwsError("ThrottlingException", "Rate exceeded", 400)
        return None

    def denials(self, account: str) -> tuple[list[Policy], list[Policy]]:
        """Return the policies that deny whatever is denied now: for identities, and for resources."""
        denied = [one for one in self.all() if one.kind == "denied" and not one.target.startswith("vendor:")]
        if not denied:
            return [], []
        statements = [_statement(trouble, account) for trouble in denied]
        everybody = [{**statement, "Principal": "*"} for statement in statements]
        return (
            [Policy.parse({"Version": "2012-10-17", "Statement": statements}, name=FAULT)],
            [
                Policy.parse(
                    {"Version": "2012-10-17", "Statement": everybody}, name=FAULT, kind=PolicyKind.RESOURCE
                )
            ],
        )


def _statement(trouble: Trouble, account: str) -> dict[str, Any]:
    group, _, name = trouble.target.partition(":")
    if group == "service":
        return {"Effect": "Deny", "Action": f"{name}:*", "Resource": "*"}
    function = f"arn:*:lambda:*:{account}:function:{name}"
    return {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": [function, f"{function}:*"]}
