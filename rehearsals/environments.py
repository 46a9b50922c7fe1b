"""The environments of cdk.json, as rehearsals, tests and measurements use them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

INSTANCE_ARN = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
"""The instance that the sandbox begins with, which `prod` of cdk.json and the apps import."""
QUEUE_ARN = f"{INSTANCE_ARN}/queue/66666666-7777-8888-9999-000000000000"
CONNECTOR_ARN = "arn:aws:chime:us-east-1:123456789012:vc/abcdef1ghij2klmno3pqr4"
NEW = "new"
"""What `dev` of cdk.json, which creates its instance, is called where there is an imported `dev` already."""
UNVALIDATED = {"CDK_VALIDATION": "false"}
"""For the CDK command line: tests/synth validates the same templates, and starting that takes 4 s of each synthesis."""


def context(project: Path) -> dict[str, Any]:
    """Return the context of cdk.json with `dev` on an instance that exists, and `new`, which is cdk.json's `dev`.

    One sandbox cannot have two stacks of a name, and most of what is rehearsed, tested and measured needs no instance
    of its own.
    """
    known: dict[str, Any] = json.loads((project / "cdk.json").read_text(encoding="utf-8"))["context"]
    environments = known["environments"]
    environments[NEW] = environments["dev"]
    environments["dev"] = imported(environments["dev"])
    return known


def imported(environment: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an environment on the instance that exists, with a connector that was made by hand."""
    settings = copy.deepcopy(environment)
    del settings["instance"]
    del settings["monitoring"]  # what is deployed alone needs no topic before it
    del settings["voice"]["queue"]
    settings["instanceArn"] = INSTANCE_ARN
    settings["voice"]["queueArn"] = QUEUE_ARN
    settings["voice"]["destination"] = {
        "connectorArn": CONNECTOR_ARN,
        "did": settings["voice"]["destination"]["did"],
    }
    return settings
