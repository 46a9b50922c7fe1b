"""What the page of a background sandbox asks it over HTTP, and who else may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from connect_sandbox.rehearsal.conditions import Agent, Says
from connect_sandbox.rehearsal.desk import AgentEnds
from connect_sandbox.workbench.desk import ANSWER, LiveDesk
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.place import Running

pytestmark = pytest.mark.sandbox
Json = dict[str, Any]
Ask = Callable[..., Json]


@pytest.fixture
def ask(running: Running) -> Iterator[Ask]:
    """Ask as the page does; `status` is what the answer must have."""

    def asked(method: str, path: str, told: Json | None = None, status: int = 200) -> Json:
        headers = {"Authorization": f"Bearer {running.token}"}
        answer = requests.request(method, running.control_url + path, json=told, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    yield asked
    asked("DELETE", "/faults", {})


class Watched:
    """A call that is attended; reads what happens on it."""

    def __init__(self, ask: Ask, **told: Any) -> None:
        self._ask = ask
        self.after = 0
        self.events: list[Json] = []
        self._coming: list[Json] = []
        begun = ask("POST", "/calls", {"to": "Support line", "attended": True, **told})
        self.call, self.contact = begun["call"], begun["contact"]

    def until(self, event: str, **fields: Any) -> Json:
        """Read on until an event of the contact has these fields; return it."""
        while True:
            while self._coming:
                one = self._coming.pop(0)
                self.events.append(one)
                if one["event"] == event and all(one.get(name) == value for name, value in fields.items()):
                    return one
            answer = self._ask("GET", f"/run/events?after={self.after}")
            self.after = answer["next"]
            self._coming = [one for one in answer["events"] if one.get("contact") == self.contact]

    def blocks(self) -> list[str]:
        """Return the blocks that have begun to play so far."""
        return [one["block"] for one in self.events if one["event"] == "block"]

    def says(self, text: str) -> None:
        """Answer as the caller."""
        assert self._ask("POST", "/calls/answer", {"call": self.call, "move": text})["asked"]

    def presses(self, digits: str) -> None:
        """Press keys as the caller."""
        assert self._ask("POST", "/calls/answer", {"call": self.call, "move": {"presses": digits}})["asked"]

    def agent(self, does: str, status: int = 200, **more: Any) -> Json:
        """Be the agent."""
        return self._ask("POST", "/calls/agent", {"call": self.call, "does": does, **more}, status)

    def pace(self, does: str) -> Json:
        """Hold it or let it go."""
        return self._ask("POST", "/calls/pace", {"call": self.call, "does": does})


def test_the_page_itself_holds_nothing_of_the_sandbox_and_needs_no_token(running: Running) -> None:
    answer = requests.get(f"{running.control_url}/page", timeout=5)
    assert answer.status_code == 200
    assert running.token not in answer.text
    assert "123456789012" not in answer.text
    assert "connect-src 'self'" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert running.page_url == f"{running.control_url}/page#token={running.token}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/run/events?after=0"),
        ("GET", "/calls"),
        ("POST", "/calls"),
        ("GET", "/faults"),
        ("POST", "/faults"),
    ],
)
def test_without_the_token_there_is_no_answer(running: Running, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer guessed"}, {"Cookie": f"token={running.token}"}):
        answer = requests.request(method, running.control_url + path, headers=headers, timeout=5)
        assert (answer.status_code, answer.json()) == (401, {"error": "the token is missing or wrong"})
    assert requests.get(f"{running.control_url}/calls?token={running.token}", timeout=5).status_code == 401


def test_a_name_that_leads_here_and_a_page_of_another_site_are_refused(running: Running) -> None:
    port = urlsplit(running.control_url).port
    mine = {"Authorization": f"Bearer {running.token}"}
    for headers in (
        {"Host": f"rebound.example.com:{port}"},
        {"Host": "127.0.0.1.example.com"},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{port}"},  # this machine's, but not this page's
    ):
        for path in ("/status", "/page"):
            answer = requests.get(running.control_url + path, headers={**mine, **headers}, timeout=5)
            assert answer.status_code == 403, headers
            assert "Access-Control-Allow-Origin" not in answer.headers
    own = {**mine, "Origin": running.control_url}
    assert requests.get(f"{running.control_url}/status", headers=own, timeout=5).status_code == 200


def test_somebody_is_caller_and_agent(ask: Ask) -> None:
    call = Watched(ask)
    assert call.until("asks", of="caller")["wants"] == "keys"
    call.agent("says", status=400, text="too early")
    call.presses("1")
    call.until("asks", of="agent", wants="answer")
    assert {"call": call.call, "contact": call.contact, "held": False} in ask("GET", "/calls")["calls"]
    call.agent("answers", seconds=60)
    call.until("asks", of="agent", wants="words")
    call.agent("says", text="How can I help?")
    call.presses("5")
    call.agent("holds", seconds=20)
    call.agent("ends")
    ended = call.until("contact-ended")
    assert (ended["how"], ended["reason"]) == ("disconnected", "the agent has hung up")
    assert ended["at"] > 80  # a minute in the queue, and the hold
    said = [(one["who"], one["text"]) for one in call.events if one["event"] == "entry"]
    assert ("agent", "How can I help?") in said
    assert ("caller", "presses 5") in said
    assert ("agent", "puts the caller on hold for 20 s") in said
    ask("POST", "/calls/hang-up", {"call": call.call})  # waits until it is over
    assert call.contact not in [one["contact"] for one in ask("GET", "/calls")["calls"]]


def test_nobody_answers_and_the_customer_hangs_up_on_the_agent(ask: Ask) -> None:
    call = Watched(ask)
    call.until("asks", of="caller")
    call.presses("1")
    call.until("asks", wants="answer")
    call.agent("nobody answers")
    assert call.until("contact-ended")["how"] == "queued"

    call = Watched(ask)
    call.until("asks", of="caller")
    call.presses("1")
    call.until("asks", wants="answer")
    call.agent("answers")
    call.until("asks", wants="words")
    call.says("hangs up")
    assert call.until("contact-ended")["how"] == "caller hung up"


def test_a_call_is_held_before_each_block(ask: Ask) -> None:
    call = Watched(ask, held=True)
    call.until("contact")
    assert call.pace("step") == {"held": True}
    call.until("branch", block="lookup")
    assert call.blocks() == ["lookup"]
    call.pace("step")
    call.until("branch", block="welcome")
    assert call.blocks() == ["lookup", "welcome"]
    assert call.pace("go") == {"held": False}
    call.until("asks")
    ask("POST", "/calls/hang-up", {"call": call.call})
    assert call.until("contact-ended")["how"] == "caller hung up"


def test_hanging_up_ends_a_call_that_is_held_or_waits_for_an_agent(ask: Ask) -> None:
    held = Watched(ask, held=True)
    held.until("contact")
    ask("POST", "/calls/hang-up", {"call": held.call})
    held.until("contact-ended")
    waiting = Watched(ask)
    waiting.until("asks")
    waiting.presses("1")
    waiting.until("asks", wants="answer")
    ask("POST", "/calls/hang-up", {"call": waiting.call})
    waiting.until("contact-ended")


def test_a_flow_comes_with_its_picture(ask: Ask) -> None:
    flow = next(one for one in ask("GET", "/run/events")["events"] if one["event"] == "flow")
    assert "content" not in flow
    assert 'data-block="lookup"' in flow["picture"]
    assert "<style" not in flow["picture"]
    assert "lookup" in [block["id"] for block in flow["blocks"]]


@pytest.mark.parametrize("kind", ["down", "denied", "throttled"])
def test_a_function_with_a_fault_makes_the_flow_take_its_error_branch(ask: Ask, kind: str) -> None:
    target = next(one["target"] for one in ask("GET", "/faults")["targets"] if one["group"] == "Functions")
    told = ask("POST", "/faults", {"target": target, "kind": kind})
    assert told["faults"] == [{"target": target, "kind": kind, "seconds": 3.0}]
    call = Watched(ask)
    assert call.until("branch", block="lookup")["branch"] == "error:NoMatchingError"
    call.until("contact-ended")
    assert ask("DELETE", "/faults", {"target": target})["faults"] == []
    call = Watched(ask)
    assert call.until("branch", block="lookup")["branch"] == "next"
    ask("POST", "/calls/hang-up", {"call": call.call})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("denied", "AccessDeniedException"),
        ("down", "ServiceUnavailable"),
    ],
)
def test_a_service_with_a_fault_fails_the_functions_that_use_it(ask: Ask, kind: str, said: str) -> None:
    ask("POST", "/faults", {"target": "service:dynamodb", "kind": kind})
    call = Watched(ask)
    answer = call.until("function-ended")
    assert answer["error"] == "Unhandled"
    assert said in answer["answer"]["errorMessage"]
    call.until("contact-ended")
    refused = [one for one in call.events if one["event"] == "decision" and not one["allowed"]]
    assert [one["action"] for one in refused] == (["dynamodb:PutItem"] if kind == "denied" else [])
    assert all("a fault that was set" in one["reason"] for one in refused)


def test_a_fault_is_told_to_whoever_watches(ask: Ask) -> None:
    after = ask("GET", "/run/events?after=0")["next"]
    while ask("GET", "/calls") and after != (after := ask("GET", f"/run/events?after={after - 1}")["next"]):
        continue
    ask("POST", "/faults", {"target": "service:s3", "kind": "slow", "seconds": 1})
    (fault,) = ask("GET", f"/run/events?after={after}")["events"]
    assert (fault["event"], fault["target"], fault["kind"], fault["set"]) == (
        "fault",
        "service:s3",
        "slow",
        True,
    )


@pytest.mark.parametrize(
    ("method", "path", "told", "words"),
    [
        ("POST", "/faults", {"target": "service:dynamodb", "kind": "tired"}, "'tired' is no kind of fault"),
        (
            "POST",
            "/faults",
            {"target": "function:nobody", "kind": "down"},
            "the sandbox has no function:nobody",
        ),
        ("POST", "/faults", {"target": "service:s3", "kind": "slow", "seconds": 1e9}, "at most 300 s"),
        ("POST", "/calls/agent", {"call": 999, "does": "answers"}, "there is no call 999"),
        ("POST", "/calls", {"attended": True}, "the command lacks 'to'"),
        ("POST", "/calls", {"to": "Nobody", "attended": True}, "no flow is called 'Nobody'"),
        ("GET", "/run/events?after=x", None, "after is 'x'"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_reason(
    ask: Ask, method: str, path: str, told: Json | None, words: str
) -> None:
    assert words in ask(method, path, told, 400)["error"]


def test_after_the_conversation_words_are_for_the_flow_again() -> None:
    desk = LiveDesk()
    desk.asked = lambda wants: desk.answers() if wants == ANSWER else desk.does(AgentEnds())
    assert desk.takes("Support") == Agent(answers_after=0.0, talks_for=0.0)
    assert not desk.talks
    assert desk.acts() == AgentEnds()
    assert not desk.talks
    with pytest.raises(WorkbenchError, match="are not connected"):
        desk.does(Says("hello"))
