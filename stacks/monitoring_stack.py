"""What watches a whole environment: a topic that tells of alarms, made first, and one dashboard, made last."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from connect_bridges import ConnectInstance, ContactCenterMonitoring
from connect_bridges.shared.acknowledgements import acknowledge
from connect_bridges.shared.monitoring import let_alarms_publish

from constructs import Construct

from .instance_stack import CreatedInstance
from .settings import MonitoringSettings
from .told import tell


class AlarmsStack(cdk.Stack):
    """The one topic that every alarm of an environment goes to, and who hears of it."""

    topic: sns.Topic
    topic_arn: str
    """Its ARN, for other stacks."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        email: str,
        name: str,
        account: str,
        region: str,
        deletion_protection: bool = False,
    ) -> None:
        """Build the stack in an account and Region; email: who gets a link to confirm, and then the alarms."""
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-alarms",
            description="The topic that tells of an environment's alarms.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        key = kms.Key(
            self,
            "Key",
            description=f"Alarms of the environment {name}.",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,  # a topic keeps nothing
        )
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True, master_key=key)
        self.topic_arn = tell(self, "AlarmTopicArn", self.topic.topic_arn, "Where alarms go.")
        let_alarms_publish(self, self.topic)
        subscription = sns.Subscription(
            self, "Email", topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=email
        )
        acknowledge(
            subscription,
            "Serverless-SNSRedrivePolicy",
            "An alarm that no email tells of shows on the dashboard; a queue of them would have no reader.",
            pack="Serverless",
        )


class MonitoringStack(cdk.Stack):
    """The one dashboard of an environment, and the alarms on its instance, flows and queues.

    Bridges put their widgets onto ``dashboard`` while they are built; call ``watch`` after that.
    """

    dashboard: cloudwatch.Dashboard
    monitoring: ContactCenterMonitoring
    """There once ``watch`` was called."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        *,
        settings: MonitoringSettings,
        instance_arn: str,
        created: CreatedInstance | None,
        name: str,
        account: str,
        region: str,
        deletion_protection: bool = False,
    ) -> None:
        """Build the stack in an account and Region.

        instance_arn: of an imported instance; created: one of another stack.
        """
        super().__init__(
            scope,
            id,
            stack_name=f"connect-bridges-{name}-monitoring",
            description="One dashboard for an Amazon Connect instance and its bridges, and the instance's alarms.",
            env=cdk.Environment(account=account, region=region),
            termination_protection=deletion_protection,
        )
        self._settings = settings
        # What widgets name of other stacks should hold none of their updates up, whatever the app's flag says.
        self.node.set_context("@aws-cdk/core:defaultCrossStackReferences", "weak")
        self._instance = (
            created.known_to(self) if created else ConnectInstance.from_arn(self, "Instance", instance_arn)
        )
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=settings.dashboard_name)

    def watch(self, *, flows: Sequence[str], queues: Sequence[str], alarm_topic_arn: str | None) -> None:
        """Put alarms on the instance, on flows and queues by their names, and on those of the settings."""
        topic = sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn) if alarm_topic_arn else None
        self.monitoring = ContactCenterMonitoring(
            self,
            "Monitoring",
            instance=self._instance,
            flows=[*flows, *self._settings.flows],
            queues=[*queues, *self._settings.queues],
            alarm_topic=topic,
            thresholds=self._settings.thresholds,
            dashboard=self.dashboard,
        )
