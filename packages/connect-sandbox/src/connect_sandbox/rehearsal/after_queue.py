"""Plays a contact in a queue and with an agent: the flows that UpdateContactEventHooks has set.

Customer queue flow while it waits, whispers when an agent answers, hold flows, and the disconnect flow
(CustomerRemaining) when the agent hangs up first. Source: administrator guide, "Set customer queue flow", "Set whisper
flow", "Set hold flow", "Set disconnect flow". The instance's default flows, which run where no hook is set, are
unknown here, so nothing is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from connect_sandbox.rehearsal.clock import TimeIsUpError, VirtualClock
from connect_sandbox.rehearsal.conditions import Agent, Conditions
from connect_sandbox.rehearsal.errors import CannotPlayError
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.rehearsal.transcript import Entry, Kind, Transcript, Who

LONGEST_WAIT = 3600.0
"""Virtual seconds that a queue flow plays if no agent ever answers."""
WORKSPACE_HOOKS = ("DefaultAgentUI", "DisconnectAgentUI")


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


def wait_in_queue(engine: Runs, queued: Ending) -> Ending:
    """Play what follows `queued`; return how the contact ended, or `queued` itself if nobody answers."""
    agent = engine.conditions.agent
    hook = engine.state.event_hooks.get("CustomerQueue")
    while hook is not None:
        since = engine.clock.elapsed
        engine.state.in_queue = True
        ending = _until(
            engine, hook, agent.answers_after if agent else LONGEST_WAIT, "waits in the queue flow"
        )
        if ending is None or (ending.how == "flow ended" and engine.state.in_queue):
            waited = engine.clock.elapsed - since
            break
        if ending.how != "queued":
            return ending
        queued = ending
    else:
        waited = 0.0
    engine.state.in_queue = False
    if agent is None:
        return queued
    engine.clock.passes(max(0.0, agent.answers_after - waited))
    return _with_agent(engine, agent)


def _with_agent(engine: Runs, agent: Agent) -> Ending:
    hooks = engine.state.event_hooks
    for name in WORKSPACE_HOOKS:
        if name in hooks:
            raise CannotPlayError(
                name,
                "event hook",
                f"the flow {hooks[name]} plays in the agent workspace, which the sandbox does not emulate",
            )
    _note(engine, "takes the contact", who="agent")
    if "AgentWhisper" in hooks:
        _aside(engine, lambda: engine.run(_flow(engine, hooks["AgentWhisper"], "whispers to the agent")))
    if "CustomerWhisper" in hooks:
        ending = engine.run(_flow(engine, hooks["CustomerWhisper"], "whispers to the caller"))
        if ending.how == "caller hung up":
            return ending
    if agent.holds_for:
        ended = _hold(engine, agent.holds_for)
        if ended is not None:
            return ended
    engine.clock.passes(agent.talks_for)
    if agent.hangs_up_first == "caller":
        _note(engine, "hangs up", who="caller", kind="ends")
        return Ending("caller hung up", reason="after the conversation with the agent")
    _note(engine, "hangs up", who="agent")
    if "CustomerRemaining" in hooks:
        return engine.run(_flow(engine, hooks["CustomerRemaining"], "plays the disconnect flow"))
    return Ending("disconnected", reason="the agent has hung up")


def _hold(engine: Runs, seconds: float) -> Ending | None:
    """Play both hold flows at once; return the ending if the caller hangs up during theirs."""
    hooks = engine.state.event_hooks
    _note(engine, f"puts the caller on hold for {seconds:g} s", who="agent")
    since = engine.clock.elapsed
    if "AgentHold" in hooks:
        _aside(engine, lambda: _until(engine, hooks["AgentHold"], seconds, "plays the agent's hold flow"))
    if "CustomerHold" in hooks:
        ending = _until(engine, hooks["CustomerHold"], seconds, "plays the caller's hold flow")
        if ending is not None and ending.how == "caller hung up":
            return ending
    engine.clock.passes(max(0.0, seconds - (engine.clock.elapsed - since)))
    _note(engine, "is back", who="agent")
    return None


def _until(engine: Runs, hook: str, seconds: float, what: str) -> Ending | None:
    """Play a flow for at most `seconds`; None if it was interrupted."""
    flow = _flow(engine, hook, what)
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


def _flow(engine: Runs, arn_or_id: str, what: str) -> PublishedFlow:
    flow = engine.ports.flows.flow(arn_or_id)
    _note(engine, f"{what} ({flow.name})", kind="flow")
    return flow


def _note(engine: Runs, text: str, *, who: Who = "connect", kind: Kind = "does") -> None:
    engine.transcript.add(Entry(at=engine.clock.elapsed, who=who, kind=kind, text=text))
