"""Read a document as its reader would follow it: the files that it shows, and the commands with their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE_NAME = re.compile(r"`([\w./-]+\.\w+)`:\s*$")


@dataclass(frozen=True)
class Shown:
    """A command that a document shows (after ``$``), and what it is said to print.

    A line ``…`` stands for lines left out, ``…`` within a line for the rest of it.
    """

    command: str
    output: str

    def matches(self, printed: str) -> bool:
        """Whether the command printed what is shown."""
        lines = [
            r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
            for line in self.output.splitlines()
        ]
        return re.fullmatch("".join(lines), printed) is not None


def write_files(document: str, folder: Path) -> list[Path]:
    """Write the files that the document shows to the folder: blocks after a line that ends in the name and a colon."""
    written = []
    for fence in _FENCE.finditer(document):
        named = _FILE_NAME.search(document[: fence.start()])
        if named and fence[1] != "console":
            path = folder / named[1]
            path.write_text(fence[2], encoding="utf-8")
            written.append(path)
    return written


def shown_commands(document: str) -> Iterator[Shown]:
    """Yield the commands of the ``console`` blocks, in order."""
    for fence in _FENCE.finditer(document):
        if fence[1] == "console":
            for part in re.split(r"^\$ ", fence[2], flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield Shown(command, output)
