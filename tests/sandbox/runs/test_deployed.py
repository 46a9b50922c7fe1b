"""A call through a deployed flow: the file that it leaves has all that a page shows of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import FunctionFault, Sandbox
from connect_sandbox.rehearsal.conditions import Presses
from connect_sandbox.rehearsal.setup_reader import Setup
from connect_sandbox.runs import Contact, FunctionCall, Run
from connect_sandbox.workbench.lines import Line
from connect_sandbox.workbench.live import LiveCall

from tests.support.runs import Schema
from tests.support.told_line import SECRET, template

pytestmark = pytest.mark.sandbox
ANN, BEN = "+12065550142", "+12065550143"


@dataclass
class Played:
    """Two calls at once, watched while they went on."""

    sandbox: Sandbox
    path: Path
    watched: list[dict[str, Any]]
    asked: list[str]

    @property
    def run(self) -> Run:
        self.sandbox.run.flush()
        return Run.load(self.path)

    def of(self, number: str) -> Contact:
        [contact] = [
            one for one in self.run.contacts.values() if one.began and one.began.what.customer == number
        ]
        return contact

    def lookup(self, number: str) -> FunctionCall:
        [call] = [call for call in self.of(number).functions if "Lookup" in call.name]
        return call


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("told")
    with Sandbox.start(folder / "sandbox", run=folder / "run.jsonl") as sandbox:
        clouds = sandbox.boto3_client("cloudformation")
        clouds.create_stack(
            StackName="line", TemplateBody=json.dumps(template()), Capabilities=["CAPABILITY_IAM"]
        )
        stack = sandbox.deployments.find("line")
        sandbox.deployments.wait_for(stack, 60)
        assert stack.status == "CREATE_COMPLETE", [event.reason for event in stack.events]
        line = Line.find(sandbox, "Support line")
        watched: list[dict[str, Any]] = []
        watcher = threading.Thread(target=_watch, args=(sandbox, watched), daemon=True)
        watcher.start()
        calls = [LiveCall(line, Setup(number=number)) for number in (ANN, BEN)]
        asked = [call.settled() for call in calls]
        for call in calls:
            call.presses("1").ends(queued="Support")
        _wait_for_functions(sandbox)
        yield Played(sandbox, folder / "run.jsonl", watched, list(asked))
        sandbox.run.close()
        watcher.join(30)


def _watch(sandbox: Sandbox, watched: list[dict[str, Any]]) -> None:
    while not sandbox.run.closed:
        watched += sandbox.run.events(after=len(watched), wait_seconds=5)


def _wait_for_functions(sandbox: Sandbox) -> None:
    """Wait until the functions behind topic, queue, bus and stream have answered, for both calls."""
    after, inputs = 0, dict[str, str]()
    wanted = {(number, name) for number in (ANN, BEN) for name in ("Topic", "Queue", "Bus", "Stream")}
    while wanted:
        news = sandbox.run.events(after=after, wait_seconds=30)
        assert news, f"nothing happened for {wanted}"
        after = news[-1]["n"] + 1
        for event in news:
            if event["event"] == "function":
                inputs[event["invocation"]] = json.dumps(event["input"])
            if event["event"] == "function-ended":
                text, function = inputs[event["invocation"]], event["function"]
                wanted -= {one for one in wanted if one[0] in text and f"-By{one[1]}-" in function}


def test_every_line_is_as_the_schema_says(played: Played, schema: Schema) -> None:
    played.sandbox.run.flush()
    lines = played.path.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 100
    for line in lines:
        assert schema.problems(json.loads(line)) == [], line


def test_the_stack_is_told_with_its_outputs(played: Played) -> None:
    [stack] = played.run.stacks.values()
    assert (stack.what.stack, stack.what.status) == ("line", "CREATE_COMPLETE")
    assert stack.what.outputs["Line"] == Line.find(played.sandbox, "Support line").flow_arn


def test_the_way_and_the_question(played: Played) -> None:
    contact = played.of(ANN)
    assert [one.what.block for one in contact.blocks] == ["lookup", "welcome", "ask", "queue", "transfer"]
    asks = [event for event in contact.happened if event.what.NAME == "asks"]
    assert [event.what.to_json() for event in asks] == [{"of": "caller", "wants": "keys"}]
    assert [entry.what.text for entry in contact.words] == ["Welcome, Ada.", "Press 1 for an agent."]
    assert contact.ended is not None
    assert contact.ended.what.how == "queued"


def test_a_function_has_input_answer_time_and_logs(played: Played) -> None:
    call = played.lookup(ANN)
    assert call.began.what.block == "lookup"
    assert call.began.what.by == "connect.amazonaws.com"
    assert call.began.what.input["Details"]["ContactData"]["CustomerEndpoint"]["Address"] == ANN
    assert call.ended is not None
    assert call.ended.what.answer == {"name": "Ada"}
    assert call.ended.what.milliseconds
    assert call.ended.what.cold is not None
    assert f"looking up {ANN} with [secret]" in call.logs
    assert "AccessDeniedException" in call.logs


def test_decisions_name_the_invocation_and_the_contact(played: Played) -> None:
    contact, call = played.of(ANN), played.lookup(ANN)
    [refused] = call.refused
    assert refused.what.action == "ssm:GetParameter"
    assert refused.what.resource.endswith(":parameter/own/line")
    assert refused.contact == contact.id
    assert refused.at is not None
    actions = {decision.what.action for decision in call.decisions if decision.what.allowed}
    assert {
        "dynamodb:PutItem",
        "dynamodb:BatchWriteItem",
        "sns:Publish",
        "secretsmanager:GetSecretValue",
    } <= actions
    invoked = [decision for decision in contact.decisions if decision.what.invocation is None]
    assert "lambda:InvokeFunction" in {decision.what.action for decision in invoked}
    assert contact in played.run.failed_contacts


def test_the_deployment_decides_for_nobody(played: Played) -> None:
    assert all(one.contact or one.what.invocation for one in played.run.decisions)


def test_items_have_old_and_new(played: Played) -> None:
    call = played.lookup(ANN)
    first = {"number": ANN, "calls": 1, "tags": ["a", "b"]}
    assert [(one.what.key["number"], one.what.old, one.what.new) for one in call.items] == [
        (ANN, None, first),
        (ANN, first, {**first, "calls": 2}),
        (f"batch {ANN}", None, {"number": f"batch {ANN}"}),
        (f"gone {ANN}", None, {"number": f"gone {ANN}"}),
        (f"gone {ANN}", {"number": f"gone {ANN}"}, None),
        (f"transacted {ANN}", None, {"number": f"transacted {ANN}"}),
    ]
    assert {one.contact for one in call.items} == {played.of(ANN).id}


def test_messages_and_what_became_of_them(played: Played) -> None:
    contact, call = played.of(ANN), played.lookup(ANN)
    sent = {one.what.service: one.what for one in call.messages}
    assert sent["sns"].body == {"number": ANN}
    assert sent["sns"].attributes == {"kind": "call"}
    assert sent["sqs"].body == f"from {ANN}"
    assert sent["sqs"].to.startswith("arn:aws:sqs:us-east-1:123456789012:")
    assert sent["events"].body["detail"] == {"number": ANN}
    delivered = {one.what.service: one.what for one in contact.deliveries}
    assert {name: one.outcome for name, one in delivered.items()} == dict.fromkeys(
        ("sns", "events", "sqs", "dynamodb"), "delivered"
    )
    assert "-ByTopic-" in delivered["sns"].to


@pytest.mark.parametrize(
    ("name", "by"),
    [("ByTopic", "sns.amazonaws.com"), ("ByBus", "events.amazonaws.com"), ("ByQueue", ":sqs:")],
)
def test_functions_behind_messages_belong_to_the_contact(played: Played, name: str, by: str) -> None:
    for number in (ANN, BEN):
        [call] = [call for call in played.of(number).functions if f"-{name}-" in call.name]
        assert by in (call.began.what.by or "")
        assert number in json.dumps(call.began.what.input)
        assert call.began.what.block is None
        assert any("because of" in line for line in call.logs)


def test_functions_behind_a_stream_belong_to_a_contact(played: Played) -> None:
    ann, ben = played.of(ANN).id, played.of(BEN).id
    calls = [call for call in played.run.functions.values() if "-ByStream-" in call.name]
    assert calls
    for call in calls:
        records = json.dumps(call.began.what.input)
        whose = {number: contact for number, contact in ((ANN, ann), (BEN, ben)) if number in records}
        assert call.began.contact == (next(iter(whose.values())) if len(whose) == 1 else None)


def test_two_contacts_at_once_do_not_mix(played: Played) -> None:
    for number, other in ((ANN, BEN), (BEN, ANN)):
        for event in played.of(number).happened:
            assert other not in json.dumps(event.what.to_json())


def test_secrets_are_in_no_line(played: Played) -> None:
    played.sandbox.run.flush()
    assert SECRET not in played.path.read_text(encoding="utf-8")


def test_it_could_be_watched_while_it_played(played: Played) -> None:
    assert played.asked == ["asks", "asks"]
    news = [event["event"] for event in played.watched]
    first_end = news.index("contact-ended")
    assert news.index("asks") < first_end
    assert [event["n"] for event in played.watched] == list(range(len(played.watched)))


def test_a_file_cut_in_the_middle_is_read(played: Played, tmp_path: Path) -> None:
    played.sandbox.run.flush()
    whole = played.path.read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) // 2])
    cut = Run.load(tmp_path / "cut.jsonl")
    assert 0 < len(cut.happened) < len(played.run.happened)


def test_a_fault_begins_and_ends(played: Played) -> None:
    function = played.lookup(ANN).function
    played.sandbox.functions.inject(function, FunctionFault("throttle"))
    fault = played.sandbox.faults.fail(
        "connect", "UpdateContactAttributes", status=403, code="AccessDeniedException"
    )
    call = LiveCall(Line.find(played.sandbox, "Support line"), Setup(number="+12065550144"), [Presses("1")])
    call.ends(queued="Support")
    played.sandbox.faults.forget(fault)
    told = [(one.what.target, one.what.kind, one.what.set) for one in played.run.faults]
    assert told == [
        (function, "throttled", True),
        ("connect:UpdateContactAttributes", "denied", True),
        (function, "throttled", False),
        ("connect:UpdateContactAttributes", "denied", False),
    ]
    first = played.of("+12065550144").functions[0]
    assert first.failed
    assert first.ended is not None
    assert first.ended.what.refused == "TooManyRequestsException: Rate Exceeded."
