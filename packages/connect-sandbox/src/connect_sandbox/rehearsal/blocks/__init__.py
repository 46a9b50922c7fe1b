"""How each block type behaves: one function per type, looked up by the type's name."""

from connect_sandbox.rehearsal.blocks import (
    cases,
    control,
    conversation,
    decisions,
    functions,
    profiles,
    prompts,
    queues,
    services,
    settings,
    transfers,
    unplayable,
)
from connect_sandbox.rehearsal.blocks._registry import Registry

__all__ = ["PLAYED", "UNPLAYABLE"]

PLAYED = Registry.joined(
    cases.BLOCKS,
    control.BLOCKS,
    conversation.BLOCKS,
    decisions.BLOCKS,
    functions.BLOCKS,
    profiles.BLOCKS,
    prompts.BLOCKS,
    queues.BLOCKS,
    services.BLOCKS,
    settings.BLOCKS,
    transfers.BLOCKS,
)
"""Every block type that the sandbox plays."""

UNPLAYABLE = unplayable.REASONS
"""Every block type that it knows but cannot play, with the reason."""
