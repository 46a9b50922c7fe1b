"""The pages of connect-bridges handoff, for every way that a bridge can be set up."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from connect_bridges.operations.handoff.as_html import as_html
from connect_bridges.operations.handoff.as_markdown import as_markdown
from connect_bridges.operations.handoff.page import UNKNOWN, Page
from connect_bridges.operations.handoff.pages import PAGES, Ranges, pages

from rehearsals.printed_commands import CommandError, aws_commands, listings
from tests.support import ROOT
from tests.support.handoff import changed, recorded, samples, variants

TEXTS = ROOT / "constructs/connect_bridges/operations/handoff/texts"
HTML_VALIDATE = ROOT / "node_modules/.bin/html-validate"
VARIANTS = sorted(variants())


@cache
def made(variant: str) -> list[Page]:
    return pages(variants()[variant])


def page(variant: str, vendor: str) -> Page:
    (found,) = [each for each in made(variant) if each.vendor == vendor]
    return found


def ids(of: Page) -> list[str]:
    return [task.id for task in of.tasks]


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_left_open(variant: str) -> None:
    assert made(variant)
    for each in made(variant):
        markdown = as_markdown(each)
        assert "${" not in markdown
        assert "None" not in markdown
        assert (UNKNOWN in markdown) == (variant == "nothing known yet")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_aws_cli_takes_every_command(variant: str) -> None:
    for each in made(variant):
        if variant != "nothing known yet":
            aws_commands(as_markdown(each))


def test_commands_that_the_aws_cli_does_not_take_are_found() -> None:
    wrong = {
        "aws sns list-subscriptions --topic x --region r": "--topic x is nothing that it takes",
        "aws sns list-all --region r": "no operation list-all",
        "aws nothing list --region r": "no service nothing",
        "aws connect list-phone-numbers-v2 --max-results many --region r": "--max-results many is nothing",
        "aws connect list-phone-numbers-v2 --instance-id x": "no --region",
        "aws connect describe-contact-flow --instance-id x --region r": "ContactFlowId is missing",
    }
    for command, says in wrong.items():
        with pytest.raises(CommandError, match=says):
            aws_commands(f"```sh\n{command}\n```\n")


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "nothing known yet"])
def test_a_shell_takes_every_listing(variant: str) -> None:
    script = "\n".join(listing for each in made(variant) for listing in listings(as_markdown(each)))
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, f"{script}\n{checked.stderr}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_ids_are_stable_names_and_unique_on_a_page(variant: str) -> None:
    for each in made(variant):
        anchors = [task.anchor for task in each.tasks] + [section.anchor for section in each.sections]
        assert len(anchors) == len(set(anchors))
        assert all(re.fullmatch(rf"{each.vendor}\.[a-z]+(-[a-z]+)*", task.id) for task in each.tasks)


def test_every_text_is_shown_by_some_deployment() -> None:
    shown = {task.id for variant in VARIANTS for each in made(variant) for task in each.tasks}
    written = set()
    for file in TEXTS.glob("*.toml"):
        for section in tomllib.loads(file.read_text())["sections"]:
            written |= {task["id"] for task in section.get("tasks", [])}
    assert shown == written
    assert {each.vendor for variant in VARIANTS for each in made(variant)} == set(PAGES)
    assert {file.stem for file in TEXTS.glob("*.toml")} == set(PAGES)


def test_every_task_says_how_to_see_it() -> None:
    for variant in VARIANTS:
        for each in made(variant):
            assert [task.id for task in each.tasks if not task.see] == []


# --- the two forms


def read_out(html: str) -> tuple[list[str], set[str], list[str]]:
    """Return the ids of the list items, the elements, and all addresses that attributes hold."""
    found: list[str] = []
    elements: set[str] = set()
    addresses: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            elements.add(tag)
            given = dict(attrs)
            if tag == "li" and given.get("id"):
                found.append(str(given["id"]))
            addresses.extend(f"{tag} {name}" for name, value in attrs if value and "//" in value)

    Reader().feed(html)
    return found, elements, addresses


@pytest.mark.parametrize("variant", VARIANTS)
def test_markdown_and_html_say_the_same(variant: str) -> None:
    for each in made(variant):
        markdown, html = as_markdown(each), as_html(each)
        listed, _, _ = read_out(html)
        assert listed == [task.anchor for task in each.tasks]
        assert re.findall(r"^- \[ \] .* \(`([^`]+)`\)", markdown, re.MULTILINE) == ids(each)
        assert html.count('type="checkbox"') == len(each.tasks)
        for section in each.sections:
            assert f"## {section.heading}" in markdown.replace("\\", "")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for variant in VARIANTS:
        for each in made(variant):
            (folder / f"{VARIANTS.index(variant):02}-{each.name}.html").write_text(as_html(each))
    return folder


def judged(*files: Path) -> subprocess.CompletedProcess[str]:
    config = ROOT / "tests/unit/htmlvalidate.json"
    return subprocess.run(
        [HTML_VALIDATE, "--config", config, *files], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_the_html_is_valid_and_accessible(written: Path) -> None:
    files = sorted(written.glob("*.html"))
    assert len(files) >= 2 * len(VARIANTS)
    done = judged(*files)
    assert done.returncode == 0, done.stdout


def test_a_page_with_a_mistake_would_be_found(tmp_path: Path) -> None:
    good = as_html(page("role", "kore-chat"))
    for mistake in ("</section>", "<h1>", ' lang="en"', '<label for="enable--done">', 'scope="row"'):
        assert mistake in good
        (tmp_path / "page.html").write_text(good.replace(mistake, "", 1))
        assert judged(tmp_path / "page.html").returncode == 1, mistake


def test_a_browser_loads_and_runs_nothing(written: Path) -> None:
    for file in written.glob("*.html"):
        text = file.read_text()
        _, elements, addresses = read_out(text)
        assert not elements & {"script", "link", "img", "iframe", "object", "form", "base", "svg"}
        assert set(addresses) <= {"a href"}
        assert "default-src 'none'; style-src 'unsafe-inline'" in text
        assert "@import" not in text
        assert "url(" not in text


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_have_contrast_by_day_by_night_and_on_paper() -> None:
    style = (TEXTS.parent / "style.css").read_text()
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme)) for theme in re.findall(r":root \{(.*?)\}", style)
    ]
    assert len(themes) == 3
    for theme in themes:
        colours = {**themes[0], **theme}
        for ink, least in (("ink", 7.0), ("link", 4.5), ("line", 3.0)):
            for paper in ("paper", "soft"):
                bright, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= least, (ink, paper, theme)


def test_values_can_neither_become_marks_nor_elements() -> None:
    hostile = 'a`b**c** | <script>alert("x")</script> [d](https://example.com) ${did}'
    voice = changed(recorded()["connect-bridges-dev-voice"], "MetadataBridge", tokenHeader=hostile)
    for each in pages([voice]):
        _, elements, _ = read_out(as_html(each))
        assert not elements & {"script", "b"}
        rows = [row for row in as_markdown(each).splitlines() if row.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    markdown = as_markdown(pages([voice])[0])
    assert "``a`b**c** \\| <script>" in markdown
    assert "printf '%s: %s\\n' 'a`b**c** | <script>" in markdown


# --- what is on them


def test_a_page_is_for_one_vendor_and_the_last_for_the_administrator() -> None:
    assert [each.name for each in made("everything")] == [
        "kore-voice-connect-bridges-dev-voice-transfer",
        "kore-voice-own-app-support-line-assistant",
        "kore-chat",
        "twilio",
        "voiceit",
        "connect-administrator",
    ]
    assert [each.name for each in made("own provider")] == [
        "twilio",
        "voice-provider",
        "connect-administrator",
    ]


def test_several_bridges_are_told_apart_on_the_page_of_the_administrator() -> None:
    headings = [section.heading for section in page("everything", "connect-administrator").sections]
    assert "The voice flow: connect-bridges-dev-voice/Transfer" in headings
    assert "The voice flow: own-app-support-line/Assistant" in headings
    assert "The chat flow" in headings
    assert headings.count("See what happens") == 1


def test_what_belongs_to_an_instance_is_there_once_for_each() -> None:
    other = "arn:aws:connect:us-east-1:123456789012:instance/99999999-2222-3333-4444-555555555555"
    stacks = recorded()
    chat = changed(stacks["connect-bridges-dev-chat"], "ChatStreamBridge", instanceArn=other)
    administrator = pages([stacks["connect-bridges-dev-voice"], chat])[-1]
    headings = [section.heading for section in administrator.sections if "See what" in section.heading]
    assert headings == [
        "See what happens: connect-bridges-dev-voice/Transfer",
        "See what happens: connect-bridges-dev-chat/Chat",
    ]
    commands = [command.text for command in aws_commands(as_markdown(administrator))]
    asked = [text for text in commands if "describe-instance-attribute" in text]
    assert ["99999999" in text for text in asked] == [False, True]


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_heading_stands_alone(variant: str) -> None:
    for each in made(variant):
        assert [
            part.heading for part in each.sections if not (part.paragraphs or part.rows or part.tasks)
        ] == []


def test_the_connector_that_the_stack_made_is_told_with_its_route_and_encryption() -> None:
    told = page("created connector", "kore-voice")
    rows = {
        row.name: "".join(part.text for part in row.value)
        for section in told.sections
        for row in section.rows
    }
    assert (rows["Host that Amazon calls"], rows["Port"]) == ("sbc.example.com", "5061")
    assert rows["Transport"] == "TCP with TLS, voice as SRTP"
    assert rows["Host that Amazon calls from"].endswith(".voiceconnector.chime.aws")
    assert "kore-voice.certificates" in ids(told)
    assert "kore-voice.route" not in ids(told)
    clear = page("created connector, not encrypted", "kore-voice")
    assert "kore-voice.unencrypted" in ids(clear)
    assert "kore-voice.certificates" not in ids(clear)
    assert "kore-voice.route" in ids(page("own connector", "kore-voice"))


def test_without_a_connector_nobody_is_asked_for_a_trunk_or_a_contact_id() -> None:
    told = page("telephone number", "kore-voice")
    assert {"kore-voice.allow-ranges", "kore-voice.contact-id", "kore-voice.sip-headers"} & set(
        ids(told)
    ) == set()
    assert "carries no contact id" in as_markdown(told)
    assert "kore-voice.sip-bye" in ids(told)


def test_the_vendors_access_is_told_as_it_was_made() -> None:
    assert "kore-chat.role" in ids(page("role", "kore-chat"))
    with_key = page("access key", "kore-chat")
    assert "kore-chat.access-key" in ids(with_key)
    assert "get-secret-value --secret-id arn:aws:secretsmanager" in as_markdown(with_key)
    assert "kore-chat.credentials" in ids(page("vendor by itself, own token", "kore-chat"))


def test_who_gave_a_secret_is_not_told_to_fill_it() -> None:
    for variant, vendor in (
        ("own secrets", "twilio"),
        ("own secrets", "voiceit"),
        ("vendor by itself, own token", "kore-chat"),
    ):
        assert "put-secret-value" not in as_markdown(page(variant, vendor))
    for variant, vendor in (("resume", "twilio"), ("resume", "voiceit"), ("role", "kore-chat")):
        assert "put-secret-value" in as_markdown(page(variant, vendor))


def test_what_differs_at_twilio_is_asked_for_where_it_differs() -> None:
    plain = set(ids(page("resume", "twilio")))
    assert set(ids(page("redial", "twilio"))) - plain == {"twilio.geo-permissions"}
    abroad = set(ids(page("by address, abroad, Twilio in Ireland", "twilio")))
    assert abroad - plain == {"twilio.media-open", "twilio.region"}
    assert plain - abroad == {"twilio.media-auth", "twilio.check-recordings"}
    administrator = ids(page("by address, abroad, Twilio in Ireland", "connect-administrator"))
    assert "connect-administrator.gate-caller-id" in administrator


def test_before_the_deployment_the_page_has_what_is_known() -> None:
    stacks = variants()["nothing known yet"]
    voice = as_markdown(pages(stacks)[0])
    assert "+12065550100" in voice
    assert f"*{UNKNOWN}*" in voice
    assert "not deployed yet" in voice
    assert f"<token secret arn: {UNKNOWN}>" in voice


@pytest.mark.parametrize("stack", ["connect-bridges-dev-voice"])
def test_ranges_are_written_out_when_they_are_given(stack: str) -> None:
    given = Ranges({"us-east-1": ["192.0.2.0/24", "2001:db8::/48"]}, "ranges.json")
    told = pages([recorded()[stack]], ranges=given)[0]
    assert "`192.0.2.0/24, 2001:db8::/48`" in as_markdown(told)
    elsewhere = Ranges({"eu-west-1": ["192.0.2.0/24"]}, "ranges.json")
    assert "192.0.2" not in as_markdown(pages([recorded()[stack]], ranges=elsewhere)[0])


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed; the page names it")
def test_the_command_for_the_ranges_prints_those_of_the_region() -> None:
    (listing,) = [each for each in listings(as_markdown(page("own connector", "kore-voice"))) if "jq" in each]
    program = listing.replace("\\\n", " ").strip().partition(" | ")[2]
    published = {
        "prefixes": [
            {"ip_prefix": "192.0.2.0/24", "region": "us-east-1", "service": "CHIME_VOICECONNECTOR"},
            {"ip_prefix": "198.51.100.0/24", "region": "us-east-1", "service": "EC2"},
            {"ip_prefix": "203.0.113.0/24", "region": "eu-west-1", "service": "CHIME_VOICECONNECTOR"},
        ],
        "ipv6_prefixes": [
            {"ipv6_prefix": "2001:db8::/48", "region": "us-east-1", "service": "CHIME_VOICECONNECTOR"}
        ],
    }
    done = subprocess.run(
        ["bash", "-c", program], input=json.dumps(published), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["192.0.2.0/24", "2001:db8::/48"]


# --- the sample in the documents


def test_the_sample_pages_are_what_the_command_writes() -> None:
    for file, text in samples():
        assert file.read_text(encoding="utf-8") == text, f"{file.name} is old: make handoff-sample"
