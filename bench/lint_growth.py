"""The linter: how its time grows with the number of blocks.

The flows are chains of prompt, Lambda, comparison and attribute blocks with error branches: every family of rules has
work to do. Times are processor time. The exponent is the slope of log(time) over log(blocks): 1 is linear.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from connect_flows import lint

from bench.figures import Figure, Goal, Section, alternate, exponent

SIZES = (10, 20, 40, 80, 160, 250)
LIMIT = 1.1


def measure(*, quick: bool = False) -> Section:
    """Lint a flow of each size in turn; quick: the smallest four sizes, three times."""
    sizes = SIZES[:4] if quick else SIZES
    taken = alternate({str(size): _timed(flow(size)) for size in sizes}, rounds=3 if quick else 25)
    figures = {size: Figure.of(taken[str(size)]) for size in sizes}
    found = exponent([(size, figure.median) for size, figure in figures.items()])
    return Section(
        "lint_growth",
        "Linter: time over blocks",
        ["blocks", "ms (quartiles)", "ms a block"],
        [
            [
                str(size),
                f"{figure.median * 1e3:.2f} ({figure.lower_quartile * 1e3:.2f}-{figure.upper_quartile * 1e3:.2f})",
                f"{figure.median * 1e3 / size:.3f}",
            ]
            for size, figure in figures.items()
        ]
        + [["exponent", f"{found:.2f}", ""]],
        {**{f"{size}_blocks_seconds": figure for size, figure in figures.items()}, "exponent": found},
        [Goal("linter's exponent", found, LIMIT)],
    )


def _timed(text: str) -> Callable[[], float]:
    def seconds() -> float:
        # Processor time: lint waits for nothing, and its neighbours on this machine are no growth of its own.
        begin = time.process_time()
        lint(text)
        return time.process_time() - begin

    return seconds


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
