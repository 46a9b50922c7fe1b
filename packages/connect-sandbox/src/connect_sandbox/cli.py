"""The command line ``connect-sandbox``: hands each command to the package that owns it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

USAGE = """\
usage: connect-sandbox COMMAND ...

Rehearse Amazon Connect apps without an AWS account.

commands:
  deploy     deploy a CDK app, a cloud assembly or a template into a sandbox that stays up
  call       call a number or a flow: at the terminal, or as a scenario file says
  chat       start a chat with a flow, likewise
  status     list its stacks, numbers and flows
  env        print the variables that point the AWS CLI and boto3 at it
  destroy    delete stacks, or end the sandbox
  serve      keep a sandbox up in the foreground
  show       show what happened in a run: what failed first
  rehearse   play the scenarios of files through a flow, and check what callers hear
  scenarios  write scenarios that take every branch of a flow

connect-sandbox COMMAND --help explains a command.
"""

COMMANDS = {
    **{
        command: f"connect_sandbox.workbench.commands:{command}"
        for command in ("deploy", "destroy", "env", "serve", "status")
    },
    "call": "connect_sandbox.workbench.calling:call",
    "chat": "connect_sandbox.workbench.calling:chat",
    "rehearse": "connect_sandbox.rehearsal.cli",
    "show": "connect_sandbox.runs.cli",
    "scenarios": "connect_sandbox.rehearsal.skeleton.cli",
}
"""What runs the commands: a function of a module, `main` if none is named."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status (2 for a command that does not exist)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if arguments else 2
    runner = COMMANDS.get(arguments[0])
    if runner is None:
        sys.stderr.write(f"connect-sandbox: there is no command {arguments[0]!r}\n\n{USAGE}")
        return 2
    module, _, function = runner.partition(":")
    status: int = getattr(import_module(module), function or "main")(arguments[1:])  # now: keeps --help quick
    return status


if __name__ == "__main__":
    sys.exit(main())
