"""The sandbox of a pytest run: the fixture `sandbox`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from connect_sandbox.cloud import Sandbox
from connect_sandbox.iam import AuditEntry
from connect_sandbox.rehearsal.conditions import Move
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.reading import Reader, checked
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.rehearsal.setup_reader import read_moves, read_setup
from connect_sandbox.runs import Recorder
from connect_sandbox.workbench.as_deployed import AsDeployed
from connect_sandbox.workbench.deploying import DeployedStack, Deployer
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.lines import Line
from connect_sandbox.workbench.live import LiveCall
from connect_sandbox.workbench.place import Place

TABLE, FUNCTION = "AWS::DynamoDB::Table", "AWS::Lambda::Function"
#: What the CDK appends to the logical ids of constructs.
_HASH = re.compile(r"[0-9A-F]{8}$")
#: Folders beside an app's files that its tools write.
_NOT_THE_APPS = frozenset({"__pycache__", "cdk.out", "node_modules", "venv", "build", "dist", "target"})


@dataclass(frozen=True)
class Deployed:
    """What `deploy` has deployed: outputs by stack."""

    outputs: Mapping[DeployedStack, Mapping[str, str]]

    @property
    def stacks(self) -> dict[str, Mapping[str, str]]:
        """The outputs by the stack's name; of several that have one name, those of the last."""
        return {stack.name: outputs for stack, outputs in self.outputs.items()}

    def output(self, key: str, *, account: str | None = None, region: str | None = None) -> str:
        """Return an output by its key; LookupError unless one stack has it, in this account and Region if given."""
        seen = {
            stack: outputs
            for stack, outputs in self.outputs.items()
            if account in {None, stack.account} and region in {None, stack.region}
        }
        having = [stack for stack, outputs in seen.items() if key in outputs]
        if len(having) == 1:
            return seen[having[0]][key]
        if having:
            where = ", ".join(f"{stack.name} in {stack.account}/{stack.region}" for stack in having)
            raise LookupError(
                f"{len(having)} stacks have an output {key}: {where}; choose by account= or region="
            )
        known = ", ".join(sorted({one for outputs in seen.values() for one in outputs})) or "none"
        raise LookupError(f"no stack has an output {key}; there are {known}")


@dataclass(frozen=True)
class Table:
    """A deployed table. Items are dicts of Python values."""

    name: str
    client: Any

    def items(self) -> list[dict[str, Any]]:
        """Return all items."""
        read = TypeDeserializer().deserialize
        return [{key: read(value) for key, value in item.items()} for item in self.rows()]

    def put(self, *items: Mapping[str, Any]) -> None:
        """Put items."""
        write = TypeSerializer().serialize
        for item in items:
            told = {key: write(value) for key, value in item.items()}
            self.client.put_item(TableName=self.name, Item=told)

    def rows(self) -> list[dict[str, Any]]:
        """Return all items as the API has them."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


@dataclass
class Run:
    """What all tests of a run share: the sandbox, what is deployed, and the state that this has left.

    `deployed` is by what `deploy` was told, with the state of the app's files; `by_whom` says which of it a stack is.
    """

    sandbox: Sandbox
    scratch: Path
    state: AsDeployed
    deployed: dict[object, tuple[object, Deployed]] = field(default_factory=dict)
    by_whom: dict[DeployedStack, object] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def start(cls, folder: Path, account: str, region: str, told: Path) -> Iterator[Run]:
        """Start the sandbox of a run. told: the run file that is written."""
        recorder = Recorder(told, title="pytest", tell=lambda problem: print(problem, file=sys.stderr))
        with Sandbox.start(folder, account=account, region=region, run=recorder) as sandbox:
            yield cls(sandbox, folder / "assemblies", AsDeployed.of(sandbox))

    def known(self, key: object, files: object) -> Deployed | None:
        """Return what was deployed so; None if the app has changed since, or another one has its stacks."""
        seen, made = self.deployed.get(key, (None, None))
        if made is None or seen != files or any(self.by_whom[stack] != key for stack in made.outputs):
            return None
        return made

    def keep(self, key: object, files: object, stacks: Iterable[DeployedStack]) -> Deployed:
        """Note that stacks were deployed, and the state that this has left."""
        outputs = {}
        for stack in stacks:
            self.by_whom[stack] = key
            place = self.sandbox.at(account=stack.account, region=stack.region)
            outputs[stack] = place.stack_outputs(stack.name)
        self.deployed[key] = (files, Deployed(outputs))
        self.state = AsDeployed.of(self.sandbox, self.state)
        return self.deployed[key][1]


class TestSandbox:
    """The sandbox as one test sees it. Paths are relative to `folder`, or to `root` for what is not there.

    `cloud` is the Sandbox itself, for everything else.
    """

    __test__ = False

    def __init__(self, run: Run, folder: Path, root: Path) -> None:
        self.cloud = run.sandbox
        self._run = run
        self._folder, self._root = folder, root
        self._began = datetime.now(UTC)
        self._calls: list[LiveCall] = []

    def deploy(
        self,
        app: str | Path,
        *stacks: str,
        name: str | None = None,
        parameters: Mapping[str, str] | None = None,
        context: Mapping[str, str] | None = None,
        tolerate: Iterable[str] = (),
    ) -> Deployed:
        """Deploy a CDK app, a cloud assembly or a template, once in a run: a later test gets the same stacks.

        It is deployed again if a file of it has changed, or if another app was deployed over its stacks. Each stack
        goes to the account and Region of its `env`.

        `stacks`: only these. `name` and `parameters` are for a template, `context` for a CDK app. `tolerate` names
        resource types that may be missing ("AWS::WAFv2::*"); `cloud.not_rehearsed` lists what is. Raises CdkFailedError
        or DeploymentFailedError with what went wrong.
        """
        path = self._path(app).resolve()
        key = (path, stacks, name, *(tuple(sorted((one or {}).items())) for one in (parameters, context)))
        known = self._run.known(key, _files(path))
        if known is not None:
            return known
        patterns = self.cloud.tolerance.patterns
        self.cloud.tolerance.add(tolerate)
        # The AWS SDK that the app has installed, or `connect-sandbox deploy` beside it.
        for folder in (path, Place.of(path).folder):
            self.cloud.functions.node_sdk.take_from(folder)
        try:
            made = Deployer(self.cloud, self._run.scratch, print).deploy(
                path, stacks, name=name, parameters=parameters, context=context
            )
        finally:
            self.cloud.tolerance.patterns = patterns
        return self._run.keep(key, _files(path), made)  # now: a CDK app may note its lookups beside its files

    def call(
        self,
        called: str,
        caller: Iterable[Move | dict[str, Any] | str] = (),
        *,
        account: str | None = None,
        region: str | None = None,
        **setup: Any,  # noqa: ANN401
    ) -> LiveCall:
        """Call a number (E.164), or a flow by its name; answer it by `presses`, `says`, … .

        `caller` and `setup` take what scenario files take: `number="+12065550142"`,
        `queues={"Support": {"at_capacity": True}}`, `lambdas={"lookup": {"times_out": True}}`. `account` and `region`
        choose between flows of one name.
        """
        line = Line.find(self.cloud, called, account=account, region=region)
        return self._begin(line, caller, {"channel": "VOICE", **setup})

    def chat(
        self,
        called: str,
        caller: Iterable[Move | dict[str, Any] | str] = (),
        *,
        account: str | None = None,
        region: str | None = None,
        **setup: Any,  # noqa: ANN401
    ) -> LiveCall:
        """Start a chat with a flow, otherwise like `call`."""
        line = Line.find(self.cloud, called, account=account, region=region)
        return self._begin(line, caller, {**setup, "channel": "CHAT"})

    def plays(self, scenarios: str | Path, called: str) -> list[Contact]:
        """Play each scenario of a file; AssertionError, with the transcript, at the first that goes differently."""
        line = Line.find(self.cloud, called)
        return [line.play(scenario) for scenario in ScenarioFile.load(self._path(scenarios)).scenarios]

    def table(self, name: str, *, account: str | None = None, region: str | None = None) -> Table:
        """Return a deployed table by its logical id (of the CDK also without the hash) or its name."""
        place, table = self._physical(TABLE, name, account, region)
        return Table(table, place.boto3_client("dynamodb"))

    def logs(self, function: str, *, account: str | None = None, region: str | None = None) -> list[str]:
        """Return what a function has printed during this test; it is named like a table."""
        place, name = self._physical(FUNCTION, function, account, region)
        group = place.lambda_state.get(name).log_group
        client = place.boto3_client("logs")
        try:
            events = client.filter_log_events(
                logGroupName=group, startTime=int(self._began.timestamp() * 1000)
            )["events"]
        except client.exceptions.ResourceNotFoundException:
            return []
        return [str(event["message"]) for event in events]

    def denied(self) -> list[AuditEntry]:
        """Return the calls that IAM has refused during this test."""
        return [one for one in self.cloud.audit.calls(allowed=False) if one.time >= self._began]

    def shown(self) -> str:
        """Return the command that shows what has happened on this test's last call; empty without a call."""
        if not self._calls or self.cloud.run.path is None:
            return ""
        return f"connect-sandbox show {self.cloud.run.path} --contact {self._calls[-1].contact_id}"

    def ended(self) -> None:
        """Hang up on calls that still go on, and set the sandbox back to the state in which it was deployed."""
        for call in self._calls:
            call.closed()
        self._run.state.set_back(self.cloud)

    def _begin(self, line: Line, caller: Iterable[Any], setup: dict[str, Any]) -> LiveCall:
        problems: list[str] = []
        read = read_setup(Reader(setup, "", problems), self._folder)
        moves = read_moves(Reader(list(caller), "caller", problems))
        checked(problems, "call")
        call = LiveCall(line, read, moves)
        self._calls.append(call)
        return call

    def _path(self, path: str | Path) -> Path:
        near = self._folder / path
        return near if near.exists() else self._root / path

    def _of_type(self, kind: str) -> list[tuple[Sandbox, str, str]]:
        """Return place, stack and logical id, and physical id of all resources of a type."""
        return [
            (place, f"{stack.name}/{logical_id}", resource.created.physical_id)
            for place in self.cloud.places()
            for stack in place.deployments.stacks()
            if stack.exists
            for logical_id, resource in stack.resources.items()
            if resource.declared.type == kind
        ]

    def _physical(self, kind: str, name: str, account: str | None, region: str | None) -> tuple[Sandbox, str]:
        known = [
            one
            for one in self._of_type(kind)
            if account in {None, one[0].account} and region in {None, one[0].region}
        ]
        for named in (_physically, _logically, _without_hash):
            found = [(place, physical) for place, where, physical in known if name == named(where, physical)]
            if len(found) == 1:
                return found[0]
            if found:
                several = len({(place.account, place.region) for place, _ in found}) > 1
                raise WorkbenchError(
                    f"{len(found)} resources of type {kind} are called {name!r}: give a name"
                    f"{', or account= or region=' if several else ''}"
                )
        raise WorkbenchError(
            f"no resource of type {kind} is called {name!r}; there are "
            f"{', '.join(where for _, where, _ in known) or 'none'}"
        )


def _files(app: Path) -> object:
    """Return what changes with the files of an app; what tools have put beside them does not count."""
    if app.is_file():
        return app.read_bytes()
    return [
        (str(path), status.st_size, status.st_mtime_ns)
        for path in sorted(_below(app))
        for status in (path.stat(),)
    ]


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _NOT_THE_APPS or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.is_file():
            yield path


def _physically(_where: str, physical: str) -> str:
    return physical


def _logically(where: str, _physical: str) -> str:
    return where.partition("/")[2]


def _without_hash(where: str, _physical: str) -> str:
    return _HASH.sub("", where.partition("/")[2])
