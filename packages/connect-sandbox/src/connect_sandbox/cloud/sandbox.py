"""The sandbox: as much of AWS as it takes to deploy and rehearse an app, on one laptop, behind one port."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlparse

from botocore.config import Config

from connect_sandbox.cloud.api_gateway.access_log import AccessLog
from connect_sandbox.cloud.api_gateway.http_api import HttpApis
from connect_sandbox.cloud.api_gateway.registry import ApiRegistry
from connect_sandbox.cloud.api_gateway.runtime import ApiRuntime
from connect_sandbox.cloud.api_gateway_api import ApiGatewayApi
from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.aws_service import error_response
from connect_sandbox.cloud.cdk_cli import CdkRun, find_cdk, run_cdk
from connect_sandbox.cloud.cfn.api import CloudFormationApi
from connect_sandbox.cloud.cfn.deployer import Deployer
from connect_sandbox.cloud.cfn.engine import DeploymentEngine
from connect_sandbox.cloud.cfn.services import Services
from connect_sandbox.cloud.cfn.types import all_types
from connect_sandbox.cloud.cfn.types.custom import RESPONSE_PATH, CustomResource, CustomResponses
from connect_sandbox.cloud.cfn.warnings import association_warnings
from connect_sandbox.cloud.chats import Chats
from connect_sandbox.cloud.chime_api import ChimeVoiceApi, VoiceConnectors
from connect_sandbox.cloud.connect_api import ConnectApi
from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.contact_center import ContactCenter
from connect_sandbox.cloud.ec2_api import Ec2Api
from connect_sandbox.cloud.environment import (
    ACCOUNT,
    ADMIN_ACCESS_KEY,
    REGION,
    check_place,
    make_client,
    sandbox_environment,
)
from connect_sandbox.cloud.errors import AwsError, SandboxError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.front import Front
from connect_sandbox.cloud.function_logs import FunctionLogs
from connect_sandbox.cloud.functions import Functions
from connect_sandbox.cloud.http import HttpRequest, HttpResponse, HttpServer
from connect_sandbox.cloud.lambda_api import LambdaApi
from connect_sandbox.cloud.lambda_state import LambdaState
from connect_sandbox.cloud.lex_api import Bots, LexApi
from connect_sandbox.cloud.logs_api import LogsApi
from connect_sandbox.cloud.moto import MOTO_URL, Moto
from connect_sandbox.cloud.participant_api import ParticipantApi
from connect_sandbox.cloud.places import Places
from connect_sandbox.cloud.principals import Principals
from connect_sandbox.cloud.quotas import Quotas
from connect_sandbox.cloud.service_quotas_api import ServiceQuotasApi
from connect_sandbox.cloud.sns import SNS_PATH, Sns
from connect_sandbox.cloud.sns_api import SnsApi
from connect_sandbox.cloud.states.service import StateMachines, StatesApi
from connect_sandbox.cloud.test_cases import Player, TestCases
from connect_sandbox.cloud.told import Told
from connect_sandbox.cloud.told_requests import ToldRequests
from connect_sandbox.cloud.tolerance import NotRehearsed, Tolerance
from connect_sandbox.cloud.triggers.asynchronous import AsyncInvocations
from connect_sandbox.cloud.triggers.bucket_events import BucketEvents
from connect_sandbox.cloud.triggers.buses import Buses, EventsApi
from connect_sandbox.cloud.triggers.mappings import Mappings
from connect_sandbox.cloud.triggers.targets import Targets
from connect_sandbox.cloud.troubles import Troubles
from connect_sandbox.iam import AuditLog
from connect_sandbox.moto_internals import load_services, service_model
from connect_sandbox.runs import Recorder

#: What a command inherits from this machine; everything else of its environment stays out. The second line is what
#: pip needs to reach its index when an app bundles functions for the first time.
_INHERITED = re.compile(
    r"PATH|HOME|LANG|TMPDIR|NODE_OPTIONS|VIRTUAL_ENV|SYSTEMROOT|XDG_CACHE_HOME"
    r"|PIP_\w+|UV_\w+|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|(?i:https?_proxy|all_proxy)"
)

#: Services, by moto's names, in which most apps and the CDK's bootstrap make something.
_DEPLOYED_WITH = ("iam", "s3", "ecr", "ssm", "sts", "dynamodb", "kms", "logs", "secretsmanager")


class Sandbox:
    """A running sandbox; `Sandbox.start(work_dir)` is a context manager.

    Attributes: `endpoint_url`, `region`, `account`; `audit` (every IAM decision), `warnings` (what AWS might
    reject), `functions`, `connect`, `contact_center`, `bots`, `test_cases`, `chats`, `sns`, `voice_connectors`,
    `faults`, `quotas`, `run` (what happens, see docs/run-file.md). One at a time in a process.

    These are of the one account and Region that it was started as. `at(account=, region=)` is another place of it, with
    resources of its own and the same attributes, of which `endpoint_url`, `audit`, `warnings`, `faults`, `run` and
    `tolerance` are common to all.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        work_dir: Path,
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        port: int = 0,
        inherit: Sequence[str] = (),
        tolerate: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        run: Path | Recorder | None = None,
    ) -> None:
        """Prepare a sandbox that keeps its files in `work_dir`; `__enter__` starts it on `port` (0: a free one).

        `account` has 12 digits; `region` is one of the partition aws (not of China or GovCloud). Both may be the real
        ones of an app that names them: nothing is sent there. Anything else is a ValueError.

        `inherit` names environment variables of this process that commands and the app's synthesis see too, with
        wildcards: "MY_APP_*", and `variables` gives some more. Of the rest they see PATH, HOME and what the CDK, npm
        and pip need. `tolerate` names resource types that are recorded, not made, where the sandbox cannot make them,
        with wildcards: "AWS::WAFv2::*". `not_rehearsed` lists them; a call that goes through one fails and says so.

        `run` is told what happens: a file that is begun anew (docs/run-file.md), a recorder, or one in memory.
        """
        check_place(account, region)
        self.run = run if isinstance(run, Recorder) else Recorder(run)
        self.told = Told(self.run)
        self.tolerance = Tolerance(tolerate)
        self._inherit = tuple(inherit)
        self._variables = dict(variables or {})
        self.region = region
        self.account = account
        self._places = Places(self, self._another)
        self.warnings: list[str] = []
        self.audit = AuditLog()
        self.audit.told_to = self.told.decided
        self.faults = Faults()
        self.troubles = Troubles()
        self.troubles.told_to = lambda trouble, begins: self.told.fault(
            trouble.target, trouble.kind, begins=begins
        )
        self.faults.told_to = lambda fault, begins: self.told.fault(
            f"{fault.service}:{fault.operation}", fault.kind, begins=begins
        )
        self.quotas = Quotas()
        self._work_dir = work_dir.resolve()
        self._cdk_home = self._work_dir / "cdk-home"
        self._port = port
        self._exit = ExitStack()
        self._clients: dict[str, Any] = {}
        self._deployers: dict[str, Deployer] = {}
        self._client_lock = threading.Lock()

    @classmethod
    def start(
        cls,
        work_dir: Path,
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        port: int = 0,
        inherit: Sequence[str] = (),
        tolerate: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        run: Path | Recorder | None = None,
    ) -> Sandbox:
        """Return a sandbox to use in a `with` statement; the arguments are the constructor's."""
        return cls(
            work_dir,
            account=account,
            region=region,
            port=port,
            inherit=inherit,
            tolerate=tolerate,
            variables=variables,
            run=run,
        )

    def __enter__(self) -> Self:
        """Start everything; the port is open on return."""
        if not self._running.acquire(blocking=False):
            raise SandboxError(
                "another sandbox runs in this process, and moto's state is global; stop that one first"
            )
        self._exit.callback(self._running.release)
        self._exit.callback(self.run.close)
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop every process and delete every resource."""
        self._exit.close()

    # -- for tests and rehearsals

    @property
    def not_rehearsed(self) -> list[NotRehearsed]:
        """The deployed resources that do not do here what they are for: tolerated, or recorded without effect."""
        return self.deployments.not_rehearsed()

    def only_at(self, places: Collection[tuple[str, str]]) -> None:
        """Forget every place but the first and these, by account and Region."""
        self._places.only(places)

    def environment(self) -> dict[str, str]:
        """Return the environment that points a command (the CDK, the AWS CLI, a test) at the sandbox and not at AWS."""
        return {
            **{name: value for name, value in os.environ.items() if self._inherits(name)},
            **self._variables,
            **sandbox_environment(
                self.endpoint_url,
                self.account,
                self.region,
                cdk_home=self._cdk_home,
                access_key=self.access_key,
            ),
        }

    def boto3_client(self, service: str, *, account: str | None = None, region: str | None = None) -> Any:  # noqa: ANN401  (boto3's clients have no common type)
        """Return a boto3 client with the developer's permissions; its calls go over HTTP like anyone's.

        `account` and `region` are by default the sandbox's own; ValueError for what is no account or no Region.
        """
        there = self.at(account=account, region=region)
        return self._client(service) if there is self else there.boto3_client(service)

    def at(self, *, account: str | None = None, region: str | None = None) -> Sandbox:
        """Return the place of this sandbox in another account or Region, by default in the same; made when first asked.

        ValueError for what is no account or no Region of the partition aws.
        """
        return self._places.at(account or self.account, region or self.region)

    def places(self) -> list[Sandbox]:
        """Return every account and Region that something has asked for; first what the sandbox was started as."""
        return self._places.all()

    def cdk(self, *arguments: str, cwd: Path, on_line: Callable[[str], None] | None = None) -> CdkRun:
        """Run the CDK command line, for example `cdk("deploy", "--method=direct", cwd=project)`.

        bootstrap needs no environment and runs outside `cwd`, so that it does not synthesize the app
        needlessly; deploy never asks for approval. Raises CdkFailedError with the last lines of output.
        """
        command = find_cdk(cwd)
        folder = self._work_dir if arguments[:1] == ("bootstrap",) else cwd
        complete = self._complete(arguments)
        self.functions.node_sdk.take_from(cwd)
        return run_cdk(complete, command=command, cwd=folder, environment=self.environment(), on_line=on_line)

    def load(self) -> None:
        """Load what first deployments need, such as the models of services; whoever deploys need not wait for it."""
        load_services(_DEPLOYED_WITH)
        for service in _DEPLOYED_WITH:
            self._moto_client(service)
        for service in ("cloudformation", "s3", "ssm", "sts"):  # what the CDK's command line calls
            service_model(service)
        import_module("jsonschema")  # models of REST APIs

    def stack_outputs(self, stack_name: str) -> dict[str, str]:
        """Return a deployed stack's outputs by key."""
        stack = self.deployments.find(stack_name)
        return {output["OutputKey"]: output["OutputValue"] for output in stack.outputs}

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request that is for this account and Region."""
        if self._front is None:
            return HttpResponse(503, [], b"the sandbox is starting")
        return self._front.handle(request)

    def api_base(self, api_url: str) -> tuple[str, int, str]:
        """Return (host to connect to, port, Host header) for a deployed API's URL."""
        host = urlparse(api_url).hostname
        if host is None or ".execute-api." not in host:
            raise ValueError(
                f"{api_url!r} is no URL of a deployed API (https://ID.execute-api.REGION.amazonaws.com/STAGE)"
            )
        return "127.0.0.1", self._server.port, host

    # -- assembly

    def _start(self) -> None:
        self._work_dir.mkdir(parents=True, exist_ok=True)
        self._moto = self._exit.enter_context(Moto())
        # The parts need the port before they exist; requests are served once everything is in place.
        self._front: Front | None = None
        self._server = HttpServer(self._serve, self._port)
        self.endpoint_url = f"http://localhost:{self._server.port}"
        self._responses = CustomResponses(self.endpoint_url)
        self._build()
        self._server.start()
        self._exit.callback(self._server.stop)

    @property
    def access_key(self) -> str:
        """The access key of the developer in this account."""
        return ADMIN_ACCESS_KEY if self.account == self.places()[0].account else self.account

    def _another(self, account: str, region: str) -> Sandbox:
        """Make the part of this sandbox that is another account or Region."""
        made = Sandbox(
            self._work_dir / "places" / f"{account}-{region}",
            account=account,
            region=region,
            inherit=self._inherit,
            variables=self._variables,
            run=self.run,
        )
        made._places, made.told, made.troubles = self._places, self.told, self.troubles
        made.tolerance, made.faults = self.tolerance, self.faults
        made.warnings, made.audit = self.warnings, self.audit
        made.endpoint_url, made._server, made._cdk_home = self.endpoint_url, self._server, self._cdk_home
        made._moto, made._exit, made._responses = self._moto, self._exit, self._responses
        made._build()
        made.sns.signer = self.sns.signer
        made.functions.node_sdk = self.functions.node_sdk
        there = next((place for place in self.places() if place.account == account), self)
        made.authorization.shares(
            self.authorization, there.authorization if there.account == account else None
        )
        made.contact_center.instances.taken_elsewhere = self.contact_center.instances.taken_elsewhere
        return made

    def _others(self) -> list[Sandbox]:
        return [place for place in self.places() if place is not self]

    def _build(self) -> None:
        self.lambda_state = LambdaState(self.account, self.region, self._code_dir(), self.quotas)
        self.lambda_state.tolerance = self.tolerance
        self.principals = Principals(self.account, self.region)
        self.authorization = Authorization(self.account, self.region, self.audit, self._function_policy)
        self.authorization.troubles = self.troubles
        self.functions = Functions(
            state=self.lambda_state,
            principals=self.principals,
            authorization=self.authorization,
            logs=FunctionLogs(self.endpoint_url, self.region),
            endpoint_url=self.endpoint_url,
            work_dir=self._work_dir,
            told=self.told,
        )
        self.functions.troubles = self.troubles
        self._exit.callback(self.functions.close)
        self.functions.node_sdk.take_from(self._work_dir)
        self.connect = ConnectState(
            self.account, self.region, self.authorization, self.lambda_state, self.quotas
        )
        self.sns = Sns(self.account, self.region, self.authorization, self.endpoint_url, self.warnings.append)
        self.sns.deliveries.troubles = self.troubles
        self._exit.callback(self.sns.close)
        self.contact_center = ContactCenter(
            state=self.connect,
            authorization=self.authorization,
            quotas=self.quotas,
            clients=self._moto_client,
            sns=self.sns,
        )
        self.bots = Bots()
        self.test_cases = TestCases(self.connect, self._test_player)
        self.chats = Chats(self.account, self.region, self.connect, self.sns)
        self.voice_connectors = VoiceConnectors(self.account)
        self.targets = Targets(self.account, self.region, self.authorization, self.told)
        self.targets.add(
            "not-rehearsed", lambda _sender, arn, _message: self.tolerance.check(arn, lambda: "a delivery")
        )
        self.asynchronous = AsyncInvocations(
            self.lambda_state, self.functions, self.authorization, self.targets
        )
        self._exit.callback(self.asynchronous.close)
        self.targets.elsewhere = lambda account, region: self.at(account=account, region=region).targets
        self.sns.sends_to(self.targets)
        self.buses = Buses(self.account, self.region, self.authorization, self._moto_client, self.targets)
        self.mappings = Mappings(
            self.lambda_state, self.functions, self.authorization, self._moto_client, self.targets
        )
        self._exit.callback(self.mappings.close)
        self.bucket_events = BucketEvents(
            self.account, self.region, self.authorization, self.targets, self.buses
        )
        self.state_machines = StateMachines(
            self.account,
            self.region,
            authorization=self.authorization,
            principals=self.principals,
            functions=self.functions,
            endpoint_url=self.endpoint_url,
            targets=self.targets,
        )
        self._exit.callback(self.state_machines.close)
        self.apis = ApiRegistry(self.account, self.region)
        self.access_log = AccessLog(self.apis, self.principals, self.endpoint_url)
        self.http_apis = HttpApis(self.apis, self.functions)
        self.routes = ApiRuntime(self.apis, self.functions, self.access_log)
        services = Services(
            self.authorization,
            self.lambda_state,
            self.functions,
            self._responses,
            self.apis,
            self.connect,
            self.sns,
            self.contact_center,
            self.test_cases,
            self._deployer_of,
            self.targets,
            self.asynchronous,
            self.buses,
            self.mappings,
            self.bucket_events,
            self.http_apis,
            self.state_machines,
            self.bots,
            lambda: self.deployments,
        )
        self.connect.elsewhere = lambda: [place.connect for place in self._others()]
        self.deployments = DeploymentEngine(
            account=self.account,
            region=self.region,
            types=all_types(),
            custom_type=CustomResource(),
            client=self._moto_client,
            services=services,
            before_deploy=lambda _stack, template: self.warnings.extend(association_warnings(template)),
            faults=self.faults,
            tolerance=self.tolerance,
            finished=lambda stack: self.told.deployed(stack, self.account, self.region),
        )
        self.deployments.in_region = lambda region: self.at(region=region).deployments
        lambda_api = LambdaApi(
            self.faults,
            state=self.lambda_state,
            functions=self.functions,
            authorization=self.authorization,
            read_s3=self._read_s3,
            asynchronous=self.asynchronous,
        )
        participants = ParticipantApi(self.faults, self.chats)
        sns_api = SnsApi(self.faults, self.sns, self.principals)
        self._front = Front(
            principals=self.principals,
            authorization=self.authorization,
            moto=self._moto,
            account=self.account,
            execute_api=lambda request: (
                self.http_apis.handle(request)
                or self.routes.handle(request)
                or participants.early(request)
                or self.contact_center.instances.site(request)
            ),
            internal={
                RESPONSE_PATH: self._responses.handle,
                SNS_PATH: sns_api.open_to_anybody,
            },
            services={
                "cloudformation": CloudFormationApi(
                    self.faults, self.deployments, lambda bucket, key: self._read_s3(bucket, key).decode()
                ).handle,
                "apigateway": ApiGatewayApi(self.faults, self.apis).handle,
                "lambda": lambda_api.handle,
                "connect": ConnectApi(
                    self.faults,
                    self.connect,
                    self.contact_center,
                    self.voice_connectors,
                    self.chats,
                    test_cases=self.test_cases,
                ).handle,
                "chime": ChimeVoiceApi(
                    self.faults, self.voice_connectors, self.quotas, self._make_log_group
                ).handle,
                "ec2": Ec2Api(self.faults, self.region).handle,
                "states": StatesApi(self.faults, self.state_machines).handle,
                "lex": LexApi(self.faults, self.bots).handle,
                "servicequotas": ServiceQuotasApi(self.faults, self.quotas, self.account, self.region).handle,
            },
            before_services={
                "lambda": lambda_api.invoke_over_http,
                "logs": LogsApi(self.faults, self.authorization, self.account, self.region).early,
                "sns": sns_api.early,
                "events": EventsApi(self.faults, self.buses).early,
                "s3": self.bucket_events.early,
            },
            troubles=self.troubles,
            tolerance=self.tolerance,
            around_services=ToldRequests(self.account, self.told).around,
            cause_of=self.told.cause_of,
            after_services={
                "monitoring": self.contact_center.alarms.after,
                "s3": self._after_s3,
            },
        )

    def _serve(self, request: HttpRequest) -> HttpResponse:
        if self._front is None:
            return HttpResponse(503, [], b"the sandbox is starting")
        try:
            place = self._places.asked(request)
        except ValueError as nowhere:
            return error_response(AwsError("InvalidRegion", str(nowhere)), "rest-json")
        return place.answer(request)

    def _after_s3(self, request: HttpRequest) -> None:
        # A bucket notifies from its own Region, whoever has changed it from where.
        for place in self.places():
            place.bucket_events.after(request)

    def _code_dir(self) -> Path:
        # Away from the app: Node.js looks into node_modules and package.json of every folder above a function's.
        return Path(self._exit.enter_context(TemporaryDirectory(prefix="connect-sandbox-"))).resolve()

    def _function_policy(self, arn: str) -> dict[str, Any] | None:
        function = self.lambda_state.find(arn)
        return None if function is None else function.policy

    def _test_player(self) -> Player:
        from connect_sandbox.testcase.instance_player import InstancePlayer  # noqa: PLC0415  (it imports this)

        return InstancePlayer(self)

    def _inherits(self, name: str) -> bool:
        return bool(_INHERITED.fullmatch(name)) or any(fnmatchcase(name, wanted) for wanted in self._inherit)

    def _complete(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if arguments and arguments[0] == "bootstrap" and not any(a.startswith("aws://") for a in arguments):
            arguments = (*arguments, f"aws://{self.account}/{self.region}")
        if arguments and arguments[0] == "deploy" and "--require-approval" not in " ".join(arguments):
            arguments = (*arguments, "--require-approval", "never")
        return arguments

    def _read_s3(self, bucket: str, key: str) -> bytes:
        body: bytes = self._moto_client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _make_log_group(self, name: str) -> None:
        logs = self._moto_client("logs")
        try:
            logs.create_log_group(logGroupName=name)
        except logs.exceptions.ResourceAlreadyExistsException:
            return

    def _client(self, service: str) -> Any:  # noqa: ANN401
        return self._make_client(service, self.endpoint_url)

    def _moto_client(self, service: str) -> Any:  # noqa: ANN401
        """Return a client that bypasses the front, for the deployment engine."""
        return self._make_client(service, MOTO_URL)

    def _deployer_of(self, role_arn: str) -> Deployer | None:
        """Return the deployer of a stack's role; None for an administrator, or without a role."""
        if not role_arn or self.authorization.is_administrator(role_arn):
            return None
        if role_arn not in self._deployers:
            place = (self.account, self.region)
            self._deployers[role_arn] = Deployer(role_arn, self.authorization, place, self._moto)
        return self._deployers[role_arn]

    def _make_client(self, service: str, endpoint_url: str) -> Any:  # noqa: ANN401
        with self._client_lock:
            key = f"{service} {endpoint_url}"
            if key not in self._clients:
                # One attempt: a fault that a test asked for should show, not vanish in a retry.
                config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
                told = {"endpoint_url": endpoint_url, "config": config, "access_key": self.access_key}
                made = make_client(self.region, service, **told)
                if endpoint_url == MOTO_URL:
                    made.meta.events.register("before-send", self._moto.in_account(self.account))
                self._clients[key] = made
            return self._clients[key]
