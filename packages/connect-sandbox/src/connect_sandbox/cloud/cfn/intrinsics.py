"""Evaluating intrinsic functions: Ref, Fn::GetAtt, Fn::Sub and the others, conditions and rules."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connect_sandbox.cloud.cfn.template import Template, invalid, references
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError

_SUB = re.compile(r"\$\{(!?[^}]*)\}")
_STACK_OUTPUT = "Fn::GetStackOutput"
# Parameters of the types that name something of AWS, alone or in a list, and what SSM parameters may hold.
_NAMES = re.compile(r"AWS::(?!SSM::Parameter::Value)[A-Za-z0-9]+(?:::[A-Za-z0-9]+)+")
_LIST = re.compile(r"CommaDelimitedList|List<.+>")
_STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class NoValue:
    """AWS::NoValue: the property or list item is left out."""


NO_VALUE = NoValue()
GetAttribute = Callable[[str, str], Any]
GetReference = Callable[[str], str]
GetOutput = Callable[[str, str, str], str]
"""Takes a stack's name, the logical id of its output, and the stack's Region."""


class Resolver:
    """Evaluates template values for one stack.

    `reference` and `attribute` give a created resource's Ref and attributes; `imports` gives another stack's exports,
    `outputs` its outputs, exported or not; `dynamic` replaces dynamic references in a text.
    """

    def __init__(
        self,
        template: Template,
        *,
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, Any],
        imports: Callable[[str], str],
        outputs: GetOutput,
        reference: GetReference,
        attribute: GetAttribute,
        dynamic: Callable[[str], str],
    ) -> None:
        """Take the stack's resolved parameters and pseudo parameters (AWS::Region and so on)."""
        self._template = template
        self._parameters = parameters
        self._pseudo = pseudo
        self._imports = imports
        self._outputs = outputs
        self._reference = reference
        self._attribute = attribute
        self._dynamic = dynamic
        #: The names of the exports that were imported, until somebody clears them.
        self.imported: set[str] = set()

    def resolve(self, value: Any) -> Any:  # noqa: ANN401  (any part of a template)
        """Return `value` with every intrinsic function evaluated and what is NO_VALUE left out."""
        resolved = self._resolve(value)
        return self._dynamic(resolved) if isinstance(resolved, str) else resolved

    def _resolve(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if isinstance(value, dict):
            if len(value) == 1:
                (name, argument) = next(iter(value.items()))
                if name == "Ref" or name.startswith("Fn::"):
                    return self._evaluate(name, argument)
                if (
                    name == "Condition"
                    and isinstance(argument, str)
                    and argument in self._template.conditions
                ):
                    return self.condition(argument)
            resolved = {key: self.resolve(inner) for key, inner in value.items()}
            return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}
        return value

    def condition(self, name: str) -> bool:
        """Return whether the condition of that name holds."""
        if name not in self._template.conditions:
            raise invalid(f"Template error: condition {name} is not defined")
        return bool(self.resolve(self._template.conditions[name]))

    def check_rules(self) -> None:
        """Raise for the first rule of the template whose assertion does not hold."""
        for name, rule in self._template.rules.items():
            if "RuleCondition" in rule and not self.resolve(rule["RuleCondition"]):
                continue
            for assertion in rule.get("Assertions", []):
                if not self.resolve(assertion["Assert"]):
                    described = assertion.get("AssertDescription", "its assertion does not hold")
                    raise invalid(f"Template validation error: rule {name}: {described}")

    def check_stack_outputs(self) -> None:
        """Raise for the first Fn::GetStackOutput of the template whose stack or output is not there."""
        parts = [*self._template.outputs.values()]
        for resource in self._template.resources.values():
            if resource.condition is None or self.condition(resource.condition):
                parts += [resource.properties, resource.metadata]
        for argument in _arguments(parts, _STACK_OUTPUT):
            self._getstackoutput(argument)

    def find_in_map(self, argument: Any) -> Any:  # noqa: ANN401
        """Evaluate an argument of Fn::FindInMap; ValidationError if there is no such key."""
        return self._findinmap(argument)

    def _evaluate(self, name: str, argument: Any) -> Any:  # noqa: ANN401
        if name == "Ref":
            return self._ref(argument)
        method = getattr(self, "_" + name.removeprefix("Fn::").lower(), None)
        if method is None:
            raise NotEmulatedError(f"the intrinsic function {name}", "the sandbox does not evaluate it")
        return method(argument)

    def _ref(self, name: str) -> Any:  # noqa: ANN401
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name in self._template.resources:
            return self._reference(name)
        raise invalid(f"Template format error: Unresolved reference [{name}]")

    def _getatt(self, argument: Any) -> Any:  # noqa: ANN401
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(name, str(self.resolve(attribute)))

    def _sub(self, argument: Any) -> str:  # noqa: ANN401
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.resolve(value) for key, value in own.items()}

        def replace(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            name = name.strip()
            if name in values:
                return as_text(values[name])
            return as_text(self._getatt(name) if "." in name else self._ref(name))

        return _SUB.sub(replace, text)

    def _join(self, argument: Any) -> str:  # noqa: ANN401
        delimiter, values = argument
        resolved = self.resolve(values)
        if not isinstance(resolved, list):
            raise invalid("Template error: every Fn::Join object requires a list as its second parameter")
        return str(delimiter).join(as_text(item) for item in resolved)

    def _select(self, argument: Any) -> Any:  # noqa: ANN401
        index, values = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(values):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return values[index]

    def _split(self, argument: Any) -> list[str]:  # noqa: ANN401
        return str(self.resolve(argument[1])).split(str(argument[0]))

    def _if(self, argument: Any) -> Any:  # noqa: ANN401
        name, then, otherwise = argument
        return self.resolve(then if self.condition(name) else otherwise)

    def _findinmap(self, argument: Any) -> Any:  # noqa: ANN401
        found: Any = self._template.mappings
        keys = [str(self.resolve(key)) for key in argument[:3]]
        default = argument[3] if len(argument) > 3 and isinstance(argument[3], dict) else {}
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                if "DefaultValue" in default:
                    return self.resolve(default["DefaultValue"])
                raise invalid(f"Template error: Unable to get mapping for {'::'.join(keys)}")
            found = found[key]
        return found

    def _base64(self, argument: Any) -> str:  # noqa: ANN401
        return base64.b64encode(str(self.resolve(argument)).encode()).decode()

    def _importvalue(self, argument: Any) -> str:  # noqa: ANN401
        name = str(self.resolve(argument))
        value = self._imports(name)
        self.imported.add(name)
        return value

    def _getstackoutput(self, argument: Any) -> str:  # noqa: ANN401
        if not isinstance(argument, dict) or not {"StackName", "OutputName"} <= set(argument):
            raise invalid(f"Template error: every {_STACK_OUTPUT} object requires StackName and OutputName")
        unknown = sorted(set(argument) - {"StackName", "OutputName", "Region", "RoleArn"})
        if unknown:
            raise invalid(f"Template error: {_STACK_OUTPUT} does not take {', '.join(unknown)}")
        if "RoleArn" in argument:
            raise NotEmulatedError(f"RoleArn of {_STACK_OUTPUT}", "the sandbox has one account")
        needed = [name for name in references(argument) if name in self._template.resources]
        if needed:
            raise NotEmulatedError(
                f"{_STACK_OUTPUT} of what a resource yields ({', '.join(needed)})",
                "the sandbox reads other stacks before it makes the first resource",
            )
        given = {key: str(self.resolve(value)) for key, value in argument.items()}
        region = given.get("Region") or str(self._pseudo["AWS::Region"])
        return self._outputs(given["StackName"], given["OutputName"], region)

    def _tojsonstring(self, argument: Any) -> str:  # noqa: ANN401
        return json.dumps(self.resolve(argument), separators=(",", ":"), ensure_ascii=False)

    def _length(self, argument: Any) -> int:  # noqa: ANN401
        values = self.resolve(argument)
        if not isinstance(values, list):
            raise invalid("Template error: Fn::Length requires a list or a function that returns a list")
        return len(values)

    def _cidr(self, argument: Any) -> list[str]:  # noqa: ANN401
        """Return the first `count` networks of a block; `bits` are those of the host part."""
        block, count, *given = (self.resolve(item) for item in argument)
        try:
            network = ipaddress.ip_network(str(block), strict=False)
            host_bits = int(given[0]) if given else 64
            subnets = network.subnets(new_prefix=network.max_prefixlen - host_bits)
            found = [str(one) for one in itertools.islice(subnets, int(count))]
        except (ValueError, TypeError):
            found = []
        if len(found) < max(int(count), 1):
            raise invalid(
                f"Template error: Fn::Cidr cannot split {block} into {count} blocks of {given} bits"
            )
        return found

    def _getazs(self, argument: Any) -> list[str]:  # noqa: ANN401
        region = self.resolve(argument) or self._pseudo["AWS::Region"]
        return [f"{region}{zone}" for zone in "abc"]

    def _equals(self, argument: Any) -> bool:  # noqa: ANN401
        left, right = (self.resolve(item) for item in argument)
        return as_text(left) == as_text(right)

    def _and(self, argument: Any) -> bool:  # noqa: ANN401
        return all(self.resolve(item) for item in argument)

    def _or(self, argument: Any) -> bool:  # noqa: ANN401
        return any(self.resolve(item) for item in argument)

    def _not(self, argument: Any) -> bool:  # noqa: ANN401
        return not self.resolve(argument[0])

    def _contains(self, argument: Any) -> bool:  # noqa: ANN401
        values, wanted = self.resolve(argument[0]), self.resolve(argument[1])
        return wanted in values


def _arguments(value: Any, function: str) -> Iterator[Any]:  # noqa: ANN401  (any part of a template)
    """Yield what an intrinsic function is called with, wherever it is."""
    if isinstance(value, list):
        for item in value:
            yield from _arguments(item, function)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == function:
                yield item
            else:
                yield from _arguments(item, function)


def resolve_parameters(
    template: Template, given: Mapping[str, str], previous: Mapping[str, Any], read_ssm: Callable[[str], str]
) -> dict[str, Any]:
    """Return the value of every parameter, or raise ValidationError naming the one that is wrong.

    `given` holds this request's values, `previous` the stack's resolved ones for UsePreviousValue; `read_ssm` reads
    an SSM parameter for the type AWS::SSM::Parameter::Value<String>.
    """
    unknown = sorted(set(given) - set(template.parameters))
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values: dict[str, Any] = {}
    missing = []
    for name, declared in template.parameters.items():
        if name in given:
            raw = given[name]
        elif name in previous:
            raw = previous[name]
        elif "Default" in declared:
            raw = as_text(declared["Default"])
        else:
            missing.append(name)
            continue
        _check_parameter(name, declared, raw)
        values[name] = _typed(name, declared, raw, read_ssm)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return values


def _check_parameter(name: str, declared: dict[str, Any], raw: str) -> None:
    allowed = declared.get("AllowedValues")
    if allowed is not None and raw not in [as_text(item) for item in allowed]:
        raise invalid(f"Parameter '{name}' must be one of AllowedValues")
    if declared.get("Type") == "Number" and not _NUMBER.fullmatch(raw):
        raise invalid(f"Parameter '{name}' must be a number.")
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, raw):
        explained = declared.get("ConstraintDescription", f"it must match {pattern}")
        raise invalid(f"Parameter '{name}' failed to satisfy constraint: {explained}")
    sizes: dict[str, float] = {
        **dict.fromkeys(("MinLength", "MaxLength"), len(raw)),
        **({"MinValue": float(raw), "MaxValue": float(raw)} if declared.get("Type") == "Number" else {}),
    }
    for limit, size in sizes.items():
        bound = float(declared.get(limit, size))
        if (size < bound) if limit.startswith("Min") else (size > bound):
            explained = declared.get("ConstraintDescription", f"its {limit} is {declared[limit]}")
            raise invalid(f"Parameter '{name}' failed to satisfy constraint: {explained}")


def _typed(name: str, declared: dict[str, Any], raw: str, read_ssm: Callable[[str], str]) -> Any:  # noqa: ANN401
    kind = declared.get("Type", "String")
    if stored := _STORED.fullmatch(kind):
        try:
            raw, kind = read_ssm(raw), stored[1]
        except AwsError as error:
            raise invalid(
                f"Unable to fetch parameters [{raw}] from parameter store for this account."
            ) from error
    if kind in {"String", "Number"} or _NAMES.fullmatch(kind):
        return raw
    if _LIST.fullmatch(kind):
        return [part.strip() for part in raw.split(",")]
    raise NotEmulatedError(f"the type {kind} of parameter {name}", "the sandbox does not resolve it")


def as_text(value: Any) -> str:  # noqa: ANN401
    """Return a value as CloudFormation writes it into a text: booleans in lower case."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
