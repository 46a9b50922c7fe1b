"""The telephone numbers of an environment, each answered by one of its flows."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk

from constructs import Construct

from .instance_settings import NumberSettings
from .instance_stack import CreatedInstance
from .removal import kept


class NumbersStack(cdk.Stack):
    """Claimed numbers of a created instance; the last stack, since a number needs its flow."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        numbers: Mapping[str, NumberSettings],
        flows: Mapping[str, str],
        created: CreatedInstance,
        name: str,
        account: str,
        region: str,
        deletion_protection: bool = False,
    ) -> None:
        """Build the stack in an account and Region.

        name: the environment's. created: the instance, of another stack. flows: ARNs of the environment's flows, by
        the capability that has them.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-numbers",
            description="Telephone numbers of an Amazon Connect instance, and the flows that answer them.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        instance = created.known_to(self)
        for key, one in numbers.items():
            number = instance.claim_number(
                key,
                country_code=one.country_code,
                number_type=one.type,
                prefix=one.prefix,
                description=one.description,
                flow=flows[one.flow],
                removal_policy=kept(retain=one.retain),
            )
            cdk.CfnOutput(
                self, f"Number{key}", value=number.name, description=f"Answered by the {one.flow} flow."
            )
