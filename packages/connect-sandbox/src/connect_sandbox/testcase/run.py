"""Runs the test cases of an instance: starts five at a time, waits, and tells how they went.

Works with Amazon Connect and with the sandbox. Every wait is a poll of GetTestCaseExecutionSummary: there is no waiter.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from botocore.exceptions import ClientError

from connect_sandbox.testcase.document import (
    ACTION_COMPLETED,
    ACTION_STARTED,
    INVOKE,
    MESSAGE_RECEIVED,
    TO_QUEUE,
)

AT_ONCE: Final = 5
"""Tests of an instance that may run at once (administrator guide, "Execute test cases")."""
POLL_SECONDS: Final = 3.0
"""Connect takes two calls of an operation a second; five polls in three seconds stay below."""
PATIENCE_SECONDS: Final = 900.0
"""How long an execution may take: five minutes, and as long again for others of the instance that are before it."""
ATTEMPTS: Final = 4
"""How often a test that fails to initialize is started."""
OVER: Final = frozenset({"PASSED", "FAILED", "STOPPED"})
_MILLISECONDS: Final = 100_000_000_000
"""Times above are milliseconds: as seconds, the year would be 5138."""
_TIMED: Final = ("GetTestCaseExecutionSummary", "ListTestCaseExecutionRecords", "ListTestCaseExecutions")


class RunError(Exception):
    """The tests cannot be run; the message says why."""


@dataclass(frozen=True)
class Went:
    """How one test case went. `told` are sentences about what was wrong, `heard` what the caller heard."""

    name: str
    status: str
    seconds: float | None = None
    told: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    attempts: int = 1

    @property
    def passed(self) -> bool:
        """Return whether it passed."""
        return self.status == "PASSED"


@dataclass
class _Running:
    case_id: str
    name: str
    content: Mapping[str, Any]
    execution: str = ""
    since: float = 0.0
    attempts: int = 0


@dataclass
class TestRun:
    """Runs test cases with a boto3 client of Connect. `sleep` and `now` are for tests that do not wait."""

    connect: Any
    instance_id: str
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    patience: float = PATIENCE_SECONDS
    """Seconds that an execution may take, or the instance may have too many."""

    __test__ = False

    def __post_init__(self) -> None:
        read_milliseconds(self.connect)

    def run(self, names: Sequence[str] = ()) -> Iterator[Went]:
        """Run the published test cases whose names match (all by default), and yield how each went, as they end.

        RunError if there is none to run, or if one does not end.
        """
        waiting = self._chosen(names)
        running: list[_Running] = []
        while waiting or running:
            while waiting and len(running) < AT_ONCE and self._start(waiting[0], running):
                running.append(waiting.pop(0))
            self.sleep(POLL_SECONDS)
            for each in list(running):
                went = self._look(each)
                if went is None:
                    continue
                running.remove(each)
                if went.status == "AGAIN":
                    waiting.insert(0, each)
                else:
                    yield went

    def _chosen(self, names: Sequence[str]) -> list[_Running]:
        pages = self.connect.get_paginator("list_test_cases").paginate(InstanceId=self.instance_id)
        listed = [each for page in pages for each in page["TestCaseSummaryList"]]
        for name in names:
            if not any(fnmatchcase(each["Name"], name) for each in listed):
                known = ", ".join(sorted(each["Name"] for each in listed)) or "none"
                raise RunError(f"no test case is called {name!r} (test cases: {known})")
        wanted = [
            each for each in listed if not names or any(fnmatchcase(each["Name"], name) for name in names)
        ]
        published = [each for each in wanted if each.get("Status") == "PUBLISHED"]
        if not published:
            saved = f"; {len(wanted)} are saved, and cannot be run: publish them" if wanted else ""
            raise RunError(f"there is no published test case to run{saved}")
        return [_Running(each["Id"], each["Name"], self._content(each["Id"])) for each in published]

    def _content(self, case_id: str) -> Mapping[str, Any]:
        described = self.connect.describe_test_case(
            InstanceId=self.instance_id, TestCaseId=case_id, Status="PUBLISHED"
        )
        try:
            content = json.loads(described["TestCase"]["Content"])
        except (KeyError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _start(self, case: _Running, running: Sequence[_Running]) -> bool:
        """Start a test; return False if the instance has too many, so that some must end first."""
        try:
            started = self.connect.start_test_case_execution(
                InstanceId=self.instance_id, TestCaseId=case.case_id, ClientToken=str(uuid.uuid4())
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ServiceQuotaExceededException":
                raise
            if not running and self.now() - (case.since or self.now()) > self.patience:
                raise RunError(f"the instance has too many tests: {error}") from error
            case.since = case.since or self.now()
            return False
        case.execution, case.since = started["TestCaseExecutionId"], self.now()
        case.attempts += 1
        return True

    def _look(self, case: _Running) -> Went | None:
        named = {
            "InstanceId": self.instance_id,
            "TestCaseId": case.case_id,
            "TestCaseExecutionId": case.execution,
        }
        summary = self.connect.get_test_case_execution_summary(**named)
        status = summary["Status"]
        if status not in OVER:
            if self.now() - case.since > PATIENCE_SECONDS:
                raise RunError(
                    f"{case.name}: the test has not ended within {PATIENCE_SECONDS:g} s (it is {status})"
                )
            return None
        records = [] if status == "PASSED" else list(self._records(named))
        # evidence: test-case-fails-to-initialize
        if status == "FAILED" and case.attempts < ATTEMPTS and _did_not_begin(records):
            return Went(case.name, "AGAIN")
        seconds = None
        if "StartTime" in summary and "EndTime" in summary:
            seconds = (summary["EndTime"] - summary["StartTime"]).total_seconds()
        return Went(
            name=case.name,
            status=status,
            seconds=seconds,
            told=tuple(_told(records, case.content)) if status == "FAILED" else (),
            heard=tuple(_heard(records)),
            attempts=case.attempts,
        )

    def _records(self, named: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            answer = self.connect.list_test_case_execution_records(**named, **token)
            for each in answer["ExecutionRecords"]:
                try:
                    written = json.loads(each.get("Record") or "{}")
                except ValueError:
                    written = {}
                record = written if isinstance(written, dict) else {}
                yield {"Identifier": each.get("ObservationId"), **record, "Status": each.get("Status")}
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}


def read_milliseconds(connect: Any) -> None:  # noqa: ANN401  (a boto3 client)
    """Let a client read times of executions that are in milliseconds, at which boto3 fails: the year is too large."""

    def in_seconds(response_dict: dict[str, Any], **_: object) -> None:
        try:
            document = json.loads(response_dict["body"])
        except (KeyError, ValueError):
            return
        response_dict["body"] = json.dumps(_seconds(document)).encode()

    # evidence: test-case-times
    for operation in _TIMED:
        connect.meta.events.register(
            f"before-parse.connect.{operation}", in_seconds, unique_id=f"seconds-{operation}"
        )


def _seconds(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, dict):
        return {
            name: item / 1000
            if name in ("StartTime", "EndTime", "Timestamp")
            and isinstance(item, int | float)
            and item > _MILLISECONDS
            else _seconds(item)
            for name, item in value.items()
        }
    return [_seconds(item) for item in value] if isinstance(value, list) else value


def _did_not_begin(records: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        "INITIALIZATION_FAILURE" in json.dumps(record.get("CompletionReason") or {}) for record in records
    )


def _told(records: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was wrong, in the words of a local rehearsal."""
    observations = {each.get("Identifier"): each for each in content.get("Observations", [])}
    told = False
    for record in records:
        if record.get("Type") != "OBSERVATION" or record["Status"] != "FAILED":
            continue
        asserted = list(_asserted(record))
        yield from asserted
        if not asserted:
            yield _not_observed(observations.get(record.get("Identifier"), {}), str(record.get("Identifier")))
        told = True
    for record in records:
        message = (record.get("CompletionReason") or {}).get("Message")
        if message and not told:
            yield str(message)
            told = True
    if not told:
        yield "Amazon Connect does not say why"


def _asserted(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the assertions of an observation that did not hold."""
    for action in record.get("Actions") or []:
        wanted, actual = action.get("ExpectedParameters") or {}, action.get("ActualParameters") or {}
        if action.get("Type") != "Assert" or "Namespace" not in wanted or not actual:
            continue
        value = actual.get("Value", actual.get("Operand"))
        if wanted.get("Operator") == "Equals" and value == wanted.get("Operand"):
            continue
        namespace = str(wanted["Namespace"])
        if namespace.startswith("$.Attributes."):
            yield f"attribute {namespace[13:]} should be {wanted['Operand']!r}; it is {value!r}"
        elif namespace == "$.Queue.Name":
            yield f"the contact should have ended in the queue {wanted['Operand']}; it is in {value}"
        else:
            yield f"{namespace} should be {wanted['Operand']!r}; it is {value!r}"


def _not_observed(observation: Mapping[str, Any], identifier: str) -> str:
    event = observation.get("Event") or {}
    properties = event.get("Properties") or {}
    if event.get("Type") == MESSAGE_RECEIVED:
        words = properties.get("Text") or properties.get("SSML") or properties.get("PromptId") or ""
        return f"the caller should have heard “{words}”"
    parameters = properties.get("ActionParameters") or {}
    if event.get("Type") in (ACTION_STARTED, ACTION_COMPLETED):
        used = str(next((value for value in parameters.values() if isinstance(value, str)), ""))
        if properties.get("ActionType") == INVOKE:
            return f"{used.rsplit(':function:', 1)[-1]} should have been invoked"
        if properties.get("ActionType") == TO_QUEUE:
            return f"the contact should have ended in the queue {used.rsplit('/', 1)[-1]}"
        return f"the contact should have reached {properties.get('ActionType')} {used}".rstrip()
    return f"it should have come to {identifier}"


def _heard(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        actual = (record.get("Event") or {}).get("Actual") or {}
        if isinstance(actual, dict) and actual.get("Text"):
            yield str(actual["Text"])
