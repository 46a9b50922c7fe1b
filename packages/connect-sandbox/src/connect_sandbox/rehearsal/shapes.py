"""Checks that a block's parameters have the right JSON types, so that no block has to.

Amazon Connect refuses to publish a flow where they do not; the linter says more (CF1xx).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connect_flows import Block
from connect_flows.knowledge import ParameterSpec

from connect_sandbox.rehearsal.values import Json

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "integer": ((str, int), "a number in quotes"),
    "object": ((Mapping,), "a JSON object"),
    "map": ((Mapping,), "a JSON object"),
    "array": ((list,), "a list"),
}


def misshapen(block: Block) -> str | None:
    """Return what is wrong with the shape of the block's parameters, None if nothing is."""
    spec = block.spec
    return None if spec is None else next(_in_object(block.parameters, spec.parameters, ""), None)


def _in_object(values: Mapping[str, Json], specs: Mapping[str, ParameterSpec], path: str) -> Iterator[str]:
    for name, value in values.items():
        if name in specs:
            yield from _in_value(value, specs[name], f"{path}{name}")


def _in_value(value: Json, spec: ParameterSpec, path: str) -> Iterator[str]:
    types, told = _TYPES.get(spec.type, ((object,), ""))
    if not isinstance(value, types) or (spec.type == "integer" and isinstance(value, bool)):
        yield f"{path} must be {told}, is {value!r}: Amazon Connect refuses such a flow (lint says more)"
    elif isinstance(value, Mapping):
        yield from _in_object(value, spec.properties or {}, f"{path}.")
        if spec.values is not None:
            for key, inner in value.items():
                yield from _in_value(inner, spec.values, f"{path}.{key}")
    elif isinstance(value, list) and spec.items is not None:
        for index, inner in enumerate(value):
            yield from _in_value(inner, spec.items, f"{path}[{index}]")
