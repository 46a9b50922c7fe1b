"""1,000 calls at once through the deployed flow: none is lost, whatever this machine is busy with.

All are under way at the same time. The machine invokes AT_ONCE functions at a time for them, and the vendor posts as
many at a time: what Lambda does side by side, two processors do one after the other.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from connect_sandbox.rehearsal.cloud_ports import AssociatedConnectors, DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.ports import LambdaAnswer, Ports
from connect_sandbox.rehearsal.values import Json

from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.rehearsal import QUEUE_ID
from rehearsals.vendors.voice.client import ExternalVoiceSystem
from rehearsals.vendors.voice.script import Answers, HangUp, MetadataApi, PostMetadata, VendorScript
from tests.support.tally import Tally

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(900)]

CALLS = 1_000
AT_ONCE = 4
LONGEST = 600.0
METADATA = {"reason": "refund"}


class _Functions(DeployedFunctions):
    def __init__(self, room: threading.Semaphore, *place: Any) -> None:
        super().__init__(*place)
        self._room = room

    def invoke(self, function_arn: str, event: Any, *, time_limit: float) -> LambdaAnswer:
        with self._room:
            return super().invoke(function_arn, event, time_limit=time_limit)


class _Vendor(ExternalVoiceSystem):
    def __init__(self, script: VendorScript, room: threading.Semaphore) -> None:
        super().__init__(script)
        self._room = room

    def _send(self, request: str, **content: Json) -> Json:
        with self._room:
            return super()._send(request, **content)


def test_a_thousand_calls_at_once_all_come_back_with_what_the_vendor_said(
    deployment: Deployment, tally: Tally, scale: float
) -> None:
    calls, path, sandbox = int(CALLS * scale), deployment.voice, deployment.sandbox
    host, port, _ = sandbox.api_base(path.api_url)
    script = VendorScript(
        pickup=Answers(),
        steps=(PostMetadata(METADATA), HangUp()),
        api=MetadataApi(
            url=path.api_url, token=path.token, token_header=path.token_header, connect_to=(host, port)
        ),
        contact_id_header=path.contact_id_header,
    )
    queue = Queue(arn=f"{path.instance_arn}/queue/{QUEUE_ID}", name="Support")
    room, begin = threading.Semaphore(AT_ONCE), threading.Barrier(calls)
    flows = PublishedFlows(sandbox, path.instance_arn)
    functions = _Functions(room, sandbox, path.instance_arn)
    with _Vendor(script, threading.Semaphore(AT_ONCE)) as vendor, ThreadPoolExecutor(calls) as pool:

        def place(number: int) -> Contact:
            contact = Contact(
                Ports(
                    flows=flows,
                    functions=functions,
                    external_voice=AssociatedConnectors(sandbox, path.instance_arn, vendor),
                ),
                instance_arn=path.instance_arn,
                caller=Caller(number=f"+1206555{number:04d}"),
                conditions=Conditions(queues=[queue]),
                secrets=[path.token],
            )
            begin.wait()
            contact.calls(path.flow_arn)
            return contact

        started = time.monotonic()
        placed = [pool.submit(place, number) for number in range(calls)]
        contacts = [call.result(timeout=LONGEST) for call in placed]
        seconds = time.monotonic() - started
        statuses = Counter(status for posted in vendor.posted for status in posted.attempts)
    endings = Counter(contact.ending.how for contact in contacts)
    kept = sum("refund" in str(contact.attributes.get("customData")) for contact in contacts)
    errors = sum(number for status, number in statuses.items() if status >= 500)
    found = Counter({"ownError": errors, "lostCall": calls - endings["queued"], "lostMetadata": calls - kept})
    tally.add("calls at once", seconds, calls, +found)
    print(
        f"\n{calls:,} calls at once: {dict(endings)}, {kept:,} with metadata, the API's answers {dict(statuses)}"
    )
    assert not +found
