"""How each block from before the flow language is written in the current language.

Source: published exports of that time, among them Amazon Connect's own sample flows, and the same flows as the
console exports them today.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from connect_flows.legacy_module import OPERATORS, Json, Module, reference

PROMPTS = ("AudioPrompt", "PromptId", "Audio")


def _speech(module: Module) -> Json:
    prompts = [module.one(name) for name in PROMPTS]
    text, kind = module.one("Text"), module.one("TextToSpeechType")
    if text is None:
        # Published exports often lack the prompt's ARN; the import then asks for it.
        named = any(p.get("name") in PROMPTS for p in module.parameters)
        return {"PromptId": next((prompt for prompt in prompts if prompt), "")} if named else {}
    return {"SSML" if kind == "ssml" else "Text": text}


def _loop_prompts(module: Module) -> tuple[str, Json]:
    """Convert successive prompts: a parameter for each, whose key says whether the text is SSML."""
    messages: list[Json] = []
    for parameter in module.parameters:
        value = module.value(parameter)
        if parameter.get("name") == "Text" and value:
            messages.append({"SSML" if parameter.get("key") == "ssml" else "Text": value})
        elif parameter.get("name") == "AudioPrompt":
            messages.append({"PromptId": value or ""})
    module.read |= {"Text", "AudioPrompt", "TextToSpeechType"}
    parameters: Json = {"Messages": messages}
    if seconds := module.one("InterruptSeconds"):
        parameters["InterruptFrequencySeconds"] = seconds
        module.when("Equals", "MessagesInterrupted", module.branch("Timeout"))
    if target := module.branch("Error"):
        module.errors["NoMatchingError"] = target
    return "MessageParticipantIteratively", parameters


def _screen_pop(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    return "UpdateContactAttributes", {"Attributes": {module.one("key") or "": module.one("value") or " "}}


def _prompt(module: Module) -> tuple[str, Json]:
    return "MessageParticipant", _speech(module)


def _attributes(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    return "UpdateContactAttributes", {"Attributes": module.all("Attribute")}


def _lambda(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    parameters: Json = {
        "LambdaFunctionARN": module.one("FunctionArn") or "",
        "InvocationTimeLimitSeconds": module.one("TimeLimit") or "3",
    }
    if passed := module.all("Parameter"):
        parameters["LambdaInvocationAttributes"] = passed
    return "InvokeLambdaFunction", parameters


def _queue(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    queue, agent = module.one("Queue"), module.one("Agent")
    return "UpdateContactTargetQueue", {"AgentId": agent} if agent and not queue else {"QueueId": queue or ""}


def _transfer_queue(module: Module) -> tuple[str, Json]:
    module.on_error("QueueAtCapacity", "AtCapacity")
    module.on_error("NoMatchingError", "Error")
    return "TransferContactToQueue", {}


def _transfer_flow(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    return "TransferToFlow", {"ContactFlowId": module.one("ContactFlowId") or ""}


def _transfer_number(module: Module) -> tuple[str, Json]:
    resume = module.one("BlindTransfer") in {"False", "false"}
    if resume:
        module.on_error("CallFailed", "CallFailure")
        module.on_error("ConnectionTimeLimitExceeded", "Timeout")
    module.on_error("NoMatchingError", "Error")
    parameters: Json = {
        "ThirdPartyPhoneNumber": module.one("PhoneNumber") or "",
        "ThirdPartyConnectionTimeLimitSeconds": module.one("TimeLimit") or "30",
        "ContinueFlowExecution": "True" if resume else "False",
    }
    if digits := module.one("DTMF"):
        parameters["ThirdPartyDTMFDigits"] = digits
    return "TransferParticipantToThirdParty", parameters


def _logging(module: Module) -> tuple[str, Json]:
    return "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": _enabled(module.one("LoggingBehavior"))}


def _enabled(value: str | None) -> str:
    return {"Enable": "Enabled", "Disable": "Disabled"}.get(value or "", value or "Disabled")


def _check_attribute(module: Module) -> tuple[str, Json]:
    module.evaluate()
    module.on_error("NoMatchingCondition", "NoMatch")
    name, namespace = module.one("Attribute") or "", module.one("Namespace") or "User Defined"
    return "Compare", {"ComparisonValue": reference(namespace, name, module)}


def _digits(module: Module) -> tuple[str, Json]:
    module.evaluate()
    module.on_error("InputTimeLimitExceeded", "Timeout")
    module.on_error("NoMatchingCondition", "NoMatch")
    module.on_error("NoMatchingError", "Error")
    limit = module.one("Timeout") or "5"
    if module.one("MaxDigits") not in {None, "1"}:
        module.note(f"takes {module.one('MaxDigits')} digits; today's menus take one")
    return "GetParticipantInput", {**_speech(module), "InputTimeLimitSeconds": limit, "StoreInput": "False"}


def _lex(module: Module) -> tuple[str, Json]:
    module.evaluate()
    module.on_error("NoMatchingCondition", "NoMatch")
    module.on_error("NoMatchingError", "Error")
    if target := module.branch("Timeout"):
        module.errors["InputTimeLimitExceeded"] = target
    bot = {"Name": module.one("BotName") or "", "Region": module.one("BotRegion") or "",
           "Alias": module.one("BotAlias") or ""}  # fmt: skip
    parameters: Json = {**_speech(module), "LexBot": bot}
    if session := module.all("Parameter"):
        parameters["LexSessionAttributes"] = session
    return "ConnectParticipantWithLexBot", parameters


def _store_input(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    configuration: Json = {}
    if terminator := module.one("TerminatorDigits"):
        configuration["InputTerminationSequence"] = terminator
    if cancel := module.one("DisableCancel"):
        configuration["DisableCancelKey"] = cancel.capitalize()
    parameters = {
        **_speech(module),
        "InputTimeLimitSeconds": module.one("Timeout") or "5",
        "StoreInput": "True",
    }
    digits, country, form = (module.one(n) for n in ("MaxDigits", "CountryCode", "PhoneNumberFormat"))
    key = {"EncryptionKeyId": module.one("EncryptionKeyId") or "", "Key": module.one("EncryptionKey") or ""}
    encrypted = (module.one("EncryptEntry") or "").lower() == "true"
    if module.one("CustomerInputType") in {None, "Custom"}:
        parameters["InputValidation"] = {"CustomValidation": {"MaximumLength": digits or "20"}}
        if encrypted:
            parameters["InputEncryption"] = key
    else:
        module.on_error("InvalidPhoneNumber", "InvalidNumber")
        number: Json = {"NumberFormat": "E164"}
        if country and form != "International":
            number = {
                "NumberFormat": "Local",
                "CountryCode": country.upper() if len(country) == 2 else country,
            }
        parameters["InputValidation"] = {"PhoneNumberValidation": number}
        if encrypted:
            module.note("encrypts a telephone number; today only other entries can be encrypted")
    return "GetParticipantInput", {
        **parameters,
        **({"DTMFConfiguration": configuration} if configuration else {}),
    }


def _recording(module: Module) -> tuple[str, Json]:
    who = {"Both": ["Agent", "Customer"], "Agent": ["Agent"], "Customer": ["Customer"]}
    on, participants = (
        module.one("RecordingBehaviorOption") == "Enable",
        module.one("RecordingParticipantOption"),
    )
    recorded = who.get(participants or "Both", []) if on else []
    parameters: Json = {"RecordingBehavior": {"RecordedParticipants": recorded}}
    language, policy, mode = (
        module.one(f"Analytics{name}") for name in ("LanguageLocaleCode", "RedactionPolicy", "Mode")
    )
    redact = module.one("AnalyticsRedactionOption") == "Enable"
    if module.one("AnalyticsBehaviorOption") == "Enable":
        analytics: Json = {
            "Enabled": "True",
            "AnalyticsLanguage": language or "en-US",
            "AnalyticsRedactionBehavior": "Enabled" if redact else "Disabled",
            "AnalyticsRedactionResults": policy or "RedactedAndOriginal",
        }
        if mode:
            analytics["ChannelConfiguration"] = {"Voice": {"AnalyticsModes": [mode]}}
        parameters["AnalyticsBehavior"] = analytics
    return "UpdateContactRecordingBehavior", parameters


def _voice(module: Module) -> tuple[str, Json]:
    return "UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": module.one("GlobalVoice") or "Joanna"}


def _loop(module: Module) -> tuple[str, Json]:
    module.when("Equals", "ContinueLooping", module.branch("Looping"))
    module.when("Equals", "DoneLooping", module.branch("Complete"))
    return "Loop", {"LoopCount": module.one("LoopCount") or "1"}


def _streaming(state: str) -> Callable[[Module], tuple[str, Json]]:
    def convert(module: Module) -> tuple[str, Json]:
        module.on_error("NoMatchingError", "Error")
        module.read |= {"Track", "ParticipantTypes"}  # the participant was always the customer
        tracks = [str(p.get("value")) for p in module.parameters if p.get("name") == "Track"]
        directions = [
            d for d, t in (("From", "FromCustomer"), ("To", "ToCustomer")) if t in tracks or not tracks
        ]
        return "UpdateContactMediaStreamingBehavior", {
            "MediaStreamingState": state,
            "Participants": [{"ParticipantType": "Customer", "MediaDirections": directions}],
            "MediaStreamType": module.one("MediaStreamTypes") or "Audio",
        }

    return convert


def _true_or_false(module: Module) -> None:
    module.on_error("NoMatchingError", "Error")
    module.when("Equals", "True", module.branch("True"))
    module.when("Equals", "False", module.branch("False"))


def _hours(module: Module) -> tuple[str, Json]:
    _true_or_false(module)
    hours = module.one("Hours") or module.one("HoursOfOperation")
    return "CheckHoursOfOperation", {"HoursOfOperationId": hours} if hours else {}


def _staffing(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    module.when("NumberGreaterThan", "0", module.branch("True"))
    module.when("Equals", "0", module.branch("False"))
    parameters: Json = {"MetricType": f"NumberOfAgents{module.one('Status') or 'Available'}"}
    for old, new in (("Queue", "QueueId"), ("Agent", "AgentId")):
        if value := module.one(old):
            parameters[new] = value
    return "CheckMetricData", parameters


def _contact_flow(module: Module) -> tuple[str, Json]:
    # This block had one branch; today's has two.
    target = module.branch("Error", "Success")
    if target is not None:
        module.errors["NoMatchingError"] = target
        return _hook_of(module)
    return _hook(module)


def _hook(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    return _hook_of(module)


def _hook_of(module: Module) -> tuple[str, Json]:
    hook = module.one("Type") or ""
    return "UpdateContactEventHooks", {"EventHooks": {hook: module.one("ContactFlowId") or ""}}


def _wait(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    module.when("Equals", "WaitCompleted", module.branch("Timeout"))
    parameters: Json = {"TimeLimitSeconds": module.one("TimeoutSeconds") or "60"}
    if target := module.branch("CustomerReturn", "CustomerReturned"):
        module.when("Equals", "CustomerReturned", target)
        parameters["Events"] = ["CustomerReturned"]
    return "Wait", parameters


def _metrics(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    names = {"QueueId": "Queue", "AgentId": "Agent"}
    return "GetMetricData", {new: value for new, old in names.items() if (value := module.one(old))}


def _priority(module: Module) -> tuple[str, Json]:
    position, seconds = module.one("AbsolutePosition"), module.one("TimeOffset")
    if position is None and seconds is not None:
        return "UpdateContactRoutingBehavior", {"QueueTimeAdjustmentSeconds": seconds}
    return "UpdateContactRoutingBehavior", {"QueuePriority": position or "5"}


def _callback_number(module: Module) -> tuple[str, Json]:
    module.on_error("InvalidCallbackNumber", "InvalidPhoneNumber", "InvalidNumber")
    module.on_error("CallbackNumberNotDialable", "NonDialableNumber", "NotDialable")
    value = module.one("CallBackNumber") or "$.CustomerEndpoint.Address"
    return "UpdateContactCallbackNumber", {"CallbackNumber": value}


def _callback(module: Module) -> tuple[str, Json]:
    module.on_error("NoMatchingError", "Error")
    attempts = module.one("MaxRetryAttempts") or "1"
    if attempts == "0":
        module.note("never retried; today the minimum is one attempt")
    parameters: Json = {
        "InitialCallDelaySeconds": module.one("InitialDelaySeconds") or "5",
        "RetryDelaySeconds": module.one("RetryDelaySeconds") or "600",
        "MaximumConnectionAttempts": "1" if attempts == "0" else attempts,
    }
    for old, new in (("Queue", "QueueId"), ("Agent", "AgentId"), ("ContactFlowId", "ContactFlowId")):
        if value := module.one(old):
            parameters[new] = value
    return "CreateCallbackContact", parameters


def _percentages(module: Module) -> tuple[str, Json]:
    """Convert shares (3, 6, 8 of 100) to the bounds that a random number from 1 to 100 is compared with."""
    bound = 1
    module.taken.add("Evaluate")
    for branch in module.branches:
        if branch.get("condition") == "Evaluate":
            share = str(branch.get("conditionValue"))
            bound += int(share) if share.isascii() and share.isdigit() and len(share) < 4 else 0
            module.when("NumberLessThan", str(bound), branch.get("transition"))
    module.on_error("NoMatchingCondition", "NoMatch")
    return "DistributeByPercentage", {}


_QUEUE_METRICS = {
    "CheckQueueTime": "OldestContactInQueueAgeSeconds",
    "CheckQueueCapacity": "NumberOfContactsInQueue",
}
"""Branch of a queue check -> what it checks. The console still writes what it wrote then, milliseconds included."""


def _queue_status(module: Module) -> tuple[str, Json]:
    looks = {str(b.get("condition")) for b in module.branches} & set(_QUEUE_METRICS)
    for branch in module.branches:
        if str(branch.get("condition")) in _QUEUE_METRICS:
            kind = str(branch.get("conditionType"))
            module.when(
                OPERATORS.get(kind, kind), str(branch.get("conditionValue")), branch.get("transition")
            )
    module.taken |= looks
    if len(looks) > 1:
        module.note("checks time and number in one block; today that takes two: check its conditions")
    module.on_error("NoMatchingCondition", "NoMatch")
    module.on_error("NoMatchingError", "Error")
    metric = _QUEUE_METRICS[min(looks, default="CheckQueueTime")]
    parameters: Json = {"MetricType": metric}
    for old, new in (("Queue", "QueueId"), ("Agent", "AgentId")):
        if value := module.one(old):
            parameters[new] = value
    return "CheckMetricData", parameters


CONVERTERS: Mapping[str, Callable[[Module], tuple[str, Json]]] = {
    "PlayPrompt": _prompt,
    "SetAttributes": _attributes,
    "InvokeExternalResource Lambda": _lambda,
    "SetQueue": _queue,
    "Transfer Queue": _transfer_queue,
    "Transfer Flow": _transfer_flow,
    "Transfer PhoneNumber": _transfer_number,
    "SetLoggingBehavior": _logging,
    "CheckAttribute": _check_attribute,
    "GetUserInput Digits": _digits,
    "GetUserInput Lex": _lex,
    "StoreUserInput": _store_input,
    "SetRecordingBehavior": _recording,
    "SetVoice": _voice,
    "Loop": _loop,
    "StartMediaStreaming": _streaming("Enabled"),
    "StopMediaStreaming": _streaming("Disabled"),
    "CheckHoursOfOperation": _hours,
    "CheckStaffing": _staffing,
    "SetEventHook": _hook,
    "SetContactFlow": _contact_flow,
    "GetMetricData": _metrics,
    "UpdateRoutingPriority": _priority,
    "Wait": _wait,
    "SetCallBackNumber": _callback_number,
    "CreateCallback": _callback,
    "LoopPrompts": _loop_prompts,
    "PercentileBranching": _percentages,
    "CheckQueueStatus": _queue_status,
    # Earlier names of the block types above.
    "PlayAudio": _prompt,
    "SetScreenPop": _screen_pop,
    "StoreCustomerInput": _store_input,
    "TransferToFlow": _transfer_flow,
    "CustomerInQueue": _transfer_queue,
    "Disconnect": lambda _: ("DisconnectParticipant", {}),
    "Resume": lambda _: ("EndFlowExecution", {}),
}
"""How each old block (type and target) is written in the current language."""


@cache
def current_types() -> Mapping[str, tuple[str, ...]]:
    """Return for each block type from before the flow language, without its target, the current types."""
    found: dict[str, list[str]] = {}
    for name, convert in CONVERTERS.items():
        kind, _, target = name.partition(" ")
        raw = {"id": kind, "type": kind, "target": target, "parameters": [], "branches": []}
        found.setdefault(kind, []).append(convert(Module(raw, []))[0])
    return {kind: tuple(dict.fromkeys(types)) for kind, types in found.items()}
