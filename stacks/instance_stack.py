"""The Amazon Connect instance of an environment, alone in a stack: what everything else needs and nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_center import ContactCenter
from connect_bridges.contact_center.instance_options import IdentityManagement, InstanceAttributes

from constructs import Construct

from .instance_settings import InstanceSettings
from .removal import kept
from .told import tell


@dataclass(frozen=True)
class CreatedInstance:
    """An instance as the stacks after its own read it."""

    arn: str
    id: str
    service_role_arn: str

    def known_to(self, stack: cdk.Stack, *, identity: IdentityManagement | None = None) -> ConnectInstance:
        """Return the instance for constructs of another stack; once a stack."""
        return ConnectInstance.from_arn(
            stack,
            "Instance",
            self.arn,
            instance_id=self.id,
            service_role_arn=self.service_role_arn if identity else None,
            identity_management=identity,
        )


class InstanceStack(cdk.Stack):
    """ContactCenter of an environment, with nothing in it."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        instance: InstanceSettings,
        name: str,
        account: str,
        region: str,
        deletion_protection: bool = False,
    ) -> None:
        """Build the stack in an account and Region; name: the environment's."""
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-instance",
            description="The Amazon Connect instance of an environment.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        self.center = ContactCenter(
            self,
            "Center",
            alias=instance.alias,
            identity_management=IdentityManagement(instance.identity_management),
            directory_id=instance.directory_id,
            attributes=InstanceAttributes(**instance.attributes.model_dump()),
            removal_policy=kept(retain=instance.retain),
        )
        self.made = CreatedInstance(
            arn=tell(self, "InstanceArn", self.center.instance_arn, "The instance."),
            id=tell(self, "InstanceId", self.center.instance_id, "The instance's id, for aws connect."),
            service_role_arn=tell(
                self,
                "ServiceRoleArn",
                self.center.resource.attr_service_role,
                "What Amazon Connect acts as for the instance; policies of keys name it.",
            ),
        )
        if instance.alias:
            cdk.CfnOutput(
                self,
                "AccessUrl",
                value=f"https://{instance.alias}.my.connect.aws",
                description="Where agents and administrators sign in.",
            )
