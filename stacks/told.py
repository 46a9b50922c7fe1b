"""How one stack of an environment tells another what it has made."""

from __future__ import annotations

import aws_cdk as cdk


def tell(stack: cdk.Stack, name: str, value: str, meaning: str) -> str:
    """Add an output, and return it as other stacks read it, which must be deployed later.

    A weak reference, Fn::GetStackOutput: it holds no update of this stack up, and is read when the other stack is
    deployed (docs/decisions/0019-weak-references.md). The output has a name of its own instead of one that the CDK
    makes of logical ids, whatever the feature flag for cross-stack references says.
    """
    output = cdk.CfnOutput(stack, name, value=value, description=meaning)
    return told(stack, str(stack.resolve(output.logical_id)))


def told(stack: cdk.Stack, name: str) -> str:
    """Return an output that a stack has, as others read it; they have to give no role, being in the same account."""
    # evidence: get-stack-output
    return cdk.Fn.get_stack_output(stack.stack_name, name)
