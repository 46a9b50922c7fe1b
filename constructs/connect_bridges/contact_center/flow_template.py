"""Adapt a flow template before it is published: leave out a block or a parameter that this use does not need."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any


class FlowTemplate:
    """A parsed flow template that can be edited; the original is left as it is.

    Raises ``KeyError`` naming the block if a template does not hold a block that is to be changed: then template and
    construct do not belong together.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a copy of a parsed flow document."""
        self.document: dict[str, Any] = copy.deepcopy(dict(document))

    def leave_out(self, *identifiers: str, lead_to: str) -> None:
        """Remove blocks; whatever led to one of them leads to ``lead_to`` now."""
        for identifier in identifiers:
            self.block(identifier)
        actions = self.document["Actions"]
        self.document["Actions"] = [action for action in actions if action["Identifier"] not in identifiers]
        if self.document["StartAction"] in identifiers:
            self.document["StartAction"] = lead_to
        for transition in self._transitions():
            if transition.get("NextAction") in identifiers:
                transition["NextAction"] = lead_to
        positions = self.document.get("Metadata", {}).get("ActionMetadata", {})
        for identifier in identifiers:
            positions.pop(identifier, None)

    def leave_out_unreachable(self) -> None:
        """Remove the blocks that nothing leads to any more, until there are none."""
        while True:
            reached = {
                self.document["StartAction"],
                *(step.get("NextAction") for step in self._transitions()),
            }
            stray = [a["Identifier"] for a in self.document["Actions"] if a["Identifier"] not in reached]
            if not stray:
                return
            self.leave_out(*stray, lead_to=self.document["StartAction"])

    def parameters(self, identifier: str) -> dict[str, Any]:
        """Return a block's parameters, to be changed in place."""
        parameters: dict[str, Any] = self.block(identifier)["Parameters"]
        return parameters

    def block(self, identifier: str) -> dict[str, Any]:
        """Return a block by its identifier."""
        for action in self.document["Actions"]:
            if action["Identifier"] == identifier:
                found: dict[str, Any] = action
                return found
        raise KeyError(f"The flow template has no block {identifier!r}.")

    def _transitions(self) -> Iterator[dict[str, Any]]:
        for action in self.document["Actions"]:
            transitions = action["Transitions"]
            yield transitions
            yield from transitions.get("Errors", [])
            yield from transitions.get("Conditions", [])
