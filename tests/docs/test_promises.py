"""What the documentation promises about time, tokens, locks, erasure and logs has a test by name.

docs/security.md lists the promises; promises.toml says in which words pages and docstrings make them.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from connect_bridges.operations import aws, web
from connect_bridges.operations.smoke import account

from runtime.biometrics import dialogue, reconciliation, recordings, removal
from runtime.biometrics import limits as biometrics
from runtime.chat import limits as chat
from runtime.metadata import limits as metadata
from runtime.voice import limits as voice
from tests.docs.test_guides import SCENARIO, TEST, wrong_reference
from tests.support import ROOT
from tests.support.claims import Sentence, docstrings, sentences

PAGE = ROOT / "docs/security.md"
WORDS = Path(__file__).with_name("promises.toml")
ROW = re.compile(r'^\| <a id="([a-z-]+)"></a>(.+?) \| (.+) \|$', re.MULTILINE)
CONTRACTS = ROOT / "tests/synth/contracts"
#: Pages that a test of their own holds, or that say what was played and measured rather than what is deployed.
HELD_ELSEWHERE = {
    "docs/evidence.md": "tests/docs/test_evidence.py",
    "docs/guides.md": "tests/docs/test_guides.py",
    "docs/hostile-input.md": "tests/soak",
    "docs/limits.md": "tests/unit/test_doctor_limits.py",
    "docs/performance.md": "tests/bench/test_document.py",
    "docs/reliability.md": "tests/faults/test_matrix.py",
}


@cache
def promises() -> dict[str, list[str]]:
    """Return what each promise names, by its id."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- promises -->")[1].split("<!-- /promises -->")[0]
    found = {anchor: re.findall(r"`([^`]+)`", held_by) for anchor, _, held_by in ROW.findall(table)}
    assert len(found) == table.count('<a id="') == len(re.findall(r"^\| ", table, re.MULTILINE)) - 2
    return found


@cache
def words() -> dict[str, list[str]]:
    """Return the words in which each promise is made, and those of what is none, by the reason."""
    listed = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return {**listed["promise"], **{other["why"]: other["says"] for other in listed["other"]}}


@cache
def said() -> tuple[Sentence, ...]:
    """Return every sentence of the pages and of the public docstrings, but for the section that lists the promises."""
    pages = [ROOT / "README.md", ROOT / "SECURITY.md"]
    pages += sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("docs/constructs/*.md"))
    texts = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in pages}
    own = texts[str(PAGE.relative_to(ROOT))]
    texts[str(PAGE.relative_to(ROOT))] = own.split("## Promises\n")[0] + own.split("## Report a flaw\n")[1]
    code = sorted(
        one for top in ("constructs/connect_bridges", "runtime") for one in (ROOT / top).rglob("*.py")
    )
    texts |= {str(path.relative_to(ROOT)): docstrings(path) for path in code}
    return tuple(
        sentence
        for where, text in texts.items()
        if where not in HELD_ELSEWHERE
        for sentence in sentences(where, text)
    )


def test_every_promise_names_tests_or_scenarios_that_exist() -> None:
    assert len(promises()) >= 40
    wrong = {anchor: [*filter(None, map(wrong_reference, held_by))] for anchor, held_by in promises().items()}
    assert {anchor: problems for anchor, problems in wrong.items() if problems} == {}
    kinds = (TEST, SCENARIO)
    held = {
        anchor: [one for one in held_by if any(kind.fullmatch(one) for kind in kinds)]
        for anchor, held_by in promises().items()
    }
    assert [anchor for anchor, tests in held.items() if not tests] == []


def test_pages_that_are_held_elsewhere_have_their_test() -> None:
    assert [test for test in HELD_ELSEWHERE.values() if not (ROOT / test).exists()] == []


def test_words_belong_to_promises_and_are_still_said() -> None:
    listed = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    assert set(listed["promise"]) - set(promises()) == set()
    text = "\n".join(sentence.text for sentence in said())
    assert [phrase for phrases in words().values() for phrase in phrases if phrase not in text] == []


def test_whatever_is_said_of_times_and_counts_is_a_promise_or_listed_as_none() -> None:
    phrases = [phrase for phrases in words().values() for phrase in phrases]
    spoken = [sentence for sentence in said() if sentence.times()]
    assert len(spoken) > 100
    open_ones = [(each.where, each.left_open_by(phrases), each.text) for each in spoken]
    assert [one for one in open_ones if one[1]] == [], (
        "hold it with a test and add it to docs/security.md and promises.toml, or do not say it"
    )


@pytest.mark.parametrize(
    "text",
    [
        "The token is valid for three hours.",
        "It is locked after 5 failed tries.",
        "Erasing is tried again twice.",
        "| `token_cache` | 9 minutes | how long |",
        "Whoever floods it with tokens gets 20 a second.",
    ],
)
def test_a_promise_that_nothing_holds_is_found(text: str) -> None:
    phrases = [phrase for phrases in words().values() for phrase in phrases]
    assert [each.left_open_by(phrases) for each in sentences("a page", text)] != [[]]


@pytest.mark.parametrize(
    "text", ["The log has the cause.", "A call takes two minutes.", "```\ntoken: 5 minutes\n```"]
)
def test_what_promises_nothing_is_let_pass(text: str) -> None:
    assert [each for each in sentences("a page", text) if each.times()] == []


def test_tests_that_pages_name_without_their_file_exist() -> None:
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    missing = [
        (str(page.relative_to(ROOT)), name)
        for page in sorted(ROOT.glob("docs/**/*.md"))
        for name in re.findall(r"`(test_\w+)…?`", page.read_text(encoding="utf-8"))
        if not any(one.startswith(name) for one in known)
    ]
    assert missing == []


def minutes(seconds: int) -> str:
    return f"{seconds // 60} minutes"


def hours(seconds: int) -> str:
    return "1 hour" if seconds == 3600 else f"{seconds // 3600} hours"


def days(seconds: int) -> str:
    return f"{seconds // 86_400} days"


BRIDGE = "docs/constructs/metadata-bridge.md"
CHAT = "docs/constructs/chat-stream-bridge.md"
GATE = "docs/constructs/voice-biometric-gate.md"
VOICE = "docs/voice-biometrics.md"
SECURITY = "docs/security.md"
#: Days from one number's first voice until it may be tried again after its longest lock.
LOCKED_AGAIN = biometrics.MONTH_TRIES // biometrics.DAY_TRIES - 1 + biometrics.MONTH_SECONDS // 86_400


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (BRIDGE, f"| `token_cache` | {minutes(metadata.TOKEN_CACHE_SECONDS)} |"),
        (BRIDGE, f"half of it each (0 to {hours(metadata.TOKEN_CACHE_SECONDS_RANGE[1])})"),
        (BRIDGE, f"| `time_to_live` | {hours(metadata.TTL_SECONDS)} |"),
        (BRIDGE, f"| `contact_token_lifetime` | {hours(metadata.CONTACT_TOKEN_SECONDS)} |"),
        (BRIDGE, f"(1 minute to {hours(metadata.CONTACT_TOKEN_SECONDS_RANGE[1])})"),
        (CHAT, f"| `token_cache` | {minutes(chat.TOKEN_CACHE_SECONDS)} |"),
        (CHAT, f"are kept ({days(chat.DEAD_LETTER_SECONDS)})"),
        (CHAT, f"to leave ({minutes(chat.WAIT_SECONDS)}, up to {days(chat.WAIT_SECONDS_RANGE[1])})"),
        (CHAT, f"({chat.JOIN_SECONDS} s, {chat.JOIN_SECONDS_RANGE[0]} to {chat.JOIN_SECONDS_RANGE[1]})"),
        (CHAT, f"one deadline of {chat.DEADLINE_MILLISECONDS / 1000} s"),
        (CHAT, f"| throttling, 5xx, no connection | {chat.TRIES} times |"),
        (CHAT, f"`rotate_after` ({chat.KEY_AGE_DAYS} days)"),
        (
            GATE,
            f"enrolments {biometrics.ENROLMENTS}, tries {biometrics.TRIES}, lock after {biometrics.LOCK_AFTER} failed",
        ),
        (
            GATE,
            f"failed tries for {minutes(biometrics.LOCK_SECONDS)}, after {biometrics.DAY_TRIES} within a day or",
        ),
        (GATE, f"within a day or {biometrics.MONTH_TRIES} within {days(biometrics.MONTH_SECONDS)}"),
        (GATE, f"proof {biometrics.PROOF_SECONDS} s (REDIAL {biometrics.REDIAL_PROOF_SECONDS} s)"),
        (GATE, f"retention {biometrics.RETENTION_DAYS} days"),
        (GATE, f"({biometrics.CONNECTION_SECONDS} s, 1 to {biometrics.CONNECTION_SECONDS_RANGE[1]};"),
        (
            GATE,
            f"with `time_limit`, {biometrics.PROVIDER_SECONDS} s, at most {biometrics.PROVIDER_SECONDS_RANGE[1]}",
        ),
        (VOICE, f"it is valid for {biometrics.REDIAL_PROOF_SECONDS} seconds and is used once"),
        (
            VOICE,
            f"| {biometrics.LOCK_AFTER} failed tries in a row (`lock_after`) | {minutes(biometrics.LOCK_SECONDS)}",
        ),
        (VOICE, f"busy for {biometrics.CLAIM_SECONDS} s"),
        (VOICE, f"not used for {biometrics.RETENTION_DAYS} days"),
        (VOICE, f"the newest {removal.KEPT_RECORDINGS:,} of a caller are kept"),
        (VOICE, f"({reconciliation.FIRST_DAYS} days the first time)"),
        (
            "docs/constructs/external-voice-connector.md",
            f"sets the retention ({voice.LOG_RETENTION_DAYS} days)",
        ),
        (SECURITY, f"{biometrics.MONTH_TRIES} voices in {LOCKED_AGAIN} days"),
        (
            SECURITY,
            f"guesses of {10**biometrics.CODE_LENGTH:,} for a session of {biometrics.CLAIM_SECONDS} s:",
        ),
        (SECURITY, f"s: 1 in {10**biometrics.CODE_LENGTH // biometrics.MOST_GUESSES // 10**6} million"),
    ],
)
def test_defaults_on_the_pages_are_the_codes(page: str, text: str) -> None:
    assert text in re.sub(r"\s+", " ", (ROOT / page).read_text(encoding="utf-8"))


def test_time_limits_are_those_of_the_code() -> None:
    assert recordings.FETCH_SECONDS == 2.5
    assert dialogue.ANSWER_SECONDS == 11.0
    assert web.SECONDS == 35.0
    invoked, read = (vars(config) for config in (account.INVOKE, aws.READ))
    assert invoked["read_timeout"] == 90
    assert read["connect_timeout"] + read["read_timeout"] == 30
    assert read["retries"]["total_max_attempts"] == 3


def test_logs_are_kept_for_a_month() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CONTRACTS.glob("*.txt")]
    kept = [found for text in texts for found in re.findall(r"RetentionInDays: (\d+)", text)]
    assert len(kept) > 20
    assert set(kept) == {"30"}
