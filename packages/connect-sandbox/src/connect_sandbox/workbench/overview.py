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


def overview(sandbox: Sandbox) -> dict[str, Any]:
    """Return stacks with their outputs, and instances with their numbers and flows, as JSON."""
    return {
        "account": sandbox.account,
        "region": sandbox.region,
        "endpoint_url": sandbox.endpoint_url,
        "stacks": [
            {
                "name": stack.name,
                "status": stack.status,
                "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.outputs},
            }
            for stack in sandbox.deployments.stacks()
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
            for instance in sandbox.connect.instances()
        ],
        "not_rehearsed": [asdict(one) for one in sandbox.not_rehearsed],
        "warnings": list(sandbox.warnings),
    }
