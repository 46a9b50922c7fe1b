"""Run the tests of one distribution in an environment where nothing of the others is installed.

    python tests/part.py connect-flows | connect-sandbox | connect-bridges

The environment is build/parts/NAME. A test file is left out, by name, if it imports what the distribution does not
bring: those need several parts, and `make test` runs them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = {"connect_flows", "connect_sandbox", "connect_bridges", "rehearsals", "runtime", "stacks"}
TOOLS = ["pytest", "pytest-xdist", "pytest-timeout", "hypothesis", "PyYAML"]
PARTS: dict[str, tuple[list[str], list[str], set[str], list[str]]] = {
    # what is installed from here, what else, what may be imported of ours, where the tests are
    "connect-flows": (
        ["packages/connect-flows"],
        TOOLS,
        {"connect_flows"},
        ["tests/flows"],
    ),
    "connect-sandbox": (
        ["packages/connect-flows", "packages/connect-sandbox"],
        [*TOOLS, "aws-lambda-powertools"],
        {"connect_flows", "connect_sandbox"},
        ["tests/sandbox", "tests/flows/test_docs_rehearse.py", "tests/flows/test_scenarios_coverage.py"],
    ),
    "connect-bridges": (
        ["packages/connect-flows", "."],
        [
            *TOOLS,
            "aws-lambda-powertools",
            "boto3",
            "moto",
            "twilio",
            "cdk-nag",
            "pydantic",
            "cryptography",
        ],
        {"connect_flows", "connect_bridges", "runtime", "stacks"},
        ["tests/unit", "tests/synth"],
    ),
}


def main() -> int:
    """Install the part, run its tests; return pytest's exit status."""
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        sys.exit(__doc__)
    projects, tools, known, rooms = PARTS[sys.argv[1]]
    home = ROOT / "build/parts" / sys.argv[1]
    venv.create(home, with_pip=True, clear=True)
    python = str(home / "bin/python")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(pins()))
        constraints.flush()
        sources = [f"{ROOT}/{project}" for project in projects]
        pip = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-c",
            constraints.name,
        ]
        subprocess.run([*pip, *sources, *tools], check=True)
    places = [ROOT / room for room in rooms]
    files = sorted(
        {file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])}
    )
    left_out = [file for file in files if imported(file) - known]
    for file in left_out:
        sys.stdout.write(
            f"left out: {file.relative_to(ROOT)}, which imports {', '.join(imported(file) - known)}\n"
        )
    chosen = [str(file.relative_to(ROOT)) for file in files if file not in left_out]
    # conftest.py of all tests prepares botocore, which the flow tools do not have.
    cut = ["--confcutdir", rooms[0]] if sys.argv[1] == "connect-flows" else []
    return subprocess.run([python, "-m", "pytest", "-q", *cut, *chosen], cwd=ROOT, check=False).returncode


def pins() -> list[str]:
    """Return the locked versions as constraints, which name no extras (and, for sources from here, no hashes)."""
    text = (ROOT / "requirements-dev.txt").read_text()
    return [
        re.sub(r"\[.*\]", "", line.rstrip(" \\"))
        for line in re.findall(r"^[\w.\[\],-]+==.+$", text, re.MULTILINE)
    ]


def imported(file: Path) -> set[str]:
    """Return which of our packages a test file imports, by way of tests/support and conftest.py too."""
    seen: set[Path] = set()
    found: set[str] = set()
    waiting = [
        file,
        *(folder / "conftest.py" for folder in file.parents if folder not in (ROOT, *ROOT.parents)),
    ]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                if name.startswith("tests."):
                    place = ROOT.joinpath(*name.split("."))
                    waiting += [place.with_suffix(".py"), place / "__init__.py"]
                found |= {name.partition(".")[0]} & OURS
    return found


if __name__ == "__main__":
    sys.exit(main())
