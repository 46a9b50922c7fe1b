"""The faults that somebody sets on the page: which there can be, which there are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.troubles import EXTERNAL_VOICE, KINDS
from connect_sandbox.workbench.errors import WorkbenchError

#: Services of AWS that functions use, as IAM and request signatures call them.
SERVICES = {
    "dynamodb": "DynamoDB", "s3": "S3", "secretsmanager": "Secrets Manager", "sns": "SNS", "sqs": "SQS", "kms": "KMS",
    "ssm": "SSM parameters", "events": "EventBridge", "states": "Step Functions", "lambda": "Lambda",
    "connect": "Amazon Connect (its API)", "kinesis": "Kinesis",
}  # fmt: skip
_UNSEEN = "Requests that a function sends to other hosts go past the sandbox: set the fault on the function instead."


class FaultBoard:
    """Reads and changes `sandbox.troubles`, in JSON."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def told(self, _told: dict[str, Any]) -> dict[str, Any]:
        """Return the `faults` that are set, and the `targets` that can have some, each with its `kinds`."""
        return {
            "faults": [
                {"target": one.target, "kind": one.kind, "seconds": one.seconds}
                for one in self._sandbox.troubles.all()
            ],
            "targets": [
                *(self._target("Functions", f"function:{name}", name) for name in self._functions()),
                *(self._target("Services", f"service:{key}", name) for key, name in SERVICES.items()),
                self._target("Vendors", EXTERNAL_VOICE, "External voice system"),
                *(self._target("Vendors", f"vendor:{host}", host) for host in self._hosts()),
            ],
            "unseen": _UNSEEN,
        }

    def sets(self, told: dict[str, Any]) -> dict[str, Any]:
        """Set a fault: `target`, `kind`, and for slow ones `seconds`."""
        target, kind, seconds = told.get("target"), told.get("kind"), told.get("seconds", 3)
        if not isinstance(target, str) or isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise WorkbenchError(
                f"a fault has a target (text) and seconds (a number), not {target!r}, {seconds!r}"
            )
        if target not in {one["target"] for one in self.told({})["targets"]}:
            raise WorkbenchError(f"the sandbox has no {target}")
        self._sandbox.troubles.set(target, str(kind), float(seconds))
        return self.told({})

    def forgets(self, told: dict[str, Any]) -> dict[str, Any]:
        """End the fault of a `target`; without one, all."""
        self._sandbox.troubles.forget(told.get("target"))
        return self.told({})

    def _functions(self) -> list[str]:
        places = self._sandbox.places()
        return sorted({function.name for place in places for function in place.lambda_state.all()})

    def _hosts(self) -> list[str]:
        subscriptions = [one for place in self._sandbox.places() for one in place.sns.of_topic()]
        return sorted(
            {urlsplit(one.endpoint).netloc for one in subscriptions if one.protocol in {"http", "https"}}
        )

    @staticmethod
    def _target(group: str, target: str, name: str) -> dict[str, Any]:
        return {"group": group, "target": target, "name": name, "kinds": list(KINDS)}
