"""Scenario files are played through flows that were deployed, under the names that the deployment gives things."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox
from connect_sandbox.rehearsal.deployed import DeployedFlow, functions_exist
from connect_sandbox.rehearsal.errors import CannotPlayError
from connect_sandbox.rehearsal.scenario import Scenario, ScenarioFile

pytestmark = pytest.mark.sandbox
Json = dict[str, Any]
LOOKUP = "arn:aws:lambda:us-east-1:123456789012:function:customer-lookup"


def block(name: str, kind: str, parameters: Json, then: str = "", **errors: str) -> Json:
    branches = [{"ErrorType": error, "NextAction": to} for error, to in errors.items()]
    transitions = {"NextAction": then, "Errors": branches, "Conditions": []} if then else {}
    return {"Identifier": name, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def flow(*blocks: Json) -> Json:
    return {"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Actions": list(blocks)}


LINE = flow(
    block("look up", "InvokeLambdaFunction", {"LambdaFunctionARN": "${Lookup}", "InvocationTimeLimitSeconds": "3"},
          "greet", NoMatchingError="more"),
    block("greet", "MessageParticipant", {"Text": "Hello $.External.name"}, "more", NoMatchingError="more"),
    block("more", "InvokeFlowModule", {"FlowModuleId": "${More}"}, "choose", NoMatchingError="choose"),
    block("choose", "UpdateContactTargetQueue", {"QueueId": "${Queue}"}, "wait", NoMatchingError="bye"),
    block("wait", "TransferContactToQueue", {}, "bye", QueueAtCapacity="bye", NoMatchingError="bye"),
    block("bye", "DisconnectParticipant", {}),
)  # fmt: skip
MORE = flow(
    block("say", "MessageParticipant", {"Text": "One moment."}, "end", NoMatchingError="end"),
    block("end", "EndFlowModuleExecution", {}),
)
SCENARIO = """
setup:
  values: {Lookup: lookup, More: more, Queue: support}
  queues: {support: {name: Support}}
  lambdas: {lookup: {answers: {name: Ada}}}
expect:
  hears: [Hello Ada, One moment.]
  invokes: {lookup: 1}
  ends: {queued: Support}
"""


@pytest.fixture
def instance(sandbox: Sandbox) -> str:
    """An instance of its own."""
    return sandbox.connect.instance(str(uuid.uuid4())).arn


def scenario(folder: Path, text: str = SCENARIO) -> Scenario:
    (folder / "line.yaml").write_text(text)
    (one,) = ScenarioFile.load(folder / "line.yaml").scenarios
    return one


def deployed(sandbox: Sandbox, instance: str, *, module: bool = True, allowed: bool = True) -> DeployedFlow:
    """Publish the line, with a function that flows may invoke or not."""
    functions_exist(sandbox, [LOOKUP, LOOKUP])
    if allowed:
        sandbox.connect.associate(instance, "LAMBDA_FUNCTION", LOOKUP)
        sandbox.boto3_client("lambda").add_permission(
            FunctionName="customer-lookup",
            StatementId=uuid.uuid4().hex,
            Action="lambda:InvokeFunction",
            Principal="connect.amazonaws.com",
            SourceArn=instance,
        )
    values = {"Lookup": LOOKUP, "Queue": f"{instance}/queue/{uuid.uuid4()}"}
    if module:
        values["More"] = sandbox.connect.create_module(instance, name="more", content=json.dumps(MORE)).arn
    else:
        values["More"] = f"{instance}/flow-module/{uuid.uuid4()}"
    content = json.dumps(LINE)
    for name, value in values.items():
        content = content.replace(f"${{{name}}}", value)
    line = sandbox.connect.create_flow(instance, name="line", type="CONTACT_FLOW", content=content)
    return DeployedFlow(sandbox=sandbox, arn=line.arn, values=values)


def test_what_a_scenario_says_of_a_name_holds_for_what_is_deployed(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    contact = deployed(sandbox, instance).play(scenario(tmp_path))
    assert [name for name, _ in contact.visited_in].count(
        "more"
    ) == 2  # the module that the instance has published
    assert contact.state.instance_arn == instance


def test_a_function_that_the_deployment_forgot_to_associate_is_not_invoked(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="should have heard “Hello Ada”") as failure:
        deployed(sandbox, instance, allowed=False).play(scenario(tmp_path))
    assert "is not associated with the instance" in str(failure.value)


def test_a_function_of_which_the_scenario_says_nothing_fails_and_says_so(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    text = SCENARIO.replace("  lambdas: {lookup: {answers: {name: Ada}}}\n", "").replace("Hello Ada, ", "")
    contact = deployed(sandbox, instance).play(scenario(tmp_path, text))
    assert "customer-lookup only stands in: say under lambdas what it answers" in str(contact.transcript)


def test_a_module_that_is_not_deployed_is_the_one_that_the_scenario_names(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    (tmp_path / "more.json").write_text(json.dumps(MORE))
    text = SCENARIO.replace("  queues:", "  modules: {more: more.json}\n  queues:")
    deployed(sandbox, instance, module=False).play(scenario(tmp_path, text))
    with pytest.raises(CannotPlayError, match="set it up in modules"):
        deployed(sandbox, sandbox.connect.instance(str(uuid.uuid4())).arn, module=False).play(
            scenario(tmp_path)
        )


def test_a_function_that_the_flow_names_by_an_attribute_answers_as_the_scenario_says(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    text = (
        json.dumps(LINE).replace("${Lookup}", "$.Attributes.function").replace("${More}", "$.Attributes.more")
    )
    text = text.replace("${Queue}", queue := f"{instance}/queue/{uuid.uuid4()}")
    line = sandbox.connect.create_flow(instance, name="dynamic", type="CONTACT_FLOW", content=text)
    told = scenario(
        tmp_path,
        SCENARIO.replace(
            "setup:", "setup:\n  attributes: {function: lookup, more: more}\n  modules: {more: stand-in}"
        )
        .replace("{Lookup: lookup, More: more, Queue: support}", "{Queue: support}")
        .replace(", One moment.", ""),
    )
    contact = DeployedFlow(sandbox=sandbox, arn=line.arn, values={"Queue": queue}).play(told)
    assert contact.ending.queue == queue


def test_what_a_scenario_expects_of_a_name_may_be_what_is_deployed(
    sandbox: Sandbox, instance: str, tmp_path: Path
) -> None:
    queue = f"{instance}/queue/{uuid.uuid4()}"
    keep = flow(
        block("keep", "UpdateContactAttributes", {"Attributes": {"queue": queue, "team": "support"}},
              "bye", NoMatchingError="bye"),
        block("bye", "DisconnectParticipant", {}),
    )  # fmt: skip
    line = sandbox.connect.create_flow(instance, name="keep", type="CONTACT_FLOW", content=json.dumps(keep))
    deployed = DeployedFlow(sandbox=sandbox, arn=line.arn, values={"Queue": queue})
    text = "setup: {values: {Queue: support}}\nexpect: {attributes: {queue: support, team: support}}"
    assert deployed.play(scenario(tmp_path, text)).attributes["queue"] == queue
    with pytest.raises(AssertionError, match="attribute queue should be 'sales'"):
        deployed.play(scenario(tmp_path, text.replace("{queue: support", "{queue: sales")))


def test_a_module_can_be_called_by_itself(sandbox: Sandbox, instance: str, tmp_path: Path) -> None:
    module = sandbox.connect.create_module(instance, name="alone", content=json.dumps(MORE))
    told = scenario(tmp_path, "expect: {hears: [One moment.], ends: module ended}")
    DeployedFlow(sandbox=sandbox, arn=module.arn).play(told)


def test_a_function_of_another_account_cannot_exist_here(sandbox: Sandbox) -> None:
    elsewhere = LOOKUP.replace("us-east-1", "eu-west-1")
    with pytest.raises(
        ValueError, match=r"eu-west-1.* cannot exist here: the sandbox's functions are arn:aws:"
    ):
        functions_exist(sandbox, [elsewhere])
