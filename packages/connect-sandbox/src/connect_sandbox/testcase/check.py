"""Plays a converted test case on the flow's file, to see that it says what the scenario says that it was made from.

What the contact finds there is what the scenario sets up, save what the test's overrides must bring about: functions
fail, hours are the other way round, no queue is full, and the customer does what the instructions say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from connect_sandbox.rehearsal.conditions import Caller, Conditions
from connect_sandbox.rehearsal.display_names import with_ids
from connect_sandbox.rehearsal.errors import FunctionFailedError
from connect_sandbox.rehearsal.flow_files import read_flow
from connect_sandbox.rehearsal.ports import LambdaAnswer, Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.scenario import Scenario
from connect_sandbox.rehearsal.setup_reader import Setup
from connect_sandbox.testcase.converted import CLOSED_HOURS, FLOW, OPEN_HOURS, TestCase
from connect_sandbox.testcase.document import Document, initial_attributes
from connect_sandbox.testcase.player import TestPlayer, TestResult


def play_test_case(
    test_case: TestCase, scenario: Scenario, flow: Path, values: Mapping[str, str] | None = None
) -> TestResult:
    """Play a test case on the flow of a file, with the values of the scenario that it was made from.

    RehearsalError if the sandbox cannot play what the flow does, InvalidDocumentError if it would be refused.
    """
    setup = scenario.setup
    known = {**(values or {}), **setup.values}
    published = read_flow(flow, known)
    filled = test_case.filled(
        {**known, FLOW: published.arn, OPEN_HOURS: OPEN_HOURS, CLOSED_HOURS: CLOSED_HOURS}
    )
    document = Document.parse(json.dumps(filled["Content"]), filled["EntryPoint"]["Type"])
    initial = filled.get("InitializationData")
    player = TestPlayer(
        document,
        ports=replace(_world(setup, published), functions=_NotMocked()),
        conditions=with_ids(
            _found(setup.conditions), [published, *(read_flow(f, known) for f in setup.files())]
        ),
        channel=setup.channel,
        number=setup.number,
        dialled=setup.dialled,
        attributes=initial_attributes(json.dumps(initial) if initial else None),
    )
    return player.play(published.arn)


def _world(setup: Setup, flow: PublishedFlow) -> Ports:
    """Return the world that a scenario describes."""
    found: list[Ports] = []

    def keep(ports: Ports) -> Ports:
        found.append(ports)
        return ports

    setup.contact(flow, Caller(), world=keep)
    return found[0]


class _NotMocked:
    """The functions that the test does not mock: they are another app's, and fail. A LambdaInvoker."""

    def invoke(self, function_arn: str, event: Mapping[str, Any], *, time_limit: float) -> LambdaAnswer:  # noqa: ARG002
        raise FunctionFailedError(f"the test does not mock {function_arn}")

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:  # noqa: ARG002
        raise FunctionFailedError(f"the test does not mock {function_arn}")


def _found(conditions: Conditions) -> Conditions:
    return replace(
        conditions,
        queues=[replace(queue, at_capacity=False) for queue in conditions.queues],
        hours={
            **{name: not is_open for name, is_open in conditions.hours.items()},
            OPEN_HOURS: True,
            CLOSED_HOURS: False,
        },
        outcomes={},
        dice=(),
        agent=None,
        bot=None,
        customer_returns_after=None,
        outbound_call_status=None,
    )
