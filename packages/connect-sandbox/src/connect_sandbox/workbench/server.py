"""A sandbox in a process of its own, and the small HTTP interface by which commands reach it.

The interface listens on the loopback interface and answers `Authorization: Bearer TOKEN` alone:

GET /status        account, Region, endpoint, stacks with outputs, numbers and flows
POST /stop         end; everything in the sandbox is gone
POST /tolerate     let resource types be missing: {"types": ["AWS::WAFv2::*"]}
POST /sdk          let Node.js functions find the AWS SDK that an app has installed: {"app": "/path"}
POST /calls        begin a call; /calls/watch, /calls/answer and /calls/hang-up go on with it
POST /scenarios    play the scenarios of a file
GET /page          the page to watch calls on; it holds nothing of the sandbox, and its script asks with the token
GET /run/events    what has happened `after` an event; waits for news
GET /calls         the calls that the page attends; POST /calls/agent, /calls/pace to be the agent, and to hold them
GET /faults        what is slow, down, denied or throttled on purpose, and what can be; POST and DELETE change it
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
from connect_sandbox.runs import Recorder
from connect_sandbox.viewer.live import PAGE, LivePage, refused
from connect_sandbox.workbench.exchange import Exchange
from connect_sandbox.workbench.fault_board import FaultBoard
from connect_sandbox.workbench.overview import overview
from connect_sandbox.workbench.place import Place, Running

_LOG = logging.getLogger(__name__)
#: Seconds after which it looks whether anybody can still find it: without its state file it ends.
_LOOKS_EVERY = 2.0
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Control:
    """Answers the commands."""

    def __init__(
        self, sandbox: Sandbox, exchange: Exchange, page: LivePage, token: str, stop: Callable[[], None]
    ) -> None:
        self._token = token
        self._sandbox = sandbox
        self._stop = stop
        self._page = page
        faults = FaultBoard(sandbox)
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
            ("GET", "/calls"): exchange.attended,
            ("POST", "/calls/agent"): exchange.agent,
            ("POST", "/calls/pace"): exchange.pace,
            ("GET", "/run/events"): page.events,
            ("GET", "/faults"): faults.told,
            ("POST", "/faults"): faults.sets,
            ("DELETE", "/faults"): faults.forgets,
        }

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one command.

        403 for another host's or site's requests, 401 without the token, 404 for what there is not, 400 with what is
        wrong.
        """
        foreign = refused(request)
        if foreign is not None:
            return _json(403, {"error": foreign})
        if (request.method, request.path) == ("GET", PAGE):
            return self._page.shell()
        given = request.headers.get("Authorization").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return _json(401, {"error": "the token is missing or wrong"})
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        answer = self._answers.get((request.method, request.path))
        if answer is None:
            return _json(404, {"error": f"there is no {request.method} {request.path}"})
        try:
            told = json.loads(request.body or b"{}")
            if not isinstance(told, dict):
                raise ValueError("a command is a JSON object")
            return _json(200, answer({**dict(request.query), **told}))
        except KeyError as missing:
            return _json(400, {"error": f"the command lacks {missing}"})
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
        Sandbox.start(
            place.files, account=account, region=region, port=port, run=_recorder(place)
        ) as sandbox,
    ):
        exchange = Exchange(sandbox)
        page = LivePage(lambda: sandbox.run, place.folder.parent.name)
        control = Control(sandbox, exchange, page, token, ended.set)
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


def _recorder(place: Place) -> Recorder:
    path = place.new_run()
    return Recorder(path, title=f"connect-sandbox in {place.folder.parent.name}", tell=_LOG.error)


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
