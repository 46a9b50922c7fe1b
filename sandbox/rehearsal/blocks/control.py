"""Blocks that move between flows or end them: modules, TransferToFlow, Wait, disconnect."""

from connect_bridges.sandbox.rehearsal.blocks._registry import Registry
from connect_bridges.sandbox.rehearsal.errors import NoSuchFlowError
from connect_bridges.sandbox.rehearsal.stage import Stage
from connect_bridges.sandbox.rehearsal.steps import Decides, Ending, Ends, Enters, Fails, Next, Returns, Step

BLOCKS = Registry()

MAXIMUM_WAIT = 7 * 24 * 3600
"""Seconds; the Wait block's page says 7 days."""


@BLOCKS.plays("InvokeFlowModule", "FlowModuleId")
def invoke_flow_module(stage: Stage) -> Step:
    """Play a module, then go on after this block."""
    module_id = stage.text("FlowModuleId")
    try:
        module = stage.ports.flows.module(module_id)
    except NoSuchFlowError as error:
        return Fails("NoMatchingError", str(error))
    stage.note(f"enters the module {module.name}", kind="flow", module=module.arn)
    return Enters(module)


@BLOCKS.plays("EndFlowModuleExecution")
def end_flow_module_execution(stage: Stage) -> Step:
    """Leave the module."""
    if not stage.flow.is_module:
        raise stage.cannot(f"{stage.flow.name} is no flow module")
    return Returns()


@BLOCKS.plays("TransferToFlow", "ContactFlowId")
def transfer_to_flow(stage: Stage) -> Step:
    """Go on in another flow, for good."""
    flow_id = stage.text("ContactFlowId")
    try:
        flow = stage.ports.flows.flow(flow_id)
    except NoSuchFlowError as error:
        return Fails("NoMatchingError", str(error))
    stage.note(f"goes on in the flow {flow.name}", kind="flow", to=flow.arn)
    return Enters(flow)


@BLOCKS.plays("EndFlowExecution")
def end_flow_execution(stage: Stage) -> Step:
    """End the flow without disconnecting the caller."""
    if stage.flow.is_module:
        raise stage.cannot("a module ends with EndFlowModuleExecution")
    return Ends(Ending("flow ended"))


@BLOCKS.plays("DisconnectParticipant")
def disconnect_participant(_stage: Stage) -> Step:
    """Hang up."""
    return Ends(Ending("disconnected"))


@BLOCKS.plays("Wait", "TimeLimitSeconds", "Events")
def wait(stage: Stage) -> Step:
    """Let time pass."""
    if stage.parameter("Events"):
        raise stage.cannot("Events are those of a chat, and this is a voice contact")
    seconds = stage.whole_number(stage.parameter("TimeLimitSeconds"), "TimeLimitSeconds")
    if not 0 < seconds <= MAXIMUM_WAIT:
        return Fails("NoMatchingError", f"TimeLimitSeconds is {seconds}; Amazon Connect waits 1 s to 7 days")
    stage.note(f"waits {seconds} s")
    stage.clock.passes(seconds)
    return Decides("WaitCompleted")


@BLOCKS.plays("UpdateFlowLoggingBehavior", "FlowLoggingBehavior")
def update_flow_logging_behavior(stage: Stage) -> Step:
    """Turn the flow's log on or off; the transcript is kept either way."""
    stage.sets(
        f"flow logging: {stage.text('FlowLoggingBehavior')}", behavior=stage.text("FlowLoggingBehavior")
    )
    return Next()
