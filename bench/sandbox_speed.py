"""The sandbox's own speed: until it is ready, a call through a deployed flow, and deployments of examples/own_app.

A deployment is compared with the same by the CDK's command line against a server that answers at once
(`bench/instant_server.py`): what is more than that is the sandbox. Wall time is what a user waits for; processor time
counts the command, the processes that it starts and the sandbox, and suffers less from neighbours.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from connect_sandbox.cloud.cdk_cli import find_cdk
from connect_sandbox.cloud.environment import sandbox_environment
from connect_sandbox.workbench.client import RemoteSandbox
from connect_sandbox.workbench.for_tests import Run, TestSandbox
from connect_sandbox.workbench.place import Place

from bench.figures import Figure, Goal, NotMeasuredError, Section, alternate
from bench.instant_server import ACCOUNT, REGION
from bench.processes import ROOT
from tests.support.own_line import write

START_LIMIT_SECONDS = 2.0
CALL_LIMIT_SECONDS = 0.2
DEPLOYMENT_LIMIT = 1.3
APP = ROOT / "examples/own_app"
STACK = "own-app-support-line"
_COMMAND = (sys.executable, "-m", "connect_sandbox")
_SCENARIO = "caller: [{presses: '1'}]\nexpect: {hears: ['Welcome, Ada.'], ends: {queued: Support}}\n"


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of processor time; 0.0 of processor time where the system cannot tell."""

    seconds: float
    cpu_seconds: float


def measure(*, quick: bool = False) -> Section:
    """Measure all three; quick: once each."""
    with tempfile.TemporaryDirectory(prefix="bench-speed-") as folder:
        scratch = Path(folder)
        rounds = 1 if quick else 5
        starts = alternate({"start": partial(start, scratch / "start")}, rounds=rounds)["start"]
        calls = _calls(scratch / "calls", rounds=rounds * 4)
        deployments = _deployments(scratch, rounds=1 if quick else 3)
    figures = {
        "until a sandbox is ready": starts,
        "a call, in a test": calls["test"],
        "a call, by `connect-sandbox call`": calls["command"],
        "own_app, with bootstrap: `connect-sandbox deploy`": deployments["new"],
        "own_app, with bootstrap: `cdk`, instant server": deployments["cdk new"],
        "own_app: `connect-sandbox deploy`": deployments["again"],
        "own_app: `cdk deploy`, instant server": deployments["cdk again"],
    }
    wall = {name: Figure.of([each.seconds for each in spent]) for name, spent in figures.items()}
    cpu = {name: Figure.of([each.cpu_seconds for each in spent]) for name, spent in figures.items()}
    names = list(figures)
    ratios = {
        names[3]: wall[names[3]].against(wall[names[4]]),
        names[5]: wall[names[5]].against(wall[names[6]]),
    }
    return Section(
        "sandbox_speed",
        "The sandbox: start, call, deployment",
        ["what", "ms (quartiles)", "CPU ms", "ratio"],
        [
            [
                name,
                wall[name].in_milliseconds(),
                f"{cpu[name].median * 1e3:,.0f}",
                f"{ratios[name]:.2f}" if name in ratios else "",
            ]
            for name in names
        ],
        {name: wall[name] for name in names} | {f"{name}, CPU": cpu[name] for name in names},
        [
            Goal("start in s", wall[names[0]].median, START_LIMIT_SECONDS),
            Goal("call in a test in s", wall[names[1]].median, CALL_LIMIT_SECONDS),
            Goal("call by command in s", wall[names[2]].median, CALL_LIMIT_SECONDS),
            Goal("deployment with bootstrap / instant server", ratios[names[3]], DEPLOYMENT_LIMIT),
            Goal("deployment / instant server", ratios[names[5]], DEPLOYMENT_LIMIT),
        ],
    )


def start(folder: Path) -> Spent:
    """Start a sandbox in the background, as deploy does, until its port answers; end it again."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  (our own command)
        [*_COMMAND, "serve", "--at", str(folder)], stdout=subprocess.PIPE, text=True
    ) as serving:
        said = serving.stdout.readline() if serving.stdout else ""
        seconds = time.perf_counter() - begun
        cpu_seconds = _so_far(serving.pid)
        serving.terminate()
        serving.communicate()
    if "account" not in said:
        raise NotMeasuredError(f"connect-sandbox serve did not start, but said {said!r}")
    return Spent(seconds, cpu_seconds)


def _calls(folder: Path, *, rounds: int) -> dict[str, list[Spent]]:
    """Place calls to a flow that invokes one warm function: from a test, and from a terminal."""
    folder.mkdir()
    template = write(folder)
    (folder / "line.yaml").write_text(_SCENARIO)
    with ExitStack() as stack:
        run = stack.enter_context(Run.start(folder / "sandbox", ACCOUNT, REGION, folder / "run.jsonl"))
        sandbox = TestSandbox(run, folder, folder)
        sandbox.deploy(template)
        in_background = stack.enter_context(_background(folder))
        in_background("deploy", str(template))

        def in_a_test() -> None:
            sandbox.call("Support line").hears("Welcome, Ada.").presses("1").ends(queued="Support")

        def at_a_terminal() -> None:
            in_background("call", "Support line", "--scenario", str(folder / "line.yaml"))

        return alternate(
            {
                "test": partial(_spent, in_a_test, os.getpid),
                "command": partial(_spent, at_a_terminal, partial(_pid, folder)),
            },
            rounds=rounds,
        )


def _deployments(scratch: Path, *, rounds: int) -> dict[str, list[Spent]]:
    """Deploy examples/own_app into a sandbox that was just started and into one that runs, and to an instant server."""
    with ExitStack() as stack:
        running = scratch / "running"
        running.mkdir()
        deployed = stack.enter_context(_background(running))
        deployed("deploy", str(APP))

        def again() -> Spent:
            deployed("destroy", STACK)
            return _spent(partial(deployed, "deploy", str(APP)), partial(_pid, running))

        def new() -> Spent:
            with tempfile.TemporaryDirectory(dir=scratch) as folder, _background(Path(folder)) as command:
                RemoteSandbox.ensure(Place.of(Path(folder)), None, None)
                return _spent(partial(command, "deploy", str(APP)), partial(_pid, Path(folder)))

        return alternate(
            {
                "new": new,
                "cdk new": partial(_against_instant_server, scratch, bootstrapped=False),
                "again": again,
                "cdk again": partial(_against_instant_server, scratch, bootstrapped=True),
            },
            rounds=rounds,
        )


def _against_instant_server(scratch: Path, *, bootstrapped: bool) -> Spent:
    """Deploy with the CDK's command line alone; what is bootstrapped already is not measured."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder, _instant_server() as (url, server):
        environment = {
            **os.environ,
            **sandbox_environment(url, ACCOUNT, REGION, cdk_home=Path(folder) / "cdk-home"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }
        cdk = find_cdk(APP)

        def bootstrap() -> None:
            _run([*cdk, "bootstrap", f"aws://{ACCOUNT}/{REGION}"], Path(folder), environment)

        def deploy() -> None:
            options = ["--method=direct", "--require-approval", "never", "--progress", "events"]
            _run([*cdk, "deploy", *options, "--output", f"{folder}/cdk.out", "--all"], APP, environment)

        def both() -> None:
            bootstrap()
            deploy()

        if not bootstrapped:
            return _spent(both, lambda: server.pid)
        bootstrap()
        return _spent(deploy, lambda: server.pid)


@contextmanager
def _instant_server() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.instant_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield (server.stdout.readline().strip() if server.stdout else ""), server
        finally:
            server.terminate()


@contextmanager
def _background(folder: Path) -> Iterator[Callable[..., None]]:
    """Run commands of the sandbox of a folder, which ends with the context."""

    def command(*arguments: str) -> None:
        _run([*_COMMAND, *arguments, "--at", str(folder)], folder, dict(os.environ))

    try:
        yield command
    finally:
        command("destroy")


def _spent(work: Callable[[], object], sandbox: Callable[[], int]) -> Spent:
    """Do something; count what it and the process of a sandbox take."""
    before = _so_far(sandbox())
    children = _children()
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    return Spent(seconds, _children() - children + _so_far(sandbox()) - before)


def _pid(folder: Path) -> int:
    running = Place.of(folder).remembered()
    if running is None:
        raise FileNotFoundError(folder)
    return running.pid


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _so_far(pid: int) -> float:
    """Return the processor time of a process until now, where the system tells it (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2) if sys.platform == "linux" else 0.0


def _run(command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise NotMeasuredError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{last}")
