"""The cases: what is sent, what AWS answered, and who says so. One file of JSON for each area.

A file has `title`, `sources` (name: where it is, `kind`: see KINDS) and `cases`. A case has `id`, `kind` (which the
area's driver knows), `sent`, `answered`, `source` (a source's name, then the test or the section), `validated` (the day
on which AWS answered, where that is known) and, where the sandbox answers otherwise, `disagrees`: why, and what it does
instead.

In `sent`, ${name} stands for something that the driver has made: ${account}, ${region}, ${topic}. In `answered`, <name>
stands for a text that differs each time, and <absent> for a member that is not there; what a case does not list is not
compared. Of a message, only the first line is: the others are where in the JSON AWS's parser was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from connect_sandbox.cloud import Sandbox

KINDS = {
    "recorded": "from tests that were run against AWS",
    "published": "from what AWS's own documents and code say",
    "reported": "from what users report",
}
_PLACEHOLDER = re.compile(r"<[a-z][a-z0-9 -]*>")
_ABSENT = "<absent>"


@dataclass(frozen=True)
class Source:
    """Where cases are from."""

    where: str
    kind: str


@dataclass(frozen=True)
class Case:
    """One fact: AWS was sent this, and answered so."""

    id: str
    kind: str
    sent: Any
    answered: Any
    source: str
    validated: str
    disagrees: str


@dataclass(frozen=True)
class Area:
    """The cases of one area."""

    name: str
    title: str
    sources: dict[str, Source]
    cases: tuple[Case, ...]


@cache
def areas() -> tuple[Area, ...]:
    """Return all areas, in the order of their titles."""
    found = [_area(path) for path in Path(__file__).parent.glob("*.json")]
    return tuple(sorted(found, key=lambda area: area.title))


def area(name: str) -> Area:
    """Return one area by the name of its file."""
    return next(one for one in areas() if one.name == name)


def _area(path: Path) -> Area:
    document = json.loads(path.read_text())
    return Area(
        name=path.stem,
        title=document["title"],
        sources={name: Source(**source) for name, source in document["sources"].items()},
        cases=tuple(
            Case(**{"validated": "", "disagrees": "", "answered": {}, **case}) for case in document["cases"]
        ),
    )


def agrees(answered: Any, observed: Any) -> bool:
    """Return whether the sandbox's answer has everything that AWS's had, as far as the case lists it."""
    if answered == _ABSENT:
        return observed is None
    if isinstance(answered, Mapping):
        return isinstance(observed, Mapping) and all(
            agrees(value, observed.get(name)) for name, value in answered.items()
        )
    if isinstance(answered, list):
        return (
            isinstance(observed, list)
            and len(answered) == len(observed)
            and all(map(agrees, answered, observed))
        )
    if isinstance(answered, str) and isinstance(observed, str):
        return _pattern(answered).fullmatch(observed) is not None
    return type(answered) is type(observed) and bool(answered == observed)


@cache
def _pattern(answered: str) -> re.Pattern[str]:
    return re.compile(".+?".join(map(re.escape, _PLACEHOLDER.split(answered))), re.DOTALL)


def fill(sent: Any, names: Mapping[str, str]) -> Any:
    """Return `sent` with every ${name} that is among the names replaced; others stay (they are CloudFormation's)."""
    if isinstance(sent, str):
        for name, value in names.items():
            sent = sent.replace("${" + name + "}", value)
        return sent
    if isinstance(sent, list):
        return [fill(item, names) for item in sent]
    if isinstance(sent, dict):
        return {fill(name, names): fill(value, names) for name, value in sent.items()}
    return sent


def error_of(error: ClientError) -> dict[str, Any]:
    """Return an error as cases tell it: code, first line of the message, HTTP status.

    The further lines are the position in the JSON that AWS's parser reached.
    """
    told = error.response["Error"]
    message = str(told.get("Message", "")).partition("\n")[0]
    return {
        "code": told["Code"],
        "message": message,
        "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
    }


def called(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call an operation of boto3; return its answer with `status`, or its error."""
    try:
        answer = getattr(client, operation)(**parameters)
    except ClientError as error:
        return error_of(error)
    except BotoCoreError as error:
        return {"code": type(error).__name__, "message": str(error), "status": 500}
    return {**answer, "status": answer["ResponseMetadata"]["HTTPStatusCode"]}


@dataclass(frozen=True)
class Verdict:
    """What became of a case."""

    case: Case
    observed: Any

    @property
    def agrees(self) -> bool:
        """Whether the sandbox answers as AWS did."""
        return agrees(self.case.answered, self.observed)

    @property
    def told(self) -> str:
        """What was sent, answered and observed, for whoever has to look into it."""
        return (
            f"{self.case.id}\n  sent     {json.dumps(self.case.sent, default=str)[:1500]}"
            f"\n  AWS      {json.dumps(self.case.answered)}\n  sandbox  {json.dumps(self.observed, default=str)[:1500]}"
        )


def unexpected(verdicts: Iterable[Verdict]) -> list[str]:
    """Tell each case that disagrees and is not marked so, or is marked and agrees."""
    return [verdict.told for verdict in verdicts if verdict.agrees is bool(verdict.case.disagrees)]


def plain_client(sandbox: Sandbox, service: str) -> Any:
    """Return a client that sends what it is given, right or wrong, and sends it once."""
    return boto3.client(
        service,
        endpoint_url=sandbox.endpoint_url,
        region_name=sandbox.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False, retries={"max_attempts": 1, "mode": "standard"}),
    )
