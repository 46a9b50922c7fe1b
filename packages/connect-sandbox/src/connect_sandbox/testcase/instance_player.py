"""Plays the test cases of a sandbox's instance on what is deployed to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from connect_sandbox.cloud.connect_state import Instance
from connect_sandbox.cloud.errors import NotEmulatedError
from connect_sandbox.cloud.test_cases import Played, TestCase, flow_of
from connect_sandbox.rehearsal.canned_vendor import CannedVendor
from connect_sandbox.rehearsal.conditions import Conditions, Queue
from connect_sandbox.rehearsal.contact import EXAMPLE_NUMBER
from connect_sandbox.rehearsal.errors import NoSuchFlowError, RehearsalError
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.testcase.document import (
    Document,
    EntryPointType,
    InvalidDocumentError,
    entry_point_problem,
    initial_attributes,
)
from connect_sandbox.testcase.player import Record, TestPlayer

if TYPE_CHECKING:
    from connect_sandbox.cloud.sandbox import Sandbox


class InstancePlayer:
    """Checks test cases, and plays them with the deployed flows and functions. A cloud.test_cases.Player.

    `conditions` are what a test finds in the instance and the sandbox cannot know: hours, recordings, a bot's
    understanding, agents. Its queues are those of the instance.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.conditions = Conditions()

    def problems(self, test_case: TestCase) -> list[str]:
        """Return what the service reports of a test case; empty if it can be run."""
        entry_point = test_case.entry_point or {}
        problem = entry_point_problem(entry_point)
        if problem is not None:
            return [problem]
        try:
            Document.parse(test_case.content, _type(entry_point))
            initial_attributes(test_case.initialization_data)
        except InvalidDocumentError as invalid:
            return invalid.problems
        return []

    def play(self, instance: Instance, test_case: TestCase, *, fails: str = "") -> Played:
        """Play a test case; NotEmulatedError if the sandbox cannot."""
        from connect_sandbox.rehearsal.cloud_ports import (  # noqa: PLC0415  (it imports the sandbox)
            AssociatedConnectors,
            DeployedFunctions,
            PublishedFlows,
        )
        from connect_sandbox.rehearsal.left_behind import LeftBehind, flow_of_number  # noqa: PLC0415

        document = Document.parse(test_case.content, _type(test_case.entry_point or {}))
        if fails:
            told = {"Type": "COMPLETION", "CompletionReason": {"Type": "FAILURE", "Message": fails,
                    "FailureReasons": ["INITIALIZATION_FAILURE"]}}  # fmt: skip
            failed = Record(0.0, "", "FAILED", told)
            return Played("FAILED", 1.0, (failed,), len(document.observations), 0)
        entry_point = test_case.entry_point or {}
        call = entry_point.get("VoiceCallEntryPointParameters") or {}
        flow = flow_of(entry_point)
        sandbox, arn = self._sandbox, instance.arn
        try:
            flow_arn = (
                instance.flow(flow).arn
                if flow
                else flow_of_number(sandbox, call["DestinationPhoneNumber"])[1]
            )
            player = TestPlayer(
                document,
                ports=Ports(
                    flows=PublishedFlows(sandbox, arn),
                    functions=DeployedFunctions(sandbox, arn),
                    external_voice=AssociatedConnectors(sandbox, arn, CannedVendor(())),
                    records=LeftBehind(sandbox, arn),
                    run=sandbox.run,
                ),
                conditions=_of_instance(self.conditions, instance),
                channel="CHAT" if entry_point.get("Type") == "CHAT" else "VOICE",
                number=call.get("SourcePhoneNumber", "+12065550142"),
                dialled=call.get("DestinationPhoneNumber", EXAMPLE_NUMBER),
                attributes=initial_attributes(test_case.initialization_data),
                instance_arn=arn,
            )
            result = player.play(flow_arn)
        except NoSuchFlowError as gone:
            return self.play(instance, test_case, fails=f"INITIALIZATION_FAILURE: {gone}")
        except RehearsalError as unplayable:
            raise NotEmulatedError(f"the test case {test_case.name}", str(unplayable)) from unplayable
        return Played(result.status, result.seconds, tuple(result.records), result.total, result.passed)


@dataclass(frozen=True, kw_only=True)
class _AnyQueue(Conditions):
    """The queues of an instance made by hand: every id names one that is there, but for those said to be absent."""

    instance: Instance

    def queue(self, arn_or_id: str) -> Queue | None:
        short = arn_or_id.rsplit("/", 1)[-1]
        known = super().queue(arn_or_id)
        if known is not None or not short or short in self.instance.absent_queues:
            return known
        return Queue(arn=f"{self.instance.arn}/queue/{short}", name=f"Queue {short[:8]}")


def _of_instance(conditions: Conditions, instance: Instance) -> Conditions:
    queues = [Queue(arn=part.arn, name=part.name) for part in instance.parts.values() if part.kind == "Queue"]
    found = replace(conditions, queues=[*conditions.queues, *queues])
    if instance.created:
        return found
    own: dict[str, Any] = {name: getattr(found, name) for name in Conditions.__dataclass_fields__}
    return _AnyQueue(**own, instance=instance)


def _type(entry_point: dict[str, Any]) -> EntryPointType:
    return cast("EntryPointType", entry_point.get("Type", "VOICE_CALL"))
