"""What several test folders share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"
CONNECTOR_ARN = "arn:aws:chime:us-east-1:123456789012:vc/abcdef1ghij2klmno3pqr4"


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
