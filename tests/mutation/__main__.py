"""Runs mutmut over what packages.py lists, then the mutants of named.py: `make mutants PACKAGE=runtime.metadata`.

mutmut puts all mutants of a package beside the original functions and runs, for each, the tests that reach it. It
leaves out decorated functions and code outside of functions; left out here are those that only change the wording of
a message. Of each package a sample is judged, the same one in every run; SAMPLE=0 judges all. Writes
build/mutants/report.json and prints the score of each package: the share of the judged mutants that a test noticed.
The report lists the survivors with their diffs.

Exit status: 0, or 1 if a named mutant survived, 2 if a package could not be judged.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.mutation.named import NAMED, NamedMutant
from tests.mutation.packages import PACKAGES, Package

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutants"
COPIED = (
    *("constructs", "examples", "flows", "packages", "rehearsals", "runtime", "stacks", "tests", "docs"),
    *("app.py", "cdk.json", "pyproject.toml", "package.json"),
)
PRELOADED = (
    *(
        "pytest",
        "hypothesis",
        "boto3",
        "moto",
        "moto.dynamodb",
        "moto.secretsmanager",
        "moto.sns",
        "moto.kms",
    ),
    *("aws_lambda_powertools", "cryptography"),
)
NOTICED = {"killed", "timeout", "segfault"}
MISSED = {"survived", "no tests"}
# mutmut's exit codes (mutmut.stats.status_by_exit_code); what is not here was not judged.
STATUS = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", 24: "timeout", -24: "timeout",
          36: "timeout", 152: "timeout", 255: "timeout", -9: "segfault", -11: "segfault"}  # fmt: skip


@dataclass(slots=True)
class Score:
    """What became of a package's mutants."""

    package: str
    mutants: int
    judged: int = 0
    noticed: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    survivors: list[dict[str, str]] = field(default_factory=list)

    @property
    def share(self) -> str:
        """The score in per cent, of what was judged."""
        return f"{100 * self.noticed / self.judged:.0f} %" if self.judged else "none judged"


class NotJudgedError(Exception):
    """mutmut could not work on a package; the message says where its output is."""


def main() -> int:
    """Judge packages until the time is over, then the named mutants."""
    parser = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--package",
        help="one package, a module of one (runtime.biometrics.machine), or `named` (default: all)",
    )
    parser.add_argument("--sample", type=int, default=25, help="mutants of each package; 0: all (default 25)")
    parser.add_argument(
        "--minutes", type=float, default=30, help="for mutmut, all packages together (default 30)"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    asked = parser.parse_args()
    packages = [
        one for one in PACKAGES if not asked.package or f"{asked.package}.".startswith(f"{one.name}.")
    ]
    if not packages and asked.package != "named":
        known = ", ".join([*(one.name for one in PACKAGES), "named"])
        parser.error(f"--package is {asked.package}; choose from {known}")
    end = time.monotonic() + asked.minutes * 60
    scores, problems = [], []
    for place, package in enumerate(packages):
        share = (end - time.monotonic()) / (len(packages) - place)  # what one leaves over, the others may use
        name = asked.package or package.name
        try:
            scores.append(_judge(package, name, asked.sample, max(share, 0.0), asked.processes))
        except NotJudgedError as problem:
            problems.append(str(problem))
            print(problem, file=sys.stderr)
        else:
            _print(scores[-1])
    named = [_judge_named(mutant) for mutant in NAMED] if asked.package in {None, "named"} else []
    report = {"packages": [asdict(score) for score in scores], "named": named, "problems": problems}
    (BUILD / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(f"\n{'package':32}{'mutants':>9}{'judged':>9}{'noticed':>9}  score")
    for score in scores:
        print(f"{score.package:32}{score.mutants:9}{score.judged:9}{score.noticed:9}  {score.share}")
    print(f"Survivors with their diffs: {(BUILD / 'report.json').relative_to(ROOT)}")
    if any(one["outcome"] != "killed" for one in named):
        return 1
    return 2 if problems else 0


def _judge(package: Package, name: str, sample: int, seconds: float, processes: int) -> Score:
    """Judge a sample of the mutants below a name: the package's own or that of one of its modules."""
    begin = time.monotonic()
    project = BUILD / package.name
    _lay_out(package, project)
    # The first run finds no mutant of that name, yet it makes all of them and learns which test reaches which.
    _mutmut(project, ["run", f"--max-children={processes}", "no-such-mutant"], max(seconds, 120.0))
    made = [mutant for mutant in _outcomes(project) if mutant.startswith(f"{name}.")]
    mutants = sorted(set(made) - _wording(project))
    if not mutants:
        raise NotJudgedError(f"{name}: mutmut made no mutants; see {project / 'mutmut.log'}")
    sampled = sorted(mutants, key=lambda one: hashlib.sha256(one.encode()).hexdigest())[: sample or None]
    _mutmut(
        project,
        ["run", f"--max-children={processes}", *sampled],
        max(seconds - (time.monotonic() - begin), 60.0),
    )
    outcomes = _outcomes(project)
    statuses = {
        name: STATUS.get(code, f"exit code {code}")
        for name in sampled
        if (code := outcomes.get(name)) is not None
    }
    judged = [name for name, status in statuses.items() if status in NOTICED | MISSED]
    if not judged:
        raise NotJudgedError(
            f"{package.name}: mutmut judged none of its mutants; see {project / 'mutmut.log'}"
        )
    return Score(
        name,
        mutants=len(mutants),
        judged=len(judged),
        noticed=sum(statuses[one] in NOTICED for one in judged),
        seconds=round(time.monotonic() - begin, 1),
        statuses=dict(Counter(statuses.values())),
        survivors=[
            {"name": one, "status": statuses[one], "diff": _diff(project, one)}
            for one in sorted(judged)
            if statuses[one] in MISSED
        ],
    )


def _lay_out(package: Package, project: Path) -> None:
    """Copy the repository so that a module's path below the project is its import, which mutmut goes by."""
    _copy(project)
    source = "src" if package.root != "." else package.name.partition(".")[0]
    if package.root != ".":
        (project / package.root).rename(project / "src")
    prefix = "src/" if package.root != "." else ""
    settings = {
        "source_paths": [source],
        "only_mutate": [prefix + pattern for pattern in package.files],
        "also_copy": [name for name in COPIED if name != source and (project / name).exists()],
        "pytest_add_cli_args_test_selection": list(package.tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist"],
        # Each mutant in a fork of a process that has imported libraries and nothing of ours: what tests leave behind in
        # a process, such as a logger that writes to pytest's captured output, must not meet the next run.
        "process_isolation": "forkserver",
        "forkserver_warmup": "import",
        "preload_modules_file": "preloaded.txt",
    }
    (project / "preloaded.txt").write_text("\n".join(PRELOADED))
    with (project / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n")
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


def _copy(project: Path) -> None:
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    for name in COPIED:
        original = ROOT / name
        if original.is_dir():
            shutil.copytree(
                original, project / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        elif original.exists():
            shutil.copy2(original, project / name)


def _environment(project: Path, *roots: str) -> dict[str, str]:
    packages = [str(path) for path in sorted(project.glob("packages/*/src"))]
    paths = [str(project / root) for root in roots] + packages
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "CONNECT_BRIDGES_CACHE": os.environ.get("CONNECT_BRIDGES_CACHE") or str(ROOT / ".cache" / "bundles"),
    }


def _mutmut(project: Path, arguments: list[str], seconds: float) -> None:
    """Run mutmut for at most some seconds; what it has judged until then is kept in its files."""
    with (project / "mutmut.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=project,
            env=_environment(project),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _outcomes(project: Path) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path in project.glob("mutants/**/*.meta"):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def _wording(project: Path) -> set[str]:
    """Return the mutants that differ from their original in prose only, which is a string with a space in it."""
    found: set[str] = set()
    for path in project.glob("mutants/**/*.meta"):
        module = path.with_suffix("")
        functions = {
            node.name: _without_prose(node)
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name
        }
        for name in json.loads(path.read_text())["exit_code_by_key"]:
            function = name.rpartition(".")[2]
            original = functions.get(f"{function.rpartition('__mutmut_')[0]}__mutmut_orig")
            if original is not None and functions.get(function) == original:
                found.add(name)
    return found


def _without_prose(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            node.value = "prose"
    function.name = ""
    return ast.dump(function)


def _diff(project: Path, name: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name],
        cwd=project,
        env=_environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout


def _print(score: Score) -> None:
    print(
        f"{score.package}: {score.noticed} of {score.judged} noticed ({score.share}, {score.seconds:.0f} s)",
        flush=True,
    )
    for survivor in score.survivors:
        changed = [
            line
            for line in survivor["diff"].splitlines()
            if line.startswith(("-", "+")) and not line.startswith(("---", "+++"))
        ]
        print(f"  {survivor['status']}: {survivor['name']}", *changed, sep="\n    ", flush=True)


def _judge_named(mutant: NamedMutant) -> dict[str, str]:
    project = BUILD / "named"
    _copy(project)
    outcome = "killed"
    if _tests_pass(project, mutant):
        try:
            mutant.apply(project)
        except ValueError as problem:
            outcome = str(problem)
        else:
            outcome = "survived" if _tests_pass(project, mutant) else "killed"
    else:
        outcome = f"its tests fail without it: {shlex.join(mutant.tests)}"
    print(f"{mutant.name}: {outcome}", flush=True)
    return {"name": mutant.name, "outcome": outcome}


def _tests_pass(project: Path, mutant: NamedMutant) -> bool:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests],
        cwd=project,
        env=_environment(project, ".", "constructs"),
        capture_output=True,
        check=False,
    )
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
