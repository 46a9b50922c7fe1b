"""Cost: 1,000 calls and 1,000 chats, from what a contact really asks of AWS, times list prices.

Contacts are played on the deployed voice and chat stacks in the sandbox. Invocations, their billed durations and
memory, and bytes of logs are read from CloudWatch Logs, requests to the API from its access log, calls to DynamoDB,
Secrets Manager, KMS and SNS from the audit of IAM's decisions. ``alone`` is the first contact: every function starts
cold, every cache is empty. ``busy`` is the mean of those that follow at once. Durations are this machine's, not
Lambda's.

Items are taken to be at most 1 KB. Not counted: Amazon Connect itself, telephony, alarms, dashboards, custom metrics,
data transfer, storage of tables and logs; all of them but the first two are small beside what is counted, or shared.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.conditions import Says

from bench.contacts import at_once
from bench.figures import NotMeasuredError, Section
from rehearsals.scenarios.chat_path import CHAT_STACK
from rehearsals.scenarios.chats import play_chat
from rehearsals.scenarios.deployment import VOICE_STACK, Deployment
from rehearsals.vendors.chat.script import BotScript

Usage: TypeAlias = dict[str, float]
"""How much of each priced unit; names as in prices.json, and some that are counted on the way (``_NOT_PRICED``)."""

_FOLDER = Path(__file__).parent
_NOT_PRICED = {"billed_seconds", "lambda_gb_seconds", "platform_log_gb"}
_EVENT_OVERHEAD_BYTES = 26  # CloudWatch Logs counts them for each event
_REPORT = re.compile(r"REPORT .*Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")
_UNITS = {
    "dynamodb:PutItem": "dynamodb_write_units",
    "dynamodb:UpdateItem": "dynamodb_write_units",
    "dynamodb:DeleteItem": "dynamodb_write_units",
    "dynamodb:GetItem": "dynamodb_read_units",
    "secretsmanager:GetSecretValue": "secrets_manager_requests",
    "kms:GenerateDataKey": "kms_requests",
    "kms:Decrypt": "kms_requests",
    "sns:Publish": "sns_requests",
}
_COUNTED_SERVICES = {unit.split(":", maxsplit=1)[0] for unit in _UNITS}
_MONTHLY = {"AWS::SecretsManager::Secret": "secret_months", "AWS::KMS::Key": "kms_key_months"}


class PriceList:
    """List prices by unit, with where and when they were read."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take the parsed prices.json."""
        self.looked_up = str(document["looked_up"])
        self.region = str(document["region"])
        self._prices = {
            name: float(price["usd"]) / float(price["per"]) for name, price in document["prices"].items()
        }

    @classmethod
    def read(cls) -> PriceList:
        """Read prices.json."""
        return cls(json.loads((_FOLDER / "prices.json").read_text(encoding="utf-8")))

    def cost(self, usage: Mapping[str, float]) -> float:
        """Return what the units cost in dollars; ``KeyError`` naming a unit without a price."""
        return sum(amount * self._prices[unit] for unit, amount in usage.items() if unit not in _NOT_PRICED)


@dataclass(frozen=True)
class Contact:
    """What one contact of a kind uses, alone and among many, and what the stack has whether or not there is one."""

    alone: Usage
    busy: Usage
    monthly: Usage


def measure(deployment: Deployment, *, quick: bool = False) -> Section:
    """Play contacts on freshly deployed stacks; quick: two more than the first instead of ten."""
    following = 2 if quick else 10
    voice = _contact(deployment, VOICE_STACK, lambda: _call(deployment), following)
    chat = _contact(deployment, CHAT_STACK, lambda: _chat(deployment), following)
    prices = PriceList.read()
    designs = json.loads((_FOLDER / "guide_designs.json").read_text(encoding="utf-8"))
    compared = {
        "calls, ours": voice,
        "calls, Kore's guide": guide_contact(designs["voice"], voice),
        "chats, ours": chat,
        "chats, Kore's guide": guide_contact(designs["chat"], chat),
    }
    return Section(
        "costs",
        f"1,000 contacts in {prices.region}, list prices of {prices.looked_up}",
        ["contacts", "$ per 1,000, alone", "$ per 1,000, busy", "$ a month besides"],
        [
            [
                name,
                f"{prices.cost(contact.alone) * 1000:.3f}",
                f"{prices.cost(contact.busy) * 1000:.3f}",
                f"{prices.cost(contact.monthly):.2f}",
            ]
            for name, contact in compared.items()
        ],
        {name: vars(contact) for name, contact in compared.items()},
    )


def guide_contact(design: Mapping[str, Any], ours: Contact) -> Contact:
    """Return what a contact uses in a guide's design: its counts, our durations and messages, Lambda's log lines."""

    def usage(counts: Mapping[str, float], measured: Usage) -> Usage:
        # The mean invocation, times theirs: both designs hold functions of the same kinds.
        share = counts["lambda_requests"] / measured["lambda_requests"]
        seconds = measured["billed_seconds"] * share
        return {
            **counts,
            **{unit: measured.get(unit, 0.0) for unit in design.get("same_as_ours", ())},
            f"lambda_gb_seconds_{design['architecture']}": seconds * design["memory_mb"] / 1024,
            "logs_gb": measured["platform_log_gb"] * share,
        }

    return Contact(
        usage(design["alone"], ours.alone), usage(design["busy"], ours.busy), dict(design["monthly"])
    )


def usage_of_logs(events: list[str]) -> Usage:
    """Return what the log events of functions and APIs say was used."""
    used: Usage = defaultdict(float)
    for event in events:
        size = (len(event.encode()) + _EVENT_OVERHEAD_BYTES) / 1e9
        used["logs_gb"] += size
        if event.startswith(("START ", "END ", "REPORT ")):
            used["platform_log_gb"] += size
        if report := _REPORT.match(event):
            seconds = int(report[1]) / 1000
            used["lambda_requests"] += 1
            used["billed_seconds"] += seconds
            used["lambda_gb_seconds_arm64"] += seconds * int(report[2]) / 1024
        if event.startswith("{") and "resourcePath" in json.loads(event):
            used["api_gateway_rest_requests"] += 1
    return dict(used)


def usage_of_calls(actions: list[str]) -> Usage:
    """Return what IAM actions were used; ``ValueError`` for one of a priced service that has no unit here."""
    used: Usage = defaultdict(float)
    for action in actions:
        if action in _UNITS:
            used[_UNITS[action]] += 1
        elif action.split(":", maxsplit=1)[0] in _COUNTED_SERVICES:
            raise ValueError(f"{action} was called; say in bench/costs.py which unit of prices.json it costs")
    return dict(used)


def _contact(deployment: Deployment, stack: str, play: Callable[[], Usage], following: int) -> Contact:
    deployment.voice if stack == VOICE_STACK else deployment.chat  # noqa: B018 (deploys what is not deployed yet)
    alone = _used_by(deployment.sandbox, play)
    busy: Usage = defaultdict(float)
    for _ in range(following):
        for unit, amount in _used_by(deployment.sandbox, play).items():
            busy[unit] += amount / following
    resources = deployment.sandbox.boto3_client("cloudformation").describe_stack_resources(StackName=stack)
    monthly = Counter(
        _MONTHLY[resource["ResourceType"]]
        for resource in resources["StackResources"]
        if resource["ResourceType"] in _MONTHLY
    )
    return Contact(alone, dict(busy), {unit: float(number) for unit, number in monthly.items()})


def _used_by(sandbox: Sandbox, play: Callable[[], Usage]) -> Usage:
    before = Counter(_log_events(sandbox))
    sandbox.audit.clear()
    used: Usage = defaultdict(float, play())
    written = list((Counter(_log_events(sandbox)) - before).elements())
    # What the developer's own credentials ask for is our looking; the contact's is asked by roles and services.
    actions = [entry.action for entry in sandbox.audit.calls(allowed=True) if not _is_ours(entry.principal)]
    for part in (usage_of_logs(written), usage_of_calls(actions)):
        for unit, amount in part.items():
            used[unit] += amount
    return dict(used)


def _is_ours(principal: str) -> bool:
    return ":root" in principal or ":user/" in principal


def _log_events(sandbox: Sandbox) -> list[str]:
    client = sandbox.boto3_client("logs")
    return [
        event["message"]
        for groups in client.get_paginator("describe_log_groups").paginate()
        for group in groups["logGroups"]
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
    ]


def _call(deployment: Deployment) -> Usage:
    at_once(deployment, 1)
    return {}


def _chat(deployment: Deployment) -> Usage:
    script = BotScript(
        token="", greeting="Hello.", replies=("It left our warehouse.",), leaves_after=2, farewell="Goodbye."
    )
    chat = play_chat(
        deployment.sandbox,
        deployment.chat,
        script,
        moves=[Says("Where is my order 4711?"), Says("Thank you!")],
    )
    delivered = chat.accounts_for().get("delivered", 0)
    if not delivered:
        raise NotMeasuredError(
            "a chat was not streamed to its bot: this machine was too busy to answer in the flow's time; run it again"
        )
    return {"sns_http_deliveries": float(delivered)}
