"""docs/guides.md says of each step of the vendors' guides what does it and what checks it: all of that exists."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import connect_bridges
import pytest
from botocore import xform_name
from connect_bridges import cli
from connect_bridges.contact_center.metrics import METRICS
from connect_bridges.operations.doctor.limits import limit, limits
from connect_sandbox.iam.service_authorization import UnknownService, find_action

from rehearsals.scenarios import SCENARIOS
from tests.support import ROOT
from tests.support.checks import checks_of

PAGE = ROOT / "docs/guides.md"
#: What the administrator guides hold, and how much of it.
ITEMS = Path(__file__).with_name("guide_items.toml")
OPERATIONS = ROOT / "constructs/connect_bridges/operations"
#: Where a guide may be cited; every citation names a row.
CODE = (
    "constructs",
    "docs/constructs",
    "docs/guides.md",
    "docs/voice-biometrics.md",
    "rehearsals",
    "runtime",
    "stacks",
)
GUIDE = re.compile(
    r"Kore's guides?(?: to (?:external voice|chat|Amazon Connect Chat))?|(?:Twilio's|their) demo guide"
)
CITED = re.compile(r"guides\.md#([\w-]+)")
WITHIN = 160  # characters after the guide's name in which its row is cited

ROW = re.compile(r'^\| <a id="([\w-]+)"></a>\*\*([\w-]+)\*\* (.+?) \| (.+?) \| (.+?) \|$')
TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
CHECK = re.compile(r"(doctor|smoke):([a-z-]+)")
ITEM = re.compile(r"[a-z-]+\.[a-z-]+")
SCENARIO = re.compile(r"(?:voice|chat|biometrics|deploy|doctor|handoff|smoke|instance)/[a-z0-9-]+")
METRIC = re.compile(r"AWS/Connect (\w+)")
QUOTA = re.compile(r"L-[0-9A-F]{8}")
ACTION = re.compile(r"[a-z-]+:[A-Z]\w+")
CALL = re.compile(r"([A-Z]\w+)(?:\.(\w+))?(?:\(((?:\w+=…(?:, )?)+)\))?")


@dataclass(frozen=True)
class Row:
    anchor: str
    name: str
    step: str
    done_by: str
    checked_by: str

    @property
    def references(self) -> list[str]:
        return re.findall(r"`([^`]+)`", f"{self.done_by} {self.checked_by}")


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| step |", "| --- ")):
            matched = ROW.match(line)
            assert matched, f"not a row of a step: {line}"
            found.append(Row(*matched.groups()))
    return tuple(found)


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def wrong_reference(text: str) -> str:
    """Return what is wrong with something that a row names, or nothing."""
    if call := CALL.fullmatch(text):
        return wrong_call(call[1], call[2], re.findall(r"(\w+)=", call[3] or ""))
    for shape, exists in NAMED.items():
        if named := shape.fullmatch(text):
            return "" if exists(named) else f"there is no {text}"
    words = text.split()
    if words[0] in COMMANDS:
        return COMMANDS[words[0]](words[1:])
    return "" if words[0] in {"url", "association"} else f"nobody knows what {text!r} is"


@cache
def items() -> set[str]:
    """Return what connect-bridges handoff has to be ticked off."""
    return {
        one
        for page in (OPERATIONS / "handoff/texts").glob("*.toml")
        for one in re.findall(r'^id = "(.+)"$', page.read_text(encoding="utf-8"), re.MULTILINE)
    }


def is_action(name: str) -> bool:
    """Whether IAM knows an action."""
    try:
        return find_action(name) is not None
    except UnknownService:
        return False


def wrong_call(construct: str, method: str | None, arguments: list[str]) -> str:
    owner: Any = getattr(connect_bridges, construct, None) if construct in connect_bridges.__all__ else None
    called = owner if method is None else getattr(owner, method, None)
    if called is None:
        return f"connect_bridges has no {construct}{f'.{method}' if method else ''}"
    known = set(inspect.signature(called.__init__ if inspect.isclass(called) else called).parameters)
    unknown = sorted(set(arguments) - known)
    return f"{construct} takes no {', '.join(unknown)}" if unknown else ""


def wrong_make(words: list[str]) -> str:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    return "" if words[0] in targets else f"there is no target {words[0]}"


def wrong_bridges(words: list[str]) -> str:
    known = set(re.findall(r"^  (\w+)  ", cli.USAGE, re.MULTILINE))
    return "" if words[0] in known else f"connect-bridges has no {words[0]}"


def wrong_flows(words: list[str]) -> str:
    usage = subprocess.run(
        [sys.executable, "-m", "connect_flows", "--help"],
        capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    return "" if re.search(rf"^\s+{words[0]}\s", usage, re.MULTILINE) else f"connect-flows has no {words[0]}"


def wrong_aws(words: list[str]) -> str:
    service, operation, options = words[0], words[1], [one for one in words[2:] if one.startswith("--")]
    model: Any = botocore.session.get_session().get_service_model(service)
    named = {xform_name(one, "-"): one for one in model.operation_names}
    if operation not in named:
        return f"{service} has no {operation}"
    shape = model.operation_model(named[operation]).input_shape
    known = {f"--{xform_name(one, '-')}" for one in shape.members} if shape else set()
    needed = {f"--{xform_name(one, '-')}" for one in shape.required_members} if shape else set()
    tokens = {name for name in needed if shape and "token" in name.lower()}  # the SDK fills them in
    wrong = sorted(set(options) - known) + sorted(needed - tokens - set(options))
    return f"{service} {operation} takes or lacks {', '.join(wrong)}" if wrong else ""


NAMED: dict[re.Pattern[str], Callable[[re.Match[str]], bool]] = {
    TEST: lambda named: (ROOT / named[1]).is_file() and named[2] in names_in(named[1]),
    SCENARIO: lambda named: named[0] in SCENARIOS,
    CHECK: lambda named: named[2] in checks_of(named[1]),
    ITEM: lambda named: named[0] in items(),
    METRIC: lambda named: named[1] in {metric.name for metric in METRICS},
    QUOTA: lambda named: named[0] in {each.code for each in limits()},
    ACTION: lambda named: is_action(named[0]),
}
COMMANDS = {
    "aws": wrong_aws,
    "connect-bridges": wrong_bridges,
    "connect-flows": wrong_flows,
    "make": wrong_make,
}


def test_every_step_has_a_row_of_its_own() -> None:
    anchors = [row.anchor for row in rows()]
    assert len(anchors) == len(set(anchors)) > 480
    assert [row.anchor for row in rows() if row.anchor != row.name] == []


@pytest.mark.parametrize(
    ("guide", "chapters"),
    [
        # How many steps the guides number in each chapter, counted in their text.
        ("chat", {"1-1": 4, "1-2": 5, "1-4": 6, "2-1": 6, "2-5": 4, "3-1": 4, "3-2": 7, "4-1": 3, "4-2": 6}),
        ("voice", {"call": 4, "design": 6, "api": 7, "start": 4, "transfer": 4, "bot": 9}),
        ("biometrics", {"0": 6, "1": 15, "call": 5}),
    ],
)
def test_no_numbered_step_is_left_out(guide: str, chapters: dict[str, int]) -> None:
    anchors = {row.anchor for row in rows()}
    for chapter, steps in chapters.items():
        wanted = {f"{guide}-{chapter}-{step}" for step in range(1, steps + 1)}
        missing = {one for one in wanted if not any(a == one or a.startswith(f"{one}-") for a in anchors)}
        assert missing == set()


@cache
def chapters() -> tuple[dict[str, Any], ...]:
    """Return the administrator guides' chapters, each with its items."""
    return tuple(tomllib.loads(ITEMS.read_text(encoding="utf-8"))["chapter"])


def admin_rows(chapter: str) -> dict[str, Row]:
    """Return the rows of a chapter of the administrator guides by what follows the chapter in their names."""
    prefix = f"admin-{chapter}-"
    return {row.name.removeprefix(prefix): row for row in rows() if row.name.startswith(prefix)}


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter["id"])
def test_an_administrator_guides_item_has_one_row_and_a_row_is_an_item(chapter: dict[str, Any]) -> None:
    listed = {one["id"]: one["what"] for one in chapter["item"]}
    assert len(listed) == len(chapter["item"])
    assert {name: row.step for name, row in admin_rows(chapter["id"]).items()} == listed
    counted = {guide: sum(guide in one["guides"] for one in chapter["item"]) for guide in chapter["items"]}
    assert counted == chapter["items"]
    assert {guide for one in chapter["item"] for guide in one["guides"]} <= set(counted)


def test_the_administrator_guides_have_all_their_chapters() -> None:
    known = [chapter["id"] for chapter in chapters()]
    assert len(known) == len(set(known))
    named = [row.name.split("-")[1] for row in rows() if row.name.startswith("admin-")]
    assert list(dict.fromkeys(named)) == known, "chapters are in the guides' order"
    headings = re.findall(
        r"^### (.+)$", PAGE.read_text("utf-8").split("\n## Amazon Connect")[1], re.MULTILINE
    )
    assert headings == [chapter["title"] for chapter in chapters()]


def test_a_limit_of_the_guides_is_in_the_table_of_limits() -> None:
    named = admin_rows("limit")
    of_guides = {each.id for each in limits() if each.guide_002 is not None}
    assert set(named) - {"increase"} == of_guides
    for name in of_guides:
        known, row = limit(name), named[name]
        assert f"{known.guide_002:,}" in row.step, name
        assert f"{known.default:,}" in row.done_by, name
        if known.countable:
            assert f"`doctor:{known.check}`" in row.checked_by, name


def test_a_metric_of_the_guides_is_one_that_amazon_connect_writes_today() -> None:
    today = {metric.guide_name: metric.name for metric in METRICS if metric.guide_name}
    named = {name: row.done_by for name, row in admin_rows("metric").items() if "AWS/Connect" in row.done_by}
    assert set(named) == set(today)
    assert [name for name, by in named.items() if f"`AWS/Connect {today[name]}`" not in by] == []


def test_what_a_row_names_exists() -> None:
    wrong = {row.anchor: [*filter(None, map(wrong_reference, row.references))] for row in rows()}
    assert {anchor: problems for anchor, problems in wrong.items() if problems} == {}


def test_a_step_is_checked_or_the_row_says_why_not() -> None:
    assert [row.anchor for row in rows() if not is_checked(row)] == []


def is_checked(row: Row) -> bool:
    if row.checked_by.startswith("Not checked"):
        return re.fullmatch(r"Not checked(?: at \w+)?: .{15,}", row.checked_by) is not None
    named = re.findall(r"`([^`]+)`", row.checked_by)
    return any(shape.fullmatch(one) for one in named for shape in (TEST, CHECK, ITEM, SCENARIO))


def test_every_row_says_who_does_the_step() -> None:
    said = re.compile(r"`|\[|By hand|Not needed|Not done: |Output|As above|The vendor's|Needed")
    assert [row.anchor for row in rows() if not said.match(row.done_by)] == []


@pytest.mark.parametrize("checked_by", ["Not checked", "Not checked: no", "by somebody", "`MetadataBridge`"])
def test_a_row_that_is_not_checked_is_found(checked_by: str) -> None:
    assert not is_checked(Row("voice-0", "voice-0", "Do it", "By hand", checked_by))


def test_every_row_that_is_cited_exists() -> None:
    anchors = {row.anchor for row in rows()}
    cited = {
        (str(path.relative_to(ROOT)), one) for path in sources() for one in CITED.findall(path.read_text())
    }
    assert {one for one in cited if one[1] not in anchors} == set()
    assert len({one for _, one in cited}) > 20


def test_whatever_cites_a_guide_cites_a_row() -> None:
    found = []
    for path in sources():
        if path == PAGE:
            continue
        lines = path.read_text("utf-8").splitlines()
        if path.suffix == ".toml" and path.parent.name == "texts":  # pages for vendors: our comments count
            lines = [line for line in lines if line.startswith("#")]
        text = re.sub(r"\s+", " ", " ".join(re.sub(r"^\s*#:? ?", "", line) for line in lines))
        found += [
            f"{path.relative_to(ROOT)}: {text[match.start() : match.end() + 60]}"
            for match in GUIDE.finditer(text)
            if not CITED.search(text[match.start() : match.end() + WITHIN])
        ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "tests/docs/test_guides.py::test_that_is_not_there",
        "tests/docs/test_nothing.py::test_that_is_not_there",
        "voice/no-such-scenario",
        "MetadataBridge(no_such=…)",
        "MetadataBridge.no_such",
        "NoSuchBridge",
        "make no-such-target",
        "connect-bridges no-such-group",
        "connect-flows no-such-command",
        "doctor:no-such-check",
        "smoke:no-such-check",
        "kore-voice.no-such-item",
        "aws connect no-such-operation",
        "aws sns list-subscriptions-by-topic",
        "aws sns list-subscriptions-by-topic --topic-arn <arn> --no-such <option>",
        "instance/no-such-scenario",
        "AWS/Connect NoSuchMetric",
        "L-00000000",
        "connect:NoSuchAction",
        "nosuchservice:Action",
        "something else",
    ],
)
def test_what_does_not_exist_is_found(text: str) -> None:
    assert wrong_reference(text)


@cache
def sources() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / name for name in filter(None, listed.stdout.split("\0"))]
    return tuple(
        path
        for path in paths
        if path.suffix in {".md", ".py", ".toml"} and path.is_file() and "preflight" not in path.parts
    )
