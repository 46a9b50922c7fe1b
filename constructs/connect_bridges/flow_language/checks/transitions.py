"""CF2xx: the branches of a block."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from connect_bridges.flow_language.checks.parameters import holds
from connect_bridges.flow_language.diagnostics import Severity, listed, quoted
from connect_bridges.flow_language.knowledge import ActionSpec, ConditionSpec, ErrorRule
from connect_bridges.flow_language.references import has_reference
from connect_bridges.flow_language.rules import error, warning
from connect_bridges.flow_language.subject import ActionAt, Reporter, Subject
from connect_bridges.flow_language.template import is_opaque

RULES = (
    error(
        "CF201", "transitions-missing", "A block has no Transitions, or they are not an object.",
        "Every block has them; those of a terminal block are empty.", 'Write {"NextAction": ...}, or {}.',
        bad='{"Identifier": "bye", "Type": "DisconnectParticipant"}', good='{..., "Transitions": {}}',
    ),
    error(
        "CF202", "next-action-missing", "A block that is not terminal has no NextAction.",
        "Amazon Connect wants one even where the contact never takes it (TransferToFlow, TransferContactToQueue).",
        "Name the block that comes next; for transfers the one of the error branch.",
        bad='"Transitions": {"Errors": [...]}', good='"Transitions": {"NextAction": "bye", "Errors": [...]}',
    ),
    error(
        "CF203", "next-action-forbidden", "A terminal block has branches.",
        "After it there is no contact left to lead on.", "Write {} for Transitions.",
        bad='DisconnectParticipant {"NextAction": "hello"}', good="DisconnectParticipant {}",
    ),
    error(
        "CF204", "branch-to-nowhere", "A branch leads to a block that does not exist.",
        "The service refuses the flow; often the block was renamed or removed.",
        "Correct the identifier, or add the block.", bad='"NextAction": "goodby"', good='"NextAction": "goodbye"',
    ),
    error(
        "CF205", "error-branch-missing", "An error branch that the block must have is missing.",
        'The service answers "Action is missing required error".', "Add it and lead the caller somewhere kind.",
        bad='InvokeLambdaFunction without NoMatchingError',
        good='"Errors": [{"ErrorType": "NoMatchingError", "NextAction": "say sorry"}]',
    ),
    error(
        "CF206", "error-branch-not-allowed", "The block has an error branch that it may not have.",
        'The service answers "Invalid branch".', "Remove the branch.",
        bad="UpdateFlowLoggingBehavior with NoMatchingError", good="UpdateFlowLoggingBehavior without Errors",
    ),
    error(
        "CF207", "error-type-unknown", "The flow language has no such error type.",
        "The service refuses the flow.", "Correct the name; it is case sensitive.",
        bad='"ErrorType": "Timeout"', good='"ErrorType": "InputTimeLimitExceeded"',
    ),
    error(
        "CF208", "error-branch-twice", "One error type has two branches.",
        "It would be unclear which is taken.", "Remove one.",
        bad="NoMatchingError twice", good="NoMatchingError once",
    ),
    error(
        "CF209", "conditions-not-supported", "The block takes no conditions, or none with these parameters.",
        'The service answers "Action does not support conditions".', "Put a Compare block after it.",
        bad="MessageParticipant with Conditions", good="MessageParticipant, then Compare",
    ),
    error(
        "CF210", "condition-malformed", "A condition has not the form that the flow language defines.",
        "A condition is {NextAction, Condition: {Operator, Operands: [one string]}}.", "Write it in this form.",
        bad='{"NextAction": "sales", "Condition": {"Equals": "1"}}',
        good='{"NextAction": "sales", "Condition": {"Operator": "Equals", "Operands": ["1"]}}',
    ),
    error(
        "CF211", "operator-not-allowed", "The operator does not exist, or this block does not take it.",
        "The service refuses the flow.", "Use one that the message lists.",
        bad='"Operator": "Contains"', good='"Operator": "TextContains"',
    ),
    error(
        "CF212", "operand-not-allowed", "The block never has this result, so that the condition can never hold.",
        "The service refuses operands outside of the block's results.", "Use one that the message lists.",
        bad='Loop: "Operands": ["Done"]', good='Loop: "Operands": ["DoneLooping"]',
    ),
    error(
        "CF213", "condition-missing", "A result that the block must have a branch for has none.",
        "The service refuses the flow.", "Add a condition for it.",
        bad="Loop with ContinueLooping alone", good="Loop with ContinueLooping and DoneLooping",
    ),
    error(
        "CF214", "operand-empty", "An operand is the empty string.",
        "Amazon Connect refuses it. An attribute that is not set takes the NoMatchingCondition branch.",
        "Compare with a value, or use NoMatchingCondition.", bad='"Operands": [""]', good='"Operands": ["unknown"]',
    ),
    warning(
        "CF215", "condition-twice", "Two conditions of a block are the same.",
        "Conditions are tried in order: the second is never taken.", "Remove or correct the second.",
        bad="Equals 1 to sales, Equals 1 to support", good="Equals 1 to sales, Equals 2 to support",
    ),
    error(
        "CF216", "conditions-too-many", "Conditions are nested too deeply or too many.",
        "Amazon Connect takes 5 levels and 50 sub conditions.", "Split them over several Compare blocks.",
        bad="one Compare with 60 sub conditions", good="two Compare blocks",
    ),
    error(
        "CF217", "transition-malformed", "Transitions hold a key or an entry that the flow language does not define.",
        'The service answers "Invalid branch".', "Transitions hold NextAction, Errors and Conditions.",
        bad='"Transitions": {"Next": "bye"}', good='"Transitions": {"NextAction": "bye"}',
    ),
    warning(
        "CF218", "nothing-compared", "A block that decides has no condition.",
        "Every contact takes NoMatchingCondition: the block decides nothing.", "Add a condition or remove the block.",
        bad="Compare without Conditions", good='Compare with Equals "VOICE"',
    ),
)  # fmt: skip

_KEYS = {"NextAction", "Errors", "Conditions"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def check(subject: Subject) -> None:
    """Check the branches of every block."""
    for action in subject.actions:
        raw = action.raw.get("Transitions")
        report = subject.in_block(action)
        if not isinstance(raw, Mapping):
            said = "is missing" if raw is None else f"is {quoted(raw)}"
            report("CF201", "Transitions", f"Transitions {said}", "write an object", evidence="official")
            continue
        for key in sorted(str(k) for k in raw if k not in _KEYS)[:10]:
            report("CF217", f"Transitions.{key}", f"Transitions have no key {quoted(key)}",
                   "remove it", evidence="official")  # fmt: skip
        _next(subject, action, raw)
        present = _errors(subject, action, raw)
        spec = action.spec
        if spec is not None and spec.documented:
            _error_rules(report, action, spec, present)
        _conditions(subject, action, raw)


def _target(subject: Subject, report: Reporter, value: object, path: str) -> None:
    if not isinstance(value, str):
        said = "is missing" if value is None else f"is {quoted(value)}"
        report("CF217", path, f"NextAction {said}", "name a block", evidence="official")
    elif value not in subject.blocks and not is_opaque(value):
        near = difflib.get_close_matches(value[:80], subject.blocks, 1) if len(subject.blocks) <= 250 else []
        report("CF204", path, f"the branch leads to {quoted(value)}, which is no block",
               f"did you mean {quoted(near[0])}" if near else "name a block of the flow",
               evidence="official")  # fmt: skip


def _next(subject: Subject, action: ActionAt, raw: Mapping[str, Any]) -> None:
    report, spec = subject.in_block(action), action.spec
    if spec is not None and spec.next_action == "forbidden":
        branches = [key for key in ("NextAction", "Errors", "Conditions") if raw.get(key)]
        if branches:
            report(
                "CF203", "Transitions", f"{spec.type} ends the flow, but has {listed(branches)}", "write {}"
            )
    elif "NextAction" in raw:
        _target(subject, report, raw["NextAction"], "Transitions.NextAction")
    elif spec is not None and spec.next_action == "required":
        report("CF202", "Transitions.NextAction", f"{spec.type} has no NextAction", "name the block that comes next",
               evidence="probed")  # fmt: skip


def _entries(report: Reporter, raw: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    value = raw.get(key, [])
    if not isinstance(value, list | tuple):
        report("CF217", f"Transitions.{key}", f"{key} is {quoted(value)}, not a list", "write a list",
               evidence="official")  # fmt: skip
        return []
    entries = []
    for index, entry in enumerate(value):
        path = f"Transitions.{key}[{index}]"
        if isinstance(entry, Mapping):
            entries.append((path, entry))
        else:
            report("CF217", path, f"the entry is {quoted(entry)}", "write an object", evidence="official")
    return entries


def _errors(subject: Subject, action: ActionAt, raw: Mapping[str, Any]) -> dict[str, str]:
    """Check the entries of Errors; return the JSON path of each error type there."""
    report = subject.in_block(action)
    present: dict[str, str] = {}
    known = subject.knowledge.error_types
    for path, entry in _entries(report, raw, "Errors"):
        name = entry.get("ErrorType")
        if not isinstance(name, str) or name not in known:
            near = difflib.get_close_matches(name[:80], known, 1) if isinstance(name, str) else []
            report("CF207", f"{path}.ErrorType", f"there is no error type {quoted(name)}",
                   f"did you mean {near[0]}" if near else f"known are {listed(sorted(known), 20)}",
                   evidence="official")  # fmt: skip
        elif name in present:
            report("CF208", path, f"{name} has a branch already", "remove one", evidence="official")
        else:
            present[name] = path
        _target(subject, report, entry.get("NextAction"), f"{path}.NextAction")
    return present


def _error_rules(report: Reporter, action: ActionAt, spec: ActionSpec, present: Mapping[str, str]) -> None:
    if spec.next_action == "forbidden":
        return  # CF203 says it
    required, forbidden = dict.fromkeys(spec.errors_required, ""), dict[str, str]()
    disputed: set[str] = set()
    allowed = {*spec.errors_required, *spec.errors_allowed}
    for rule in spec.error_rules:
        allowed |= {*rule.required, *(rule.only or ())}
        if holds(rule.when, action.parameters):
            before = set(forbidden)
            _apply(rule, present, required, forbidden)
            disputed |= set(forbidden) - before if rule.disputed else set()
    for name, reason in required.items():
        if name not in present:
            report("CF205", "Transitions.Errors", f"{spec.type} has no branch for {name}{reason}",
                   f"add one for {name}")  # fmt: skip
    for name, path in present.items():
        if name in forbidden:
            report("CF206", path, f"{spec.type} may have no branch for {name}{forbidden[name]}", "remove it",
                   severity=Severity.WARNING if name in disputed else None)  # fmt: skip
        elif name not in allowed:
            takes = f"it takes {listed(sorted(allowed))}" if allowed else "it takes no error branch"
            report("CF206", path, f"{spec.type} may have no branch for {name}", f"remove it; {takes}")


def _apply(
    rule: ErrorRule, present: Mapping[str, str], required: dict[str, str], forbidden: dict[str, str]
) -> None:
    values = "" if rule.when.values is None else f" {' or '.join(rule.when.values)}"
    reason = f" with {rule.when.parameter}{values}"
    required.update(dict.fromkeys(rule.required, reason))
    forbidden.update(dict.fromkeys(rule.forbidden, reason))
    if rule.only is not None:
        forbidden.update({name: reason for name in present if name not in rule.only})


def _conditions(subject: Subject, action: ActionAt, raw: Mapping[str, Any]) -> None:
    report, spec = subject.in_block(action), action.spec
    entries = _entries(report, raw, "Conditions")
    if spec is None or not spec.documented:
        takes = None
    else:
        takes = spec.conditions
        allowed = takes is not None and (
            takes.only_when is None or holds(takes.only_when, action.parameters) is not False
        )
        if entries and not allowed and spec.next_action != "forbidden":
            report("CF209", "Transitions.Conditions", f"{spec.type} takes no conditions"
                   + (" with these parameters" if takes else ""), "put a Compare block after it")  # fmt: skip
            takes = None
        if not entries and spec.type == "Compare":
            report("CF218", "Transitions.Conditions", "the block compares with nothing", "add a condition")
    seen: dict[tuple[str, str], str] = {}
    limits = [0]
    for path, entry in entries:
        _target(subject, report, entry.get("NextAction"), f"{path}.NextAction")
        _condition(subject, report, entry.get("Condition"), f"{path}.Condition", takes, seen, limits, 1)
    if limits[0] > subject.knowledge.sub_conditions and any(p.count(".Operands[") for p in seen.values()):
        report("CF216", "Transitions.Conditions", f"there are {limits[0]} sub conditions; Amazon Connect takes"
               f" {subject.knowledge.sub_conditions}", "split them over several blocks", evidence="official")  # fmt: skip
    if takes is not None:
        _required_operands(report, action, takes, {operand for _, operand in seen})


def _condition(
    subject: Subject,
    report: Reporter,
    raw: object,
    path: str,
    takes: ConditionSpec | None,
    seen: dict[tuple[str, str], str],
    limits: list[int],
    depth: int,
) -> None:
    """Check one condition; conditions inside conditions count towards the limits in ``limits[0]``."""
    limits[0] += 1
    operator = raw.get("Operator") if isinstance(raw, Mapping) else None
    operands = raw.get("Operands") if isinstance(raw, Mapping) else None
    if not isinstance(operator, str) or not isinstance(operands, list | tuple) or not operands:
        report("CF210", path, f"the condition is {quoted(raw)} without Operator and Operands" if not isinstance(
            raw, Mapping) else "the condition lacks a string Operator or a list Operands",
            'write {"Operator": "Equals", "Operands": ["..."]}', evidence="official")  # fmt: skip
        return
    if any(isinstance(o, Mapping) for o in operands):
        if depth >= subject.knowledge.condition_nesting:
            report("CF216", path, f"conditions are nested more than {depth} levels deep", "split them",
                   evidence="official")  # fmt: skip
            return
        for index, operand in enumerate(operands):
            _condition(subject, report, operand, f"{path}.Operands[{index}]", takes, seen, limits, depth + 1)
        return
    known = subject.knowledge.operators if takes is None or takes.operators is None else takes.operators
    if operator not in known:
        near = difflib.get_close_matches(operator[:80], known, 1)
        report("CF211", f"{path}.Operator", f"the operator {quoted(operator)} is not one of {listed(sorted(known))}",
               f"did you mean {near[0]}" if near else "use one of them")  # fmt: skip
    if len(operands) != 1 or not isinstance(operands[0], str):
        report("CF210", f"{path}.Operands", f"there must be exactly one operand, a string; there are {len(operands)}"
               if len(operands) != 1 else f"the operand {quoted(operands[0])} is not a string",
               "write one string in a list", evidence="official")  # fmt: skip
        return
    operand = operands[0]
    if (operator, operand) in seen:
        report("CF215", path, f"{operator} {quoted(operand)} stands already at {seen[operator, operand]}",
               "remove or correct one")  # fmt: skip
    seen.setdefault((operator, operand), path)
    _operand(report, operator, operand, f"{path}.Operands[0]", takes)


def _operand(report: Reporter, operator: str, operand: str, path: str, takes: ConditionSpec | None) -> None:
    if not operand:
        report("CF214", path, "the operand is the empty string", "compare with a value", evidence="probed")
        return
    if takes is None or is_opaque(operand) or has_reference(operand):
        return
    kind, numeric = takes.operand_kind, _NUMBER.fullmatch(operand) is not None
    problem = {
        "enum": takes.operands is not None and operand not in takes.operands,
        "digit": len(operand) != 1 or operand not in "0123456789*#",
        "number": not numeric,
        "percentage": not (operand.isascii() and operand.isdigit() and 1 <= int(operand[:4]) <= 100),
    }.get(kind, False)
    words = {
        "enum": f"one of {listed(takes.operands or ())}",
        "digit": "one of 0 to 9, * and #",
        "number": "a number",
        "percentage": "a whole number from 1 to 100",
    }
    if problem:
        report("CF212", path, f"the operand {quoted(operand)} is not {words[kind]}", "correct it")
    elif operator.startswith("Number") and not numeric:
        report("CF212", path, f"{operator} cannot compare with {quoted(operand)}", "write a number",
               severity=Severity.WARNING)  # fmt: skip


def _required_operands(report: Reporter, action: ActionAt, takes: ConditionSpec, seen: set[str]) -> None:
    required = list(takes.required)
    events = action.parameters.get(takes.required_from or "")
    if isinstance(events, list | tuple):
        required += [e for e in events if isinstance(e, str) and e in (takes.operands or ())]
    for operand in dict.fromkeys(required):
        if operand not in seen:
            report("CF213", "Transitions.Conditions", f"{action.type} has no condition for {quoted(operand)}",
                   f"add Equals {operand}")  # fmt: skip
