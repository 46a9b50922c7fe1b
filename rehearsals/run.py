"""A run: deploy what the scenarios need to the sandbox, play them, show and report what happened."""

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connect_sandbox.runs import Recorder, Run
from connect_sandbox.runs.versions import load_events
from connect_sandbox.viewer.report import write_report as write_page

from rehearsals.report import write_report
from rehearsals.scenarios import SCENARIOS, Deployment, Result, Scenario, play
from rehearsals.scenarios.registry import failed
from rehearsals.terminal import Terminal

Command = Literal["demo", "rehearse"]


@dataclass(frozen=True)
class Options:
    """How to run.

    `command`: "demo" plays a selection of every path, "rehearse" every scenario. `only`: names of scenarios to play
    instead. `report`: where the report goes, if not to build/COMMAND/report.json of the project. `keep`: leave the
    sandbox running until Ctrl-C.
    """

    project: Path
    command: Command = "demo"
    only: Sequence[str] = ()
    report: Path | None = None
    keep: bool = False

    @property
    def run_path(self) -> Path:
        """Where what happens is written down while it plays: docs/run-file.md."""
        return self.project / "build" / self.command / "run.jsonl"

    @property
    def report_path(self) -> Path:
        """Where the report goes."""
        return self.report or self.project / "build" / self.command / "report.json"

    @property
    def page_path(self) -> Path:
        """Where the report for people goes: the page of the run, which opens from disk."""
        return self.report_path.with_suffix(".html")

    def chosen(self) -> list[Scenario]:
        """Return the scenarios to play; ValueError naming one that does not exist."""
        unknown = [name for name in self.only if name not in SCENARIOS]
        if unknown:
            raise ValueError(f"there is no scenario {unknown[0]!r}; there are:\n  " + "\n  ".join(SCENARIOS))
        if self.only:
            return [scenario for name, scenario in SCENARIOS.items() if name in self.only]
        return [scenario for scenario in SCENARIOS.values() if scenario.demo or self.command == "rehearse"]


def run(options: Options, terminal: Terminal | None = None) -> int:
    """Play the chosen scenarios and return the exit status: 0 if all of them passed, 130 after Ctrl-C, else 1.

    The report is written in any case.
    """
    terminal = terminal or Terminal()
    chosen = options.chosen()
    started = time.monotonic()
    results: list[Result] = []
    interrupted = False
    told = Recorder(options.run_path, title=f"make {options.command}", tell=terminal.problem)
    try:
        with tempfile.TemporaryDirectory(prefix="connect-bridges-") as work_dir:
            _run(options, chosen, results, terminal, Path(work_dir), told=told)
    except KeyboardInterrupt as interrupt:
        interrupted = True
        results += _failed_rest(chosen, results, interrupt, told)
    except Exception as error:  # noqa: BLE001  (whatever it is: say it, and report what was not played)
        terminal.problem(f"{type(error).__name__}: {error}")
        results += _failed_rest(chosen, results, error, told)
    finally:
        told.close()
        order = list(SCENARIOS)
        results.sort(key=lambda result: order.index(result.name))
        events = load_events(options.run_path) if told.problem is None else told.events()
        write_report(options.report_path, Run.of(events), [result.name for result in results])
        write_page(events, options.page_path)
    passed = sum(result.outcome == "passed" for result in results)
    terminal.heading(f"{passed} of {len(chosen)} scenarios passed in {time.monotonic() - started:.0f} s")
    for result in results:
        if result.outcome == "failed":
            terminal.line(f"  failed: {result.name}")
    terminal.line(f"  report: {options.page_path} (open it in a browser), {options.report_path}")
    terminal.line(f"  run:    {options.run_path} (connect-sandbox show)")
    if options.command == "demo" and not options.only:
        terminal.line(f"  `make rehearse` plays all {len(SCENARIOS)} scenarios")
    return 130 if interrupted else int(passed != len(chosen))


def _run(
    options: Options,
    chosen: list[Scenario],
    results: list[Result],
    terminal: Terminal,
    work_dir: Path,
    *,
    told: Recorder,
) -> None:
    terminal.heading("Deploying to the sandbox")
    with Deployment.start(options.project, work_dir, terminal.step, told) as deployment:
        deployment.deploy({scenario.part for scenario in chosen})
        for warning in deployment.sandbox.warnings:
            terminal.line(f"  note           {warning}")
        play_all(chosen, deployment, results, terminal)
        for note in deployment.sandbox.functions.notes:  # known once a function has run
            terminal.line(f"\n  note           {note}")
        if options.keep:
            _keep(deployment, terminal)


def play_all(
    chosen: list[Scenario], deployment: Deployment, results: list[Result], terminal: Terminal
) -> None:
    """Play the paths side by side, each of them in order: most of what a scenario takes, it waits for a vendor.

    Scenarios that are played alone come afterwards.
    """
    paths: dict[str, list[Scenario]] = {}
    alone = [scenario for scenario in chosen if scenario.alone]
    for scenario in chosen:
        if not scenario.alone:
            paths.setdefault(scenario.path, []).append(scenario)
    shown = _InOrder([*(scenario for path in paths.values() for scenario in path), *alone], terminal)
    stopped = threading.Event()
    broken: list[BaseException] = []

    def play_path(scenarios: list[Scenario]) -> None:
        try:
            for scenario in scenarios:
                result = play(scenario, deployment)
                if stopped.is_set():
                    return
                results.append(result)
                shown.add(result)
        except BaseException as error:  # noqa: BLE001  (raised below, where somebody sees it)
            broken.append(error)

    # Daemons: after an interrupt nobody waits for what is being played, and the sandbox ends under its feet.
    threads = [threading.Thread(target=play_path, args=(path,), daemon=True) for path in paths.values()]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last = threading.Thread(target=play_path, args=(alone,), daemon=True)
        last.start()
        last.join()
    finally:
        stopped.set()
    for error in broken:
        raise error


class _InOrder:
    """Shows results path by path, as soon as all those before them are there."""

    def __init__(self, scenarios: list[Scenario], terminal: Terminal) -> None:
        self._waiting = list(scenarios)
        self._terminal = terminal
        self._results: dict[str, Result] = {}
        self._lock = threading.Lock()

    def add(self, result: Result) -> None:
        with self._lock:
            self._results[result.name] = result
            while self._waiting and self._waiting[0].name in self._results:
                scenario = self._waiting.pop(0)
                self._terminal.played(scenario, self._results[scenario.name])


def _failed_rest(
    chosen: list[Scenario], results: list[Result], error: BaseException, told: Recorder
) -> list[Result]:
    played = {result.name for result in results}
    return [failed(scenario, error, told) for scenario in chosen if scenario.name not in played]


def _keep(deployment: Deployment, terminal: Terminal) -> None:
    environment = deployment.sandbox.environment()
    terminal.heading("The sandbox keeps running; Ctrl-C ends it. Reach it from another terminal with")
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        terminal.line(f"  export {name}={environment[name]}")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        terminal.line("")
