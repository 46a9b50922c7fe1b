"""What cannot be proved here: the data file, the page and the code that relies on it say the same."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from connect_bridges.operations import evidence

from tests.support import ROOT
from tests.support.checks import checks_of

PAGE = ROOT / "docs/evidence.md"
#: Where code relies on evidence; documents and tests only talk about it.
CODE = ("app.py", "constructs", "flows", "packages", "rehearsals", "runtime", "stacks")
NAMED = re.compile(r"\bevidence: ((?:[a-z0-9]+(?:-[a-z0-9]+)+(?:, )?)+)")

ENTRY = """
[[entry]]
id = "two-words"
claim = "It rains."
used_in = ["runtime/chat/start.py"]
known = "inferred"
source = "A window."
noticed = "a call"
if_wrong = "Stay dry."
"""


@cache
def named_in_code() -> dict[str, set[str]]:
    """Return the files that name each entry."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".txt"} and path != evidence.FILE and path.is_file():
            for names in NAMED.findall(path.read_text(encoding="utf-8")):
                for one in filter(None, names.split(", ")):
                    found.setdefault(one, set()).add(name)
    return found


def test_the_page_is_written_from_the_file() -> None:
    assert PAGE.read_text(encoding="utf-8") == evidence.page(evidence.entries()), "run `make evidence`"


def test_the_page_shows_every_entry_once() -> None:
    headings = re.findall(r"^### (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(evidence.ids())


def test_the_counts_of_the_page_add_up() -> None:
    rows = re.findall(r"^\| \[.*?\| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sum(int(count) for row in rows for count in row) == len(evidence.entries())


def test_whatever_code_names_has_an_entry() -> None:
    assert {one: files for one, files in named_in_code().items() if one not in evidence.ids()} == {}


@pytest.mark.parametrize("entry", evidence.entries(), ids=lambda entry: entry.id)
def test_an_entry_and_the_code_name_each_other(entry: evidence.Entry) -> None:
    # A flow is JSON, which has no comments: the construct that publishes it names the entry.
    claimed = {path for path in entry.used_in if Path(path).suffix != ".json"}
    assert [path for path in entry.used_in if not (ROOT / path).is_file()] == []
    assert claimed, f"{entry.id} is used in no code that could name it"
    assert named_in_code().get(entry.id, set()) == claimed


@pytest.mark.parametrize("entry", evidence.entries(), ids=lambda entry: entry.id)
def test_an_entry_says_where_it_is_known_from_and_what_to_do(entry: evidence.Entry) -> None:
    assert len(entry.claim) > 30
    assert len(entry.if_wrong) > 30
    assert len(entry.source) > 15
    if entry.known == "documented":
        assert not re.search(r"\b(nobody|not documented|undocumented)\b", entry.source.lower())


def test_whatever_is_said_to_prove_an_entry_is_a_check() -> None:
    named = {tuple(check.split(":")) for entry in evidence.entries() for check in entry.proved_by}
    assert len(named) >= 8
    assert [f"{command}:{name}" for command, name in named if name not in checks_of(command)] == []
    assert "no-such-check" not in checks_of("doctor") | checks_of("smoke")


def test_entries_are_found_by_id_and_by_the_check_that_proves_them() -> None:
    streaming = evidence.entry("streaming-contact-arn")
    assert streaming in evidence.proved_by("smoke:chat-start-permission")
    assert streaming.part == "ChatStreamBridge"
    assert evidence.proved_by("smoke:no-such-check") == ()
    with pytest.raises(KeyError, match="no evidence 'no-such-entry'"):
        evidence.entry("no-such-entry")


def test_the_page_of_an_entry_links_to_its_code() -> None:
    (one,) = evidence.read(ENTRY + 'proved_by = ["doctor:quota"]\n')
    text = evidence.page([one])
    assert "| [ChatStreamBridge](#chatstreambridge) | 0 | 0 | 1 |" in text
    assert "[runtime/chat/start.py](../runtime/chat/start.py)" in text
    assert "`doctor:quota`" in text


def test_the_page_shows_asterisks_and_angle_brackets_as_they_are() -> None:
    (one,) = evidence.read(
        ENTRY.replace("It rains.", "kms:ReEncrypt* in <Gather>, see docs/guides.md#voice-2-5")
    )
    assert (
        r"kms:ReEncrypt\* in \<Gather>, see [docs/guides.md#voice-2-5](guides.md#voice-2-5)"
        in evidence.page([one])
    )


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('id = "two-words"', 'id = "TwoWords"', "two or more lower case words"),
        ('id = "two-words"', 'id = "word"', "two or more lower case words"),
        ('known = "inferred"', 'known = "guessed"', "choose one of documented, reported, inferred"),
        ('claim = "It rains."', 'claim = " "', "claim is ' '; write a text"),
        ('claim = "It rains."', "", "has or lacks claim"),
        ('claim = "It rains."', 'claim = "It rains."\nproof = "none"', "has or lacks proof"),
        ('used_in = ["runtime/chat/start.py"]', "used_in = []", "write a list of texts"),
        ('used_in = ["runtime/chat/start.py"]', 'used_in = ["docs/flows.md"]', "belongs to no construct"),
        ('noticed = "a call"', 'noticed = "a call"\nproved_by = ["a call"]', "such as smoke:chat-dry-run"),
        ("[[entry]]", "[entry]", r"write \[\[entry\]\] tables only"),
        ("[[entry]]", "[[entry]", "is not TOML"),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused_by_entry(before: str, after: str, complaint: str) -> None:
    assert evidence.read(ENTRY)
    with pytest.raises(evidence.EvidenceError, match=complaint):
        evidence.read(ENTRY.replace(before, after))


def test_two_entries_of_one_id_are_refused() -> None:
    with pytest.raises(evidence.EvidenceError, match="two entries 'two-words'"):
        evidence.read(ENTRY + ENTRY)
