"""What there is in a sandbox: stacks, and the numbers and flows that can be called."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from connect_sandbox.cloud import Flow, Instance, Sandbox
from connect_sandbox.cloud.contact_center.defaults import DEFAULT_FLOWS


def own_flows(instance: Instance) -> list[Flow]:
    """Return an instance's flows without those that came with it."""
    came_with_it = DEFAULT_FLOWS if instance.created else {}
    return [flow for flow in instance.flows.values() if flow.name not in came_with_it]


def inhabited(sandbox: Sandbox) -> list[Sandbox]:
    """Return the accounts and Regions in which there is a stack or an instance, first the sandbox's own anyway."""
    return [
        place
        for place in sandbox.places()
        if place is sandbox.places()[0]
        or place.connect.instances()
        or any(stack.exists for stack in place.deployments.stacks())
    ]


def overview(sandbox: Sandbox) -> dict[str, Any]:
    """Return stacks with their outputs, and instances with their numbers and flows, of every place, as JSON."""
    places = inhabited(sandbox)
    return {
        "account": sandbox.account,
        "region": sandbox.region,
        "endpoint_url": sandbox.endpoint_url,
        "places": [{"account": place.account, "region": place.region} for place in places],
        "stacks": [
            {
                "name": stack.name,
                "account": place.account,
                "region": place.region,
                "status": stack.status,
                "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.outputs},
            }
            for place in places
            for stack in place.deployments.stacks()
            if stack.exists
        ],
        "instances": [
            {
                "arn": instance.arn,
                "alias": instance.alias,
                "numbers": {
                    held.number: instance.flow(held.flow_id).name if held.flow_id else None
                    for held in instance.numbers.values()
                },
                "flows": sorted(flow.name for flow in own_flows(instance)),
            }
            for place in places
            for instance in place.connect.instances()
        ],
        "not_rehearsed": [asdict(one) for place in places for one in place.not_rehearsed],
        "warnings": list(sandbox.warnings),
    }
