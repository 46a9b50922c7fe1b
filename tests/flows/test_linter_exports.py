"""What exports of the console hold beyond the documented flow language: no false errors, and no blind eye."""

from typing import Any

import pytest
from connect_flows import Diagnostic, Severity, lint

Json = dict[str, Any]
BYE: Json = {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}


def block(kind: str, parameters: Json, *errors: str, **conditions: str) -> Json:
    transitions = {
        "NextAction": "bye",
        "Errors": [{"NextAction": "bye", "ErrorType": name} for name in errors],
        "Conditions": [
            {"NextAction": "bye", "Condition": {"Operator": operator, "Operands": [operand]}}
            for operand, operator in conditions.items()
        ],
    }
    return {"Identifier": "x", "Type": kind, "Parameters": parameters, "Transitions": transitions}


def found(
    first: Json, *more: Json, status: str = "saved", kind: str = "contactFlow", **top: Any
) -> list[Diagnostic]:
    metadata = {"ActionMetadata": {}, "name": "x", "type": kind, "status": status}
    flow = {
        "Version": "2019-10-30",
        "StartAction": "x",
        "Metadata": metadata,
        "Actions": [first, *more, BYE],
        **top,
    }
    return lint(flow)


def errors(*actions: Json, **settings: Any) -> list[str]:
    return [d.rule for d in found(*actions, **settings) if d.severity is Severity.ERROR]


SPEECH: Json = {"Text": "Hello", "SkipWhenDTMFBufferEnabled": "false"}
MODULE: Json = {"FlowModuleId": "${Module}", "Input": {"caller": "$.CustomerEndpoint.Address"}}
TO_CASE: Json = {
    "CaseTemplateId": "${Template}",
    "CaseRequestFields": {"title": "Help"},
    "LinkContactToCase": "true",
}
FORMS = {
    "prompt that touchtones skip": block("MessageParticipant", SPEECH, "NoMatchingError"),
    "touchtone buffer on": block("GetParticipantInput", {"EnableDTMFBuffer": "True"}, "NoMatchingError"),
    "touchtone buffer off": block(
        "GetParticipantInput", {"EnableDTMFBuffer": "false", "StoreInput": "true"}, "NoMatchingError"
    ),
    "module with branches": block(
        "InvokeFlowModule", MODULE, "NoMatchingCondition", "NoMatchingError", found="Equals", unknown="Equals"
    ),
    "loop with an error branch": block(
        "Loop", {"LoopCount": "2"}, "NoMatchingError", ContinueLooping="Equals", DoneLooping="Equals"
    ),
    "case linked to a contact": block(
        "CreateCase", {**TO_CASE, "ContactToLink": "Current"}, "ContactNotLinked", "NoMatchingError"
    ),
    "sign-in that can be declined": block(
        "AuthenticateParticipant", {"TimeLimitMinutes": "3"}, "TimeLimitExceeded", "NoMatchingError", OptedOut="Equals"
    ),
    "percentages that add up to 100": block(
        "DistributeByPercentage", {}, "NoMatchingCondition", **{"51": "NumberLessThan", "101": "NumberLessThan"}
    ),
    "agentic CX": block(
        "ConnectParticipantWithAgenticCX", {"AudioFillerConfiguration": {"Enabled": True}}, "NoMatchingError"
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_the_console_exports_is_no_error(form: str) -> None:
    assert errors(FORMS[form]) == []


def test_a_module_may_return_a_result_with_data() -> None:
    end: Json = {
        "Identifier": "end",
        "Type": "EndFlowModuleExecution",
        "Parameters": {"Result": "success", "ResultData": {"tier": "$.External.tier"}},
        "Transitions": {},
    }
    call = block("InvokeLambdaFunction", {"LambdaFunctionARN": "${F}", "InvocationTimeLimitSeconds": "3"})
    call["Transitions"]["Errors"] = [{"NextAction": "end", "ErrorType": "NoMatchingError"}]
    call["Transitions"]["NextAction"] = "end"
    flow = {
        "Version": "2019-10-30",
        "StartAction": "x",
        "Metadata": {},
        "Actions": [call, end],
        "Settings": {},
    }
    assert [str(d) for d in lint(flow) if d.severity is Severity.ERROR] == []


def test_a_flow_type_in_the_metadata_tells_that_settings_do_not_make_a_module() -> None:
    resume: Json = {"Identifier": "bye", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}}
    metadata = {"type": "customerWhisper", "status": "saved"}
    flow = {
        "Version": "2019-10-30", "StartAction": "x", "Metadata": metadata, "Settings": {"InputParameters": []},
        "Actions": [FORMS["prompt that touchtones skip"], resume],
    }  # fmt: skip
    assert [str(d) for d in lint(flow) if d.severity is Severity.ERROR] == []
    assert {d.rule for d in lint({**flow, "Metadata": {}})} >= {"CF141"}


def test_switching_the_touchtone_buffer_takes_nothing_else() -> None:
    wrong = block(
        "GetParticipantInput", {"EnableDTMFBuffer": "True", "LoopCount": "2"}, "InputTimeLimitExceeded"
    )
    assert set(errors(wrong)) == {"CF114", "CF205", "CF206"}


NEW = {
    "CF107": block("ListenToWeather", {}, "NoMatchingError"),
    "CF114": block("MessageParticipant", {"Text": "Hello", "Weather": "fine"}),
    "CF207": block("MessageParticipant", {"Text": "Hello"}, "WeatherTooBad"),
}
MISSPELT = {
    "CF107": block("MesageParticipant", {"Text": "Hello"}),
    "CF114": block("InvokeLambdaFunction", {"LambdaFunctionARN": "${F}", "InvocationTimeLimitSeconds": "3",
                                            "LambdaInvocationAtributes": {}}, "NoMatchingError"),
    "CF207": block("MessageParticipant", {"Text": "Hello"}, "NoMatchingErrors"),
}  # fmt: skip


@pytest.mark.parametrize("rule", NEW)
def test_an_unknown_name_is_a_warning_in_an_export_that_was_published_and_an_error_elsewhere(
    rule: str,
) -> None:
    assert errors(NEW[rule], status="published") == []
    assert rule in {d.rule for d in found(NEW[rule], status="PUBLISHED")}
    assert rule in errors(NEW[rule], status="saved")


@pytest.mark.parametrize("rule", NEW)
def test_a_template_made_of_a_published_export_is_not_believed(rule: str) -> None:
    call = block("InvokeLambdaFunction", {"LambdaFunctionARN": "${F}", "InvocationTimeLimitSeconds": "3"})
    call["Identifier"] = "call"
    assert rule in errors(NEW[rule], call, status="published")


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ("Wati", "did you mean Wait"),
        ("Disconnect", "write DisconnectParticipant"),
        ("SetVoice", "write UpdateContactTextToSpeechVoice"),
        ("CheckAttribute", "write Compare"),
        ("GetUserInput", "write GetParticipantInput or ConnectParticipantWithLexBot"),
        ("EndFlow", "correct the name"),
        ("ListenToWeather", "correct the name"),
    ],
)
def test_the_hint_for_a_type_is_right_or_not_given(wrong: str, fix: str) -> None:
    (problem,) = [d for d in found(block(wrong, {}, "NoMatchingError")) if d.rule == "CF107"]
    assert problem.fix == fix


@pytest.mark.parametrize("wrong", ["Wati", "Disconnect"])
def test_a_type_that_is_plainly_wrong_is_an_error_in_a_published_export(wrong: str) -> None:
    assert "CF107" in errors(block(wrong, {}, "NoMatchingError"), status="published")


@pytest.mark.parametrize("rule", MISSPELT)
def test_a_misspelt_name_stays_an_error_in_a_published_export(rule: str) -> None:
    assert rule in errors(MISSPELT[rule], status="published")


def test_a_reference_to_an_attribute_with_a_space_is_a_warning_as_the_console_writes_it() -> None:
    compare = block(
        "Compare", {"ComparisonValue": "$.Attributes.Order number"}, "NoMatchingCondition", x="Equals"
    )
    queue = block("UpdateContactTargetQueue", {"QueueId": "$.Attributes.Sales queue"}, "NoMatchingError")
    assert errors(compare) == []
    assert "CF124" in {d.rule for d in found(compare)}
    assert errors(queue, status="published") == []
    assert errors(queue) == ["CF123"]
