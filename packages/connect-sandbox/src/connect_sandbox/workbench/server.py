"""A sandbox in a process of its own, and the small HTTP interface by which commands reach it.

The interface listens on the loopback interface and answers `Authorization: Bearer TOKEN` alone:

GET /status        account, Region, endpoint, stacks with outputs, numbers and flows
POST /stop         end; everything in the sandbox is gone
POST /tolerate     let resource types be missing: {"types": ["AWS::WAFv2::*"]}
POST /sdk          let Node.js functions find the AWS SDK that an app has installed: {"app": "/path"}
POST /calls        begin a call; /calls/watch, /calls/answer and /calls/hang-up go on with it
POST /scenarios    play the scenarios of a file
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from connect_sandbox.cloud import Sandbox, SandboxError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse, HttpServer
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.workbench.exchange import Exchange
from connect_sandbox.workbench.overview import overview
from connect_sandbox.workbench.place import Place, Running

_LOG = logging.getLogger(__name__)
#: Seconds after which it looks whether anybody can still find it: without its state file it ends.
_LOOKS_EVERY = 2.0
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Control:
    """Answers the commands."""

    def __init__(self, sandbox: Sandbox, exchange: Exchange, token: str, stop: Callable[[], None]) -> None:
        self._token = token
        self._sandbox = sandbox
        self._stop = stop
        self._answers: dict[tuple[str, str], Answer] = {
            ("GET", "/status"): lambda _: overview(sandbox),
            ("POST", "/stop"): self._stops,
            ("POST", "/tolerate"): self._tolerates,
            ("POST", "/sdk"): self._takes_sdk,
            ("POST", "/calls"): exchange.begin,
            ("POST", "/calls/watch"): exchange.watch,
            ("POST", "/calls/answer"): exchange.answer,
            ("POST", "/calls/hang-up"): exchange.hang_up,
            ("POST", "/scenarios"): exchange.play,
        }

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one command; 401 without the token, 404 for what there is not, 400 with what is wrong."""
        given = request.headers.get("Authorization").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _json(401, {"error": "the token is missing or wrong"})
        answer = self._answers.get((request.method, request.path))
        if answer is None:
            return _json(404, {"error": f"there is no {request.method} {request.path}"})
        try:
            return _json(200, answer(json.loads(request.body or b"{}")))
        except (SandboxError, RehearsalError, ValueError) as problem:
            return _json(400, {"error": str(problem)})

    def _tolerates(self, told: dict[str, Any]) -> dict[str, Any]:
        self._sandbox.tolerance.add(told["types"])
        return {}

    def _takes_sdk(self, told: dict[str, Any]) -> dict[str, Any]:
        self._sandbox.functions.node_sdk.take_from(Path(told["app"]))
        return {}

    def _stops(self, _told: dict[str, Any]) -> dict[str, Any]:
        self._stop()
        return {}


def serve(
    place: Place,
    *,
    account: str,
    region: str,
    port: int = 0,
    ready: Callable[[Running], None],
) -> None:
    """Keep a sandbox up until it is told to stop, by a command, SIGINT or SIGTERM, or its state file is deleted.

    `ready` is told where it is. ValueError for an account or Region that cannot be.
    """
    place.make()
    ended = threading.Event()
    token = secrets.token_urlsafe(32)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with (
        place.held("server"),
        _emptied(place.files),
        Sandbox.start(place.files, account=account, region=region, port=port) as sandbox,
    ):
        exchange = Exchange(sandbox)
        control = Control(sandbox, exchange, token, ended.set)
        server = HttpServer(control.handle)
        server.start()
        running = Running(
            pid=os.getpid(),
            account=account,
            region=region,
            endpoint_url=sandbox.endpoint_url,
            control_url=f"http://127.0.0.1:{server.port}",
            token=token,
        )
        place.remember(running)
        try:
            ready(running)
            threading.Thread(target=sandbox.load, name="load", daemon=True).start()
            while not ended.wait(_LOOKS_EVERY) and place.state.exists():
                continue
        finally:
            place.forget()
            exchange.close()
            server.stop()


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Leave nothing of a sandbox behind, as nothing of it can be used again."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run in the background: `python -m connect_sandbox.workbench.server FOLDER ACCOUNT REGION PORT`."""
    folder, account, region, port = sys.argv[1:]
    place = Place(Path(folder))

    def ready(_running: Running) -> None:
        with suppress(BrokenPipeError):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        # Whoever started it reads until here; from now on what is printed goes to the log.
        os.dup2(2, 1)

    try:
        serve(place, account=account, region=region, port=int(port), ready=ready)
    except (ValueError, OSError) as problem:
        sys.stdout.write(f"{problem}\n")
        return 1
    return 0


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "application/json")], json.dumps(body).encode())


if __name__ == "__main__":
    sys.exit(main())
