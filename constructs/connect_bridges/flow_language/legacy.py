"""Console exports from before the flow language (``modules`` / ``start``), converted to the current language.

Source: the forms of blocks and parameters in published exports of that time. A block that has no equivalent keeps
its old type and parameters, so that the linter names it, and is listed in the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

END = "disconnect added by import"
OPERATORS = {
    "Equals": "Equals",
    "StartsWith": "TextStartsWith",
    "EndsWith": "TextEndsWith",
    "Contains": "TextContains",
    "GreaterThan": "NumberGreaterThan",
    "GreaterThanOrEqualTo": "NumberGreaterOrEqualTo",
    "GreaterThanOrEquals": "NumberGreaterOrEqualTo",
    "LessThan": "NumberLessThan",
    "LessThanOrEqualTo": "NumberLessOrEqualTo",
    "LessThanOrEquals": "NumberLessOrEqualTo",
}
NAMESPACES = {
    "External": "$.External.",
    "User Defined": "$.Attributes.",
    "Lex Slots": "$.Lex.Slots.",
    "Lex Attributes": "$.Lex.SessionAttributes.",
    "Queue Metrics": "$.Metrics.Queue.",
    "Agent": "$.Agent.",
}
SYSTEM = {
    "Customer Number": "$.CustomerEndpoint.Address",
    "Dialed Number": "$.SystemEndpoint.Address",
    "Stored customer input": "$.StoredCustomerInput",
    "Customer callback number": "$.CustomerCallbackNumber",
    "Contact id": "$.ContactId",
    "ContactId": "$.ContactId",
    "Initial contact id": "$.InitialContactId",
    "InitialContactId": "$.InitialContactId",
    "Previous contact id": "$.PreviousContactId",
    "PreviousContactId": "$.PreviousContactId",
    "Channel": "$.Channel",
    "Initiation method": "$.InitiationMethod",
    "Instance ARN": "$.InstanceARN",
    "Language": "$.LanguageCode",
    "Queue name": "$.Queue.Name",
    "Queue.Name": "$.Queue.Name",
    "Queue ARN": "$.Queue.ARN",
    "Queue.ARN": "$.Queue.ARN",
    "Queue.OutboundCallerId.Address": "$.Queue.OutboundCallerId.Address",
    "Agent.UserName": "$.Agent.UserName",
    "Agent.FirstName": "$.Agent.FirstName",
    "Agent.LastName": "$.Agent.LastName",
    "Agent.ARN": "$.Agent.ARN",
    "Text to speech voice": "$.TextToSpeechVoice",
    "Lex.IntentName": "$.Lex.IntentName",
}
ERRORS = {"NoMatch": "NoMatchingCondition", "Error": "NoMatchingError", "AtCapacity": "QueueAtCapacity"}
FLOW_TYPES = {"contactFlow", "customerQueue", "customerHold", "customerWhisper", "agentHold", "agentWhisper",
              "outboundWhisper", "agentTransfer", "queueTransfer"}  # fmt: skip


class LegacyError(ValueError):
    """The export cannot be converted; the message says where and why."""


@dataclass
class Module:
    """One block of an old export while it is converted."""

    raw: Mapping[str, Any]
    notes: list[str]
    errors: dict[str, str] = field(default_factory=dict)
    conditions: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its identifier."""
        return str(self.raw.get("id", ""))

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """Its parameters that are objects."""
        values = self.raw.get("parameters")
        return [p for p in values if isinstance(p, Mapping)] if isinstance(values, list) else []

    def branch(self, *names: str) -> str | None:
        """Return the target of the first branch of one of the names."""
        for branch in self.branches:
            if branch.get("condition") in names and isinstance(branch.get("transition"), str):
                return str(branch["transition"])
        return None

    @property
    def branches(self) -> list[Mapping[str, Any]]:
        """Its branches that are objects."""
        values = self.raw.get("branches")
        return [b for b in values if isinstance(b, Mapping)] if isinstance(values, list) else []

    def one(self, name: str) -> str | None:
        """Return the value of a parameter in the current language; None when it is absent or empty."""
        for parameter in self.parameters:
            if parameter.get("name") == name:
                return self.value(parameter)
        return None

    def all(self, name: str) -> dict[str, str]:
        """Return the values of a parameter that stands once for each key."""
        found = [p for p in self.parameters if p.get("name") == name and p.get("key")]
        return {str(p["key"]): self.value(p) or " " for p in found}

    def value(self, parameter: Mapping[str, Any]) -> str | None:
        """Return a value with its old namespace written as a reference."""
        value, namespace = parameter.get("value"), parameter.get("namespace")
        if value is None or value == "":
            return None
        text = str(value)
        if not namespace:
            return text
        return reference(str(namespace), text, self)

    def on_error(self, branch: str, error: str) -> None:
        """Lead the error type where the old branch leads; to the added end when the old one was not connected."""
        target = self.branch(branch)
        if target is None:
            self.note(f"had no {branch} branch; {error} leads to a block that disconnects")
        self.errors[error] = target or END

    def when(self, operator: str, operand: str, target: str | None) -> None:
        """Add a condition."""
        if target is None:
            self.note(f"had no branch for {operand}; it leads to a block that disconnects")
        condition = {"Operator": operator, "Operands": [operand]}
        self.conditions.append({"NextAction": target or END, "Condition": condition})

    def evaluate(self) -> None:
        """Add the conditions of its Evaluate branches."""
        for branch in self.branches:
            if branch.get("condition") == "Evaluate":
                kind = str(branch.get("conditionType"))
                if kind not in OPERATORS:
                    self.note(f"compares with {kind}, which has no equivalent")
                value = branch.get("conditionValue")
                self.when(OPERATORS.get(kind, kind), str(value), branch.get("transition"))

    def note(self, text: str) -> None:
        """Tell the user something about the block."""
        self.notes.append(f"block {self.id} ({kind_of(self.raw)}) {text}")


def reference(namespace: str, name: str, module: Module) -> str:
    """Return the reference that an old namespace and name mean."""
    if namespace == "System":
        if name not in SYSTEM:
            module.note(f"reads the system attribute {name!r}, whose current name is not known")
        return SYSTEM.get(name, f"$.{name.replace(' ', '')}")
    if namespace not in NAMESPACES:
        module.note(f"reads {name!r} from {namespace!r}, which has no known equivalent")
    steps = name if name.replace("_", "").replace("-", "").replace(".", "").isalnum() else None
    prefix = NAMESPACES.get(namespace, f"$.{namespace.replace(' ', '')}.")
    return prefix + name if steps else f"{prefix[:-1]}['{name}']"


def kind_of(raw: Mapping[str, Any]) -> str:
    """Return the old type as messages name it, with its target: "Transfer to Queue"."""
    return f"{raw.get('type')} {raw['target']}" if raw.get("target") else str(raw.get("type"))


def _speech(module: Module) -> Json:
    text, prompt = (
        module.one("Text"),
        module.one("AudioPrompt") or module.one("PromptId") or module.one("Audio"),
    )
    if text is None:
        return {} if prompt is None else {"PromptId": prompt}
    return {"SSML" if module.one("TextToSpeechType") == "ssml" else "Text": text}


def _prompt(module: Module) -> tuple[str, Json]:
    return "MessageParticipant", _speech(module)


def _attributes(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    return "UpdateContactAttributes", {"Attributes": module.all("Attribute")}


def _lambda(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    parameters: Json = {
        "LambdaFunctionARN": module.one("FunctionArn") or "",
        "InvocationTimeLimitSeconds": module.one("TimeLimit") or "3",
    }
    if passed := module.all("Parameter"):
        parameters["LambdaInvocationAttributes"] = passed
    return "InvokeLambdaFunction", parameters


def _queue(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    queue, agent = module.one("Queue"), module.one("Agent")
    return "UpdateContactTargetQueue", {"AgentId": agent} if agent and not queue else {"QueueId": queue or ""}


def _transfer_queue(module: Module) -> tuple[str, Json]:
    module.on_error("AtCapacity", "QueueAtCapacity")
    module.on_error("Error", "NoMatchingError")
    return "TransferContactToQueue", {}


def _transfer_flow(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    return "TransferToFlow", {"ContactFlowId": module.one("ContactFlowId") or ""}


def _transfer_number(module: Module) -> tuple[str, Json]:
    resume = module.one("BlindTransfer") in {"False", "false"}
    if resume:
        module.on_error("CallFailure", "CallFailed")
        module.on_error("Timeout", "ConnectionTimeLimitExceeded")
    module.on_error("Error", "NoMatchingError")
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
    module.on_error("NoMatch", "NoMatchingCondition")
    name, namespace = module.one("Attribute") or "", module.one("Namespace") or "User Defined"
    return "Compare", {"ComparisonValue": reference(namespace, name, module)}


def _digits(module: Module) -> tuple[str, Json]:
    module.evaluate()
    module.on_error("Timeout", "InputTimeLimitExceeded")
    module.on_error("NoMatch", "NoMatchingCondition")
    module.on_error("Error", "NoMatchingError")
    limit = module.one("Timeout") or "5"
    return "GetParticipantInput", {**_speech(module), "InputTimeLimitSeconds": limit, "StoreInput": "False"}


def _lex(module: Module) -> tuple[str, Json]:
    module.evaluate()
    module.on_error("NoMatch", "NoMatchingCondition")
    module.on_error("Error", "NoMatchingError")
    bot = {"Name": module.one("BotName") or "", "Region": module.one("BotRegion") or "",
           "Alias": module.one("BotAlias") or ""}  # fmt: skip
    parameters: Json = {**_speech(module), "LexBot": bot}
    if session := module.all("Parameter"):
        parameters["LexSessionAttributes"] = session
    return "ConnectParticipantWithLexBot", parameters


def _store_input(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
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
    if module.one("CustomerInputType") in {None, "Custom"}:
        length = {"MaximumLength": module.one("MaxDigits") or "20"}
        parameters["InputValidation"] = {"CustomValidation": length}
    else:
        module.on_error("InvalidNumber", "InvalidPhoneNumber")
        country = module.one("CountryCode")
        number = {"NumberFormat": "Local", "CountryCode": country} if country else {"NumberFormat": "E164"}
        parameters["InputValidation"] = {"PhoneNumberValidation": number}
    if (module.one("EncryptEntry") or "").lower() == "true":
        key = {
            "EncryptionKeyId": module.one("EncryptionKeyId") or "",
            "Key": module.one("EncryptionKey") or "",
        }
        parameters["InputEncryption"] = key
    return "GetParticipantInput", {
        **parameters,
        **({"DTMFConfiguration": configuration} if configuration else {}),
    }


def _recording(module: Module) -> tuple[str, Json]:
    who = {"Both": ["Agent", "Customer"], "Agent": ["Agent"], "Customer": ["Customer"]}
    on = module.one("RecordingBehaviorOption") == "Enable"
    recorded = who.get(module.one("RecordingParticipantOption") or "Both", []) if on else []
    parameters: Json = {"RecordingBehavior": {"RecordedParticipants": recorded}}
    if module.one("AnalyticsBehaviorOption") == "Enable":
        redact = module.one("AnalyticsRedactionOption") == "Enable"
        parameters["AnalyticsBehavior"] = {
            "Enabled": "True",
            "AnalyticsLanguage": module.one("AnalyticsLanguageLocaleCode") or "en-US",
            "AnalyticsRedactionBehavior": "Enabled" if redact else "Disabled",
            "AnalyticsRedactionResults": module.one("AnalyticsRedactionPolicy") or "RedactedAndOriginal",
        }
        if mode := module.one("AnalyticsMode"):
            parameters["AnalyticsBehavior"]["ChannelConfiguration"] = {"Voice": {"AnalyticsModes": [mode]}}
    return "UpdateContactRecordingBehavior", parameters


def _voice(module: Module) -> tuple[str, Json]:
    return "UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": module.one("GlobalVoice") or "Joanna"}


def _loop(module: Module) -> tuple[str, Json]:
    module.when("Equals", "ContinueLooping", module.branch("Looping"))
    module.when("Equals", "DoneLooping", module.branch("Complete"))
    return "Loop", {"LoopCount": module.one("LoopCount") or "1"}


def _streaming(state: str) -> Callable[[Module], tuple[str, Json]]:
    def convert(module: Module) -> tuple[str, Json]:
        module.on_error("Error", "NoMatchingError")
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
    module.on_error("Error", "NoMatchingError")
    module.when("Equals", "True", module.branch("True"))
    module.when("Equals", "False", module.branch("False"))


def _hours(module: Module) -> tuple[str, Json]:
    _true_or_false(module)
    hours = module.one("Hours") or module.one("HoursOfOperation")
    return "CheckHoursOfOperation", {"HoursOfOperationId": hours} if hours else {}


def _staffing(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    module.when("NumberGreaterThan", "0", module.branch("True"))
    module.when("Equals", "0", module.branch("False"))
    parameters: Json = {"MetricType": f"NumberOfAgents{module.one('Status') or 'Available'}"}
    for old, new in (("Queue", "QueueId"), ("Agent", "AgentId")):
        if value := module.one(old):
            parameters[new] = value
    return "CheckMetricData", parameters


def _hook(module: Module) -> tuple[str, Json]:
    module.on_error("Error", "NoMatchingError")
    hook = module.one("Type") or ""
    return "UpdateContactEventHooks", {"EventHooks": {hook: module.one("ContactFlowId") or ""}}


def _priority(module: Module) -> tuple[str, Json]:
    position, seconds = module.one("AbsolutePosition"), module.one("RelativePosition")
    if position is None and seconds is not None:
        return "UpdateContactRoutingBehavior", {"QueueTimeAdjustmentSeconds": seconds}
    return "UpdateContactRoutingBehavior", {"QueuePriority": position or "5"}


def _callback_number(module: Module) -> tuple[str, Json]:
    module.on_error("InvalidNumber", "InvalidCallbackNumber")
    module.on_error("NotDialable", "CallbackNumberNotDialable")
    value = module.one("CallbackNumber") or module.one("PhoneNumber") or "$.CustomerEndpoint.Address"
    return "UpdateContactCallbackNumber", {"CallbackNumber": value}


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
    "SetContactFlow": _hook,
    "UpdateRoutingPriority": _priority,
    "SetCallbackNumber": _callback_number,
    "Disconnect": lambda _: ("DisconnectParticipant", {}),
    "Resume": lambda _: ("EndFlowExecution", {}),
}
"""How each old block (type and target) is written in the current language."""


def is_legacy(document: Mapping[str, Any]) -> bool:
    """Tell whether the document is an export from before the flow language."""
    return "Actions" not in document and isinstance(document.get("modules"), list)


def convert(document: Mapping[str, Any], notes: list[str]) -> Json:
    """Return the old export in the current language; what the user should know goes to ``notes``.

    Raises LegacyError when the export has no blocks or no start.
    """
    modules = [Module(raw, notes) for raw in document["modules"] if isinstance(raw, Mapping)]
    start = document.get("start")
    if not modules or not isinstance(start, str):
        raise LegacyError("the old export has no modules or no start; export the flow again")
    actions = [_action(module) for module in modules]
    if any(target == END for action in actions for target in _targets(action)):
        actions.append(
            {"Identifier": END, "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
        )
    return {
        "Version": "2019-10-30",
        "StartAction": start,
        "Metadata": _metadata(document, modules),
        "Actions": actions,
    }


def _action(module: Module) -> Json:
    convert_one = CONVERTERS.get(kind_of(module.raw))
    if convert_one is None:
        module.note("has no equivalent that is known; it is kept as it was, for you to replace")
        kind, parameters = (
            str(module.raw.get("type")),
            {str(p.get("name")): p.get("value") for p in module.parameters},
        )
        module.errors = {
            ERRORS.get(str(b.get("condition")), str(b.get("condition"))): str(b.get("transition"))
            for b in module.branches
            if b.get("condition") != "Success"
        }
    else:
        kind, parameters = convert_one(module)
    transitions: Json = {}
    if kind not in {"DisconnectParticipant", "EndFlowExecution"}:
        following = module.branch("Success", "Complete") or module.errors.get("NoMatchingCondition")
        following = following or module.errors.get("NoMatchingError")
        if following is None:
            module.note("led nowhere; it now leads to a block that disconnects")
        transitions["NextAction"] = following or END
        transitions["Errors"] = [
            {"NextAction": target, "ErrorType": name} for name, target in module.errors.items()
        ]
        transitions["Conditions"] = module.conditions
    return {"Identifier": module.id, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def _targets(action: Json) -> list[Any]:
    transitions = action["Transitions"]
    branches = [*transitions.get("Errors", []), *transitions.get("Conditions", [])]
    return [transitions.get("NextAction"), *(b["NextAction"] for b in branches)]


def _metadata(document: Mapping[str, Any], modules: list[Module]) -> Json:
    old = document.get("metadata")
    old = old if isinstance(old, Mapping) else {}
    metadata: Json = {"entryPointPosition": old.get("entryPointPosition", {"x": 20, "y": 20})}
    positions = {}
    for module in modules:
        details = module.raw.get("metadata")
        position = details.get("position") if isinstance(details, Mapping) else None
        positions[module.id] = {"position": position if isinstance(position, Mapping) else {"x": 0, "y": 0}}
        names = {
            str(p["name"]): {"displayName": p["resourceName"]}
            for p in module.parameters
            if p.get("resourceName")
        }
        if names:
            positions[module.id]["parameters"] = names
    metadata["ActionMetadata"] = positions
    for key in ("name", "description", "type"):
        if old.get(key) is not None:
            metadata[key] = old[key]
    return metadata
