"""connect-flows pull and push against the sandbox's Amazon Connect, over HTTP with boto3."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from connect_flows.cli import main
from connect_flows.examples import example_flow
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.connect_state import Flow, Instance, Part
from connect_sandbox.cloud.contact_center.defaults import ARN_NAMES

from tests.support import ROOT

Json = dict[str, Any]
PLACE = "arn:aws:connect:us-east-1:123456789012:instance/"
DEV = PLACE + "11111111-2222-3333-4444-5555555555d0"
PROD = PLACE + "11111111-2222-3333-4444-5555555555e0"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
FORM = "arn:aws:connect:us-east-1:aws:view/form:1"
_numbers = itertools.count(1)


def chain(*blocks: tuple[str, str, Json]) -> str:
    """Return a flow of blocks in a row (identifier, type, parameters), which hangs up or ends at the end."""
    actions = []
    for index, (identifier, kind, parameters) in enumerate(blocks):
        following = blocks[index + 1][0] if index + 1 < len(blocks) else ""
        text = json.dumps(example_flow(kind)["Actions"][0]).replace('"end"', json.dumps(following))
        actions.append({**json.loads(text), "Identifier": identifier, "Parameters": parameters})
    return json.dumps(
        {"Version": "2019-10-30", "StartAction": blocks[0][0], "Metadata": {}, "Actions": actions}
    )


def parameters_of(kind: str) -> Json:
    """Return the parameters of the example of an action type."""
    made: Json = example_flow(kind)["Actions"][0]["Parameters"]
    return made


BYE = ("bye", "DisconnectParticipant", {})


def say(text: str) -> tuple[str, str, Json]:
    return "greeting", "MessageParticipant", {"Text": text}


class Center:
    """An instance in the sandbox that is filled by hand."""

    def __init__(self, sandbox: Sandbox, arn: str) -> None:
        self.instance: Instance = sandbox.connect.instance(arn)
        self.id = arn.rpartition("/")[2]
        self.connect = sandbox.boto3_client("connect")
        made = self.instance
        for held in (made.flows, made.modules, made.parts, made.numbers, made.associations):
            held.clear()

    def part(self, kind: str, name: str) -> str:
        number = next(_numbers)
        ident = f"66666666-7777-8888-9999-{number:012d}"
        arn = f"{self.instance.arn}/{ARN_NAMES[kind]}/{ident}"
        config = {"QuickConnectConfig": {"QuickConnectType": "PHONE_NUMBER"}}
        self.instance.parts[ident] = Part(kind, ident, arn, name, config if kind == "QuickConnect" else {})
        return arn

    def flow(self, name: str, content: str, **more: str) -> str:
        made = self.connect.create_contact_flow(
            InstanceId=self.id, Name=name, Content=content, **{"Type": "CONTACT_FLOW", **more}
        )
        return str(made["ContactFlowArn"])

    def module(self, name: str, content: str) -> str:
        return str(
            self.connect.create_contact_flow_module(InstanceId=self.id, Name=name, Content=content)["Arn"]
        )

    def content(self, name: str) -> Json:
        made: Json = json.loads(self.instance.flow(name).content)
        return made

    def values(self, *, function: str, number: str) -> Json:
        """Return what the placeholders of what `fill` makes stand for."""
        parts = {part.name: part.arn for part in self.instance.parts.values()}
        return {
            "AssistantModule": self.instance.module("Assistant").arn,
            "BasicHours": parts["Basic Hours"],
            "BeepWavPrompt": parts["Beep.wav"],
            "FindDevFunction": f"{FUNCTION}{function}:live",
            "FormView": FORM,
            "OverflowNightsFlow": self.instance.flow("Overflow (nights)").arn,
            "PhoneNumber": number,
            "SupportQueue": parts["Support"],
        }

    def fill(self, *, function: str = "find-dev", number: str = "+12065550100") -> None:
        """Fill it as a contact centre has it: two flows, one that is called, and a module."""
        module = self.module(
            "Assistant",
            chain(
                ("say", "MessageParticipant", {"Text": "One moment."}), ("end", "EndFlowModuleExecution", {})
            ),
        )
        hours = self.part("HoursOfOperation", "Basic Hours")
        overflow = self.flow(
            "Overflow (nights)", chain(say("We are closed."), BYE), Description="After hours"
        )
        self.flow(
            "Support line",
            chain(
                say("Welcome."),
                ("hours", "CheckHoursOfOperation", {"HoursOfOperationId": hours}),
                ("queue", "UpdateContactTargetQueue", {"QueueId": self.part("Queue", "Support")}),
                (
                    "find",
                    "InvokeLambdaFunction",
                    {"LambdaFunctionARN": f"{FUNCTION}{function}:live", "InvocationTimeLimitSeconds": "3"},
                ),
                ("music", "MessageParticipant", {"PromptId": self.part("Prompt", "Beep.wav")}),
                ("module", "InvokeFlowModule", {"FlowModuleId": module}),
                ("page", "ShowView", parameters_of("ShowView") | {"ViewResource": {"Id": FORM, "Version": "Latest"}}),
                (
                    "dial",
                    "TransferParticipantToThirdParty",
                    {
                        "ThirdPartyPhoneNumber": number,
                        "ThirdPartyConnectionTimeLimitSeconds": "30",
                        "ContinueFlowExecution": "True",
                    },
                ),
                ("over", "TransferToFlow", {"ContactFlowId": overflow}),
                BYE,
            ),
        )  # fmt: skip


Command = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def command(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> tuple[int, list[str]]:
        capsys.readouterr()
        status = main([str(one) for one in arguments])
        told = capsys.readouterr()
        return status, (told.out + told.err).splitlines()

    return run


@pytest.fixture
def dev(sandbox: Sandbox) -> Center:
    made = Center(sandbox, DEV)
    made.fill()
    return made


@pytest.fixture
def prod(sandbox: Sandbox) -> Center:
    return Center(sandbox, PROD)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "center"


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.json"))}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_pull_writes_templates_with_names_and_the_values_beside_them(
    dev: Center, command: Command, room: Path
) -> None:
    status, told = command("pull", room, "--instance", DEV)

    assert status == 0
    assert sorted(files(room)) == [
        "flows.json",
        "flows/overflow_nights.json",
        "flows/support_line.json",
        "modules/assistant.json",
        "values/dev.json",
    ]
    values = json.loads((room / "values/dev.json").read_text())
    assert values["instance"] == DEV
    assert values["environments"]["dev"] == dev.values(function="find-dev", number="+12065550100")
    index = json.loads((room / "flows.json").read_text())
    assert index["resources"]["SupportQueue"] == {"kind": "queue", "name": "Support"}
    assert index["resources"]["FindDevFunction"] == {
        "kind": "function",
        "name": "find-dev",
        "suffix": ":live",
    }
    assert {"file": "flows/overflow_nights.json", "name": "Overflow (nights)", "type": "CONTACT_FLOW",
            "description": "After hours", "status": "PUBLISHED"} in index["flows"]  # fmt: skip
    assert "new: flows/support_line.json (CONTACT_FLOW Support line)" in told
    assert "arn:" not in (room / "flows/support_line.json").read_text()


def test_a_second_pull_changes_nothing(dev: Center, command: Command, room: Path) -> None:
    command("pull", room, "--instance", DEV)
    before = files(room)

    assert command("pull", room, "--instance", dev.id) == (
        0,
        ["dev: 3 flows and modules, 8 placeholders; index and values as before"],
    )
    assert files(room) == before


def test_what_was_pulled_renders_to_what_the_instance_has(dev: Center, command: Command, room: Path) -> None:
    command("pull", room, "--instance", DEV)

    status, told = command("render", room / "flows/support_line.json", "--values", room / "values/dev.json")

    assert status == 0
    assert json.loads(told[0]) == dev.content("Support line")
    assert command("push", room) == (
        0,
        ["the instance of dev -> this folder: 3 the same, 0 different, 0 not there yet"],
    )


def test_the_folder_can_be_linted_and_compared_as_it_is(dev: Center, command: Command, room: Path) -> None:
    command("pull", room, "--instance", DEV)

    status, told = command("lint", room)
    assert (status, told[-1]) == (0, "3 files: 0 errors, 1 warning")

    export = room.parent / "export.json"
    export.write_text(dev.instance.flow("Support line").content)
    values = ("--values", room / "values/dev.json")
    assert command("diff", export, room / "flows/support_line.json", *values)[0] == 0


def test_an_edit_is_shown_then_applied_and_pulled_again(dev: Center, command: Command, room: Path) -> None:
    command("pull", room, "--instance", DEV)
    edit(room / "flows/support_line.json", "Welcome.", "Good day.")

    status, told = command("push", room)
    assert status == 1
    assert told == [
        "flows/support_line.json: reworded: greeting (MessageParticipant) Text: Welcome. -> Good day.",
        "the instance of dev -> this folder: 2 the same, 1 different, 0 not there yet",
        "nothing was changed: a dry run; --apply does it",
    ]
    assert dev.content("Support line")["Actions"][0]["Parameters"]["Text"] == "Welcome."

    status, told = command("push", room, "--apply")
    assert status == 0
    assert told[-1] == "updated: flows/support_line.json (CONTACT_FLOW Support line)"
    assert dev.content("Support line")["Actions"][0]["Parameters"]["Text"] == "Good day."

    before = files(room)
    assert command("pull", room, "--instance", DEV)[0] == 0
    assert files(room) == before
    assert command("push", room)[0] == 0


def test_layout_and_description_are_pushed_too(dev: Center, command: Command, room: Path) -> None:
    command("pull", room, "--instance", DEV)
    edit(
        room / "flows/overflow_nights.json",
        '"Metadata": {}',
        '"Metadata": {"entryPointPosition": {"x": 1, "y": 2}}',
    )
    edit(room / "flows.json", "After hours", "At night")

    status, told = command("push", room, "--apply", "--only", "Overflow*")

    assert status == 0
    assert told == [
        "flows/overflow_nights.json: layout or metadata only: no difference for the caller",
        "flows/overflow_nights.json: description: After hours -> At night",
        "the instance of dev -> this folder: 0 the same, 1 different, 0 not there yet",
        "updated: flows/overflow_nights.json (CONTACT_FLOW Overflow (nights))",
    ]
    assert dev.content("Overflow (nights)")["Metadata"] == {"entryPointPosition": {"x": 1, "y": 2}}
    assert dev.instance.flow("Overflow (nights)").description == "At night"


def test_a_second_instance_adds_its_values_and_tells_what_differs(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    prod.fill(function="find-prod", number="+12065550199")
    prod.connect.update_contact_flow_content(
        InstanceId=prod.id,
        ContactFlowId=prod.instance.flow("Overflow (nights)").id,
        Content=chain(say("We are closed today."), BYE),
    )
    prod.flow("Only here", chain(BYE))
    command("pull", room, "--instance", DEV)
    before = files(room)

    status, told = command("pull", room, "--instance", PROD, "--environment", "prod")

    assert status == 0
    after = files(room)
    values = json.loads(after.pop("values/prod.json"))["environments"]["prod"]
    assert after == before
    assert values == prod.values(function="find-prod", number="+12065550199")
    assert told == [
        "FindDevFunction is function find-dev in dev and find-prod in prod",
        "prod: 8 values written",
        (
            "flows/overflow_nights.json: reworded: greeting (MessageParticipant) Text: We are closed today. -> "
            "We are closed."
        ),
        "only in prod: CONTACT_FLOW Only here",
        "prod -> dev: 2 the same, 1 different, 0 not there yet, 1 only in prod",
    ]
    assert command("push", room, "--environment", "dev")[0] == 0
    command("push", room, "--environment", "prod", "--apply")
    assert command("push", room, "--environment", "prod")[0] == 0
    assert prod.content("Overflow (nights)")["Actions"][0]["Parameters"]["Text"] == "We are closed."


def test_what_an_instance_lacks_is_named_and_flows_are_created_what_is_called_first(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    prod.flow("Something", chain(BYE))
    prod.part("HoursOfOperation", "Basic Hours")
    prod.part("Prompt", "Beep.wav")
    command("pull", room, "--instance", DEV)

    _, told = command("pull", room, "--instance", PROD, "--environment", "prod")
    assert "no value: prod has no queue Support; fill in SupportQueue in values/prod.json" in told
    assert "prod has no flow Overflow (nights): push creates it" in told

    status, told = command("push", room, "--environment", "prod", "--apply")
    assert status == 1
    assert "flows/support_line.json: SupportQueue (queue Support) has no value in values/prod.json" in told
    assert told[-1] == "nothing was changed: mend that first"
    assert [flow.name for flow in prod.instance.flows.values()] == ["Something"]

    path = room / "values/prod.json"
    document = json.loads(path.read_text())
    document["environments"]["prod"] |= {
        "SupportQueue": prod.part("Queue", "Other name"),
        "FindDevFunction": f"{FUNCTION}find-prod",
        "PhoneNumber": "+12065550199",
    }
    path.write_text(json.dumps(document))
    status, told = command("push", room, "--environment", "prod", "--apply")

    assert status == 0
    assert told[-3:] == [
        "created: flows/overflow_nights.json (CONTACT_FLOW Overflow (nights))",
        "created: modules/assistant.json (MODULE Assistant)",
        "created: flows/support_line.json (CONTACT_FLOW Support line)",
    ]
    made = prod.instance.flow("Support line")
    assert prod.instance.flow("Overflow (nights)").arn in made.content
    assert (
        json.loads(path.read_text())["environments"]["prod"]["AssistantModule"]
        == prod.instance.module("Assistant").arn
    )
    assert prod.instance.flow("Overflow (nights)").description == "After hours"
    assert command("push", room, "--environment", "prod")[0] == 0


def test_flows_that_call_each_other_are_created(
    prod: Center, sandbox: Sandbox, command: Command, room: Path
) -> None:
    dev = Center(sandbox, DEV)
    first = dev.flow("First", chain(say("One."), BYE))
    second = dev.flow("Second", chain(("on", "TransferToFlow", {"ContactFlowId": first}), BYE))
    dev.connect.update_contact_flow_content(
        InstanceId=dev.id, ContactFlowId=first.rpartition("/")[2],
        Content=chain(say("One."), ("on", "TransferToFlow", {"ContactFlowId": second}), BYE),
    )  # fmt: skip
    prod.flow("Something", chain(BYE))
    command("pull", room, "--instance", DEV)
    command("pull", room, "--instance", PROD, "--environment", "prod")

    status, told = command("push", room, "--environment", "prod", "--apply")

    assert status == 0
    assert told[-3:] == [
        "created: flows/first.json (CONTACT_FLOW First), to be filled below",
        "created: flows/second.json (CONTACT_FLOW Second)",
        "updated: flows/first.json (CONTACT_FLOW First)",
    ]
    assert prod.instance.flow("Second").arn in prod.instance.flow("First").content
    assert prod.instance.flow("First").arn in prod.instance.flow("Second").content
    assert command("push", room, "--environment", "prod")[0] == 0


def test_a_resource_of_another_instance_is_found_before_anything_is_written(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    prod.fill()
    command("pull", room, "--instance", DEV)
    command("pull", room, "--instance", PROD, "--environment", "prod")
    path = room / "values/prod.json"
    document = json.loads(path.read_text())
    ours = json.loads((room / "values/dev.json").read_text())["environments"]["dev"]
    document["environments"]["prod"]["SupportQueue"] = ours["SupportQueue"]
    path.write_text(json.dumps(document))

    status, told = command("push", room, "--environment", "prod", "--apply")

    assert status == 1
    assert any(line.startswith("flows/support_line.json: CF502 error [queue]") for line in told)
    assert told[-1] == "nothing was changed: mend that first"


def test_what_is_half_done_is_said_and_the_next_push_ends_it(
    prod: Center, sandbox: Sandbox, command: Command, room: Path
) -> None:
    dev = Center(sandbox, DEV)
    first = dev.flow("First", chain(say("One."), BYE))
    second = dev.flow("Second", chain(say("Two."), ("on", "TransferToFlow", {"ContactFlowId": first}), BYE))
    dev.connect.update_contact_flow_content(
        InstanceId=dev.id, ContactFlowId=first.rpartition("/")[2],
        Content=chain(say("One."), ("on", "TransferToFlow", {"ContactFlowId": second}), BYE),
    )  # fmt: skip
    prod.flow("Something", chain(BYE))
    command("pull", room, "--instance", DEV)
    command("pull", room, "--instance", PROD, "--environment", "prod")
    edit(room / "flows/second.json", "MessageParticipant", "MessageParticipent")
    to_prod = ("push", room, "--environment", "prod", "--apply")

    status, told = command(*to_prod, "--no-lint")

    assert status == 1
    assert told[-3:] == [
        "done: nothing",
        "half done: flows/first.json exists and ends at once; push again to fill it",
        "not done: flows/second.json, flows/first.json",
    ]
    assert [a["Type"] for a in prod.content("First")["Actions"]] == ["DisconnectParticipant"]
    edit(room / "flows/second.json", "MessageParticipent", "MessageParticipant")
    assert command(*to_prod)[0] == 0
    assert command("push", room, "--environment", "prod")[0] == 0
    assert prod.instance.flow("Second").arn in prod.instance.flow("First").content


def test_what_fails_after_the_content_is_written_says_so(
    sandbox: Sandbox, dev: Center, command: Command, room: Path
) -> None:
    command("pull", room, "--instance", DEV)
    edit(room / "flows/overflow_nights.json", "We are closed.", "Closed.")
    edit(room / "flows.json", "After hours", "At night")
    denied = {"status": 403, "code": "AccessDeniedException", "message": "No."}

    sandbox.faults.fail("connect", "UpdateContactFlowMetadata", **denied)
    status, told = command("push", room, "--apply")
    assert status == 1
    assert told[-3] == (
        "refused: flows/overflow_nights.json: its content is written, its description is not: "
        "allow connect:UpdateContactFlowMetadata, which is denied: No."
    )
    assert dev.content("Overflow (nights)")["Actions"][0]["Parameters"]["Text"] == "Closed."

    assert command("push", room, "--apply")[0] == 0
    assert dev.instance.flow("Overflow (nights)").description == "At night"


def test_a_flow_that_connect_refuses_is_named_with_block_and_problem_and_nothing_is_half_done_unsaid(
    dev: Center, command: Command, room: Path
) -> None:
    command("pull", room, "--instance", DEV)
    edit(room / "flows/overflow_nights.json", "We are closed.", "Closed.")
    edit(room / "flows/support_line.json", '"Type": "MessageParticipant"', '"Type": "MessageParticipent"')
    edit(room / "modules/assistant.json", "One moment.", "Wait.")

    status, told = command("push", room, "--apply")
    assert status == 1
    assert any("flows/support_line.json: CF107 error [greeting]" in line for line in told)
    assert told[-1] == "nothing was changed: mend that first"
    assert dev.content("Overflow (nights)")["Actions"][0]["Parameters"]["Text"] == "We are closed."

    status, told = command("push", room, "--apply", "--no-lint")
    assert status == 1
    assert told[-5:-3] == [
        "updated: flows/overflow_nights.json (CONTACT_FLOW Overflow (nights))",
        "updated: modules/assistant.json (MODULE Assistant)",
    ]
    refused = "refused: flows/support_line.json: connect:UpdateContactFlowContent refuses it: [greeting] "
    assert told[-3].startswith(refused)
    assert "MessageParticipent" in told[-3]
    assert "Path: Actions[0].Type" in told[-3]
    assert told[-2:] == [
        "done: flows/overflow_nights.json, modules/assistant.json",
        "not done: flows/support_line.json",
    ]


def test_a_flow_that_was_never_published_is_pulled_and_pushed_as_saved(
    dev: Center, command: Command, room: Path
) -> None:
    draft = chain(("queue", "UpdateContactTargetQueue", {"QueueId": ""}), BYE)
    dev.flow("Draft", draft, Status="SAVED")

    _, told = command("pull", room, "--instance", DEV, "--only", "Draft")
    assert told[0] == "new: flows/draft.json (CONTACT_FLOW Draft), saved and never published"
    assert command("push", room)[0] == 0

    edit(room / "flows/draft.json", '"QueueId": ""', '"QueueId": "TODO"')
    assert command("push", room, "--apply")[0] == 0
    with pytest.raises(dev.connect.exceptions.ContactFlowNotPublishedException):
        dev.connect.describe_contact_flow(InstanceId=dev.id, ContactFlowId=dev.instance.flow("Draft").id)
    assert command("push", room)[0] == 0

    edit(room / "flows/draft.json", '"QueueId": "TODO"', '"QueueId": "$.Queue.ARN"')
    edit(room / "flows.json", '"status": "SAVED"', '"status": "PUBLISHED"')
    assert "flows/draft.json: saved, not published yet" in command("push", room)[1]
    assert command("push", room, "--apply")[0] == 0
    assert dev.instance.flow("Draft").status == "PUBLISHED"
    assert dev.content("Draft")["Actions"][0]["Parameters"] == {"QueueId": "$.Queue.ARN"}


def test_what_is_published_is_pulled_and_a_draft_beside_it_is_left_alone(
    dev: Center, command: Command, room: Path
) -> None:
    flow = dev.instance.flow("Overflow (nights)")
    dev.connect.update_contact_flow_content(
        InstanceId=dev.id, ContactFlowId=f"{flow.id}:$SAVED", Content=chain(say("A draft."), BYE)
    )

    command("pull", room, "--instance", DEV)

    assert "We are closed." in (room / "flows/overflow_nights.json").read_text()
    described = dev.connect.describe_contact_flow(InstanceId=dev.id, ContactFlowId=f"{flow.id}:$SAVED")
    assert (described["ContactFlow"]["Status"], "A draft." in described["ContactFlow"]["Content"]) == (
        "SAVED",
        True,
    )


def test_settings_of_a_module_go_with_it(dev: Center, prod: Center, command: Command, room: Path) -> None:
    module = dev.instance.module("Assistant")
    settings = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"})
    dev.connect.update_contact_flow_module_content(
        InstanceId=dev.id, ContactFlowModuleId=module.id, Content=module.content, Settings=settings
    )
    prod.flow("Other", chain(BYE))
    command("pull", room, "--instance", DEV, "--only", "Assistant")
    command("pull", room, "--instance", PROD, "--environment", "prod")

    assert command("push", room, "--environment", "dev")[0] == 0
    assert command("push", room, "--environment", "prod", "--apply")[0] == 0
    assert prod.instance.module("Assistant").settings == settings

    edit(room / "flows.json", "2020-12", "2019-09")
    assert any("settings: " in line for line in command("push", room, "--environment", "prod", "--apply")[1])
    assert "2019-09" in prod.instance.module("Assistant").settings


def test_flows_of_several_types_with_one_name_are_told_apart(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    for center in (prod, dev):
        inbound = center.flow("Twice", chain(say("Inbound."), BYE))
        center.flow("Twice", chain(say("Transfer."), BYE), Type="QUEUE_TRANSFER")
        center.flow("Caller", chain(("on", "TransferToFlow", {"ContactFlowId": inbound}), BYE))
    command("pull", room, "--instance", DEV)
    _, told = command("pull", room, "--instance", PROD, "--environment", "prod", "--only", "Caller")

    assert told[-1] == "prod -> dev: 1 the same, 0 different, 0 not there yet"
    index = json.loads((room / "flows.json").read_text())
    assert index["resources"]["TwiceCONTACTFLOWFlow"] == {"kind": "flow", "name": "Twice (CONTACT_FLOW)"}
    values = json.loads((room / "values/prod.json").read_text())["environments"]["prod"]
    assert values["TwiceCONTACTFLOWFlow"] == next(
        flow.arn
        for flow in prod.instance.flows.values()
        if (flow.type, flow.name) == ("CONTACT_FLOW", "Twice")
    )


def test_archived_flows_are_left_out_and_lost_ones_are_said(
    dev: Center, command: Command, room: Path
) -> None:
    command("pull", room, "--instance", DEV)
    dev.connect.update_contact_flow_metadata(
        InstanceId=dev.id,
        ContactFlowId=dev.instance.flow("Overflow (nights)").id,
        ContactFlowState="ARCHIVED",
    )

    _, told = command("pull", room, "--instance", DEV)

    assert told[:3] == [
        "left out: CONTACT_FLOW Overflow (nights) is archived",
        "gone: CONTACT_FLOW Overflow (nights) is not in the instance, and push would create it again: if that is",
        "      not meant, delete flows/overflow_nights.json and its lines in flows.json",
    ]


def test_a_renamed_queue_keeps_its_placeholder_and_is_found_by_its_new_name(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    command("pull", room, "--instance", DEV)
    template = (room / "flows/support_line.json").read_text()
    next(part for part in dev.instance.parts.values() if part.name == "Support").name = "Help"

    command("pull", room, "--instance", DEV, "--only", "Overflow*")
    index = json.loads((room / "flows.json").read_text())
    assert index["resources"]["SupportQueue"] == {"kind": "queue", "name": "Support"}
    command("pull", room, "--instance", DEV)
    index = json.loads((room / "flows.json").read_text())
    assert index["resources"]["SupportQueue"] == {"kind": "queue", "name": "Help"}
    assert (room / "flows/support_line.json").read_text() == template

    prod.flow("Other", chain(BYE))
    queue = prod.part("Queue", "Help")
    command("pull", room, "--instance", PROD, "--environment", "prod")
    assert (
        json.loads((room / "values/prod.json").read_text())["environments"]["prod"]["SupportQueue"] == queue
    )


def test_a_flow_that_is_no_flow_is_said_and_the_others_are_taken(
    dev: Center, command: Command, room: Path
) -> None:
    dev.flow("Broken", "{", Status="SAVED")

    status, told = command("pull", room, "--instance", DEV)

    assert status == 1
    assert any(line.startswith("not taken: CONTACT_FLOW Broken: ") for line in told)
    assert (room / "flows/support_line.json").exists()


def test_lists_of_more_than_a_page_are_read_to_the_end(dev: Center, command: Command, room: Path) -> None:
    zulu = dev.flow("Zulu", chain(BYE))
    queues = [dev.part("Queue", f"Queue {number}") for number in range(120)]
    for number in range(120):
        arn = f"{DEV}/contact-flow/77777777-7777-8888-9999-{number:012d}"
        dev.instance.flows[arn[-36:]] = Flow(arn[-36:], arn, f"A {number}", "CONTACT_FLOW", chain(BYE))
    dev.instance.flow(zulu).content = chain(
        ("queue", "UpdateContactTargetQueue", {"QueueId": queues[-1]}), BYE
    )

    status, _ = command("pull", room, "--instance", DEV, "--only", "Zulu", "--only", "A 119")

    assert status == 0
    assert sorted(files(room)) == ["flows.json", "flows/a_119.json", "flows/zulu.json", "values/dev.json"]
    assert '"QueueId": "${Queue119Queue}"' in (room / "flows/zulu.json").read_text()


def test_a_throttled_call_is_tried_again(
    sandbox: Sandbox, dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", slept.append)
    for operation in ("ListContactFlows", "DescribeContactFlow"):
        sandbox.faults.fail(
            "connect",
            operation,
            status=429,
            code="TooManyRequestsException",
            message="Rate exceeded",
            times=3,
        )

    assert command("pull", room, "--instance", DEV)[0] == 0
    assert len(slept) == 6


def test_what_is_denied_is_named_with_its_permission(
    sandbox: Sandbox, dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.fail(
        "connect", "ListPrompts", status=403, code="AccessDeniedException", message="User is not authorized"
    )

    status, told = command("pull", room, "--instance", DEV)

    assert (status, told) == (
        2,
        ["connect-flows: allow connect:ListPrompts, which is denied: User is not authorized"],
    )
    assert not room.exists()


def policy_of_the_page() -> Json:
    """Return the policy that docs/flows.md gives for pull and push."""
    text = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- policy of pull and push -->\n\n```json\n(.*?)```", text, re.DOTALL)
    assert found
    made: Json = json.loads(found[1].replace("INSTANCE-ID", DEV.rpartition("/")[2]))
    return made


def as_role(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, policy: Json) -> str:
    """Let the commands that follow run as a role with this policy; return its name."""
    iam = sandbox.boto3_client("iam")
    name = f"flows-{next(_numbers)}"
    account = {"AWS": "arn:aws:iam::123456789012:root"}
    trust = {"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="flows", PolicyDocument=json.dumps(policy))
    for key, value in sandbox.principals.issue(role, "me").as_environment().items():
        monkeypatch.setenv(key, value)
    return name


def pull_and_push(command: Command, room: Path, dev: Center) -> tuple[int, list[str]]:
    """Do everything that needs a permission: names, templates, an update, a description, a flow that is created."""
    status, told = command("pull", room, "--instance", DEV)
    if status:
        return status, told
    edit(room / "flows/overflow_nights.json", "We are closed.", "Closed.")
    edit(room / "modules/assistant.json", "One moment.", "Wait.")
    edit(room / "flows.json", '"description": "After hours"', '"description": "Nights"')
    edit(room / "flows.json", '"name": "Assistant",', '"name": "Assistant", "description": "Says it",')
    index = json.loads((room / "flows.json").read_text())
    for file, kind in (("flows/new.json", "CONTACT_FLOW"), ("modules/new.json", "MODULE")):
        index["flows"].append({"file": file, "name": "New", "type": kind, "status": "PUBLISHED"})
        ends = "EndFlowModuleExecution" if kind == "MODULE" else "DisconnectParticipant"
        (room / file).write_text(chain(("end", ends, {})))
    (room / "flows.json").write_text(json.dumps(index))
    return command("push", room, "--apply")


def test_the_documented_policy_is_enough_and_nothing_in_it_too_much(
    sandbox: Sandbox, dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"QuickConnect": "Ring Jane", "User": "jane", "TaskTemplate": "Call back", "View": "Customer"}
    arns = {kind: dev.part(kind, name) for kind, name in kinds.items()}
    arns["BotAlias"] = bot_alias(sandbox, DEV, "ABCDEFGHIJ")
    dev.flow("Kinds", chain(("set", "UpdateContactAttributes", {"Attributes": arns}), BYE))
    policy = policy_of_the_page()
    role = as_role(sandbox, monkeypatch, policy)

    status, told = pull_and_push(command, room, dev)

    assert (status, [line for line in told if "refused" in line]) == (0, [])
    assert dev.instance.module("New").name == "New"
    assert dev.instance.module("Assistant").description == "Says it"
    asked = sandbox.audit.calls(role=role)
    assert {entry.action for entry in asked} == {
        action for statement in policy["Statement"] for action in statement["Action"]
    }
    values = json.loads((room / "values/dev.json").read_text())["environments"]["dev"]
    assert {name for name, value in values.items() if value in arns.values()} == {
        "RingJaneQuickConnect",
        "JaneAgent",
        "CallBackTaskTemplate",
        "CustomerView",
        "OrdersLiveBotAlias",
    }


def bot_alias(sandbox: Sandbox, instance: str, bot: str) -> str:
    """Associate the alias live of a bot called Orders with an instance; return its ARN."""
    sandbox.bots.add(bot, "Orders", TSTALIASID="live")
    arn = f"arn:aws:lex:us-east-1:123456789012:bot-alias/{bot}/TSTALIASID"
    sandbox.connect.associate(instance, "LEX_BOT", arn)
    return arn


def test_a_bot_alias_is_known_by_its_name_in_every_instance(
    sandbox: Sandbox, dev: Center, prod: Center, command: Command, room: Path
) -> None:
    here, there = bot_alias(sandbox, DEV, "AAAAAAAAAA"), bot_alias(sandbox, PROD, "BBBBBBBBBB")
    asks = parameters_of("ConnectParticipantWithLexBot") | {"LexV2Bot": {"AliasArn": here}}
    dev.flow("Ask", chain(("ask", "ConnectParticipantWithLexBot", asks), BYE))
    prod.flow("Other", chain(BYE))

    command("pull", room, "--instance", DEV, "--only", "Ask")
    command("pull", room, "--instance", PROD, "--environment", "prod")

    for name, arn in (("dev", here), ("prod", there)):
        values = json.loads((room / f"values/{name}.json").read_text())["environments"][name]
        assert values == {"OrdersLiveBotAlias": arn}


def test_what_is_denied_while_writing_is_named_with_what_is_done(
    sandbox: Sandbox, dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = policy_of_the_page()
    denied = "connect:UpdateContactFlowModuleContent"
    policy["Statement"].append({"Effect": "Deny", "Action": denied, "Resource": "*"})
    as_role(sandbox, monkeypatch, policy)

    status, told = pull_and_push(command, room, dev)

    assert status == 1
    assert told[-3].startswith(f"refused: modules/assistant.json: allow {denied}, which is denied: ")
    assert told[-2] == "done: flows/new.json, flows/overflow_nights.json"
    assert told[-1] == "not done: modules/assistant.json, modules/new.json"


def test_what_lex_denies_is_named(
    sandbox: Sandbox, dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = {"alias": bot_alias(sandbox, DEV, "CCCCCCCCCC")}
    dev.flow("Ask", chain(("ask", "UpdateContactAttributes", {"Attributes": alias}), BYE))
    sandbox.faults.fail(
        "lexv2-models", "DescribeBot", status=403, code="AccessDeniedException", message="No."
    )

    status, told = command("pull", room, "--instance", DEV, "--only", "Ask")

    assert (status, told) == (
        2,
        ["connect-flows: allow lex:DescribeBot and lex:DescribeBotAlias, which is denied: No."],
    )


def test_an_id_needs_a_region_and_a_region_an_answer(
    dev: Center, command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", slept.append)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    status, told = command("pull", room, "--instance", DEV)
    assert (status, len(slept)) == (2, 11)
    assert told[0].startswith(
        "connect-flows: connect:ListContactFlows: Could not connect to the endpoint URL"
    )

    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    assert command("pull", room, "--instance", dev.id) == (
        2,
        [f"connect-flows: the Region of {dev.id} is not known: pass its ARN, or --region"],
    )


def test_a_template_that_is_broken_is_named_and_pull_mends_it(
    dev: Center, command: Command, room: Path
) -> None:
    command("pull", room, "--instance", DEV)
    before = files(room)
    template = room / "flows/support_line.json"
    for text, said in (("{", "is not JSON"), ("{}", "support_line.json: ")):
        template.write_text(text)
        status, told = command("push", room)
        assert status == 2
        assert said in told[0]
        assert "support_line.json" in told[0]

    template.write_text("{")
    assert command("pull", room, "--instance", DEV)[1][0] == (
        "changed: flows/support_line.json (CONTACT_FLOW Support line)"
    )
    assert files(room) == before


def test_a_folder_that_cannot_be_written_is_named(dev: Center, command: Command, room: Path) -> None:
    room.mkdir()
    (room / "flows").write_text("a file where a folder belongs")

    status, told = command("pull", room, "--instance", DEV)

    assert status == 2
    assert "flows/overflow_nights.json cannot be written: " in told[-1]


def test_without_boto3_the_extra_is_named(
    command: Command, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    for arguments in (("pull", room, "--instance", DEV), ("push", room)):
        assert command(*arguments) == (
            2,
            ["connect-flows: pull and push need boto3: pip install 'connect-flows[aws]'"],
        )


def test_what_cannot_be_done_is_said_and_nothing_is_written(
    dev: Center, prod: Center, command: Command, room: Path
) -> None:
    prod.flow("Something", chain(BYE))
    command("pull", room, "--instance", DEV)
    before = files(room)

    for arguments, said in (
        (("pull", "--instance", PROD, "--environment", "dev"), f"the environment dev is {DEV}, not {PROD}"),
        (("pull", "--instance", PROD), f"{PROD} is none of the instances of dev: name it with --environment"),
        (
            ("pull", "--instance", DEV, "--environment", "prod"),
            f"{DEV} is the environment dev already, not prod",
        ),
        (
            ("pull", "--instance", DEV, "--environment", "../x"),
            "--environment '../x': use letters, digits, - and _",
        ),
        (("pull", "--instance", DEV, "--only", "Nothing"), f"{DEV} has no flow named Nothing"),
        (("push", "--environment", "prod"), "--environment must name one of"),
        (("push", "--only", "Nothing"), "has no flow of that name"),
        (("push", "--profile", "nobody"), "The config profile (nobody) could not be found"),
    ):
        status, told = command(arguments[0], room, *arguments[1:])
        assert status == 2, arguments
        assert said in told[0], arguments
    assert files(room) == before


def test_a_folder_that_pull_has_not_written_is_named_with_what_is_wrong(
    dev: Center, command: Command, room: Path
) -> None:
    for file, text, said in (
        ("values/dev.json", "{", "is not JSON"),
        (
            "values/dev.json",
            '{"instance": "x"}',
            "instance is 'x', not the ARN of an Amazon Connect instance",
        ),
        (
            "values/dev.json",
            json.dumps({"instance": DEV, "environments": {}}),
            "no object 'dev' with the values",
        ),
        (
            "values/dev.json",
            json.dumps({"instance": DEV, "environments": {"dev": {"A": 1}}}),
            "the value of A is neither text nor null",
        ),
        ("values/dev.json", json.dumps({"instance": DEV, "environments": {"dev": {}}}), "has no flow"),
        ("flows.json", "{}", "is not the index that pull writes"),
        ("flows.json", "[]", "is not a JSON object"),
        (
            "flows.json",
            json.dumps(
                {
                    "source": "dev",
                    "resources": {},
                    "flows": [{"file": "flows/gone.json", "name": "Gone", "type": "CONTACT_FLOW"}],
                }
            ),
            "gone.json cannot be read: No such file or directory; flows.json names it",
        ),
    ):
        (room / file).parent.mkdir(parents=True, exist_ok=True)
        (room / file).write_text(text)
        status, told = command("push", room)
        assert status == 2, said
        assert said in told[0]


@pytest.fixture(autouse=True)
def no_faults_are_left(sandbox: Sandbox) -> Iterator[None]:
    yield
    for arn in (DEV, PROD):
        instance = sandbox.connect.instance(arn)
        instance.flows.clear()
        instance.modules.clear()


def test_the_examples_of_the_page_are_what_happens(sandbox: Sandbox, command: Command, room: Path) -> None:
    text = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
    section = text.split("## Pull and push\n")[1].split("\n## ")[0]
    shown = re.findall(r"^\$ connect-flows (.*)\n((?:(?!\$ |```).*\n)*)", section, re.MULTILINE)
    assert [one[0].split()[0] for one in shown] == ["pull", "pull", "push", "push"]
    instances = re.findall(r"--instance (\S+)", section)
    Center(sandbox, instances[0]).fill()
    other = Center(sandbox, instances[1])
    other.fill(function="find-prod", number="+12065550199")
    other.connect.update_contact_flow_content(
        InstanceId=other.id,
        ContactFlowId=other.instance.flow("Overflow (nights)").id,
        Content=chain(say("We are closed today."), BYE),
    )

    for words, output in shown:
        _, told = command(*[room if word == "center" else word for word in words.split()])
        expected = output.splitlines()
        if "…" in expected:
            told = ["…", *told[len(told) - len(expected) + 1 :]]
        assert told == expected

    for center in (Center(sandbox, instances[0]), other):
        center.instance.flows.clear()
        center.instance.modules.clear()
        center.instance.parts.clear()
