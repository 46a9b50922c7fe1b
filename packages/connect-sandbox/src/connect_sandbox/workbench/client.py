"""Reaches a background sandbox from a command, and starts one."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

from connect_sandbox.cloud.environment import (
    ACCOUNT,
    ADMIN_ACCESS_KEY,
    REGION,
    check_place,
    client_environment,
    make_client,
    sandbox_environment,
)
from connect_sandbox.workbench.errors import WorkbenchError
from connect_sandbox.workbench.place import Place, Running

_CONNECT_SECONDS = 5
#: What of a user's environment must not reach a command in the sandbox; everything else does.
_REAL = ("AWS_", "CDK_DEFAULT_")


class RemoteSandbox:
    """A sandbox in another process. A deploying.Cloud."""

    def __init__(
        self, place: Place, running: Running, account: str | None = None, region: str | None = None
    ) -> None:
        self._place = place
        self._running = running
        self.account = account or running.account
        self.region = region or running.region
        self.endpoint_url = running.endpoint_url
        self.page_url = running.page_url

    def at(self, *, account: str | None = None, region: str | None = None) -> RemoteSandbox:
        """Return another account or Region of the same sandbox; ValueError for what is none."""
        if account or region:
            check_place(account or self.account, region or self.region)
        return RemoteSandbox(self._place, self._running, account or self.account, region or self.region)

    def places(self) -> list[RemoteSandbox]:
        """Return every account and Region in which there is anything, the sandbox's own first."""
        return [self.at(**one) for one in self.ask("GET", "/status")["places"]]

    @classmethod
    def find(cls, place: Place) -> RemoteSandbox | None:
        """Return the sandbox of a place; None if none runs."""
        running = place.remembered()
        if running is None:
            return None
        found = cls(place, running)
        try:
            found.ask("GET", "/status")
        except ConnectionError:
            place.forget()  # it was killed, and could not do so itself
            return None
        return found

    @classmethod
    def require(cls, place: Place) -> RemoteSandbox:
        """Return the sandbox of a place; WorkbenchError if none runs."""
        found = cls.find(place)
        if found is None:
            raise WorkbenchError(
                f"no sandbox runs for {place.folder.parent}: start one with connect-sandbox deploy, or with --at "
                "name the folder where one was started"
            )
        return found

    @classmethod
    def ensure(cls, place: Place, account: str | None, region: str | None, port: int = 0) -> RemoteSandbox:
        """Return the sandbox of a place in an account and Region, started there if none runs.

        They are by default those that it was started as. WorkbenchError if it cannot start.
        """
        if account or region:
            check_place(account or ACCOUNT, region or REGION)
        place.make()
        with place.held("start"):
            found = cls.find(place)
            if found is None:
                _start(place, account or ACCOUNT, region or REGION, port)
                found = cls.require(place)
        return found.at(account=account, region=region)

    def ask(self, method: str, path: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command; WorkbenchError with what is wrong with it."""
        control = http.client.HTTPConnection(
            urlsplit(self._running.control_url).netloc, timeout=_CONNECT_SECONDS
        )
        try:
            control.connect()
            control.sock.settimeout(None)  # a command takes as long as it takes
            body = b"" if told is None else json.dumps(told).encode()
            control.request(method, path, body, {"Authorization": f"Bearer {self._running.token}"})
            response = control.getresponse()
            text = response.read().decode()
        finally:
            control.close()
        answer: dict[str, Any] = json.loads(text)
        if response.status != 200:
            raise WorkbenchError(str(answer.get("error", text)))
        return answer

    def stop(self) -> None:
        """End it and wait until it has ended."""
        self.ask("POST", "/stop")
        with self._place.held("server"):
            return

    def environment(self) -> dict[str, str]:
        """Return this process's environment, with the sandbox in the place of AWS."""
        home = self._place.files / "cdk-home"
        return {
            **_without_aws(),
            **sandbox_environment(
                self.endpoint_url, self.account, self.region, cdk_home=home, access_key=self._access_key
            ),
        }

    @property
    def _access_key(self) -> str:
        return ADMIN_ACCESS_KEY if self.account == self._running.account else self.account

    def variables(self) -> dict[str, str]:
        """Return the variables alone that point the AWS CLI and boto3 at it."""
        return client_environment(self.endpoint_url, self.region, self._access_key)

    def boto3_client(self, service: str) -> Any:  # noqa: ANN401  (boto3's clients have no common type)
        """Return a boto3 client with the developer's permissions."""
        from botocore.config import Config  # noqa: PLC0415  (now: most commands need no SDK)

        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, proxies={})
        told = {"endpoint_url": self.endpoint_url, "config": config, "access_key": self._access_key}
        return make_client(self.region, service, **told)


def _without_aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_REAL)}


def _start(place: Place, account: str, region: str, port: int) -> None:
    with place.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (this package)
            [
                sys.executable, "-m", "connect_sandbox.workbench.server",
                str(place.folder), account, region, str(port),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=place.folder,
            env=_without_aws(),
            start_new_session=True,
        )  # fmt: skip
    if process.stdout is None:
        raise WorkbenchError("the sandbox has no output to wait for")
    with process.stdout as output:
        said = output.readline().decode(errors="replace").strip()
    if said == "ready":
        process.returncode = 0  # it goes on without this process, which need not wait for it
        return
    process.wait()
    last = "\n".join(place.log.read_text(errors="replace").splitlines()[-5:])
    raise WorkbenchError(f"the sandbox did not start: {said or last} (see {place.log})")
