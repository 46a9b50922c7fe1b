"""Measure how the cost of lint grows with the number of blocks; print the exponent.

    python bench/flow_lint.py

The flows are chains of prompt, Lambda, comparison and attribute blocks with error branches, from 10 to 250 blocks:
every family of rules has work to do. The exponent is the slope of log(time) over log(blocks), and must stay at or
below 1.1; the exit status says whether it does.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from typing import Any

from connect_flows import lint

SIZES = (10, 20, 40, 80, 160, 250)
LIMIT = 1.1


def flow(blocks: int) -> str:
    """Return the JSON text of a flow with that many blocks."""
    actions: list[dict[str, Any]] = []
    for i in range(blocks - 1):
        following = str(i + 1)
        error = [{"ErrorType": "NoMatchingError", "NextAction": str(blocks - 1)}]
        kinds: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("MessageParticipant", {"Text": f"Hello $.Attributes.name{i - 1}."}, {"Errors": error}),
            (
                "InvokeLambdaFunction",
                {"LambdaFunctionARN": "${Fetch}", "InvocationTimeLimitSeconds": "3"},
                {"Errors": error},
            ),
            (
                "Compare",
                {"ComparisonValue": "$.External.found"},
                {
                    "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": following}],
                    "Conditions": [
                        {"NextAction": following, "Condition": {"Operator": "Equals", "Operands": ["true"]}},
                    ],
                },
            ),
            ("UpdateContactAttributes", {"Attributes": {f"name{i}": "$.External.body"}}, {"Errors": error}),
        ]
        kind, parameters, transitions = kinds[i % 4]
        actions.append(
            {
                "Identifier": str(i),
                "Type": kind,
                "Parameters": parameters,
                "Transitions": {"NextAction": following, **transitions},
            }
        )
    end = {
        "Identifier": str(blocks - 1),
        "Type": "DisconnectParticipant",
        "Parameters": {},
        "Transitions": {},
    }
    return json.dumps({"Version": "2019-10-30", "StartAction": "0", "Actions": [*actions, end]})


def seconds(text: str, rounds: int = 15) -> float:
    """Return the least of several times that lint took."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        lint(text)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def exponent(points: list[tuple[int, float]]) -> float:
    """Return the slope of a straight line through log(time) over log(blocks)."""
    return statistics.linear_regression(
        [math.log(n) for n, _ in points], [math.log(t) for _, t in points]
    ).slope


def main() -> int:
    """Print the times and the exponent; return 1 when it is above the limit."""
    lint(flow(10))  # reads the knowledge file
    points = [(size, seconds(flow(size))) for size in SIZES]
    for size, taken in points:
        sys.stdout.write(f"{size:4} blocks {taken * 1000:8.2f} ms\n")
    found = exponent(points)
    sys.stdout.write(f"exponent {found:.2f} (at most {LIMIT})\n")
    return 0 if found <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
