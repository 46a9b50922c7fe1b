"""Blocks that choose a queue or an agent and hand the contact over.

The scenario sets up the queues that exist; any other is unknown, as on AWS, and takes the Error branch. For the
engine the flow ends in the queue.
"""

import re

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.conditions import Queue
from connect_sandbox.rehearsal.stage import Stage
from connect_sandbox.rehearsal.steps import Ending, Ends, Fails, Next, Step

BLOCKS = Registry()

_E164 = re.compile(r"\+[1-9]\d{1,14}")


@BLOCKS.plays("UpdateContactTargetQueue", "QueueId", "AgentId")
def update_contact_target_queue(stage: Stage) -> Step:
    """Choose the queue, or the agent's own queue, in which the contact will wait."""
    if stage.parameter("AgentId") is not None:
        return _target_agent(stage)
    queue_id = stage.text("QueueId")
    if not queue_id:
        return Fails("NoMatchingError", stage.empty("QueueId", stage.parameter("QueueId")))
    queue = stage.conditions.queue(queue_id)
    if queue is None:
        return Fails("NoMatchingError", f"there is no queue {queue_id!r}")
    stage.state.queue, stage.state.agent = queue, None
    stage.note(f"chooses the queue {queue.name}", queue=queue.arn)
    return Next()


@BLOCKS.plays("TransferContactToQueue")
def transfer_contact_to_queue(stage: Stage) -> Step:
    """Put the contact into the chosen queue."""
    if stage.state.agent is not None:
        stage.state.dtmf_buffer = None
        return Ends(Ending("queued", queue=stage.state.agent, reason="an agent's own queue"))
    if stage.state.queue is None:
        return Fails("NoMatchingError", "no queue has been chosen")
    joined = _join(stage.state.queue)
    if isinstance(joined, Ends):
        stage.state.dtmf_buffer = None  # transfers clear the touchtone buffer
    return joined


@BLOCKS.plays("DequeueContactAndTransferToQueue", "QueueId", "AgentId")
def dequeue_contact_and_transfer_to_queue(stage: Stage) -> Step:
    """Move a waiting contact to another queue."""
    chosen = update_contact_target_queue(stage)
    return transfer_contact_to_queue(stage) if isinstance(chosen, Next) else chosen


@BLOCKS.plays("TransferContactToAgent")
def transfer_contact_to_agent(stage: Stage) -> Step:
    """Hand the contact to the agent that the transfer flow was started for."""
    return Ends(Ending("transferred to agent", reason=stage.state.agent or ""))


@BLOCKS.plays("UpdateContactCallbackNumber", "CallbackNumber")
def update_contact_callback_number(stage: Stage) -> Step:
    """Keep the number to call back."""
    number = stage.text("CallbackNumber")
    if not number:
        return Fails(
            "InvalidCallbackNumber", stage.empty("CallbackNumber", stage.parameter("CallbackNumber"))
        )
    if not _E164.fullmatch(number):
        return Fails("InvalidCallbackNumber", f"{number!r} is not an E.164 number")
    stage.state.callback_number = number
    stage.note(f"will call back {number}")
    return Next()


@BLOCKS.plays(
    "CreateCallbackContact",
    "QueueId",
    "AgentId",
    "InitialCallDelaySeconds",
    "RetryDelaySeconds",
    "MaximumConnectionAttempts",
    "ContactFlowId",
    "CallerId",
)
def create_callback_contact(stage: Stage) -> Step:
    """Put a callback into a queue (default: the chosen one); the caller's own call continues."""
    number = stage.state.callback_number or stage.state.customer_number
    agent = stage.text("AgentId")
    if not agent and stage.parameter("AgentId") is not None:
        return Fails("NoMatchingError", stage.empty("AgentId", stage.parameter("AgentId")))
    if agent:
        if not _is_there(stage, agent):
            return Fails("NoMatchingError", f"there is no agent {agent!r}")
        stage.sets(f"queues a callback to {number} for the agent {agent}", number=number, agent=agent)
        return Next()
    queue_id = stage.text("QueueId")
    if not queue_id and stage.parameter("QueueId") is not None:
        return Fails("NoMatchingError", stage.empty("QueueId", stage.parameter("QueueId")))
    queue = stage.conditions.queue(queue_id) if queue_id else stage.state.queue
    if queue is None:
        return Fails(
            "NoMatchingError", f"there is no queue {queue_id!r}" if queue_id else "no queue has been chosen"
        )
    stage.sets(f"queues a callback to {number} in {queue.name}", number=number, queue=queue.arn)
    return Next()


@BLOCKS.plays("UpdateContactRoutingBehavior", "QueuePriority", "QueueTimeAdjustmentSeconds")
def update_contact_routing_behavior(stage: Stage) -> Step:
    """Change the contact's place in its queue."""
    settings = {key: stage.filled(value) for key, value in stage.block.parameters.items()}
    stage.sets(f"routing: {', '.join(f'{key} {value}' for key, value in settings.items())}", **settings)
    return Next()


@BLOCKS.plays("UpdateContactRoutingCriteria", "RoutingCriteria")
def update_contact_routing_criteria(stage: Stage) -> Step:
    """Choose which agents may take the contact."""
    stage.sets("routing criteria set", criteria=stage.filled(stage.parameter("RoutingCriteria")))
    return Next()


def _target_agent(stage: Stage) -> Step:
    agent = stage.text("AgentId")
    if not agent:
        return Fails("NoMatchingError", stage.empty("AgentId", stage.parameter("AgentId")))
    if not _is_there(stage, agent):
        return Fails("NoMatchingError", f"there is no agent {agent!r}")
    stage.state.agent, stage.state.queue = agent, None
    stage.note(f"chooses the agent {agent}")
    return Next()


def _is_there(stage: Stage, agent: str) -> bool:
    known = stage.conditions.agents
    return agent in known or agent.rsplit("/", 1)[-1] in known


def _join(queue: Queue) -> Step:
    if queue.at_capacity:
        return Fails("QueueAtCapacity", f"{queue.name} is full")
    return Ends(Ending("queued", queue=queue.arn, reason=queue.name))
