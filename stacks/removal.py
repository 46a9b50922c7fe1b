"""What becomes of an environment's data, instance and numbers when its stacks are deleted."""

from __future__ import annotations

import aws_cdk as cdk


def removal_policy(*, protected: bool) -> cdk.RemovalPolicy:
    """Return the removal policy of an environment's data.

    In a protected environment data outlives its stack, but not a first deployment that fails: with RETAIN a table of a
    fixed name would be in the way of the next one.
    """
    return kept(retain=protected)


def kept(*, retain: bool) -> cdk.RemovalPolicy:
    """Return the removal policy of an instance or a number; a kept one goes too when its first deployment fails."""
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else cdk.RemovalPolicy.DESTROY
