from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "connect-bridges": ROOT / "pyproject.toml",
    "connect-flows": ROOT / "packages/connect-flows/pyproject.toml",
    "connect-sandbox": ROOT / "packages/connect-sandbox/pyproject.toml",
}


def project(name: str) -> dict[str, Any]:
    return dict(tomllib.loads(DISTRIBUTIONS[name].read_text())["project"])


def siblings(name: str) -> set[str]:
    return {needed for needed in project(name)["dependencies"] if needed.startswith("connect-")}


def test_the_three_distributions_carry_one_version_and_pin_each_other_to_it() -> None:
    [version] = {project(name)["version"] for name in DISTRIBUTIONS}
    assert {project(name)["name"] for name in DISTRIBUTIONS} == set(DISTRIBUTIONS)
    assert siblings("connect-bridges") == siblings("connect-sandbox") == {f"connect-flows=={version}"}


def test_the_flow_tools_need_nothing_but_python() -> None:
    assert project("connect-flows")["dependencies"] == []


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
