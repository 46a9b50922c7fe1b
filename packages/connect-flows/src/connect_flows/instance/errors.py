"""What goes wrong between a folder of flows and an instance."""

from __future__ import annotations


class InstanceError(Exception):
    """A folder or an instance is not as the command needs it; the message names what and how to mend it.

    code: AWS's error code, if AWS refused. problems: what Amazon Connect says is wrong with a flow.
    """

    def __init__(self, message: str, code: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.problems = problems


class RefusedError(InstanceError):
    """Amazon Connect has refused a flow; `problems` begin with the block's identifier where it is known."""

    def __init__(self, operation: str, problems: tuple[str, ...]) -> None:
        told = "; ".join(problems) or "without naming a problem"
        super().__init__(f"connect:{operation} refuses it: {told}", problems=problems)
