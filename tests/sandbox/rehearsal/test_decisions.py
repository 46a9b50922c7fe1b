from typing import Any

import pytest
from connect_sandbox.rehearsal import CannotPlayError, Conditions, Queue, RehearsalError
from connect_sandbox.rehearsal.comparison import matches
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rehearsal import INSTANCE, block, hang_up, say

QUEUE = Queue(
    arn=f"{INSTANCE}/queue/q-1",
    name="Support",
    contacts_in_queue=7,
    oldest_contact_age=90,
    agents_available=0,
)


@pytest.mark.parametrize(
    ("operator", "value", "operand", "met"),
    [
        ("Equals", "true", "true", True),
        ("Equals", "True", "true", False),
        ("Equals", "1.0", "1", False),
        ("Equals", None, "x", False),
        ("TextStartsWith", "gold card", "gold", True),
        ("TextEndsWith", "gold card", "card", True),
        ("TextContains", "gold card", "d c", True),
        ("TextContains", "gold", "Gold", False),
        ("NumberGreaterThan", "10", "9", True),
        ("NumberGreaterThan", "9", "9", False),
        ("NumberGreaterOrEqualTo", "9.0", "9", True),
        ("NumberLessThan", "-1", "0.5", True),
        ("NumberLessOrEqualTo", "0.1", "0.10", True),
        ("NumberLessThan", "ten", "11", False),
        ("NumberLessThan", "NaN", "11", False),
        ("NumberGreaterThan", "Infinity", "11", False),
        ("NumberGreaterThan", None, "11", False),
    ],
)
def test_operators(operator: str, value: str | None, operand: str, met: bool) -> None:
    assert matches(operator, value, operand) is met


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_number_operators_order_numbers_as_numbers(left: Any, right: Any) -> None:
    assert matches("NumberLessThan", str(left), str(right)) == (left < right)
    assert matches("NumberGreaterOrEqualTo", str(left), str(right)) == (left >= right)


def compare(value: str, *when: tuple[str, str, str]) -> dict[str, Any]:
    return block(
        "compare",
        "Compare",
        "none",
        errors={"NoMatchingCondition": "none"},
        when=list(when),
        ComparisonValue=value,
    )


YES, NO = say("yes", "Yes.", "bye"), say("none", "None.", "bye")


@pytest.mark.parametrize(("tier", "heard"), [("gold", "Yes."), ("silver", "None."), (None, "None.")])
def test_compare_takes_the_condition_that_is_met(world: Any, tier: str | None, heard: str) -> None:
    attributes = {"tier": tier} if tier else {}
    flow = compare("$.Attributes.tier", ("Equals", "bronze", "none"), ("Equals", "gold", "yes"))
    world.plays(flow, YES, NO, hang_up(), attributes=attributes).hears(heard)


def test_conditions_are_tried_in_order(world: Any) -> None:
    flow = compare("$.Attributes.n", ("NumberGreaterThan", "60", "none"), ("NumberGreaterThan", "2", "yes"))
    world.plays(flow, YES, NO, hang_up(), attributes={"n": "5"}).hears("Yes.")


def test_an_unknown_operator_or_namespace_stops_the_contact_by_name(world: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"cannot play compare \(Compare\): unknown operator 'Like'"):
        world.plays(compare("$.Channel", ("Like", "x", "yes")), YES, NO, hang_up())
    with pytest.raises(CannotPlayError, match=r"namespace \$\.Campaign.*give setup\.sets\.Campaign") as stop:
        world.plays(compare("$.Campaign.Name", ("Equals", "x", "yes")), YES, NO, hang_up())
    assert (stop.value.kind, stop.value.missing) == ("setup", ("sets", "Campaign"))
    with pytest.raises(CannotPlayError, match=r"namespace \$\.Sales.*neither does Amazon Connect") as stop:
        world.plays(compare("$.Sales.Name", ("Equals", "x", "yes")), YES, NO, hang_up())
    assert (stop.value.kind, stop.value.missing) == ("flow", ())


def test_a_loop_goes_round_and_starts_anew(world: Any) -> None:
    loop = block(
        "loop",
        "Loop",
        "bye",
        when=[("Equals", "ContinueLooping", "again"), ("Equals", "DoneLooping", "done")],
        LoopCount="2",
    )
    contact = world.plays(loop, say("again", "Again.", "loop"), say("done", "Done.", "bye"), hang_up())
    assert contact.visited == ["loop", "again", "loop", "again", "loop", "done", "bye"]


def test_a_flow_that_never_ends_is_named_as_such(world: Any) -> None:
    loops = [say("ping", "Ping.", "pong"), say("pong", "Pong.", "ping")]
    with pytest.raises(
        RehearsalError,
        match=r"10,000 blocks. It goes round (ping → pong → ping|pong → ping → pong)\. Let a Loop",
    ):
        world.plays(*loops)


def _hours(**parameters: str) -> list[dict[str, Any]]:
    when = [("Equals", "True", "yes"), ("Equals", "False", "none")]
    hours = block(
        "hours", "CheckHoursOfOperation", "none", errors={"NoMatchingError": "none"}, when=when, **parameters
    )
    return [hours, YES, NO, hang_up()]


@pytest.mark.parametrize(("is_open", "heard"), [(True, "Yes."), (False, "None.")])
def test_hours_are_as_the_scenario_says(world: Any, is_open: bool, heard: str) -> None:
    conditions = Conditions(hours={"h-1": is_open})
    world.plays(*_hours(HoursOfOperationId=f"{INSTANCE}/operating-hours/h-1"), conditions=conditions).hears(
        heard
    )


def test_hours_that_the_scenario_does_not_give_stop_the_contact(world: Any) -> None:
    with pytest.raises(CannotPlayError, match=r"does not say whether h-2 is open"):
        world.plays(*_hours(HoursOfOperationId="h-2"))


@pytest.mark.parametrize(
    ("metric", "operator", "operand", "heard"),
    [
        ("NumberOfContactsInQueue", "NumberGreaterThan", "5", "Yes."),
        ("NumberOfContactsInQueue", "NumberLessThan", "5", "None."),
        ("OldestContactInQueueAgeSeconds", "NumberGreaterOrEqualTo", "90000", "Yes."),
        ("NumberOfAgentsAvailable", "NumberGreaterThan", "0", "None."),
    ],
)
def test_queue_metrics_are_as_the_scenario_says(
    world: Any, metric: str, operator: str, operand: str, heard: str
) -> None:
    check = block(
        "metric",
        "CheckMetricData",
        "none",
        errors={"NoMatchingError": "none", "NoMatchingCondition": "none"},
        when=[(operator, operand, "yes")],
        MetricType=metric,
        QueueId="q-1",
    )
    world.plays(check, YES, NO, hang_up(), conditions=Conditions(queues=[QUEUE])).hears(heard)


@pytest.mark.parametrize(("dice", "heard"), [(9, "Yes."), (10, "None.")])
def test_chance_follows_the_scenarios_dice(world: Any, dice: int, heard: str) -> None:
    draw = block(
        "draw",
        "DistributeByPercentage",
        "none",
        errors={"NoMatchingCondition": "none"},
        when=[("NumberLessThan", "10", "yes")],
    )
    world.plays(draw, YES, NO, hang_up(), conditions=Conditions(dice=(dice,))).hears(heard)
