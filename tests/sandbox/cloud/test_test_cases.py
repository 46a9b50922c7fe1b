"""Amazon Connect's own testing in the sandbox: test cases by API and CloudFormation, executions, `testcase run`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.validate import ParamValidator
from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.testcase import cli
from connect_sandbox.testcase.convert import convert_file
from connect_sandbox.testcase.run import RunError, TestRun, read_milliseconds
from connect_sandbox.testcase.run_cli import main as run_main
from connect_sandbox.testcase.run_cli import told

from tests.support import ROOT

INSTANCE = "88888888-2222-3333-4444-555555555555"
ARN = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE}"
QUEUE = f"{ARN}/queue/66666666-7777-8888-9999-000000000000"
FLOW = ROOT / "examples/contact_center/flows/weekday_line.json"
SCENARIOS = ROOT / "tests/flows/scenarios/weekday_line.yaml"


class Clock:
    """The test's time, in seconds since the epoch; sleeping lets it pass."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock(sandbox: Sandbox) -> Iterator[Clock]:
    made = Clock()
    before = sandbox.test_cases.now
    sandbox.test_cases.now = made.now
    yield made
    sandbox.test_cases.now = before
    sandbox.test_cases.milliseconds = False


@pytest.fixture
def connect(sandbox: Sandbox, clock: Clock) -> Iterator[Any]:
    """A client of Connect; each test has an instance without test cases."""
    yield sandbox.boto3_client("connect")
    sandbox.connect.say_absent(INSTANCE)
    sandbox.connect.say_absent(INSTANCE, absent=False)


@pytest.fixture
def flow(connect: Any) -> str:
    content = FLOW.read_text(encoding="utf-8").replace("${QueueArn}", QUEUE)
    made = connect.create_contact_flow(InstanceId=INSTANCE, Name="Line", Type="CONTACT_FLOW", Content=content)
    return str(made["ContactFlowArn"])


Publish = Callable[..., str]


@pytest.fixture
def publish(connect: Any, flow: str) -> Publish:
    """Create a test case of a file's content, published; return its id."""

    def make(name: str, content: dict[str, Any], **further: Any) -> str:
        entry = {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": flow}}
        given = {"EntryPoint": entry, "Status": "PUBLISHED", **further}
        made = connect.create_test_case(InstanceId=INSTANCE, Name=name, Content=json.dumps(content), **given)
        return str(made["TestCaseId"])

    return make


def hears(text: str, *actions: dict[str, Any], criteria: str = "Inclusion", **event: Any) -> dict[str, Any]:
    """Return a document of one observation: a prompt, and then the test ends."""
    names = [f"a{number}" for number in range(len(actions) + 1)]
    end = {"Type": "TestControl", "Parameters": {"ActionType": "TestControl", "Command": {"Type": "EndTest"}}}
    chain = [
        {
            "Identifier": name,
            **action,
            "Transitions": {"NextAction": names[number + 1]} if action is not end else {},
        }
        for number, (name, action) in enumerate(zip(names, (*actions, end), strict=True))
    ]
    properties = {"Text": text, "MatchingCriteria": {"Type": criteria}}
    observed = {
        "Identifier": "e",
        "Type": "MessageReceived",
        "Actor": "System",
        "Properties": properties,
        **event,
    }
    one = {"Identifier": "one", "Event": observed, "Actions": chain, "Transitions": {"NextObservations": []}}
    return {"Version": "2019-10-30", "Metadata": {}, "Observations": [one]}


def asserts(namespace: str, operand: str, operator: str = "Equals") -> dict[str, Any]:
    return {
        "Type": "Assert",
        "Parameters": {"Namespace": namespace, "Operator": operator, "Operand": operand},
    }


def start(connect: Any, case: str, **given: str) -> dict[str, Any]:
    answer: dict[str, Any] = connect.start_test_case_execution(InstanceId=INSTANCE, TestCaseId=case, **given)
    return answer


def look(connect: Any, case: str, execution: str) -> dict[str, Any]:
    answer: dict[str, Any] = connect.get_test_case_execution_summary(
        InstanceId=INSTANCE, TestCaseId=case, TestCaseExecutionId=execution
    )
    return answer


# --- test cases


def test_a_test_case_is_created_described_changed_listed_and_deleted(connect: Any, publish: Publish) -> None:
    case = publish("first", hears("An agent is next"), Description="the queue", Tags={"team": "line"})
    described = connect.describe_test_case(InstanceId=ARN, TestCaseId=case)["TestCase"]
    assert described["Arn"] == f"{ARN}/test-case/{case}"
    assert (described["Name"], described["Status"], described["Tags"]) == (
        "first",
        "PUBLISHED",
        {"team": "line"},
    )
    assert json.loads(described["Content"]) == hears("An agent is next")
    assert len(described["TestCaseSha256"]) == 64
    connect.update_test_case(InstanceId=INSTANCE, TestCaseId=case, Name="second", Description="later")
    (summary,) = connect.list_test_cases(InstanceId=INSTANCE)["TestCaseSummaryList"]
    assert (summary["Id"], summary["Name"]) == (case, "second")
    connect.tag_resource(resourceArn=summary["Arn"], tags={"owner": "ana"})
    connect.untag_resource(resourceArn=summary["Arn"], tagKeys=["team"])
    assert connect.list_tags_for_resource(resourceArn=summary["Arn"])["tags"] == {"owner": "ana"}
    connect.delete_test_case(InstanceId=ARN, TestCaseId=case)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        connect.describe_test_case(InstanceId=INSTANCE, TestCaseId=case)


def test_answers_have_the_shape_of_botocores_model(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("shapes", hears("An agent is next"))
    started = start(connect, case)["TestCaseExecutionId"]
    clock.sleep(60)
    named = {"InstanceId": INSTANCE, "TestCaseId": case, "TestCaseExecutionId": started}
    answers = {
        "DescribeTestCase": connect.describe_test_case(InstanceId=INSTANCE, TestCaseId=case),
        "ListTestCases": connect.list_test_cases(InstanceId=INSTANCE),
        "GetTestCaseExecutionSummary": connect.get_test_case_execution_summary(**named),
        "ListTestCaseExecutionRecords": connect.list_test_case_execution_records(**named),
        "ListTestCaseExecutions": connect.list_test_case_executions(InstanceId=INSTANCE),
    }
    for operation, answer in answers.items():
        answer.pop("ResponseMetadata")
        shape = connect.meta.service_model.operation_model(operation).output_shape
        assert answer
        assert set(answer) <= set(shape.members)
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"


def test_a_saved_test_case_is_not_checked_and_cannot_be_run(connect: Any, publish: Publish) -> None:
    case = publish("draft", {"Version": "later"}, Status="SAVED")
    with pytest.raises(ClientError, match="is not published"):
        start(connect, case)
    with pytest.raises(ClientError, match="InvalidTestCaseException"):
        connect.update_test_case(InstanceId=INSTANCE, TestCaseId=case, Status="PUBLISHED")


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = hears("An agent is next", asserts("$.Attributes.tier", "gold"))
    change(document["Observations"][0])
    return document


def event(one: dict[str, Any], **changed: Any) -> None:
    one["Event"].update(changed)


def used(**parameters: Any) -> dict[str, Any]:
    return {"ActionType": "TransferContactToQueue", "ActionParameters": parameters}


def action(one: dict[str, Any], kind: str, **parameters: Any) -> None:
    one["Actions"][0].update(Type=kind, Parameters=parameters)


def instructs(one: dict[str, Any], kind: str, **properties: str) -> None:
    instruction = {"Type": kind, "Properties": properties}
    action(one, "SendInstruction", ActionType="SendInstruction", Actor="Customer", Instruction=instruction)


def overrides(one: dict[str, Any], kind: str, resource: dict[str, Any], strategy: dict[str, Any]) -> None:
    properties = {"ActionType": kind, "ActionParameters": resource, "Strategy": strategy}
    behavior = {"Type": "FlowAction", "Properties": properties}
    action(one, "OverrideSystemBehavior", ActionType="OverrideSystemBehavior", Behavior=behavior)


def mock(**result: Any) -> dict[str, Any]:
    return {"Type": "MockResponse", "Response": {"Type": "ExecutionResult", "ExecutionResult": result}}


HOURS = {"HoursOfOperationId": f"{ARN}/operating-hours/office"}
FUNCTION = {"LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:lookup"}
REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "usage of older pages": (lambda one: one.update(Usage={"Type": "EXACTLY"}), "Invalid usage type"),
    "empty text": (lambda one: one["Event"]["Properties"].update(Text=""), "must not be empty"),
    "no criteria": (
        lambda one: one["Event"]["Properties"].pop("MatchingCriteria"),
        "Invalid matching criteria",
    ),
    "two sources": (
        lambda one: one["Event"]["Properties"].update(SSML="<speak/>"),
        "one of Text, SSML, PromptId",
    ),
    "an event of another block": (
        lambda one: event(one, Type="FlowActionStarted", Properties={"ActionType": "Compare"}),
        "Invalid action type for FlowActionStarted event",
    ),
    "a transfer without queue": (
        lambda one: event(one, Type="FlowActionStarted", Properties=used()),
        "InvalidFlowActionParametersProblem",
    ),
    "an agent": (lambda one: event(one, Actor="Agent"), "Invalid actor"),
    "an unknown event": (lambda one: event(one, Type="ContactEnded"), "Invalid event type"),
    "a next observation that is not there": (
        lambda one: one.update(Transitions={"NextObservations": ["two"]}),
        "which does not exist",
    ),
    "an empty next action": (
        lambda one: one["Actions"][1].update(Transitions={"NextAction": ""}),
        "Invalid next action identifier",
    ),
    "an operator that was refused": (
        lambda one: one["Actions"][0]["Parameters"].update(Operator="Exists"),
        "Invalid operator Exists",
    ),
    "an assertion without operand": (
        lambda one: one["Actions"][0]["Parameters"].pop("Operand"),
        "needs an Operand",
    ),
    "an utterance as pages had it": (
        lambda one: instructs(one, "Utterance", Text="hello"),
        "Value is needed",
    ),
    "an instruction of older pages": (
        lambda one: instructs(one, "TextUtterance", Value="hello"),
        "Invalid instruction type",
    ),
    "keys that no telephone has": (lambda one: instructs(one, "DtmfInput", Value="A"), "Invalid DTMF value"),
    "mocked hours": (
        lambda one: overrides(one, "CheckHoursOfOperation", HOURS, mock(Value="InHours")),
        "Invalid execution result for CheckHoursOfOperation",
    ),
    "an answer that is no text": (
        lambda one: overrides(one, "InvokeLambdaFunction", FUNCTION, mock(LoadedData={"tier": "gold"})),
        "LoadedData is JSON as text",
    ),
    "an override that names nothing": (
        lambda one: overrides(one, "InvokeLambdaFunction", {}, mock(LoadedData="{}")),
        "InvalidFlowActionParametersProblem",
    ),
    "an identifier with a slash": (lambda one: one.update(Identifier="a/b"), "Invalid identifier"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_connect_was_seen_to_refuse_is_refused(publish: Publish, what: str) -> None:
    change, words = REFUSED[what]
    with pytest.raises(ClientError) as refused:
        publish("refused", broken(change))
    assert refused.value.response["Error"]["Code"] == "InvalidTestCaseException"
    problems = [each["message"] for each in refused.value.response["Problems"]]
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize("version", ["2025-06-21", "2019-10-31", None])
def test_every_other_version_is_refused(publish: Publish, version: str | None) -> None:
    with pytest.raises(ClientError) as refused:
        publish("version", {**hears("An agent is next"), "Version": version})
    assert refused.value.response["Problems"] == [{"message": "Invalid test case content"}]


@pytest.mark.parametrize(
    ("call", "taken"),
    [
        ({"FlowId": "FLOW"}, True),
        ({"FlowId": "FLOW", "SourcePhoneNumber": "+12065550142"}, True),
        ({"FlowId": "FLOW", "DestinationPhoneNumber": "+12065550142"}, False),
        ({"DestinationPhoneNumber": "+12065550142"}, False),
        ({}, False),
    ],
)
def test_a_call_comes_in_by_flow_or_by_numbers(
    publish: Publish, flow: str, call: dict[str, str], taken: bool
) -> None:
    parameters = {name: value.replace("FLOW", flow) for name, value in call.items()}
    entry = {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": parameters}
    if taken:
        assert publish("entry", hears("An agent is next"), EntryPoint=entry)
        return
    with pytest.raises(ClientError) as refused:
        publish("entry", hears("An agent is next"), EntryPoint=entry)
    assert refused.value.response["Problems"] == [{"message": "Must specify either FlowId or phone numbers"}]


def test_keys_are_no_input_of_a_chat(publish: Publish, flow: str) -> None:
    chat = {"Type": "CHAT", "ChatEntryPointParameters": {"FlowId": flow}}
    with pytest.raises(ClientError) as refused:
        publish("keys", broken(lambda one: instructs(one, "DtmfInput", Value="1")), EntryPoint=chat)
    assert "not supported for Chat" in refused.value.response["Problems"][0]["message"]


def test_two_names_too_much_text_and_a_flow_that_is_not_there_are_refused(publish: Publish) -> None:
    publish("name", hears("An agent is next"))
    with pytest.raises(ClientError, match="DuplicateResourceException"):
        publish("name", hears("An agent is next"))
    with pytest.raises(ClientError, match="256000 are allowed"):
        publish("long", {**hears("An agent is next"), "Metadata": {"text": "x" * 256_000}})
    gone = {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": f"{ARN}/contact-flow/gone"}}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        publish("gone", hears("An agent is next"), EntryPoint=gone)


# --- executions


def test_a_test_takes_its_time_and_passes(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("passes", hears("An agent is next"))
    started = start(connect, case)
    assert started["TestCaseId"] == f"{ARN}/test-case/{case}"
    assert started["Status"] == "IN_PROGRESS"
    execution = started["TestCaseExecutionId"]
    assert "EndTime" not in look(connect, case, execution)
    clock.sleep(60)
    summary = look(connect, case, execution)
    assert summary["Status"] == "PASSED"
    assert summary["ObservationSummary"] == {
        "TotalObservations": 1,
        "ObservationsPassed": 1,
        "ObservationsFailed": 0,
    }
    assert 1 < (summary["EndTime"] - summary["StartTime"]).total_seconds() < 30
    named = {"InstanceId": INSTANCE, "TestCaseId": case, "TestCaseExecutionId": execution}
    records = connect.list_test_case_execution_records(**named)["ExecutionRecords"]
    kept = [json.loads(record["Record"]) for record in records]
    assert [record["Type"] for record in kept] == [
        "INITIATION",
        "EXECUTION_START",
        "OBSERVATION",
        "COMPLETION",
    ]
    assert "an agent is next" in kept[2]["Event"]["Actual"]["Text"].lower()


def test_a_prompt_that_never_comes_fails_at_the_limit(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("waits", hears("Nobody says this"))
    execution = start(connect, case)["TestCaseExecutionId"]
    clock.sleep(299)
    assert look(connect, case, execution)["Status"] == "IN_PROGRESS"
    clock.sleep(2)
    summary = look(connect, case, execution)
    assert summary["Status"] == "FAILED"
    assert (summary["EndTime"] - summary["StartTime"]).total_seconds() == 300


def test_a_failed_assertion_ends_the_test_at_once(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("asserts", hears("An agent is next", asserts("$.Channel", "CHAT")))
    execution = start(connect, case)["TestCaseExecutionId"]
    clock.sleep(30)
    assert look(connect, case, execution)["Status"] == "FAILED"
    right = publish("right", hears("An agent is next", asserts("$.Channel", "VOI", "TextStartsWith")))
    execution = start(connect, right)["TestCaseExecutionId"]
    clock.sleep(30)
    assert look(connect, right, execution)["Status"] == "PASSED"


def test_initial_attributes_are_read_back_and_a_flat_object_comes_to_nothing(
    connect: Any, publish: Publish, clock: Clock
) -> None:
    document = hears("An agent is next", asserts("$.Attributes.tier", "gold"))
    shapes = {"PASSED": {"Attributes": {"tier": "gold"}, "SegmentAttributes": {}}, "FAILED": {"tier": "gold"}}
    for status, shape in shapes.items():
        case = publish(status, document, InitializationData=json.dumps(shape))
        execution = start(connect, case)["TestCaseExecutionId"]
        clock.sleep(30)
        assert look(connect, case, execution)["Status"] == status


def test_criteria_beside_the_properties_never_match_or_break_the_start(
    connect: Any, publish: Publish, clock: Clock
) -> None:
    for criteria, seconds in (("Inclusion", 300), ({"Type": "Inclusion"}, 0)):
        case = publish(str(criteria), hears("An agent is next", MatchingCriteria=criteria))
        execution = start(connect, case)["TestCaseExecutionId"]
        clock.sleep(301)
        summary = look(connect, case, execution)
        assert summary["Status"] == "FAILED"
        assert (summary["EndTime"] - summary["StartTime"]).total_seconds() == seconds


def test_five_run_at_once_and_the_others_wait(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("many", hears("Nobody says this"))
    started = [start(connect, case) for _ in range(7)]
    assert [each["Status"] for each in started] == ["IN_PROGRESS"] * 5 + ["INITIATED"] * 2
    clock.sleep(301)
    status = [look(connect, case, each["TestCaseExecutionId"])["Status"] for each in started]
    assert status == ["FAILED"] * 5 + ["IN_PROGRESS"] * 2
    clock.sleep(300)
    listed = connect.list_test_case_executions(InstanceId=INSTANCE, TestCaseName="many", Status="FAILED")
    assert len(listed["TestCaseExecutions"]) == 7


def test_a_hundred_are_queued_and_no_more(connect: Any, publish: Publish) -> None:
    case = publish("too many", hears("Nobody says this"))
    for _ in range(100):
        start(connect, case)
    with pytest.raises(ClientError) as refused:
        start(connect, case)
    assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 402


def test_the_same_token_starts_one_execution(connect: Any, publish: Publish) -> None:
    case = publish("token", hears("An agent is next"))
    one, same = (start(connect, case, ClientToken="t")["TestCaseExecutionId"] for _ in range(2))
    assert one == same
    assert start(connect, case, ClientToken="u")["TestCaseExecutionId"] != one


def test_a_test_is_stopped(connect: Any, publish: Publish, clock: Clock) -> None:
    case = publish("stops", hears("Nobody says this"))
    execution = start(connect, case)["TestCaseExecutionId"]
    clock.sleep(10)
    named = {"InstanceId": INSTANCE, "TestCaseId": case, "TestCaseExecutionId": execution}
    connect.stop_test_case_execution(**named)
    summary = look(connect, case, execution)
    assert summary["Status"] == "STOPPED"
    assert (summary["EndTime"] - summary["StartTime"]).total_seconds() == 10
    with pytest.raises(ClientError, match="is over"):
        connect.stop_test_case_execution(**named)


class Roles:
    """Clients of Connect with the rights of a role."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._iam = sandbox.boto3_client("iam")
        self._names: list[str] = []

    def client(self, *actions: str, resources: list[str]) -> Any:
        name = f"tests-{uuid.uuid4().hex[:8]}"
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "sts:AssumeRole",
        }
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
        made = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        self._names.append(name)
        self._iam.put_role_policy(RoleName=name, PolicyName="tests", PolicyDocument=policy(allowed))
        session = self._sandbox.boto3_client("sts").assume_role(
            RoleArn=made["Role"]["Arn"], RoleSessionName="me"
        )
        return boto3.client(
            "connect",
            endpoint_url=self._sandbox.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=session["Credentials"]["AccessKeyId"],
            aws_secret_access_key="x",
            aws_session_token=session["Credentials"]["SessionToken"],
        )

    def remove(self) -> None:
        for name in self._names:
            self._iam.delete_role_policy(RoleName=name, PolicyName="tests")
            self._iam.delete_role(RoleName=name)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def roles(sandbox: Sandbox) -> Iterator[Roles]:
    made = Roles(sandbox)
    yield made
    made.remove()


def test_whoever_runs_tests_needs_the_permissions_on_instance_and_test_case(
    roles: Roles, publish: Publish
) -> None:
    case = publish("allowed", hears("An agent is next"))
    action = "connect:StartTestCaseExecution"
    both = roles.client(action, resources=[ARN, f"{ARN}/test-case/*"])
    assert both.start_test_case_execution(InstanceId=INSTANCE, TestCaseId=case)["Status"] == "IN_PROGRESS"
    for resources in ([ARN], [f"{ARN}/test-case/*"]):
        with pytest.raises(ClientError, match=r"connect:StartTestCaseExecution on resource.*instance"):
            roles.client(action, resources=resources).start_test_case_execution(
                InstanceId=INSTANCE, TestCaseId=case
            )


# --- CloudFormation


def template(content: dict[str, Any], **properties: Any) -> dict[str, Any]:
    flow = {
        "Type": "AWS::Connect::ContactFlow",
        "Properties": {
            "InstanceArn": ARN,
            "Name": "Deployed",
            "Type": "CONTACT_FLOW",
            "Content": FLOW.read_text(encoding="utf-8").replace("${QueueArn}", QUEUE),
        },
    }
    call = {"FlowId": {"Ref": "Flow"}, "SourcePhoneNumber": "+12065550142"}
    case = {
        "Type": "AWS::Connect::TestCase",
        "Properties": {
            "InstanceArn": ARN,
            "Name": "deployed",
            "Content": json.dumps(content),
            "EntryPoint": {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": call},
            "Status": "PUBLISHED",
            **properties,
        },
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Case", "TestCaseArn"]}}, "Ref": {"Value": {"Ref": "Case"}}}
    return {"Resources": {"Flow": flow, "Case": case}, "Outputs": outputs}


@pytest.mark.usefixtures("connect")
def test_cloudformation_deploys_changes_and_deletes_a_test_case(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy(template(hears("An agent is next")))
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    (case,) = sandbox.test_cases.all(INSTANCE)
    assert stack.outputs == {"Arn": case.arn, "Ref": case.arn}
    after = deploy(template(hears("An agent is next"), Description="the queue"), name=stack.name)
    assert after.status == "UPDATE_COMPLETE", after.reasons
    (changed,) = sandbox.test_cases.all(INSTANCE)
    assert (changed.arn, changed.description) == (case.arn, "the queue")
    deploy.delete(stack.name)
    assert sandbox.test_cases.all(INSTANCE) == []


@pytest.mark.usefixtures("connect")
def test_a_test_case_that_connect_refuses_fails_the_stack(deploy: Any) -> None:
    stack = deploy(template({**hears("An agent is next"), "Version": "2025-06-21"}))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "The test case is invalid" in stack.reasons


# --- testcase run


def finds(sandbox: Sandbox, clock: Clock, *names: str) -> dict[str, Any]:
    """Run the test cases of the instance; return how each went, by name."""
    run = TestRun(sandbox.boto3_client("connect"), INSTANCE, sleep=clock.sleep, now=clock.now)
    return {went.name: went for went in run.run(names)}


def converted(connect: Any, flow: str) -> list[str]:
    """Publish the test cases of a scenario file; return their names."""
    names = []
    for one in convert_file(ScenarioFile.load(SCENARIOS), FLOW):
        if one.test_case is None:
            continue
        filled = one.test_case.filled({"FlowArn": flow, "QueueArn": QUEUE})
        connect.create_test_case(
            InstanceId=INSTANCE,
            Name=filled["Name"],
            Content=json.dumps(filled["Content"]),
            EntryPoint=filled["EntryPoint"],
            Status="PUBLISHED",
        )
        names.append(filled["Name"])
    return names


@pytest.mark.parametrize("milliseconds", [False, True])
def test_converted_scenarios_run_on_what_is_deployed(
    sandbox: Sandbox,
    connect: Any,
    flow: str,
    clock: Clock,
    milliseconds: bool,
) -> None:
    names = converted(connect, flow)
    assert len(names) == 2
    sandbox.test_cases.milliseconds = milliseconds
    went = finds(sandbox, clock)
    assert sorted(went) == sorted(names)
    assert [(one.status, one.told) for one in went.values()] == [("PASSED", ())] * 2
    page = (ROOT / "docs/testcases.md").read_text(encoding="utf-8")
    assert [told(one) for one in went.values() if told(one) not in page] == []


def test_times_in_milliseconds_stop_a_plain_client_and_not_one_that_reads_them(
    sandbox: Sandbox,
    connect: Any,
    publish: Publish,
) -> None:
    case = publish("times", hears("An agent is next"))
    execution = start(connect, case)["TestCaseExecutionId"]
    sandbox.test_cases.milliseconds = True
    plain = boto3.client(
        "connect",
        endpoint_url=sandbox.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with pytest.raises((ResponseParserError, ValueError, OverflowError)):
        look(plain, case, execution)
    read_milliseconds(plain)
    assert look(plain, case, execution)["StartTime"].year == 2026


def test_a_deployed_flow_that_does_something_else_is_told_as_a_rehearsal_tells_it(
    sandbox: Sandbox,
    connect: Any,
    flow: str,
    clock: Clock,
) -> None:
    converted(connect, flow)
    other = f"{ARN}/queue/77777777-7777-8888-9999-000000000000"
    changed = (
        FLOW.read_text(encoding="utf-8").replace("${QueueArn}", other).replace("All agents", "Our people")
    )
    connect.update_contact_flow_content(
        InstanceId=INSTANCE, ContactFlowId=flow.rsplit("/", 1)[-1], Content=changed
    )
    went = finds(sandbox, clock)
    waits = went["weekday_line: a caller waits for an agent"]
    assert (waits.status, waits.told) == (
        "FAILED",
        ("the contact should have ended in the queue 66666666-7777-8888-9999-000000000000",),
    )
    full = went["weekday_line: the queue is full"]
    assert (full.status, full.told) == ("FAILED", ("the caller should have heard “All agents are busy”",))
    assert any("agent is next" in text for text in waits.heard)


def test_an_attribute_that_is_wrong_is_told_with_both_values(
    sandbox: Sandbox, publish: Publish, clock: Clock
) -> None:
    initial = json.dumps({"Attributes": {"tier": "silver"}, "SegmentAttributes": {}})
    document = hears("An agent is next", asserts("$.Attributes.tier", "gold"))
    publish("tier", document, InitializationData=initial)
    assert finds(sandbox, clock)["tier"].told == ("attribute tier should be 'gold'; it is 'silver'",)


def test_seven_are_run_five_at_a_time(sandbox: Sandbox, connect: Any, publish: Publish, clock: Clock) -> None:
    for number in range(7):
        publish(f"case {number}", hears("An agent is next"))
    went = finds(sandbox, clock)
    assert len(went) == 7
    assert all(one.passed for one in went.values())
    executions = connect.list_test_case_executions(InstanceId=INSTANCE)["TestCaseExecutions"]
    started = sorted(each["StartTime"] for each in executions)
    assert started[4] == started[0]
    assert started[5] > started[0]


def test_a_test_that_fails_to_initialize_is_started_again(
    sandbox: Sandbox, publish: Publish, clock: Clock
) -> None:
    publish("again", hears("An agent is next"))
    sandbox.test_cases.fail_to_begin(2)
    assert (finds(sandbox, clock)["again"].status, finds(sandbox, clock)["again"].attempts) == ("PASSED", 1)
    sandbox.test_cases.fail_to_begin(2)
    went = finds(sandbox, clock)["again"]
    assert (went.status, went.attempts) == ("PASSED", 3)
    sandbox.test_cases.fail_to_begin(9)
    went = finds(sandbox, clock)["again"]
    assert (went.status, went.attempts) == ("FAILED", 4)
    assert went.told == ("INITIALIZATION_FAILURE: limit reached",)
    sandbox.test_cases.fail_to_begin(0)


def test_an_instance_with_too_many_tests_is_waited_for(
    sandbox: Sandbox,
    connect: Any,
    publish: Publish,
    clock: Clock,
) -> None:
    busy = publish("busy", hears("Nobody says this"))
    for _ in range(100):
        start(connect, busy)
    publish("waits", hears("An agent is next"))
    run = TestRun(connect, INSTANCE, sleep=clock.sleep, now=clock.now, patience=30)
    with pytest.raises(RunError, match="too many tests"):
        list(run.run(["waits"]))
    for each in reversed(
        sandbox.test_cases.executions(INSTANCE)
    ):  # the waiting ones first: none of them begins
        sandbox.test_cases.stop(INSTANCE, busy, each.id)
    assert finds(sandbox, clock, "waits")["waits"].passed


def test_a_run_without_test_cases_says_so(sandbox: Sandbox, publish: Publish, clock: Clock) -> None:
    with pytest.raises(RunError, match="no published test case"):
        finds(sandbox, clock)
    publish("draft", {}, Status="SAVED")
    with pytest.raises(RunError, match="1 are saved"):
        finds(sandbox, clock)
    with pytest.raises(RunError, match=r"no test case is called 'other' \(test cases: draft\)"):
        finds(sandbox, clock, "other")


def test_the_command_tells_how_many_failed(
    sandbox: Sandbox,
    publish: Publish,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in sandbox.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)

    def run(connect: Any, instance: str) -> TestRun:
        return TestRun(connect, instance, sleep=clock.sleep, now=clock.now)

    publish("line: right", hears("An agent is next"))
    publish("line: wrong", hears("Nobody says this"))
    assert run_main(["--instance", ARN], make_run=run) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("passed  line: right (")
    assert printed[1:] == [
        "FAILED  line: wrong (300 s)",
        "the caller should have heard “Nobody says this”",
        "2 test cases, 1 failed",
    ]
    assert run_main(["--instance", ARN, "--name", "*: right"], make_run=run) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 test case, none failed"
    assert run_main(["--instance", ARN, "--name", "other"], make_run=run) == 2
    assert cli.main(["run", "--instance", INSTANCE]) == 2
    assert "give the instance's ARN" in capsys.readouterr().err


# --- the construct


def test_the_construct_deploys_a_converted_scenario_that_then_runs(
    sandbox: Sandbox,
    connect: Any,
    clock: Clock,
    deploy: Any,
    tmp_path: Path,
) -> None:
    cdk = pytest.importorskip("aws_cdk")
    from aws_cdk import assertions  # noqa: PLC0415  (the CDK takes its time)
    from connect_bridges import ConnectInstance, ContactFlow, FlowTestCase  # noqa: PLC0415

    assert cli.main([str(SCENARIOS), "--flow", str(FLOW), "-o", str(tmp_path)]) == 0
    files = sorted(tmp_path.glob("*.json"))
    assert [file.name for file in files] == ["a-caller-waits-for-an-agent.json", "the-queue-is-full.json"]
    stack = cdk.Stack(cdk.App(), "line", env=cdk.Environment(account="123456789012", region="us-east-1"))
    instance = ConnectInstance.from_arn(stack, "Instance", ARN)
    line = ContactFlow(stack, "Line", instance=instance, template=FLOW, values={"QueueArn": QUEUE})
    for file in files:
        FlowTestCase(stack, file.stem, flow=line, case=file)
    document = dict(assertions.Template.from_stack(stack).to_json())
    document.pop("Rules", None)
    document["Parameters"] = {
        name: {"Type": "String", "Default": each.get("Default", "x")}
        for name, each in document.get("Parameters", {}).items()
    }
    made = deploy(document)
    assert made.status == "CREATE_COMPLETE", made.reasons
    went = finds(sandbox, clock)
    assert {one: (each.status, each.told) for one, each in went.items()} == {
        "line: weekday_line: a caller waits for an agent": ("PASSED", ()),
        "line: weekday_line: the queue is full": ("PASSED", ()),
    }
    deploy.delete(made.name)
    assert connect.list_test_cases(InstanceId=INSTANCE)["TestCaseSummaryList"] == []
