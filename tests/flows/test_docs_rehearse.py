"""What docs/flows.md says about rehearsing is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from connect_sandbox.cli import main
from connect_sandbox.rehearsal.blocks import PLAYED, UNPLAYABLE
from connect_sandbox.rehearsal.contact_maker import ContactMaker
from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.rehearsal.setup_reader import KEYS

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "docs/flows.md").read_text(encoding="utf-8").split("## Rehearse\n")[1].split("\n## ")[0]


def fenced(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    return str(code)


def test_the_example_prints_what_the_documentation_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "support_line.yaml").write_text(fenced("yaml"))
    monkeypatch.chdir(tmp_path)
    command, shown = re.search(
        r"^```\n\$ connect-sandbox (.*?)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE
    ).groups()  # type: ignore[union-attr]

    assert main(shlex.split(command)) == 1  # coverage is below 100 %
    printed = capsys.readouterr().out
    for part in shown.split("   …\n"):  # left out of the documentation
        assert part in printed


def test_the_pytest_example_passes() -> None:
    names: dict[str, object] = {}
    exec(fenced("python"), names)  # noqa: S102  (our own documentation)
    test = names["test_the_queue_is_full"]
    assert callable(test)
    test(ContactMaker(ROOT / "examples/own_app/flows"))


def test_all_that_can_be_set_up_is_documented() -> None:
    assert [key for key in KEYS if f"`{key}`" not in SECTION] == []


def test_the_number_of_types_that_are_played_is_right() -> None:
    played, unplayable = len(list(PLAYED)), len(UNPLAYABLE)
    assert f"Of the {played + unplayable} action types {played} are played." in SECTION


def test_the_example_in_the_help_is_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["rehearse", "--help"])
    example = re.search(r"^  setup:\n(?:  .*\n)+", capsys.readouterr().out, re.MULTILINE)
    assert example is not None
    (tmp_path / "help.yaml").write_text(example.group())
    assert len(ScenarioFile.load(tmp_path / "help.yaml").scenarios) == 1


def test_the_scenarios_that_the_documentation_shows_are_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
    section = page.split("## Write scenarios\n")[1].split("\n## ")[0]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    shown = re.search(
        r"^```\n\$ connect-flows (.*?)\n(.*?)\n\$ connect-flows (.*?)\n```$",
        section,
        re.DOTALL | re.MULTILINE,
    )
    assert shown is not None
    write, told, rehearse = shown.groups()

    assert main(shlex.split(write)) == 0
    assert capsys.readouterr().err == f"{told}\n"
    written = (tmp_path / "support_line.yaml").read_text(encoding="utf-8")
    assert f"```yaml\n{written}```" in section
    assert main(shlex.split(rehearse)) == 0

    (code,) = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    (tmp_path / "support_line.yaml").unlink()
    exec(code, {})  # noqa: S102  (our own documentation)
    assert (tmp_path / "support_line.yaml").read_text(encoding="utf-8") == written
