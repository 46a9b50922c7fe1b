"""What can never be changed of a deployed resource is not changed by mistake.

CloudFormation makes a new table, number or instance if such a property changes, and lets the old one go. `cdk diff`
says "replace"; nothing asks. At synth nobody knows what is deployed. The stack does: a parameter keeps its value from
one deployment to the next, for the CDK CLI passes the previous one unless it is told another. So the first deployment
writes down in a parameter what must stay, and a rule of the template, which CloudFormation evaluates before it touches
anything, compares it with the template's.

Nothing is refused in a nested stack, whose parameters its parent passes anew, nor where a deployment passes no previous
values (``cdk deploy --no-previous-parameters``).
"""

from __future__ import annotations

import aws_cdk as cdk

from connect_bridges.shared.tokens import comes_later
from constructs import Construct

SAID = "{said}"
"""In a refusal: the option of `cdk deploy` that says the change is meant."""


def guard_identity(
    scope: Construct, *, parameter: str, rule: str, identity: str, written: str, refusal: str
) -> None:
    """Refuse a deployment that would change an identity, unless it says so.

    parameter, rule: their ids below the scope. identity: what must stay, as a text; one that comes at deployment is not
    guarded. written: what the parameter holds. refusal: what would happen and what to do, with SAID in it.
    """
    stack = cdk.Stack.of(scope)
    if stack.nested_stack_parent is not None or comes_later(identity):
        return
    # evidence: previous-parameter-values
    held = cdk.CfnParameter(scope, parameter, default=identity, description=f"{written}. Leave it as it is.")
    said = f"--parameters {stack.stack_name}:{stack.get_logical_id(held)}={identity}"
    cdk.CfnRule(
        scope,
        rule,
        assertions=[
            cdk.CfnRuleAssertion(
                assert_=cdk.Fn.condition_equals(held.value_as_string, identity),
                assert_description=refusal.replace(SAID, said),
            )
        ],
    )
