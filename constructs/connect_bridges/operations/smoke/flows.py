"""Published flows and modules: they are there, active, and may use their functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke.account import Account, Need
from connect_bridges.operations.smoke.result import Checks, FailedError, asking

INSTANCE_NEEDS = ("connect:ListLambdaFunctions",)


def needs(bridge: Bridge) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    for arn in bridge.texts("flows"):
        action = "DescribeContactFlowModule" if "/flow-module/" in arn else "DescribeContactFlow"
        yield Need((f"connect:{action}",), arn)
    yield Need(INSTANCE_NEEDS, bridge.facts["instanceArn"])


def attempt(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Check each flow and module of a construct, and that the instance may invoke what they invoke."""
    invoked: set[str] = set()
    for name, arn in bridge.facts["flows"].items():

        def published(arn: str = str(arn)) -> str:
            found = _described(account, arn)
            content = _content(found, arn)
            invoked.update(_functions_in(content))
            state, status = found.get("State", "ACTIVE"), found.get("Status", "PUBLISHED")
            if (state, str(status).upper()) != ("ACTIVE", "PUBLISHED"):
                raise FailedError(
                    f"{found['Name']!r} is {state} and {status}, not ACTIVE and PUBLISHED.",
                    "Publish it in the Connect console, or deploy the stack again with `cdk deploy --revert-drift`.",
                )
            return f"{found['Name']!r} is active and published, {len(content['Actions'])} blocks"

        checks.attempt(f"{name.lower()}-published", published)
    try_association(bridge, account, checks, sorted(invoked))


def try_association(bridge: Bridge, account: Account, checks: Checks, functions: Iterable[str]) -> None:
    """Check that functions, by name or ARN, are associated with the instance."""
    wanted = list(functions)
    if not wanted:
        return
    instance = str(bridge.facts["instanceArn"])

    def associated() -> str:
        with asking(f"list the functions of {instance}", "connect:ListLambdaFunctions"):
            pages = account.client("connect").get_paginator("list_lambda_functions")
            listed = {
                arn for page in pages.paginate(InstanceId=_id(instance)) for arn in page["LambdaFunctions"]
            }
        missing = [each for each in wanted if not any(_same(each, arn) for arn in listed)]
        if missing:
            raise FailedError(
                f"the instance may not invoke {', '.join(missing)}: not associated.",
                "Deploy the stack again with `cdk deploy --revert-drift`, or add the function in the Connect console "
                "(Flows, AWS Lambda).",
            )
        return f"{len(wanted)} associated with the instance"

    checks.attempt("functions-associated", associated)


def _described(account: Account, arn: str) -> Mapping[str, Any]:
    module = "/flow-module/" in arn
    instance, flow = _id(arn.partition("/flow-module/" if module else "/contact-flow/")[0]), _id(arn)
    client = account.client("connect")
    action = f"connect:DescribeContactFlow{'Module' if module else ''}"
    with asking(f"describe {arn}", action):
        if module:
            found: Mapping[str, Any] = client.describe_contact_flow_module(
                InstanceId=instance, ContactFlowModuleId=flow
            )["ContactFlowModule"]
        else:
            found = client.describe_contact_flow(InstanceId=instance, ContactFlowId=flow)["ContactFlow"]
    return found


def _content(found: Mapping[str, Any], arn: str) -> Mapping[str, Any]:
    try:
        content = json.loads(found["Content"])
        first, blocks = content["StartAction"], {action["Identifier"] for action in content["Actions"]}
    except (ValueError, KeyError, TypeError):
        first, blocks, content = None, set(), {}
    if first not in blocks:
        raise FailedError(
            f"the content of {arn} is no flow with a first block.",
            "Somebody has changed it: deploy the stack again with `cdk deploy --revert-drift`.",
        )
    whole: Mapping[str, Any] = content
    return whole


def _functions_in(content: Mapping[str, Any]) -> set[str]:
    """Return the ARNs of the functions that blocks name; one from an attribute is known in a call only."""
    named = (action.get("Parameters", {}).get("LambdaFunctionARN") for action in content["Actions"])
    return {arn for arn in named if isinstance(arn, str) and arn.startswith("arn:")}


def _same(wanted: str, arn: str) -> bool:
    return arn == wanted or arn.partition(":function:")[2] == wanted


def _id(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
