"""What several test folders share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rehearsals.environments import CONNECTOR_ARN as CONNECTOR_ARN
from rehearsals.environments import INSTANCE_ARN as INSTANCE_ARN
from rehearsals.environments import QUEUE_ARN as QUEUE_ARN
from rehearsals.environments import context

ROOT = Path(__file__).resolve().parents[2]
CONTEXT: dict[str, Any] = context(ROOT)
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
