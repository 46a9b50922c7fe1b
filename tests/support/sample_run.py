"""A run as a recorder writes it, made by hand: scenarios that pass and fail, with all that a contact sets off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.own_line import chat_flow, flow

Json = dict[str, Any]
ACCOUNT = "123456789012"
INSTANCE = f"arn:aws:connect:us-east-1:{ACCOUNT}:instance/11111111-2222-3333-4444-555555555555"
LINE = f"{INSTANCE}/contact-flow/aaaaaaaa-0000-0000-0000-000000000001"
CHAT = f"{INSTANCE}/contact-flow/aaaaaaaa-0000-0000-0000-000000000002"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:customer-lookup"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/callers"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:callbacks"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/customer-lookup-role/customer-lookup"


class Sample:
    """Writes events, numbered and timed as in a run file."""

    def __init__(self, title: str = "make demo") -> None:
        self.events: list[Json] = []
        self.at = 0.0
        self.of: Json = {}
        self.add(
            "run", format="connect-sandbox-run", version=1, started="2026-11-22T05:00:00Z", title=title,
            program="connect-sandbox 0.1.0",
        )  # fmt: skip

    def add(self, event: str, **fields: Any) -> Json:
        """Write an event of the present contact and scenario."""
        told = {
            "event": event,
            "n": len(self.events),
            "time": round(len(self.events) * 0.01, 3),
            **self.of,
            **fields,
        }
        if "contact" in told:
            told["at"] = round(self.at, 3)
        self.events.append(told)
        return told

    def says(self, who: str, text: str, block: str, *, kind: str = "says") -> None:
        """Write a line of the transcript; speech takes its time."""
        self.add("entry", who=who, kind=kind, text=text, flow=LINE, block=block)
        self.at += len(text) / 14 if kind == "says" else 0

    def goes(self, block: str, branch: str, label: str, to: str | None) -> None:
        """Leave a block by a branch."""
        self.add("branch", flow=LINE, block=block, branch=branch, label=label, **({"to": to} if to else {}))

    def call(
        self, scenario: str, number: int, shows: str, *, refused: bool = False, presses: str = "1"
    ) -> None:
        """Play a call: a function looks the caller up, then a menu; refused: the function may not write its item."""
        contact = f"0000{number:04d}-0000-4000-8000-000000000000"
        self.at = 0.0
        self.of = {"scenario": scenario}
        self.add("scenario", shows=shows)
        self.of = {"scenario": scenario, "contact": contact}
        self.add(
            "contact",
            channel="VOICE",
            customer="+12065550142",
            system="+18005550199",
            flow=LINE,
            initiation="INBOUND",
        )
        if not any(event["event"] == "flow" and event["flow"] == LINE for event in self.events):
            self.add("flow", flow=LINE, name="Support line", type="CONTACT_FLOW", content=flow())
        self.add("entry", who="caller", kind="flow", text="+12065550142 calls +18005550199", flow=LINE)
        self.add("block", flow=LINE, block="lookup", type="InvokeLambdaFunction")
        self._lookup(number, refused=refused)
        if refused:
            self.says(
                "connect",
                "fails: the function raised AccessDeniedException; takes the branch NoMatchingError",
                "lookup",
                kind="branch",
            )
            self.goes("lookup", "error:NoMatchingError", "NoMatchingError", "sorry")
        else:
            self.add("attributes", set={"customerName": "Ada", "tier": "gold"}, removed=[])
            self.goes("lookup", "next", "next", "welcome")
            self._menu(presses)
        if refused or presses != "1":
            self.add("block", flow=LINE, block="sorry", type="MessageParticipant")
            self.says("connect", "Please call again.", "sorry")
            self.goes("sorry", "next", "next", "bye")
            self.add("block", flow=LINE, block="bye", type="DisconnectParticipant")
            self.goes("bye", "end", "ends", None)
            self.add("contact-ended", how="disconnected", reason="")
        self.of = {"scenario": scenario}
        if refused:
            failure = (
                "the caller should have heard “Welcome, Ada.”\n  it heard:\n    “Please call again.”\n\n"
                "  0:00.0  caller   +12065550142 calls +18005550199"
            )
            self.add("scenario-ended", outcome="failed", seconds=0.4, failure=failure)
        else:
            self.add("scenario-ended", outcome="passed", seconds=0.2)
        self.of = {}

    def _lookup(self, number: int, *, refused: bool) -> None:
        invocation = f"aaaa{number:04d}-1111-4222-8333-444444444444"
        known = {"invocation": invocation}
        event = {
            "Name": "ContactFlowEvent",
            "Details": {"ContactData": {"CustomerEndpoint": {"Address": "+12065550142", "Type": "TELEPHONE_NUMBER"},
                                        "Channel": "VOICE"}, "Parameters": {}},
        }  # fmt: skip
        self.add(
            "function", function=FUNCTION, block="lookup", input=event, by="connect.amazonaws.com", **known
        )
        group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/customer-lookup"
        denied = "no policy of the role allows dynamodb:PutItem" if refused else None
        for action, resource, reason in (
            ("logs:PutLogEvents", group, None),
            ("dynamodb:PutItem", TABLE, denied),
        ):
            told = {"allowed": reason is None, "reason": reason or "the role's policy own allows it"}
            self.add("decision", action=action, resource=resource, principal=ROLE, **told, **known)
        logs = [f"START RequestId: {invocation} Version: $LATEST", "looking up +12065550142"]
        if refused:
            logs.append("[ERROR] ClientError: An error occurred (AccessDeniedException) when calling PutItem")
            answer: Json = {
                "errorMessage": "An error occurred (AccessDeniedException)",
                "errorType": "ClientError",
            }
            self.add(
                "function-ended",
                function=FUNCTION,
                answer=answer,
                error="Unhandled",
                milliseconds=41.2,
                cold=True,
                logs=logs,
                **known,
            )
            return
        item = {"number": "+12065550142", "seen": 2}
        self.add(
            "item", table=TABLE, key={"number": "+12065550142"}, old={**item, "seen": 1}, new=item, **known
        )
        self.add(
            "message",
            service="sns",
            to=TOPIC,
            body={"number": "+12065550142"},
            attributes={"kind": "seen"},
            **known,
        )
        self.add(
            "delivery",
            service="sns",
            **{"from": TOPIC},
            to="https://hooks.example.com/seen",
            outcome="delivered",
            status=200,
            attempt=1,
        )
        self.add(
            "function-ended", function=FUNCTION, answer={"name": "Ada"}, milliseconds=12.7, cold=number == 1,
            logs=[*logs, "END"], **known,
        )  # fmt: skip

    def _menu(self, presses: str) -> None:
        self.add("block", flow=LINE, block="welcome", type="MessageParticipant")
        self.says("connect", "Welcome, Ada.", "welcome")
        self.goes("welcome", "next", "next", "ask")
        self.add("block", flow=LINE, block="ask", type="GetParticipantInput")
        self.says("connect", "Press 1 for an agent.", "ask")
        self.says("caller", f"presses {presses}", "ask", kind="does")
        if presses != "1":
            self.goes("ask", "error:NoMatchingCondition", "NoMatchingCondition", "sorry")
            return
        self.goes("ask", "condition:0", "Equals 1", "queue")
        self.add("block", flow=LINE, block="queue", type="UpdateContactTargetQueue")
        self.goes("queue", "next", "next", "transfer")
        self.add("block", flow=LINE, block="transfer", type="TransferContactToQueue")
        self.says("connect", "the caller waits in the queue: Support", "transfer", kind="ends")
        self.goes("transfer", "end", "waits in the queue", None)
        self.add("contact-ended", how="queued", reason="Support", queue=f"{INSTANCE}/queue/support")

    def ends(self) -> list[Json]:
        """End the run; return its events."""
        ended = [event for event in self.events if event["event"] == "scenario-ended"]
        failed = sum(event["outcome"] == "failed" for event in ended)
        self.add("run-ended", passed=len(ended) - failed, failed=failed, seconds=1.5)
        return self.events


def sample_run() -> list[Json]:
    """Return a run of four scenarios, of which one has failed."""
    sample = Sample()
    sample.add("deployed", stack="support-line", account=ACCOUNT, region="us-east-1", outputs={"Line": LINE})
    sample.call("voice/member-reaches-agent", 1, "A member is greeted by name and reaches an agent.")
    sample.call("voice/wrong-key", 2, "A caller presses a key that the menu does not have.", presses="7")
    sample.call(
        "voice/lookup-denied", 3, "The lookup may not write: the caller is asked to call again.", refused=True
    )
    sample.call("voice/member-again", 4, "A member who has called before is known.")
    return sample.ends()


def long_run(scenarios: int, events: int) -> list[Json]:
    """Return a run of so many scenarios and about so many events; every fiftieth fails."""
    sample = Sample("a long run")
    each = events // scenarios
    for number in range(scenarios):
        before = len(sample.events)
        sample.call(
            f"voice/caller-{number:03d}", number, f"Caller {number} goes round.", refused=number % 50 == 49
        )
        ending = sample.events.pop()
        sample.of = {
            "scenario": ending["scenario"],
            "contact": f"0000{number:04d}-0000-4000-8000-000000000000",
        }
        for turn in range((each - len(sample.events) + before) // 4):
            sample.add("block", flow=LINE, block="ask", type="GetParticipantInput")
            sample.says("connect", f"Press 1 for an agent. This is turn {turn}.", "ask")
            sample.says("caller", "presses 7", "ask", kind="does")
            sample.goes("ask", "error:NoMatchingCondition", "NoMatchingCondition", "ask")
        sample.events.append(ending | {"n": len(sample.events)})
        sample.of = {}
    return sample.ends()


def as_file(events: list[Json]) -> Iterator[str]:
    """Yield the lines of the run file."""
    for event in events:
        yield json.dumps(event) + "\n"


__all__ = ["CHAT", "LINE", "Sample", "as_file", "chat_flow", "long_run", "sample_run"]
