"""A sandbox in a process of its own: an account in which a scenario may leave nothing as it was.

There is one sandbox in a process, and the other scenarios play on that one. Steered by lines of JSON over the pipes, as
the vendors' fakes are (rehearsals/vendors/process.py): see `_Account`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.faults import Fault


class _Account:
    """Does what the lines say."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._refused: list[Fault] = []

    def do(self, name: str, content: Any) -> Any:  # noqa: ANN401 (JSON)
        """Return the answer to one line."""
        answer: Any = getattr(self, f"_{name}")(content)
        return answer

    def _quotas(self, values: dict[str, float]) -> None:
        """Set quotas, by "service/code"."""
        for name, value in values.items():
            service, _, code = name.partition("/")
            self._sandbox.quotas.set((service, code), value)

    def _grant(self, _content: None) -> int:
        """Grant whatever was asked for; return how many requests that were."""
        pending = [each for each in self._sandbox.quotas.requests() if each.status == "PENDING"]
        for request in pending:
            self._sandbox.quotas.grant(request)
        return len(pending)

    def _refuse(self, fault: dict[str, str]) -> None:
        """Let an operation be refused: service, operation, code, message."""
        self._refused.append(self._sandbox.faults.fail(status=400, times=None, **fault))

    def _allow(self, _content: None) -> None:
        """Refuse nothing any more."""
        while self._refused:
            self._sandbox.faults.forget(self._refused.pop())

    def _instance(self, change: dict[str, Any]) -> None:
        """Let an instance be absent or there again, without these attributes, or have a telephone number."""
        instance_id = change["id"]
        if "absent" in change:
            self._sandbox.connect.say_absent(instance_id, absent=change["absent"])
            return
        instance = self._sandbox.connect.instance(instance_id)
        instance.attributes -= set(change.get("off", ()))
        instance.absent_queues = set(change.get("absentQueues", instance.absent_queues))
        for number in change.get("numbers", ()):
            instance.claim_number(number)

    def _confirmations(self, _content: None) -> None:
        """Choose Request confirmation for each subscription that is pending, as people do in the SNS console."""
        for each in self._sandbox.sns.of_topic():
            if not each.confirmed:
                self._sandbox.sns.request_confirmation(each)

    def _connector(self, connector_id: str) -> None:
        """Let there be a voice connector of that id, as somebody has made it by hand."""
        self._sandbox.voice_connectors.add(
            name="by-hand",
            region=self._sandbox.region,
            require_encryption=True,
            integration_type="CONNECT_CALL_TRANSFER_CONNECTOR",
            connector_id=connector_id,
        )


def main() -> None:
    """Start the sandbox, tell its port and how to reach it, and do what the lines say until they end."""
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(Path(folder)) as sandbox:
        account = _Account(sandbox)
        print(json.dumps({"port": int(sandbox.endpoint_url.rpartition(":")[2])}), flush=True)
        for line in sys.stdin:
            [(name, content)] = json.loads(line).items()
            print(json.dumps({"answer": account.do(name, content)}), flush=True)


if __name__ == "__main__":
    main()
