"""What the documents name exists: files, sections, make targets, numbers."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from connect_flows import ACTIONS
from connect_sandbox.cloud.cfn.types import all_types
from connect_sandbox.cloud.cfn.types.recorded import RecordedType
from connect_sandbox.rehearsal.blocks import PLAYED

from tests.support import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|md|json|yaml|yml|txt))`")


@cache
def documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [
        ROOT / name for name in sorted(filter(None, listed.stdout.split("\0"))) if (ROOT / name).is_file()
    ]


def prose(document: Path) -> str:
    """Return a document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return the fragments of a document: those that GitHub makes of its headings, and those that it sets itself."""
    text = prose(document)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([\w-]+)"></a>', text))


def leads_nowhere(document: Path, link: str) -> bool:
    path, _, fragment = unquote(link).partition("#")
    target = (document.parent / path).resolve() if path else document
    return not target.exists() or bool(fragment and fragment not in anchors(target))


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(prose(document)) if not re.match(r"https?:|mailto:", link)]
    assert [link for link in links if leads_nowhere(document, link)] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    readme = ROOT / "README.md"
    assert leads_nowhere(readme, "docs/no-such-page.md")
    assert leads_nowhere(readme, "docs/flows.md#no-such-section")
    assert not leads_nowhere(readme, "docs/flows.md#rehearse")


def test_every_path_that_contributing_names_exists() -> None:
    text = prose(ROOT / "CONTRIBUTING.md")
    named = {path for path in PATH.findall(text) if "…" not in path} - {"limits.py"}
    assert len(named) >= 1
    made = {path for path in named if path.startswith("build/")}
    assert [path for path in sorted(named - made) if not (ROOT / path).exists()] == []
    files = [link for link in LINK.findall(text) if not link.startswith("http")]
    assert len(files) > 30  # test_every_link_leads_somewhere follows them


@pytest.mark.parametrize(
    "kind",
    [
        "a chat bot preset",
        "a biometrics provider",
        "a flow block",
        "a CloudFormation type",
        "a construct",
        "a setting",
    ],
)
def test_contributing_says_what_to_touch(kind: str) -> None:
    section = prose(ROOT / "CONTRIBUTING.md").split(f"### To add {kind}, touch\n")[1].split("\n### ")[0]
    assert re.search(r"^1\. ", section, re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE))
    assert len(named) >= 5
    assert named - targets == set()


def test_the_numbers_of_types_are_right() -> None:
    readme = (ROOT / "packages/connect-sandbox/README.md").read_text()
    recorded = sum(isinstance(kind, RecordedType) for kind in all_types().values())
    assert f"with {len(all_types())} resource types" in readme
    assert f"{recorded} of them are recorded without effect" in " ".join(readme.split())
    assert f"({len(list(PLAYED))} of {len(ACTIONS)} action types)" in readme
    assert f"knows {len(ACTIONS)} action types" in (ROOT / "packages/connect-flows/README.md").read_text()


def test_every_decision_is_listed_and_says_what_it_must() -> None:
    decisions = ROOT / "docs/decisions"
    index = (decisions / "README.md").read_text()
    files = sorted(decisions.glob("0*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for number, file in enumerate(files, 1):
        text = file.read_text()
        title = text.partition("\n")[0].removeprefix(f"# {number}. ")
        assert f"{number}. [{title}]({file.name})" in index
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
            "Alternatives",
        ]


def test_no_document_cites_a_guide_by_its_number() -> None:
    cited = {
        str(document.relative_to(ROOT))
        for document in documents()
        if re.search(r"guide 00\d", document.read_text())
    }
    assert cited == set()


@pytest.mark.parametrize(
    "readme",
    ["constructs/README.md", "packages/connect-flows/README.md", "packages/connect-sandbox/README.md"],
)
def test_what_a_package_registry_shows_has_no_link_into_the_repository(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert [one for one in targets if not one.startswith(("https://", "#"))] == []


def test_alarms_cite_no_file_of_the_repository() -> None:
    for monitoring in (ROOT / "constructs/connect_bridges").rglob("monitoring.py"):
        assert not re.search(r"docs/\S+\.md", monitoring.read_text(encoding="utf-8")), monitoring
