"""Deploys an app as it stands: a CDK app in any language, a cloud assembly, or a CloudFormation template."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from connect_sandbox.cloud.cdk_cli import bootstrap_template, find_cdk, run_cdk
from connect_sandbox.cloud.cfn.limits import MAX_INLINE_BYTES
from connect_sandbox.workbench.errors import DeploymentFailedError, WorkbenchError

Kind = Literal["app", "assembly", "template"]
TEMPLATES = frozenset({".json", ".yaml", ".yml", ".template"})
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_BOOTSTRAP_STACK = "CDKToolkit"
#: Statuses of a stack that can only be deleted.
_SPOILT = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"})


@dataclass(frozen=True)
class DeployedStack:
    """A stack, and where it is."""

    name: str
    account: str
    region: str


class Cloud(Protocol):
    """One account and Region of the sandbox to deploy to, here or in another process."""

    def at(self, *, account: str | None = None, region: str | None = None) -> Cloud:
        """Return another account or Region of the same sandbox; ValueError for what is none."""
        ...

    def places(self) -> Sequence[Cloud]:
        """Return every account and Region in which there may be stacks."""
        ...

    @property
    def account(self) -> str:
        """Its account."""
        ...

    @property
    def region(self) -> str:
        """Its Region."""
        ...

    def environment(self) -> dict[str, str]:
        """Return the environment of commands."""
        ...

    def boto3_client(self, service: str) -> Any:  # noqa: ANN401  (boto3's clients have no common type)
        """Return a client."""
        ...


def kind_of(app: Path) -> Kind:
    """Return what there is to deploy at a path; WorkbenchError if it is nothing of the kind."""
    if app.is_file() and app.suffix in TEMPLATES:
        return "template"
    if (app / "cdk.json").is_file():
        return "app"
    if (app / "manifest.json").is_file():
        return "assembly"
    missing = "" if app.exists() else ", for it does not exist"
    raise WorkbenchError(
        f"{app} cannot be deployed{missing}: give the folder of a CDK app (it holds cdk.json), a cloud assembly "
        f"(manifest.json) or a template ({', '.join(sorted(TEMPLATES))})"
    )


@dataclass(frozen=True)
class _Stack:
    """A stack of a cloud assembly. `path` is the one by which the CDK's command line chooses it, `STAGE/STACK`."""

    name: str
    path: str
    environment: str
    needs_bootstrap: bool


class Deployer:
    """Deploys to one sandbox. `scratch` gets the cloud assemblies, `tell` each line of progress.

    `provide_sdk` is told each assembly or template, with its app, before it is deployed.
    """

    def __init__(
        self,
        cloud: Cloud,
        scratch: Path,
        tell: Callable[[str], None],
        provide_sdk: Callable[[Path, Path], None] = lambda _deployed, _app: None,
    ) -> None:
        self._cloud = cloud
        self._scratch = scratch
        self._tell = tell
        self._provide_sdk = provide_sdk

    def deploy(
        self,
        app: Path,
        stacks: Sequence[str] = (),
        *,
        name: str | None = None,
        parameters: Mapping[str, str] | None = None,
        context: Mapping[str, str] | None = None,
    ) -> list[DeployedStack]:
        """Deploy an app's stacks (default: all) and return them.

        A stack goes to the account and Region of its `env`; without one, and for a template, to those of `cloud`.

        `name` (default: the file's) and `parameters` are for a template, `context` for a CDK app. Raises CdkFailedError
        or DeploymentFailedError with what went wrong, WorkbenchError for what cannot be deployed here.
        """
        if kind_of(app) == "template":
            if stacks or context:
                raise WorkbenchError(
                    f"{app} is one template: it has neither stacks to choose nor CDK context"
                )
            stack = self._template(app, name or _stack_name(app), parameters or {})
            return [DeployedStack(stack, self._cloud.account, self._cloud.region)]
        if name or parameters:
            raise WorkbenchError(f"{app} is no template: its stacks have names and values of their own")
        assembly = app if kind_of(app) == "assembly" else self._synthesize(app, context or {})
        self._provide_sdk(assembly, app)
        return self._assembly(assembly, app, stacks)

    def destroy(self, stacks: Sequence[str]) -> None:
        """Delete stacks of this place, in this order; DeploymentFailedError if one cannot be deleted."""
        client = self._cloud.boto3_client("cloudformation")
        for name in stacks:
            stack = self._stack(name)
            if stack is None:
                known = ", ".join(one["StackName"] for one in client.describe_stacks()["Stacks"]) or "none"
                raise WorkbenchError(f"the sandbox has no stack {name}; it has {known}")
            stack_id = stack["StackId"]
            client.delete_stack(StackName=stack_id)
            status = self._wait(stack_id)["StackStatus"]
            if status != "DELETE_COMPLETE":
                raise DeploymentFailedError(f"{name} could not be deleted:\n{self._reasons(stack_id)}")
            self._tell(f"{name}  {status}")

    # -- CDK

    def _synthesize(self, app: Path, context: Mapping[str, str]) -> Path:
        out = self._scratch / f"cdk.out.{re.sub(r'[^A-Za-z0-9]+', '-', str(app.resolve()).strip('/'))}"
        told = [argument for key, value in context.items() for argument in ("-c", f"{key}={value}")]
        # Whatever comes after needs the SDK, which loads while the CDK works.
        threading.Thread(target=self._cloud.boto3_client, args=["cloudformation"], daemon=True).start()
        self._cdk(["synth", "--quiet", "--output", str(out), *told], app, app)
        return out

    def _assembly(self, assembly: Path, app: Path, wanted: Sequence[str]) -> list[DeployedStack]:
        found = _stacks(assembly)
        unknown = sorted(set(wanted) - {name for one in found for name in (one.name, one.path)})
        if unknown:
            names = ", ".join(one.name for one in found) or "none"
            raise WorkbenchError(f"{app} has no stack {unknown[0]}; it has {names}")
        chosen = [one for one in found if not wanted or {one.name, one.path} & set(wanted)]
        if not chosen:
            raise WorkbenchError(f"{app} has no stack")
        places = (self._place(one.environment) for one in chosen if one.needs_bootstrap)
        for account, region in dict.fromkeys(places):
            self._bootstrap(self._cloud.at(account=account, region=region), app)
        self._cdk(
            [
                "deploy", "--method=direct", "--require-approval", "never", "--progress", "events",
                f"--concurrency={len(chosen)}", "--app", str(assembly.resolve()),
                # By their paths: --all leaves out what is in stages.
                *(one.path for one in chosen),
            ],
            app,
            app,
        )  # fmt: skip
        return [DeployedStack(one.name, *self._place(one.environment)) for one in chosen]

    def _place(self, environment: str) -> tuple[str, str]:
        """Return account and Region of "aws://ACCOUNT/REGION"; what a stack leaves open is this sandbox's."""
        account, _, region = environment.removeprefix("aws://").partition("/")
        return (
            self._cloud.account if account == "unknown-account" else account,
            self._cloud.region if region == "unknown-region" else region,
        )

    def _bootstrap(self, there: Cloud, app: Path) -> None:
        if _named(there, _BOOTSTRAP_STACK):
            return
        # As for one's own second account: it lets the account that deploys assume the roles that do so.
        trusted = self._cloud.account if there.account != self._cloud.account else ""
        policies = "arn:aws:iam::aws:policy/AdministratorAccess" if trusted else ""
        template = bootstrap_template(find_cdk(app))
        if template is not None:
            self._tell(f"bootstrapping aws://{there.account}/{there.region} with {template}")
            # What the command line gives it, which would take two seconds more.
            parameters = {
                "FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY",
                "PublicAccessBlockConfiguration": "true",
                "TrustedAccounts": trusted,
                "CloudFormationExecutionPolicies": policies,
            }
            Deployer(there, self._scratch, self._tell).deploy(
                template, name=_BOOTSTRAP_STACK, parameters=parameters
            )
            return
        arguments = ["bootstrap", f"aws://{there.account}/{there.region}"]
        if trusted:
            arguments += [f"--trust={trusted}", f"--cloudformation-execution-policies={policies}"]
        self._cdk(arguments, self._scratch, app, there)

    def _cdk(self, arguments: Sequence[str], folder: Path, app: Path, there: Cloud | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._tell(f"$ cdk {' '.join(arguments)}")
        run_cdk(
            arguments,
            command=find_cdk(app),
            cwd=folder,
            environment=_with_this_python((there or self._cloud).environment()),
            on_line=self._tell,
        )

    # -- plain CloudFormation

    def _template(self, path: Path, name: str, parameters: Mapping[str, str]) -> str:
        client = self._cloud.boto3_client("cloudformation")
        told = {
            "StackName": name,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": _CAPABILITIES,
            **self._body(path),
        }
        stack = self._stack(name)
        if stack is not None and stack["StackStatus"] in _SPOILT:
            self.destroy([name])
            stack = None
        try:
            stack_id = (client.create_stack if stack is None else client.update_stack)(**told)["StackId"]
        except client.exceptions.ClientError as error:
            message = error.response["Error"]["Message"]
            if "No updates are to be performed" in message:
                self._tell(f"{name}  no changes")
                return name
            raise DeploymentFailedError(f"{path} cannot be deployed: {message}") from error
        status = self._wait(stack_id)["StackStatus"]
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise DeploymentFailedError(f"{name} ended in {status}:\n{self._reasons(stack_id)}")
        self._tell(f"{name}  {status}")
        return name

    def _body(self, path: Path) -> dict[str, str]:
        text = path.read_text(encoding="utf-8-sig")
        if len(text.encode()) <= MAX_INLINE_BYTES:
            return {"TemplateBody": text}
        bucket = f"connect-sandbox-templates-{self._cloud.account}-{self._cloud.region}"
        s3, region = self._cloud.boto3_client("s3"), self._cloud.region
        if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
            elsewhere = {} if region == "us-east-1" else {"LocationConstraint": region}
            s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": elsewhere} if elsewhere else {}))
        s3.put_object(Bucket=bucket, Key=path.name, Body=text.encode())
        return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{path.name}"}

    def _stack(self, name: str) -> dict[str, Any] | None:
        return _named(self._cloud, name)

    def _wait(self, stack_id: str) -> dict[str, Any]:
        # The sandbox answers when the operation has ended, or after 20 s.
        client = self._cloud.boto3_client("cloudformation")
        while True:
            stack: dict[str, Any] = client.describe_stacks(StackName=stack_id)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack

    def _reasons(self, stack_id: str) -> str:
        events = self._cloud.boto3_client("cloudformation").describe_stack_events(StackName=stack_id)
        failed = [one for one in reversed(events["StackEvents"]) if one["ResourceStatus"].endswith("_FAILED")]
        return "\n".join(
            f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'without a reason')}"
            for one in failed
        )


def destroy(
    cloud: Cloud, stacks: Sequence[str], tell: Callable[[str], None], *, at_one_place: bool = False
) -> None:
    """Delete stacks, in this order, wherever in the sandbox they are; `at_one_place`: only where `cloud` is.

    WorkbenchError for one that is nowhere or in several places, DeploymentFailedError if one cannot be deleted.
    """
    for name in stacks:
        places = [cloud] if at_one_place else cloud.places()
        found = [place for place in places if _named(place, name)]
        if len(found) > 1:
            where = " and ".join(f"account {place.account} in {place.region}" for place in found)
            raise WorkbenchError(f"the stack {name} is in {where}: choose one with --account or --region")
        if not found and len(places) > 1:
            all_stacks = (
                place.boto3_client("cloudformation").describe_stacks()["Stacks"] for place in places
            )
            known = ", ".join(one["StackName"] for stacks in all_stacks for one in stacks) or "none"
            raise WorkbenchError(f"the sandbox has no stack {name}; it has {known}")
        Deployer(found[0] if found else cloud, Path(), tell).destroy([name])


def _named(cloud: Cloud, name: str) -> dict[str, Any] | None:
    """Return a stack of a place by its name, as the API describes it."""
    stacks: list[dict[str, Any]] = cloud.boto3_client("cloudformation").describe_stacks()["Stacks"]
    return next((one for one in stacks if one["StackName"] == name), None)


def _stacks(assembly: Path) -> list[_Stack]:
    """Return a cloud assembly's stacks, those of its stages included."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    found: list[_Stack] = []
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties") or {}
        if artifact["type"] == "aws:cloudformation:stack":
            found.append(
                _Stack(
                    name=properties.get("stackName", name),
                    path=artifact.get("displayName", name),
                    environment=artifact["environment"],
                    needs_bootstrap=bool(properties.get("requiresBootstrapStackVersion")),
                )
            )
        elif artifact["type"] == "cdk:cloud-assembly":
            found += _stacks(assembly / properties["directoryName"])
    return found


def _stack_name(path: Path) -> str:
    """Return a file's name as that of a stack: letters, digits and dashes, a letter first."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.name.split(".")[0]).strip("-")
    return name if name[:1].isalpha() else f"stack-{name}"


def _with_this_python(environment: dict[str, str]) -> dict[str, str]:
    """Let `python` in an app's cdk.json be this interpreter if it has the CDK, activated or not."""
    if importlib.util.find_spec("aws_cdk") is None:
        return environment
    path = [str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    return {**environment, "PATH": os.pathsep.join(path)}
