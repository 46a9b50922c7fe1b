"""The fake for the vendor, in its own process, against an HTTP server that emulates the metadata API."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from connect_sandbox.rehearsal import (
    Caller,
    Contact,
    HangsUp,
    LambdaAnswer,
    Ports,
    PublishedFlow,
    Says,
    VirtualClock,
)

from rehearsals.vendors.voice.client import ExternalVoiceSystem
from rehearsals.vendors.voice.script import (
    Answers,
    Ask,
    DropCall,
    HangUp,
    MetadataApi,
    NeverAnswers,
    PostMetadata,
    Refuses,
    Say,
    VendorScript,
)
from tests.support.rehearsal import INSTANCE, block, hang_up, say

PIN = "tok-1234"
FLOW = [
    block(
        "transfer",
        "TransferParticipantToThirdParty",
        "back",
        errors={"CallFailed": "failed", "ConnectionTimeLimitExceeded": "slow", "NoMatchingError": "failed"},
        ThirdPartyConnectionTimeLimitSeconds="60",
        ContinueFlowExecution="True",
        VoiceConnector={
            "VoiceConnectorType": "CallTransferConnector",
            "VoiceConnectorArn": "arn:aws:chime:us-east-1:123456789012:vc/abc",
            "ToUser": "+12065550100",
            "FromUser": "$.CustomerEndpoint.Address",
        },
    ),
    say("back", "Welcome back.", "bye"),
    say("failed", "It failed.", "bye"),
    say("slow", "Nobody answered.", "bye"),
    hang_up(),
]


class Api:
    """Keeps what was posted; `statuses` are answered in turn, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.requests: list[dict[str, Any]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
                self.send_response(api.statuses.pop(0) if api.statuses else 200)
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"ok":true}')

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def given(self) -> MetadataApi:
        port = self.server.server_address[1]
        return MetadataApi(
            url="https://abc.execute-api.us-east-1.amazonaws.com/dev/kore-metadata",
            token=PIN,
            connect_to=("127.0.0.1", port),
        )


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    threading.Thread(target=api.server.serve_forever, args=(0.01,), daemon=True).start()
    yield api
    api.server.shutdown()
    api.server.server_close()


class OneFlow:
    """An instance with FLOW and no function."""

    arn = f"{INSTANCE}/contact-flow/main"

    def flow(self, arn_or_id: str) -> PublishedFlow:
        assert arn_or_id == self.arn
        content = {"Version": "2019-10-30", "StartAction": "transfer", "Actions": FLOW}
        return PublishedFlow.parse(json.dumps(content), arn=self.arn, name="main", type="CONTACT_FLOW")

    module = flow

    def invoke(
        self,
        function_arn: str,
        event: Mapping[str, Any],  # noqa: ARG002  (the port's signature)
        *,
        time_limit: float,  # noqa: ARG002
    ) -> LambdaAnswer:
        raise AssertionError(f"the flow invokes {function_arn}")

    def invoke_without_waiting(self, function_arn: str, event: Mapping[str, Any]) -> str:  # noqa: ARG002
        raise AssertionError(f"the flow invokes {function_arn}")


def call(vendor: ExternalVoiceSystem, **contact: Any) -> Contact:
    instance = OneFlow()
    ports = Ports(flows=instance, functions=instance, external_voice=vendor)
    return Contact(ports, instance_arn=INSTANCE, secrets=[PIN], **contact).calls(OneFlow.arn)


def test_it_posts_what_it_learned_with_the_contact_id_of_the_sip_header(api: Api) -> None:
    steps = (
        Ask("What is it about?", remember="reason"),
        PostMetadata({"x_metadata": "Caller wants: {reason}", "score": 0.25}),
        Say("An agent will help you."),
        HangUp(),
    )
    with ExternalVoiceSystem(VendorScript(steps=steps, api=api.given())) as vendor:
        contact = call(vendor, caller=Caller(moves=[Says("a refund")]))
    contact.hears("What is it about?", "An agent will help you.", "Welcome back.")
    [request] = api.requests
    assert request["path"] == f"/dev/kore-metadata?contactId={contact.contact_id}"
    assert request["headers"]["Host"] == "abc.execute-api.us-east-1.amazonaws.com"
    assert request["headers"]["authorizationToken"] == PIN
    assert request["body"] == {"x_metadata": "Caller wants: a refund", "score": 0.25}
    assert [(posted.status, posted.body) for posted in vendor.posted] == [(200, {"ok": True})]
    assert PIN not in json.dumps(contact.transcript.to_json())


@pytest.mark.parametrize(("statuses", "last"), [([429, 503], 200), ([503] * 9, 503), ([403], 403)])
def test_it_retries_429_and_503_only(api: Api, statuses: list[int], last: int) -> None:
    api.statuses = list(statuses)
    script = VendorScript(steps=(PostMetadata({"a": 1}, retries=3, pause=0.01),), api=api.given())
    with ExternalVoiceSystem(script) as vendor:
        call(vendor).hears("Welcome back.")
    assert vendor.posted[0].status == last
    assert vendor.posted[0].attempts == tuple([*statuses, 200][: 4 if last != 403 else 1])


def test_it_can_use_a_wrong_token(api: Api) -> None:
    script = VendorScript(steps=(PostMetadata({"a": 1}, token="wrong"),), api=api.given())
    with ExternalVoiceSystem(script) as vendor:
        call(vendor)
    assert api.requests[0]["headers"]["authorizationToken"] == "wrong"


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        (VendorScript(pickup=Refuses(486, "Busy Here")), "It failed."),
        (VendorScript(pickup=NeverAnswers()), "Nobody answered."),
        (VendorScript(pickup=Answers(after=61)), "Nobody answered."),
        (VendorScript(pickup=Answers(after=59)), "Welcome back."),
        (VendorScript(steps=(Say("Hello."), DropCall())), "It failed."),
    ],
)
def test_how_it_picks_up_decides_the_branch(script: VendorScript, heard: str) -> None:
    clock = VirtualClock()
    with ExternalVoiceSystem(script) as vendor:
        call(vendor, clock=clock).hears(heard)
    assert len(vendor.invites) == 1
    if heard == "Nobody answered.":
        assert clock.elapsed >= 60


def test_it_stops_when_the_caller_hangs_up(api: Api) -> None:
    script = VendorScript(steps=(Ask("How can I help?"), PostMetadata({"never": "posted"})), api=api.given())
    with ExternalVoiceSystem(script) as vendor:
        call(vendor, caller=Caller(moves=[HangsUp()])).ends("caller hung up")
    assert not api.requests


def test_scripts_survive_the_way_to_the_process(api: Api) -> None:
    script = VendorScript(
        pickup=Refuses(503, "Service Unavailable"),
        steps=(Say("a"), Ask("b", remember="c"), PostMetadata({"d": [1]}), DropCall("e"), HangUp()),
        api=api.given(),
    )
    assert VendorScript.from_json(json.loads(json.dumps(script.to_json()))) == script
