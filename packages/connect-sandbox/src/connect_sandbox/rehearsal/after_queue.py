"""Plays a contact in a queue and with an agent: the flows that UpdateContactEventHooks has set.

Customer queue flow while it waits, whispers when an agent answers, hold flows, and the disconnect flow
(CustomerRemaining) when the agent hangs up first. Source: administrator guide, "Set customer queue flow", "Set whisper
flow", "Set hold flow", "Set disconnect flow", "Contact initiation methods and flow types" (the agent's whisper ends
before the customer's begins). The instance's default flows, which run where no hook is set, are unknown here, so
nothing is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from connect_sandbox.rehearsal.clock import TimeIsUpError, VirtualClock
from connect_sandbox.rehearsal.conditions import Agent, Conditions, HangsUp, Presses, Says
from connect_sandbox.rehearsal.desk import AgentEnds, AgentHolds, AgentSays, Desk
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.stage import SPEECH_RATE
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.rehearsal.transcript import Entry, Kind, Transcript, Who

LONGEST_WAIT = 3600.0
"""Virtual seconds that a queue flow plays if no agent ever answers."""
LONGEST_HOLD = 60.0
"""Virtual seconds that a hold flow plays on its own, unless the setup says how long the agent holds."""
OUTBOUND = frozenset({"OUTBOUND", "CALLBACK", "EXTERNAL_OUTBOUND"})
"""The initiation methods by which Amazon Connect calls the customer."""


class Runs(Protocol):
    """The part of the engine used here."""

    ports: Ports
    state: ContactState
    conditions: Conditions
    clock: VirtualClock
    transcript: Transcript

    def run(self, flow: PublishedFlow) -> Ending:
        """Play a flow to its end."""
        ...


def wait_in_queue(engine: Runs, queued: Ending, alone: PublishedFlow | None = None) -> Ending:
    """Play what follows `queued`; return how the contact ended, or `queued` itself if nobody answers.

    `alone` is the queue flow, for a contact that begins there; otherwise the one that the contact's flow has chosen.
    """
    agent = engine.conditions.agent
    if agent is None and engine.ports.desk is not None:
        agent = engine.ports.desk.takes(queued.reason)
    hook = engine.state.event_hooks.get("CustomerQueue")
    flow = alone if alone is not None or hook is None else engine.ports.flows.flow(hook)
    patience = agent.answers_after if agent else LONGEST_WAIT
    waited = 0.0
    while flow is not None:
        since = engine.clock.elapsed
        engine.state.in_queue = True
        ending = _until(engine, flow, patience, "waits in the queue flow")
        if ending is None or (ending.how == "flow ended" and engine.state.in_queue):
            waited = engine.clock.elapsed - since
            break
        if ending.how != "queued":
            return ending
        queued = ending
    engine.state.in_queue = False
    if agent is None:
        if flow is not None and waited >= patience:
            _note(engine, f"waits in the queue until an agent answers; none has within {patience:,g} s")
        return queued
    engine.clock.passes(max(0.0, agent.answers_after - waited))
    return _with_agent(engine, agent)


def _takes(engine: Runs, agent: Agent) -> None:
    engine.state.with_agent = agent
    _note(engine, "takes the contact", who="agent")
    if engine.ports.records is not None:
        engine.ports.records.happens("CONNECTED_TO_AGENT", engine.state, engine.clock)


def _with_agent(engine: Runs, agent: Agent) -> Ending:
    hooks = engine.state.event_hooks
    _takes(engine, agent)
    if "DefaultAgentUI" in hooks:
        _opens_guide(engine, hooks["DefaultAgentUI"])
    if "AgentWhisper" in hooks:
        _plays(engine, engine.ports.flows.flow(hooks["AgentWhisper"]), "whispers to the agent")
    if "CustomerWhisper" in hooks:
        whisper_to_caller = engine.ports.flows.flow(hooks["CustomerWhisper"])
        ending = _plays(engine, whisper_to_caller, "whispers to the caller")
        if ending.how == "caller hung up":
            return ending
    if agent.holds_for:
        ended = _hold(engine, agent.holds_for)
        if ended is not None:
            return ended
    ended = _talks(engine, agent)
    if ended is not None:
        return ended
    _note(engine, "hangs up", who="agent")
    engine.state.with_agent = None
    if "DisconnectAgentUI" in hooks:
        _opens_guide(engine, hooks["DisconnectAgentUI"])
    if "CustomerRemaining" in hooks:
        remaining = engine.ports.flows.flow(hooks["CustomerRemaining"])
        return _plays(engine, remaining, "plays the disconnect flow")
    return Ending("disconnected", reason="the agent has hung up")


def _talks(engine: Runs, agent: Agent) -> Ending | None:
    """Let the conversation take its time; return the ending if the customer ends it."""
    if engine.ports.desk is not None and engine.conditions.agent is None:
        return _converses(engine, engine.ports.desk)
    engine.clock.passes(agent.talks_for)
    if agent.hangs_up_first == "caller":
        _note(engine, "hangs up", who="caller", kind="ends")
        return Ending("caller hung up", reason="after the conversation with the agent")
    return None


def _converses(engine: Runs, desk: Desk) -> Ending | None:
    """Let agent and customer converse; return the ending if the customer ends it."""
    while True:
        match desk.acts():
            case AgentEnds():
                return None
            case AgentHolds(seconds):
                ended = _hold(engine, seconds)
                if ended is not None:
                    return ended
            case HangsUp():
                _note(engine, "hangs up", who="caller", kind="ends")
                return Ending("caller hung up", reason="during the conversation with the agent")
            case Presses(digits):
                _note(engine, f"presses {digits}", who="caller")
            case AgentSays(text):
                _speaks(engine, text, "agent")
            case Says(text):
                _speaks(engine, text, "caller")


def _speaks(engine: Runs, text: str, who: Who) -> None:
    _note(engine, text, who=who, kind="says")
    if engine.state.channel != "CHAT":
        engine.clock.passes(len(text) / SPEECH_RATE)


def _hold(engine: Runs, seconds: float) -> Ending | None:
    """Play both hold flows at once; return the ending if the caller hangs up during theirs."""
    hooks = engine.state.event_hooks
    _note(engine, f"puts the caller on hold for {seconds:g} s", who="agent")
    since = engine.clock.elapsed
    if "AgentHold" in hooks:
        hold = engine.ports.flows.flow(hooks["AgentHold"])
        _aside(engine, lambda: _until(engine, hold, seconds, "plays the agent's hold flow"))
    if "CustomerHold" in hooks:
        flow = engine.ports.flows.flow(hooks["CustomerHold"])
        ending = _until(engine, flow, seconds, "plays the caller's hold flow")
        if ending is not None and ending.how == "caller hung up":
            return ending
    engine.clock.passes(max(0.0, seconds - (engine.clock.elapsed - since)))
    _note(engine, "is back", who="agent")
    return None


def _starts_in_queue(engine: Runs, flow: PublishedFlow) -> Ending:
    """Play a queue flow on its own: the contact begins in its queue, the one of setup.queue."""
    queue = engine.state.queue
    queued = Ending("queued", queue=queue.arn if queue else None, reason=queue.name if queue else "")
    _note(
        engine, f"waits in the queue {queue.name}" if queue else "waits in a queue", who="caller", kind="flow"
    )
    ending = wait_in_queue(engine, queued, flow)
    if ending is queued:
        _note(
            engine,
            f"still waits in the queue {queue.name}" if queue else "still waits in the queue",
            kind="ends",
        )
    return ending


def _starts_on_hold(engine: Runs, flow: PublishedFlow) -> Ending:
    """Play a hold flow on its own, until the agent is back."""
    agent = engine.conditions.agent or Agent()
    engine.state.with_agent = agent
    seconds = agent.holds_for or LONGEST_HOLD
    _note(engine, f"puts the caller on hold for {seconds:g} s", who="agent", kind="flow")
    who = "agent" if flow.type == "AGENT_HOLD" else "caller"
    ending = _until(engine, flow, seconds, f"plays the {who}'s hold flow")
    if ending is not None:
        return ending
    _note(engine, "is back", who="agent", kind="ends")
    return Ending("flow ended", reason="the agent is back")


def _starts_with_agent(engine: Runs, flow: PublishedFlow) -> Ending:
    """Play a whisper on its own, when an agent has taken the contact."""
    engine.state.with_agent = engine.conditions.agent or Agent()
    to = "agent" if flow.type == "AGENT_WHISPER" else "caller"
    _note(engine, "takes the contact", who="agent", kind="flow")
    return _plays(engine, flow, f"whispers to the {to}")


def _starts_outbound(engine: Runs, flow: PublishedFlow) -> Ending:
    """Play an outbound whisper on its own, when an agent calls the customer."""
    state = engine.state
    state.with_agent = engine.conditions.agent or Agent()
    if state.initiation_method not in OUTBOUND:
        state.initiation_method = "OUTBOUND"
    _note(engine, f"calls {state.customer_number} from {state.system_number}", who="agent", kind="flow")
    return _plays(engine, flow, "plays the outbound whisper")


def _starts_transfer(engine: Runs, flow: PublishedFlow) -> Ending:
    """Play a transfer flow on its own, when an agent has chosen a quick connect and hears the flow."""
    state = engine.state
    state.with_agent = engine.conditions.agent or Agent()
    to = state.queue.name if state.queue is not None and flow.type == "QUEUE_TRANSFER" else "a quick connect"
    if state.initiation_method == "INBOUND":
        state.initiation_method = "TRANSFER"
    _note(engine, f"transfers the contact to {to}", who="agent", kind="flow")
    return _plays(engine, flow, "plays the transfer flow for the agent")


STARTS: dict[str, Callable[[Runs, PublishedFlow], Ending]] = {
    "CUSTOMER_QUEUE": _starts_in_queue,
    "CUSTOMER_HOLD": _starts_on_hold,
    "AGENT_HOLD": _starts_on_hold,
    "CUSTOMER_WHISPER": _starts_with_agent,
    "AGENT_WHISPER": _starts_with_agent,
    "OUTBOUND_WHISPER": _starts_outbound,
    "AGENT_TRANSFER": _starts_transfer,
    "QUEUE_TRANSFER": _starts_transfer,
}
"""How a contact begins that is rehearsed in a flow of the type. Flows of other types begin with the call."""


def _until(engine: Runs, flow: PublishedFlow, seconds: float, what: str) -> Ending | None:
    """Play a flow for at most `seconds`; None if it was interrupted."""
    _note(engine, f"{what} ({flow.name})", kind="flow")
    engine.clock.set_alarm(engine.clock.elapsed + seconds)
    try:
        return engine.run(flow)
    except TimeIsUpError:
        return None
    finally:
        engine.clock.set_alarm(None)


def _aside(engine: Runs, plays: Callable[[], object]) -> None:
    """Play something that happens at the same time as what comes next."""
    clock = engine.clock
    engine.clock = clock.fork()
    try:
        plays()
    finally:
        engine.clock = clock


def _plays(engine: Runs, flow: PublishedFlow, what: str) -> Ending:
    """Play a flow to its end."""
    _note(engine, f"{what} ({flow.name})", kind="flow")
    return engine.run(flow)


def _opens_guide(engine: Runs, arn_or_id: str) -> None:
    """Let the agent workspace open a guide: a contact of its own, which is rehearsed on its own."""
    _note(engine, f"opens the guide {arn_or_id} in the agent workspace", kind="flow")


def _note(engine: Runs, text: str, *, who: Who = "connect", kind: Kind = "does") -> None:
    engine.transcript.add(Entry(at=engine.clock.elapsed, who=who, kind=kind, text=text))
