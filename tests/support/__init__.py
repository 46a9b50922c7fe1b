"""What several test folders share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# By name, since tests/part.py reads imports to see which tests need our packages: this module needs none of them.
_ENVIRONMENTS: Any = import_module("rehearsals.environments")
INSTANCE_ARN: str = _ENVIRONMENTS.INSTANCE_ARN
QUEUE_ARN: str = _ENVIRONMENTS.QUEUE_ARN
CONNECTOR_ARN: str = _ENVIRONMENTS.CONNECTOR_ARN
CONTEXT: dict[str, Any] = _ENVIRONMENTS.context(ROOT)
"""That of cdk.json, with an imported `dev`; cdk.json's own `dev`, which creates its instance, is `new`."""


def policy_statements(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every Allow statement of the identity policies in a template, Action and Resource as lists."""
    for resource in template["Resources"].values():
        documents = []
        if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            documents.append(resource["Properties"]["PolicyDocument"])
        if resource["Type"] == "AWS::IAM::Role":
            documents.extend(
                policy["PolicyDocument"] for policy in resource["Properties"].get("Policies", [])
            )
        for document in documents:
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    yield {
                        key: _list(value) if key in {"Action", "Resource"} else value
                        for key, value in statement.items()
                    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
