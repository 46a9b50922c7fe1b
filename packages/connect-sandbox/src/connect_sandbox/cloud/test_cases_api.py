"""Amazon Connect's API about test cases: its own testing and simulation."""

from __future__ import annotations

import json
import uuid
from typing import Any

from connect_sandbox.cloud.connect_instance_api import page
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.test_cases import Execution, TestCase, TestCases, as_text, moment
from connect_sandbox.cloud.values import Member

#: Operations that take an instance's ARN, too.
BY_ARN = frozenset({"CreateTestCase", "UpdateTestCase", "DescribeTestCase", "DeleteTestCase"})
_TIMES = ("StartTime", "EndTime", "Timestamp")


class TestCasesApi:
    """Serves the operations from a TestCases. A part of ConnectApi."""

    __test__ = False
    test_cases: TestCases

    def create_test_case(
        self, instance_id: str, name: str, content: str, **request: Member
    ) -> dict[str, Any]:
        """Create a test case."""
        made = self.test_cases.create(
            instance_id, name, content, **_given(request), tags=request.get("tags", {})
        )
        return {"TestCaseId": made.id, "TestCaseArn": made.arn}

    def update_test_case(self, instance_id: str, test_case_id: str, **request: Member) -> None:
        """Change a test case."""
        self.test_cases.update(instance_id, test_case_id, **_given(request))

    def describe_test_case(self, instance_id: str, test_case_id: str, **request: Member) -> dict[str, Any]:
        """Describe a test case."""
        held = self.test_cases.get(instance_id, test_case_id)
        if request.get("status") not in {None, held.status}:
            self.test_cases.get(instance_id, f"{held.id} with status {request['status']}")
        described = {
            **_summary(held),
            "Content": held.content,
            "EntryPoint": held.entry_point,
            "InitializationData": held.initialization_data,
            "Description": held.description,
            "Tags": held.tags,
            "TestCaseSha256": held.sha256,
        }
        return {"TestCase": {name: value for name, value in described.items() if value is not None}}

    def delete_test_case(self, instance_id: str, test_case_id: str) -> None:
        """Delete a test case."""
        self.test_cases.delete(instance_id, test_case_id)

    def list_test_cases(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the test cases."""
        found, token = page([_summary(each) for each in self.test_cases.all(instance_id)], request)
        return {"TestCaseSummaryList": found, **token}

    def start_test_case_execution(
        self, instance_id: str, test_case_id: str, **request: Member
    ) -> dict[str, Any]:
        """Start a test, or queue it."""
        token = str(request.get("client_token") or uuid.uuid4())
        started = self.test_cases.start(instance_id, test_case_id, token)
        # What is called TestCaseId here was seen to be the ARN.
        return {
            "TestCaseExecutionId": started.id,
            "TestCaseId": started.test_case.arn,
            "Status": started.status(self.test_cases.now()),
        }

    def stop_test_case_execution(
        self, instance_id: str, test_case_id: str, test_case_execution_id: str, **_request: Member
    ) -> None:
        """Stop a test."""
        self.test_cases.stop(instance_id, test_case_id, test_case_execution_id)

    def get_test_case_execution_summary(
        self, instance_id: str, test_case_id: str, test_case_execution_id: str
    ) -> dict[str, Any]:
        """Return how far a test is."""
        found = self.test_cases.execution(instance_id, test_case_id, test_case_execution_id)
        now = self.test_cases.now()
        played = found.played
        over = found.status(now) in {"PASSED", "FAILED", "STOPPED"}
        passed = failed = 0
        if played is not None:
            kinds = [record.status for record in found.records(now) if record.observation]
            passed = kinds.count("PASSED")
            failed = played.total - passed if over else kinds.count("FAILED")
        return {
            **_times(found, over=over),
            "Status": found.status(now),
            "ObservationSummary": {
                "TotalObservations": played.total if played is not None else 0,
                "ObservationsPassed": passed,
                "ObservationsFailed": failed,
            },
        }

    def list_test_case_execution_records(
        self, instance_id: str, test_case_id: str, test_case_execution_id: str, **request: Member
    ) -> dict[str, Any]:
        """List what a test has recorded."""
        found = self.test_cases.execution(instance_id, test_case_id, test_case_execution_id)
        wanted = request.get("status")
        records = [
            {
                "ObservationId": record.observation or str(record.content["Type"]),
                "Status": record.status,
                "Timestamp": moment((found.started or 0.0) + record.at),
                "Record": as_text(record.content),
            }
            for record in found.records(self.test_cases.now())
            if wanted in {None, record.status}
        ]
        part, token = page(records, request)
        return {"ExecutionRecords": part, **token}

    def list_test_case_executions(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the executions of an instance."""
        now = self.test_cases.now()
        since, until = request.get("start_time", 0) / 1000, request.get("end_time")
        listed = [
            {
                **_times(each, over=each.status(now) in {"PASSED", "FAILED", "STOPPED"}),
                "TestCaseExecutionId": each.id,
                "TestCaseId": each.test_case.id,
                "TestCaseExecutionStatus": each.status(now),
                "Tags": each.test_case.tags,
            }
            for each in self.test_cases.executions(instance_id)
            if request.get("test_case_id") in {None, each.test_case.id, each.test_case.arn}
            and request.get("test_case_name") in {None, each.test_case.name}
            and request.get("status") in {None, each.status(now)}
            and each.asked >= since
            and (until is None or each.asked <= until / 1000)
        ]
        part, token = page(listed, request)
        return {"TestCaseExecutions": part, **token}

    def in_milliseconds(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Return an answer about executions with its times in milliseconds, if that is asked for."""
        about = request.path.endswith(("/summary", "/records"))
        if not (self.test_cases.milliseconds and about and response.status == 200):
            return response
        # evidence: test-case-times
        body = json.dumps(_milliseconds(json.loads(response.body))).encode()
        return HttpResponse(response.status, response.headers, body)


def _given(request: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "content", "description", "entry_point", "initialization_data", "status")
    return {name: request[name] for name in names if name in request}


def _summary(held: TestCase) -> dict[str, Any]:
    return {
        "Id": held.id,
        "Arn": held.arn,
        "Name": held.name,
        "Status": held.status,
        "LastModifiedTime": moment(held.modified),
        "LastModifiedRegion": held.arn.split(":")[3],
    }


def _times(execution: Execution, *, over: bool) -> dict[str, Any]:
    times = {"StartTime": moment(execution.started), "EndTime": moment(execution.ends) if over else None}
    return {name: value for name, value in times.items() if value is not None}


def _milliseconds(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, dict):
        return {
            name: round(item * 1000) if name in _TIMES else _milliseconds(item)
            for name, item in value.items()
        }
    return [_milliseconds(item) for item in value] if isinstance(value, list) else value
