"""A world in memory: flows, functions and a third party that a test writes down in place."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Contact,
    DialOutcome,
    Invite,
    LambdaAnswer,
    LambdaInvocationError,
    Line,
    NoSuchFlowError,
    Ports,
    PublishedFlow,
)

from tests.support.rehearsal import INSTANCE

Answer = Any
ThirdParty = Callable[[Invite, Line], DialOutcome]


class World:
    """Every port at once. `answers` are used one per invocation: a payload, or an error to raise."""

    def __init__(self) -> None:
        self.published: dict[str, PublishedFlow] = {}
        self.answers: list[Answer] = []
        self.seconds = 0.01
        self.events: list[dict[str, Any]] = []
        self.time_limits: list[float] = []
        self.invites: list[Invite] = []
        self.third_party: ThirdParty | None = None

    def publishes(self, name: str, *blocks: dict[str, Any], kind: str = "CONTACT_FLOW") -> str:
        arn = f"{INSTANCE}/contact-flow/{name}"
        content = {"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Actions": list(blocks)}
        self.published[arn] = PublishedFlow.parse(json.dumps(content), arn=arn, name=name, type=kind)
        return arn

    def plays(self, *blocks: dict[str, Any], **contact: Any) -> Contact:
        """Publish the blocks as a flow and let a contact call it."""
        return self.contact(**contact).calls(self.publishes("main", *blocks))

    def contact(self, **contact: Any) -> Contact:
        return Contact(
            Ports(flows=self, functions=self, external_voice=self), instance_arn=INSTANCE, **contact
        )

    def flow(self, arn_or_id: str) -> PublishedFlow:
        if arn_or_id not in self.published:
            raise NoSuchFlowError(f"there is no flow {arn_or_id!r}")
        return self.published[arn_or_id]

    module = flow

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:
        self.events.append(json.loads(json.dumps({"function": function_arn, **event})))
        self.time_limits.append(time_limit)
        answer = self.answers.pop(0)
        if isinstance(answer, LambdaInvocationError):
            raise answer
        return LambdaAnswer(answer, len(json.dumps(answer, ensure_ascii=False).encode()), self.seconds)

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:
        self.events.append(json.loads(json.dumps({"function": function_arn, **event})))
        return "request-1"

    def dial(self, invite: Invite, *, time_limit: float, line: Line) -> DialOutcome:
        self.invites.append(invite)
        self.time_limits.append(time_limit)
        assert self.third_party is not None, "nobody was expected to be dialled"
        return self.third_party(invite, line)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def write_flow(tmp_path: Path) -> Callable[[list[dict[str, Any]], dict[str, str]], Path]:
    """Return what writes blocks and Metadata into a file that can be called."""

    def write(blocks: list[dict[str, Any]], metadata: dict[str, str]) -> Path:
        content = {
            "Version": "2019-10-30",
            "StartAction": blocks[0]["Identifier"],
            "Metadata": metadata,
            "Actions": blocks,
        }
        path = tmp_path / "flow.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def new_world() -> Callable[[], World]:
    """Return what makes worlds, for tests that need many."""
    return World
