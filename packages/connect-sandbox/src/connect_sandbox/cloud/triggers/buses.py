"""Amazon EventBridge: PutEvents, and what its rules send where. moto keeps buses, rules and targets.

Sources: Amazon EventBridge user guide, "Events in Amazon EventBridge", "Event bus targets in Amazon EventBridge",
"Amazon EventBridge input transformation", "Using resource-based policies for Amazon EventBridge".
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connect_sandbox.cloud.aws_service import AwsService
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.principals import Principal, RolePrincipal, ServicePrincipal
from connect_sandbox.cloud.triggers.patterns import matches
from connect_sandbox.moto_internals import backend

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.faults import Faults
    from connect_sandbox.cloud.http import HttpRequest, HttpResponse
    from connect_sandbox.cloud.triggers.targets import Targets
    from connect_sandbox.cloud.values import Member

_EVENTS = "events.amazonaws.com"
_PLACEHOLDER = re.compile(r"<([^<>]+)>")
_LONGEST = 256 * 1024


class Buses:
    """The event buses of the account. `events` is every event that was put."""

    def __init__(
        self,
        account: str,
        region: str,
        authorization: Authorization,
        clients: Callable[[str], Any],
        targets: Targets,
    ) -> None:
        """`clients` returns boto3 clients of moto; buses become a kind of target."""
        self._authorization = authorization
        self.events: list[dict[str, Any]] = []
        self._account = account
        self._region = region
        self._clients = clients
        self._targets = targets
        self.targets_of_rule: dict[str, list[dict[str, Any]]] = {}
        """Targets as the templates have them, by rule ARN: moto drops some of their members."""
        targets.add("events", self._from_other_bus)

    def put(self, entry: Mapping[str, Any]) -> str:
        """Put one entry of PutEvents and send it on; return the event's id."""
        when = entry.get("Time") or dt.datetime.now(dt.UTC)
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self._account,
            "time": when if isinstance(when, str) else f"{when:%Y-%m-%dT%H:%M:%SZ}",
            "region": self._region,
            "resources": list(entry.get("Resources") or []),
            "detail": json.loads(entry["Detail"]),
        }
        bus = str(entry.get("EventBusName") or "default")
        self._targets.told.sent("events", self._arn(bus), json.dumps(event))
        self.send(event, bus)
        return str(event["id"])

    def send(self, event: dict[str, Any], bus: str = "default") -> None:
        """Send an event, complete with its envelope, to the targets of the rules that it matches."""
        self.events.append(event)
        name = bus.rpartition("/")[2]
        held = backend("events", self._account, self._region).event_buses.get(name)
        if held is not None and not held.rules:
            return  # most contacts happen where nobody asks for their events
        service = str(event.get("source", ""))
        if service.startswith("aws."):
            self._targets.told.sent(service.removeprefix("aws."), self._arn(name), json.dumps(event))
        client = self._clients("events")
        for rule in client.list_rules(EventBusName=name)["Rules"]:
            pattern = rule.get("EventPattern")
            if pattern and rule["State"] != "DISABLED" and matches(json.loads(pattern), event):
                for target in self._targets_of(client, rule, name):
                    self._send(rule["Arn"], target, event)

    def _arn(self, bus: str) -> str:
        return f"arn:aws:events:{self._region}:{self._account}:event-bus/{bus.rpartition('/')[2]}"

    def _targets_of(self, client: Any, rule: Mapping[str, Any], bus: str) -> list[dict[str, Any]]:  # noqa: ANN401
        kept = self.targets_of_rule.get(rule["Arn"])
        if kept is not None:
            return kept
        listed: list[dict[str, Any]] = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)[
            "Targets"
        ]
        return listed

    def _send(self, rule_arn: str, target: Mapping[str, Any], event: dict[str, Any]) -> None:
        sender: Principal = ServicePrincipal(_EVENTS, self._account, rule_arn)
        if target.get("RoleArn") and self._authorization.may_assume(_EVENTS, target["RoleArn"], rule_arn):
            sender = RolePrincipal(target["RoleArn"], "EventBridge")
        refused = self._targets.send(sender, target["Arn"], target_input(target, event))
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if refused and queue:
            self._targets.send(ServicePrincipal(_EVENTS, self._account, rule_arn), queue, json.dumps(event))

    def _from_other_bus(self, sender: Principal, arn: str, message: str) -> None:
        decision = self._authorization.decide(sender, "events:PutEvents", arn)
        if not decision.allowed:
            raise AwsError("AccessDeniedException", decision.message, 403)
        self.send(json.loads(message), arn.rpartition(":event-bus/")[2])


def target_input(target: Mapping[str, Any], event: dict[str, Any]) -> str:
    """Return what a target gets of an event, by Input, InputPath or InputTransformer."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    template = transformer["InputTemplate"]
    values = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {"aws.events.event": event, "aws.events.event.json": event}

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1])
        quoted = found.string[: found.start()].count('"') - found.string[: found.start()].count('\\"')
        if isinstance(value, str) and quoted % 2:
            return json.dumps(value)[1:-1]
        return json.dumps(value)

    return _PLACEHOLDER.sub(fill, template)


def _at(event: Any, path: str) -> Any:  # noqa: ANN401
    found = event
    for part in re.findall(r"[^.\[\]$]+", path):
        if isinstance(found, list):
            found = found[int(part)] if part.isdigit() and int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return found


class EventsApi(AwsService):
    """PutEvents; every other operation is moto's."""

    service_name = "events"

    def __init__(self, faults: Faults, buses: Buses) -> None:
        """Take the buses."""
        super().__init__(faults)
        self._buses = buses

    def early(self, request: HttpRequest) -> HttpResponse | None:
        """Answer PutEvents; None leaves the request to moto."""
        return self.handle(request) if request.headers.get("X-Amz-Target").endswith(".PutEvents") else None

    def put_events(self, entries: list[dict[str, Any]], **_request: Member) -> dict[str, Any]:
        """Put each entry; one that EventBridge does not take fails alone."""
        answers: list[dict[str, Any]] = []
        for entry in entries:
            wrong = _wrong(entry)
            answers.append(wrong or {"EventId": self._buses.put(entry)})
        return {
            "FailedEntryCount": sum("ErrorCode" in answer for answer in answers),
            "Entries": answers,
        }


def _wrong(entry: Mapping[str, Any]) -> dict[str, str] | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    if str(entry["Source"]).startswith("aws."):
        message = "Not authorized for the source."
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": message}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    if len(json.dumps(detail)) > _LONGEST:
        return {"ErrorCode": "ValidationException", "ErrorMessage": "Total size of the entry is too large."}
    return None
