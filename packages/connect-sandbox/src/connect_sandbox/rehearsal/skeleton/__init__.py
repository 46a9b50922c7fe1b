"""Writes scenarios for a flow: what is given, and what the caller does, until every branch is taken that can be.

`scenarios_for(path)` returns them as a Skeleton, whose `text` is a scenario file that runs to its ends; the command
`connect-flows scenarios` writes it. It plays the flow, looks where the contact left the way to a branch, and changes
the fact that decided it: what the caller presses, a function's answer, the hours, a block that fails.
"""

from connect_sandbox.rehearsal.skeleton.making import NotTaken, Skeleton, scenarios_for

__all__ = ["NotTaken", "Skeleton", "scenarios_for"]
