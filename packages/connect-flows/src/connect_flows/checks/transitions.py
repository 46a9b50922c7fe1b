"""CF2xx: the branches of a block."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connect_flows.checks.parameters import holds
from connect_flows.diagnostics import Severity, listed, quoted
from connect_flows.knowledge import ActionSpec, ConditionSpec, ErrorRule
from connect_flows.references import has_reference
from connect_flows.subject import ActionAt, Reporter, Subject
from connect_flows.template import is_opaque

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
            report(
                "CF217",
                f"Transitions.{key}",
                f"Transitions have no key {quoted(key)}",
                "remove it",
                evidence="official",
            )
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
        report(
            "CF204",
            path,
            f"the branch leads to {quoted(value)}, which is no block",
            f"did you mean {quoted(near[0])}" if near else "name a block of the flow",
            evidence="official",
        )


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
        report(
            "CF202",
            "Transitions.NextAction",
            f"{spec.type} has no NextAction",
            "name the block that comes next",
            evidence="probed",
        )


def _entries(report: Reporter, raw: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    value = raw.get(key, [])
    if not isinstance(value, list | tuple):
        report(
            "CF217",
            f"Transitions.{key}",
            f"{key} is {quoted(value)}, not a list",
            "write a list",
            evidence="official",
        )
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
            report(
                "CF207",
                f"{path}.ErrorType",
                f"there is no error type {quoted(name)}",
                f"did you mean {near[0]}" if near else f"known are {listed(sorted(known), 20)}",
                evidence="official",
                severity=subject.unknown(name, known),
            )
        elif name in present:
            report("CF208", path, f"{name} has a branch already", "remove one", evidence="official")
        else:
            present[name] = path
        _target(subject, report, entry.get("NextAction"), f"{path}.NextAction")
    return present


def _error_rules(report: Reporter, action: ActionAt, spec: ActionSpec, present: Mapping[str, str]) -> None:
    if spec.next_action == "forbidden":
        return  # CF203 reports it
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
            report(
                "CF205",
                "Transitions.Errors",
                f"{spec.type} has no branch for {name}{reason}",
                f"add one for {name}",
            )
    for name, path in present.items():
        if name in disputed and _target_of(action, name) != action.raw["Transitions"].get("NextAction"):
            continue  # a branch of its own, which published flows have
        if name in forbidden:
            report(
                "CF206",
                path,
                f"{spec.type} may have no branch for {name}{forbidden[name]}",
                "remove it",
                severity=Severity.WARNING if name in disputed else None,
            )
        elif name not in allowed:
            takes = f"it takes {listed(sorted(allowed))}" if allowed else "it takes no error branch"
            report("CF206", path, f"{spec.type} may have no branch for {name}", f"remove it; {takes}")


def _target_of(action: ActionAt, error_type: str) -> object:
    errors = action.raw["Transitions"]["Errors"]
    entries = [e for e in errors if isinstance(e, Mapping) and e.get("ErrorType") == error_type]
    return entries[0].get("NextAction")


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
            report(
                "CF209",
                "Transitions.Conditions",
                f"{spec.type} takes no conditions" + (" with these parameters" if takes else ""),
                "put a Compare block after it",
            )
            takes = None
        if not entries and spec.type == "Compare":
            report("CF218", "Transitions.Conditions", "the block compares with nothing", "add a condition")
    walk = _Conditions(subject, report, takes)
    for path, entry in entries:
        _target(subject, report, entry.get("NextAction"), f"{path}.NextAction")
        walk.check(entry.get("Condition"), f"{path}.Condition", 1)
    if walk.nested and walk.number > subject.knowledge.sub_conditions:
        report(
            "CF216",
            "Transitions.Conditions",
            f"there are {walk.number} sub conditions, more than {subject.knowledge.sub_conditions}",
            "split them over several blocks",
            evidence="official",
        )
    if takes is not None:
        _required_operands(report, action, takes, {operand for _, operand in walk.seen})


@dataclass
class _Conditions:
    """Checks the conditions of one block, those inside others too."""

    subject: Subject
    report: Reporter
    takes: ConditionSpec | None
    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    number: int = 0
    nested: bool = False

    def check(self, raw: object, path: str, depth: int) -> None:
        """Check one condition."""
        self.number += 1
        operator = raw.get("Operator") if isinstance(raw, Mapping) else None
        operands = raw.get("Operands") if isinstance(raw, Mapping) else None
        if not isinstance(operator, str) or not isinstance(operands, list | tuple) or not operands:
            lacks = "lacks a string Operator or a list Operands"
            said = lacks if isinstance(raw, Mapping) else f"is {quoted(raw)}"
            fix = 'write {"Operator": "Equals", "Operands": ["..."]}'
            self.report("CF210", path, f"the condition {said}", fix, evidence="official")
        elif any(isinstance(operand, Mapping) for operand in operands):
            self._inner(operands, path, depth)
        else:
            self._leaf(operator, operands, path)

    def _inner(self, operands: Sequence[object], path: str, depth: int) -> None:
        self.nested = True
        if depth >= self.subject.knowledge.condition_nesting:
            said = f"conditions are nested more than {depth} levels deep"
            self.report("CF216", path, said, "split them", evidence="official")
            return
        for index, operand in enumerate(operands):
            self.check(operand, f"{path}.Operands[{index}]", depth + 1)

    def _leaf(self, operator: str, operands: Sequence[object], path: str) -> None:
        known = self.subject.knowledge.operators
        if self.takes is not None and self.takes.operators is not None:
            known = frozenset(self.takes.operators)
        if operator not in known:
            near = difflib.get_close_matches(operator[:80], known, 1)
            said = f"the operator {quoted(operator)} is not one of {listed(sorted(known))}"
            fix = f"did you mean {near[0]}" if near else "use one of them"
            self.report("CF211", f"{path}.Operator", said, fix)
        operand = operands[0]
        if len(operands) != 1 or not isinstance(operand, str):
            found = f"there are {len(operands)}" if len(operands) != 1 else f"it is {quoted(operand)}"
            said = f"there must be exactly one operand, a string; {found}"
            fix = "write one string in a list"
            self.report("CF210", f"{path}.Operands", said, fix, evidence="official")
            return
        if (operator, operand) in self.seen:
            said = f"{operator} {quoted(operand)} stands already at {self.seen[operator, operand]}"
            self.report("CF215", path, said, "remove or correct one")
        self.seen.setdefault((operator, operand), path)
        _operand(self.report, operator, operand, f"{path}.Operands[0]", self.takes)


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
        "percentage": not (operand.isascii() and operand.isdigit() and 1 <= int(operand[:4]) <= 101),
    }.get(kind, False)
    words = {
        "enum": f"one of {listed(takes.operands or ())}",
        "digit": "one of 0 to 9, * and #",
        "number": "a number",
        "percentage": "a whole number from 1 to 101",
    }
    if problem:
        report("CF212", path, f"the operand {quoted(operand)} is not {words[kind]}", "correct it")
    elif operator.startswith("Number") and not numeric:
        report(
            "CF212",
            path,
            f"{operator} cannot compare with {quoted(operand)}",
            "write a number",
            severity=Severity.WARNING,
        )


def _required_operands(report: Reporter, action: ActionAt, takes: ConditionSpec, seen: set[str]) -> None:
    required = list(takes.required)
    events = action.parameters.get(takes.required_from or "")
    if isinstance(events, list | tuple):
        required += [e for e in events if isinstance(e, str) and e in (takes.operands or ())]
    for operand in dict.fromkeys(required):
        if operand not in seen:
            report(
                "CF213",
                "Transitions.Conditions",
                f"{action.type} has no condition for {quoted(operand)}",
                f"add Equals {operand}",
            )
