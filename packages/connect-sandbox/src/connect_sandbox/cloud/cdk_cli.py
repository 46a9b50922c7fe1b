"""Runs the real CDK command line against the sandbox."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connect_sandbox.cloud.errors import SandboxError


@dataclass(frozen=True)
class CdkRun:
    """A finished run: the arguments and everything that it printed."""

    arguments: tuple[str, ...]
    output: str


class CdkFailedError(SandboxError):
    """The CDK command line ended with an error; the message ends with what it printed last."""

    def __init__(self, arguments: Sequence[str], status: int, output: str) -> None:
        """`output` is all that was printed."""
        self.status = status
        self.output = output
        tail = "\n".join(output.rstrip().splitlines()[-25:])
        super().__init__(f"`cdk {' '.join(arguments)}` failed with status {status}:\n{tail}")


def run_cdk(
    arguments: Sequence[str],
    *,
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
) -> CdkRun:
    """Run `cdk ARGUMENTS` in `cwd`; call `on_line` with each line as it comes; raise CdkFailedError on failure.

    `command` is how to start the CDK command line, as `find_cdk` returns it.
    """
    lines: list[str] = []
    with subprocess.Popen(  # noqa: S603  (the project's own pinned command line)
        [*command, *arguments],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
    if process.returncode:
        raise CdkFailedError(arguments, process.returncode, "".join(lines))
    return CdkRun(tuple(arguments), "".join(lines))


def bootstrap_template(command: Sequence[str]) -> Path | None:
    """Return the template with which a CDK command line bootstraps; None if it does not lie where the package has it.

    `command` is what `find_cdk` returns.
    """
    # node_modules/.bin/cdk is a link to bin/cdk of the package aws-cdk; this is what `--show-template` prints.
    package = Path(command[0]).resolve().parents[1]
    template = package / "lib/api/bootstrap/bootstrap-template.yaml"
    return template if template.is_file() else None


def find_cdk(start: Path) -> list[str]:
    """Return the command of the CDK command line that is nearest to a folder.

    That is node_modules/.bin/cdk of the folder or of one above it, else `cdk` on the PATH.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        candidate = folder / "node_modules" / ".bin" / "cdk"
        if candidate.exists():
            return [str(candidate)]
    found = shutil.which("cdk")
    if found is None:
        raise SandboxError(
            f"there is no CDK command line: neither node_modules/.bin/cdk in {start} or above it, nor `cdk` on the "
            f"PATH; run `npm ci` in the project"
        )
    return [found]
