"""What a check is, what it finds, and what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stacks.settings import Settings

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    ``fix`` is empty if all is well; ``blocking`` says whether a deploy would fail, or deploy what cannot work.
    """

    check: str
    found: str
    fix: str = ""
    blocking: bool = True

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return not self.fix


class Aws:
    """The account and Region of an environment, as checks ask it."""

    def __init__(self, client: Client) -> None:
        """Ask through ``client``, which makes a boto3 client of the environment's Region by service name."""
        self._client = client
        self._outputs: dict[str, Mapping[str, str] | None] = {}

    def client(self, service: str) -> Any:  # noqa: ANN401 (a boto3 client)
        """Return a boto3 client."""
        return self._client(service)

    def pages(self, service: str, operation: str, key: str, **arguments: str) -> Iterator[Any]:
        """Yield the items that a paged operation lists under a key."""
        for page in self.client(service).get_paginator(operation).paginate(**arguments):
            yield from page[key]

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        """Return the outputs of a stack; None if it is not deployed. Asked once."""
        if stack not in self._outputs:
            self._outputs[stack] = self._read_outputs(stack)
        return self._outputs[stack]

    def _read_outputs(self, stack: str) -> Mapping[str, str] | None:
        try:
            described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in error.response["Error"]["Message"]:
                raise
            return None
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        return outputs or None  # a stack whose creation failed has none


@dataclass(frozen=True)
class Check:
    """Something to look at. ``blocking``: whether not being allowed to look stops a deploy."""

    name: str
    look: Callable[[Settings, Aws], Finding]
    blocking: bool = True


def finding_of(check: Check, settings: Settings, aws: Aws) -> Finding:
    """Return what a check finds; that AWS does not answer is a finding as well."""
    try:
        return check.look(settings, aws)
    except ClientError as error:
        reason = error.response["Error"]
        return Finding(
            check.name,
            f"{reason['Code']}: {reason['Message']}",
            f"let your role call {error.operation_name}",
            check.blocking,
        )
    except BotoCoreError as error:
        return Finding(check.name, str(error), "configure AWS credentials and a network that reaches AWS")


def stack_name(environment: str, capability: str) -> str:
    """Return the name of an environment's stack (stage.py); capability: voice, chat or biometrics."""
    return f"connect-bridges-{environment}-{capability}"


def value(outputs: Mapping[str, str], name: str) -> str:
    """Return an output's value for use in a sentence, its name in angle brackets if it is not deployed yet."""
    return outputs.get(name, f"<{name}>")


def end(outputs: Mapping[str, str], name: str) -> str:
    """Return the id at the end of an output's ARN for use in a sentence."""
    return outputs[name].rpartition("/")[2] if name in outputs else f"<id at the end of {name}>"
