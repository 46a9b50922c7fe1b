"""Commands of ``connect-flows`` that other packages bring: entry points of the group ``connect_flows.commands``.

An entry point ``NAME = module:function`` adds the command NAME; the function takes the arguments after the name and
returns the exit status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

GROUP = "connect_flows.commands"


class CommandError(Exception):
    """A command of another package cannot be run; the message says what to install or mend."""


@dataclass(frozen=True)
class _Known:
    """A command that a package of ours brings."""

    help: str
    package: str


_KNOWN = {
    "rehearse": _Known("play scenarios through a flow, and check what callers hear", "connect-sandbox"),
    "scenarios": _Known("write scenarios that take every branch of a flow", "connect-sandbox"),
    "testcase": _Known("turn scenarios into Amazon Connect test cases", "connect-sandbox"),
}


def commands() -> dict[str, str]:
    """Return the help of every command that is installed or can be, by its name, sorted."""
    found = _installed()
    told = {name: f"(of {_package(point)})" for name, point in found.items() if name not in _KNOWN}
    for name, known in _KNOWN.items():
        told[name] = known.help if name in found else f"{known.help} (needs {_install(known)})"
    return dict(sorted(told.items()))


def is_command(name: str) -> bool:
    """Return whether there is or could be such a command."""
    return name in _KNOWN or name in _installed()


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; CommandError if it is not installed or cannot be loaded."""
    point = _installed().get(name)
    if point is None:
        known = _KNOWN.get(name)
        raise CommandError(
            f"there is no command {name!r}"
            if known is None
            else f"{name} is a command of {known.package}, which is not installed here: {_install(known)}"
        )
    try:
        main: Callable[[list[str]], int] = point.load()
    except (ImportError, AttributeError) as problem:
        raise CommandError(
            f"{name} ({point.value}) of {_package(point)} cannot be loaded: {problem}. Install {_package(point)} anew"
        ) from problem
    return main(list(arguments))


def _installed() -> dict[str, EntryPoint]:
    # Of two packages with the same command, the one that Python finds first counts, as for modules.
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, point)
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module


def _install(known: _Known) -> str:
    return f"pip install {known.package}"
