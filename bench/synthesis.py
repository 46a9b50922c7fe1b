"""Synthesis: the three stacks of an environment, and each further environment, against the smallest CDK app.

Each measurement is ``python app.py`` as a fresh process that writes a new cloud assembly, not through the CDK CLI; the
same interpreter, the same feature flags, Lambda bundles from the cache.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.environments import NODE_NOTICE, context, three_stacks
from bench.figures import Figure, Goal, Section, alternate
from bench.processes import ROOT, Taken, run

THREE_STACKS_LIMIT = 1.5
FURTHER_ENVIRONMENT_LIMIT = 0.12
_MANY = 3  # environments; the more, the less noise in what each one adds


def measure(*, quick: bool = False) -> Section:
    """Synthesize in turn; quick: once each."""
    with tempfile.TemporaryDirectory(prefix="bench-synthesis-") as folder:
        taken = alternate(
            {
                "smallest": _synthesis("bench/smallest_app.py", 0, Path(folder)),
                "one": _synthesis("app.py", 1, Path(folder)),
                "many": _synthesis("app.py", _MANY, Path(folder)),
            },
            rounds=1 if quick else 9,
        )
    seconds = {name: Figure.of([each.seconds for each in values]) for name, values in taken.items()}
    cpu = {name: Figure.of([each.cpu_seconds for each in values]) for name, values in taken.items()}
    ratio, further = seconds["one"].against(seconds["smallest"]), _further(seconds)
    named = {
        "smallest": "smallest app: one topic",
        "one": "one environment: three stacks",
        "many": f"{_MANY} environments: {3 * _MANY} stacks",
    }
    return Section(
        "synthesis",
        "Synthesis against the smallest CDK app",
        ["app", "ms (quartiles)", "ratio", "CPU ms (quartiles)", "CPU ratio"],
        [
            [
                title,
                seconds[name].in_milliseconds(),
                f"{seconds[name].against(seconds['smallest']):.2f}",
                cpu[name].in_milliseconds(),
                f"{cpu[name].against(cpu['smallest']):.2f}",
            ]
            for name, title in named.items()
        ]
        + [["each further environment", "", f"+{further:.2f}", "", f"+{_further(cpu):.2f}"]],
        {
            **{f"{name}_seconds": figure for name, figure in seconds.items()},
            **{f"{name}_cpu_seconds": figure for name, figure in cpu.items()},
            "ratio": ratio,
            "further_environment": further,
            "cpu_ratio": cpu["one"].against(cpu["smallest"]),
            "cpu_further_environment": _further(cpu),
        },
        [
            Goal("three stacks / smallest app", ratio, THREE_STACKS_LIMIT),
            Goal("each further environment / smallest app", further, FURTHER_ENVIRONMENT_LIMIT),
        ],
    )


def _further(figures: dict[str, Figure]) -> float:
    """Return what each environment after the first adds, as a share of the smallest app."""
    added = (figures["many"].median - figures["one"].median) / (_MANY - 1)
    return added / figures["smallest"].median


def _synthesis(app: str, environments: int, folder: Path) -> Callable[[], Taken]:
    settings = three_stacks()
    chosen = {f"bench{number}" if number else "dev": settings for number in range(environments)}
    environment = {
        "CDK_CONTEXT_JSON": json.dumps(context(chosen)),
        "CDK_OUTDIR": str(folder / f"out{environments}"),
        **NODE_NOTICE,
    }

    def synthesize() -> Taken:
        shutil.rmtree(environment["CDK_OUTDIR"], ignore_errors=True)
        return run([sys.executable, str(ROOT / app)], environment=environment)

    return synthesize
