"""How each block type behaves: one function per type, looked up by the type's name."""

from connect_sandbox.rehearsal.blocks import (
    control,
    conversation,
    decisions,
    functions,
    prompts,
    queues,
    settings,
    transfers,
    unplayable,
)
from connect_sandbox.rehearsal.blocks._registry import Registry

__all__ = ["PLAYED", "UNPLAYABLE"]

PLAYED = Registry.joined(
    control.BLOCKS,
    conversation.BLOCKS,
    decisions.BLOCKS,
    functions.BLOCKS,
    prompts.BLOCKS,
    queues.BLOCKS,
    settings.BLOCKS,
    transfers.BLOCKS,
)
"""Every block type that the sandbox plays."""

UNPLAYABLE = unplayable.REASONS
"""Every block type that it knows but cannot play, with the reason."""
