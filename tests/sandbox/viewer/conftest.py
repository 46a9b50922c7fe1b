"""One background sandbox with a support line, whose page the tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from connect_sandbox.cli import main
from connect_sandbox.workbench.place import Place, Running

from tests.support.own_line import write


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("line") / "support-line"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        assert main(["deploy", str(write(folder)), "--at", str(folder)]) == 0
        found = Place.of(Path(folder)).remembered()
        assert found is not None
        yield found
        main(["destroy", "--at", str(folder)])
