"""Apps around a contact centre: what one adds to an instance that exists, and an instance with a key of its own.

`instance/…` deploys its stacks to the sandbox. Context: instanceArn and serviceRole of the instance that exists;
publicKey and certificate for what callers enter, both PEM with | between the lines, since the CDK's command line cuts a
value at the end of its first line. `twice` asks for the second recordings twice. The folder moved of the cloud
assembly has the line as it is when another flow answers it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from connect_bridges import (
    ConnectInstance,
    ContactCenter,
    ContactCenterMonitoring,
    ContactFlow,
    OpeningHours,
)

from constructs import Construct

sys.path.insert(0, str(Path(__file__).parents[3]))

from examples.encrypted_input.card_line import CardLine
from examples.encrypted_input.function_packages import function_folder

ENV = cdk.Environment(account="123456789012", region="us-east-1")
Block = dict[str, Any]


def flow(*blocks: Block) -> dict[str, Any]:
    """Return a flow whose blocks follow one another; the last one hangs up."""
    actions = [*blocks, {"Type": "DisconnectParticipant", "Parameters": {}}]
    for number, block in enumerate(actions):
        block["Identifier"] = f"Step {number}"
        block.setdefault("Transitions", {})
        if block is not actions[-1]:
            following = f"Step {number + 1}"
            errors = [
                {"NextAction": f"Step {len(actions) - 1}", "ErrorType": kind}
                for kind in block.pop("Errors", ())
            ]
            block["Transitions"] = {"NextAction": following, "Errors": errors, "Conditions": []}
    return {"Version": "2019-10-30", "StartAction": "Step 0", "Actions": actions}


def says(text: str) -> Block:
    """Return a block that says a text."""
    return {"Type": "MessageParticipant", "Parameters": {"Text": text}, "Errors": ["NoMatchingError"]}


def queues() -> tuple[Block, Block]:
    """Return the blocks that bring a caller into the queue ``${Queue}``."""
    return (
        {
            "Type": "UpdateContactTargetQueue",
            "Parameters": {"QueueId": "${Queue}"},
            "Errors": ["NoMatchingError"],
        },
        {
            "Type": "TransferContactToQueue",
            "Parameters": {},
            "Errors": ["QueueAtCapacity", "NoMatchingError"],
        },
    )


class Imported(cdk.Stack):
    """A stack on the instance that exists already."""

    def __init__(self, scope: Construct, id: str, name: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=ENV, stack_name=name)
        context = self.node.try_get_context
        self.instance = ConnectInstance.from_arn(
            self, "Instance", context("instanceArn"), service_role_arn=context("serviceRole")
        )


class Line(Imported):
    """A number that leads to one of two flows."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, "instance-line")
        flows = {
            name: ContactFlow(
                self,
                name,
                instance=self.instance,
                name=f"Line {name}",
                template=flow(says(f"The {name} flow.")),
            )
            for name in ("old", "new")
        }
        number = self.instance.claim_number(
            "Line",
            country_code="US",
            flow=flows[self.node.try_get_context("answers") or "old"],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cdk.CfnOutput(self, "Number", value=number.name)


class SecondRecordings(Imported):
    """Another place for recordings, beside the one that the instance has."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, "instance-second-recordings")
        self.instance.add_call_recordings()
        if self.node.try_get_context("twice"):
            self.instance.add_call_recordings(prefix="again")


class Alarm(Imported):
    """Somebody is told when a caller dials a number that leads nowhere."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, "instance-alarm")
        number = self.instance.claim_number(
            "Line", country_code="US", removal_policy=cdk.RemovalPolicy.DESTROY
        )
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        monitoring = ContactCenterMonitoring(self, "Monitoring", instance=self.instance, alarm_topic=topic)
        alarm = monitoring.alarms["MisconfiguredNumbers"]
        cdk.CfnOutput(self, "Number", value=number.name)
        cdk.CfnOutput(self, "AlarmName", value=alarm.alarm_name)
        cdk.CfnOutput(self, "TopicArn", value=topic.topic_arn)


class EncryptedInput(Imported):
    """The line of examples/encrypted_input, with a number that leads to it."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, "instance-encrypted-input")
        context = self.node.try_get_context
        line = CardLine(
            self,
            "CardLine",
            instance=self.instance,
            public_key=context("publicKey").replace("|", "\n"),
            certificate=context("certificate").replace("|", "\n"),
            code=function_folder(for_this_machine=True),
        )
        number = self.instance.claim_number(
            "Line", country_code="US", flow=line.flow, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        cdk.CfnOutput(self, "Number", value=number.name)
        cdk.CfnOutput(self, "KeyId", value=line.key.attr_association_id)
        cdk.CfnOutput(self, "PrivateKeysSecretArn", value=line.private_keys.secret_arn)
        cdk.CfnOutput(self, "FunctionName", value=line.function.function_name)


class Extended(Imported):
    """What an app adds to an instance that somebody else has made."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, "instance-extended")
        self.instance.add_reports()
        self.instance.add_chat_transcripts()
        self.instance.allow_origin("https://crm.example.com")
        hours = self.instance.add_hours("Nights", time_zone="UTC", hours=OpeningHours.always())
        queue = self.instance.add_queue("Nights", hours=hours)
        nights = ContactFlow(
            self,
            "Nights",
            instance=self.instance,
            template=flow(says("You call at night."), *queues()),
            values={"Queue": queue.arn},
        )
        number = self.instance.claim_number(
            "Nights", country_code="US", flow=nights, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        cdk.CfnOutput(self, "Number", value=number.name)
        cdk.CfnOutput(self, "QueueArn", value=queue.arn)


class OwnKey(cdk.Stack):
    """An instance that keeps everything behind a key of one's own."""

    def __init__(self, scope: Construct, id: str) -> None:  # noqa: A002
        """Build the stack."""
        super().__init__(scope, id, env=ENV, stack_name="instance-own-key")
        key = kms.Key(self, "Key", removal_policy=cdk.RemovalPolicy.RETAIN)
        center = ContactCenter(self, "Center", alias="example-company-own-key")
        center.add_call_recordings(encryption_key=key)
        center.add_chat_transcripts(encryption_key=key)
        center.add_reports(encryption_key=key)
        center.add_contact_records_bucket(encryption_key=key)
        center.add_agent_events_stream(encryption_key=key)
        center.add_live_media_streaming(prefix="example", encryption_key=key)
        hours = center.add_hours("Always", time_zone="UTC", hours=OpeningHours.always())
        queue = center.add_queue("Support", hours=hours)
        record = {
            "Type": "UpdateContactRecordingBehavior",
            "Parameters": {"RecordingBehavior": {"RecordedParticipants": ["Agent", "Customer"]}},
        }
        line = ContactFlow(
            self,
            "Line",
            instance=center,
            template=flow(record, *queues()),
            values={"Queue": queue.arn},
        )
        number = center.claim_number("Line", country_code="US", flow=line)
        cdk.CfnOutput(self, "Number", value=number.name)
        cdk.CfnOutput(self, "InstanceArn", value=center.instance_arn)
        cdk.CfnOutput(self, "QueueArn", value=queue.arn)
        cdk.CfnOutput(self, "KeyArn", value=key.key_arn)


STACKS = (SecondRecordings, Line, Alarm, EncryptedInput, Extended, OwnKey)

app = cdk.App()
if app.node.try_get_context("twice"):
    SecondRecordings(app, "SecondRecordings")
else:
    for stack in STACKS:
        stack(app, stack.__name__)
    moved = cdk.App(outdir=str(Path(app.outdir) / "moved"), context={"answers": "new"})
    Line(moved, "Line")
    moved.synth()
app.synth()
