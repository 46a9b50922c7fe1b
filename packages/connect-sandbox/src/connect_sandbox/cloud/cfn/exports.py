"""Which stack exports what, and which stacks import it: what is imported can neither change nor go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connect_sandbox.cloud.cfn.stack import Stack
from connect_sandbox.cloud.cfn.template import invalid

Output = Mapping[str, str]
"""An output as DescribeStacks gives it: OutputKey, OutputValue, and ExportName if it is exported."""


class Exports:
    """The exports of an account in a Region.

    Source: CloudFormation user guide, "Get exported outputs from a deployed CloudFormation stack" (names are unique in
    an account and Region; what another stack imports can be neither deleted nor changed); the words of the refusals as
    reported in aws-cdk issues 7602 and 8671, linz/geostore issue 630 and aws-amplify/amplify-cli issue 1581.
    """

    def __init__(self, stacks: Callable[[], Sequence[Stack]]) -> None:
        """`stacks` returns all of them, the deleted ones too."""
        self._stacks = stacks

    def value(self, name: str) -> str:
        """Return an exported output's value; raise ValidationError if nobody exports it."""
        for stack in self._existing():
            for output in stack.outputs:
                if output.get("ExportName") == name:
                    return output["OutputValue"]
        raise invalid(f"No export named {name} found")

    def in_use(self, stack: Stack) -> str | None:
        """Return why the stack cannot be deleted, if other stacks import what it exports."""
        for output in stack.outputs:
            if (name := output.get("ExportName")) and (users := self._others(stack, name)):
                return (
                    f"Delete canceled. Cannot delete export {name} as it is in use by {' and '.join(users)}."
                )
        return None

    def refusal(self, stack: Stack, new: Sequence[Output]) -> str | None:
        """Return why the stack cannot have these outputs from now on, or None."""
        values = {output["ExportName"]: output["OutputValue"] for output in new if "ExportName" in output}
        for name in values:
            for other in self._existing():
                if other is not stack and any(output.get("ExportName") == name for output in other.outputs):
                    return f"Export with name {name} is already exported by stack {other.name}"
        for output in stack.outputs:
            exported = output.get("ExportName")
            if exported is None or values.get(exported) == output["OutputValue"]:
                continue
            if users := self._others(stack, exported):
                verb = "updated" if exported in values else "deleted"
                return f"Export {exported} cannot be {verb} as it is in use by {' and '.join(users)}"
        return None

    def _others(self, stack: Stack, name: str) -> list[str]:
        return [other.name for other in self._existing() if other is not stack and name in other.imports]

    def _existing(self) -> Iterator[Stack]:
        return (stack for stack in self._stacks() if stack.exists)
