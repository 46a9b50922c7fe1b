"""The IAM policy that a run needs: exactly its requests, on exactly these resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connect_bridges.operations.smoke.account import Need


def policy(needs: Iterable[Need]) -> dict[str, Any]:
    """Return an IAM policy document: one statement for each set of actions, resources sorted."""
    actions_on: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for need in needs:
        actions_on.setdefault((need.resource, need.via), set()).update(need.actions)
    resources_of: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for (resource, via), actions in actions_on.items():
        resources_of.setdefault((tuple(sorted(actions)), via), set()).add(resource)
    statements = []
    for (actions_together, via), resources in sorted(resources_of.items()):
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": list(actions_together),
            "Resource": sorted(resources),
        }
        if via:
            statement["Condition"] = {"StringEquals": {"kms:ViaService": sorted(via)}}
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}
