"""An Amazon Connect instance that the stack creates."""

from __future__ import annotations

import re
from functools import cached_property

import aws_cdk as cdk
from aws_cdk import aws_connect as connect

from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.instance_options import IdentityManagement, InstanceAttributes
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.arguments import check_removal_policy, check_value
from connect_bridges.shared.checks import Problems, check, check_choice
from connect_bridges.shared.identity_guard import SAID, guard_identity
from connect_bridges.shared.regions import Place
from constructs import Construct

# CloudFormation's schema of AWS::Connect::Instance.
ALIAS = re.compile(r"(?=.{1,45}$)(?!d-)[0-9A-Za-z]+(?:-*[0-9A-Za-z])*", re.ASCII)
ALIAS_IS = (
    "an instance's alias: 1 to 45 letters, digits and hyphens, not beginning with d- and not beginning or ending "
    "with a hyphen, as in example-support; no other instance in the world may have it"
)
DIRECTORY = re.compile(r"d-[0-9a-f]{10}", re.ASCII)
DIRECTORY_IS = "a directory's id; it reads d-0123456789"
_IN_DIRECTORY = IdentityManagement.EXISTING_DIRECTORY


class ContactCenter(ConnectInstance):
    """An Amazon Connect instance of the stack's own: a ``ConnectInstance`` that did not exist before.

    Everything that takes a ``ConnectInstance`` takes it, and everything that can be added to one can be added to it.

    An instance made this way has no storage, no administrator and no Customer Profiles domain, which the console's
    wizard makes: ``add_call_recordings``, ``add_user`` and so on add the first two. AWS allows two instances a Region
    (quota L-AA17A6B9) and 100 creations and deletions together in 30 days; take one for all of an account's tests.
    """

    resource: connect.CfnInstance
    """The CfnInstance."""
    alias: str | None
    """The name in ``https://ALIAS.my.connect.aws``; None with a directory, whose name it then is."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        alias: str | None = None,
        identity_management: IdentityManagement = IdentityManagement.CONNECT_MANAGED,
        directory_id: str | None = None,
        attributes: InstanceAttributes | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        """Create the instance.

        alias: 1 to 45 letters, digits and hyphens, not beginning with ``d-``. No other instance of any account in any
            Region may have it, so take one with your company's name in it: whether
            ``https://ALIAS.my.connect.aws`` leads anywhere tells, and the deployment fails if it is taken. Required,
            but for EXISTING_DIRECTORY, which refuses it.
        identity_management: where the users are kept. directory_id: of AWS Directory Service, as in d-0123456789, for
            EXISTING_DIRECTORY alone.
        attributes: what the instance does; default: calls in and out, early media, flow logs, Contact Lens.
        removal_policy: RETAIN_ON_UPDATE_OR_DELETE keeps the instance when the stack is deleted and deletes it when its
            first deployment fails. With the instance go its numbers, for up to 180 days, and all of its settings,
            users and metrics, for good.

        Alias, identity management and directory can never be changed. A change would make a second, empty instance,
        and none of the stack's flows, queues and users can move there: a rule in the template refuses such a
        deployment before it begins. Raises ``ConstructArgumentError``, a ``ValueError``, for wrong arguments, and where
        the stack's Region has no Amazon Connect.
        """
        Construct.__init__(self, scope, id)  # what ConnectInstance needs to begin with, the ARN, is made here
        problems = Problems(self)
        Place(self).check_region(problems)
        problems.collect(check_choice, "identity_management", identity_management, tuple(IdentityManagement))
        _check_names(problems, alias, directory_id, identity_management)
        problems.collect(
            check_value, "attributes", attributes, InstanceAttributes, "InstanceAttributes(flow_logs=False)"
        )
        problems.collect(check_removal_policy, removal_policy)
        problems.raise_all()
        attributes = attributes if attributes is not None else InstanceAttributes()
        self.alias = alias
        self.resource = connect.CfnInstance(
            self,
            "Resource",
            identity_management_type=identity_management.value,
            instance_alias=alias,
            directory_id=directory_id,
            attributes=connect.CfnInstance.AttributesProperty(inbound_calls=True, outbound_calls=True),
        )
        # The classes of the CDK know some of them, by its version; CloudFormation knows all.
        for name, value in attributes.in_template().items():
            self.resource.add_property_override(f"Attributes.{name}", value)
        if attributes.auto_mute_agent_on_hold:
            acknowledge(
                self.resource,
                "F3002",
                "CloudFormation knows the attribute AutoMuteAgentOnHold, the checks of this CDK do not yet.",
                pack="CloudFormation-Validate",
            )
        self.resource.apply_removal_policy(removal_policy)
        self._guard(identity_management, alias or directory_id or "")
        self._attach(
            self.resource.attr_arn,
            service_role_arn=self.resource.attr_service_role,
            identity_management=identity_management,
        )
        self._describe(
            "ContactCenter",
            {
                "alias": alias,
                "identityManagement": identity_management.value,
                "attributes": attributes.in_template(),
            },
        )

    @cached_property
    def instance_id(self) -> str:
        """The instance's UUID."""
        return self.resource.attr_id

    @cached_property
    def account(self) -> str:
        """The account that owns the instance."""
        return cdk.Stack.of(self).account

    @cached_property
    def region(self) -> str | None:
        """The stack's Region; None if that is known at deployment only."""
        return Place(self).region

    def _guard(self, identity_management: IdentityManagement, name: str) -> None:
        """Refuse a deployment that would put another instance in this one's place."""
        identity = f"{identity_management.value}/{name}"
        guard_identity(
            self,
            parameter="Identity",
            rule="InstanceStays",
            identity=identity,
            written=f"Identity management and alias of {self.node.path}",
            refusal=(
                f"{self.node.path}: its identity management and alias would become {identity}, which an "
                "instance cannot change: CloudFormation would make a second, empty one, and the flows, queues "
                "and users of this stack cannot move there. Set them back, or put the new instance into a new "
                f"stack. If an empty instance is meant, deploy once with {SAID}."
            ),
        )


def _check_names(problems: Problems, alias: object, directory_id: object, identity: object) -> None:
    if identity is _IN_DIRECTORY:
        if alias is not None:
            problems.add(
                f"alias is {alias!r} with EXISTING_DIRECTORY, whose directory names the instance; leave it out."
            )
        problems.collect(check, "directory_id", directory_id, DIRECTORY, DIRECTORY_IS)
        return
    problems.collect(
        check,
        "alias",
        alias,
        ALIAS,
        ALIAS_IS,
    )
    if directory_id is not None:
        problems.add(
            f"directory_id is {directory_id!r}, which only IdentityManagement.EXISTING_DIRECTORY takes; leave it out."
        )
