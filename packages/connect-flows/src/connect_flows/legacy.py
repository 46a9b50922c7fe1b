"""Console exports from before the flow language (``modules`` / ``start``), converted to the current language.

A block without an equivalent keeps its old type and parameters, so that the linter reports it, and is listed in the
notes, as is every parameter and branch that the current form of a block lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connect_flows.legacy_blocks import CONVERTERS
from connect_flows.legacy_module import END, OPERATORS, Json, Module, kind_of

ERRORS = {"NoMatch": "NoMatchingCondition", "Error": "NoMatchingError", "AtCapacity": "QueueAtCapacity"}


class LegacyError(ValueError):
    """The export cannot be converted; the message says where and why."""


def is_legacy(document: Mapping[str, Any]) -> bool:
    """Return whether the document is an export from before the flow language."""
    return "Actions" not in document and isinstance(document.get("modules"), list)


def convert(document: Mapping[str, Any], notes: list[str]) -> Json:
    """Return the old export in the current language; notes for the user go to ``notes``.

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
        "Metadata": _metadata(document, modules, actions),
        "Actions": actions,
    }


def _action(module: Module) -> Json:
    # SetEventHook occurs with the target Flow and without one.
    convert_one = CONVERTERS.get(kind_of(module.raw)) or CONVERTERS.get(str(module.raw.get("type")))
    kind, parameters = _kept(module) if convert_one is None else convert_one(module)
    transitions: Json = {}
    if kind not in {"DisconnectParticipant", "EndFlowExecution"}:
        following = module.branch("Success", "Complete") or module.errors.get("NoMatchingCondition")
        following = following or module.errors.get("NoMatchingError")
        if following is None and kind != "MessageParticipantIteratively":
            module.note("led nowhere; it now leads to a disconnect block")
            following = END
        if following is not None:
            transitions["NextAction"] = following
        transitions["Errors"] = [
            {"NextAction": target, "ErrorType": name} for name, target in module.errors.items()
        ]
        transitions["Conditions"] = module.conditions
    if convert_one is not None:
        module.note_what_is_left()
    return {"Identifier": module.id, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def _kept(module: Module) -> tuple[str, Json]:
    """Return a block without an equivalent, with everything that the current form can hold."""
    module.note("has no known equivalent; it is kept unchanged, for you to replace")
    parameters: Json = {}
    for parameter in module.parameters:
        name, value = str(parameter.get("name")), parameter.get("value")
        if parameter.get("namespace"):
            value = module.value(parameter)
        if parameter.get("key"):
            value = {str(parameter["key"]): value}
        earlier = parameters.get(name)
        if name not in parameters:
            parameters[name] = value
        elif isinstance(earlier, dict) and isinstance(value, dict) and not earlier.keys() & value.keys():
            parameters[name] = earlier | value
        else:
            parameters[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
    if module.raw.get("target"):
        parameters["target"] = module.raw["target"]
    for branch in module.branches:
        name, operator = str(branch.get("condition")), str(branch.get("conditionType"))
        if name == "Success" or not isinstance(branch.get("transition"), str):
            continue
        if name != "NoMatch" and "conditionValue" in branch:
            module.when(
                OPERATORS.get(operator, operator), str(branch["conditionValue"]), branch["transition"]
            )
        else:
            module.errors[ERRORS.get(name, name)] = branch["transition"]
    return str(module.raw.get("type")), parameters


def _targets(action: Json) -> list[Any]:
    transitions = action["Transitions"]
    branches = [*transitions.get("Errors", []), *transitions.get("Conditions", [])]
    return [transitions.get("NextAction"), *(b["NextAction"] for b in branches)]


def _metadata(document: Mapping[str, Any], modules: list[Module], actions: list[Json]) -> Json:
    old = document.get("metadata")
    old = old if isinstance(old, Mapping) else {}
    metadata: Json = {"entryPointPosition": old.get("entryPointPosition", {"x": 20, "y": 20})}
    blocks: Json = {}
    for module, action in zip(modules, actions, strict=False):  # a disconnect block may have been added
        details = module.raw.get("metadata")
        position = details.get("position") if isinstance(details, Mapping) else None
        blocks[module.id] = {"position": position if isinstance(position, Mapping) else {"x": 0, "y": 0}}
        if shown := _shown(action["Parameters"], _labels(module)):
            blocks[module.id]["parameters"] = shown
    metadata["ActionMetadata"] = blocks
    for key in ("name", "description", "type"):
        if old.get(key) is not None:
            metadata[key] = old[key]
    return metadata


def _labels(module: Module) -> dict[str, str]:
    """Return the console's names for the block's resources: by resourceName, or by id and text."""
    found = {str(p.get("value")): str(p["resourceName"]) for p in module.parameters if p.get("resourceName")}
    details = module.raw.get("metadata")
    for entry in details.values() if isinstance(details, Mapping) else ():
        if isinstance(entry, Mapping) and entry.get("id") and isinstance(entry.get("text"), str):
            found.setdefault(str(entry["id"]), entry["text"])
    return found


def _shown(value: object, labels: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return the labels in the shape of the parameters, as the console writes them; None where there are none."""
    if isinstance(value, str):
        return {"displayName": labels[value]} if value in labels else None
    if isinstance(value, Mapping):
        return {k: shown for k, v in value.items() if (shown := _shown(v, labels))} or None
    if isinstance(value, list):
        entries = [_shown(v, labels) for v in value]
        return entries if any(entries) else None
    return None
