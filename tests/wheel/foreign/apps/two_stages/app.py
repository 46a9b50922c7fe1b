"""The service desk's telephone line, once for tests and once for everybody."""

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

FLOW = Path(__file__).with_name("enquiries.json")


class Handlers(cdk.NestedStack):
    """What the line's flow invokes."""

    def __init__(self, scope: Construct, construct_id: str, *, instance_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.tickets = sqs.Queue(self, "Tickets", enforce_ssl=True)
        self.open_ticket = lambda_.Function(
            self,
            "OpenTicket",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="tickets.open_ticket",
            code=lambda_.Code.from_asset(str(Path(__file__).parent / "handlers")),
            environment={"QUEUE_URL": self.tickets.queue_url},
        )
        self.tickets.grant_send_messages(self.open_ticket)
        self.open_ticket.add_permission(
            "Connect", principal=iam.ServicePrincipal("connect.amazonaws.com"), source_arn=instance_arn
        )


class Line(cdk.Stack):
    """The flow that answers calls, in an instance that is there already or in one of its own."""

    def __init__(
        self, scope: Construct, construct_id: str, *, greeting: str, recorded: bool = False, instance: str = ""
    ) -> None:
        super().__init__(scope, construct_id)
        instance = instance or self.own_instance().attr_arn
        handlers = Handlers(self, "Handlers", instance_arn=instance)
        association = connect.CfnIntegrationAssociation(
            self,
            "MayOpenTickets",
            instance_id=instance,
            integration_type="LAMBDA_FUNCTION",
            integration_arn=handlers.open_ticket.function_arn,
        )
        if recorded:
            bucket = s3.Bucket(self, "Recordings", enforce_ssl=True, removal_policy=cdk.RemovalPolicy.DESTROY)
            connect.CfnInstanceStorageConfig(
                self,
                "RecordingsOfCalls",
                instance_arn=instance,
                resource_type="CALL_RECORDINGS",
                storage_type="S3",
                s3_config=connect.CfnInstanceStorageConfig.S3ConfigProperty(
                    bucket_name=bucket.bucket_name, bucket_prefix="calls"
                ),
            )
        blocks = json.loads(FLOW.read_text())
        (said,) = (block for block in blocks["Actions"] if block["Identifier"] == "greeting")
        said["Parameters"]["Text"] = greeting
        (asked,) = (block for block in blocks["Actions"] if block["Identifier"] == "ticket")
        asked["Parameters"]["LambdaFunctionARN"] = handlers.open_ticket.function_arn
        flow = connect.CfnContactFlow(
            self,
            "Enquiries",
            instance_arn=instance,
            name="Enquiries",
            type="CONTACT_FLOW",
            content=self.to_json_string(blocks),
        )
        flow.node.add_dependency(association)
        cdk.CfnOutput(self, "Flow", value=flow.attr_contact_flow_arn)
        cdk.CfnOutput(self, "TicketQueue", value=handlers.tickets.queue_url)

    def own_instance(self) -> connect.CfnInstance:
        return connect.CfnInstance(
            self,
            "Instance",
            identity_management_type="CONNECT_MANAGED",
            instance_alias=f"desk-{cdk.Stage.of(self).stage_name}",
            attributes=connect.CfnInstance.AttributesProperty(inbound_calls=True, outbound_calls=False),
        )


app = cdk.App()
for name, settings in app.node.get_context("lines").items():
    Line(cdk.Stage(app, name), "line", **settings)
cdk.Aspects.of(app).add(cdk.Tag("team", "service-desk"))
app.synth()
