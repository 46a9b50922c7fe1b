"""An environment that creates its instance: `dev` of cdk.json, deployed from nothing and called."""

from __future__ import annotations

from connect_sandbox.rehearsal.conditions import Agent, Says

from rehearsals.environments import NEW
from rehearsals.scenarios.center_calls import contact_record, flow_log
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal
from rehearsals.scenarios.voice import ATTRIBUTE, FETCH, KEEP, TRANSFER, WELCOME
from rehearsals.vendors.voice.script import Ask, HangUp, PostMetadata, Say

STACKS = tuple(
    f"connect-bridges-{NEW}-{part}"
    for part in ("alarms", "instance", "configuration", "voice", "numbers", "monitoring")
)
_SHOWN = {
    "AWS::Connect::Instance": "instance",
    "AWS::Connect::InstanceStorageConfig": "storage association",
    "AWS::Connect::HoursOfOperation": "hours",
    "AWS::Connect::Queue": "queue",
    "AWS::Connect::RoutingProfile": "routing profile",
    "Custom::ExternalVoiceConnector": "voice connector",
    "AWS::Connect::ContactFlow": "flow",
    "AWS::Connect::ContactFlowModule": "module",
    "AWS::Connect::PhoneNumber": "number",
    "Custom::PhoneNumberFlow": "its flow",
    "AWS::SNS::Topic": "topic for alarms",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
}


@scenario("instance/dev-from-nothing", part="from_nothing", demo=True)
def dev_from_nothing(rehearsal: Rehearsal) -> None:
    """Deploy cdk.json's dev from nothing and call its number: the bridges answer in the instance that it has made."""
    sandbox, new = rehearsal.sandbox, rehearsal.deployment.from_nothing
    instance_arn, instance_id = new.voice.instance_arn, new.voice.instance_arn.rpartition("/")[2]
    cloudformation = sandbox.boto3_client("cloudformation")
    begun = []
    for stack in STACKS:
        told = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        begun.append(told["CreationTime"])
        types = [
            each["ResourceType"]
            for each in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        ]
        counted = {name: types.count(kind) for kind, name in _SHOWN.items() if kind in types}
        made = [name if count == 1 else f"{count} {name}s" for name, count in counted.items()]
        rehearsal.note(f"{stack}: {', '.join(made)}")
    expect(begun, sorted(begun), "the times at which the stacks were begun, in their order")
    exported = [each["Name"] for each in cloudformation.list_exports()["Exports"] if f"-{NEW}-" in str(each)]
    expect(exported, [], "the environment's exports, which would hold updates up")

    _watched_as_a_whole(rehearsal)

    call = rehearsal.call(
        new.voice,
        Ask("How can I help you today?", remember="reason"),
        PostMetadata({"reason": "{reason}"}),
        Say("I am passing you to a colleague."),
        HangUp(),
        moves=[Says("I want my money back")],
        new=new,
        agent=Agent(answers_after=4, talks_for=20),
    )
    contact = call.contact
    contact.hears(WELCOME, "How can I help you today?").reaches(TRANSFER, FETCH, KEEP)
    expect_that(
        "I want my money back" in contact.attributes.get(ATTRIBUTE, ""),
        f"{ATTRIBUTE} should have what the vendor posted; it is {contact.attributes.get(ATTRIBUTE)!r}",
    )
    record = contact_record(sandbox, instance_id, contact.contact_id)
    expect(record["InstanceARN"], instance_arn, "the instance of the contact record")
    expect(record["SystemEndpoint"]["Address"], new.number, "the number of the contact record")
    expect(record["Queue"]["Name"], "Support", "the queue of the contact record")
    alias = sandbox.connect.instance(instance_arn).alias
    expect_that(
        bool(flow_log(sandbox, alias, contact.contact_id)), "the flow's log should have lines of the contact"
    )
    rehearsal.note(f"{new.number} is answered, and the contact record is in the stream of {alias}")


def _watched_as_a_whole(rehearsal: Rehearsal) -> None:
    """Look at the one dashboard and the one topic, which name what other stacks have made."""
    sandbox = rehearsal.sandbox
    cloudwatch = sandbox.boto3_client("cloudwatch")
    [board] = [
        each["DashboardName"]
        for each in cloudwatch.list_dashboards()["DashboardEntries"]
        if f"-{NEW}-" in each["DashboardName"]
    ]
    shown = cloudwatch.get_dashboard(DashboardName=board)["DashboardBody"]
    alarms = [
        each
        for each in cloudwatch.describe_alarms()["MetricAlarms"]
        if each["AlarmName"].startswith(f"connect-bridges-{NEW}-")
    ]
    expect(
        [each["AlarmName"] for each in alarms if each["AlarmArn"] not in shown],
        [],
        "alarms not on the dashboard",
    )
    topic = sandbox.stack_outputs(f"connect-bridges-{NEW}-alarms")["AlarmTopicArn"]
    told = {action for each in alarms for action in each["AlarmActions"]}
    expect(told, {topic}, "the topics that the alarms tell")
    stacks = {each["AlarmName"].split("-")[3] for each in alarms}
    expect(stacks, {"voice", "monitoring"}, "the stacks that the alarms are of")
    rehearsal.note(
        f"{len(alarms)} alarms of {len(stacks)} stacks are on the dashboard {board} and tell one topic"
    )
