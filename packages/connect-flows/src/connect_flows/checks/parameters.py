"""CF11x to CF13x: the content of Parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connect_flows.checks import resources
from connect_flows.diagnostics import Severity, listed, quoted
from connect_flows.knowledge import Group, ParameterSpec, When, basis
from connect_flows.references import has_reference, is_reference
from connect_flows.subject import Reporter, Subject
from connect_flows.template import is_opaque

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_WORDS = {
    "exactly_one": ("exactly one of", "keep or add one"),
    "at_most_one": ("at most one of", "keep one"),
    "at_least_one": ("at least one of", "add one"),
}
_FORMS = {
    "ThirdPartyPhoneNumber": "a number in E.164, such as +12065550100",
    "VoiceConnectorArn": "arn:aws:chime:REGION:ACCOUNT:vc/ID",
    "ThirdPartyDTMFDigits": "digits, comma, * and # only",
}


def check(subject: Subject) -> None:
    """Check the parameters of every block whose type is known."""
    for action in subject.actions:
        raw, spec = action.raw.get("Parameters"), action.spec
        report = subject.in_block(action)
        if "Parameters" in action.raw and not isinstance(raw, Mapping):
            report(
                "CF112", "Parameters", f"Parameters is {quoted(raw)}", "write an object", evidence="official"
            )
        elif spec is not None and spec.documented:
            whole = ParameterSpec(type="object", properties=spec.parameters, groups=spec.groups)
            _Walk(report).mapping(action.parameters, whole, "Parameters", top=True)


@dataclass(frozen=True)
class _Walk:
    """Compares values with what the table says, parameter by parameter."""

    report: Reporter

    def mapping(self, value: Mapping[str, Any], spec: ParameterSpec, path: str, *, top: bool = False) -> None:
        """Check an object whose keys are known."""
        properties = spec.properties or {}
        for name, inner in properties.items():
            self._presence(value, name, inner, path)
        for name, item in value.items():
            known = properties.get(name)
            if known is not None:
                self.value(item, known, f"{path}.{name}")
            elif top:
                near = next((p for p in properties if p.lower() == str(name).lower()), None)
                takes = f"it takes {listed(properties)}" if properties else "it takes none"
                self.report(
                    "CF114",
                    f"{path}.{name}",
                    f"{self.report.action.type} has no parameter {quoted(name)}",
                    f"write {near}" if near else f"remove it; {takes}",
                    severity=self.report.subject.unknown(name, properties),
                )
            elif not spec.open:
                self.report(
                    "CF132",
                    f"{path}.{name}",
                    f"the key {quoted(name)} is not known here",
                    f"check it; known are {listed(properties)}",
                )
        for group in spec.groups:
            self._group(value, group, path)

    def value(self, value: object, spec: ParameterSpec, path: str) -> None:
        """Check one value of any kind."""
        if spec.refused:
            self.report(
                "CF131",
                path,
                "the service refuses this parameter",
                "remove it",
                evidence=basis(spec.evidence),
            )
        elif spec.type in {"string", "integer"}:
            self._scalar(value, spec, path)
        elif spec.type == "any":
            if value == "":
                self._empty(path)
        elif spec.type == "array":
            self._array(value, spec, path)
        elif isinstance(value, str) and (is_reference(value) or is_opaque(value)) and spec.properties is None:
            return  # a whole object from $.External or from deployment, whose content is unknown
        elif not isinstance(value, Mapping):
            self.report("CF127", path, f"the value is {quoted(value)}, not an object", "write an object")
        elif spec.type == "map":
            self._map(value, spec, path)
        elif spec.properties is not None:
            self.mapping(value, spec, path)

    def _presence(self, value: Mapping[str, Any], name: str, spec: ParameterSpec, path: str) -> None:
        if name in value:
            if spec.only_when is not None and holds(spec.only_when, value) is False:
                self.report(
                    "CF126", f"{path}.{name}", f"{name} goes with {_words(spec.only_when)} only", "remove it"
                )
        elif spec.required:
            self.report("CF113", f"{path}.{name}", f"the required parameter {name} is missing", f"add {name}")
        elif spec.required_when is not None and holds(spec.required_when, value):
            self.report(
                "CF126",
                f"{path}.{name}",
                f"{name} is required with {_words(spec.required_when)}",
                f"add {name}",
            )

    def _group(self, value: Mapping[str, Any], group: Group, path: str) -> None:
        there = [name for name in group.names if name in value]
        wrong = {
            "exactly_one": len(there) != 1,
            "at_most_one": len(there) > 1,
            "at_least_one": not there,
        }[group.rule]
        if wrong:
            words, fix = _WORDS[group.rule]
            found = f"{listed(there)} are there" if len(there) > 1 else "none is there"
            self.report("CF125", path, f"{words} {listed(group.names, 20)} must stand; {found}", fix)

    def _empty(self, path: str) -> None:
        self.report(
            "CF116",
            path,
            "the value is the empty string",
            "give a value or leave the parameter out",
            evidence="probed",
        )

    def _scalar(self, value: object, spec: ParameterSpec, path: str) -> None:
        if isinstance(value, Mapping | list | tuple):
            self.report("CF127", path, f"the value is {quoted(value)}, not a string", "write a string")
            return
        if not isinstance(value, str):
            shown = quoted(value)
            wanted = {"true": '"True"', "false": '"False"'}.get(shown, f'"{shown}"')
            self.report(
                "CF115",
                path,
                f"the value {shown} is not a string",
                "leave it out" if value is None else f"write {wanted}",
            )
            return
        if not value:
            self._empty(path)
            return
        if self._reference(value, spec, path) or is_opaque(value):
            if spec.resource is not None:
                self._resource(resources.reference_problem(value, spec.resource), path)
            return
        if spec.resource is not None:
            published = self.report.subject.published
            self._resource(resources.problem(value, spec.resource, published=published), path)
        self._choice(value, spec, path)
        if spec.type == "integer":
            self._integer(value, spec, path)
        if spec.max_length is not None and len(value) > spec.max_length:
            self.report(
                "CF120",
                path,
                f"the text has {len(value)} characters; the parameter takes {spec.max_length}",
                "shorten it",
            )
        if spec.pattern is not None and not re.fullmatch(spec.pattern, value):
            form = _FORMS.get(path.rpartition(".")[2], spec.pattern)
            self.report(
                "CF121",
                path,
                f"the value {quoted(value)} does not match the parameter's format",
                f"write {form}",
            )

    def _resource(self, problem: resources.Problem | None, path: str) -> None:
        if problem is not None:
            self.report(problem.rule, path, problem.message, problem.fix, severity=problem.severity)

    def _reference(self, value: str, spec: ParameterSpec, path: str) -> bool:
        """Check references in the value; return whether its content is only known at run time."""
        # The console allows spaces and colons in attribute names, and writes them into references as is.
        odd = value.startswith(("$.", "$["))
        if spec.value == "jsonpath":
            if not is_reference(value) and not is_opaque(value):
                self.report(
                    "CF124",
                    path,
                    f"the value {quoted(value)} is not one $. reference",
                    "write a reference such as $.Attributes.name",
                    severity=Severity.WARNING if odd else None,
                )
            return True
        if not has_reference(value):
            return False
        if spec.value == "static":
            self.report("CF122", path, f"the value {quoted(value)} is a reference", "write a static value")
        elif spec.value == "single" and not is_reference(value):
            self.report(
                "CF123",
                path,
                f"the value {quoted(value)} mixes text and a reference",
                "write static text or exactly one reference",
                severity=Severity.WARNING if odd and self.report.subject.published else None,
            )
        return True

    def _choice(self, value: str, spec: ParameterSpec, path: str) -> None:
        if spec.enum is None:
            return
        evidence = basis(spec.evidence) if spec.evidence else None
        if value in spec.disputed:
            self.report(
                "CF117",
                path,
                f"the value {quoted(value)} is on an AWS page, but console exports say {listed(spec.enum)}",
                f"write {listed(spec.enum)}",
                evidence="export",
                severity=Severity.WARNING,
            )
        elif value not in spec.enum and not (
            spec.ignore_case and value.casefold() in {e.casefold() for e in spec.enum}
        ):
            near = next((e for e in spec.enum if e.casefold() == value.casefold()), None)
            self.report(
                "CF117",
                path,
                f"the value {quoted(value)} is not one of {listed(spec.enum)}",
                f"write {near}" if near else "write one of them",
                evidence=evidence,
            )

    def _integer(self, value: str, spec: ParameterSpec, path: str) -> None:
        if not _INTEGER.fullmatch(value):
            self.report(
                "CF118", path, f"the value {quoted(value)} is not a whole number", "write digits only"
            )
            return
        number = int(value)
        low, high = spec.min, spec.max
        if (low is not None and number < low) or (high is not None and number > high):
            span = (
                f"{low} to {high}"
                if low is not None and high is not None
                else (f"at least {low}" if high is None else f"at most {high}")
            )
            self.report(
                "CF119",
                path,
                f"the value {quoted(value)} is not within {span}",
                f"write a number {span}",
                severity=Severity.WARNING if spec.range_disputed else None,
            )

    def _array(self, value: object, spec: ParameterSpec, path: str) -> None:
        if not isinstance(value, list | tuple):
            if isinstance(value, str) and (
                is_opaque(value) or (is_reference(value) and spec.value != "static")
            ):
                return
            self.report("CF127", path, f"the value is {quoted(value)}, not a list", "write a list")
            return
        self._count(len(value), spec, path)
        for index, item in enumerate(value):
            if spec.items is not None:
                inner = spec.items
                if spec.value == "static" and isinstance(item, str) and has_reference(item):
                    self.report(
                        "CF122",
                        f"{path}[{index}]",
                        f"the value {quoted(item)} is a reference",
                        "write a static value",
                    )
                    continue
                self.value(item, inner, f"{path}[{index}]")

    def _map(self, value: Mapping[str, Any], spec: ParameterSpec, path: str) -> None:
        self._count(len(value), spec, path)
        for key, item in value.items():
            name = str(key)
            dynamic = has_reference(name) or is_opaque(name)
            if spec.keys is not None and name not in spec.keys:
                self.report(
                    "CF129",
                    f"{path}.{name}",
                    f"{quoted(name)} is not one of {listed(spec.keys)}",
                    "use one of them",
                )
            if spec.key_pattern is not None and not dynamic and not re.fullmatch(spec.key_pattern, name):
                self.report(
                    "CF130",
                    f"{path}.{name}",
                    f"the name {quoted(name)} holds characters that references cannot name",
                    "use letters, digits, - and _",
                )
            if spec.values is not None:
                self.value(item, spec.values, f"{path}.{name}")

    def _count(self, number: int, spec: ParameterSpec, path: str) -> None:
        low, high = spec.min_items, spec.max_items
        if low is not None and number < low:
            self.report("CF128", path, f"there are {number} entries; at least {low} must be", "add one")
        if high is not None and number > high:
            self.report(
                "CF128", path, f"there are {number} entries; at most {high} may be", "use several blocks"
            )


def holds(when: When, scope: Mapping[str, Any]) -> bool | None:
    """Return whether the condition on sibling parameters holds; None when that is only known later."""
    value: object = scope
    for name in when.parameter.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    if when.values is None:
        return True
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(v, str) and (has_reference(v) or is_opaque(v)) for v in values):
        return None
    return any(v in when.values for v in values if isinstance(v, str))


def _words(when: When) -> str:
    return when.parameter if when.values is None else f"{when.parameter} {' or '.join(when.values)}"
