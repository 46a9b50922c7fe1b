"""The Lambda functions as they are deployed: zip, handler and environment of each, from a synthesized assembly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::SecretsManager::Secret": "secretsmanager:{place}:secret:{name}-AbCdEf",
    "AWS::DynamoDB::GlobalTable": "dynamodb:{place}:table/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::KMS::Key": "kms:{place}:key/11111111-2222-3333-4444-555555555555",
}
_REF_IS_ARN = {"AWS::SecretsManager::Secret", "AWS::SNS::Topic"}


@dataclass(frozen=True)
class DeployedFunction:
    """A function of ours in a template."""

    handler: str
    archive: Path
    environment: Mapping[str, str]

    @property
    def module(self) -> str:
        """The handler's module below ``runtime``, as in ``metadata.store``."""
        return self.handler.removeprefix("runtime.").removesuffix(".handler")


def functions_of(assembly: Path) -> list[DeployedFunction]:
    """Return the functions in a cloud assembly whose handler is below ``runtime``, one a handler, by module.

    References in environment variables become what they might be in an account, well-formed: functions check them.
    """
    found: dict[str, DeployedFunction] = {}
    for file in sorted(assembly.glob("*.template.json")):
        template = json.loads(file.read_text(encoding="utf-8"))
        assets = json.loads(
            file.with_name(file.name.replace(".template.json", ".assets.json")).read_text(encoding="utf-8")
        )["files"]
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            handler = str(properties.get("Handler", ""))
            if resource["Type"] != "AWS::Lambda::Function" or not handler.startswith("runtime."):
                continue
            key = Path(properties["Code"]["S3Key"]).stem
            found[handler] = DeployedFunction(
                handler,
                assembly / assets[key]["source"]["path"],
                {
                    name: resolve(value, template["Resources"])
                    for name, value in properties.get("Environment", {}).get("Variables", {}).items()
                },
            )
    return sorted(found.values(), key=lambda function: function.module)


def resolve(value: Any, resources: Mapping[str, Any]) -> str:  # noqa: ANN401 (parsed JSON)
    """Return a template's value as text; ``ValueError`` naming an intrinsic function that is not known here."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return _PSEUDO_PARAMETERS.get(name) or _reference(name, resources[name]["Type"])
        case {"Fn::GetAtt": [name, attribute]}:
            return _arn(resources[name]["Type"], name) if attribute == "Arn" else f"{name}-{attribute}"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(resolve(part, resources) for part in parts)
        case {"Fn::Select": [index, parts]}:
            return _list(parts, resources)[int(index)]
    raise ValueError(
        f"a value in a function's environment is {json.dumps(value)}; teach bench/functions.py to read it"
    )


def _list(value: Any, resources: Mapping[str, Any]) -> list[str]:  # noqa: ANN401 (parsed JSON)
    match value:
        case {"Fn::Split": [separator, text]}:
            return resolve(text, resources).split(separator)
        case list():
            return [resolve(part, resources) for part in value]
    raise ValueError(f"a list is {json.dumps(value)}; teach bench/functions.py to read it")


def _reference(name: str, kind: str) -> str:
    return _arn(kind, name) if kind in _REF_IS_ARN else name


def _arn(kind: str, name: str) -> str:
    form = _ARNS.get(kind, f"{kind.split('::')[1].lower()}:{{place}}:{{name}}")
    place = f"{_PSEUDO_PARAMETERS['AWS::Region']}:{_PSEUDO_PARAMETERS['AWS::AccountId']}"
    return f"arn:aws:{form.format(place=place, name=name)}"
