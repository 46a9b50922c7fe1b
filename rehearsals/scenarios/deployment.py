"""What scenarios play on: a sandbox with the environment `dev` of this app, and examples/own_app, really deployed."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from connect_sandbox.cloud import VOICE_CONNECTORS, Sandbox
from connect_sandbox.cloud.chime_api import CALL_TRANSFER
from connect_sandbox.cloud.quotas import INSTANCES
from connect_sandbox.rehearsal.cloud_ports import CALL_TRANSFER_CONNECTOR
from connect_sandbox.runs import Recorder

from rehearsals import environments as known_environments
from rehearsals.environments import NEW, UNVALIDATED
from rehearsals.scenarios.biometrics_path import (
    REDIAL,
    RESUME,
    BiometricsPath,
    BiometricsVendors,
    after_biometrics_deployment,
    after_gate_deployment,
    stack_of,
    with_biometrics,
)
from rehearsals.scenarios.chat_path import (
    CHAT_STACK,
    ChatPath,
    after_deployment,
    environments_with_chats,
    vendor_access,
)
from rehearsals.vendors.chat.client import BotPlatform

VOICE_STACK = "connect-bridges-dev-voice"
NUMBERS_STACK = f"connect-bridges-{NEW}-numbers"
NEW_STACK = f"connect-bridges-{NEW}-monitoring"
"""The last stack of an environment that creates its instance: deploying it deploys the others before it."""
OWN_APP_STACK = "own-app-support-line"
CENTER_STACK = "contact-center-support"
OWN_KEYS_STACK, OWN_CONNECTOR_STACK = "own-keys-support-line", "own-keys-connector"
"""The stacks of rehearsals/apps/own_keys."""

Part = Literal[
    "voice", "chat", "biometrics", "redial", "from_nothing", "own_app", "own_keys", "contact_center"
]
"""What can be deployed by itself, named like the property of Deployment that gives the way to it."""
PARTS: Final[tuple[Part, ...]] = get_args(Part)

_APP_STACKS: Final[Mapping[Part, str]] = {
    "voice": VOICE_STACK,
    "chat": CHAT_STACK,
    "biometrics": stack_of(RESUME),
    "redial": stack_of(REDIAL),
    "from_nothing": NEW_STACK,
}
_ENVIRONMENTS: Final = dict.fromkeys(_APP_STACKS.values(), RESUME) | {
    stack_of(REDIAL): REDIAL,
    NEW_STACK: NEW,
}

Progress = Callable[[str, float], None]
"""Told of each step when it is done: what, and the seconds it took."""


@dataclass(frozen=True)
class CenterPath:
    """A deployed contact centre: its instance, and the number that callers dial."""

    instance_arn: str
    number: str
    number_arn: str
    queue_arn: str

    @property
    def instance_id(self) -> str:
        """The instance's UUID."""
        return self.instance_arn.rpartition("/")[2]


@dataclass(frozen=True)
class NewPath:
    """An environment that has created its instance: its voice path, and the number that leads to it."""

    voice: "VoicePath"
    number: str
    queue_arn: str


@dataclass(frozen=True)
class VoicePath:
    """A deployed voice path: its flow, and what its vendor was given. `connector_arn` None: plain phone number."""

    stack: str
    flow_arn: str
    api_url: str
    token: str
    did: str
    connector_arn: str | None
    token_header: str
    contact_id_header: str
    contact_token_header: str | None = None

    @property
    def instance_arn(self) -> str:
        """The Connect instance that the flow is published in."""
        return self.flow_arn.split("/contact-flow/")[0]


class Deployment:
    """A running sandbox with the stacks of this app and examples/own_app.

    Each is deployed when first needed; `deploy` deploys several at once.

    `project` is the root of the repository. `work_dir` gets the sandbox's files and the cloud assemblies.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        project: Path,
        work_dir: Path,
        progress: Progress,
        *,
        bot: BotPlatform,
        vendors: BiometricsVendors,
        own_vendors: BiometricsVendors,
    ) -> None:
        self.sandbox = sandbox
        #: Held while voice connectors are created, or their quota is another one.
        self.connectors = threading.RLock()
        self._own_vendors = own_vendors
        self._own_keys: tuple[VoicePath, BiometricsPath] | None = None
        self._bot = bot
        self._vendors = vendors
        self._biometrics: dict[str, BiometricsPath] = {}
        self._chat: ChatPath | None = None
        self._project = project
        self._work_dir = work_dir
        self._progress = progress
        self._bootstrapping, self._deploying = threading.Lock(), threading.Lock()
        self._deploying_own = threading.Lock()
        self._bootstrapped = False
        self._assemblies: dict[str, Path] = {}
        self._deployed: set[str] = set()
        self._paths: dict[str, VoicePath] = {}
        self._center: CenterPath | None = None
        self._new: NewPath | None = None

    @classmethod
    @contextmanager
    def start(
        cls, project: Path, work_dir: Path, progress: Progress, run: Recorder | None = None
    ) -> "Iterator[Deployment]":
        """Start a sandbox to deploy to; it ends with the context. `run` is told what happens."""
        _require_project(project)
        started = time.monotonic()
        with (
            _this_python_first(),
            Sandbox.start(
                work_dir / "sandbox", inherit=["CONNECT_BRIDGES_*"], variables=UNVALIDATED, run=run
            ) as sandbox,
            BotPlatform() as bot,
            BiometricsVendors() as vendors,
            BiometricsVendors() as own_vendors,
        ):
            progress(f"start the sandbox on {sandbox.endpoint_url}", time.monotonic() - started)
            sandbox.quotas.set(VOICE_CONNECTORS, 6)  # as for whoever has several apps that create one
            sandbox.quotas.set(INSTANCES, 4)
            # Without the role, which is not deployed yet: SNS asks for a confirmation during the deployment.
            bot.is_told_access(vendor_access(sandbox))
            yield cls(sandbox, project, work_dir, progress, bot=bot, vendors=vendors, own_vendors=own_vendors)

    def deploy(self, parts: Collection[Part]) -> None:
        """Deploy these parts side by side; the first failure is raised when all have ended."""
        stacks = [stack for part, stack in _APP_STACKS.items() if part in parts]
        with ThreadPoolExecutor(2) as pool:
            deploys: list[Future[None] | Future[VoicePath] | Future[CenterPath]] = []
            if stacks:
                deploys.append(pool.submit(self._deploy, *stacks))
            if "own_app" in parts:
                deploys.append(pool.submit(lambda: self.own_app))
            if "own_keys" in parts:
                deploys.append(pool.submit(lambda: self.own_keys[0]))
            if "contact_center" in parts:
                deploys.append(pool.submit(lambda: self.contact_center))
        for deploy in deploys:
            deploy.result()

    @property
    def voice(self) -> VoicePath:
        """The voice path of this app's environment `dev`."""
        if VOICE_STACK not in self._paths:
            self._deploy(VOICE_STACK)
            outputs = self.sandbox.stack_outputs(VOICE_STACK)
            connector = outputs.get("VoiceConnectorArn")
            path = self._path(VOICE_STACK, outputs["VoiceFlowArn"], outputs)
            if connector is not None:
                # dev names a connector that somebody has made and associated by hand, as Kore's guide to external
                # voice has it (docs/guides.md#voice-2-1).
                self.sandbox.voice_connectors.add(
                    name="by-hand",
                    region=self.sandbox.region,
                    require_encryption=True,
                    integration_type=CALL_TRANSFER,
                    connector_id=connector.rsplit("/", 1)[-1],
                )
                self.sandbox.connect.associate(path.instance_arn, CALL_TRANSFER_CONNECTOR, connector)
            self._paths[VOICE_STACK] = path
        return self._paths[VOICE_STACK]

    @property
    def chat(self) -> ChatPath:
        """The chat path of `dev`, with a vendor on this machine."""
        if self._chat is None:
            self._deploy(CHAT_STACK)
            self._chat = after_deployment(self.sandbox, self._bot)
        return self._chat

    @property
    def biometrics(self) -> BiometricsPath:
        """The voice biometric gate of `dev` (RESUME), with vendors on this machine."""
        return self._biometrics_of(RESUME)

    @property
    def redial(self) -> BiometricsPath:
        """The same gate with REDIAL, as an environment of its own."""
        return self._biometrics_of(REDIAL)

    @property
    def own_app(self) -> VoicePath:
        """The voice path of examples/own_app: an own flow, the published module, a connector that the app creates."""
        if OWN_APP_STACK not in self._paths:
            self._bootstrap()
            self.deploy_own_app()
            outputs = self.sandbox.stack_outputs(OWN_APP_STACK)
            self._paths[OWN_APP_STACK] = self._path(OWN_APP_STACK, outputs["SupportLineFlowArn"], outputs)
        return self._paths[OWN_APP_STACK]

    @property
    def from_nothing(self) -> NewPath:
        """`dev` of cdk.json: an instance, what is in it, the voice path and a number, one stack after the other."""
        if self._new is None:
            self._deploy(NEW_STACK)
            stack = f"connect-bridges-{NEW}-voice"
            outputs = self.sandbox.stack_outputs(stack)
            configuration = f"connect-bridges-{NEW}-configuration"
            self._new = NewPath(
                voice=self._path(stack, outputs["VoiceFlowArn"], outputs),
                number=self.sandbox.stack_outputs(NUMBERS_STACK)["NumberSupport"],
                queue_arn=self.physical_id(configuration, "AWS::Connect::Queue"),
            )
        return self._new

    def _biometrics_of(self, environment: str) -> BiometricsPath:
        if environment not in self._biometrics:
            self._deploy(stack_of(environment))
            self._biometrics[environment] = after_biometrics_deployment(
                self.sandbox, self._vendors, environment
            )
        return self._biometrics[environment]

    @property
    def own_keys(self) -> tuple[VoicePath, BiometricsPath]:
        """The voice path and the gate of rehearsals/apps/own_keys, with tables and secrets behind keys of its own."""
        if self._own_keys is None:
            self.deploy_own(OWN_KEYS_STACK)
            outputs = self.sandbox.stack_outputs(OWN_KEYS_STACK)
            path = self._path(OWN_KEYS_STACK, outputs["FlowArn"], outputs)
            self.sandbox.connect.associate(
                path.instance_arn, CALL_TRANSFER_CONNECTOR, outputs["VoiceConnectorArn"]
            )
            self._own_keys = (path, after_gate_deployment(self.sandbox, self._own_vendors, OWN_KEYS_STACK))
        return self._own_keys

    @property
    def contact_center(self) -> CenterPath:
        """examples/contact_center: an instance of its own, from nothing to a number that an agent answers."""
        if self._center is None:
            self._bootstrap()
            app = self._project / "examples" / "contact_center"
            self._cdk_deploy([CENTER_STACK], app, self._assembly(CENTER_STACK))
            self._center = CenterPath(
                instance_arn=self.physical_id(CENTER_STACK, "AWS::Connect::Instance"),
                number=self.sandbox.stack_outputs(CENTER_STACK)["Number"],
                number_arn=self.physical_id(CENTER_STACK, "AWS::Connect::PhoneNumber"),
                queue_arn=self.physical_id(CENTER_STACK, "AWS::Connect::Queue"),
            )
        return self._center

    def deploy_own(self, stack: str) -> None:
        """Run `cdk deploy` on a stack of rehearsals/apps/own_keys; CdkFailedError if it fails."""
        self._bootstrap()
        app = self._project / "rehearsals" / "apps" / "own_keys"
        vendors = self._own_vendors
        with self._deploying_own:
            self._cdk_deploy(
                [stack],
                app,
                self._assembly("own_keys"),
                f"twilioApiUrl={vendors.twilio.url}",
                f"voiceitApiUrl={vendors.voiceit.url}",
            )

    def destroy_own(self, stack: str) -> None:
        """Run `cdk destroy` on a stack of rehearsals/apps/own_keys."""
        app = self._project / "rehearsals" / "apps" / "own_keys"
        self.sandbox.cdk("destroy", "--force", "--app", str(self._assembly("own_keys")), stack, cwd=app)

    def deploy_own_app(self) -> None:
        """Run `cdk deploy` on examples/own_app; CdkFailedError if it fails."""
        app = self._project / "examples" / "own_app"
        with self.connectors:
            self._cdk_deploy([OWN_APP_STACK], app, self._assembly(OWN_APP_STACK))

    def destroy_own_app(self) -> None:
        """Run `cdk destroy` on examples/own_app; the next use of `own_app` deploys it again."""
        self._paths.pop(OWN_APP_STACK, None)
        started = time.monotonic()
        self.sandbox.cdk(
            "destroy", "--force", "--app", str(self._assembly(OWN_APP_STACK)), OWN_APP_STACK,
            cwd=self._project / "examples" / "own_app",
        )  # fmt: skip
        self._progress(f"cdk destroy {OWN_APP_STACK}", time.monotonic() - started)

    def physical_id(self, stack: str, resource_type: str) -> str:
        """Return the physical id of the one resource of that type in a stack."""
        found = self.physical_ids(stack, resource_type)
        if len(found) != 1:
            raise LookupError(f"stack {stack} has {len(found)} resources of type {resource_type}, not one")
        return found[0]

    def physical_ids(self, stack: str, resource_type: str) -> list[str]:
        """Return the physical ids of the resources of that type in a stack."""
        resources = self.sandbox.boto3_client("cloudformation").describe_stack_resources(StackName=stack)
        return [
            str(resource["PhysicalResourceId"])
            for resource in resources["StackResources"]
            if resource["ResourceType"] == resource_type
        ]

    @property
    def project(self) -> Path:
        """The root of the repository."""
        return self._project

    def assemble(self, name: str, environments: Mapping[str, object]) -> Path:
        """Synthesize this app for environments of a scenario's own; return the cloud assembly."""
        assembly = self._assembly(name)
        if not assembly.exists():
            started = time.monotonic()
            self.sandbox.cdk(
                "synth", "--quiet", "--output", str(assembly),
                "-c", f"env={','.join(environments)}", "-c", f"environments={json.dumps(environments)}",
                cwd=self._project,
            )  # fmt: skip
            self._progress(f"cdk synth -c env={','.join(environments)}", time.monotonic() - started)
        return assembly

    def assemble_app(self, app: str, context: Mapping[str, str]) -> Path:
        """Synthesize an app of rehearsals/apps with a context; return the cloud assembly. CdkFailedError if refused.

        It is done once for the names in the context, whose values stay the same.
        """
        assembly = self._assembly(f"{app}.{'-'.join(sorted(context))}")
        if not (assembly / "manifest.json").exists():
            started = time.monotonic()
            told = [argument for name, value in context.items() for argument in ("-c", f"{name}={value}")]
            self.sandbox.cdk(
                "synth", "--quiet", "--output", str(assembly), *told,
                cwd=self._project / "rehearsals" / "apps" / app,
            )  # fmt: skip
            self._progress(f"cdk synth of rehearsals/apps/{app}", time.monotonic() - started)
        return assembly

    def cdk_deploy(self, assembly: Path, stack: str) -> str:
        """Run a plain `cdk deploy` of a synthesized stack; return what it printed, or raise CdkFailedError."""
        return self.sandbox.cdk("deploy", "--app", str(assembly), stack, cwd=self._project).output

    def environments(self) -> dict[str, Any]:
        """Return the environments of the project's cdk.json, `dev` with an imported instance, and `new`."""
        environments: dict[str, Any] = known_environments.context(self._project)["environments"]
        return environments

    def _bootstrap(self) -> None:
        with self._bootstrapping:
            if self._bootstrapped:
                return
            started = time.monotonic()
            self.sandbox.cdk("bootstrap", cwd=self._project)
            self._progress("cdk bootstrap", time.monotonic() - started)
            self._bootstrapped = True

    def _deploy(self, *stacks: str) -> None:
        """Deploy those of this app's stacks that are not deployed yet."""
        with self._deploying:
            missing = [stack for stack in stacks if stack not in self._deployed]
            if not missing:
                return
            # One core synthesizes while the other one bootstraps.
            with ThreadPoolExecutor(1) as pool:
                bootstrapping = pool.submit(self._bootstrap)
                self._synthesize({_ENVIRONMENTS[stack] for stack in missing})
            bootstrapping.result()
            for assembly in sorted({self._assemblies[_ENVIRONMENTS[stack]] for stack in missing}):
                here = [stack for stack in missing if self._assemblies[_ENVIRONMENTS[stack]] == assembly]
                with self.connectors if NEW_STACK in here else nullcontext():
                    self._cdk_deploy(here, self._project, assembly)
                self._deployed.update(here)

    def _synthesize(self, environments: Collection[str]) -> None:
        """Synthesize this app for those environments that no assembly holds yet."""
        named = sorted(set(environments) - set(self._assemblies))
        if not named:
            return
        started = time.monotonic()
        assembly = self._assembly("-".join(named))
        settings = with_biometrics(
            environments_with_chats(self._project, self._bot.webhook_url), self._vendors
        )
        settings[NEW] = self.environments()[NEW]
        self.sandbox.cdk(
            "synth", "--quiet", "--output", str(assembly),
            "-c", f"env={','.join(named)}", "-c", f"environments={json.dumps(settings)}",
            cwd=self._project,
        )  # fmt: skip
        self._assemblies |= dict.fromkeys(named, assembly)
        self._progress(f"cdk synth -c env={','.join(named)}", time.monotonic() - started)

    def _cdk_deploy(self, stacks: Sequence[str], app: Path, assembly: Path, *context: str) -> None:
        started = time.monotonic()
        # An app does not change during a run: synthesize it once, deploy its cloud assembly again later.
        told = [argument for one in context for argument in ("-c", one)]
        source = ["--app", str(assembly)] if assembly.exists() else ["--output", str(assembly), *told]
        # --method=direct: a change set would be no use on a laptop, and costs another round of polling.
        # --concurrency: the sandbox's Amazon Connect has no quota on requests a second.
        self.sandbox.cdk(
            "deploy", "--method=direct", f"--concurrency={len(stacks)}", *source, *stacks, cwd=app
        )
        self._progress(f"cdk deploy {' '.join(stacks)}", time.monotonic() - started)

    def _assembly(self, name: str) -> Path:
        return self._work_dir / f"cdk.out.{name}"

    def _path(self, stack: str, flow_arn: str, outputs: Mapping[str, str]) -> VoicePath:
        secret = self.sandbox.boto3_client("secretsmanager").get_secret_value(
            SecretId=outputs["MetadataTokenSecretArn"]
        )
        return VoicePath(
            stack=stack,
            flow_arn=flow_arn,
            api_url=outputs["MetadataApiUrl"],
            token=secret["SecretString"],
            did=outputs.get("VoiceDid", "+12065550100"),
            connector_arn=outputs.get("VoiceConnectorArn"),
            token_header=outputs.get("MetadataTokenHeader", "authorizationToken"),
            contact_id_header=outputs.get("ContactIdSipHeader", "X-Amzn-ConnectContactId"),
            contact_token_header=outputs.get("MetadataContactTokenHeader"),
        )


def _require_project(project: Path) -> None:
    for needed in ("cdk.json", "examples/own_app/cdk.json", "node_modules/.bin/cdk"):
        if not (project / needed).exists():
            raise FileNotFoundError(
                f"there is no {needed} in {project}: run this in the root of the connect-bridges repository, "
                "after `make setup`"
            )


@contextmanager
def _this_python_first() -> Iterator[None]:
    """Let `python` in an app's cdk.json be this interpreter, whether or not its environment is activated."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    try:
        yield
    finally:
        os.environ["PATH"] = path
