"""What a construct made, told to what comes after the deployment: ``connect-bridges`` doctor, handoff and smoke.

Each construct of this library has a child ``Description``: a WaitConditionHandle, which costs and does nothing, with
the metadata ``connect-bridges``. CloudFormation evaluates a resource's metadata, and DescribeStackResource returns it
(evidence: resource-metadata-is-resolved), so that nothing has to be guessed from a stack. Nothing depends on it, so it
can tell of everything else. operations/deployed.py reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs import Construct

KEY = "connect-bridges"
"""The key of the metadata."""
FORMAT = 1
"""The form of what is written; a reader refuses a newer one."""


class SecretFact(TypedDict):
    """A secret that a construct reads. No value is in it."""

    arn: str
    fields: Sequence[str]
    """The texts that its JSON object needs; empty: the secret is the text itself."""
    filledBy: str
    """``deployment``: what it generated is good as it is. ``people``: it holds a placeholder until somebody stores a
    value. ``owner``: the secret was given to the construct."""


def secret_fact(secret: secretsmanager.ISecret, *, fields: Sequence[str] = (), filled_by: str) -> SecretFact:
    """Return what to tell of a secret; filled_by: deployment, people or owner."""
    return {"arn": secret.secret_arn, "fields": list(fields), "filledBy": filled_by}


def describe(construct: Construct, kind: str, facts: Mapping[str, Any]) -> None:
    """Tell what a construct made.

    kind: the construct's class. facts: JSON with camelCase names; values that only CloudFormation knows may be tokens,
    and what is None is left out. No secret's value and nothing personal belongs here.
    """
    handle = cdk.CfnWaitConditionHandle(construct, "Description")
    told = {name: fact for name, fact in facts.items() if fact is not None}
    handle.add_metadata(KEY, {"format": FORMAT, "construct": kind, "path": construct.node.path, **told})
