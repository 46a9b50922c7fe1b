"""The problems that Amazon Connect would find in the content of a flow or flow module: the linter's errors."""

from __future__ import annotations

from typing import Literal

from connect_flows import FlowKind, Severity, lint

from connect_sandbox.marks import unmarked


def flow_problems(content: str, *, kind: Literal["flow", "module"], flow_type: str) -> list[str]:
    """Return the problems for which Connect rejects the content; empty if it accepts it.

    The linter's warnings do not count: Connect accepts such a flow.
    """
    found = lint(unmarked(content), kind=FlowKind(kind), flow_type=flow_type if kind == "flow" else None)
    return [f"{d.message} Path: {d.path}" for d in found if d.severity is Severity.ERROR]
