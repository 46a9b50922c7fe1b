"""Places calls and starts chats in one line, for tests: the pytest fixture `contact`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connect_sandbox.rehearsal.conditions import Move
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.coverage import Coverage
from connect_sandbox.rehearsal.flow_files import read_flow
from connect_sandbox.rehearsal.reading import Reader, checked
from connect_sandbox.rehearsal.setup_reader import Setup, read_moves, read_setup


class ContactMaker:
    """Makes contacts that have been played through a flow file, ready for assertions.

    `folder` is what paths are relative to; a flow that is not there is looked for below `root`.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        self._folder = folder
        self._root = root or folder

    def calls(
        self,
        flow: str | Path,
        caller: Iterable[Move | dict[str, Any] | str] = (),
        **setup: Any,  # noqa: ANN401
    ) -> Contact:
        """Call the flow of a file and play it to its end. `setup` and `caller` take what scenario files take.

        `lambdas` also takes handlers, `{"fetch": handler}`, and whatever can invoke a deployed function. Raises
        ScenarioError for a malformed setup, RehearsalError for what cannot be played.
        """
        return self._plays(flow, caller, {"channel": "VOICE", **setup})

    def chats(
        self,
        flow: str | Path,
        caller: Iterable[Move | dict[str, Any] | str] = (),
        **setup: Any,  # noqa: ANN401
    ) -> Contact:
        """Start a chat with the flow of a file, otherwise like `calls`."""
        return self._plays(flow, caller, {**setup, "channel": "CHAT"})

    def coverage(self, flow: str | Path, *contacts: Contact, **values: str) -> Coverage:
        """Return a flow's coverage by the contacts; `values` fill in its placeholders."""
        covered = Coverage(read_flow(self._path(flow), values))
        for contact in contacts:
            covered.add(contact)
        return covered

    def _plays(self, flow: str | Path, caller: Iterable[Any], setup: dict[str, Any]) -> Contact:
        problems: list[str] = []
        read: Setup = read_setup(Reader(setup, "", problems), self._folder)
        moves = read_moves(Reader(list(caller), "caller", problems))
        checked(problems, "contact")
        return read.calls(read_flow(self._path(flow), read.values), moves)

    def _path(self, flow: str | Path) -> Path:
        near = self._folder / flow
        return near if near.exists() else self._root / flow
