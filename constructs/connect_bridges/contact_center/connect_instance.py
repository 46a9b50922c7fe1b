"""The Amazon Connect instance that bridges attach to."""

from __future__ import annotations

import re
from functools import cached_property

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from connect_bridges.shared.checks import INSTANCE_ARN, Problems, check
from connect_bridges.shared.regions import Place
from connect_bridges.shared.tokens import is_token
from constructs import Construct

_KNOWN = re.compile(
    r"[^:$]+:[^:$]+:[^:$]+:(?P<region>[^:$]+):(?P<account>[0-9]{12}):instance/(?P<id>[0-9a-f-]{36})"
)
"""An instance's ARN without tokens: its parts are read here, since the CDK takes nine trips to Node.js to tell them."""


class ConnectInstance(Construct):
    """An Amazon Connect instance: what flows are published to and which functions those flows may invoke.

    Amazon Connect takes two requests a second per account and Region for most of its control plane, while
    CloudFormation starts everything at once; what this class creates through the Connect API is therefore put in a
    chain of dependencies, one chain for associations and one for flows (each API has a limit of its own).
    Use one ConnectInstance object per instance and stack, so that there is one chain.
    """

    instance_arn: str
    """ARN of the instance."""

    def __init__(self, scope: Construct, id: str, *, instance_arn: str) -> None:  # noqa: A002
        """Prefer ``ConnectInstance.from_arn``, which says what it does."""
        super().__init__(scope, id)
        problems = Problems(self)
        problems.collect(check, "instance_arn", instance_arn, INSTANCE_ARN)
        problems.raise_all()
        self.instance_arn = instance_arn
        self._known = _KNOWN.fullmatch(instance_arn)
        place = Place(self)
        place.check_arn(problems, "instance_arn", instance_arn)
        place.check_region(problems, region=self.region)
        problems.raise_all()
        self._last_in_chain: dict[tuple[cdk.Stack, str], cdk.CfnResource] = {}
        self._associations: dict[str, connect.CfnIntegrationAssociation] = {}

    @classmethod
    def from_arn(cls, scope: Construct, id: str, instance_arn: str) -> ConnectInstance:  # noqa: A002
        """Import an instance that exists.

        instance_arn: ``arn:aws:connect:REGION:ACCOUNT:instance/UUID``, or a token that becomes one.
        Raises ``ConstructArgumentError``, a ``ValueError``, if it is neither, if it is of another Region or account
        than the stack, or if its Region has no Amazon Connect.
        """
        return cls(scope, id, instance_arn=instance_arn)

    @cached_property
    def instance_id(self) -> str:
        """The UUID at the end of the instance's ARN."""
        if self._known:
            return self._known["id"]
        if not is_token(self.instance_arn):  # a lookup that has yet to run; the CDK cannot take it apart
            return self.instance_arn
        return self._part().resource_name or ""

    @cached_property
    def account(self) -> str:
        """The account that owns the instance."""
        if self._known:
            return self._known["account"]
        if not is_token(self.instance_arn):
            return cdk.Stack.of(self).account
        return self._part().account or ""

    @cached_property
    def region(self) -> str | None:
        """The Region in the instance's ARN; None if that is known at deployment only."""
        return self._known["region"] if self._known else None

    def associate_function(self, function: lambda_.IFunction) -> connect.CfnIntegrationAssociation:
        """Let flows of this instance, and of no other, invoke a function; asking twice is asking once.

        Creates the association that lists the function in the flow designer, and a statement in the function's
        resource policy for connect.amazonaws.com, limited by aws:SourceAccount and aws:SourceArn. An instance holds
        50 function associations (quota L-E3D2F503). Let a flow that invokes the function depend on what this returns.
        """
        known = self._associations.get(function.node.path)
        if known is not None:
            return known
        # Below the function, so that it exists once a function; named for the instance, since there may be two.
        scope = Construct(function, f"ConnectAccess{self.node.addr[-8:]}")  # type: ignore[arg-type]
        # evidence: association-allows-invocation
        permission = lambda_.CfnPermission(
            scope,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="connect.amazonaws.com",
            source_account=self.account,
            source_arn=self.instance_arn,
        )
        # evidence: association-takes-instance-arn
        association = connect.CfnIntegrationAssociation(
            scope,
            "Association",
            instance_id=self.instance_arn,  # the property is called InstanceId and takes the ARN
            integration_type="LAMBDA_FUNCTION",
            integration_arn=function.function_arn,
        )
        # Tags of this integration type are new in CloudFormation, and nobody was seen to deploy them.
        association.add_property_deletion_override("Tags")
        association.node.add_dependency(permission)
        self.chain("associations", association)
        self._associations[function.node.path] = association
        return association

    def chain(self, api: str, resource: cdk.CfnResource) -> None:
        """Create ``resource`` only after the one chained before it in the same stack, to respect Connect's rate limit.

        api: which of Connect's APIs creates it, such as ``flows``; each has its own limit and its own chain.
        """
        key = (cdk.Stack.of(resource), api)
        # evidence: control-plane-rate, flows-deleted-before-association
        before = self._last_in_chain.get(key)
        if before is not None:
            resource.node.add_dependency(before)
        self._last_in_chain[key] = resource

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Grant actions on this instance itself, such as ``connect:StartContactStreaming``."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[self.instance_arn]
        )

    def _part(self) -> cdk.ArnComponents:
        return cdk.Stack.of(self).split_arn(self.instance_arn, cdk.ArnFormat.SLASH_RESOURCE_NAME)
