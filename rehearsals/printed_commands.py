"""Run what a page prints for the AWS CLI, without the AWS CLI: as boto3 calls, judged by AWS's own service models."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_WITHIN = re.compile(r"\$\(([^()]*)\)")
_IN_CAPITALS = re.compile(r"\b[A-Z]+(?:_[A-Z]+)*_IDS?\b")
_GLOBAL = ("--region", "--query", "--output")


class CommandError(Exception):
    """The AWS CLI would not take the command; the message has it, and says why."""


@dataclass(frozen=True)
class AwsCommand:
    """A command of the AWS CLI: ``aws SERVICE OPERATION --parameter value …``."""

    text: str
    service: str
    operation: Any
    parameters: Mapping[str, Any]
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The method of a boto3 client that is the same operation."""
        return str(xform_name(self.operation.name))

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method.startswith(("get_", "list_", "describe_", "filter_"))

    @property
    def complete(self) -> bool:
        """Whether the reader has nothing to fill in."""
        return not _IN_CAPITALS.search(self.text) and "file://" not in self.text and "$(" not in self.text

    def run(self, client: Callable[[str], Any]) -> str:
        """Return what the command prints. client: makes a boto3 client for a service."""
        answer = getattr(client(self.service), self.method)(**self.parameters)
        found = jmespath.search(self.options["--query"], answer) if "--query" in self.options else answer
        return _printed(found) if self.options.get("--output") == "text" else json.dumps(found, default=str)


def listings(markdown: str) -> list[str]:
    """Return the blocks of a page that are for a shell."""
    return _FENCE.findall(markdown)


def aws_commands(markdown: str) -> list[AwsCommand]:
    """Return the commands for the AWS CLI on a page, those within others as well. Raises ``CommandError``."""
    return [
        _command(line)
        for listing in listings(markdown)
        for part in _unfolded(listing)
        for line in part
        if line.startswith("aws ")
    ]


def _unfolded(listing: str) -> list[list[str]]:
    """Return each line of a listing after what is within it; what was within stands as a text in its place."""
    found = []
    for line in listing.replace("\\\n", " ").splitlines():
        outer, inner = line.strip(), []
        while within := _WITHIN.search(outer):
            inner.append(within[1].strip())
            outer = f"{outer[: within.start()]}…{outer[within.end() :]}"
        alone = re.sub(r"^\(umask 077; (.*) > \S+\)$", r"\1", outer)
        found.append([*inner, alone.partition(" | ")[0]])
    return found


def _command(text: str) -> AwsCommand:
    _, service, name, *words = shlex.split(text)
    try:
        model = _model(service)
    except UnknownServiceError as error:
        raise CommandError(f"there is no service {service}: {text}") from error
    operation = next(
        (model.operation_model(each) for each in model.operation_names if xform_name(each, "-") == name),
        None,
    )
    if operation is None or operation.input_shape is None:
        raise CommandError(f"{service} has no operation {name}: {text}")
    parameters, options = _arguments(words, operation.input_shape, text)
    if missing := set(operation.input_shape.required_members) - set(parameters):
        raise CommandError(f"{', '.join(sorted(missing))} is missing: {text}")
    if "--region" not in options:
        raise CommandError(f"no --region, so it may ask elsewhere: {text}")
    if "--query" in options:
        jmespath.compile(options["--query"])
    return AwsCommand(text, service, operation, parameters, options)


@cache
def _model(service: str) -> Any:  # noqa: ANN401 (botocore has no types)
    return botocore.session.get_session().get_service_model(service)


def _arguments(
    words: Sequence[str],
    shape: Any,  # noqa: ANN401 (botocore has no types)
    text: str,
) -> tuple[dict[str, Any], dict[str, str]]:
    members = {f"--{xform_name(name, '-')}": name for name in shape.members}
    parameters: dict[str, Any] = {}
    options: dict[str, str] = {}
    at = 0
    while at < len(words):
        word = words[at]
        values = []
        at += 1
        while at < len(words) and not words[at].startswith("--"):
            values.append(words[at])
            at += 1
        if word in _GLOBAL and len(values) == 1:
            options[word] = values[0]
        elif (
            word in members and (taken := _taken(shape.members[members[word]].type_name, values)) is not None
        ):
            parameters[members[word]] = taken
        else:
            raise CommandError(f"{word} {' '.join(values)} is nothing that it takes: {text}")
    return parameters, options


def _taken(kind: str, values: Sequence[str]) -> str | int | bool | list[str] | None:
    """Return what follows a parameter as a value of its kind; None if it is none."""
    match kind, values:
        case "boolean", []:
            return True
        case "list", [_, *_]:
            return list(values)
        case "integer" | "long", [number] if number.isdecimal():
            return int(number)
        case "string" | "blob", [text]:
            return text
    return None


def _printed(found: Any) -> str:  # noqa: ANN401 (whatever the query finds)
    """Return a value as ``--output text`` prints it."""
    if not isinstance(found, list):
        return str(found)
    if any(isinstance(each, list) for each in found):
        return "\n".join("\t".join(map(_printed, each)) for each in found)
    return "\t".join(map(_printed, found))
