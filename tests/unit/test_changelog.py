"""The changelog begins with what is to come, and its newest release is the version of the distributions."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import date

import pytest

from tests.support import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
DISTRIBUTIONS = ("", "packages/connect-flows", "packages/connect-sandbox")


def releases() -> list[tuple[tuple[int, ...], date]]:
    found = []
    for heading in HEADING.findall(TEXT)[1:]:
        match = RELEASE.fullmatch(heading)
        assert match, f"{heading!r} is not a release; write [1.2.3] - 2026-12-31"
        found.append((tuple(int(match[n]) for n in (1, 2, 3)), date.fromisoformat(match[4])))
    return found


def section(version: str) -> str:
    return TEXT.split(f"\n## [{version}]")[1].partition("\n## ")[0]


def test_what_is_to_come_is_on_top_and_releases_go_back_in_time() -> None:
    assert HEADING.findall(TEXT)[0] == "[Unreleased]"
    assert releases() == sorted(releases(), reverse=True)
    assert len({version for version, _ in releases()}) == len(releases())


@pytest.mark.parametrize("folder", DISTRIBUTIONS)
def test_the_newest_release_is_the_version_of_every_distribution(folder: str) -> None:
    version = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]["version"]
    newest, _ = releases()[0]
    assert version == ".".join(map(str, newest)), (
        f"{folder or 'connect-bridges'} is {version}: move what is under Unreleased to "
        f"## [{version}] - <the day>, and leave Unreleased empty on top"
    )


def test_every_release_says_what_kind_of_change_it_holds() -> None:
    for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", part, re.MULTILINE)
        assert set(kinds) <= KINDS
        assert kinds or part.startswith("[Unreleased]")


def test_the_first_release_names_every_distribution_and_every_construct() -> None:
    first = section("0.1.0")
    for name in ("connect-bridges", "connect-flows", "connect-sandbox"):
        assert f"\n#### {name}\n" in first
    module = ast.parse((ROOT / "constructs/connect_bridges/__init__.py").read_text())
    homes = next(
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES"
    )
    constructs = [
        name
        for name, home in homes.items()
        if re.search(rf"^class {name}\([\w.]*(Construct|Function)\)", source(home), re.MULTILINE)
    ]
    assert len(constructs) >= 9
    assert [name for name in constructs if f"`{name}`" not in TEXT] == []


def source(module: str) -> str:
    file = ROOT / "constructs" / f"{module.replace('.', '/')}.py"
    return file.read_text() if file.is_file() else ""
