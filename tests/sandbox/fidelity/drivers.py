"""Who sends the cases of which area."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity import api_gateway, cloudformation, iam, lambdas, sns
from tests.sandbox.fidelity.cases import Area, Case, Verdict

Driver = Callable[[Sandbox, Iterable[Case]], Iterator[Any]]
"""Sends cases to a sandbox; yields what it answers to each, in their order."""

DRIVERS: dict[str, Driver] = {
    "api_gateway": api_gateway.answers,
    "authorizers": api_gateway.answers,
    "iam": iam.answers,
    "intrinsics": cloudformation.answers,
    "lambda": lambdas.answers,
    "lifecycle": cloudformation.answers,
    "sns_filters": sns.answers,
    "sns_messages": sns.answers,
}


def verdicts(sandbox: Sandbox, area: Area) -> list[Verdict]:
    """Send all cases of an area."""
    observed = DRIVERS[area.name](sandbox, area.cases)
    return [Verdict(case, answer) for case, answer in zip(area.cases, observed, strict=True)]
