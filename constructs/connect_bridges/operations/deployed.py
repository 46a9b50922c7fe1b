"""What constructs of this library say of themselves: read from a synthesized template, or from a deployed stack.

shared/description.py writes it. In a template that is not deployed, what only CloudFormation will know is None.
IAM to read a deployed stack: cloudformation:DescribeStacks, ListStackResources, DescribeStackResource on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

KEY = "connect-bridges"  # shared/description.py
FORMAT = 1
_SUB = re.compile(r"\$\{([^}]*)\}")


class DeployedError(Exception):
    """What was to be read cannot be read; the message names it and says what to do."""


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
    the logical ids that properties name by Ref or GetAtt; empty for a stack that was read from the account.
    bootstrap: the SSM parameter of the bootstrap version, and the version it needs.
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

    @property
    def deployed(self) -> bool:
        """Whether the stack is there with all its resources."""
        return self.status is not None and self.status.endswith("_COMPLETE") and not (
            self.status.startswith(("ROLLBACK", "DELETE")) or self.status == "REVIEW_IN_PROGRESS"
        )  # fmt: skip


def in_template(
    name: str, template: Mapping[str, Any], *, account: str | None = None, region: str | None = None
) -> BridgeStack:
    """Read a stack from its template, as `cdk synth` wrote it."""
    known = {"AWS::Region": region, "AWS::AccountId": account, "AWS::StackName": name}
    bridges = [
        _bridge(logical_id, _known(metadata, known)) for logical_id, metadata in _descriptions(template)
    ]
    resources = {
        logical_id: {
            **resource,
            "Properties": _known(resource.get("Properties", {}), known),
            "References": _references(resource.get("Properties", {})),
        }
        for logical_id, resource in template.get("Resources", {}).items()
    }
    return BridgeStack(name=name, bridges=tuple(bridges), account=account, region=region, resources=resources)


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
    for artifact_id, artifact in json.loads(manifest.read_text()).get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            stacks += in_assembly(folder / properties["directoryName"])
        if artifact.get("type") != "aws:cloudformation:stack":
            continue
        template = json.loads((folder / properties["templateFile"]).read_text())
        account, region, *_ = *_environment(artifact.get("environment", "")), None, None
        name = properties.get("stackName", artifact_id)  # left out where they are the same
        stack = in_template(name, template, account=account, region=region)
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


def _references(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the logical ids that properties name by Ref or GetAtt, by property."""
    found: dict[str, str] = {}
    for name, value in properties.items():
        if isinstance(value, Mapping):
            named = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
            if isinstance(named, str):
                found[name] = named
    return found


def _known(value: Any, pseudo: Mapping[str, str | None]) -> Any:  # noqa: ANN401 (a template's JSON)
    """Evaluate what is known before deploying; anything else becomes None."""
    if isinstance(value, list):
        return [_known(inner, pseudo) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (name := next(iter(value))) in {"Ref", "Fn::Join", "Fn::Sub"}:
        return _evaluated(name, value[name], pseudo)
    if len(value) == 1 and next(iter(value)).startswith("Fn::"):
        return None
    return {key: _known(inner, pseudo) for key, inner in value.items()}


def _evaluated(function: str, argument: Any, pseudo: Mapping[str, str | None]) -> str | None:  # noqa: ANN401
    match function, argument:
        case "Ref", "AWS::Partition":
            return "aws"
        case "Ref", str(name):
            return pseudo.get(name)
        case "Fn::Join", [str(separator), [*parts]]:
            known = [_known(part, pseudo) for part in parts]
            return separator.join(known) if all(isinstance(part, str) for part in known) else None
        case "Fn::Sub", str(text):
            found = {name: _evaluated("Ref", name, pseudo) for name in _SUB.findall(text)}
            known_all = all(found.values())
            return _SUB.sub(lambda match: str(found[match[1]]), text) if known_all else None
    return None
