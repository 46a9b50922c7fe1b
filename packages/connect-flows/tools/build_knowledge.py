"""Write the linter's knowledge file from the collected facts about the flow language.

    make knowledge
    python packages/connect-flows/tools/build_knowledge.py [--facts FILE] [--output FILE]

``facts/flow-actions.json`` is the table of action types that the project collected (facts/README.md says from where);
it mixes data with prose ("xor AgentId", "iff StoreInput=True"). This script keeps the data, turns each sentence of
prose that a machine can check into structure (``REFINEMENTS``), and drops the rest: the shipped file holds facts alone.
It fails when a sentence of the facts has no reading here, so that a new fact can never be lost silently. The output is
committed: linting needs neither this script nor the facts.

Shape of an entry in ``actions``: see ``connect_flows.knowledge``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PACKAGE = Path(__file__).resolve().parents[1]
FACTS = PACKAGE / "facts/flow-actions.json"
KNOWLEDGE = PACKAGE / "src/connect_flows/knowledge.json"

# The classes of the page "parameter restrictions": static | single (static or exactly one JSONPath) |
# jsonpath (exactly one JSONPath) | dynamic (text that may mix both; the default).
STATIC = {
    "InvokeLambdaFunction.InvocationTimeLimitSeconds",
    "InvokeLambdaFunction.InvocationType",
    "InvokeLambdaFunction.ResponseValidation.ResponseType",
    "UpdateFlowLoggingBehavior.FlowLoggingBehavior",
    "UntagContact.TagKeys",
    "GetParticipantInput.StoreInput",
    "GetParticipantInput.InputValidation.PhoneNumberValidation.NumberFormat",
    "GetParticipantInput.DTMFConfiguration.DisableCancelKey",
    "TransferParticipantToThirdParty.ContinueFlowExecution",
    "TransferParticipantToThirdParty.VoiceConnector.VoiceConnectorType",
    "CompleteOutboundCall.VoiceConnector.VoiceConnectorType",
    "UpdateContactAttributes.TargetContact",
    "UpdateContactData.TargetContact",
    "UpdateContactMediaStreamingBehavior.MediaStreamingState",
    "UpdateContactMediaStreamingBehavior.MediaStreamType",
    "UpdateContactRecordingBehavior.RecordingBehavior.RecordedParticipants",
    "CheckMetricData.MetricType",
    "CreateCase.LinkContactToCase",
    "GetCase.LinkContactToCase",
    "GetCase.GetLastUpdatedCase",
    "UpdateCase.LinkContactToCase",
}
JSONPATH = {"Compare.ComparisonValue", "UpdateContactCallbackNumber.CallbackNumber"}
SINGLE_NAMES = {
    "PromptId",
    "QueueId",
    "AgentId",
    "ContactFlowId",
    "FlowModuleId",
    "HoursOfOperationId",
    "VoiceConnectorArn",
    "ThirdPartyPhoneNumber",
    "ThirdPartyDTMFDigits",
    "FromUser",
    "ToUser",
}

VOICE_CONNECTOR_ARN = r"^arn:[a-z0-9-]+:chime:[a-z0-9-]+:[0-9]{12}:vc/[A-Za-z0-9-]+$"
SPEECH = ["PromptId", "Text", "SSML", "Media"]

# The kinds of resources that parameters name. Forms of ARNs: the service authorization reference; ids: API reference.
UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
VERSION = r"(:[A-Za-z0-9$_-]+)?"


def of_instance(words: str, path: str, shown: str, *references: str) -> Json:
    """Return the kind of resource that lies in an Amazon Connect instance."""
    return {
        "words": words,
        "arn": f"arn:aws:connect:REGION:ACCOUNT:instance/ID/{shown}/ID",
        "services": ["connect"],
        "path": f"instance/{UUID}/{path}",
        "id": UUID + (VERSION if path.endswith(VERSION) else ""),
        "references": list(references),
    }


def of_assistant(words: str, path: str, shown: str, *references: str) -> Json:
    """Return the kind of resource of Amazon Q in Connect (service prefix wisdom)."""
    return {
        "words": words,
        "arn": f"arn:aws:wisdom:REGION:ACCOUNT:{shown}",
        "services": ["wisdom", "qconnect"],
        "path": path,
        "references": list(references),
    }


RESOURCES: Json = {
    "queue": of_instance(
        "queue", f"queue/(agent/)?{UUID}", "queue", "$.Queue.ARN", "$.Queue.OutboundQueueId"
    ),
    "agent": of_instance("agent", f"agent/{UUID}", "agent", "$.Agent.ARN", "$.Agent.AgentId"),
    "flow": of_instance("flow", f"contact-flow/{UUID}{VERSION}", "contact-flow"),
    "module": of_instance("flow module", f"flow-module/{UUID}{VERSION}", "flow-module"),
    "prompt": of_instance("prompt", f"prompt/{UUID}", "prompt"),
    "hours": of_instance("hours of operation", f"operating-hours/{UUID}", "operating-hours"),
    "task template": of_instance("task template", f"task-template/{UUID}", "task-template"),
    "view": of_instance("view", f"view/{UUID}{VERSION}", "view")
    | {
        "path": f"(instance/{UUID}/)?view/[A-Za-z0-9_-]+{VERSION}",
        "id": f"[A-Za-z0-9_-]+{VERSION}",
        "accounts": ["aws"],
    },
    "function": {
        "words": "Lambda function",
        "arn": "arn:aws:lambda:REGION:ACCOUNT:function:NAME",
        "services": ["lambda"],
        "path": r"function:[A-Za-z0-9_-]{1,140}(:(\$LATEST|[A-Za-z0-9_-]+))?",
    },
    "bot alias": {
        "words": "Lex V2 bot alias",
        "arn": "arn:aws:lex:REGION:ACCOUNT:bot-alias/BOTID/ALIASID",
        "services": ["lex"],
        "path": r"bot-alias/[0-9A-Za-z]{10}/[0-9A-Za-z]{10}",
    },
    "voice connector": {
        "words": "voice connector",
        "arn": "arn:aws:chime:REGION:ACCOUNT:vc/ID",
        "services": ["chime"],
        "path": "vc/[A-Za-z0-9-]+",
    },
    "case template": {
        "words": "case template",
        "arn": "arn:aws:cases:REGION:ACCOUNT:domain/ID/template/ID",
        "services": ["cases"],
        "path": f"domain/{UUID}/template/{UUID}",
        "id": UUID,
    },
    "assistant": of_assistant("assistant", f"assistant/{UUID}", "assistant/ID"),
    "assistant session": of_assistant(
        "assistant session", f"session/{UUID}/{UUID}", "session/ID/ID", "$.Wisdom.SessionArn"
    ),
    "knowledge base": of_assistant("knowledge base", f"knowledge-base/{UUID}", "knowledge-base/ID"),
    "message template": of_assistant(
        "message template", rf"message-template/{UUID}/{UUID}{VERSION}", "message-template/ID/ID"
    ),
}
# Parameters by name, those inside others too, and by path where the name alone says too little.
RESOURCE_OF_NAME = {
    "QueueId": "queue",
    "AgentId": "agent",
    "ContactFlowId": "flow",
    "ContactFlowArn": "flow",
    "FlowModuleId": "module",
    "PromptId": "prompt",
    "HoursOfOperationId": "hours",
    "TaskTemplateId": "task template",
    "CaseTemplateId": "case template",
    "LambdaFunctionARN": "function",
    "LambdaProcessorARN": "function",
    "AliasArn": "bot alias",
    "WisdomAssistantArn": "assistant",
    "WisdomSessionArn": "assistant session",
    "WisdomKnowledgeBaseArn": "knowledge base",
    "WisdomMessageTemplateArn": "message template",
}
RESOURCE_OF_PATH = {"ShowView.ViewResource.Id": "view"}
RESOURCE_OF_VALUES = {"UpdateContactEventHooks.EventHooks": "flow"}

# Roots of references that are never set by the flow's author, and hold no id of a resource.
NEVER_RESOURCES = [
    "AwsRegion", "Channel", "ContactId", "CustomerCallbackNumber", "CustomerEndpoint", "Description",
    "InitialContactId", "InitiationMethod", "InstanceARN", "LanguageCode", "Media", "MediaStreams", "Name",
    "PreviousContactId", "RelatedContactId", "SystemEndpoint", "TextToSpeechVoice", "TextToSpeechVoiceId",
]  # fmt: skip
# Roots some of whose fields hold ids: see "references" of each kind.
RESOURCE_REFERENCES = ["Agent", "Queue"]

# Regions as of November 2026. One that is missing here gives a warning only.
REGIONS = [
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
    "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "eusc-de-east-1",
    "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2",
    "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
]  # fmt: skip


# Plain data of a parameter: name in the facts, name here.
KEPT = {
    "enum": "enum",
    "min": "min",
    "max": "max",
    "maxLength": "max_length",
    "pattern": "pattern",
    "keys": "keys",
    "minItems": "min_items",
    "maxItems": "max_items",
}


def exactly_one(*names: str) -> Json:
    """Return the group rule that one and only one of the parameters stands."""
    return {"rule": "exactly_one", "names": list(names)}


def at_most_one(*names: str) -> Json:
    """Return the group rule that no two of the parameters stand together."""
    return {"rule": "at_most_one", "names": list(names)}


def at_least_one(*names: str) -> Json:
    """Return the group rule that some of the parameters stand."""
    return {"rule": "at_least_one", "names": list(names)}


# What the prose of the facts says, as structure; merged over the converted entry (lists and scalars replace).
# Keys of "parameters" are dotted paths. What later console exports and pages show beyond the facts stands under
# "added" (parameters), "errors_allowed", "conditions" (facts' form) and "variants": forms of a type that one
# parameter switches to, whose parameters, groups and errors then hold instead.
EXPORTED: Json = {"type": "string", "required": False, "evidence": ["export"]}
CONTACT_TO_LINK: Json = {"added": {"ContactToLink": EXPORTED}}
REFINEMENTS: dict[str, Json] = {
    "AuthenticateParticipant": {
        "conditions": {"supported": True, "operators": ["Equals"], "operands": ["OptedOut"]},
    },
    "CheckHoursOfOperation": {},
    "CheckMetricData": {
        "groups": [at_most_one("QueueId", "AgentId")],
        "operands": "number",
        "error_rules": [
            {
                "parameter": "MetricType",
                "values": ["OldestContactInQueueAgeSeconds", "NumberOfContactsInQueue"],
                "required": ["NoMatchingCondition"],
            },
            {  # a probe says so, but published flows have the branch, as their False branch
                "parameter": "MetricType",
                "values": ["NumberOfAgentsAvailable", "NumberOfAgentsStaffed", "NumberOfAgentsOnline"],
                "only": ["NoMatchingError"],
                "disputed": True,
            },
        ],
    },
    "CheckOutboundCallStatus": {},
    "CheckVoiceId": {"groups": [at_least_one("CheckType", "CheckVoiceIdOption")]},
    "Compare": {"operands": "text"},
    "CompleteOutboundCall": {
        "parameters": {
            "VoiceConnector.VoiceConnectorArn": {"pattern": VOICE_CONNECTOR_ARN},
            "VoiceConnector.VoiceConnectorType": {"disputed": ["CallTransferConnector"]},
        }
    },
    "ConnectParticipantWithLexBot": {
        "groups": [at_most_one(*SPEECH, "LexInitializationData"), exactly_one("LexV2Bot", "LexBot")],
        "operands": "text",
    },
    "CreateCallbackContact": {"groups": [at_most_one("QueueId", "AgentId")]},
    "CreateTask": {
        "groups": [
            exactly_one("ContactFlowId", "TaskTemplateId"),
            at_most_one("DelaySeconds", "ScheduledTime"),
        ]
    },
    "CreatePersistentContactAssociation": {
        "parameters": {"RehydrationType": {"disputed": ["From Segment", "Entire Past Session"]}}
    },
    "CreateCase": CONTACT_TO_LINK
    | {
        "error_rules": [
            {"parameter": "LinkContactToCase", "values": ["True", "true"], "required": ["ContactNotLinked"]}
        ]
    },
    "DequeueContactAndTransferToQueue": {"groups": [exactly_one("QueueId", "AgentId")]},
    "DisconnectParticipant": {"flow_types_disputed": True},
    "DistributeByPercentage": {"operands": "percentage"},
    # Modules with inputs, outputs and branches of their own.
    "EndFlowModuleExecution": {
        "added": {
            "Result": EXPORTED,
            "ResultData": {
                "type": "map",
                "required": False,
                "values": {"type": "any"},
                "evidence": ["export"],
            },
        }
    },
    "GetCase": CONTACT_TO_LINK,
    "GetParticipantInput": {
        "groups": [at_most_one(*SPEECH)],
        "operands": "digit",
        "parameters": {
            "InputTimeLimitSeconds": {"range_disputed": True},
            "InputValidation": {
                "required": False,
                "required_when": {"parameter": "StoreInput", "values": ["True"]},
                "groups": [exactly_one("PhoneNumberValidation", "CustomValidation")],
            },
            "InputValidation.PhoneNumberValidation.CountryCode": {
                "required": False,
                "required_when": {"parameter": "NumberFormat", "values": ["Local"]},
            },
            "InputEncryption": {
                "only_when": {"parameter": "InputValidation.CustomValidation", "values": None}
            },
            "DTMFConfiguration": {"only_when": {"parameter": "StoreInput", "values": ["True"]}},
        },
        "conditions_only_when": {"parameter": "StoreInput", "values": ["False"]},
        "error_rules": [
            {
                "parameter": "StoreInput",
                "values": ["False"],
                "required": ["InputTimeLimitExceeded", "NoMatchingCondition"],
            },
            {
                "parameter": "StoreInput",
                "values": ["True"],
                "forbidden": ["InputTimeLimitExceeded", "NoMatchingCondition"],
            },
            {
                "parameter": "InputValidation.PhoneNumberValidation",
                "values": None,
                "required": ["InvalidPhoneNumber"],
            },
        ],
        # The console's block Set touchtone buffer behavior (administrator guide and console export).
        "variants": [
            {
                "parameter": "EnableDTMFBuffer",
                "parameters": {
                    "EnableDTMFBuffer": {"type": "string", "required": True},
                    "StoreInput": {"type": "string", "required": False},
                    "InputEncryption": {
                        "type": "object",
                        "required": False,
                        "properties": {
                            "EncryptionKeyId": {"type": "string", "required": True},
                            "Key": {"type": "string", "required": True},
                        },
                    },
                },
                "errors": {"required": ["NoMatchingError"], "allowed": []},
            }
        ],
    },
    "InvokeFlowModule": {
        "flow_types_disputed": True,
        "added": {
            "Input": {"type": "map", "required": False, "values": {"type": "any"}, "evidence": ["export"]}
        },
        "errors_allowed": ["NoMatchingCondition"],
        "conditions": {"supported": True, "operators": ["Equals"]},
    },
    "InvokeLambdaFunction": {"parameters": {"LambdaInvocationAttributes": {"values": {"type": "any"}}}},
    "Loop": {"errors_allowed": ["NoMatchingError"]},
    "MessageParticipant": {
        "groups": [exactly_one(*SPEECH)],
        "added": {"SkipWhenDTMFBufferEnabled": EXPORTED},
    },
    "MessageParticipantIteratively": {
        "parameters": {
            "Messages": {
                "items": {
                    "type": "object",
                    "groups": [exactly_one(*SPEECH)],
                    "properties": {
                        "PromptId": {"type": "string", "value": "single"},
                        "Text": {"type": "string"},
                        "SSML": {"type": "string"},
                        "Media": {"type": "object"},
                    },
                },
                "min_items": 1,
            }
        },
        "conditions_only_when": {"parameter": "InterruptFrequencySeconds", "values": None},
    },
    "ShowView": {"operands": "text"},
    "UpdateCase": CONTACT_TO_LINK,
    "TransferParticipantToThirdParty": {
        "groups": [exactly_one("ThirdPartyPhoneNumber", "VoiceConnector")],
        "parameters": {
            "ThirdPartyPhoneNumber": {"required": False, "pattern": r"^\+[1-9][0-9]{1,14}$"},
            "VoiceConnector.VoiceConnectorArn": {"pattern": VOICE_CONNECTOR_ARN},
            "VoiceConnector.VoiceConnectorType": {"disputed": ["ChimeConnector"], "evidence": ["export"]},
        },
    },
    "UpdateContactAttributes": {"parameters": {"Attributes": {"key_pattern": r"^[A-Za-z0-9_.-]+$"}}},
    "UpdateContactData": {
        "groups": [
            at_least_one(
                "Name",
                "Description",
                "LanguageCode",
                "CustomerId",
                "WatchlistId",
                "WisdomSessionArn",
                "IsVoiceIdStreamingEnabled",
                "IsVoiceAuthenticationEnabled",
                "IsFraudDetectionEnabled",
                "VoiceAuthenticationThreshold",
                "VoiceAuthenticationResponseTime",
                "FraudDetectionThreshold",
                "References",
            )
        ],
        "parameters": {"References": {"refused": True, "evidence": ["probed"]}},
    },
    "UpdateContactEventHooks": {"parameters": {"EventHooks": {"min_items": 1, "max_items": 1}}},
    "UpdateContactMediaStreamingBehavior": {
        "parameters": {
            "Participants": {
                "min_items": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "ParticipantType": {"type": "string", "required": True, "enum": ["Customer"]},
                        "MediaDirections": {
                            "type": "array",
                            "required": True,
                            "min_items": 1,
                            "items": {"type": "string", "enum": ["From", "To"]},
                        },
                    },
                },
            }
        }
    },
    "UpdateContactRecordingAndAnalyticsBehavior": {
        "groups": [at_least_one("VoiceBehavior", "ChatBehavior", "ScreenRecordingBehavior")],
    },
    "UpdateContactRecordingBehavior": {
        "parameters": {
            "AnalyticsBehavior.AnalyticsRedactionResults": {
                "enum": ["None", "RedactedOnly", "RedactedAndOriginal"]
            }
        }
    },
    "UpdateContactRoutingBehavior": {
        "groups": [exactly_one("QueuePriority", "QueueTimeAdjustmentSeconds")],
        "flow_types_disputed": True,
    },
    "UpdateContactRoutingCriteria": {
        "parameters": {
            "RoutingCriteria.Steps": {
                "min_items": 1,
                "items": {
                    "type": "object",
                    "open": True,
                    "properties": {
                        "Expression": {"type": "object", "required": True},
                        "Expiry": {"type": "object"},
                    },
                },
            }
        }
    },
    "UpdateContactTargetQueue": {"groups": [exactly_one("QueueId", "AgentId")]},
    "UpdateContactTextToSpeechVoice": {
        "parameters": {
            "TextToSpeechEngine": {
                "ignore_case": True,
                "enum": ["Standard", "Neural", "Generative", "Long-Form", "LongForm"],
            }
        }
    },
    "UpdateFlowAttributes": {
        "parameters": {
            "FlowAttributes": {
                "values": {"type": "object", "properties": {"Value": {"type": "string", "required": True}}},
                "min_items": 1,
            }
        }
    },
    "Wait": {
        "flow_types_disputed": True,
        "required_operands_from": "Events",
        "parameters": {
            "Events": {
                "items": {"type": "string", "enum": ["CustomerReturned", "BotParticipantDisconnected"]}
            }
        },
        "error_rules": [
            {
                "parameter": "Events",
                "values": ["BotParticipantDisconnected"],
                "required": ["ParticipantNotFound"],
            }
        ],
    },
}

# First names of JSONPaths: those of the Compare page, then what the administrator guide's attribute table,
# console exports and the Lambda event name.
ROOTS_EXTRA = [
    "Agent", "AgenticCX", "AwsRegion", "Campaign", "Case", "CustomerCallbackNumber", "CustomerId", "DataTables",
    "Description",
    "Email", "InitiationMethod", "InstanceARN", "LambdaInvocation", "Loop", "MediaStreams", "Metrics", "Modules",
    "Name", "PreviousContactId", "References", "RelatedContactId", "SegmentAttributes", "Tags", "Task",
    "TextToSpeechVoice", "TextToSpeechVoiceId", "Views", "Wisdom",
]  # fmt: skip


# Types that exports of published flows hold, but the facts do not describe: known by name only.
SEEN_TYPES = ["ConnectParticipantWithAgenticCX"]


def main(argv: Sequence[str] | None = None) -> int:
    """Convert the facts into the knowledge file; return 0. Raises ``ValueError`` for a fact that has no reading."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--facts", type=Path, default=FACTS, metavar="FILE", help="default: the package's own"
    )
    parser.add_argument(
        "--output", type=Path, default=KNOWLEDGE, metavar="FILE", help="default: the package's own"
    )
    arguments = parser.parse_args(argv)
    text = as_text(convert(json.loads(arguments.facts.read_text(encoding="utf-8"))))
    arguments.output.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{arguments.output}: {text.count(chr(10))} lines, {len(text)} characters\n")
    return 0


def as_text(knowledge: Json) -> str:
    """Return the knowledge as it lies in the file."""
    return json.dumps(knowledge, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def convert(facts: Json) -> Json:
    """Return the knowledge for the facts."""
    meta = facts["_meta"]
    unknown = set(REFINEMENTS) - set(facts["actions"])
    if unknown:
        raise ValueError(f"refinements for types that the facts do not hold: {sorted(unknown)}")
    roots = [r.removeprefix("$.") for r in facts["actions"]["Compare"]["params"]["ComparisonValue"]["roots"]]
    return {
        "version": meta["version"],
        "limits": meta["limits"],
        "identifier": meta["identifier"],
        "operators": meta["operators"],
        "error_types": meta["error_types"],
        "flow_types": [*meta["flow_type_groups"]["all"], "CAMPAIGN"],
        "renamed_types": meta["not_valid_types"],
        "seen_types": SEEN_TYPES,
        "json_path_roots": sorted({*roots, *ROOTS_EXTRA}),
        "never_resources": NEVER_RESOURCES,
        "resource_references": RESOURCE_REFERENCES,
        "regions": REGIONS,
        "resources": RESOURCES,
        "actions": {name: action(name, facts["actions"][name]) for name in sorted(facts["actions"])},
    }


def action(name: str, fact: Json) -> Json:
    """Return the entry of one action type."""
    more = REFINEMENTS.get(name, {})
    undocumented = fact.get("documented") is False
    entry: Json = {
        "evidence": [s.split("(")[0].strip() for s in fact["status"]],
        "source": fact["source"],
        "documented": not undocumented,
        "category": fact["category"],
        "channels": channels(fact["channels"]),
        "flow_types": None if "(unverified)" in fact["flow_types"] else fact["flow_types"],
        "flow_types_disputed": more.get("flow_types_disputed", False),
        "allowed_in_module": fact["allowed_in_module"],
        "module_only": fact.get("module_only", False),
        "terminal": fact.get("terminal", False),
        "retired": fact.get("deprecated"),
        "next_action": fact["next_action"].split()[0],
        "parameters": {k: parameter(f"{name}.{k}", v) for k, v in fact["params"].items()},
        "groups": more.get("groups", []),
        "errors": {
            "required": fact["errors"]["required"],
            "allowed": [*fact["errors"]["optional"], *more.get("errors_allowed", [])],
            "rules": more.get("error_rules") or [error_rule(r) for r in fact.get("error_rules", [])],
        },
        "conditions": conditions({**fact, **more}["conditions"], more),
    }
    for added, spec in more.get("added", {}).items():
        if added in entry["parameters"]:
            raise ValueError(f"{name}.{added}: the facts have this parameter already; refine it instead")
        entry["parameters"][added] = dict(spec)
    if "variants" in more:
        entry["variants"] = more["variants"]
    for path, changes in more.get("parameters", {}).items():
        find(entry["parameters"], path).update(changes)
    check_nothing_is_left_unread(name, entry["parameters"])
    add_resources(name, entry["parameters"])
    return entry


def add_resources(where: str, parameters: Json) -> None:
    """Say in each parameter that names a resource, those inside others too, which kind it takes."""
    for name, entry in parameters.items():
        path = f"{where}.{name}"
        kind = RESOURCE_OF_PATH.get(path) or RESOURCE_OF_NAME.get(name)
        if kind is not None and entry["type"] == "string":
            entry["resource"] = kind
        if path in RESOURCE_OF_VALUES:
            entry["values"] = entry["values"] | {"resource": RESOURCE_OF_VALUES[path]}
        for inside_it in (entry, entry.get("items", {}), entry.get("values", {})):
            add_resources(path, inside_it.get("properties", {}))


def channels(fact: list[str]) -> list[str] | None:
    """Return the channels; None when part of them is unverified ("VOICE (inbound, …)" counts as VOICE)."""
    return None if any("unverified" in c for c in fact) else [c.split()[0] for c in fact]


def parameter(path: str, fact: Json) -> Json:
    """Return the entry of one parameter and of those inside it."""
    name = path.rpartition(".")[2]
    kind = fact["type"].split("<")[0]
    entry: Json = {"type": {"string-int": "integer"}.get(kind, kind), "required": fact["required"]}
    if "xor" in str(fact["required"]) or fact["required"] in ("one of three", "CheckVoiceId only"):
        entry["required"] = False  # a group rule says it
    entry |= {new: fact[old] for old, new in KEPT.items() if old in fact}
    entry |= inside(path, kind, fact, entry)
    value = value_class(path, name, entry)
    return entry | ({"value": value} if value else {})


def inside(path: str, kind: str, fact: Json, entry: Json) -> Json:
    """Return what is known about the items, values or properties within the parameter."""
    more: Json = {}
    if kind == "array" and "enum" in entry:
        more["items"] = {"type": "string", "enum": entry.pop("enum")}
    elif fact["type"] == "array<string>":
        more["items"] = {"type": "string"}
    elif fact["type"] == "map<string,string>" or "keys" in fact:
        more["values"] = {"type": "string"}
    if "properties" in fact:
        more["properties"] = {k: parameter(f"{path}.{k}", v) for k, v in fact["properties"].items()}
    return more


def value_class(path: str, name: str, entry: Json) -> str | None:
    """Return which references the parameter takes; None for text that mixes them freely."""
    if path in STATIC:
        return "static"
    if path in JSONPATH:
        return "jsonpath"
    single = name in SINGLE_NAMES or entry["type"] == "integer" or "enum" in entry
    return "single" if single else None


def error_rule(fact: Json) -> Json:
    """Return a conditional rule on error branches in its structured form."""
    when = fact["when"]
    name, values = (when, None) if isinstance(when, str) else next(iter(when.items()))
    rule: Json = {"parameter": name, "values": [values] if isinstance(values, str) else values}
    for key in ("required", "forbidden", "only"):
        if key in fact:
            rule[key] = fact[key]
    return rule


def conditions(fact: Json, more: Json) -> Json | None:
    """Return what conditions the type takes; None when it takes none."""
    if not fact["supported"]:
        return None
    operands = fact.get("operands")
    listed = isinstance(operands, list)
    return {
        "operators": fact.get("operators"),
        "operands": operands if listed and "operands" not in more else None,
        "operand_kind": more.get("operands", "enum" if listed else "text"),
        "required": fact.get("required_operands", []),
        "required_from": more.get("required_operands_from"),
        "only_when": more.get("conditions_only_when"),
    }


def find(parameters: Json, path: str) -> Json:
    """Return the entry of the parameter at the dotted path."""
    first, _, rest = path.partition(".")
    entry: Json = parameters[first]
    return find(entry["properties"], rest) if rest else entry


def check_nothing_is_left_unread(where: str, parameters: Json) -> None:
    """Fail for a condition in prose that no refinement has turned into structure."""
    for name, entry in parameters.items():
        if not isinstance(entry.get("required", False), bool):
            raise ValueError(f"{where}.{name}: no refinement reads required = {entry['required']!r}")
        check_nothing_is_left_unread(f"{where}.{name}", entry.get("properties", {}))


if __name__ == "__main__":
    sys.exit(main())
