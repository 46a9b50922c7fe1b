"""Checks a resource's properties against CloudFormation's own schema of its type, in CloudFormation's words.

CloudFormation validates resolved properties against the schema before the type's handler is called, and takes numbers
and booleans written as text for what they say. The schemas are those that cfn-lint has on disk, read as data.
Source: CloudFormation CLI user guide, "Modeling resource types"; the words as reported in aws-cdk issues ("Properties
validation failed for resource … with message: #/…: … is not a valid enum value", "extraneous key", "required key").
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from connect_sandbox.cloud.errors import SandboxError
from connect_sandbox.cloud.values import Member

Schema = Mapping[str, Any]
_REGION = "us-east-1"
_RESOLVED_LATER = "{{resolve:"
_ESCAPED_TWICE = re.compile(r"\\\\[+dwsDWS]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def schema_problems(type_name: str, properties: Mapping[str, Any]) -> list[str]:
    """Return what CloudFormation's schema of a type forbids in resolved properties; empty for an unknown type."""
    schema = schema_of(type_name)
    return [] if schema is None else list(_Check(schema).problems(schema, dict(properties), "#"))


@lru_cache(maxsize=256)
def schema_of(type_name: str) -> Schema | None:
    """Return CloudFormation's schema of a type, None if there is none."""
    name = _index().get(type_name)
    if name is None:
        return None
    schema: Schema = json.loads((_folder() / "resources" / f"{name}.json").read_text(encoding="utf-8"))
    return schema


@lru_cache(maxsize=1)
def _index() -> Mapping[str, str]:
    index: Mapping[str, str] = json.loads(
        (_folder() / "providers" / f"{_REGION}.json").read_text(encoding="utf-8")
    )
    return index


@lru_cache(maxsize=1)
def _folder() -> Path:
    found = importlib.util.find_spec("cfnlint")
    for place in (found.submodule_search_locations if found else None) or ():
        folder = Path(place) / "data" / "schemas"
        if (folder / "providers" / f"{_REGION}.json").is_file():
            return folder
    raise SandboxError(
        "cfn-lint, whose CloudFormation schemas the sandbox reads, has none where 1.58 has them "
        "(cfnlint/data/schemas/providers): install cfn-lint>=1.58,<2"
    )


class _Check:
    """One schema's check; `root` is what #/definitions/… refers to."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def problems(self, schema: Schema, value: Member, path: str) -> Iterator[str]:
        """Yield what is wrong with a value, each with its place; a secret's reference is resolved by the handler."""
        if isinstance(value, str) and _RESOLVED_LATER in value:
            return
        if "$ref" in schema:
            schema = self._target(schema["$ref"])
        wanted = schema.get("type")
        if wanted is not None and not any(_is(value, kind) for kind in _listed(wanted)):
            names = " or ".join(_NAMES[kind] for kind in _listed(wanted))
            yield f"{path}: expected type: {names}, found: {_found(value)}"
            return
        if "enum" in schema and _text(value) not in map(_text, schema["enum"]):
            yield f"{path}: {value} is not a valid enum value"
        if "const" in schema and _text(value) != _text(schema["const"]):
            yield f"{path}: failed validation constraint for keyword [const]"
        if isinstance(value, dict):
            yield from self._members(schema, value, path)
        elif isinstance(value, list):
            yield from self._items(schema, value, path)
        elif not isinstance(value, bool):
            yield from _bounds(schema, value, path)
        yield from self._choices(schema, value, path)

    def _members(self, schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[str]:
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}: required key [{name}] not found"
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        for name, inner in value.items():
            place = f"{path}/{name}"
            if name in known:
                yield from self.problems(known[name], inner, place)
                continue
            fitting = [
                part
                for pattern, part in patterns.items()
                if (found := _compiled(pattern)) and found.search(name)
            ]
            for part in fitting:
                yield from self.problems(part, inner, place)
            others = schema.get("additionalProperties", True)
            if not fitting and others is False:
                yield f"{path}: extraneous key [{name}] is not permitted"
            elif not fitting and isinstance(others, dict):
                yield from self.problems(others, inner, place)
        yield from _count(schema, len(value), path, "Properties", "property")

    def _items(self, schema: Schema, value: list[Any], path: str) -> Iterator[str]:
        yield from _count(schema, len(value), path, "Items", "item")
        if schema.get("uniqueItems"):
            texts = [json.dumps(item, sort_keys=True, default=str) for item in value]
            if len(set(texts)) < len(texts):
                yield f"{path}: array items are not unique"
        if "items" in schema:
            for index, item in enumerate(value):
                yield from self.problems(schema["items"], item, f"{path}/{index}")

    def _choices(self, schema: Schema, value: Member, path: str) -> Iterator[str]:
        for part in schema.get("allOf", ()):
            yield from self.problems(part, value, path)
        for keyword in ("anyOf", "oneOf"):
            if keyword not in schema:
                continue
            tried = [list(self.problems(part, value, path)) for part in schema[keyword]]
            fits = sum(not found for found in tried)
            if not fits:
                yield from min(tried, key=len)
            if not fits or (keyword == "oneOf" and fits > 1):
                yield f"{path}: #: {fits} subschemas matched instead of one"

    def _target(self, reference: str) -> Schema:
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        target: Schema = found
        return target


_NAMES = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "array": "JSONArray",
    "object": "JSONObject",
    "null": "Null",
}


def _text(value: Member) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is(value: Member, kind: str) -> bool:
    return _IS[kind](value)


def _is_number(value: Member) -> bool:
    return not isinstance(value, bool) and bool(_NUMBER.fullmatch(str(value)))


_IS: Mapping[str, Callable[[Member], bool]] = {
    "string": lambda value: isinstance(value, str | int | float | bool),
    "integer": lambda value: _is_number(value) and float(str(value)).is_integer(),
    "number": _is_number,
    "boolean": lambda value: str(value).lower() in {"true", "false"},
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _found(value: Member) -> str:
    for kind in ("boolean", "array", "object"):
        if not isinstance(value, str) and _is(value, kind):
            return _NAMES[kind]
    return "String" if isinstance(value, str) else "Number"


def _bounds(schema: Schema, value: Member, path: str) -> Iterator[str]:
    """Yield what is wrong with the length, the form or the size of a scalar."""
    if "string" in _listed(schema.get("type", "string")):
        text = str(value)
        if len(text) > schema.get("maxLength", len(text)):
            yield f"{path}: expected maxLength: {schema['maxLength']}, actual: {len(text)}"
        if len(text) < schema.get("minLength", 0):
            yield f"{path}: expected minLength: {schema['minLength']}, actual: {len(text)}"
        pattern = _compiled(schema["pattern"]) if "pattern" in schema else None
        if pattern is not None and not pattern.search(text):
            yield f"{path}: string [{text}] does not match pattern {schema['pattern']}"
    if _is_number(value) and {"integer", "number"}.intersection(_listed(schema.get("type", "string"))):
        size = float(str(value))
        if size < schema.get("minimum", size):
            yield f"{path}: {value} is not greater or equal to {schema['minimum']}"
        if size > schema.get("maximum", size):
            yield f"{path}: {value} is not less or equal to {schema['maximum']}"


def _count(schema: Schema, size: int, path: str, keyword: str, word: str) -> Iterator[str]:
    least, most = schema.get(f"min{keyword}", 0), schema.get(f"max{keyword}", size)
    if size < least:
        yield f"{path}: expected minimum {word} count: {least}, found: {size}"
    if size > most:
        yield f"{path}: expected maximum {word} count: {most}, found: {size}"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern; None if Python cannot read the schema's dialect, or if it is escaped twice.

    Such a one, of AWS::Connect::TestCase's telephone numbers, asks for a backslash and would refuse every number.
    """
    # evidence: test-case-number-pattern
    if _ESCAPED_TWICE.search(pattern):
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
