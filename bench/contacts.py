"""Contacts: 1, 10 and 100 calls at once through the sandbox, with the voice stack deployed by the CDK's command line.

Each call plays the published flow: it goes out to the external voice system, whose metadata is posted to the deployed
API (authorizer, function, table) and fetched by the flow's function. All of it runs on this machine, so that what is
measured is the sandbox: how much of many calls' work it does side by side, and what a caller waits for it. AWS has its
own limits.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from connect_sandbox.rehearsal.cloud_ports import AssociatedConnectors, DeployedFunctions, PublishedFlows
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Queue
from connect_sandbox.rehearsal.contact import Contact
from connect_sandbox.rehearsal.ports import Ports

from bench.figures import Figure, NotMeasuredError, Section, alternate
from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.rehearsal import QUEUE_ID
from rehearsals.vendors.voice.client import ExternalVoiceSystem
from rehearsals.vendors.voice.script import Answers, HangUp, MetadataApi, PostMetadata, VendorScript

AT_ONCE = (1, 10, 100)
METADATA = {"reason": "refund", "kore-instanceSessionId": "8f14e45f-ceea-467f-a0e6-1d3f4a2b9c77"}


@dataclass(frozen=True)
class Played:
    """Calls that were placed at once: seconds until the last has ended, the seconds of each, how many kept metadata."""

    seconds: float
    latencies: tuple[float, ...]
    with_metadata: int


def measure(deployment: Deployment, *, quick: bool = False) -> Section:
    """Place calls at once, each number in turn; quick: 1 and 10, once each."""
    numbers = AT_ONCE[:2] if quick else AT_ONCE
    played = alternate(
        {str(number): partial(at_once, deployment, number) for number in numbers},
        rounds=1 if quick else 5,
    )
    rates = {number: Figure.of([number / each.seconds for each in played[str(number)]]) for number in numbers}
    latencies = {
        number: Figure.of([seconds for each in played[str(number)] for seconds in each.latencies])
        for number in numbers
    }
    shares = {
        number: sum(each.with_metadata for each in played[str(number)]) / (number * len(played[str(number)]))
        for number in numbers
    }
    return Section(
        "contacts",
        "Calls at once through the sandbox",
        [
            "at once",
            "calls a second",
            "throughput ratio",
            "ms a call (quartiles)",
            "latency ratio",
            "with metadata",
        ],
        [
            [
                str(number),
                f"{rates[number].median:.1f}",
                f"{rates[number].against(rates[1]):.2f}",
                latencies[number].in_milliseconds(),
                f"{latencies[number].against(latencies[1]):.2f}",
                f"{shares[number]:.0%}",
            ]
            for number in numbers
        ],
        {
            **{f"{number}_calls_a_second": figure for number, figure in rates.items()},
            **{f"{number}_latency_seconds": figure for number, figure in latencies.items()},
            "share_with_metadata": {str(number): share for number, share in shares.items()},
        },
    )


def at_once(deployment: Deployment, number: int) -> Played:
    """Place so many calls in the same moment; ``NotMeasuredError`` if not even a single one brings its metadata back.

    A call goes on without metadata when this machine is too busy to answer within the flow's time limit, which is
    what the flow is made for. Vendors are started before, and ended after, what is measured.
    """
    path, sandbox = deployment.voice, deployment.sandbox
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
    begin = threading.Barrier(number + 1)
    with ExitStack() as stack:
        contacts = [
            Contact(
                Ports(
                    flows=PublishedFlows(sandbox, path.instance_arn),
                    functions=DeployedFunctions(sandbox, path.instance_arn),
                    external_voice=AssociatedConnectors(
                        sandbox, path.instance_arn, stack.enter_context(ExternalVoiceSystem(script))
                    ),
                ),
                instance_arn=path.instance_arn,
                caller=Caller(),
                conditions=Conditions(queues=[queue]),
                secrets=[path.token],
            )
            for _ in range(number)
        ]

        def place(contact: Contact) -> float:
            begin.wait()
            started = time.perf_counter()
            contact.calls(path.flow_arn)
            return time.perf_counter() - started

        with ThreadPoolExecutor(number) as pool:
            calls = [pool.submit(place, contact) for contact in contacts]
            begin.wait()
            started = time.perf_counter()
            latencies = tuple(call.result() for call in calls)
            seconds = time.perf_counter() - started
    kept = sum("refund" in str(contact.attributes.get("customData")) for contact in contacts)
    if not kept:
        raise NotMeasuredError(
            f"none of {number} calls at once came back with metadata; the first went {contacts[0].transcript}"
        )
    return Played(seconds, latencies, kept)
