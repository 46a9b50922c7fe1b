"""The HTML pages of connect-flows: diagram --html and diff --html."""

import json
import os
import re
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from connect_flows import ACTIONS, Flow
from connect_flows.cli import main
from connect_flows.examples import example_flow
from connect_flows.page import Shown, diff_page, flows_page, read

from tests.support.page_flows import HOSTILE, MENU_ARN, block, farewell, flow, hostile, menu, renewed

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
HTML_VALIDATE = ROOT / "node_modules/.bin/html-validate"
needs_html_validate = pytest.mark.skipif(
    not HTML_VALIDATE.exists() and "CI" not in os.environ,
    reason="npm's html-validate is not installed: make setup",
)


class Reader(HTMLParser):
    """Collects what a browser would make of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = "" if tag == self.open else self.open

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open, []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self) -> Any:
        return json.loads(self.texts["script"][0])


def shown(document: Json, file: str = "flow.json") -> Shown:
    return read(json.dumps(document), file)


def page(*documents: tuple[str, Json]) -> str:
    return flows_page([shown(document, file) for file, document in documents])


def links(html: str) -> dict[str, list[str]]:
    """Return for each block that leads to flows of the page their names."""
    flows = Reader(html).data["flows"]
    return {
        each["id"]: [flows[to]["name"] for to in each["links"]]
        for one in flows
        for each in one["blocks"]
        if each["links"]
    }


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "menu.json").write_text(json.dumps(menu()))
    (tmp_path / "farewell_module.json").write_text(json.dumps(farewell()))
    (tmp_path / "renewed.json").write_text(json.dumps(renewed()))
    return tmp_path


def test_a_browser_may_run_the_pages_own_script_and_style_and_nothing_else() -> None:
    for html in (page(("menu.json", menu())), diff_page(shown(menu()), shown(renewed()))):
        read_out = Reader(html)
        (policy,) = [
            m["content"] for m in read_out.all("meta") if m.get("http-equiv") == "Content-Security-Policy"
        ]
        (style,), script = read_out.texts["style"], read_out.texts["script"][1]
        hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (script, style)]
        assert policy == (
            f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
            "base-uri 'none'; form-action 'none'"
        )
        attributes = {name for _, attributes in read_out.elements for name in attributes}
        assert not {a for a in attributes if a.startswith("on")} | (attributes & {"src", "style", "action"})
        assert {tag for tag, _ in read_out.elements}.isdisjoint({"link", "img", "iframe", "object", "base"})
        assert all(a["href"] is not None and a["href"].startswith("#") for a in read_out.all("a"))
        assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", html).replace("http-equiv", "")


def test_the_scripts_never_turn_text_into_markup() -> None:
    folder = ROOT / "packages/connect-flows/src/connect_flows/page"
    scripts = list(folder.glob("*.js"))
    assert len(scripts) == 3
    for script in scripts:
        words = set(re.findall(r"\w+", script.read_text(encoding="utf-8")))
        assert words.isdisjoint(
            {"innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "eval", "Function", "setHTML",
             "DOMParser", "createContextualFragment", "fetch", "XMLHttpRequest", "srcdoc"}
        ), script.name  # fmt: skip


@pytest.mark.parametrize("side", ["flow", "diff"])
def test_text_from_flows_stays_text(side: str) -> None:
    document = hostile()
    html = (
        page(("<b>x</b>.json", document)) if side == "flow" else diff_page(shown(document), shown(renewed()))
    )
    plain = page(("x.json", menu())) if side == "flow" else diff_page(shown(menu()), shown(renewed()))
    read_out = Reader(html)
    assert {tag for tag, _ in read_out.elements} == {tag for tag, _ in Reader(plain).elements}
    blocks = read_out.data["flows" if side == "flow" else "sides"][0]["blocks"]
    for text, each in zip(HOSTILE, blocks, strict=False):
        assert each["id"].endswith(text)
        assert ["Text", text, None] in each["parameters"]
    assert len(read_out.all("script")) == 2


@needs_html_validate
def test_the_pages_are_valid_html(tmp_path: Path) -> None:
    every = [(f"{kind}.json", example_flow(kind)) for kind in list(ACTIONS)[:12]]
    pages = {
        "one": page(("menu.json", menu())),
        "several": page(
            ("menu.json", menu()), ("farewell.json", farewell()), ("hostile.json", hostile()), *every
        ),
        "diff": diff_page(shown(menu()), shown(renewed())),
        "broken": page(("menu.json", menu())).replace("</nav>", "", 1),
    }
    for name, html in pages.items():
        (tmp_path / f"{name}.html").write_text(html, encoding="utf-8")
    done = subprocess.run(
        [HTML_VALIDATE, "--config", ROOT / "tests/unit/htmlvalidate.json", "-f", "json", *sorted(tmp_path.glob("*"))],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    found = {Path(each["filePath"]).stem: each["messages"] for each in json.loads(done.stdout)}
    broken = found.pop("broken")
    assert broken
    assert found == {}


def test_blocks_lead_to_the_flow_that_a_placeholder_names() -> None:
    flows = [("menu.json", menu()), ("farewell_module.json", farewell())]
    assert links(page(*flows)) == {"Goodbye": ["Farewell"]}
    assert links(page(*flows[:1])) == {}


@pytest.mark.parametrize(
    ("reference", "named"),
    [
        ("${Farewell}", True),
        ("${FarewellFlowModuleId}", True),
        ("${modules.FarewellArn}", True),
        ("${Welcome}", False),
        ("$.Attributes.Farewell", False),
        ("Farewell", False),
    ],
)
def test_placeholders_name_a_flow_apart_from_their_endings(reference: str, named: bool) -> None:
    html = page(("a.json", menu(module=reference)), ("b.json", farewell()))
    assert bool(links(html)) == named


def test_two_flows_of_one_name_are_linked_by_none() -> None:
    html = page(("a.json", menu()), ("b.json", farewell()), ("c.json", farewell()))
    assert links(html) == {}
    assert [each["key"] for each in Reader(html).data["flows"]] == ["main-menu", "farewell", "farewell-2"]


def test_a_full_name_goes_before_a_shortened_one() -> None:
    other = flow("Farewell module", "end", block("end", "DisconnectParticipant", {}))
    html = page(("a.json", menu()), ("b.json", farewell()), ("c.json", other))
    assert links(html) == {"Goodbye": ["Farewell module"]}


def transfer(name: str, value: str, shown_as: str | None = None) -> Json:
    made = flow(
        name,
        "go",
        block("go", "TransferToFlow", {"ContactFlowId": value}, "end", NoMatchingError="end"),
        block("hooks", "UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": value}}, "end"),
        block("end", "DisconnectParticipant", {}),
    )
    if shown_as is not None:
        labels = {
            each: {"parameters": {"ContactFlowId": {"displayName": shown_as}}} for each in ("go", "hooks")
        }
        made["Metadata"]["ActionMetadata"] = labels
    return made


def test_blocks_lead_to_the_flow_of_an_arn_by_name_by_file_and_by_metadata() -> None:
    by_name = page(("a.json", transfer("Entry", MENU_ARN, "Main menu")), ("b.json", menu()))
    assert links(by_name) == {"go": ["Main menu"], "hooks": ["Main menu"]}
    by_file = page(("a.json", transfer("Entry", MENU_ARN)), (f"{MENU_ARN.rpartition('/')[2]}.json", menu()))
    assert links(by_file) == {"go": ["Main menu"], "hooks": ["Main menu"]}
    known = menu()
    known["Metadata"]["arn"] = MENU_ARN
    by_metadata = page(("a.json", transfer("Entry", MENU_ARN.rpartition("/")[2])), ("b.json", known))
    assert links(by_metadata) == {"go": ["Main menu"], "hooks": ["Main menu"]}
    assert links(page(("a.json", transfer("Entry", MENU_ARN)), ("b.json", menu()))) == {}


def test_findings_are_at_their_blocks() -> None:
    (one,) = Reader(page(("menu.json", menu()))).data["flows"]
    found = {each["id"]: [f["rule"] for f in each["findings"]] for each in one["blocks"] if each["findings"]}
    assert found["Look up"] == ["CF205"]


@pytest.mark.parametrize("document", [menu(), hostile()], ids=["menu", "hostile"])
def test_the_script_finds_every_block_and_branch_in_the_picture(document: Json) -> None:
    read_out = Reader(page(("a.json", farewell()), ("b.json", document)))
    groups = read_out.all("g")
    ids = {group.get("id") for group in groups}
    drawn = {(group.get("data-from"), group.get("data-branch")) for group in groups}
    for number, each in enumerate(read_out.data["flows"][1]["blocks"]):
        assert f"f1-block-{number}" in ids
        assert {(each["mark"], branch["key"]) for branch in each["branches"]} <= drawn


def test_an_old_export_is_shown_as_what_it_is_converted_to() -> None:
    old = {
        "modules": [
            {"id": "a", "type": "PlayPrompt", "branches": [{"condition": "Success", "transition": "b"}],
             "parameters": [{"name": "Text", "value": "Hello", "namespace": None}]},
            {"id": "b", "type": "Disconnect", "branches": [], "parameters": []},
        ],
        "version": "1", "type": "contactFlow", "start": "a", "metadata": {"name": "Old"},
    }  # fmt: skip
    (one,) = Reader(page(("old.json", old))).data["flows"]
    types = [re.sub(r".*\((\w+)\)", r"\1", each["type"]) for each in one["blocks"]]
    assert types == ["MessageParticipant", "DisconnectParticipant"]
    assert one["blocks"][0]["parameters"] == [["Text", "Hello", None]]


def test_the_command_draws_files_and_directories_on_one_page(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (room / "package.json").write_text('{"name": "x"}')
    assert main(["diagram", ".", "-o", "all.html"]) == 0
    assert "note: left out package.json" in capsys.readouterr().err
    html = (room / "all.html").read_text(encoding="utf-8")
    assert [each["file"] for each in Reader(html).data["flows"]] == [
        "farewell_module.json",
        "menu.json",
        "renewed.json",
    ]
    assert main(["diagram", "menu.json", "farewell_module.json", "--html"]) == 0
    assert links(capsys.readouterr().out) == {"Goodbye": ["Farewell"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagram", "menu.json", "renewed.json"], "add --html"),
        (["diagram", "."], "add --html"),
        (["diagram", "menu.json", "empty", "--html"], "holds no *.json"),
        (["diagram", "other.json", "--html"], "other.json"),
        (["diagram", "menu.json", "--html", "--format", "svg"], "not allowed with"),
        (["diff", "menu.json", "renewed.json", "--html", "-o", "absent/x.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    room: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (room / "other.json").write_text("[]")
    (room / "empty").mkdir()
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_settings_of_the_linter_hold_on_the_page(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "pyproject.toml").write_text('[tool.connect-flows.lint]\nignore = ["CF205"]\n')
    assert main(["diagram", "menu.json", "--html"]) == 0
    assert "CF205" not in capsys.readouterr().out


def test_the_diff_page_tells_what_diff_tells(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "menu.json", "renewed.json"]) == 1
    told = capsys.readouterr().out.splitlines()[:-1]
    assert main(["diff", "menu.json", "renewed.json", "--html"]) == 1
    data = Reader(capsys.readouterr().out).data
    assert [f"{each['kind']}: {each['block']}" for each in data["changes"]] == [
        line.split(" (")[0] for line in told
    ]
    assert main(["diff", "menu.json", "menu.json", "-o", "same.html"]) == 0
    assert Reader((room / "same.html").read_text(encoding="utf-8")).data["changes"] == []


def test_each_side_of_the_diff_lights_its_own_branches() -> None:
    data = Reader(diff_page(shown(menu()), shown(renewed()))).data
    states = [{b["id"]: b["states"] for b in side["blocks"] if b["states"]} for side in data["sides"]]
    assert states == [
        {"Menu": {"condition:1": "changed"}, "Look up": {"next": "removed"}},
        {
            "Menu": {"condition:1": "changed"},
            "Queue is next": {"next": "added", "error:NoMatchingError": "added"},
        },
    ]
    old, new = ([block["id"] for block in side["blocks"]] + [None] for side in data["sides"])
    rows = [
        (old[-1 if row["old"] is None else row["old"]], new[-1 if row["new"] is None else row["new"]])
        for row in data["rows"]
    ]
    assert ("Look up", None) in rows
    assert (None, "Queue is next") in rows
    changed = [names[1] for names, row in zip(rows, data["rows"], strict=True) if row["changed"]]
    assert changed == ["Greeting", "Menu"]
    added = data["rows"][rows.index((None, "Queue is next"))]
    assert data["sides"][0]["blocks"][added["near"]]["id"] == "Menu"


def test_one_change_in_several_blocks_lights_them_all() -> None:
    def queues(last: str) -> Json:
        queue = f"{MENU_ARN.partition('/contact-flow')[0]}/queue/bbbbbbbb-0000-0000-0000-00000000000{last}"
        return flow(
            "Queues",
            "a",
            block("a", "UpdateContactTargetQueue", {"QueueId": queue}, "b", NoMatchingError="b"),
            block("b", "UpdateContactTargetQueue", {"QueueId": queue}, "c", NoMatchingError="c"),
            block("c", "DisconnectParticipant", {}),
        )

    data = Reader(diff_page(shown(queues("1")), shown(queues("2")))).data
    (change,) = data["changes"]
    assert change["rows"] == [0, 1]
    assert [row["changed"] for row in data["rows"]] == [True, True, False]


def test_a_flow_with_two_blocks_of_one_name_and_none_with_a_name_are_drawn() -> None:
    twins = flow(
        "",
        "x",
        block("x", "MessageParticipant", {"Text": "1"}),
        block("x", "MessageParticipant", {"Text": "2"}),
    )
    html = flows_page([Shown(Flow.parse(twins, name="-"), "")])
    assert [each["id"] for each in Reader(html).data["flows"][0]["blocks"]] == ["x", "x"]
    assert Reader(html).data["flows"][0]["name"] == "flow"
