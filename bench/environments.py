"""The CDK context of the measured environments: cdk.json's own, with more capabilities or more environments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.processes import ROOT, run
from rehearsals.environments import context as imported_context

NODE_NOTICE = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}


def context(environments: dict[str, Any]) -> dict[str, Any]:
    """Return the context of cdk.json, feature flags and all, with these environments, each of them chosen."""
    known: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return {**known, "environments": environments, "env": ",".join(environments)}


def three_stacks() -> dict[str, Any]:
    """Return the settings of an imported ``dev`` with chats and voice biometrics at their defaults."""
    dev: dict[str, Any] = imported_context(ROOT)["environments"]["dev"]
    queue = dev["voice"]["queueArn"]
    dev["chat"] = {"webhookUrl": "https://bot.example.com/hook", "queueArn": queue}
    dev["biometrics"] = {"telephony": {"number": "+12065550188"}, "queueArn": queue}
    return dev


def every_function() -> dict[str, Any]:
    """Return settings with which every function of the project is deployed."""
    settings = three_stacks()
    settings["voice"]["destination"] = {
        "createConnector": {"host": "sbc.example.com"},
        "did": "+12065550199",
    }
    settings["chat"]["vendorAccess"] = {"accessKey": {}}
    return settings


def synthesize(context_: dict[str, Any], outdir: Path) -> None:
    """Run this project's app into a folder, as ``cdk synth`` does with cdk.json's command."""
    environment = {"CDK_CONTEXT_JSON": json.dumps(context_), "CDK_OUTDIR": str(outdir), **NODE_NOTICE}
    run([sys.executable, "app.py"], environment=environment)
