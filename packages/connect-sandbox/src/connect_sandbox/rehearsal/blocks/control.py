"""Blocks that move between flows or end them: modules, TransferToFlow, Wait, disconnect."""

from collections.abc import Iterator

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage
from connect_sandbox.rehearsal.steps import Decides, Ending, Ends, Enters, Fails, Next, Returns, Step
from connect_sandbox.rehearsal.vendor_line import VendorLine

BLOCKS = Registry()

MAXIMUM_WAIT = 7 * 24 * 3600
"""Seconds; the Wait block's page says 7 days."""


@BLOCKS.plays("InvokeFlowModule", "FlowModuleId", "Input")
def invoke_flow_module(stage: Stage) -> Step:
    """Play a module, then go on after this block. The module reads Input as $.Modules.Input."""
    module_id = stage.text("FlowModuleId")
    if not module_id:
        return Fails("NoMatchingError", stage.empty("FlowModuleId", stage.parameter("FlowModuleId")))
    try:
        module = stage.ports.flows.module(module_id)
    except NoSuchFlowError as error:
        return Fails("NoMatchingError", str(error))
    # evidence: module-input-and-result
    given = stage.filled(stage.parameter("Input") or {})
    stage.note(f"enters the module {module.name}", kind="flow", module=module.arn, input=given or None)
    return Enters(module, given)


@BLOCKS.plays("EndFlowModuleExecution", "Result", "ResultData")
def end_flow_module_execution(stage: Stage) -> Step:
    """Leave the module; the block that invoked it branches on Result and later ones read $.Modules.ResultData."""
    if not stage.flow.is_module:
        raise stage.cannot(f"{stage.flow.name} is not a flow module")
    result = stage.text("Result") if stage.parameter("Result") is not None else None
    data = stage.filled(stage.parameter("ResultData") or {})
    return Returns(result, data)


@BLOCKS.plays("TransferToFlow", "ContactFlowId")
def transfer_to_flow(stage: Stage) -> Step:
    """Go on in another flow, for good."""
    flow_id = stage.text("ContactFlowId")
    if not flow_id:
        return Fails("NoMatchingError", stage.empty("ContactFlowId", stage.parameter("ContactFlowId")))
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
    """Let time pass until the limit or until one of Events happens, as the scenario says (chat)."""
    seconds = stage.whole_number(stage.parameter("TimeLimitSeconds"), "TimeLimitSeconds")
    if not 0 < seconds <= MAXIMUM_WAIT:
        return Fails("NoMatchingError", f"TimeLimitSeconds is {seconds}; Amazon Connect waits 1 s to 7 days")
    events = stage.parameter("Events") or []
    if stage.state.channel != "CHAT":
        events = []  # what is waited for happens in chats only: the time limit is all that is left
    if stage.ports.chat is not None:
        return stage.ports.chat.waits(stage, seconds, events)
    if "BotParticipantDisconnected" in events and not _bot_is_there(stage):
        return Fails("ParticipantNotFound", "there is no bot in the chat")
    after, event = min(_happens(stage, events, seconds), key=lambda happening: happening[0])
    stage.note(f"waits {seconds} s at most")
    started = stage.clock.elapsed
    _bot_speaks(stage)
    stage.clock.passes(max(0.0, after - (stage.clock.elapsed - started)))
    stage.note(f"{event} after {after:g} s", kind="branch")
    return Decides(event)


def _happens(stage: Stage, events: list[str], seconds: int) -> Iterator[tuple[float, str]]:
    """Yield what can end the Wait, and after how many seconds. An event wins over the time limit."""
    conditions = stage.conditions
    for event in events:
        match event:
            case "BotParticipantDisconnected":
                if conditions.bot is not None and conditions.bot.leaves is not None:
                    leaves = conditions.bot.leaves - stage.clock.elapsed
                    if leaves <= seconds:
                        yield leaves, event
            case "CustomerReturned":
                if (
                    conditions.customer_returns_after is not None
                    and conditions.customer_returns_after <= seconds
                ):
                    yield conditions.customer_returns_after, event
            case _:
                raise stage.cannot(f"it does not know the event {event!r}")
    yield float(seconds), "WaitCompleted"


def _bot_is_there(stage: Stage) -> bool:
    bot = stage.conditions.bot
    now = stage.clock.elapsed
    return bot is not None and bot.joins <= now and (bot.leaves is None or now < bot.leaves)


def _bot_speaks(stage: Stage) -> None:
    bot = stage.conditions.bot
    if bot is None or stage.state.bot_has_spoken or not _bot_is_there(stage):
        return
    stage.state.bot_has_spoken = True
    line = VendorLine(stage)
    for how, text in bot.conversation:
        if how == "asks":
            line.vendor_asks(text)
        else:
            line.vendor_says(text)
        if not line.caller_stays():
            raise CallerHungUpError


@BLOCKS.plays("UpdateFlowLoggingBehavior", "FlowLoggingBehavior")
def update_flow_logging_behavior(stage: Stage) -> Step:
    """Turn the flow's log on or off; the transcript is always kept."""
    stage.sets(
        f"flow logging: {stage.text('FlowLoggingBehavior')}", behavior=stage.text("FlowLoggingBehavior")
    )
    return Next()
