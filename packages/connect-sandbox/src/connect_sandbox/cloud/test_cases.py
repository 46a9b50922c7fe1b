"""Test cases of Connect instances, and their executions: what is stored, queued, running and over.

An execution is played when it starts; until its length has passed by the clock, it is IN_PROGRESS. So five run at a
time and the others queue, although nothing waits here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from connect_sandbox.cloud.connect_state import ConnectState, Instance
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

AT_ONCE: Final = 5
"""Executions of an instance that run at once; and QUEUED with them (administrator guide, "Execute test cases")."""
QUEUED: Final = 100
LONGEST_NAME: Final = 127
LONGEST: Final = 256_000
LONGEST_DESCRIPTION: Final = 500


@dataclass
class TestCase:
    """A test case. `status` is PUBLISHED, which can be run, or SAVED, which nothing has checked."""

    id: str
    arn: str
    name: str
    content: str
    entry_point: dict[str, Any] | None = None
    initialization_data: str | None = None
    description: str = ""
    status: str = "SAVED"
    tags: dict[str, str] = field(default_factory=dict)
    modified: float = 0.0

    __test__ = False

    @property
    def sha256(self) -> str:
        """The content's SHA-256."""
        return hashlib.sha256(self.content.encode()).hexdigest()


class Record(Protocol):
    """One entry of an execution's records; `at` is in seconds since its start."""

    @property
    def at(self) -> float:
        """Return when, in seconds since the start."""
        ...

    @property
    def observation(self) -> str:
        """Return the observation that it is about, empty if none."""
        ...

    @property
    def status(self) -> str:
        """Return its status."""
        ...

    @property
    def content(self) -> Mapping[str, Any]:
        """Return what it says."""
        ...


@dataclass(frozen=True)
class Played:
    """How a test case went: PASSED or FAILED, how many seconds it took, what it recorded."""

    status: str
    seconds: float
    records: tuple[Record, ...]
    total: int
    passed: int


class Player(Protocol):
    """Checks and plays test cases; `connect_sandbox.testcase` does."""

    def problems(self, test_case: TestCase) -> list[str]:
        """Return what the service reports of a test case that is to be published; empty if nothing."""
        ...

    def play(self, instance: Instance, test_case: TestCase, *, fails: str = "") -> Played:
        """Play it; NotEmulatedError if the sandbox cannot play what the flow does. `fails`: it cannot begin."""
        ...


@dataclass
class Execution:
    """One run of a test case. Times are seconds since the epoch; `refusal`: why the sandbox cannot play it."""

    id: str
    test_case: TestCase
    token: str
    asked: float
    started: float | None = None
    ends: float | None = None
    played: Played | None = None
    stopped: bool = False
    refusal: str = ""

    def status(self, now: float) -> str:
        """Return the execution's status at a time."""
        if self.stopped:
            return "STOPPED"
        if self.started is None or self.ends is None or self.played is None:
            return "INITIATED"
        return self.played.status if now >= self.ends else "IN_PROGRESS"

    def records(self, now: float) -> list[Record]:
        """Return what has been recorded by a time."""
        if self.played is None or self.started is None:
            return []
        until = (now if self.ends is None or not self.stopped else self.ends) - self.started
        return [record for record in self.played.records if record.at <= until]


class TestCases:
    """The test cases of every instance. `now` tells the time in seconds since the epoch; tests give it another one."""

    __test__ = False

    def __init__(
        self, state: ConnectState, player: Callable[[], Player], now: Callable[[], float] = time.time
    ) -> None:
        """`player` returns what plays them, when it is first needed."""
        self._state = state
        self._make_player = player
        self._player: Player | None = None
        self.now = now
        self.milliseconds = False
        """Send the times of summaries and records in milliseconds, as was seen once, not in seconds."""
        self._lock = threading.RLock()
        self._failing = 0

    def fail_to_begin(self, times: int) -> None:
        """Let the next executions fail to initialize, as the service does now and then."""
        with self._lock:
            self._failing = times

    # -- test cases

    def create(self, instance_id: str, name: str, content: str, **given: Any) -> TestCase:  # noqa: ANN401
        """Add a test case; one that is PUBLISHED must be valid, and its flow there."""
        with self._lock:
            instance = self._state.instance(instance_id)
            case_id = str(uuid.uuid4())
            # evidence: test-case-status
            made = TestCase(case_id, f"{instance.arn}/test-case/{case_id}", name, content, **given)
            self._check(instance, made)
            made.modified = self.now()
            instance.test_cases[case_id] = made
            return made

    def update(self, instance_id: str, case_id: str, **changes: Any) -> TestCase:  # noqa: ANN401
        """Change a test case, under the rules of its creation."""
        with self._lock:
            instance = self._state.instance(instance_id)
            held = self.get(instance_id, case_id)
            if held.status == "PUBLISHED" and changes.get("status") == "SAVED":
                raise NotEmulatedError(
                    "UpdateTestCase Status SAVED",
                    "the service keeps the published version beside the saved one",
                )
            changed = replace(held, **changes)
            self._check(instance, changed)
            changed.modified = self.now()
            instance.test_cases[held.id] = changed
            return changed

    def delete(self, instance_id: str, case_id: str) -> None:
        """Delete a test case; its executions stay."""
        with self._lock:
            instance = self._state.instance(instance_id)
            del instance.test_cases[self.get(instance_id, case_id).id]

    def get(self, instance_id: str, case_id: str) -> TestCase:
        """Return a test case by id or ARN; raise ResourceNotFoundException."""
        with self._lock:
            instance = self._state.instance(instance_id)
            found = instance.test_cases.get(case_id.rsplit("/", 1)[-1])
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Test case {case_id} not found", 404)
        return found

    def all(self, instance_id: str) -> list[TestCase]:
        """Return the test cases of an instance."""
        with self._lock:
            return list(self._state.instance(instance_id).test_cases.values())

    def tags_of(self, arn: str) -> dict[str, str]:
        """Return a test case's tags, to be read or changed in place."""
        return self.get(arn.split("/test-case/", 1)[0], arn).tags

    # -- executions

    def start(self, instance_id: str, case_id: str, token: str) -> Execution:
        """Start an execution, or queue it; the same token asks for the same one."""
        with self._lock:
            instance = self._state.instance(instance_id)
            case = self.get(instance_id, case_id)
            if case.status != "PUBLISHED":
                raise AwsError("InvalidRequestException", f"Test case {case.id} is not published")
            now = self._advance(instance)
            listed = instance.test_executions
            known = next((e for e in listed if e.token == token and e.test_case.id == case.id), None)
            if known is not None:
                return known
            if sum(e.status(now) in {"INITIATED", "IN_PROGRESS"} for e in listed) >= QUEUED:
                message = f"{instance.arn} has {QUEUED} test executions already"
                raise AwsError("ServiceQuotaExceededException", message, 402)
            made = Execution(str(uuid.uuid4()), case, token, now)
            listed.append(made)
            self._advance(instance)
            return _played(made)

    def stop(self, instance_id: str, case_id: str, execution_id: str) -> None:
        """Stop an execution that is not over."""
        with self._lock:
            found = self.execution(instance_id, case_id, execution_id)
            now = self.now()
            if found.status(now) not in {"INITIATED", "IN_PROGRESS"}:
                raise AwsError("InvalidRequestException", f"The execution {execution_id} is over")
            found.stopped = True
            found.started, found.ends = found.started or now, now

    def execution(self, instance_id: str, case_id: str, execution_id: str) -> Execution:
        """Return an execution; raise ResourceNotFoundException."""
        with self._lock:
            instance = self._state.instance(instance_id)
            self._advance(instance)
            wanted = case_id.rsplit("/", 1)[-1]
            for each in instance.test_executions:
                if each.id == execution_id and each.test_case.id == wanted:
                    return _played(each)
        raise AwsError("ResourceNotFoundException", f"Test case execution {execution_id} not found", 404)

    def executions(self, instance_id: str) -> list[Execution]:
        """Return the executions of an instance, the oldest first."""
        with self._lock:
            instance = self._state.instance(instance_id)
            self._advance(instance)
            return list(instance.test_executions)

    def _advance(self, instance: Instance) -> float:
        """Let what waits start as soon as fewer than five run; return the time."""
        now = self.now()
        listed = instance.test_executions
        for waiting in [each for each in listed if each.started is None and not each.refusal]:
            busy = sorted(e.ends for e in listed if e.ends is not None and e.ends > waiting.asked)
            begins = waiting.asked if len(busy) < AT_ONCE else busy[-AT_ONCE]
            if begins > now:
                break
            self._begin(instance, waiting, begins)
        return now

    def _begin(self, instance: Instance, execution: Execution, at: float) -> None:
        # evidence: test-case-fails-to-initialize
        fails = "INITIALIZATION_FAILURE: limit reached" if self._failing else ""
        self._failing = max(0, self._failing - 1)
        try:
            execution.played = self._plays().play(instance, execution.test_case, fails=fails)
        except NotEmulatedError as refusal:
            execution.refusal = str(refusal)
            return
        execution.started, execution.ends = at, at + execution.played.seconds

    def _check(self, instance: Instance, case: TestCase) -> None:
        for what, value, longest in (
            ("Name", case.name, LONGEST_NAME),
            ("Content", case.content, LONGEST),
            ("InitializationData", case.initialization_data or "", LONGEST),
            ("Description", case.description, LONGEST_DESCRIPTION),
        ):
            if len(value) > longest:
                message = f"{what} has {len(value)} characters; {longest} are allowed"
                raise AwsError("InvalidParameterException", message)
        held = instance.test_cases.values()
        if any(other.name == case.name and other.id != case.id for other in held):
            raise AwsError("DuplicateResourceException", f"Test case {case.name} already exists", 409)
        if case.status != "PUBLISHED":
            return
        problems = self._plays().problems(case)
        if problems:
            error = AwsError("InvalidTestCaseException", "The test case is invalid", 400)
            error.members["Problems"] = [{"message": problem[:256]} for problem in problems[:50]]
            raise error
        flow = flow_of(case.entry_point or {})
        if flow:
            instance.flow(flow)

    def _plays(self) -> Player:
        if self._player is None:
            self._player = self._make_player()
        return self._player


def flow_of(entry_point: Mapping[str, Any]) -> str:
    """Return the flow that an entry point names; empty if it goes by the dialled number."""
    parameters = entry_point.get("VoiceCallEntryPointParameters") or entry_point.get(
        "ChatEntryPointParameters"
    )
    return str((parameters or {}).get("FlowId") or "")


def _played(execution: Execution) -> Execution:
    if execution.refusal:
        raise NotEmulatedError("this test", execution.refusal)
    return execution


def moment(seconds: float | None) -> dt.datetime | None:
    """Return a time of a clock as the API's timestamp."""
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)


def as_text(content: Mapping[str, Any]) -> str:
    """Return a record's content, as the API shows it: JSON as text."""
    return json.dumps(content, ensure_ascii=False)
