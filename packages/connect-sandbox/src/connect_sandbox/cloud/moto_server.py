"""Runs moto's server in this process, on a port of its own, with a clean state."""

from __future__ import annotations

import logging
import os
from types import TracebackType
from typing import Self

import requests

from connect_sandbox.moto_internals import moto_server

_ENVIRONMENT = {
    # Functions run in our own processes: moto must not look for Docker.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "false",
    "MOTO_ALLOW_NONEXISTENT_REGION": "false",
}
#: moto would take the account of every request from this variable, and not from its header.
_ACCOUNT = "MOTO_ACCOUNT_ID"


class MotoServer:
    """moto for as long as the context lasts. One at a time per process: moto's state is global."""

    def __enter__(self) -> Self:
        """Start on a free port."""
        os.environ.update(_ENVIRONMENT)
        os.environ.pop(_ACCOUNT, None)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = moto_server()
        self._server.start()
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Clear the state and stop."""
        self.reset()
        self._server.stop()

    @property
    def port(self) -> int:
        """The port that moto listens on."""
        return self._server.get_host_and_port()[1]

    def reset(self) -> None:
        """Delete every resource."""
        requests.post(f"http://127.0.0.1:{self.port}/moto-api/reset", timeout=30).raise_for_status()
