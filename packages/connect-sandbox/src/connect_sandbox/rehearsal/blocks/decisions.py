"""Blocks that choose a branch: Compare, Loop, hours of operation, queue metrics, chance.

Source: flow language, flow control actions.
"""

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.conditions import Queue
from connect_sandbox.rehearsal.stage import Stage
from connect_sandbox.rehearsal.steps import Decides, Fails, Next, Step

BLOCKS = Registry()

MAXIMUM_LOOPS = 100


@BLOCKS.plays("Compare", "ComparisonValue")
def compare(stage: Stage) -> Step:
    """Branch on the value of one reference."""
    written = str(stage.parameter("ComparisonValue") or "")
    value = stage.value(written)
    stage.note(f"{written} is {'missing' if value is None else repr(value)}", kind="branch", value=value)
    return Decides(value)


@BLOCKS.plays("Loop", "LoopCount")
def loop(stage: Stage) -> Step:
    """Continue LoopCount times, then leave; the count restarts next time."""
    limit = stage.whole_number(stage.parameter("LoopCount"), "LoopCount")
    if not 0 <= limit <= MAXIMUM_LOOPS:
        raise stage.cannot(f"LoopCount is {limit}; Amazon Connect takes 0 to {MAXIMUM_LOOPS}")
    key = (stage.flow.arn, stage.block.identifier)
    done = stage.counters.loops.get(key, 0)
    if done >= limit:
        stage.counters.loops[key] = 0
        return Decides("DoneLooping")
    stage.counters.loops[key] = done + 1
    stage.note(f"round {done + 1} of {limit}", kind="branch")
    return Decides("ContinueLooping")


@BLOCKS.plays("CheckHoursOfOperation", "HoursOfOperationId")
def check_hours_of_operation(stage: Stage) -> Step:
    """Branch on whether the hours (default: the target queue's) are open, as the scenario says."""
    hours_id = stage.text("HoursOfOperationId")
    if not hours_id and stage.parameter("HoursOfOperationId") is not None:
        return Fails(
            "NoMatchingError", stage.empty("HoursOfOperationId", stage.parameter("HoursOfOperationId"))
        )
    if not hours_id:
        if stage.state.queue is None:
            return Fails("NoMatchingError", "no HoursOfOperationId and no target queue")
        is_open = stage.state.queue.open
        stage.note(f"{stage.state.queue.name} is {'open' if is_open else 'closed'}", kind="branch")
        return Decides(str(is_open))
    hours = stage.conditions.hours
    found = next((hours[key] for key in (hours_id, hours_id.rsplit("/", 1)[-1]) if key in hours), None)
    if found is None:
        raise stage.needs(
            f"the scenario does not say whether {hours_id} is open: set it up in setup.hours",
            "hours",
            hours_id.rsplit("/", 1)[-1],
            example="open",
        )
    stage.note(f"{hours_id.rsplit('/', 1)[-1]} is {'open' if found else 'closed'}", kind="branch")
    return Decides(str(found))


@BLOCKS.plays("CheckMetricData", "MetricType", "QueueId", "AgentId")
def check_metric_data(stage: Stage) -> Step:
    """Branch on a real-time metric of a queue (default: the target queue). Ages compare in milliseconds."""
    queue = _queue(stage)
    if queue is None:
        return Fails("NoMatchingError", _no_queue(stage))
    metric = stage.text("MetricType")
    values = {
        "NumberOfAgentsAvailable": queue.agents_available,
        "NumberOfAgentsStaffed": queue.agents_staffed,
        "NumberOfAgentsOnline": queue.agents_online,
        "NumberOfContactsInQueue": queue.contacts_in_queue,
        "OldestContactInQueueAgeSeconds": int(queue.oldest_contact_age * 1000),
    }
    if metric not in values:
        raise stage.cannot(f"MetricType {metric!r} is none of {', '.join(values)}")
    stage.note(f"{metric} of {queue.name} is {values[metric]}", kind="branch")
    return Decides(str(values[metric]))


@BLOCKS.plays("GetMetricData", "QueueId", "AgentId", "QueueChannel")
def get_metric_data(stage: Stage) -> Step:
    """Read a queue's real-time metrics into $.Metrics.Queue and $.Metrics.Agents."""
    queue = _queue(stage)
    if queue is None:
        return Fails("NoMatchingError", _no_queue(stage))
    stage.state.metrics = {
        "Queue": {
            "Name": queue.name,
            "ARN": queue.arn,
            "Size": queue.contacts_in_queue,
            "OldestContactAge": queue.oldest_contact_age,
        },
        "Agents": {
            "Online": {"Count": queue.agents_online},
            "Available": {"Count": queue.agents_available},
            "Staffed": {"Count": queue.agents_staffed},
        },
    }
    stage.note(f"reads the metrics of {queue.name}")
    return Next()


@BLOCKS.plays("CheckOutboundCallStatus")
def check_outbound_call_status(stage: Stage) -> Step:
    """Branch on who or what answered an outbound call, as the scenario says."""
    status = stage.conditions.outbound_call_status
    if status is None:
        raise stage.needs(
            "the scenario does not say how the call was answered: set it up in setup.outbound_call",
            "outbound_call",
            example="CallAnswered",
        )
    stage.note(f"the outbound call's status is {status}", kind="branch")
    return Decides(status)


@BLOCKS.plays("DistributeByPercentage")
def distribute_by_percentage(stage: Stage) -> Step:
    """Draw a number from 1 to 100, which the scenario sets: a rehearsal decided by chance proves nothing."""
    dice = stage.conditions.dice
    if stage.state.dice_drawn >= len(dice):
        raise stage.needs(
            "the scenario does not say which number it draws: set up setup.percentages, each 1 to 100",
            "percentages",
            example=[*dice, 1],
        )
    drawn = dice[stage.state.dice_drawn]
    stage.state.dice_drawn += 1
    stage.note(f"draws {drawn} of 100", kind="branch")
    # Operands are cumulative upper bounds that the number stays under (console exports: 1 to 100).
    return Decides(str(drawn))


def _queue(stage: Stage) -> Queue | None:
    """Return the queue that the block names (default: the target queue), None if there is none."""
    agent = stage.text("AgentId")
    if agent:
        return _of_agent(stage, agent)
    queue_id = stage.text("QueueId")
    if stage.parameter("QueueId") is not None or stage.parameter("AgentId") is not None:
        return stage.conditions.queue(queue_id) if queue_id else None
    return stage.state.queue


def _of_agent(stage: Stage, agent: str) -> Queue:
    """Return an agent's own queue: nobody waits in it, and one agent is there if setup.agents has them."""
    there = int(not stage.conditions.agents.isdisjoint({agent, agent.rsplit("/", 1)[-1]}))
    return Queue(arn=agent, name=agent, agents_available=there, agents_staffed=there, agents_online=there)


def _no_queue(stage: Stage) -> str:
    for name in ("AgentId", "QueueId"):
        written = stage.parameter(name)
        if written is not None:
            named = stage.text(name)
            return f"there is no queue {named!r}" if named else stage.empty(name, written)
    return "no queue has been chosen"
