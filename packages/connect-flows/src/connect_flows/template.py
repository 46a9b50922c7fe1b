"""Flow templates: flow JSON with ``${Placeholder}`` for values known at deploy time.

The syntax is that of CloudFormation's Fn::Sub: ``${Name}`` is replaced, ``${!Name}`` is the text ``${Name}``.
References of the flow language such as ``$.External.body`` have no braces and are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Every further ! of an escape is text: ${!!Name} is ${!Name}.
_PLACEHOLDER = re.compile(r"\$\{(!*)([A-Za-z_][A-Za-z0-9_.:-]*)\}")
_OPAQUE = re.compile(r"\$\{(?!!)[^{}]*\}|\{\{[^{}]*\}\}")
# An index, call or operation, as Terraform has them: ${var.queues["sales"]}.
_EXPRESSION = re.compile(r"\$\{[A-Za-z_][\w.-]*[\[(][^{}]*\}")
_BRACES = re.compile(r"\$\{")


class FlowTemplateError(ValueError):
    """A template and its values do not match; the message lists every mismatch."""


def placeholders(template: str | bytes | Mapping[str, Any]) -> set[str]:
    """Return the names that occur as ``${Name}`` in the template's strings, keys included.

    Raises FlowTemplateError when the text is not JSON.
    """
    return {
        match.group(2)
        for text in strings(_parsed(template))
        for match in _PLACEHOLDER.finditer(text)
        if not match.group(1)
    }


def render(template: str | bytes | Mapping[str, Any], values: Mapping[str, str]) -> str:
    """Return the template as JSON text with every ``${Name}`` replaced by its value.

    Values are replaced inside the parsed strings, so they cannot break the JSON, and in one pass, so a value that
    itself contains ``${…}`` (an unresolved CDK token does) is left alone. The text is compact, in the order of the
    template, and the same for the same input.

    Raises FlowTemplateError naming all placeholders without a value, all values without a placeholder and all
    values that are not strings.
    """
    document = _parsed(template)
    names = placeholders(document)
    problems = []
    if missing := sorted(names - set(values)):
        problems.append(f"no value for placeholder {', '.join('${' + n + '}' for n in missing)}: pass one")
    if unused := sorted(set(values) - names):
        problems.append(
            f"value {', '.join(unused)} has no placeholder in the template: remove it or correct its name"
        )
    if wrong := sorted(n for n, v in values.items() if not isinstance(v, str)):
        kinds = ", ".join(f"{n} ({type(values[n]).__name__})" for n in wrong)
        problems.append(f"value of {kinds} is not a string: the flow language knows strings only")
    if problems:
        raise FlowTemplateError("; ".join(problems) + ".")
    return dump(_replaced(document, values))


def dump(document: object) -> str:
    """Return JSON text as this package writes it: compact, keys in order, non-ASCII characters unescaped."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def escape(text: str) -> str:
    """Escape the text so that rendering restores it: ``${x}`` becomes ``${!x}``."""
    return _PLACEHOLDER.sub(lambda m: f"${{!{m.group(1)}{m.group(2)}}}", text)


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return the text with placeholders replaced and escapes resolved; KeyError for one without a value."""

    def value_of(match: re.Match[str]) -> str:
        escapes, name = match.groups()
        return f"${{{escapes[1:]}{name}}}" if escapes else values[name]

    return _PLACEHOLDER.sub(value_of, text)


def is_opaque(text: str) -> bool:
    """Return whether part of the text is only known at deploy time.

    That is ``${Name}``, an unresolved CDK token, or the ``{{name}}`` of another template tool.
    """
    return ("{" in text) and _OPAQUE.search(text) is not None


def malformed(text: str) -> str | None:
    """Return the first ``${`` that is no placeholder, escape, CDK token or Terraform expression; None without one."""
    for match in _BRACES.finditer(text):
        rest = text[match.start() : match.start() + 200]
        if not _PLACEHOLDER.match(rest) and not _EXPRESSION.match(rest) and not rest.startswith("${Token["):
            return rest[:40]
    return None


def strings(document: object) -> Iterator[str]:
    """Yield every string of the document, keys included, without recursion."""
    stack = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            stack.extend(value.values())
            yield from (key for key in value if isinstance(key, str))
        elif isinstance(value, list | tuple):
            stack.extend(value)


def _parsed(template: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(template, Mapping):
        return template
    try:
        document = json.loads(template)
    except (ValueError, RecursionError) as problem:
        raise FlowTemplateError(f"the template is not JSON: {problem}. Lint it for the place.") from problem
    if not isinstance(document, dict):
        raise FlowTemplateError(f"the template is {type(document).__name__}, not a JSON object. Lint it.")
    return document


def _replaced(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return substitute(value, values)
    if isinstance(value, Mapping):
        return {_replaced(k, values): _replaced(v, values) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(v, values) for v in value]
    return value
