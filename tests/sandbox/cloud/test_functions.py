"""Functions run from their deployed zips, as Lambda runs them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import (
    Admin,
    AwsError,
    FunctionFault,
    Invocation,
    InvocationTimeoutError,
    Sandbox,
    ServicePrincipal,
)

ADMIN = Admin("123456789012")
Functions = Callable[..., dict[str, Any]]


@pytest.fixture
def run(sandbox: Sandbox, deploy: Any, function: Functions) -> Callable[..., Invocation]:
    def deploy_and_invoke(
        code: str, event: Any = None, *statements: dict[str, Any], **properties: Any
    ) -> Invocation:
        stack = deploy({"Resources": function(code, *statements, **properties)})
        assert stack.status == "CREATE_COMPLETE", stack.reasons
        return sandbox.functions.invoke(stack.resources["Function"], event or {}, invoked_by=ADMIN)

    return deploy_and_invoke


def test_a_function_gets_its_event_and_answers(run: Any) -> None:
    invocation = run(
        "def handler(event, context): return {'got': event['x'], 'name': context.function_name}", {"x": "é☎"}
    )

    assert invocation.function_error is None
    assert invocation.json()["got"] == "é☎"
    assert "é☎".encode() in invocation.payload  # text is not escaped, as on AWS
    assert invocation.json()["name"] in invocation.function_arn


@pytest.mark.parametrize("by_api", [False, True])
def test_a_deleted_functions_process_ends(
    sandbox: Sandbox, deploy: Any, function: Functions, by_api: bool
) -> None:
    stack = deploy(
        {"Resources": function("import os\ndef handler(event, context): return {'pid': os.getpid()}")}
    )
    name = stack.resources["Function"]
    pid = sandbox.functions.invoke(name, {}, invoked_by=ADMIN).json()["pid"]
    os.kill(pid, 0)  # it waits for the next event

    if by_api:
        sandbox.boto3_client("lambda").delete_function(FunctionName=name)
    else:
        deploy.delete(stack.name)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_function_sees_its_deployed_environment_and_nothing_of_this_machine(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")
    code = """
        import os, sys
        def handler(event, context):
            return {"environment": dict(os.environ), "argv": sys.argv}
    """

    environment = run(code, Environment={"Variables": {"TABLE": "t", "FLAG": True}}).json()["environment"]

    assert environment["TABLE"] == "t"
    assert environment["FLAG"] == "true"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert not {"SECRET_OF_THIS_MACHINE", "HOME", "VIRTUAL_ENV", "PYTHONPATH"} & set(environment)


def test_only_what_the_lambda_runtime_provides_can_be_imported_beside_the_zip(run: Any) -> None:
    code = """
        import importlib
        def handler(event, context):
            found = {}
            for name in ("boto3", "botocore", "aws_lambda_powertools", "moto", "pytest", "connect_bridges", "yaml"):
                try:
                    importlib.import_module(name)
                    found[name] = True
                except ImportError:
                    found[name] = False
            return found
    """

    found = run(code, Timeout=20).json()

    assert [name for name, importable in found.items() if importable] == ["boto3", "botocore"]


def test_a_process_is_kept_for_the_next_invocation_and_replaced_when_the_code_changes(
    sandbox: Sandbox, deploy: Any, function: Functions
) -> None:
    counting = "n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    return n"
    stack = deploy({"Resources": function(counting)})
    arn = stack.resources["Function"]
    first, second = (sandbox.functions.invoke(arn, {}, invoked_by=ADMIN) for _ in range(2))

    deploy({"Resources": function(counting + " * 100")}, name=stack.name)
    third = sandbox.functions.invoke(arn, {}, invoked_by=ADMIN)

    assert [first.json(), second.json(), third.json()] == [1, 2, 100]
    assert [first.cold_start, second.cold_start, third.cold_start] == [True, False, True]


def test_an_exception_is_an_unhandled_error_with_type_message_and_stack(run: Any) -> None:
    invocation = run("def handler(event, context):\n    raise ValueError('no such contact')")

    assert invocation.function_error == "Unhandled"
    error = invocation.json()
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such contact")
    assert "line 2, in handler" in error["stackTrace"][0]
    assert len(error["stackTrace"]) == 1
    # One event of the log, however many lines it has.
    [event] = [line for line in invocation.logs if "[ERROR] ValueError: no such contact" in line]
    assert event.splitlines()[1:3] == [
        "Traceback (most recent call last):",
        f'  File "{error["stackTrace"][0].split(chr(34))[1]}", line 2, in handler',
    ]


def test_what_is_printed_is_logged_with_its_invocation_in_order(sandbox: Sandbox, run: Any) -> None:
    code = """
        import logging, sys
        def handler(event, context):
            if event.get("again"):
                return
            print("first")
            logging.getLogger("app").warning("second\\nline")
            print("third", file=sys.stderr)
            print("x" * 200_000)
            sys.stdout.write("unended")
    """
    invocation = run(code)
    again = sandbox.functions.invoke(invocation.function_arn, {"again": True}, invoked_by=ADMIN)

    start, first, second, *rest = invocation.logs
    assert start == f"START RequestId: {invocation.request_id} Version: $LATEST"
    assert first == "first"
    assert second.startswith("[WARNING]\t")
    assert second.endswith(f"\t{invocation.request_id}\tsecond")
    assert rest[:4] == ["line", "third", "x" * 200_000, "unended"]
    assert [line.split()[0] for line in rest[4:]] == ["END", "REPORT"]
    assert [line.split()[0] for line in again.logs] == ["START", "END", "REPORT"]


def test_logs_are_json_if_the_function_is_configured_so(run: Any) -> None:
    code = """
        import logging
        def handler(event, context):
            logging.getLogger().info("told")
            raise KeyError("x")
    """
    invocation = run(code, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})

    told, error = [json.loads(line) for line in invocation.logs if line.startswith("{")]
    assert (told["level"], told["message"], told["requestId"]) == ("INFO", "told", invocation.request_id)
    assert (error["level"], error["errorType"], error["requestId"]) == (
        *("ERROR", "KeyError"),
        invocation.request_id,
    )


def test_a_package_in_the_zip_comes_before_lambdas_own(
    sandbox: Sandbox, deploy: Any, function: Functions, zip_of: Callable[[dict[str, str]], bytes]
) -> None:
    plain = "import simplejson\ndef handler(e, c): return simplejson.__version__"
    arn = deploy({"Resources": function(plain)}).resources["Function"]
    lambdas_own = sandbox.functions.invoke(arn, {}, invoked_by=ADMIN).json()
    files = {"index.py": plain, "simplejson/__init__.py": "__version__ = 'mine'"}
    sandbox.boto3_client("lambda").update_function_code(FunctionName=arn, ZipFile=zip_of(files))

    assert lambdas_own[0].isdigit()
    assert sandbox.functions.invoke(arn, {}, invoked_by=ADMIN).json() == "mine"


def test_the_caller_can_give_the_function_a_client_context(sandbox: Sandbox, run: Any) -> None:
    code = "def handler(e, c): return c.client_context and c.client_context.custom"
    without = run(code)
    client = sandbox.boto3_client("lambda")
    given = base64.b64encode(json.dumps({"custom": {"tenant": "é"}}, ensure_ascii=False).encode()).decode()
    answer = client.invoke(FunctionName=without.function_arn, Payload=b"{}", ClientContext=given)

    assert without.json() is None
    assert json.load(answer["Payload"]) == {"tenant": "é"}
    with pytest.raises(ClientError, match="InvalidRequestContent"):
        client.invoke(FunctionName=without.function_arn, ClientContext="no base64")


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import nothing_of_that_name", "Runtime.ImportModuleError", "Unable to import module 'index'"),
        ("other = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("raise RuntimeError('no TABLE_NAME')", "RuntimeError", "no TABLE_NAME"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_told_as_lambda_tells_it(
    run: Any, code: str, kind: str, message: str
) -> None:
    invocation = run(code)

    assert invocation.function_error == "Unhandled"
    assert invocation.json()["errorType"] == kind
    assert message in invocation.json()["errorMessage"]
    assert any(f"[ERROR] {kind}: " in line and message in line for line in invocation.logs)


def test_a_function_that_exceeds_its_time_out_is_killed(sandbox: Sandbox, run: Any) -> None:
    invocation = run("import time\ndef handler(e, c):\n    print('waiting')\n    time.sleep(30)", Timeout=1)

    assert invocation.function_error == "Unhandled"
    assert "Task timed out after 1.00 seconds" in invocation.json()["errorMessage"]
    assert invocation.duration_ms == pytest.approx(1000)
    assert "waiting" in invocation.logs
    again = sandbox.functions.invoke(invocation.function_arn, {}, invoked_by=ADMIN)
    assert again.cold_start


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\ndef handler(e, c): print('bye'); os._exit(3)", "exited with error: exit status 3"),
        ("import sys\ndef handler(e, c): print('bye'); sys.exit(4)", "exited with error: exit status 4"),
        ("import sys\ndef handler(e, c): print('bye'); sys.exit(0)", "exited without providing a reason"),
        # What Lambda does to a process that runs out of memory.
        ("import os\ndef handler(e, c): print('bye'); os.kill(os.getpid(), 9)", "with error: signal: killed"),
        ("import sys\nprint('bye')\nsys.exit(5)", "exited with error: exit status 5"),
    ],
)
def test_a_function_that_ends_its_process_is_an_exit_error(run: Any, code: str, reason: str) -> None:
    invocation = run(code)

    assert invocation.json()["errorType"] == "Runtime.ExitError"
    assert invocation.json()["errorMessage"].startswith(f"RequestId: {invocation.request_id} Error: Runtime ")
    assert invocation.json()["errorMessage"].endswith(reason)
    assert "bye" in invocation.logs


def test_numbers_keep_their_digits_and_what_is_no_json_is_a_marshal_error(run: Any) -> None:
    exact = run("import decimal\ndef handler(e, c): return {'n': decimal.Decimal('1.100000000000000000001')}")
    wrong = run("def handler(e, c): return {1, 2}")

    assert exact.payload == b'{"n": 1.100000000000000000001}'
    assert wrong.json()["errorType"] == "Runtime.MarshalError"


def test_an_answer_over_the_limit_of_6291556_bytes_is_refused(run: Any) -> None:
    invocation = run("def handler(e, c): return 'x' * 6_291_555")

    assert invocation.json()["errorType"] == "Function.ResponseSizeTooLarge"


def test_the_context_knows_the_time_that_is_left(run: Any) -> None:
    left = run("def handler(e, c): return c.get_remaining_time_in_millis()", Timeout=7).json()

    assert 5000 < left <= 7000


def test_a_role_without_the_grant_is_refused_by_action_and_resource(sandbox: Sandbox, run: Any) -> None:
    sandbox.boto3_client("dynamodb").create_table(
        TableName="sessions",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    code = """
        import boto3
        def handler(event, context):
            table = boto3.resource("dynamodb").Table("sessions")
            table.put_item(Item={"id": "1"})
            return table.get_item(Key={"id": "1"})["Item"]
    """
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/sessions"
    put = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arn}
    both = {**put, "Action": ["dynamodb:PutItem", "dynamodb:GetItem"]}

    refused = run(code, {}, put, Timeout=20)
    allowed = run(code, {}, both, Timeout=20)

    assert refused.json()["errorType"] == "ClientError"
    assert "is not authorized to perform: dynamodb:GetItem" in refused.json()["errorMessage"]
    assert arn in refused.json()["errorMessage"]
    assert allowed.json() == {"id": "1"}
    assert [entry.action for entry in sandbox.audit.calls(allowed=False, action="dynamodb:*")] == [
        "dynamodb:GetItem"
    ]


def test_logs_are_written_with_the_roles_permission_and_lost_without(
    sandbox: Sandbox, deploy: Any, function: Functions
) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/test/functions"}}
    code = "def handler(e, c): print('hello log')"
    logging = {"LogGroup": {"Ref": "Logs"}}
    allow = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": ["Logs", "Arn"]},
    }
    granted = deploy({"Resources": {"Logs": group, **function(code, allow, LoggingConfig=logging)}})
    written = sandbox.functions.invoke(granted.resources["Function"], {}, invoked_by=ADMIN)
    client = sandbox.boto3_client("logs")
    events = client.filter_log_events(logGroupName="/test/functions")["events"]
    deploy({"Resources": {"Logs": group, **function(code, LoggingConfig=logging)}}, name=granted.name)

    lost = sandbox.functions.invoke(granted.resources["Function"], {}, invoked_by=ADMIN)

    assert written.logs_refused is None
    assert "hello log" in [event["message"] for event in events]
    assert lost.logs_refused is not None
    assert "perform: logs:PutLogEvents" in lost.logs_refused
    assert len(client.filter_log_events(logGroupName="/test/functions")["events"]) == len(events)


def test_a_service_needs_a_statement_of_the_resource_policy_for_its_own_resource(
    sandbox: Sandbox, deploy: Any, function: Functions
) -> None:
    instance = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Function"},
            "Principal": "connect.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
            "SourceArn": instance,
        },
    }
    stack = deploy({"Resources": {**function("def handler(e, c): return 1"), "Permission": permission}})
    arn = stack.resources["Function"]
    connect = ServicePrincipal("connect.amazonaws.com", "123456789012", instance)
    elsewhere = ServicePrincipal("connect.amazonaws.com", "123456789012", instance + "0")

    assert sandbox.functions.invoke(arn, {}, invoked_by=connect).json() == 1
    with pytest.raises(AwsError, match="not authorized to perform: lambda:InvokeFunction"):
        sandbox.functions.invoke(arn, {}, invoked_by=elsewhere)
    with pytest.raises(AwsError, match="AccessDeniedException"):
        sandbox.functions.invoke(arn, {}, invoked_by=ServicePrincipal("sns.amazonaws.com"))


def test_faults_throttle_crash_and_delay_the_next_invocations(sandbox: Sandbox, run: Any) -> None:
    arn = run("def handler(e, c): return 'fine'", Timeout=1).function_arn
    functions = sandbox.functions

    functions.inject(arn, FunctionFault("throttle"))
    with pytest.raises(AwsError, match="TooManyRequestsException"):
        functions.invoke(arn, {}, invoked_by=ADMIN)
    functions.inject(arn, FunctionFault("crash"))
    crashed = functions.invoke(arn, {}, invoked_by=ADMIN)
    functions.inject(arn, FunctionFault("delay", seconds=5))
    late = functions.invoke(arn, {}, invoked_by=ADMIN)

    assert crashed.json()["errorType"] == "Runtime.ExitError"
    assert "timed out" in late.json()["errorMessage"]
    assert functions.invoke(arn, {}, invoked_by=ADMIN).json() == "fine"


def test_a_caller_may_stop_waiting_before_the_function_ends(sandbox: Sandbox, run: Any) -> None:
    arn = run("import time\ndef handler(e, c): time.sleep(e.get('s', 0))", Timeout=3).function_arn

    with pytest.raises(InvocationTimeoutError, match=r"did not answer within 0\.2 s"):
        sandbox.functions.invoke(arn, {"s": 1}, invoked_by=ADMIN, timeout=0.2)


@pytest.mark.parametrize(("cold_start", "in_time"), [("time.sleep(1)", True), ("spin(1)", False)])
def test_a_cold_start_counts_by_the_work_that_it_is_not_by_how_busy_this_machine_is(
    sandbox: Sandbox, deploy: Any, function: Functions, *, cold_start: str, in_time: bool
) -> None:
    code = f"""
        import time
        def spin(seconds):
            while time.process_time() < seconds:
                pass
        {cold_start}
        def handler(event, context): return "fine"
    """
    arn = deploy({"Resources": function(code)}).resources["Function"]

    def call() -> Invocation:
        return sandbox.functions.invoke(arn, {}, invoked_by=ADMIN, timeout=0.8)

    if in_time:
        assert call().json() == "fine"
    else:
        with pytest.raises(InvocationTimeoutError):
            call()


def test_reserved_concurrency_of_zero_stops_a_function(
    sandbox: Sandbox, deploy: Any, function: Functions
) -> None:
    stack = deploy({"Resources": function("def handler(e, c): return 1", ReservedConcurrentExecutions=0)})

    with pytest.raises(AwsError, match="TooManyRequestsException"):
        sandbox.functions.invoke(stack.resources["Function"], {}, invoked_by=ADMIN)


def test_the_invoke_api_answers_boto3(sandbox: Sandbox, run: Any) -> None:
    name = run(
        "def handler(e, c):\n    if e.get('fail'): raise KeyError('x')\n    return e", {"a": 1}
    ).function_arn
    client = sandbox.boto3_client("lambda")

    good = client.invoke(FunctionName=name, Payload=b'{"a": 2}', LogType="Tail")
    bad = client.invoke(FunctionName=name, Payload=b'{"fail": true}')

    assert json.load(good["Payload"]) == {"a": 2}
    assert good["StatusCode"] == 200
    assert "FunctionError" not in good
    assert bad["FunctionError"] == "Unhandled"
    with pytest.raises(ClientError, match="Function not found"):
        client.invoke(FunctionName="nobody")


def test_a_node_function_runs_too(sandbox: Sandbox, run: Any) -> None:
    code = """
        let calls = 0;
        exports.handler = async (event, context) => {
            console.log("twice\\nof", event.n);
            return { twice: event.n * 2, calls: ++calls, left: context.getRemainingTimeInMillis() > 2000 };
        };
    """
    first = run(code, {"n": 21}, Runtime="nodejs22.x", Timeout=5)
    second = sandbox.functions.invoke(first.function_arn, {"n": 1}, invoked_by=ADMIN)

    assert first.json() == {"twice": 42, "calls": 1, "left": True}
    assert second.json() == {"twice": 2, "calls": 2, "left": True}
    assert first.logs[1].split("\t")[1:] == [first.request_id, "INFO", "twice\nof 21"]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('no'); }", "TypeError", "no"),
        ("exports.handler = (event, context, callback) => callback('no')", "string", "no"),
        ("exports.other = 1", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("throw new RangeError('at once')", "RangeError", "at once"),
        ("exports.handler = async () => process.exit(3)", "Runtime.ExitError", "exit status 3"),
    ],
)
def test_a_node_function_fails_as_lambda_tells_it(run: Any, code: str, kind: str, message: str) -> None:
    invocation = run(code, Runtime="nodejs22.x")

    assert invocation.function_error == "Unhandled"
    assert invocation.json()["errorType"] == kind
    assert invocation.json()["errorMessage"].endswith(message)
    assert any(message in line for line in invocation.logs)


def test_the_sdk_for_javascript_finds_buckets_without_asking_for_a_name_of_theirs(
    sandbox: Sandbox, run: Any
) -> None:
    # It takes the bucket into the host's name, if the endpoint has a name; not every machine resolves bucket.localhost.
    code = "exports.handler = async () => process.env.AWS_ENDPOINT_URL_S3"
    assert run(code, Runtime="nodejs22.x").json() == sandbox.endpoint_url.replace("localhost", "127.0.0.1")


def test_a_runtime_that_cannot_be_run_is_refused_by_name(deploy: Any, function: Functions) -> None:
    stack = deploy({"Resources": function("class X {}", Runtime="java21")})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "the sandbox does not emulate AWS::Lambda::Function Runtime=java21" in stack.reasons


def test_a_role_that_does_not_trust_lambda_is_refused(deploy: Any, function: Functions, role: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    stack = deploy({"Resources": {**function("x = 1"), "Role": role(trust=trust)}})

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "cannot be assumed by Lambda" in stack.reasons
