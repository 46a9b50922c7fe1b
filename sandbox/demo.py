"""The demo: deploy the app to the sandbox, place the calls, show and report what happened."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connect_bridges.sandbox.report import write_report
from connect_bridges.sandbox.scenarios import SCENARIOS, Deployment, Result, Scenario, play
from connect_bridges.sandbox.scenarios.registry import failed
from connect_bridges.sandbox.terminal import Terminal

BIOMETRICS = "biometrics/"
REPORT = Path("build/demo/report.json")


@dataclass(frozen=True)
class Options:
    """How to run.

    `only`: names of scenarios. Without them the voice and the chat path, or all of them with `everything`: the
    biometrics take as long again, and the demo shall end within a minute. `keep`: leave the sandbox running until
    Ctrl-C.
    """

    project: Path
    only: Sequence[str] = ()
    report: Path | None = None
    keep: bool = False
    everything: bool = False

    @property
    def report_path(self) -> Path:
        """Where the report goes: as asked, else build/demo/report.json of the project."""
        return self.report or self.project / REPORT

    def chosen(self) -> list[Scenario]:
        """Return the scenarios to play; ValueError naming one that does not exist."""
        unknown = [name for name in self.only if name not in SCENARIOS]
        if unknown:
            raise ValueError(f"there is no scenario {unknown[0]!r}; there are:\n  " + "\n  ".join(SCENARIOS))
        if self.only:
            return [scenario for name, scenario in SCENARIOS.items() if name in self.only]
        return [
            scenario
            for name, scenario in SCENARIOS.items()
            if self.everything or not name.startswith(BIOMETRICS)
        ]


def run(options: Options, terminal: Terminal | None = None) -> int:
    """Run the demo and return the exit status: 0 if every scenario passed. The report is written in any case."""
    terminal = terminal or Terminal()
    chosen = options.chosen()
    started = time.monotonic()
    results: list[Result] = []
    interrupted = False
    try:
        with tempfile.TemporaryDirectory(prefix="connect-bridges-") as work_dir:
            _run(options, chosen, results, terminal, Path(work_dir))
    except KeyboardInterrupt as interrupt:
        interrupted = True
        results += _failed_rest(chosen, results, interrupt)
    except Exception as error:  # noqa: BLE001  (whatever it is: say it, and report what was not played)
        terminal.problem(f"{type(error).__name__}: {error}")
        results += _failed_rest(chosen, results, error)
    finally:
        write_report(options.report_path, results)
    passed = sum(result.outcome == "passed" for result in results)
    terminal.heading(f"{passed} of {len(chosen)} scenarios passed in {time.monotonic() - started:.0f} s")
    for result in results:
        if result.outcome == "failed":
            terminal.line(f"  failed: {result.name}")
    terminal.line(f"  report: {options.report_path}")
    return 130 if interrupted else int(passed != len(chosen))


def _run(
    options: Options, chosen: list[Scenario], results: list[Result], terminal: Terminal, work_dir: Path
) -> None:
    terminal.heading("Deploying to the sandbox")
    with Deployment.start(options.project, work_dir, terminal.step) as deployment:
        if len(chosen) > 1:
            deployment.deploy_all(biometrics=any(one.name.startswith(BIOMETRICS) for one in chosen))
        for note in (*deployment.sandbox.functions.notes, *deployment.sandbox.warnings):
            terminal.line(f"  note           {note}")
        for scenario in chosen:
            terminal.begins(scenario)
            results.append(play(scenario, deployment))
            terminal.result(results[-1])
        if options.keep:
            _keep(deployment, terminal)


def _failed_rest(chosen: list[Scenario], results: list[Result], error: BaseException) -> list[Result]:
    played = {result.name for result in results}
    return [failed(scenario.name, error) for scenario in chosen if scenario.name not in played]


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
