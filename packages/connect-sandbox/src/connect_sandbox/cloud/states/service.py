"""The state machines of the account: executions, their tasks with the rights of the machine's role, and the API.

Sources: AWS Step Functions developer guide, "Integrating other services" (Lambda, SQS, SNS, DynamoDB, EventBridge, AWS
SDK), API reference.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.environment import make_client
from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.cloud.functions import InvocationTimeoutError
from connect_sandbox.cloud.principals import RolePrincipal
from connect_sandbox.cloud.states.machine import Play, Visit, as_text, run
from connect_sandbox.cloud.states.paths import StatesError

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.faults import Faults
    from connect_sandbox.cloud.functions import Functions
    from connect_sandbox.cloud.principals import Principal, Principals
    from connect_sandbox.cloud.triggers.targets import Targets
    from connect_sandbox.cloud.values import Member

#: Optimized integrations by service and action: boto3's service and method.
_OPTIMIZED = {
    ("sqs", "sendMessage"): ("sqs", "send_message"),
    ("sns", "publish"): ("sns", "publish"),
    ("dynamodb", "getItem"): ("dynamodb", "get_item"),
    ("dynamodb", "putItem"): ("dynamodb", "put_item"),
    ("dynamodb", "updateItem"): ("dynamodb", "update_item"),
    ("dynamodb", "deleteItem"): ("dynamodb", "delete_item"),
    ("events", "putEvents"): ("events", "put_events"),
}
_SDK_NAMES = {"sfn": "stepfunctions", "cloudwatchlogs": "logs"}


@dataclass
class StateMachine:
    """A state machine; `kind` is STANDARD or EXPRESS."""

    name: str
    arn: str
    role_arn: str
    definition: dict[str, Any]
    kind: str = "STANDARD"
    created: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclass
class Execution:
    """One execution. `waited` is how many seconds it would have waited; `visits` are the states it entered."""

    arn: str
    name: str
    machine: StateMachine
    input: str
    status: str = "RUNNING"
    output: str = ""
    error: str = ""
    cause: str = ""
    visits: list[Visit] = field(default_factory=list)
    waited: float = 0.0
    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    stopped: dt.datetime | None = None


class StateMachines:
    """Executes state machines in the background. `executions` is every execution."""

    def __init__(
        self,
        account: str,
        region: str,
        *,
        authorization: Authorization,
        principals: Principals,
        functions: Functions,
        endpoint_url: str,
        targets: Targets,
    ) -> None:
        """State machines become a kind of target; their tasks call the sandbox at `endpoint_url`."""
        self.machines: dict[str, StateMachine] = {}
        self.executions: dict[str, Execution] = {}
        self._place = f"{region}:{account}"
        self._region = region
        self._authorization = authorization
        self._principals = principals
        self._functions = functions
        self._endpoint_url = endpoint_url
        self._changed = threading.Condition()
        self._workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="state-machine")
        targets.add("states", self._from_service)

    def close(self) -> None:
        """Start no further execution."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def put(self, name: str, role_arn: str, definition: dict[str, Any], kind: str) -> StateMachine:
        """Add or replace a state machine."""
        arn = f"arn:aws:states:{self._place}:stateMachine:{name}"
        self.machines[arn] = StateMachine(name, arn, role_arn, definition, kind)
        return self.machines[arn]

    def get(self, arn: str) -> StateMachine:
        """Return a state machine; raise StateMachineDoesNotExist."""
        if arn not in self.machines:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machines[arn]

    def start(self, arn: str, text: str, name: str = "", *, here: bool = False) -> Execution:
        """Start an execution; `here`: play it in this thread, and return it when it has ended."""
        machine = self.get(arn)
        try:
            data = json.loads(text or "{}")
        except ValueError:
            raise AwsError("InvalidExecutionInput", "Invalid State Machine Execution Input") from None
        name = name or str(uuid.uuid4())
        execution = Execution(
            arn.replace(":stateMachine:", ":execution:") + f":{name}", name, machine, text or "{}"
        )
        if execution.arn in self.executions:
            raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{execution.arn}'")
        self.executions[execution.arn] = execution
        if here:
            self._play(execution, data)
        else:
            self._workers.submit(copy_context().run, self._play, execution, data)
        return execution

    def wait(self, execution_arn: str, timeout: float = 30.0) -> Execution:
        """Wait until an execution has ended; return it."""
        execution = self.executions[execution_arn]
        with self._changed:
            self._changed.wait_for(lambda: execution.status != "RUNNING", timeout)
        return execution

    def idle(self, timeout: float = 30.0) -> bool:
        """Wait until no execution runs; return whether that is so."""
        with self._changed:
            running = self.executions.values()
            return self._changed.wait_for(lambda: all(one.status != "RUNNING" for one in running), timeout)

    def _from_service(self, sender: Principal, arn: str, message: str) -> None:
        decision = self._authorization.decide(sender, "states:StartExecution", arn)
        if not decision.allowed:
            raise AwsError("AccessDeniedException", decision.message, 403)
        self.start(arn, message)

    def _play(self, execution: Execution, data: Any) -> None:  # noqa: ANN401
        machine = execution.machine
        context = {
            "Execution": {
                "Id": execution.arn,
                "Input": data,
                "Name": execution.name,
                "RoleArn": machine.role_arn,
                "StartTime": execution.started.isoformat(timespec="milliseconds"),
            },
            "StateMachine": {"Id": machine.arn, "Name": machine.name},
        }
        play = Play(_Tasks(self, machine, self._clients_of(machine)).run, context)
        status = "FAILED"
        try:
            execution.output = as_text(run(machine.definition, data, play))
            status = "SUCCEEDED"
        except StatesError as error:
            execution.error, execution.cause = error.error, error.cause
        except Exception as error:
            # Whoever waits for the execution must learn of a bug in the sandbox.
            execution.error, execution.cause = "States.Runtime", f"the sandbox failed: {error}"
            raise
        finally:
            with self._changed:
                execution.visits, execution.waited = play.visits, play.waited
                execution.stopped = dt.datetime.now(dt.UTC)
                execution.status = status
                self._changed.notify_all()

    def _clients_of(self, machine: StateMachine) -> Callable[[str], Any]:
        """Return what makes boto3 clients with the credentials of the machine's role."""
        credentials = self._principals.issue(machine.role_arn, machine.name)
        self._functions.told.serves(credentials.access_key_id)

        def client(service: str) -> Any:  # noqa: ANN401
            return make_client(
                self._region,
                service,
                endpoint_url=self._endpoint_url,
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token,
                config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
            )

        return client

    def invoke(self, machine: StateMachine, function: str, payload: Any, limit: float) -> Any:  # noqa: ANN401
        """Invoke a function with the role of a machine; return the answer and the version that gave it."""
        principal = RolePrincipal(machine.role_arn, machine.name)
        try:
            invocation = self._functions.invoke(
                function, as_text(payload), invoked_by=principal, timeout=limit
            )
        except AwsError as error:
            raise StatesError(f"Lambda.{error.code}", error.message) from error
        except InvocationTimeoutError as error:
            raise StatesError("States.Timeout", str(error)) from error
        if invocation.function_error:
            told = invocation.json()
            name = (
                str(told.get("errorType") or "Lambda.Unknown") if isinstance(told, dict) else "Lambda.Unknown"
            )
            raise StatesError(name, invocation.payload.decode())
        return invocation.json()


class _Tasks:
    """Runs the tasks of one execution."""

    def __init__(self, machines: StateMachines, machine: StateMachine, clients: Callable[[str], Any]) -> None:
        self._machines = machines
        self._machine = machine
        self._clients = clients

    def run(self, resource: str, parameters: Any, limit: float) -> Any:  # noqa: ANN401
        """Run a task by its resource."""
        limit = min(limit, 900.0)
        if ":lambda:" in resource and ":function:" in resource:
            return self._machines.invoke(self._machine, resource, parameters, limit)
        integration = resource.partition(":states:::")[2]
        if integration == "lambda:invoke":
            payload = self._machines.invoke(
                self._machine, str(parameters["FunctionName"]), parameters.get("Payload", {}), limit
            )
            return {"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}
        parts = integration.split(":")
        if parts[0] == "aws-sdk" and len(parts) == 3:
            return self._call(
                _SDK_NAMES.get(parts[1], parts[1]),
                xform_name(parts[2][:1].upper() + parts[2][1:]),
                parameters,
            )
        known = _OPTIMIZED.get((parts[0], parts[1])) if len(parts) == 2 else None
        if known is None:
            raise StatesError("States.Runtime", f"the sandbox does not emulate the task {resource}")
        return self._call(*known, parameters)

    def _call(self, service: str, method: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        given = dict(parameters)
        if service == "sqs" and not isinstance(given.get("MessageBody", ""), str):
            given["MessageBody"] = as_text(given["MessageBody"])
        if service == "sns" and not isinstance(given.get("Message", ""), str):
            given["Message"] = as_text(given["Message"])
        if service == "events":
            given["Entries"] = [
                {**one, "Detail": one["Detail"] if isinstance(one["Detail"], str) else as_text(one["Detail"])}
                for one in given["Entries"]
            ]
        try:
            answer = getattr(self._clients(service), method)(**given)
        except ClientError as error:
            prefix = {"sqs": "SQS", "sns": "SNS", "dynamodb": "DynamoDB"}.get(service, service.capitalize())
            raise StatesError(f"{prefix}.{error.response['Error']['Code']}", str(error)) from error
        except (AttributeError, BotoCoreError, SandboxError) as error:
            raise StatesError("States.Runtime", f"{service}.{method}: {error}") from error
        answer.pop("ResponseMetadata", None)
        return json.loads(json.dumps(answer, default=str))


class StatesApi(AwsService):
    """The Step Functions API."""

    service_name = "stepfunctions"

    def __init__(self, faults: Faults, machines: StateMachines) -> None:
        """Take the machines."""
        super().__init__(faults)
        self._machines = machines

    def start_execution(self, state_machine_arn: str, **request: Member) -> dict[str, Any]:
        """Start an execution in the background."""
        execution = self._machines.start(state_machine_arn, request.get("input", ""), request.get("name", ""))
        return {"executionArn": execution.arn, "startDate": execution.started}

    def start_sync_execution(self, state_machine_arn: str, **request: Member) -> dict[str, Any]:
        """Play an execution of an express machine and return what it answers."""
        if self._machines.get(state_machine_arn).kind != "EXPRESS":
            raise AwsError(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            )
        execution = self._machines.start(
            state_machine_arn, request.get("input", ""), request.get("name", ""), here=True
        )
        return self.describe_execution(execution.arn)

    def describe_execution(self, execution_arn: str, **_request: Member) -> dict[str, Any]:
        """Describe an execution."""
        execution = self._machines.executions.get(execution_arn)
        if execution is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution_arn}'")
        told = {
            "output": execution.output,
            "error": execution.error,
            "cause": execution.cause,
            "stopDate": execution.stopped,
        }
        return {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            "input": execution.input,
            **{name: value for name, value in told.items() if value},
        }

    def list_executions(self, **request: Member) -> dict[str, Any]:
        """List the executions of a machine, the latest first."""
        found = [
            one
            for one in self._machines.executions.values()
            if one.machine.arn == request.get("state_machine_arn")
        ]
        return {
            "executions": [
                {
                    "executionArn": one.arn,
                    "stateMachineArn": one.machine.arn,
                    "name": one.name,
                    "status": one.status,
                    "startDate": one.started,
                }
                for one in reversed(found)
            ]
        }

    def describe_state_machine(self, state_machine_arn: str, **_request: Member) -> dict[str, Any]:
        """Describe a machine."""
        machine = self._machines.get(state_machine_arn)
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": json.dumps(machine.definition),
            "roleArn": machine.role_arn,
            "type": machine.kind,
            "creationDate": machine.created,
        }

    def list_state_machines(self, **_request: Member) -> dict[str, Any]:
        """List the machines."""
        return {
            "stateMachines": [
                {"stateMachineArn": one.arn, "name": one.name, "type": one.kind, "creationDate": one.created}
                for one in self._machines.machines.values()
            ]
        }
