"""Cold starts: what a deployed function does before its first event, against ``import boto3`` and one client.

Each measurement is a fresh process that imports the handler from the unpacked zip with the function's own environment
variables, and with the variable that tells it that Lambda is initializing, upon which it makes its clients. The time
is that of the imports and clients, without the start of the interpreter. It is taken twice: with bytecode on both
sides, which compares what is imported, and as deployed, where boto3 has bytecode and the function's folder has none,
since Lambda's copy of it is read-only. The goal is for the first; the second is what a caller waits for.
"""

from __future__ import annotations

import compileall
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Goal, Section, alternate
from bench.functions import DeployedFunction
from bench.processes import run

LIMIT = 1.0
_BASELINE = "boto3 and a DynamoDB client"
_TIMED = """
import gc, importlib, json, sys, time
wall, cpu = time.perf_counter(), time.process_time()
{work}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
from botocore.client import BaseClient
clients = sum(isinstance(each, BaseClient) for each in gc.get_objects())
print(json.dumps({{"seconds": wall, "cpu_seconds": cpu, "clients": clients}}))
"""
_MADE_LATER = {
    "voice.handler": "importlib.import_module('runtime.voice.apis').ConnectorApis.in_region('us-east-1')"
}
"""How the clients are made that a function makes at its first event only, since the event names their Region."""

_ACCOUNT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Start:
    """One initialization: seconds, seconds of processor time, and how many clients there are afterwards."""

    seconds: float
    cpu_seconds: float
    clients: int


def measure(functions: Sequence[DeployedFunction], *, quick: bool = False) -> Section:
    """Initialize each function in turn with the baseline, compiled and as deployed; quick: once each."""
    with tempfile.TemporaryDirectory(prefix="bench-cold-") as folder:
        variants = {_BASELINE: _start("import boto3; client = boto3.client('dynamodb')", {}, None)}
        for function in functions:
            for compiled in (True, False):
                place = Path(folder) / function.module / str(compiled)
                zipfile.ZipFile(function.archive).extractall(place)
                if compiled:
                    compileall.compile_dir(place, quiet=1)
                variants[_variant(function, compiled=compiled)] = _initialization(function, place)
        starts = alternate(variants, rounds=1 if quick else 15, warm_ups=1)
    seconds = {name: Figure.of([start.seconds for start in each]) for name, each in starts.items()}
    cpu = {name: Figure.of([start.cpu_seconds for start in each]) for name, each in starts.items()}
    ratios = {name: figure.against(seconds[_BASELINE]) for name, figure in seconds.items()}
    rows = [
        [_BASELINE, str(starts[_BASELINE][0].clients), seconds[_BASELINE].in_milliseconds(), "1.00", "1.00"]
    ]
    for function in functions:
        alike, deployed = (_variant(function, compiled=each) for each in (True, False))
        rows.append(
            [
                function.module,
                str(starts[alike][0].clients),
                seconds[alike].in_milliseconds(),
                f"{ratios[alike]:.2f}",
                f"{ratios[deployed]:.2f}",
            ]
        )
    return Section(
        "cold_starts",
        "Import and clients of each function against boto3 and one client",
        ["function", "clients", "ms (quartiles)", "ratio", "as deployed, without bytecode"],
        rows,
        {
            "seconds": {name: vars(figure) for name, figure in seconds.items()},
            "cpu_seconds": {name: vars(figure) for name, figure in cpu.items()},
            "ratios": ratios,
        },
        [
            Goal(f"cold start of {function.module}", ratios[_variant(function, compiled=True)], LIMIT)
            for function in functions
        ],
    )


def _variant(function: DeployedFunction, *, compiled: bool) -> str:
    return function.module if compiled else f"{function.module} as deployed"


def _initialization(function: DeployedFunction, place: Path) -> Callable[[], Start]:
    module = function.handler.removesuffix(".handler")
    work = f"importlib.import_module({module!r}); kept = {_MADE_LATER.get(function.module)}"
    environment = {**function.environment, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
    start = _start(work, environment, place)

    def checked() -> Start:
        begun = start()
        if not begun.clients:
            raise ValueError(
                f"{module} has made no client; it seems to refuse its environment, which bench/functions.py reads as "
                f"{dict(function.environment)}"
            )
        return begun

    return checked


def _start(work: str, environment: dict[str, str], place: Path | None) -> Callable[[], Start]:
    # -P: not the folder that we are in, which holds a package `runtime` too.
    path = f"import sys; sys.path.insert(0, {str(place)!r})\n" if place else ""
    command = [sys.executable, "-P", "-B", "-c", path + _TIMED.format(work=work)]

    def start() -> Start:
        taken = run(command, environment={**_ACCOUNT, **environment, "PYTHONDONTWRITEBYTECODE": "1"})
        return Start(**json.loads(taken.output.splitlines()[-1]))

    return start
