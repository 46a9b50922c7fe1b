"""Agents who are somebody: they take a contact out of its queue when they like, talk to the customer, and end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connect_sandbox.rehearsal.conditions import Agent, HangsUp, Presses, Says


@dataclass(frozen=True)
class AgentSays:
    """The agent speaks to the customer; in a chat, writes."""

    text: str


@dataclass(frozen=True)
class AgentHolds:
    """The agent puts the customer on hold for some seconds."""

    seconds: float


@dataclass(frozen=True)
class AgentEnds:
    """The agent hangs up."""


Act = AgentSays | AgentHolds | AgentEnds | Says | Presses | HangsUp
"""What agent or customer does while they are connected; the last three are the customer's."""


class Desk(Protocol):
    """Where contacts that wait in a queue come to somebody."""

    def takes(self, queue: str) -> Agent | None:
        """Wait for somebody to decide, and return the agent who takes the contact; None if nobody does."""
        ...

    def acts(self) -> Act:
        """Wait for what agent or customer does next."""
        ...
