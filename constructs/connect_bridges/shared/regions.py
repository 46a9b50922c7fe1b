"""Where things are: whether a Region has Amazon Connect, and whether what a stack is given is in the stack's place.

A wrong Region is the commonest mistake in a copied ARN, and CloudFormation notices it minutes into a deployment.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk.region_info import Fact

from connect_bridges.shared.checks import Problems
from connect_bridges.shared.known_regions import CONNECT_REGIONS
from connect_bridges.shared.tokens import comes_later
from constructs import Construct

if TYPE_CHECKING:
    from connect_bridges.contact_center.connect_instance import ConnectInstance

MORE_REGIONS = "connect-bridges:more-regions"
"""The context key for Regions that AWS opened after this was written: a list, such as ["eu-west-3"]."""

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}


@cache
def _known_regions() -> frozenset[str]:
    return frozenset(Fact.regions) | frozenset(CONNECT_REGIONS)


def region_problem(
    setting: str,
    region: str,
    *,
    having: tuple[str, ...] = CONNECT_REGIONS,
    feature: str = "Amazon Connect",
    more: tuple[str, ...] = (),
) -> str | None:
    """Say why a Region cannot be used, or None.

    having: the Regions that have the feature; more: those that the user knows of besides.
    """
    if region in having or region in more:
        return None
    if region not in _known_regions():
        return f"{setting} {region!r} is not an AWS Region; write one such as us-east-1."
    return (
        f"{setting} {region!r} has no {feature}; choose one of {', '.join(having)}. If AWS has opened it there since, "
        f'say so in the context: "{MORE_REGIONS}": ["{region}"].'
    )


def partition_of(region: str) -> str:
    """Return the partition that a Region is in, such as ``aws`` or ``aws-us-gov``."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


class Place:
    """Where a construct's stack is, as far as it is known; what is not known passes every check."""

    def __init__(self, scope: Construct) -> None:
        """Ask the stack of ``scope`` for its Region and account."""
        stack = cdk.Stack.of(scope)
        self._scope = scope
        self._stack = stack.node.path
        self.region = _known(stack.region)
        self.account = _known(stack.account)
        more = scope.node.try_get_context(MORE_REGIONS)
        self._more = tuple(map(str, more)) if isinstance(more, (list, tuple)) else ()

    def check_region(
        self,
        problems: Problems,
        *,
        having: tuple[str, ...] = CONNECT_REGIONS,
        feature: str = "Amazon Connect",
        region: str | None = None,
    ) -> None:
        """Note if a feature is not in the stack's Region; region: the one to judge where the stack has none."""
        for setting, one in (("the stack's Region", self.region), ("the Region", region)):
            if one is not None:
                problem = region_problem(setting, one, having=having, feature=feature, more=self._more)
                if problem:
                    problems.add(problem)
                return

    def check_arn(self, problems: Problems, setting: str, arn: object, *, foreign: bool = False) -> None:
        """Note if an ARN is of another Region or account than the stack.

        foreign: another account is allowed, since resource policies can open what it names; a warning says so.
        """
        parts = arn.split(":", 5) if isinstance(arn, str) else []
        if len(parts) < 6 or parts[0] != "arn" or comes_later(parts[0]):
            return
        partition, region, account = _known(parts[1]), _known(parts[3]), _known(parts[4])
        if region and region not in _known_regions() and region not in self._more:
            problems.add(f"{setting} is {arn!r}, whose Region {region!r} is not an AWS Region; correct it.")
        elif region and partition and partition != partition_of(region):
            problems.add(
                f"{setting} is {arn!r}, whose partition {partition!r} is not that of {region}; write "
                f"arn:{partition_of(region)}:…"
            )
        else:
            self._compare(problems, f"{setting} is {arn!r}", region, account, foreign=foreign)

    def check_resource(
        self,
        problems: Problems,
        setting: str,
        resource: object,
        *,
        foreign: bool = False,
    ) -> None:
        """Note if a table, secret, key, topic or function is of another Region or account than the stack."""
        env, node = getattr(resource, "env", None), getattr(resource, "node", None)
        if env is None or node is None:
            return
        self._compare(
            problems,
            f"{setting} is {node.path}",
            _known(env.region),
            _known(env.account),
            foreign=foreign,
        )

    def check_of_instance(
        self, problems: Problems, setting: str, arn: object, instance: ConnectInstance
    ) -> None:
        """Note if a queue or a flow belongs to another instance."""
        whole = instance.instance_arn
        if not isinstance(arn, str) or comes_later(arn) or comes_later(whole):
            return
        if "/" in arn and not arn.startswith(f"{whole}/"):
            problems.add(
                f"{setting} is {arn!r}, which is not of the instance {whole}; copy the ARN from that instance."
            )

    def _compare(
        self, problems: Problems, what: str, region: str | None, account: str | None, *, foreign: bool
    ) -> None:
        if region and self.region and region != self.region:
            problems.add(
                f"{what}, in {region}, yet the stack {self._stack} is in {self.region}; give one of {self.region}, or "
                f'put the stack there: env=cdk.Environment(region="{region}", …).'
            )
        if account and self.account and account != self.account:
            if foreign:
                cdk.Annotations.of(self._scope).add_warning_v2(
                    f"connect-bridges:other-account:{what.split(' ', 1)[0]}",
                    f"{what}, of account {account}, yet the stack is of {self.account}: that works if its policy, and "
                    "its key's, let this account in.",
                )
            else:
                problems.add(
                    f"{what}, of account {account}, yet the stack {self._stack} is of account {self.account}; give one "
                    f'of {self.account}, or deploy the stack there: env=cdk.Environment(account="{account}", …).'
                )


def _known(text: str) -> str | None:
    return text if text and not comes_later(text) else None
