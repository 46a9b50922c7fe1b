"""A published flow or flow module, as the engine plays it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connect_flows import Block, Flow
from connect_flows.naming import names

from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.shapes import misshapen

MODULE = "MODULE"


@dataclass(frozen=True)
class PublishedFlow:
    """What Amazon Connect runs when a contact enters `arn`. `type` is the ContactFlow type, or MODULE."""

    arn: str
    name: str
    type: str
    content: Flow
    written: str | Mapping[str, Any] = field(default="", compare=False, repr=False)
    """What was parsed."""

    @classmethod
    def parse(cls, content: str | Mapping[str, Any], *, arn: str, name: str, type: str) -> "PublishedFlow":  # noqa: A002
        """Parse the content of a flow; FlowSyntaxError if it is not one."""
        return cls(arn=arn, name=name, type=type, content=Flow.parse(content, name=name), written=content)

    @property
    def is_module(self) -> bool:
        """Return whether this is a flow module, which other flows invoke."""
        return self.type == MODULE

    def block(self, identifier: str) -> Block:
        """Return the block of that identifier; RehearsalError if a branch leads nowhere."""
        try:
            return self._blocks[identifier]
        except KeyError:
            raise RehearsalError(
                f"flow {self.name}: a branch leads to {identifier!r}, which is none of its blocks"
            ) from None

    def misshapen(self, block: Block) -> str | None:
        """Return what is wrong with the JSON types of a block's parameters; computed once for all contacts."""
        if block.identifier not in self._misshapen:
            self._misshapen[block.identifier] = misshapen(block)
        return self._misshapen[block.identifier]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What the console calls the flow's resources, by id or ARN."""
        return names(self.content).shown

    @cached_property
    def _misshapen(self) -> dict[str, str | None]:
        return {}

    @cached_property
    def _blocks(self) -> Mapping[str, Block]:
        return {block.identifier: block for block in self.content.blocks}
