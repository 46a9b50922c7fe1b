from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "connect_bridges": "constructs/connect_bridges",
    "connect_bridges.runtime": "runtime",
    "connect_bridges.flows": "flows",
    "connect_bridges.sandbox": "sandbox",
}


def test_every_package_of_every_room_is_in_the_distribution() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join([name, *init.parent.relative_to(ROOT / folder).parts])
        for name, folder in ROOMS.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert declared == found


def test_the_source_root_of_the_library_does_not_shadow_pypis_constructs() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_what_the_library_needs_agrees_with_what_is_pinned() -> None:
    pinned = (ROOT / "requirements.txt").read_text()
    assert "aws-cdk-lib==2.275.0" in pinned
    assert '"aws-cdk": "2.1148.1"' in (ROOT / "package.json").read_text()
