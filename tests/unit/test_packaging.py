"""Three distributions of one version, and dependencies that go one way. Imports are read, not run."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "connect-bridges": ROOT / "pyproject.toml",
    "connect-flows": ROOT / "packages/connect-flows/pyproject.toml",
    "connect-sandbox": ROOT / "packages/connect-sandbox/pyproject.toml",
}
FLOWS = ROOT / "packages/connect-flows/src/connect_flows"
SANDBOX = ROOT / "packages/connect-sandbox/src/connect_sandbox"
BRIDGES = ROOT / "constructs/connect_bridges"
RUNTIME = ROOT / "runtime"
#: The name to import, where it is not the distribution's.
IMPORTED_AS = {"aws-cdk-lib": "aws_cdk", "PyYAML": "yaml"}
OUR_CODE = ("app.py", "stacks", "constructs", "runtime", "packages", "rehearsals", "tests", "examples")


def project(name: str) -> dict[str, Any]:
    return dict(tomllib.loads(DISTRIBUTIONS[name].read_text())["project"])


def siblings(name: str) -> set[str]:
    return {needed for needed in project(name)["dependencies"] if needed.startswith("connect-")}


def declared(name: str, *extras: str) -> set[str]:
    """Return what a distribution may import of others, by the name to import."""
    wanted = [*project(name)["dependencies"]]
    for extra in extras:
        wanted += project(name)["optional-dependencies"][extra]
    named = {re.split(r"[\[<>=~! ]", one)[0] for one in wanted}
    return {IMPORTED_AS.get(one, one.replace("-", "_")) for one in named}


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the dotted name of everything that the modules of a folder import, inside functions too."""
    for file in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else []
            else:
                continue
            for name in names:
                yield str(file.relative_to(ROOT)), name


def strangers(folder: Path, allowed: set[str]) -> list[str]:
    """Return the imports of a folder that are neither allowed nor the standard library's."""
    known = allowed | sys.stdlib_module_names | {"_typeshed"}  # type checkers bring that one
    return sorted(
        {f"{file}: {name}" for file, name in imports(folder) if name.partition(".")[0] not in known}
    )


def test_the_three_distributions_carry_one_version_and_pin_each_other_to_it() -> None:
    [version] = {project(name)["version"] for name in DISTRIBUTIONS}
    assert {project(name)["name"] for name in DISTRIBUTIONS} == set(DISTRIBUTIONS)
    assert siblings("connect-bridges") == siblings("connect-sandbox") == {f"connect-flows=={version}"}


def test_every_document_that_names_the_version_names_this_one() -> None:
    version = project("connect-flows")["version"]
    named = {
        (str(file.relative_to(ROOT)), found)
        for file in [*ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/*.md")]
        for found in re.findall(r"connect-(?:flows|sandbox|bridges)==([\w.]+)", file.read_text())
    }
    assert {file for file, _ in named} >= {"packages/connect-flows/README.md"}
    assert {one for one in named if one[1] != version} == set()


def test_the_flow_tools_need_nothing_but_python() -> None:
    assert project("connect-flows")["dependencies"] == []
    # botocore comes with boto3.
    further = {FLOWS / "instance/live.py": {"botocore"} | declared("connect-flows", "aws")}
    for file in sorted(FLOWS.rglob("*.py")):
        assert strangers(file, {"connect_flows"} | further.get(file, set())) == []


def test_the_sandbox_knows_the_flow_language_and_what_it_declares() -> None:
    # botocore comes with boto3, werkzeug with moto[server].
    known = {"connect_sandbox", "botocore", "werkzeug"} | declared("connect-sandbox")
    # The plugin is loaded by pytest, which is therefore there; nothing else of the package needs it.
    plugin = SANDBOX / "pytest_plugin.py"
    for file in sorted(SANDBOX.rglob("*.py")):
        assert strangers(file, known | ({"pytest"} if file == plugin else set())) == []


def test_the_sandbox_names_neither_a_vendor_nor_a_construct() -> None:
    exported = ast.parse((BRIDGES / "__init__.py").read_text())
    constructs = {
        alias.name
        for node in ast.walk(exported)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("connect_bridges.")
        for alias in node.names
    } - {"ContactFlow", "ContactCenter"}  # Amazon Connect's own words
    assert {"MetadataBridge", "VoiceBiometricGate"} <= constructs
    ours = re.compile(rf"(?i:kore|voiceit|twilio)|connect_bridges|\b(?:{'|'.join(sorted(constructs))})\b")
    files = [
        file
        for file in sorted(SANDBOX.parents[1].rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    assert len(files) > 100
    found = {
        str(file.relative_to(ROOT)): sorted(
            {match[0] for match in ours.finditer(f"{file.name}\n{file.read_text()}")}
        )
        for file in files
    }
    assert {file: names for file, names in found.items() if names} == {}


def test_the_constructs_know_the_flow_language_and_the_cdk() -> None:
    known = {"connect_bridges", "connect_flows"} | declared("connect-bridges")
    for file in sorted(BRIDGES.rglob("*.py")):
        operations = declared("connect-bridges", "cli") | {"botocore"}
        more = operations if BRIDGES / "operations" in file.parents else set()
        # Names of runtime/ for type checkers only: the wheel holds it as data.
        types = {"runtime"} if "TYPE_CHECKING" in file.read_text() else set()
        assert strangers(file, known | more | types) == []


def test_what_runs_in_lambda_knows_aws_and_itself() -> None:
    assert strangers(RUNTIME, {"runtime", "boto3", "botocore", "aws_lambda_powertools", "twilio"}) == []


def test_the_stacks_know_the_constructs_and_no_sandbox() -> None:
    known = {"stacks", "connect_bridges", "connect_flows", "boto3", "botocore", "pydantic"}
    for file in (*sorted((ROOT / "stacks").rglob("*.py")), ROOT / "app.py"):
        # Names of runtime/ for type checkers only, as in the constructs.
        types = {"runtime"} if "TYPE_CHECKING" in file.read_text() else set()
        assert strangers(file, known | types | declared("connect-bridges")) == []


@pytest.mark.parametrize("room", ["rehearsals", "tests"])
def test_nothing_but_tests_imports(room: str) -> None:
    allowed = ("rehearsals/", "tests/") if room == "rehearsals" else ("tests/",)
    importers = {
        file for part in OUR_CODE for file, name in imports(ROOT / part) if name.partition(".")[0] == room
    }
    assert importers, f"nothing imports {room}: is it read at all?"
    assert [file for file in sorted(importers) if not file.startswith(allowed)] == []


def test_every_folder_of_code_is_a_package() -> None:
    roots = [ROOT / "constructs", *ROOT.glob("packages/*/src"), ROOT / "runtime", ROOT / "rehearsals"]
    folders = {file.parent for root in roots for file in root.rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_source_root_of_the_library_does_not_shadow_pypis_constructs() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_what_the_library_needs_agrees_with_what_is_pinned() -> None:
    pinned = (ROOT / "requirements.txt").read_text()
    assert "aws-cdk-lib==2.275.0" in pinned
    assert '"aws-cdk": "2.1148.1"' in (ROOT / "package.json").read_text()
