"""What CloudFormation refuses before it makes anything: a template's form, and what its parameters decide.

Source: CloudFormation's answers to templates that are wrong, as recorded from AWS (tests/sandbox/fidelity in this
project's repository), and the template reference, "Intrinsic function reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connect_sandbox.cloud.cfn.template import Template, invalid, load_template, references
from connect_sandbox.cloud.errors import NotEmulatedError

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_EXTENSIONS = frozenset({"Fn::Length", "Fn::ToJsonString"})
_NAME = re.compile(r"[A-Za-z0-9]+")
_SUPPORTED = (
    "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, "
    "Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, "
    "Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr"
)


def checked_template(text: str) -> Template:
    """Parse a template and check its form."""
    template = load_template(text)
    check_form(template)
    return template


def check_form(template: Template) -> None:
    """Raise ValidationError for names, mappings, outputs and functions of a wrong form."""
    extended = _transforms(template)
    for section, word in (("Parameters", "Parameter"), ("Resources", "Resource"), ("Outputs", "Output")):
        for name in template.body.get(section) or {}:
            if not _NAME.fullmatch(name):
                raise invalid(f"Template format error: {word} name {name} is non alphanumeric.")
    for path, value in _leaves({key: value for key, value in template.body.items() if key != "Metadata"}, ""):
        if value is None and "/Metadata/" not in path:
            raise invalid(f"[{path}] 'null' values are not allowed in templates")
    _check_mappings(template.mappings)
    for declared in template.outputs.values():
        if not isinstance(declared, dict) or "Value" not in declared:
            raise invalid("Template format error: Every Outputs member must contain a Value object")
    parts = [template.conditions, template.outputs, *(one.properties for one in template.resources.values())]
    for name, argument in _functions(parts):
        if name in _EXTENSIONS and not extended:
            raise invalid(
                f"Template format error: Encountered unsupported function: {name} "
                f"Supported functions are: [{_SUPPORTED}]"
            )
        _check_function(name, argument, template)


def check_deployable(
    template: Template, holds: Callable[[str], bool], find_in_map: Callable[[Any], Any]
) -> None:
    """Raise ValidationError for what these parameters make of a template.

    That is a reference to a resource that will not be made, and a mapping without the key that is looked for. `holds`
    tells whether a condition does, `find_in_map` evaluates an argument of Fn::FindInMap.
    """

    def wanted(condition: str | None) -> bool:
        return condition is None or holds(condition)

    made = {name for name, one in template.resources.items() if wanted(one.condition)}
    taken = [_taken(template.resources[name].properties, holds) for name in made]
    outputs = [_taken(one, holds) for one in template.outputs.values() if wanted(one.get("Condition"))]
    for values, where in (
        (
            taken,
            "Template format error: Unresolved resource dependencies [{}] in the Resources block of the template",
        ),
        (outputs, "Unresolved resource dependencies [{}] in the Outputs block of the template"),
    ):
        missing = sorted({n for value in values for n in references(value) if n in template.resources} - made)
        if missing:
            raise invalid(where.format(", ".join(missing)))
    for name, argument in _functions([*taken, *outputs, template.conditions]):
        if name == "Fn::FindInMap" and not set(references(argument)) & set(template.resources):
            find_in_map(argument)


def _transforms(template: Template) -> bool:
    """Return whether the template has the language extensions; refuse other transforms by name."""
    given = template.body.get("Transform") or []
    for transform in given if isinstance(given, list) else [given]:
        if transform != LANGUAGE_EXTENSIONS:
            name = transform.get("Name") if isinstance(transform, dict) else transform
            raise NotEmulatedError(f"the transform {name}", "the sandbox deploys templates as they are")
    return bool(given)


def _check_mappings(mappings: Mapping[str, Any]) -> None:
    for mapping in mappings.values():
        for key, attributes in (mapping if isinstance(mapping, dict) else {}).items():
            if not isinstance(attributes, dict):
                raise invalid(f"Template format error: Every Mappings member {key} must be a map")
            if any(isinstance(value, dict) for value in attributes.values()):
                raise invalid("Template format error: Every Mappings attribute must be a String or a List.")


def _check_function(name: str, argument: Any, template: Template) -> None:  # noqa: ANN401  (any part of a template)
    items = argument if isinstance(argument, list) else []
    form = _FORMS.get(name)
    if form is not None and not form[0](items):
        raise invalid(f"Template error: {form[1]}")
    if name == "Fn::If" and items[0] not in template.conditions:
        raise invalid(f"Template error: unresolved condition dependency {items[0]} in Fn::If")


def _selects(index: Any, values: Any) -> bool:  # noqa: ANN401
    """Return whether Fn::Select can select, as far as its arguments are written out."""
    if isinstance(index, dict):
        return isinstance(values, list | dict)
    if not str(index).isdigit() or not isinstance(values, list | dict):
        return False
    return isinstance(values, dict) or int(index) < len(values)


#: Function -> (whether a list of arguments has its form, what CloudFormation says if not).
_FORMS: dict[str, tuple[Callable[[list[Any]], bool], str]] = {
    "Fn::Select": (
        lambda items: len(items) == 2 and _selects(*items),
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    "Fn::Split": (
        lambda items: len(items) == 2 and isinstance(items[0], str),
        (
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a "
            "function that returns a string to be split."
        ),
    ),
    "Fn::Join": (
        lambda items: len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], list | dict),
        (
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
            "joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        ),
    ),
    "Fn::Equals": (
        lambda items: len(items) == 2,
        "every Fn::Equals object requires a list of 2 string parameters.",
    ),
    "Fn::If": (lambda items: len(items) == 3, "every Fn::If object requires a list of 3 parameters."),
}


def _functions(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield every function inside a value with its argument."""
    if isinstance(value, list):
        for item in value:
            yield from _functions(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name.startswith("Fn::") and len(value) == 1:
                yield name, item
            yield from _functions(item)


def _taken(value: Any, holds: Callable[[str], bool]) -> Any:  # noqa: ANN401
    """Return a value with every Fn::If replaced by the branch that is taken."""
    if isinstance(value, list):
        return [_taken(item, holds) for item in value]
    if isinstance(value, dict):
        if set(value) == {"Fn::If"}:
            name, then, otherwise = value["Fn::If"]
            return _taken(then if holds(name) else otherwise, holds)
        return {name: _taken(item, holds) for name, item in value.items()}
    return value


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}/{index}")
    else:
        yield path, value
