"""`connect-sandbox call` and `chat`: a contact through what was deployed, at the terminal or from a scenario file.

Exit status: 0 it was played (as expected), 1 a scenario went differently, 2 it could not be played.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from connect_sandbox.workbench.client import RemoteSandbox
from connect_sandbox.workbench.commands import add_place, command_parser, run, say
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.moves import move_of
from connect_sandbox.workbench.place import Place

HANG_UP = "bye"
"""What somebody types to hang up; the end of the input does the same."""


def call(argv: Sequence[str] | None = None) -> int:
    """Call a number or a flow."""
    return run(_parser("call"), argv, lambda told: _begin(told, "VOICE"))


def chat(argv: Sequence[str] | None = None) -> int:
    """Start a chat with a flow."""
    return run(_parser("chat"), argv, lambda told: _begin(told, "CHAT"))


def _parser(command: str) -> argparse.ArgumentParser:
    way = "type keys or words" if command == "call" else "type what the customer writes"
    made = command_parser(
        command,
        f"{command.capitalize()} through what was deployed. When the flow asks, {way}; an empty line is silence, "
        f"{HANG_UP} hangs up.",
    )
    made.add_argument("to", metavar="WHOM", help="a number (+1…), or a flow by its name, id or ARN")
    made.add_argument(
        "--scenario", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
        help="play the scenarios of a file (YAML) instead",
    )  # fmt: skip
    made.add_argument(
        "--setup", type=Path, metavar="FILE",
        help="YAML: what is set up, as under setup in scenario files (lex, queues, lambdas, …)",
    )  # fmt: skip
    made.add_argument("--number", metavar="E164", help="the customer's number")
    add_place(made, "look for it only in this")
    return made


def _begin(told: argparse.Namespace, channel: str) -> int:
    sandbox = RemoteSandbox.require(Place.of(told.at))
    if told.scenario:
        if told.number or told.setup:
            raise WorkbenchError(
                "--number and --setup are for the terminal: scenarios have a setup of their own"
            )
        return _play(sandbox, told, channel)
    setup = {**_setup(told.setup), "channel": channel, **({"number": told.number} if told.number else {})}
    folder = str((told.setup or Path("setup")).resolve().parent)
    asked = {"to": told.to, "setup": setup, "folder": folder, **_place(told)}
    begun = sandbox.ask("POST", "/calls", asked)
    number = begun["call"]
    try:
        return _converse(sandbox, begun, chat=channel == "CHAT")
    except KeyboardInterrupt:
        sandbox.ask("POST", "/calls/hang-up", {"call": number})
        say("")
        return 0


def _place(told: argparse.Namespace) -> dict[str, str]:
    return {name: value for name, value in vars(told).items() if name in {"account", "region"} and value}


def _setup(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        setup = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, yaml.YAMLError) as problem:
        raise WorkbenchError(f"{path} cannot be read: {problem}") from problem
    if not isinstance(setup, dict):
        raise WorkbenchError(
            f"{path} must hold an object, such as queues: {{Support: {{at_capacity: true}}}}"
        )
    return setup


def _play(sandbox: RemoteSandbox, told: argparse.Namespace, channel: str) -> int:
    failed = total = 0
    for path in told.scenario:
        asked: dict[str, Any] = {"to": told.to, "path": str(path.resolve()), **_place(told)}
        if channel == "CHAT":
            asked["channel"] = channel
        for one in sandbox.ask("POST", "/scenarios", asked)["played"]:
            total += 1
            failed += one["problem"] is not None
            say(f"{'FAILED' if one['problem'] else 'passed'}  {one['name']}")
            say(f"{one['problem'] or one['transcript']}\n")
    say(f"{total} scenario{'s' * (total != 1)}, {failed or 'none'} failed")
    return 1 if failed else 0


def _converse(sandbox: RemoteSandbox, begun: dict[str, Any], *, chat: bool) -> int:
    number, after = begun["call"], begun["after"]
    while True:
        news = sandbox.ask("POST", "/calls/watch", {"call": number, "after": after})
        for entry in news["entries"]:
            say(_line(entry))
        after = news["after"]
        if news["stage"] == "over":
            break
        if news["stage"] == "asks":
            _answer(sandbox, number, chat=chat)
    if news["problem"] is not None:
        raise WorkbenchError(news["problem"])
    return 0


def _answer(sandbox: RemoteSandbox, number: int, *, chat: bool) -> None:
    sys.stdout.write("> ")
    sys.stdout.flush()
    typed = sys.stdin.readline()
    if not sys.stdin.isatty():
        say(typed.strip() or HANG_UP)  # a terminal shows what is typed
    move = "hangs up" if not typed or typed.strip() == HANG_UP else move_of(typed, chat=chat)
    sandbox.ask("POST", "/calls/answer", {"call": number, "move": move})


def _line(entry: dict[str, Any]) -> str:
    minutes, seconds = divmod(round(entry["at"], 1), 60)
    text = f"“{entry['text']}”" if entry["kind"] == "says" else entry["text"]
    block = f"[{entry['block']}] " if entry.get("block") else ""
    return f"  {int(minutes):2d}:{seconds:04.1f}  {entry['who']:<7}  {block}{text}"
