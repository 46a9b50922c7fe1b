"""A table of enrolled callers is not replaced by an empty one because a preset was changed.

A table's name and partition key cannot be changed: CloudFormation makes a new table and lets the old one go (which
stays, by its UpdateReplacePolicy, with nobody reading it). `cdk diff` says "replace"; nothing asks. At synth nobody
knows what is deployed. The stack does: a parameter keeps its value from one deployment to the next, for the CDK CLI
passes the previous one unless it is told another. So the first deployment writes name and key down in a parameter, and
a rule of the template, which CloudFormation evaluates before it touches anything, compares them with the template's.
"""

from __future__ import annotations

import aws_cdk as cdk

from constructs import Construct

_ANY_NAME = "generated"  # the name is CloudFormation's


def guard_table(construct: Construct, *, name: str | None, partition_key: str, holds: str) -> None:
    """Refuse a deployment that would replace the construct's table, unless it says so.

    holds: what would be missing afterwards. Whoever means it names the new table in the parameter TableIdentity, once.
    Nothing is refused in a nested stack, whose parameters its parent passes anew, nor where a deployment passes no
    previous values (``cdk deploy --no-previous-parameters``).
    """
    stack = cdk.Stack.of(construct)
    if stack.nested_stack_parent is not None:
        return
    identity = f"{name or _ANY_NAME}/{partition_key}"
    # evidence: previous-parameter-values
    parameter = cdk.CfnParameter(
        construct,
        "TableIdentity",
        default=identity,
        description=f"Name and key of the table of {construct.node.path}. Leave it as it is.",
    )
    said = f"--parameters {stack.stack_name}:{stack.get_logical_id(parameter)}={identity}"
    cdk.CfnRule(
        construct,
        "TableStays",
        assertions=[
            cdk.CfnRuleAssertion(
                assert_=cdk.Fn.condition_equals(parameter.value_as_string, identity),
                assert_description=(
                    f"{construct.node.path}: name or partition key of its table would become {identity}, so that "
                    f"CloudFormation would begin an empty table; {holds}. Set preset, table_name and partition_key "
                    f"back. If the new table is meant, deploy once with {said}; the old one is kept."
                ),
            )
        ],
    )
