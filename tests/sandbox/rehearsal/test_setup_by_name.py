"""What a scenario says by the console's names, in place of flows that it has no file of, and of earlier flows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.rehearsal.cli import play
from connect_sandbox.rehearsal.reading import ScenarioError
from connect_sandbox.rehearsal.scenario import ScenarioFile

from tests.support.rehearsal import INSTANCE, block, hang_up, say

QUEUE = f"{INSTANCE}/queue/aaaaaaaa-0000-4000-8000-000000000001"
HOURS = f"{INSTANCE}/operating-hours/aaaaaaaa-0000-4000-8000-000000000002"
OTHER = f"{INSTANCE}/contact-flow/aaaaaaaa-0000-4000-8000-000000000003"
ERROR = {"NoMatchingError": "bye"}


def named(**parameters: str) -> dict[str, Any]:
    return {"parameters": {key: {"displayName": name} for key, name in parameters.items()}}


@pytest.fixture
def outcome(tmp_path: Path) -> Any:
    """Play one scenario of a flow; return what went wrong, None if nothing did."""

    def of(scenario: str, *blocks: dict[str, Any], metadata: dict[str, Any] | None = None) -> str | None:
        content = {
            "Version": "2019-10-30",
            "StartAction": blocks[0]["Identifier"],
            "Metadata": {"ActionMetadata": metadata or {}},
            "Actions": list(blocks),
        }
        (tmp_path / "flow.json").write_text(json.dumps(content), encoding="utf-8")
        (tmp_path / "flow.yaml").write_text(scenario, encoding="utf-8")
        (one,) = play([ScenarioFile.load(tmp_path / "flow.yaml")], tmp_path / "flow.json")
        return one.problem

    return of


def test_queues_hours_and_flows_are_called_what_the_console_calls_them(outcome: Any) -> None:
    blocks = (
        block("hours", "CheckHoursOfOperation", "bye", errors=ERROR, HoursOfOperationId=HOURS,
              when=[("Equals", "True", "queue"), ("Equals", "False", "other")]),
        block("queue", "UpdateContactTargetQueue", "join", errors=ERROR, QueueId=QUEUE),
        block("join", "TransferContactToQueue", "bye", errors={"QueueAtCapacity": "bye", **ERROR}),
        block("other", "TransferToFlow", "bye", errors=ERROR, ContactFlowId=OTHER),
        hang_up(),
    )  # fmt: skip
    metadata = {
        "hours": named(HoursOfOperationId="Weekdays"),
        "queue": named(QueueId="Support"),
        "other": named(ContactFlowId="Billing"),
    }
    told = "setup: {hours: {Weekdays: open}, queues: {Support: {}}}\nexpect: {ends: {queued: Support}}"
    assert outcome(told, *blocks, metadata=metadata) is None
    told = "setup: {hours: {Weekdays: closed}, flows: {Billing: stand-in}}\nexpect: {ends: flow ended}"
    assert outcome(told, *blocks, metadata=metadata) is None
    told = "setup: {hours: {Weekdays: closed}, flows: {Billing: null}}\nexpect: {ends: disconnected}"
    assert outcome(told, *blocks, metadata=metadata) is None


def test_a_name_stands_for_its_own_kind_only(outcome: Any) -> None:
    blocks = (
        block("queue", "UpdateContactTargetQueue", "other", errors=ERROR, QueueId=QUEUE),
        block("other", "TransferToFlow", "bye", errors=ERROR, ContactFlowId=OTHER),
        hang_up(),
    )
    metadata = {"queue": named(QueueId="Support"), "other": named(ContactFlowId="Support")}
    problem = outcome("setup: {queues: {Support: {}}}\nexpect: {}", *blocks, metadata=metadata)
    assert "does not say which file the flow" in problem
    told = "setup: {queues: {Support: {}}, flows: {Support: stand-in}}\nexpect: {ends: flow ended}"
    assert outcome(told, *blocks, metadata=metadata) is None


def test_a_module_that_stands_in_returns_at_once(outcome: Any) -> None:
    blocks = (
        block("call", "InvokeFlowModule", "after", errors=ERROR, FlowModuleId="check"),
        say("after", "The module is over.", "bye"),
        hang_up(),
    )
    told = "setup: {modules: {check: stand-in}}\nexpect: {hears: [The module is over.], ends: disconnected}"
    assert outcome(told, *blocks) is None


def test_namespaces_hold_what_earlier_flows_have_left(outcome: Any, tmp_path: Path) -> None:
    blocks = (say("greet", "$.External.name, $.Customer.Town, $.Attributes.tier", "bye"), hang_up())
    told = """
setup: {sets: {External: {name: Ada, age: "36"}, Customer: {Town: Paris}, Attributes: {tier: gold}}}
expect: {hears: ["Ada, Paris, gold"], attributes: {tier: gold}}
"""
    assert outcome(told, *blocks) is None
    shared = """
setup: {sets: {External: {name: Ada}, Customer: {Town: Paris}, Attributes: {tier: gold}}}
scenarios:
  - name: another name
    setup: {sets: {External: {name: Grace}}}
    expect: {hears: ["Grace, Paris, gold"]}
"""
    assert outcome(shared, *blocks) is None
    with pytest.raises(ScenarioError, match=r"setup\.sets .* Attributes must be an object of texts"):
        outcome("setup: {sets: {Attributes: gold}}\nexpect: {}", *blocks)
