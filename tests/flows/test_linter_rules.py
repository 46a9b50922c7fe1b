"""A mutation test of the linter: take a valid flow, break one rule, and that rule fires."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from connect_flows import (
    ACTIONS,
    RULES,
    Diagnostic,
    FlowKind,
    LintContext,
    Severity,
    explain,
    lint,
)
from connect_flows.examples import BLOCK, END, example_flow, example_place

Json = dict[str, Any]
NOT_CHECKED = {"CF109", "CF110"}
QUEUE_ARN = (
    "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
    "/queue/66666666-7777-8888-9999-000000000000"
)


def lint_example(flow: Json, action_type: str, **more: Any) -> list[Diagnostic]:
    kind, flow_type = example_place(action_type)
    return lint(flow, kind=kind, flow_type=flow_type, **more)


def rules_of(found: list[Diagnostic]) -> set[str]:
    return {d.rule for d in found}


def block(flow: Json) -> Json:
    return flow["Actions"][0]


def message(identifier: str, following: str, text: str = "Hello.", **more: Any) -> Json:
    return {
        "Identifier": identifier,
        "Type": "MessageParticipant",
        "Parameters": {"Text": text, **more},
        "Transitions": {"NextAction": following},
    }


def action(
    identifier: str, kind: str, parameters: Json, following: str | None, errors: Json | None = None
) -> Json:
    transitions: Json = {} if following is None else {"NextAction": following}
    if errors:
        transitions["Errors"] = [{"ErrorType": k, "NextAction": v} for k, v in errors.items()]
    return {"Identifier": identifier, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def lambda_block(
    identifier: str, following: str, error: str = "bye", seconds: str = "8", **more: Any
) -> Json:
    parameters = {
        "LambdaFunctionARN": f"${{{identifier.title()}}}",
        "InvocationTimeLimitSeconds": seconds,
        **more,
    }
    return action(identifier, "InvokeLambdaFunction", parameters, following, {"NoMatchingError": error})


BYE = action("bye", "DisconnectParticipant", {}, None)


def flow(*actions: Json, **more: Any) -> Json:
    return {
        "Version": "2019-10-30",
        "StartAction": actions[0]["Identifier"],
        "Actions": list(actions),
        **more,
    }


@pytest.mark.parametrize("action_type", ACTIONS)
def test_a_valid_block_of_every_action_type_has_no_finding(action_type: str) -> None:
    found = lint_example(example_flow(action_type), action_type)
    assert rules_of(found) <= NOT_CHECKED, [str(d) for d in found]
    known_by_name_only = not ACTIONS[action_type].documented or ACTIONS[action_type].retired
    assert bool(found) == bool(known_by_name_only)


def test_the_examples_need_no_word_about_where_they_run_beyond_their_flow_type() -> None:
    assert {example_place(t)[1] for t in ACTIONS} > {"CONTACT_FLOW", "CUSTOMER_QUEUE", None}


DOCUMENTED = [t for t in ACTIONS if ACTIONS[t].documented]


@pytest.mark.parametrize("action_type", DOCUMENTED)
def test_leaving_out_each_required_parameter_is_found(action_type: str) -> None:
    for name in [n for n, p in ACTIONS[action_type].parameters.items() if p.required]:
        broken = example_flow(action_type)
        del block(broken)["Parameters"][name]
        found = [d for d in lint_example(broken, action_type) if d.rule == "CF113"]
        assert [d.path for d in found] == [f"Actions[0].Parameters.{name}"]
        assert name in found[0].message


@pytest.mark.parametrize("action_type", DOCUMENTED)
def test_a_parameter_that_the_type_does_not_have_is_found(action_type: str) -> None:
    broken = example_flow(action_type)
    block(broken)["Parameters"]["Colour"] = "red"
    found = [d for d in lint_example(broken, action_type) if d.rule == "CF114"]
    assert [(d.block, d.path) for d in found] == [(BLOCK, "Actions[0].Parameters.Colour")]


@pytest.mark.parametrize("action_type", DOCUMENTED)
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (5, "CF115"),
        (True, "CF115"),
        (None, "CF115"),
        ("", "CF116"),
        ({"a": "b"}, "CF127"),
        (["a"], "CF127"),
    ],
)
def test_scalars_of_the_wrong_kind_are_found(action_type: str, value: object, rule: str) -> None:
    scalars = {n for n, p in ACTIONS[action_type].parameters.items() if p.type in {"string", "integer"}}
    for name in scalars & set(block(example_flow(action_type)).get("Parameters", {})):
        broken = example_flow(action_type)
        block(broken)["Parameters"][name] = value
        found = lint_example(broken, action_type)
        assert (rule, f"Actions[0].Parameters.{name}") in {(d.rule, d.path) for d in found}, name


@pytest.mark.parametrize("action_type", DOCUMENTED)
def test_values_outside_of_enums_ranges_and_lengths_are_found(action_type: str) -> None:
    for name, spec in ACTIONS[action_type].parameters.items():
        cases = []
        if spec.enum and spec.type == "string":
            cases.append(("tru", "CF117"))
        if spec.type == "integer":
            cases.append(("three", "CF118"))
        if spec.max is not None:
            cases.append((str(spec.max + 1), "CF119"))
        if spec.min is not None:
            cases.append((str(spec.min - 1), "CF119"))
        if spec.max_length is not None:
            cases.append(("1" * (spec.max_length + 1), "CF120"))
        for value, rule in cases:
            broken = example_flow(action_type)
            block(broken)["Parameters"][name] = value
            found = {(d.rule, d.path) for d in lint_example(broken, action_type)}
            assert (rule, f"Actions[0].Parameters.{name}") in found, (name, value)


@pytest.mark.parametrize("action_type", DOCUMENTED)
def test_references_are_refused_where_only_static_text_is_taken(action_type: str) -> None:
    for name, spec in ACTIONS[action_type].parameters.items():
        rule = {"static": "CF122", "single": "CF123"}.get(spec.value)
        if spec.type == "array" or rule is None:
            continue
        broken = example_flow(action_type)
        block(broken)["Parameters"][name] = "$.Attributes.a" if rule == "CF122" else "x $.Attributes.a y"
        assert rule in rules_of(lint_example(broken, action_type)), name


@pytest.mark.parametrize("action_type", DOCUMENTED)
def test_leaving_out_each_required_error_branch_is_found(action_type: str) -> None:
    for name in ACTIONS[action_type].errors_required:
        broken = example_flow(action_type)
        transitions = block(broken)["Transitions"]
        transitions["Errors"] = [e for e in transitions["Errors"] if e["ErrorType"] != name]
        found = [d for d in lint_example(broken, action_type) if d.rule == "CF205"]
        assert any(name in d.message for d in found), name


@pytest.mark.parametrize("action_type", [t for t in DOCUMENTED if ACTIONS[t].next_action == "required"])
def test_an_error_branch_that_the_type_may_not_have_is_found(action_type: str) -> None:
    broken = example_flow(action_type)
    wrong = next(
        e
        for e in ("CallbackNumberNotDialable", "TemplateRenderingError")
        if e not in ACTIONS[action_type].errors_required
    )
    block(broken)["Transitions"].setdefault("Errors", []).append({"ErrorType": wrong, "NextAction": END})
    assert "CF206" in rules_of(lint_example(broken, action_type))


@pytest.mark.parametrize("action_type", [t for t in DOCUMENTED if ACTIONS[t].next_action == "required"])
def test_a_missing_next_action_is_found(action_type: str) -> None:
    broken = example_flow(action_type)
    del block(broken)["Transitions"]["NextAction"]
    assert "CF202" in rules_of(lint_example(broken, action_type))


@pytest.mark.parametrize("action_type", [t for t in ACTIONS if ACTIONS[t].terminal])
def test_branches_of_a_terminal_block_are_found(action_type: str) -> None:
    broken = example_flow(action_type)
    block(broken)["Transitions"]["NextAction"] = BLOCK
    assert "CF203" in rules_of(lint_example(broken, action_type))


@pytest.mark.parametrize("action_type", [t for t in DOCUMENTED if not ACTIONS[t].conditions])
def test_conditions_on_a_type_that_takes_none_are_found(action_type: str) -> None:
    broken = example_flow(action_type)
    block(broken)["Transitions"]["Conditions"] = [
        {"NextAction": BLOCK, "Condition": {"Operator": "Equals", "Operands": ["x"]}}
    ]
    expected = "CF203" if ACTIONS[action_type].terminal else "CF209"
    assert expected in rules_of(lint_example(broken, action_type))


@pytest.mark.parametrize("action_type", [t for t in DOCUMENTED if ACTIONS[t].conditions])
def test_each_condition_that_the_type_must_have_is_missed_when_left_out(action_type: str) -> None:
    conditions = ACTIONS[action_type].conditions
    assert conditions is not None
    for operand in conditions.required:
        broken = example_flow(action_type)
        transitions = block(broken)["Transitions"]
        transitions["Conditions"] = [
            c for c in transitions["Conditions"] if c["Condition"]["Operands"] != [operand]
        ]
        assert "CF213" in rules_of(lint_example(broken, action_type)), operand


@pytest.mark.parametrize("action_type", [t for t in ACTIONS if ACTIONS[t].flow_types])
def test_a_flow_type_that_does_not_take_the_block_is_named(action_type: str) -> None:
    allowed = ACTIONS[action_type].flow_types or frozenset()
    for flow_type in {"CONTACT_FLOW", "AGENT_HOLD", "CAMPAIGN"} - allowed:
        found = lint(example_flow(action_type), flow_type=flow_type, kind=FlowKind.FLOW)
        assert any(d.rule == "CF140" and flow_type in d.message and d.block == BLOCK for d in found)


# One way at least to break each rule: changes of a valid flow, or a whole document, and the rule that must fire.


def changed(action_type: str, change: Callable[[Json], object]) -> tuple[Json | str, dict[str, Any]]:
    document = example_flow(action_type)
    change(document)
    kind, flow_type = example_place(action_type)
    return document, {"kind": kind, "flow_type": flow_type}


def with_parameters(action_type: str, **parameters: Any) -> tuple[Json | str, dict[str, Any]]:
    return changed(action_type, lambda f: block(f)["Parameters"].update(parameters))


def with_transitions(action_type: str, **transitions: Any) -> tuple[Json | str, dict[str, Any]]:
    return changed(action_type, lambda f: block(f)["Transitions"].update(transitions))


def condition(operator: object, *operands: object) -> Json:
    return {"NextAction": END, "Condition": {"Operator": operator, "Operands": list(operands)}}


def nested(levels: int) -> Json:
    inner: Json = {"Operator": "Equals", "Operands": ["a"]}
    for _ in range(levels):
        inner = {"Operator": "Equals", "Operands": [inner]}
    return {"NextAction": END, "Condition": inner}


def renamed(identifier: str) -> tuple[Json | str, dict[str, Any]]:
    return flow({**message("x", "bye"), "Identifier": identifier}, BYE), {}


M = "MessageParticipant"
GPI = "GetParticipantInput"
JSON_ANSWER: Json = {"ResponseValidation": {"ResponseType": "JSON"}}
ONE_QUEUE = "arn:aws:connect:us-east-1:123456789012:instance/aaaaaaaa-2222-3333-4444-555555555555/queue/q"
VALID = example_flow(M)

CASES: list[tuple[str, str, tuple[Json | str, dict[str, Any]]]] = [
    ("CF001", "a trailing comma", ('{"Version": "2019-10-30",}', {})),
    ("CF001", "NaN", ('{"Version": NaN}', {})),
    ("CF002", "a list", ("[]", {})),
    ("CF002", "a number", ("7", {})),
    ("CF003", "no Version", changed(M, lambda f: f.pop("Version"))),
    ("CF003", "no StartAction", changed(M, lambda f: f.pop("StartAction"))),
    ("CF003", "Actions an object", changed(M, lambda f: f.update(Actions={}))),
    ("CF004", "another version", changed(M, lambda f: f.update(Version="2020-01-01"))),
    ("CF005", "a misspelt key", changed(M, lambda f: f.update(startAction="x"))),
    ("CF006", "a huge flow", changed(M, lambda f: f.update(Metadata={"note": "x" * 256_000}))),
    ("CF006", "text of megabytes", ('{"a": "' + "x" * 4_000_001 + '"}', {})),
    ("CF007", "a nesting bomb", ("[" * 100_000, {})),
    ("CF007", "an object of 60 levels", ('{"a":' * 60 + "1" + "}" * 60, {})),
    ("CF008", "an old export", ('{"modules": [], "start": "x", "version": "1"}', {})),
    ("CF009", "no block", changed(M, lambda f: f.update(Actions=[]))),
    ("CF009", "251 blocks", (flow(*[message(f"b{i}", f"b{i + 1}") for i in range(250)], BYE), {})),
    ("CF010", "a key twice", (json.dumps(VALID)[:-1] + ', "Version": "2019-10-30"}', {})),
    ("CF011", "start at no block", changed(M, lambda f: f.update(StartAction="helo"))),
    ("CF012", "blanks in a placeholder", with_parameters(M, Text="Welcome to ${company name}")),
    ("CF013", "a placeholder as type", changed(M, lambda f: block(f).update(Type="${Kind}"))),
    ("CF013", "a placeholder as target", with_transitions(M, NextAction="${Next}")),
    ("CF101", "a string as block", changed(M, lambda f: f["Actions"].append("hello"))),
    ("CF102", "no identifier", changed(M, lambda f: f["Actions"][1].pop("Identifier"))),
    ("CF102", "an empty identifier", renamed("")),
    ("CF103", "51 characters", renamed("x" * 51)),
    ("CF104", "parentheses", renamed("ask (again)")),
    ("CF105", "constructor", renamed("constructor")),
    ("CF106", "two of a name", changed(M, lambda f: f["Actions"].append(copy.deepcopy(f["Actions"][1])))),
    ("CF107", "lower case type", changed(M, lambda f: block(f).update(Type="messageParticipant"))),
    ("CF107", "no type", changed(M, lambda f: block(f).pop("Type"))),
    ("CF108", "a console block's name", changed(M, lambda f: block(f).update(Type="PlayPrompt"))),
    ("CF109", "known by name only", changed("CreateContact", lambda _: None)),
    ("CF110", "Voice ID", changed("CheckVoiceId", lambda _: None)),
    ("CF111", "a comment", changed(M, lambda f: block(f).update(Comment="x"))),
    ("CF112", "a list of parameters", changed(M, lambda f: block(f).update(Parameters=[]))),
    ("CF113", "nested requirement", with_parameters("ShowView", ViewResource={"Version": "1"})),
    ("CF114", "the page's name", with_parameters("Wait", TimeoutSeconds="9")),
    ("CF115", "a number", with_parameters("InvokeLambdaFunction", InvocationTimeLimitSeconds=3)),
    ("CF115", "a boolean attribute", with_parameters("UpdateContactAttributes", Attributes={"vip": True})),
    ("CF116", "an empty ARN", with_parameters("InvokeLambdaFunction", LambdaFunctionARN="")),
    (
        "CF116",
        "an empty Lambda value",
        with_parameters("InvokeLambdaFunction", LambdaInvocationAttributes={"a": ""}),
    ),
    ("CF117", "lower case true", with_parameters(GPI, StoreInput="false")),
    (
        "CF117",
        "in a list",
        with_parameters(
            "UpdateContactRecordingBehavior", RecordingBehavior={"RecordedParticipants": ["Caller"]}
        ),
    ),
    ("CF118", "a word", with_parameters("Loop", LoopCount="three")),
    ("CF119", "20 seconds", with_parameters("InvokeLambdaFunction", InvocationTimeLimitSeconds="20")),
    ("CF120", "a long prompt", with_parameters(M, Text="x" * 6001)),
    (
        "CF121",
        "a national number",
        (
            flow(
                action(
                    "x",
                    "TransferParticipantToThirdParty",
                    {
                        "ThirdPartyPhoneNumber": "555-0100",
                        "ThirdPartyConnectionTimeLimitSeconds": "30",
                        "ContinueFlowExecution": "False",
                    },
                    "bye",
                    {"NoMatchingError": "bye"},
                ),
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF121",
        "not a connector",
        with_parameters(
            "TransferParticipantToThirdParty",
            VoiceConnector={
                "VoiceConnectorType": "CallTransferConnector",
                "VoiceConnectorArn": "my-connector",
            },
        ),
    ),
    (
        "CF122",
        "a dynamic limit",
        with_parameters("InvokeLambdaFunction", InvocationTimeLimitSeconds="$.Attributes.s"),
    ),
    ("CF122", "a dynamic tag key", with_parameters("UntagContact", TagKeys=["$.Attributes.key"])),
    (
        "CF123",
        "a composed queue",
        with_parameters("UpdateContactTargetQueue", QueueId="q-$.Attributes.language"),
    ),
    ("CF133", "a note", with_parameters("UpdateContactTargetQueue", QueueId="TODO")),
    (
        "CF134",
        "a short account",
        with_parameters("UpdateContactTargetQueue", QueueId=QUEUE_ARN.replace("9012", "901")),
    ),
    (
        "CF135",
        "a state machine",
        with_parameters(
            "InvokeLambdaFunction",
            LambdaFunctionARN="arn:aws:states:us-east-1:123456789012:stateMachine:find",
        ),
    ),
    ("CF136", "the channel", with_parameters("UpdateContactTargetQueue", QueueId="$.Channel")),
    ("CF124", "comparing a constant", with_parameters("Compare", ComparisonValue="VOICE")),
    ("CF125", "text and prompt", with_parameters(M, PromptId="${Prompt}")),
    ("CF125", "neither text nor prompt", changed(M, lambda f: block(f)["Parameters"].clear())),
    ("CF126", "validation missing", with_parameters(GPI, StoreInput="True")),
    (
        "CF126",
        "no country",
        with_parameters(
            GPI, StoreInput="True", InputValidation={"PhoneNumberValidation": {"NumberFormat": "Local"}}
        ),
    ),
    (
        "CF126",
        "encrypting nothing",
        with_parameters(GPI, InputEncryption={"EncryptionKeyId": "a", "Key": "b"}),
    ),
    ("CF127", "a string for a list", with_parameters("TagContact", Tags="a=b")),
    (
        "CF128",
        "two hooks",
        with_parameters(
            "UpdateContactEventHooks", EventHooks={"CustomerQueue": "${A}", "CustomerHold": "${B}"}
        ),
    ),
    ("CF128", "seven tags", with_parameters("TagContact", Tags={f"k{i}": "v" for i in range(7)})),
    (
        "CF129",
        "a misspelt hook",
        with_parameters("UpdateContactEventHooks", EventHooks={"AgentWisper": "${A}"}),
    ),
    (
        "CF130",
        "a blank in a name",
        with_parameters("UpdateContactAttributes", Attributes={"order number": "7"}),
    ),
    ("CF131", "References", with_parameters("UpdateContactData", References={"a": "b"})),
    (
        "CF132",
        "a misspelt inner key",
        with_parameters("ShowView", ViewResource={"Id": "form", "version": "1"}),
    ),
    (
        "CF140",
        "a queue from a whisper",
        (example_flow("TransferContactToQueue"), {"flow_type": "AGENT_WHISPER"}),
    ),
    ("CF141", "ending the flow in a module", (example_flow("EndFlowExecution"), {"kind": FlowKind.MODULE})),
    ("CF142", "ending a module in a flow", (example_flow("EndFlowModuleExecution"), {"kind": FlowKind.FLOW})),
    (
        "CF143",
        "digits in a chat",
        (example_flow(GPI), {"context": LintContext(channels=frozenset({"CHAT"}))}),
    ),
    (
        "CF144",
        "digits and a view",
        (
            flow(
                {
                    **block(example_flow(GPI)),
                    "Identifier": "digits",
                    "Transitions": {
                        "NextAction": "view",
                        "Errors": [
                            {"ErrorType": e, "NextAction": "bye"}
                            for e in ("NoMatchingError", "NoMatchingCondition", "InputTimeLimitExceeded")
                        ],
                    },
                },
                {
                    **block(example_flow("ShowView")),
                    "Identifier": "view",
                    "Transitions": {
                        "NextAction": "bye",
                        "Errors": [
                            {"ErrorType": e, "NextAction": "bye"}
                            for e in ("NoMatchingError", "NoMatchingCondition", "TimeLimitExceeded")
                        ],
                    },
                },
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF145",
        "hold and transfer",
        (
            flow(
                action("wait", "MessageParticipantIteratively", {"Messages": [{"Text": "Wait."}]}, "go"),
                action(
                    "go", "TransferToFlow", {"ContactFlowId": "${Next}"}, "bye", {"NoMatchingError": "bye"}
                ),
                BYE,
            ),
            {},
        ),
    ),
    ("CF201", "no transitions", changed(M, lambda f: f["Actions"][1].pop("Transitions"))),
    ("CF202", "no next", changed("TransferToFlow", lambda f: block(f)["Transitions"].pop("NextAction"))),
    ("CF203", "after the end", changed(M, lambda f: f["Actions"][1]["Transitions"].update(NextAction=BLOCK))),
    ("CF204", "a misspelt target", with_transitions(M, NextAction="ende")),
    (
        "CF204",
        "an error to nowhere",
        with_transitions(M, Errors=[{"ErrorType": "NoMatchingError", "NextAction": "x"}]),
    ),
    ("CF205", "no error branch", with_transitions("InvokeLambdaFunction", Errors=[])),
    (
        "CF205",
        "two of three",
        with_transitions(
            "TransferParticipantToThirdParty", Errors=[{"ErrorType": "NoMatchingError", "NextAction": END}]
        ),
    ),
    (
        "CF206",
        "logging with an error",
        with_transitions(
            "UpdateFlowLoggingBehavior", Errors=[{"ErrorType": "NoMatchingError", "NextAction": END}]
        ),
    ),
    (
        "CF206",
        "not resuming with three",
        with_parameters("TransferParticipantToThirdParty", ContinueFlowExecution="False"),
    ),
    ("CF207", "Timeout", with_transitions(M, Errors=[{"ErrorType": "Timeout", "NextAction": END}])),
    ("CF208", "twice", with_transitions(M, Errors=[{"ErrorType": "NoMatchingError", "NextAction": END}] * 2)),
    ("CF209", "on a prompt", with_transitions(M, Conditions=[condition("Equals", "1")])),
    (
        "CF209",
        "on stored input",
        with_parameters(GPI, StoreInput="True", InputValidation={"CustomValidation": {"MaximumLength": "4"}}),
    ),
    (
        "CF210",
        "no operator",
        with_transitions("Compare", Conditions=[{"NextAction": END, "Condition": {"Equals": "1"}}]),
    ),
    ("CF210", "two operands", with_transitions("Compare", Conditions=[condition("Equals", "1", "2")])),
    ("CF211", "Contains", with_transitions("Compare", Conditions=[condition("Contains", "1")])),
    ("CF211", "not for digits", with_transitions(GPI, Conditions=[condition("TextContains", "1")])),
    ("CF212", "Done", with_transitions("Loop", Conditions=[condition("Equals", "Done")])),
    ("CF212", "two digits", with_transitions(GPI, Conditions=[condition("Equals", "12")])),
    (
        "CF212",
        "120 percent",
        with_transitions("DistributeByPercentage", Conditions=[condition("NumberLessThan", "120")]),
    ),
    (
        "CF213",
        "an event without branch",
        with_transitions("Wait", Conditions=[condition("Equals", "WaitCompleted")]),
    ),
    ("CF214", "empty", with_transitions("Compare", Conditions=[condition("Equals", "")])),
    ("CF215", "the same again", with_transitions("Compare", Conditions=[condition("Equals", "a")] * 2)),
    ("CF216", "six levels", with_transitions("Compare", Conditions=[nested(6)])),
    (
        "CF216",
        "sixty",
        with_transitions(
            "Compare",
            Conditions=[
                {
                    "NextAction": END,
                    "Condition": {
                        "Operator": "Equals",
                        "Operands": [{"Operator": "Equals", "Operands": [str(i)]} for i in range(60)],
                    },
                }
            ],
        ),
    ),
    ("CF217", "a misspelt key", with_transitions(M, Next=END)),
    ("CF217", "errors not a list", with_transitions(M, Errors={})),
    ("CF218", "comparing nothing", with_transitions("Compare", Conditions=[])),
    ("CF301", "an island", (flow(message("a", "bye"), message("island", "bye"), BYE), {})),
    ("CF302", "round and round", (flow(message("a", "b"), message("b", "a")), {})),
    (
        "CF302",
        "out by failure only",
        (flow(action("a", M, {"Text": "Hi."}, "a", {"NoMatchingError": "bye"}), BYE), {}),
    ),
    ("CF303", "Lambda again", (flow(lambda_block("a", "bye", error="a"), BYE), {})),
    (
        "CF304",
        "three times eight",
        (flow(lambda_block("a", "b"), lambda_block("b", "c"), lambda_block("c", "bye"), BYE), {}),
    ),
    (
        "CF304",
        "polling",
        (
            flow(
                lambda_block("a", "b"),
                {
                    **action(
                        "b",
                        "Compare",
                        {"ComparisonValue": "$.External.ready"},
                        None,
                        {"NoMatchingCondition": "a"},
                    ),
                    "Transitions": {
                        "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": "a"}],
                        "Conditions": [
                            {"NextAction": "bye", "Condition": {"Operator": "Equals", "Operands": ["true"]}}
                        ],
                    },
                },
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF305",
        "no queue",
        (
            flow(
                action(
                    "q",
                    "TransferContactToQueue",
                    {},
                    "bye",
                    {"NoMatchingError": "bye", "QueueAtCapacity": "bye"},
                ),
                BYE,
            ),
            {"flow_type": "CONTACT_FLOW"},
        ),
    ),
    (
        "CF401",
        "set too late",
        (
            flow(
                message("a", "b", "Hello $.Attributes.name."),
                action(
                    "b",
                    "UpdateContactAttributes",
                    {"Attributes": {"name": "Ada"}},
                    "bye",
                    {"NoMatchingError": "bye"},
                ),
                BYE,
            ),
            {},
        ),
    ),
    ("CF401", "set nowhere", (flow(message("a", "bye", "Hello $.FlowAttributes.name."), BYE), {})),
    ("CF402", "no Lambda before", (flow(message("a", "bye", "Hello $.External.name."), BYE), {})),
    (
        "CF403",
        "read after another",
        (
            flow(
                lambda_block("first", "a"),
                message("a", "second", "$.External.name"),
                lambda_block("second", "b"),
                message("b", "bye", "$.External.name"),
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF403",
        "said not to answer it",
        (
            flow(lambda_block("first", "a"), message("a", "bye", "$.External.name"), BYE),
            {"context": LintContext(lambda_responses={"First": frozenset({"found"})})},
        ),
    ),
    ("CF404", "lower case", (flow(message("a", "bye", "Hello $.attributes.name."), BYE), {})),
    (
        "CF405",
        "first of a list",
        (flow(lambda_block("a", "b", **JSON_ANSWER), message("b", "bye", "$.External.items[0]"), BYE), {}),
    ),
    (
        "CF406",
        "too much",
        (
            flow(
                action(
                    "a",
                    "UpdateContactAttributes",
                    {"Attributes": {"text": "x" * 33_000}},
                    "bye",
                    {"NoMatchingError": "bye"},
                ),
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF407",
        "nested in a flat map",
        (flow(lambda_block("a", "b"), message("b", "bye", "$.External.customer.name"), BYE), {}),
    ),
    ("CF501", "an ARN", with_parameters("UpdateContactTargetQueue", QueueId=QUEUE_ARN)),
    ("CF501", "an identifier", with_parameters("UpdateContactTargetQueue", QueueId=QUEUE_ARN[-36:])),
    (
        "CF502",
        "another account",
        (
            flow(
                action(
                    "a", "UpdateContactTargetQueue", {"QueueId": QUEUE_ARN}, "bye", {"NoMatchingError": "bye"}
                ),
                BYE,
            ),
            {"context": LintContext(account="123456789013")},
        ),
    ),
    (
        "CF503",
        "two instances",
        (
            flow(
                action(
                    "a", "UpdateContactTargetQueue", {"QueueId": QUEUE_ARN}, "b", {"NoMatchingError": "bye"}
                ),
                action(
                    "b", "UpdateContactTargetQueue", {"QueueId": ONE_QUEUE}, "bye", {"NoMatchingError": "bye"}
                ),
                BYE,
            ),
            {},
        ),
    ),
    (
        "CF504",
        "by its name",
        with_parameters("UpdateContactAttributes", Attributes={"apiToken": "4f9c1b77aa02"}),
    ),
    ("CF504", "by its form", with_parameters(M, Text="Bearer abcdefghijklmnopqrstuvwx")),
    (
        "CF505",
        "a number",
        with_parameters("UpdateContactAttributes", Attributes={"escalate": "+12065550100"}),
    ),
]


@pytest.mark.parametrize(("rule", "how", "case"), CASES, ids=[f"{rule} {how}" for rule, how, _ in CASES])
def test_breaking_a_rule_makes_that_rule_fire(
    rule: str, how: str, case: tuple[Json | str, dict[str, Any]]
) -> None:
    source, settings = case
    found = lint(source, name="broken.json", **settings)
    assert rule in rules_of(found), [str(d) for d in found]
    fired = next(d for d in found if d.rule == rule)
    line = str(fired)
    assert line.startswith(f"broken.json: {rule} {fired.severity}")
    assert "\n" not in line
    assert ". Fix: " in line


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {rule for rule, _, _ in CASES} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_explains_itself_on_a_page(rule: str) -> None:
    page = explain(rule)
    assert page.startswith(rule)
    for heading in ("Why it matters", "What to do", "Wrong", "Right", "To leave it out"):
        assert heading in page


def test_what_only_exports_tell_is_a_warning_that_says_so() -> None:
    broken = example_flow("LoadContactContent")
    block(broken)["Parameters"]["ContentType"] = "Fax"
    (found,) = lint(broken)
    assert (found.severity, found.evidence) == (Severity.WARNING, "export")
    assert "evidence: export, not documented by AWS" in str(found)


def test_what_was_probed_but_not_documented_says_so() -> None:
    broken = example_flow(M)
    del block(broken)["Transitions"]["NextAction"]
    found = next(d for d in lint(broken) if d.rule == "CF202")
    assert (found.severity, found.evidence) == (Severity.ERROR, "probed")
