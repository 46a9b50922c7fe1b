"""Deploys an app as it stands: a CDK app in any language, a cloud assembly, or a CloudFormation template."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from connect_sandbox.cloud.cdk_cli import find_cdk, run_cdk
from connect_sandbox.cloud.cfn.limits import MAX_INLINE_BYTES
from connect_sandbox.workbench.errors import DeploymentFailedError, WorkbenchError

Kind = Literal["app", "assembly", "template"]
TEMPLATES = frozenset({".json", ".yaml", ".yml", ".template"})
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_BOOTSTRAP_STACK = "CDKToolkit"
#: Statuses of a stack that can only be deleted.
_SPOILT = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"})


class Cloud(Protocol):
    """The sandbox to deploy to, here or in another process."""

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


class Deployer:
    """Deploys to one sandbox. `scratch` gets the cloud assemblies, `tell` each line of progress."""

    def __init__(self, cloud: Cloud, scratch: Path, tell: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._scratch = scratch
        self._tell = tell

    def deploy(
        self,
        app: Path,
        stacks: Sequence[str] = (),
        *,
        name: str | None = None,
        parameters: Mapping[str, str] | None = None,
        context: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Deploy an app's stacks (default: all) and return their names.

        `name` (default: the file's) and `parameters` are for a template, `context` for a CDK app. Raises CdkFailedError
        or DeploymentFailedError with what went wrong, WorkbenchError for what cannot be deployed here.
        """
        if kind_of(app) == "template":
            if stacks or context:
                raise WorkbenchError(
                    f"{app} is one template: it has neither stacks to choose nor CDK context"
                )
            return [self._template(app, name or _stack_name(app), parameters or {})]
        if name or parameters:
            raise WorkbenchError(f"{app} is no template: its stacks have names and values of their own")
        assembly = app if kind_of(app) == "assembly" else self._synthesize(app, context or {})
        return self._assembly(assembly, app, stacks)

    def destroy(self, stacks: Sequence[str]) -> None:
        """Delete stacks, in this order; DeploymentFailedError if one cannot be deleted."""
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
        self._cdk(["synth", "--quiet", "--output", str(out), *told], app, app)
        return out

    def _assembly(self, assembly: Path, app: Path, wanted: Sequence[str]) -> list[str]:
        found = list(_stacks(assembly))
        names = [name for name, _, _ in found]
        unknown = sorted(set(wanted) - set(names))
        if unknown:
            raise WorkbenchError(f"{app} has no stack {unknown[0]}; it has {', '.join(names) or 'none'}")
        chosen = [one for one in found if not wanted or one[0] in wanted]
        if not chosen:
            raise WorkbenchError(f"{app} has no stack")
        self._check_places(chosen)
        if any(needs for _, _, needs in chosen) and not self._stack(_BOOTSTRAP_STACK):
            self._cdk(["bootstrap", f"aws://{self._cloud.account}/{self._cloud.region}"], self._scratch, app)
        self._cdk(
            [
                "deploy", "--method=direct", "--require-approval", "never", "--progress", "events",
                f"--concurrency={len(chosen)}", "--app", str(assembly.resolve()),
                *(wanted or ["--all"]),
            ],
            app,
            app,
        )  # fmt: skip
        return [name for name, _, _ in chosen]

    def _check_places(self, stacks: Sequence[tuple[str, str, bool]]) -> None:
        here = (self._cloud.account, self._cloud.region)
        for name, place, _ in stacks:
            account, _, region = place.removeprefix("aws://").partition("/")
            if account not in {here[0], "unknown-account"} or region not in {here[1], "unknown-region"}:
                raise WorkbenchError(
                    f"{name} is for account {account} in {region}, the sandbox is {here[0]} in {here[1]}: "
                    f"start it with --account {account} --region {region}, or leave env out of the stack. "
                    "One sandbox is one account in one Region"
                )

    def _cdk(self, arguments: Sequence[str], folder: Path, app: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._tell(f"$ cdk {' '.join(arguments)}")
        run_cdk(
            arguments,
            command=find_cdk(app),
            cwd=folder,
            environment=_with_this_python(self._cloud.environment()),
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
        stacks = self._cloud.boto3_client("cloudformation").describe_stacks()["Stacks"]
        return next((one for one in stacks if one["StackName"] == name), None)

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


def _stacks(assembly: Path) -> list[tuple[str, str, bool]]:
    """Return name, environment and need of bootstrap of a cloud assembly's stacks, those of its stages included."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    found: list[tuple[str, str, bool]] = []
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties") or {}
        if artifact["type"] == "aws:cloudformation:stack":
            needs = bool(properties.get("requiresBootstrapStackVersion"))
            found.append((properties.get("stackName", name), artifact["environment"], needs))
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
