"""Runs a command line of the AWS CLI by boto3, so that what our commands print to be pasted is what AWS takes.

Strict: an operation, an option or a value that AWS's own service model does not know is an error.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from connect_sandbox.moto_internals import item_of, members_of

_GLOBAL = {"region", "query", "output", "profile"}


class AwsCommandError(ValueError):
    """The command line is not one that the AWS CLI would take."""


def call(command: str, client: Callable[[str], Any], files: Mapping[str, str]) -> Any:  # noqa: ANN401 (boto3's answer)
    """Run `aws SERVICE OPERATION --option value …`. `client` makes boto3's clients; `files` are what file://NAME holds.

    Raises AwsCommandError naming what the AWS CLI would not take, and whatever boto3 raises.
    """
    words = shlex.split(command)
    if words[:1] != ["aws"] or len(words) < 3:
        raise AwsCommandError(f"{command!r} is no command of the AWS CLI")
    made = client(words[1])
    method = words[2].replace("-", "_")
    if method not in made.meta.method_to_api_mapping:
        raise AwsCommandError(f"aws {words[1]} has no command {words[2]}")
    operation = made.meta.service_model.operation_model(made.meta.method_to_api_mapping[method])
    return getattr(made, method)(**_arguments(words[3:], operation, files))


def _arguments(words: list[str], operation: OperationModel, files: Mapping[str, str]) -> dict[str, Any]:
    shape = operation.input_shape
    members: Mapping[str, Shape] = members_of(shape) if isinstance(shape, StructureShape) else {}
    by_option = {xform_name(name, "-"): (name, member) for name, member in members.items()}
    found: dict[str, Any] = {}
    left = list(words)
    while left:
        option = left.pop(0)
        if not option.startswith("--"):
            raise AwsCommandError(f"{option!r} is no option of {operation.name}")
        option = option[2:]
        if option in _GLOBAL:
            left.pop(0)
            continue
        flag = by_option.get(option.removeprefix("no-"))
        if flag and flag[1].type_name == "boolean":
            found[flag[0]] = not option.startswith("no-")
            continue
        if option not in by_option or not left:
            raise AwsCommandError(f"{operation.name} has no option --{option}, or it lacks its value")
        name, member = by_option[option]
        values = [left.pop(0)]
        while left and not left[0].startswith("--"):
            values.append(left.pop(0))
        found[name] = _value(values, member, files)
    return found


def _value(values: list[str], shape: Shape, files: Mapping[str, str]) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(shape, ListShape):
        return [_item(value, item_of(shape)) for value in values]
    if len(values) != 1:
        raise AwsCommandError(f"{' '.join(values)!r} is more than one value")
    [text] = values
    text = files[text.removeprefix("file://")] if text.startswith("file://") else text
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "double" | "float":
            return float(text)
        case "string":
            return text
    raise AwsCommandError(f"{text!r}: values of type {shape.type_name} are not read")


def _item(text: str, shape: Shape) -> Any:  # noqa: ANN401 (JSON)
    """Read an item of a list: a text, or the CLI's shorthand key=value,key=value."""
    if not isinstance(shape, StructureShape):
        return text
    parts = re.findall(r"(\w+)=([^,]*)", text)
    unknown = {key for key, _ in parts} - set(members_of(shape))
    if unknown or not parts:
        raise AwsCommandError(f"{text!r} is no {shape.name}")
    return dict(parts)
