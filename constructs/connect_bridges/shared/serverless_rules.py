"""Say why the bridges do without what cdk-nag's pack Serverless asks for, on the exact resource.

Without cdk-nag in the app this has no effect. What the other packs ask for: docs/security.md.
"""

from __future__ import annotations

from connect_bridges.shared.acknowledgements import acknowledge
from constructs import IConstruct


def explain_function(function: IConstruct, *, traced: bool) -> None:
    """Say why a function has no dead-letter queue and, unless it is traced, no traces."""
    _acknowledge(
        function,
        "LambdaDLQ",
        "No event waits to be worked on: who calls it waits for its answer and hears of a failure, and what runs daily "
        "takes up on the next day what it missed.",
    )
    if not traced:
        _acknowledge(
            function,
            "LambdaTracing",
            "Traces are billed, and whether they are kept is the account owner's to decide: "
            "FunctionOptions(tracing=Tracing.ACTIVE).",
        )


def explain_stage(stage: IConstruct) -> None:
    """Say why an API's stage is not traced."""
    _acknowledge(
        stage,
        "APIGWXrayEnabled",
        "Traces are billed, and whether they are kept is the account owner's to decide: ApiOptions(tracing=True). The "
        "access log has the times of every request.",
    )


def explain_schedule(rule: IConstruct) -> None:
    """Say why a daily rule has no dead-letter queue."""
    _acknowledge(
        rule,
        "EventBusDLQ",
        "A day's event carries nothing, and the next day's does the same work; an alarm tells of runs that fail.",
    )


def explain_dead_letter_queue(queue: IConstruct) -> None:
    """Say why a dead-letter queue has none itself."""
    _acknowledge(queue, "SQSRedrivePolicy", "This is the dead-letter queue, of a topic's subscription.")


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    acknowledge(construct, f"Serverless-{rule}", reason, pack="Serverless")
