"""Where the linter has to keep silent: flows that are right, though they look like a rule's case."""

from typing import Any

import pytest
from connect_flows import FlowKind, LintConfig, LintContext, Severity, lint
from connect_flows.examples import example_flow

Json = dict[str, Any]
BYE: Json = {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}


def block(identifier: str, kind: str, parameters: Json, following: str, error: str | None = "bye") -> Json:
    errors = [] if error is None else [{"ErrorType": "NoMatchingError", "NextAction": error}]
    transitions = {"NextAction": following, "Errors": errors}
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def say(identifier: str, text: str, following: str) -> Json:
    return block(identifier, "MessageParticipant", {"Text": text}, following)


def call(identifier: str, following: str, function: str = "Fetch", seconds: str = "8", **more: Any) -> Json:
    parameters = {"LambdaFunctionARN": f"${{{function}}}", "InvocationTimeLimitSeconds": seconds, **more}
    return block(identifier, "InvokeLambdaFunction", parameters, following)


def put(identifier: str, following: str, **attributes: str) -> Json:
    return block(identifier, "UpdateContactAttributes", {"Attributes": attributes}, following)


def queue(identifier: str, following: str, error: str = "bye") -> Json:
    return block(identifier, "UpdateContactTargetQueue", {"QueueId": "${Queue}"}, following, error)


def transfer(identifier: str) -> Json:
    errors = [{"ErrorType": e, "NextAction": "bye"} for e in ("NoMatchingError", "QueueAtCapacity")]
    transitions = {"NextAction": "bye", "Errors": errors}
    return {
        "Identifier": identifier,
        "Type": "TransferContactToQueue",
        "Parameters": {},
        "Transitions": transitions,
    }


def rules(*actions: Json, **settings: Any) -> set[str]:
    flow = {"Version": "2019-10-30", "StartAction": actions[0]["Identifier"], "Actions": [*actions, BYE]}
    return {d.rule for d in lint(flow, **settings)}


def test_an_attribute_set_on_one_way_only_may_be_read() -> None:
    assert (
        rules(say("a", "Hi.", "b"), put("b", "c", name="x"), say("c", "Hi $.Attributes.name.", "bye"))
        == set()
    )


def test_an_attribute_that_this_flow_never_sets_may_come_from_outside() -> None:
    assert rules(say("a", "Hi $.Attributes.name.", "bye")) == set()
    known = LintContext(attributes=frozenset({"name"}))
    assert rules(say("a", "Hi $.Attributes.name and $.Attributes.other.", "bye"), context=known) == {"CF401"}
    assert rules(say("a", "Hi $.Attributes.name.", "bye"), context=known) == set()


def test_the_same_function_asked_again_may_answer_the_same_key_again() -> None:
    flow = [
        call("a", "b"),
        say("b", "$.External.name", "c"),
        call("c", "d"),
        say("d", "$.External.name", "bye"),
    ]
    assert rules(*flow) == set()


def test_what_another_function_is_said_to_answer_may_be_read_after_it() -> None:
    flow = [
        call("a", "b"),
        say("b", "$.External.name", "c"),
        call("c", "d", "Other"),
        say("d", "$.External.name", "bye"),
    ]
    assert rules(*flow) == {"CF403"}
    answers = LintContext(
        lambda_responses={"Fetch": frozenset({"name"}), "${Other}": frozenset({"name", "x"})}
    )
    assert rules(*flow, context=answers) == set()


def test_a_prompt_breaks_a_chain_of_functions_and_asynchronous_ones_take_no_time() -> None:
    assert rules(call("a", "b"), call("b", "p"), say("p", "One moment.", "c"), call("c", "bye")) == set()
    later = {"InvocationType": "ASYNCHRONOUS"}
    assert rules(call("a", "b"), call("b", "c"), call("c", "bye", **later)) == set()
    assert rules(call("a", "b"), call("b", "c"), call("c", "bye")) == {"CF304"}
    assert rules(call("a", "b"), call("b", "c"), call("c", "bye", seconds="4")) == set()


def test_a_queue_set_on_every_way_is_enough_but_the_error_branch_of_setting_it_is_a_way() -> None:
    assert rules(queue("a", "b"), transfer("b")) == set()
    assert rules(queue("a", "b", error="b"), transfer("b")) == {"CF305"}
    assert rules(block("a", "InvokeFlowModule", {"FlowModuleId": "${M}"}, "b"), transfer("b")) == set()
    assert rules(transfer("a"), flow_type="QUEUE_TRANSFER") == set()
    assert rules(transfer("a"), kind=FlowKind.MODULE) == set()


def test_a_customer_queue_may_play_for_ever() -> None:
    loop = block("a", "MessageParticipant", {"Text": "Please wait."}, "a", None)
    assert rules(loop, flow_type="CUSTOMER_QUEUE") == {"CF301"}  # BYE alone is unreachable
    assert rules(loop, flow_type="CONTACT_FLOW") == {"CF301", "CF302"}


def test_a_retry_that_transfers_leaves_the_loop() -> None:
    loop = [block("a", "TransferToFlow", {"ContactFlowId": "${Next}"}, "b", "b"), say("b", "Sorry.", "a")]
    assert "CF302" not in rules(*loop)


def test_amounts_of_money_and_dollars_are_no_references() -> None:
    assert rules(say("a", "That is $ 5, $5.00 or $.50, in US$. Thank you.", "bye")) == set()


def test_managed_views_and_prompts_of_aws_are_not_hard_coded() -> None:
    flow = example_flow("ShowView")
    flow["Actions"][0]["Parameters"]["ViewResource"]["Id"] = "arn:aws:connect:us-east-1:aws:view/form:1"
    assert lint(flow) == []


def test_ignoring_works_everywhere_by_family_and_by_block() -> None:
    flow = [say("a", "Call +12065550100.", "bye"), say("island", "Hi.", "bye")]
    assert rules(*flow) == {"CF301", "CF505"}
    assert rules(*flow, config=LintConfig(ignore=frozenset({"CF5"}))) == {"CF301"}
    assert rules(*flow, config=LintConfig(per_block={"is*": frozenset({"CF301"})})) == {"CF505"}
    assert rules(*flow, config=LintConfig(per_file={"x/*.json": frozenset({"CF"})}), name="x/a.json") == set()
    assert rules(*flow, config=LintConfig(per_file={"x/*.json": frozenset({"CF"})}), name="y/a.json") != set()


@pytest.mark.parametrize(("status", "severity"), [("published", Severity.WARNING), ("saved", Severity.ERROR)])
def test_a_flow_that_connect_has_published_is_believed_more_than_the_table(
    status: str, severity: Severity
) -> None:
    flow = example_flow("EndFlowExecution")
    flow["Metadata"] = {"type": "contactFlow", "status": status}
    assert [(d.rule, d.severity) for d in lint(flow)] == [("CF140", severity)]
    assert [(d.rule, d.severity) for d in lint(flow, flow_type="CONTACT_FLOW")] == [("CF140", Severity.ERROR)]


def test_the_flow_type_of_the_metadata_is_used_and_without_one_any_that_fits() -> None:
    flow = example_flow("MessageParticipantIteratively")
    assert lint(flow) == []
    flow["Metadata"] = {"type": "contactFlow"}
    assert [d.rule for d in lint(flow)] == ["CF140"]
    flow["Metadata"] = {"type": "customerQueue"}
    assert lint(flow) == []


def staffing(no_match: str) -> Json:
    condition = {"Operator": "NumberGreaterThan", "Operands": ["0"]}
    return {
        "Identifier": "staff",
        "Type": "CheckMetricData",
        "Parameters": {"MetricType": "NumberOfAgentsAvailable", "QueueId": "${Queue}"},
        "Transitions": {
            "NextAction": "bye",
            "Conditions": [{"NextAction": "there", "Condition": condition}],
            "Errors": [
                {"ErrorType": "NoMatchingCondition", "NextAction": no_match},
                {"ErrorType": "NoMatchingError", "NextAction": "bye"},
            ],
        },
    }


def test_the_false_branch_of_a_staffing_check_is_not_to_be_removed() -> None:
    others = say("there", "Somebody is there.", "bye"), say("nobody", "Nobody is there.", "bye")
    assert rules(staffing("nobody"), *others) == set()
    assert rules(staffing("bye"), others[0]) == {"CF206"}


def ask(identifier: str, attribute: str, following: str, otherwise: str) -> Json:
    condition = {"Operator": "Equals", "Operands": ["true"]}
    return {
        "Identifier": identifier,
        "Type": "Compare",
        "Parameters": {"ComparisonValue": f"$.Attributes.{attribute}"},
        "Transitions": {
            "NextAction": otherwise,
            "Conditions": [{"NextAction": following, "Condition": condition}],
            "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": otherwise}],
        },
    }


def test_a_flow_of_unknown_type_may_find_its_queue_set() -> None:
    assert rules(transfer("a")) == set()
    assert rules(transfer("a"), flow_type="QUEUE_TRANSFER") == set()
    assert rules(transfer("a"), flow_type="CONTACT_FLOW") == {"CF305"}


def test_a_flow_of_unknown_type_may_ask_whether_it_has_run_before() -> None:
    once = ask("a", "ran", "bye", "b"), put("b", "bye", ran="true")
    assert rules(*once) == set()
    assert rules(*once, flow_type="CONTACT_FLOW") == {"CF401"}
    assert rules(say("a", "Hi $.Attributes.name.", "b"), put("b", "bye", name="x")) == {"CF401"}
