"""From console exports to templates."""

import json
from typing import Any

import pytest
from connect_flows import Flow, Severity, lint, render
from connect_flows.diff import diff
from connect_flows.importer import FlowImportError, import_flow
from connect_flows.legacy_blocks import CONVERTERS

Json = dict[str, Any]
INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
QUEUE = f"{INSTANCE}/queue/66666666-7777-8888-9999-000000000000"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:fetch-metadata"
FIRST, SECOND, LAST = (f"{n}{n}{n}{n}{n}{n}{n}{n}-1111-2222-3333-444444444444" for n in "abc")

EXPORT: Json = {
    "Version": "2019-10-30",
    "StartAction": FIRST,
    "Metadata": {
        "entryPointPosition": {"x": 20, "y": 20},
        "ActionMetadata": {
            FIRST: {"position": {"x": 200, "y": 20}, "queue": {"id": QUEUE, "text": "Sales (EN)"},
                    "parameters": {"QueueId": {"displayName": "Sales (EN)"}}},
            SECOND: {"position": {"x": 400, "y": 20}},
            LAST: {"position": {"x": 600, "y": 20}},
        },
        "name": "literal ${Braces}", "type": "contactFlow",
    },
    "Actions": [
        {"Identifier": FIRST, "Type": "UpdateContactTargetQueue", "Parameters": {"QueueId": QUEUE},
         "Transitions": {"NextAction": SECOND, "Errors": [{"NextAction": LAST, "ErrorType": "NoMatchingError"}]}},
        {"Identifier": SECOND, "Type": "InvokeLambdaFunction",
         "Parameters": {"LambdaFunctionARN": FUNCTION, "InvocationTimeLimitSeconds": "3",
                        "LambdaInvocationAttributes": {"queue": QUEUE, "note": f"see {FUNCTION}, please",
                                                       "escalate": "+12065550100", "as text": "costs ${Price}"}},
         "Transitions": {"NextAction": LAST, "Errors": [{"NextAction": LAST, "ErrorType": "NoMatchingError"}]}},
        {"Identifier": LAST, "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
    ],
}  # fmt: skip


def test_resources_become_placeholders_named_after_what_the_console_calls_them() -> None:
    imported = import_flow(EXPORT)
    assert imported.values == {
        "SalesENQueue": QUEUE,
        "FetchMetadataFunction": FUNCTION,
        "EscalatePhoneNumber": "+12065550100",
    }
    assert imported.kinds["SalesENQueue"] == "Queue named Sales (EN)"
    first, second, _ = imported.template["Actions"]
    assert first["Parameters"] == {"QueueId": "${SalesENQueue}"}
    assert second["Parameters"]["LambdaInvocationAttributes"] == {
        "queue": "${SalesENQueue}",
        "note": "see ${FetchMetadataFunction}, please",
        "escalate": "${EscalatePhoneNumber}",
        "as text": "costs ${!Price}",
    }
    assert imported.template["Metadata"]["ActionMetadata"][FIRST]["queue"]["id"] == "${SalesENQueue}"


def test_nothing_of_the_instance_is_left_and_the_template_lints_cleanly() -> None:
    imported = import_flow(EXPORT)
    text = json.dumps(imported.template)
    assert "123456789012" not in text
    assert lint(imported.template) == []
    assert {d.rule for d in lint(EXPORT)} >= {"CF501", "CF505"}


def test_rendering_with_the_original_values_gives_the_export_again() -> None:
    imported = import_flow(json.dumps(EXPORT))
    assert json.loads(render(imported.template, imported.values)) == EXPORT


def test_the_value_map_has_the_values_for_the_first_environment_and_room_for_the_others() -> None:
    environments = import_flow(EXPORT).value_map(("dev", "prod"))["environments"]
    assert environments["dev"]["SalesENQueue"] == QUEUE
    assert set(environments["prod"]) == set(environments["dev"])
    assert set(environments["prod"].values()) == {None}


def test_generated_identifiers_become_telling_ones_and_the_caller_notices_nothing() -> None:
    readable = import_flow(EXPORT, readable=True).template
    names = [a["Identifier"] for a in readable["Actions"]]
    assert names[0] == "update contact target queue Sales EN"
    assert readable["StartAction"] == names[0]
    assert set(readable["Metadata"]["ActionMetadata"]) == set(names)
    assert diff(Flow.parse(import_flow(EXPORT).template), Flow.parse(readable)) == []
    assert lint(readable) == []


def test_each_empty_resource_of_an_unpublished_flow_gets_a_placeholder_of_its_own() -> None:
    export = json.loads(json.dumps(EXPORT))
    export["Actions"][0]["Parameters"]["QueueId"] = ""
    export["Actions"][1]["Parameters"]["LambdaFunctionARN"] = ""
    imported = import_flow(export)
    empty = [name for name, value in imported.values.items() if value == ""]
    assert len(empty) == 2
    assert json.loads(render(imported.template, imported.values)) == export
    assert lint(imported.template) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [("nope", "not JSON"), ("[]", "not a JSON object"), ("{}", "neither Actions nor modules"),
     ('{"modules": []}', "no modules or no start")],
)  # fmt: skip
def test_what_is_no_export_is_refused_by_name(source: str, said: str) -> None:
    with pytest.raises(FlowImportError, match=rf"x\.json: .*{said}"):
        import_flow(source, name="x.json")


def module(identifier: str, kind: str, following: str, *parameters: Json, **branches: str) -> Json:
    kind, _, target = kind.partition(" ")
    wired = [{"condition": name, "transition": to} for name, to in {"Success": following, **branches}.items()]
    made: Json = {
        "id": identifier,
        "type": kind,
        "branches": wired,
        "parameters": list(parameters),
        "metadata": {"position": {"x": 1, "y": 2}},
    }
    return {**made, "target": target} if target else made


def value(name: str, text: str | int, namespace: str | None = None, key: str | None = None) -> Json:
    made: Json = {"name": name, "value": text}
    return made | ({"namespace": namespace} if namespace else {}) | ({"key": key} if key else {})


PARAMETERS: dict[str, tuple[list[Json], list[str]]] = {
    "PlayPrompt": ([value("Text", "<speak>Hi</speak>"), value("TextToSpeechType", "ssml")], []),
    "SetAttributes": ([value("Attribute", "Customer Number", "System", "caller")], ["Error"]),
    "InvokeExternalResource Lambda": (
        [value("FunctionArn", FUNCTION), value("TimeLimit", "8"), value("Parameter", "tier", "User Defined", "tier")],
        ["Error"],
    ),
    "SetQueue": ([value("Queue", "queueArn", "External")], ["Error"]),
    "Transfer Queue": ([], ["AtCapacity", "Error"]),
    "Transfer Flow": ([value("ContactFlowId", f"{INSTANCE}/contact-flow/x")], ["Error"]),
    "Transfer PhoneNumber": (
        [value("PhoneNumber", "+12065550100"), value("TimeLimit", "30"), value("BlindTransfer", "False")],
        ["CallFailure", "Timeout", "Error"],
    ),
    "SetLoggingBehavior": ([value("LoggingBehavior", "Enable")], []),
    "CheckAttribute": ([value("Attribute", "tier"), value("Namespace", "User Defined")], ["NoMatch"]),
    "GetUserInput Digits": ([value("Text", "Press 1."), value("Timeout", "5")], ["Timeout", "NoMatch", "Error"]),
    "GetUserInput Lex": (
        [value("Text", "Hi"), value("BotName", "b"), value("BotAlias", "$LATEST"), value("BotRegion", "us-west-2")],
        ["NoMatch", "Error"],
    ),
    "StoreUserInput": (
        [value("Text", "Number?"), value("Timeout", "5"), value("MaxDigits", "4"), value("TerminatorDigits", "#")],
        ["Error"],
    ),
    "SetRecordingBehavior": (
        [value("RecordingBehaviorOption", "Enable"), value("RecordingParticipantOption", "Both"),
         value("AnalyticsBehaviorOption", "Enable"), value("AnalyticsMode", "RealTime")], [],
    ),
    "SetVoice": ([value("GlobalVoice", "Joanna")], []),
    "Loop": ([value("LoopCount", "3")], ["Looping", "Complete"]),
    "StartMediaStreaming": ([value("Track", "FromCustomer"), value("MediaStreamTypes", "Audio")], ["Error"]),
    "StopMediaStreaming": ([value("Track", "ToCustomer")], ["Error"]),
    "CheckHoursOfOperation": ([], ["True", "False", "Error"]),
    "CheckStaffing": ([value("Status", "Available")], ["True", "False", "Error"]),
    "SetEventHook": ([value("Type", "CustomerQueue"), value("ContactFlowId", f"{INSTANCE}/contact-flow/q")], ["Error"]),
    "SetContactFlow": ([value("Type", "CustomerQueue"), value("ContactFlowId", f"{INSTANCE}/contact-flow/q")], []),
    "UpdateRoutingPriority": ([value("AbsolutePosition", "1")], []),
    "GetMetricData": ([value("Queue", "${Queue}")], ["Error"]),
    "Wait": ([value("TimeoutSeconds", "1")], ["Timeout", "Error"]),
    "SetCallBackNumber": (
        [value("CallBackNumber", "Stored customer input", "System")], ["InvalidPhoneNumber", "NonDialableNumber"],
    ),
    "CreateCallback": (
        [value("InitialDelaySeconds", 5), value("RetryDelaySeconds", 600), value("MaxRetryAttempts", 1)], ["Error"],
    ),
    "LoopPrompts": ([value("Text", "Please hold", key="text"), value("InterruptSeconds", 60)], ["Timeout"]),
    "PercentileBranching": ([], ["NoMatch"]),
    "CheckQueueStatus": ([], ["NoMatch", "Error"]),
    "PlayAudio": ([value("Text", "Hi"), value("TextToSpeechType", "text")], []),
    "SetScreenPop": ([value("key", "note"), value("value", "Stored customer input", "System")], ["Error"]),
    "StoreCustomerInput": (
        [value("Text", "Card?"), value("CustomerInputType", "Custom"), value("MaxDigits", 20),
         value("EncryptEntry", True), value("EncryptionKeyId", "k"), value("EncryptionKey", "pem")], ["Error"],
    ),
    "TransferToFlow": ([value("ContactFlowId", f"{INSTANCE}/contact-flow/x")], ["Error"]),
    "CustomerInQueue": ([], ["AtCapacity", "Error"]),
    "Disconnect": ([], []),
    "Resume": ([], []),
}  # fmt: skip


def when(condition: str, operator: str, operand: str | int, target: str) -> Json:
    return {
        "condition": condition,
        "conditionType": operator,
        "conditionValue": operand,
        "transition": target,
    }


def old_export(kind: str, *, branches: bool = True) -> Json:
    parameters, names = PARAMETERS[kind]
    following = "" if kind in {"Disconnect", "Resume"} else "bye"
    block = module("x", kind, following, *parameters, **dict.fromkeys(names if branches else [], "bye"))
    if kind in {"CheckAttribute", "GetUserInput Digits", "GetUserInput Lex", "PercentileBranching"}:
        block["branches"].append(when("Evaluate", "Equals", "1", "bye"))
    if kind == "CheckQueueStatus":
        block["branches"].append(when("CheckQueueTime", "LessThan", 300000, "bye"))
    return {
        "modules": [block, module("bye", "Disconnect", "")],
        "version": "1",
        "type": "contactFlow",
        "start": "x",
        "metadata": {"entryPointPosition": {"x": 5, "y": 6}, "name": "Old", "type": "contactFlow"},
    }


@pytest.mark.parametrize("kind", CONVERTERS)
def test_every_old_block_that_is_converted_is_one_that_amazon_connect_takes(kind: str) -> None:
    imported = import_flow(old_export(kind))
    assert imported.converted
    assert not [note for note in imported.notes if "left out" in note]
    flow_type = "CUSTOMER_QUEUE" if kind in {"Resume", "LoopPrompts"} else None
    errors = [str(d) for d in lint(imported.template, flow_type=flow_type) if d.severity is Severity.ERROR]
    assert errors == []
    assert imported.template["Metadata"]["ActionMetadata"]["x"]["position"] == {"x": 1, "y": 2}


def test_the_table_of_old_blocks_is_tested_in_full() -> None:
    assert set(PARAMETERS) == set(CONVERTERS)


@pytest.mark.parametrize("kind", [k for k in CONVERTERS if PARAMETERS[k][1]])
def test_a_branch_that_the_old_block_lacked_is_named_and_led_to_an_end(kind: str) -> None:
    imported = import_flow(old_export(kind, branches=False))
    assert any("x (" in note and "disconnect" in note for note in imported.notes)
    flow_type = "CUSTOMER_QUEUE" if kind == "LoopPrompts" else None
    assert [d for d in lint(imported.template, flow_type=flow_type) if d.severity is Severity.ERROR] == []


def test_old_references_are_written_in_the_current_way() -> None:
    def parameters(kind: str) -> Json:
        made: Json = import_flow(old_export(kind)).template["Actions"][0]["Parameters"]
        return made

    assert parameters("SetAttributes") == {"Attributes": {"caller": "$.CustomerEndpoint.Address"}}
    assert parameters("SetQueue") == {"QueueId": "$.External.queueArn"}
    assert parameters("CheckAttribute") == {"ComparisonValue": "$.Attributes.tier"}
    assert parameters("PlayPrompt") == {"SSML": "<speak>Hi</speak>"}
    assert parameters("InvokeExternalResource Lambda")["LambdaInvocationAttributes"] == {
        "tier": "$.Attributes.tier"
    }


def test_an_old_block_without_an_equivalent_is_named_and_kept() -> None:
    export = old_export("PlayPrompt")
    export["modules"][0]["type"] = "TeleportCaller"
    imported = import_flow(export)
    assert any("TeleportCaller" in note and "no known equivalent" in note for note in imported.notes)
    assert imported.template["Actions"][0]["Type"] == "TeleportCaller"
    assert any(d.rule == "CF107" and d.block == "x" for d in lint(imported.template))


def converted(block: Json) -> tuple[Json, tuple[str, ...]]:
    """Return the first action that an old export with the block becomes, and the notes."""
    export = old_export("PlayPrompt")
    export["modules"][0] = block
    imported = import_flow(export)
    action: Json = imported.template["Actions"][0]
    return action, imported.notes


def test_an_old_block_without_an_equivalent_loses_neither_parameters_nor_branches() -> None:
    block = module(
        "x", "TeleportCaller Mars", "bye",
        value("Speed", "fast"), value("Speed", "faster"), value("To", "planet", "External"),
        value("Bag", "heavy", key="one"), value("Bag", "light", key="two"), Arrived="bye", NoMatch="bye",
    )  # fmt: skip
    block["branches"] += [when("Evaluate", "LessThan", 3, "bye"), when("Evaluate", "Contains", "a", "bye")]
    action, notes = converted(block)
    assert action["Parameters"] == {
        "Speed": ["fast", "faster"], "To": "$.External.planet", "Bag": {"one": "heavy", "two": "light"},
        "target": "Mars",
    }  # fmt: skip
    errors = [e["ErrorType"] for e in action["Transitions"]["Errors"]]
    assert errors == ["Arrived", "NoMatchingCondition"]
    conditions = [
        (c["Condition"]["Operator"], *c["Condition"]["Operands"]) for c in action["Transitions"]["Conditions"]
    ]
    assert conditions == [("NumberLessThan", "3"), ("TextContains", "a")]
    assert [note for note in notes if "TeleportCaller Mars" in note and "no known equivalent" in note]


def test_what_a_current_block_has_no_place_for_is_named() -> None:
    action, notes = converted(
        module("x", "SetVoice", "bye", value("GlobalVoice", "Joanna"), value("Echo", "3"), Odd="bye")
    )
    assert action["Type"] == "UpdateContactTextToSpeechVoice"
    assert [n for n in notes if "Echo = '3'" in n and "left out" in n]
    assert [n for n in notes if "branch for Odd" in n and "left out" in n]


def test_prompts_in_a_row_keep_their_order_and_what_they_are() -> None:
    prompt = {"name": "AudioPrompt", "value": f"{INSTANCE}/prompt/p", "resourceName": "Jazz.wav"}
    block = module(
        "x", "LoopPrompts", "", value("Text", "Hold", key="text"), prompt, value("Text", "<speak/>", key="ssml"),
        value("InterruptSeconds", 60), Timeout="bye",
    )  # fmt: skip
    del block["branches"][0]
    action, _ = converted(block)
    assert action["Parameters"] == {
        "Messages": [{"Text": "Hold"}, {"PromptId": "${JazzWavPrompt}"}, {"SSML": "<speak/>"}],
        "InterruptFrequencySeconds": "60",
    }
    condition = {"Operator": "Equals", "Operands": ["MessagesInterrupted"]}
    assert action["Transitions"] == {
        "Errors": [],
        "Conditions": [{"NextAction": "bye", "Condition": condition}],
    }


def test_a_prompt_whose_arn_was_taken_out_of_the_export_is_asked_for_by_its_name() -> None:
    prompt = {"name": "AudioPrompt", "value": "", "namespace": None, "resourceName": "Beep.wav"}
    export = old_export("PlayPrompt")
    export["modules"][0] = module("x", "PlayPrompt", "bye", prompt)
    imported = import_flow(export)
    assert imported.template["Actions"][0]["Parameters"] == {"PromptId": "${BeepWavPrompt}"}
    assert imported.values == {"BeepWavPrompt": ""}
    assert imported.notes == ()


def test_shares_of_contacts_become_the_bounds_of_a_random_number() -> None:
    block = module("x", "PercentileBranching", "", NoMatch="bye")
    block["branches"] = [
        *(when("Evaluate", "Equals", s, "bye") for s in ("3", "6", "8")),
        block["branches"][1],
    ]
    action, _ = converted(block)
    assert [c["Condition"]["Operands"] for c in action["Transitions"]["Conditions"]] == [
        ["4"],
        ["10"],
        ["18"],
    ]


def test_a_block_is_known_with_a_target_that_others_lack() -> None:
    hook = value("Type", "CustomerRemaining"), value("ContactFlowId", f"{INSTANCE}/contact-flow/d")
    action, notes = converted(module("x", "SetEventHook Flow", "bye", *hook, Error="bye"))
    assert action["Type"] == "UpdateContactEventHooks"
    assert notes == ()


def test_a_block_that_had_one_way_out_gets_its_error_branch_without_a_note() -> None:
    hook = value("Type", "CustomerQueue"), value("ContactFlowId", f"{INSTANCE}/contact-flow/q")
    action, notes = converted(module("x", "SetContactFlow", "bye", *hook))
    assert action["Transitions"]["Errors"] == [{"NextAction": "bye", "ErrorType": "NoMatchingError"}]
    assert notes == ()


def test_a_telephone_number_is_local_only_when_the_old_block_said_so() -> None:
    def entry(form: str) -> Json:
        asked = [
            value("CustomerInputType", "PhoneNumber"),
            value("PhoneNumberFormat", form),
            value("CountryCode", "us"),
        ]
        action, _ = converted(module("x", "StoreUserInput", "bye", *asked, Error="bye", InvalidNumber="bye"))
        number: Json = action["Parameters"]["InputValidation"]["PhoneNumberValidation"]
        return number

    assert entry("Local") == {"NumberFormat": "Local", "CountryCode": "US"}
    assert entry("International") == {"NumberFormat": "E164"}


def test_resources_deep_in_parameters_and_of_earlier_consoles_are_named_as_the_console_calls_them() -> None:
    hook, prompts = f"{INSTANCE}/contact-flow/h", [f"{INSTANCE}/prompt/{n}" for n in "pq"]
    flow: Json = json.loads(json.dumps(EXPORT))
    flow["Actions"][0] |= {
        "Type": "UpdateContactEventHooks",
        "Parameters": {"EventHooks": {"CustomerQueue": hook}},
    }
    flow["Actions"][1] |= {
        "Type": "MessageParticipantIteratively",
        "Parameters": {"Messages": [{"PromptId": p} for p in prompts]},
    }
    flow["Metadata"]["ActionMetadata"] = {
        FIRST: {"parameters": {"EventHooks": {"CustomerQueue": {"displayName": "Sales hold"}}}},
        SECOND: {
            "parameters": {"Messages": [None, {"PromptId": {"displayName": "Jazz"}}]},
            "audio": [{"id": prompts[0], "text": "Welcome", "type": "Prompt"}],
        },
    }
    imported = import_flow(flow)
    assert imported.values == {
        "SalesHoldFlow": hook, "WelcomePrompt": prompts[0], "JazzPrompt": prompts[1]
    }  # fmt: skip
    assert json.loads(render(imported.template, imported.values)) == flow


def test_a_wait_keeps_the_branch_for_a_customer_who_comes_back() -> None:
    wait = module(
        "x", "Wait", "bye", value("TimeoutSeconds", "60"), Timeout="bye", CustomerReturn="back", Error="bye"
    )
    hello = module("back", "PlayPrompt", "bye", value("Text", "Hello again."))
    imported = import_flow({**old_export("Wait"), "modules": [wait, hello, module("bye", "Disconnect", "")]})
    made = imported.template["Actions"][0]
    assert made["Parameters"]["Events"] == ["CustomerReturned"]
    back = [
        c["Condition"]["Operands"] for c in made["Transitions"]["Conditions"] if c["NextAction"] == "back"
    ]
    assert back == [["CustomerReturned"]]
    assert imported.notes == ()
    assert [str(d) for d in lint(imported.template) if d.severity is Severity.ERROR] == []


def test_metrics_of_a_queue_are_read_as_today() -> None:
    read = module("x", "GetMetricData", "say", value("Queue", QUEUE), Error="bye")
    say = module("say", "PlayPrompt", "bye", value("Text", "Metrics.Queue.OldestContactAge", "System"))
    imported = import_flow({**old_export("Wait"), "modules": [read, say, module("bye", "Disconnect", "")]})
    first, second = imported.template["Actions"][:2]
    assert (first["Type"], first["Parameters"]) == ("GetMetricData", {"QueueId": "${Queue}"})
    assert second["Parameters"] == {"Text": "$.Metrics.Queue.OldestContactAge"}
    assert imported.notes == ()
