"""What a demo run shows to people: plain lines, coloured only on a terminal that wants it."""

import os
import sys
import textwrap
import threading
from typing import TextIO

from rehearsals.scenarios.registry import Result, Scenario

_GREEN, _RED, _BOLD, _FAINT, _PLAIN = "\033[32m", "\033[31m", "\033[1m", "\033[2m", "\033[0m"


class Terminal:
    """Prints progress and results. Colours follow https://no-color.org and need a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Print to `stream`, standard output by default."""
        self._stream = stream or sys.stdout
        self._coloured = (
            self._stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self._lock = threading.Lock()

    def heading(self, text: str) -> None:
        """Print a heading."""
        self._print(f"\n{self._in(_BOLD, text)}")

    def line(self, text: str) -> None:
        """Print a line as it is."""
        self._print(text)

    def step(self, text: str, seconds: float) -> None:
        """Print that a step is done."""
        self._print(f"  {self._in(_GREEN, 'done')}  {seconds:5.1f} s  {text}")

    def problem(self, text: str) -> None:
        """Print what went wrong."""
        self._print(f"  {self._in(_RED, 'failed')}\n{textwrap.indent(text, '    ')}")

    def played(self, scenario: Scenario, result: Result) -> None:
        """Print a scenario at once: what it shows, its transcript, what became of it."""
        lines = [f"\n{self._in(_BOLD, scenario.name)}  {self._in(_FAINT, scenario.shows)}"]
        rendered = result.rendered
        if rendered:
            lines.append(rendered)
        if result.outcome == "passed":
            lines.append(f"  {self._in(_GREEN, 'passed')}  {result.seconds:.1f} s")
        else:
            # An expectation carries the transcript below its message; here it stands above already.
            why = result.failure.split("\n\n")[0] if rendered else result.failure
            lines.append(
                f"  {self._in(_RED, 'failed')}  {result.seconds:.1f} s\n{textwrap.indent(why, '    ')}"
            )
        self._print("\n".join(lines))

    def _in(self, style: str, text: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._coloured else text

    def _print(self, text: str) -> None:
        with self._lock:
            print(text, file=self._stream, flush=True)
