"""The way to a real account in README.md: what it shows is what the commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rehearsals.scenarios import Deployment
from tests.rehearsals.played import Played

pytestmark = pytest.mark.sandbox

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"<!-- output: (?P<scenario>\S+) -->\n\s*```\n(?P<lines>.*?)\n\s*```", re.DOTALL)
_OUTPUTS = re.compile(r"<!-- outputs of (?P<stack>\S+) -->(?P<rows>.*?)\n\n\d\. ", re.DOTALL)
SHOWN = {match["scenario"]: match["lines"] for match in _BLOCK.finditer(README.read_text())}


def _plain(line: str) -> str:
    """Leave out the margin and the folder, which differ from run to run."""
    return re.sub(r"(\S+: )?\S*/(?=[a-z-]+\.md, )", "", line.strip())


def test_every_step_shows_its_output() -> None:
    assert list(SHOWN) == ["doctor/all-well", "handoff/real-values", "smoke/passes"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SHOWN)
def test_what_the_readme_shows_is_printed(played: Played, scenario: str) -> None:
    rendered = {_plain(line) for line in played(scenario).rendered.splitlines()}
    printed = {re.sub(r"^→ connect-bridges .*--output ", "", line) for line in rendered}
    shown = [_plain(line) for line in SHOWN[scenario].splitlines() if line.strip() != "…"]
    assert [line for line in shown if line not in printed] == []


def test_the_readme_lists_the_outputs_of_the_voice_stack(deployment: Deployment) -> None:
    match = _OUTPUTS.search(README.read_text())
    assert match is not None
    stack = deployment.voice.stack
    assert match["stack"] == stack
    assert set(re.findall(r"\| `(\w+)` \|", match["rows"])) == set(deployment.sandbox.stack_outputs(stack))
