"""What constructs of this library say of themselves: read from a synthesized template, or from a deployed stack.

shared/description.py writes it. In a template that is not deployed, what only CloudFormation will know is None; what
comes from another stack's output (Fn::GetStackOutput, Fn::ImportValue) is known as soon as that stack is deployed.
IAM to read a deployed stack: cloudformation:DescribeStacks, ListStackResources, DescribeStackResource on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from connect_bridges.operations import aws

if TYPE_CHECKING:
    import boto3

KEY = "connect-bridges"  # shared/description.py
FORMAT = 1
READS = (
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
)
"""The IAM actions with which a deployed stack is read."""
_SUB = re.compile(r"\$\{([^}]*)\}")

Outputs = Mapping[str, Mapping[str, str]]
"""The outputs of deployed stacks, by the stack's name."""


class DeployedError(Exception):
    """What was to be read cannot be read; the message names it and says what to do."""


class NotDeployedError(DeployedError):
    """There is no such stack, or it is not there with all its resources."""


@dataclass(frozen=True)
class Bridge:
    """One construct of this library. facts: as shared/description.py wrote them; None is not known before deploying."""

    construct: str
    path: str
    logical_id: str
    facts: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """Return a fact that is a text; None if it is not told, or not known before deploying."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """Return the known texts of a fact that is a list or a mapping by name."""
        value = self.facts.get(name) or []
        found = value.values() if isinstance(value, Mapping) else value
        return [each for each in found if isinstance(each, str)]


@dataclass(frozen=True)
class BridgeStack:
    """A stack with constructs of this library.

    status: CloudFormation's, None if it is not deployed. account, region: None if the app leaves them open.
    resources: the template's, by logical id, their values as far as they are known before deploying, and as References
    the resources that properties name by Ref, by GetAtt or as an output of another stack of the app (STACK/LOGICAL_ID);
    empty for a stack that was read from the account.
    bootstrap: the SSM parameter of the bootstrap version, and the version it needs. template: as it was synthesized;
    templates: those of the app, by stack.
    """

    name: str
    bridges: tuple[Bridge, ...]
    account: str | None = None
    region: str | None = None
    status: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    termination_protection: bool = False
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bootstrap: tuple[str, int] | None = None
    template: Mapping[str, Any] = field(default_factory=dict, repr=False)
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def takes_from(self) -> frozenset[str]:
        """The names of the stacks whose outputs the template takes."""
        return frozenset(stack for stack, _ in _taken(self.template, self.templates))

    @property
    def instance_from(self) -> str | None:
        """The other stack of the app that creates the Amazon Connect instance; None if there is none."""
        made = (
            name
            for name in sorted(self.takes_from)
            for resource in self.templates.get(name, {}).get("Resources", {}).values()
            if resource.get("Type") == "AWS::Connect::Instance"
        )
        return next(made, None)

    def completed(self, outputs: Outputs) -> BridgeStack:
        """Return the stack of a template with what the outputs of deployed stacks tell."""
        read = in_template(
            self.name,
            self.template,
            account=self.account,
            region=self.region,
            templates=self.templates,
            outputs=outputs,
        )
        return replace(self, bridges=read.bridges, resources=read.resources)

    @property
    def deployed(self) -> bool:
        """Whether the stack is there with all its resources."""
        return self.status is not None and self.status.endswith("_COMPLETE") and not (
            self.status.startswith(("ROLLBACK", "DELETE")) or self.status == "REVIEW_IN_PROGRESS"
        )  # fmt: skip


def in_template(
    name: str,
    template: Mapping[str, Any],
    *,
    account: str | None = None,
    region: str | None = None,
    templates: Mapping[str, Mapping[str, Any]] | None = None,
    outputs: Outputs | None = None,
) -> BridgeStack:
    """Read a stack from its template, as `cdk synth` wrote it.

    templates: of the app, by stack. outputs: of the stacks that are deployed.
    """
    templates, outputs = templates or {}, outputs or {}
    pseudo = {"AWS::Region": region, "AWS::AccountId": account, "AWS::StackName": name}
    scope = _Scope(name, pseudo, templates, outputs)
    bridges = [
        _bridge(logical_id, _known(metadata, scope)) for logical_id, metadata in _descriptions(template)
    ]
    resources = {
        logical_id: {
            **resource,
            "Properties": _known(resource.get("Properties", {}), scope),
            "References": _references(resource.get("Properties", {}), scope),
        }
        for logical_id, resource in template.get("Resources", {}).items()
    }
    return BridgeStack(
        name=name,
        bridges=tuple(bridges),
        account=account,
        region=region,
        resources=resources,
        template=template,
        templates=templates,
    )


def in_assembly(folder: Path) -> list[BridgeStack]:
    """Read the stacks with constructs of this library from a cloud assembly, such as ``cdk.out``, its stages included.

    Raises ``DeployedError`` if the folder holds none.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise DeployedError(
            f"{folder} holds no manifest.json, so it is no cloud assembly. Write one: npx cdk synth --output {folder}"
        )
    stacks: list[BridgeStack] = []
    artifacts = json.loads(manifest.read_text()).get("artifacts", {})
    templates = {
        _name(artifact_id, artifact): json.loads(
            (folder / artifact["properties"]["templateFile"]).read_text()
        )
        for artifact_id, artifact in artifacts.items()
        if artifact.get("type") == "aws:cloudformation:stack"
    }
    for artifact_id, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            stacks += in_assembly(folder / properties["directoryName"])
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        account, region, *_ = *_environment(artifact.get("environment", "")), None, None
        name = _name(artifact_id, artifact)
        stack = in_template(name, templates[name], account=account, region=region, templates=templates)
        if not stack.bridges:
            continue
        parameter = properties.get("bootstrapStackVersionSsmParameter")
        version = properties.get("requiresBootstrapStackVersion")
        stacks.append(
            replace(
                stack,
                bootstrap=(parameter, version) if parameter and version else None,
                termination_protection=bool(properties.get("terminationProtection")),
            )
        )
    return stacks


def _name(artifact_id: str, artifact: Mapping[str, Any]) -> str:
    """Return a stack's name, which is left out where it is the artifact's."""
    return str(artifact["properties"].get("stackName", artifact_id))


def deployed(cloudformation: Any, name: str) -> BridgeStack | None:  # noqa: ANN401 (a boto3 client)
    """Read a stack from the account; None if there is none of that name.

    A stack whose first deployment has failed has its status and no bridges.
    Raises ``DeployedError`` for a description that a newer version of this library has written.
    """
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise
        return None
    region, account = described["StackId"].split(":")[3:5]
    stack = BridgeStack(
        name=described["StackName"],
        bridges=(),
        account=account,
        region=region,
        status=described["StackStatus"],
        outputs={output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])},
        termination_protection=described.get("EnableTerminationProtection", False),
    )
    if not stack.deployed:
        return stack
    bridges = [
        _bridge(logical_id, facts)
        for logical_id in _handles(cloudformation, name)
        if (facts := _resolved(cloudformation, name, logical_id))
    ]
    return replace(stack, bridges=tuple(bridges))


def deployed_with_constructs(session: boto3.Session, name: str, *, profile: str | None = None) -> BridgeStack:
    """Read a stack that is deployed and holds constructs of this library, by name or ARN.

    Raises ``DeployedError`` if it is not, and ``AwsError`` if AWS was not asked or refused.
    """
    try:
        stack = deployed(session.client("cloudformation", config=aws.READ), name)
    except ClientError as error:
        raise DeployedError(aws.refused(error, f"read the stack {name}", ", ".join(READS))) from error
    except BotoCoreError as error:
        raise aws.unanswered(error, profile=profile) from error
    region = session.region_name
    if stack is None:
        raise NotDeployedError(
            f"there is no stack {name} in {region}. Check name, --region and --profile; `aws cloudformation "
            f"describe-stacks --region {region} --query Stacks[].StackName` lists the stacks that there are."
        )
    if not stack.deployed:
        raise NotDeployedError(
            f"the stack {name} in {region} is {stack.status}. `connect-bridges doctor --stack {name}` says what is "
            "missing; deploy it again when that is mended."
        )
    if not stack.bridges:
        raise DeployedError(
            f"the stack {name} in {region} tells of no construct of connect-bridges. Name a stack that holds one; "
            "if it was deployed before version 0.1.0, deploy it again with this version."
        )
    return stack


def _handles(cloudformation: Any, stack: str) -> Iterator[str]:  # noqa: ANN401 (a boto3 client)
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::CloudFormation::WaitConditionHandle":
                yield resource["LogicalResourceId"]


def _resolved(cloudformation: Any, stack: str, logical_id: str) -> Mapping[str, Any]:  # noqa: ANN401 (a client)
    answer = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    metadata = json.loads(answer["StackResourceDetail"].get("Metadata") or "{}")
    facts: Mapping[str, Any] = metadata.get(KEY, {})
    return facts


def _descriptions(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for logical_id, resource in template.get("Resources", {}).items():
        metadata = resource.get("Metadata") or {}
        if KEY in metadata:
            yield logical_id, metadata[KEY]


def _bridge(logical_id: str, facts: Mapping[str, Any]) -> Bridge:
    written = facts.get("format")
    if written != FORMAT:
        raise DeployedError(
            f"{logical_id} is described in format {written}, and this version of connect-bridges reads {FORMAT}. "
            "Install the version that the stack was deployed with, or a newer one."
        )
    return Bridge(
        construct=str(facts["construct"]), path=str(facts["path"]), logical_id=logical_id, facts=facts
    )


def _environment(text: str) -> list[str | None]:
    """Return account and Region of ``aws://ACCOUNT/REGION``; None for one that the app leaves open."""
    parts = text.removeprefix("aws://").split("/")
    return [None if part.startswith("unknown-") or not part else part for part in parts]


@dataclass(frozen=True)
class _Scope:
    """What a template of the stack can name: pseudo parameters, and what other stacks put out."""

    stack: str
    pseudo: Mapping[str, str | None]
    templates: Mapping[str, Mapping[str, Any]]
    outputs: Outputs

    def value(self, taken: tuple[str, str]) -> str | None:
        """Return the value of an output: stack, name."""
        stack, name = taken
        return self.outputs.get(stack, {}).get(name)

    def resource(self, value: Mapping[str, Any]) -> str | None:
        """Return the resource that a value names, as STACK/LOGICAL_ID."""
        if taken := _output(value, self.templates):
            stack, name = taken
            told = self.templates.get(stack, {}).get("Outputs", {}).get(name, {}).get("Value")
            named = _named(told) if isinstance(told, Mapping) else None
            return named and f"{stack}/{named}"
        named = _named(value)
        return named and f"{self.stack}/{named}"


def _named(value: Mapping[str, Any]) -> str | None:
    """Return the logical id that Ref or GetAtt names."""
    named = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    return named if isinstance(named, str) else None


def _output(value: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return stack and name of the output that Fn::GetStackOutput or Fn::ImportValue takes."""
    match value:
        case {"Fn::GetStackOutput": {"StackName": str(stack), "OutputName": str(name)}}:
            return stack, name
        case {"Fn::ImportValue": str(export)}:
            for stack, template in templates.items():
                for name, output in template.get("Outputs", {}).items():
                    if (output.get("Export") or {}).get("Name") == export:
                        return stack, name
    return None


def _taken(value: Any, templates: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (JSON)
    """Yield the outputs of other stacks that a template takes, wherever it does."""
    if isinstance(value, Mapping):
        if taken := _output(value, templates):
            yield taken
        for inner in value.values():
            yield from _taken(inner, templates)
    elif isinstance(value, list):
        for inner in value:
            yield from _taken(inner, templates)


def _references(properties: Mapping[str, Any], scope: _Scope) -> dict[str, str]:
    """Return the resources that properties name, as STACK/LOGICAL_ID, by property."""
    return {
        name: resource
        for name, value in properties.items()
        if isinstance(value, Mapping) and (resource := scope.resource(value))
    }


def _known(value: Any, scope: _Scope) -> Any:  # noqa: ANN401 (a template's JSON)
    """Evaluate what is known before deploying; anything else becomes None."""
    if isinstance(value, list):
        return [_known(inner, scope) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in {"Ref", "Fn::Join", "Fn::Sub"}:
        return _evaluated(name, value[name], scope)
    if len(value) == 1 and next(iter(value)).startswith("Fn::"):
        taken = _output(value, scope.templates)
        return scope.value(taken) if taken else None
    return {key: _known(inner, scope) for key, inner in value.items()}


def _evaluated(function: str, argument: Any, scope: _Scope) -> str | None:  # noqa: ANN401
    match function, argument:
        case "Ref", "AWS::Partition":
            return "aws"
        case "Ref", str(name):
            return scope.pseudo.get(name)
        case "Fn::Join", [str(separator), [*parts]]:
            known = [_known(part, scope) for part in parts]
            return separator.join(known) if all(isinstance(part, str) for part in known) else None
        case "Fn::Sub", str(text):
            found = {name: _evaluated("Ref", name, scope) for name in _SUB.findall(text)}
            known_all = all(found.values())
            return _SUB.sub(lambda match: str(found[match[1]]), text) if known_all else None
    return None
