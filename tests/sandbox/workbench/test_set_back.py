"""What a test with the fixture `sandbox` changes is set back for the next one, and so with several workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_line import template

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.sandbox

COUNTS = """
import os
import boto3
calls = []
def handler(event, context):
    calls.append(event)
    print("call", len(calls))
    return {"calls": len(calls), "setting": os.environ.get("SETTING", "")}
"""


def app() -> dict[str, Any]:
    """Return the support line with something of everything that an app can write to."""
    made = template()
    bucket = {"VersioningConfiguration": {"Status": "Enabled"}}
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    steps = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    own = {
        "Recordings": ("AWS::S3::Bucket", bucket),
        "Waiting": ("AWS::SQS::Queue", {}),
        "News": ("AWS::SNS::Topic", {"TopicName": "news"}),
        "Setting": ("AWS::SSM::Parameter", {"Name": "/line/open", "Type": "String", "Value": "yes"}),
        "Secret": ("AWS::SecretsManager::Secret", {"Name": "line", "SecretString": "deployed"}),
        "Counts": ("AWS::Lambda::Function", {
            "Code": {"ZipFile": COUNTS}, "Handler": "index.handler", "Runtime": "python3.13",
            "FunctionName": "counts", "Role": {"Fn::GetAtt": ["Role", "Arn"]}}),
        "Rule": ("AWS::Events::Rule", {
            "Name": "rang", "EventPattern": {"source": ["acme"]},
            "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Waiting", "Arn"]}}]}),
        "Records": ("AWS::Kinesis::Stream", {"Name": "records", "ShardCount": 1}),
        "Mapping": ("AWS::Lambda::EventSourceMapping", {
            "EventSourceArn": {"Fn::GetAtt": ["Callers", "StreamArn"]}, "FunctionName": {"Ref": "Counts"},
            "StartingPosition": "LATEST", "BatchSize": 10}),
        "MachineRole": ("AWS::IAM::Role", role),
        "Machine": ("AWS::StepFunctions::StateMachine", {
            "StateMachineName": "steps", "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
            "DefinitionString": json.dumps(steps)}),
    }  # fmt: skip
    made["Resources"] |= {name: {"Type": kind, "Properties": of} for name, (kind, of) in own.items()}
    streams = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    made["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(streams)
    made["Resources"]["Callers"]["Properties"]["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
    made["Outputs"] |= {
        "Waiting": {"Value": {"Ref": "Waiting"}},
        "Bucket": {"Value": {"Ref": "Recordings"}},
        "Machine": {"Value": {"Ref": "Machine"}},
        "News": {"Value": {"Ref": "News"}},
    }
    return made


STATE = '''
import json
import time
import pytest
from connect_sandbox.cloud import CONCURRENT_EXECUTIONS
from connect_sandbox.cloud.functions import FunctionFault
from connect_sandbox.cloud.principals import Admin

SEEN = {}

@pytest.fixture
def line(sandbox):
    sandbox.out = sandbox.deploy("app.json", name="line")
    sandbox.client = sandbox.cloud.boto3_client
    return sandbox

def observed(line):
    """Everything that a test can change, by name, as one sees it from outside."""
    cloud, client, out = line.cloud, line.client, line.out.output
    s3, logs, sqs, iam = client("s3"), client("logs"), client("sqs"), client("iam")
    objects = s3.list_object_versions(Bucket=out("Bucket"))
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    instance = cloud.connect.instance(out("Instance"))
    counts = sqs.get_queue_attributes(QueueUrl=out("Waiting"), AttributeNames=["All"])["Attributes"]
    role = cloud.lambda_state.get("counts").role.rpartition("/")[2]
    return {
        "items": line.table("Callers").items(),
        "objects": [(one["Key"], one["VersionId"])
                    for one in objects.get("Versions", []) + objects.get("DeleteMarkers", [])],
        "messages": {name: counts[name] for name in counts if name.startswith("Approximate")},
        "parameters": [(one["Name"], one["Value"], one["Version"])
                       for one in client("ssm").get_parameters_by_path(Path="/line")["Parameters"]],
        "secret": client("secretsmanager").get_secret_value(SecretId="line")["SecretString"],
        "logs": [event["message"] for group in groups
                 for event in logs.filter_log_events(logGroupName=group)["events"]],
        "log groups": groups,
        "calls of functions": [call.function_arn for call in cloud.functions.calls],
        "settings": client("lambda").get_function_configuration(FunctionName="counts").get("Environment"),
        "events": list(cloud.buses.events),
        "sent": list(cloud.targets.history),
        "rule": client("events").describe_rule(Name="rang")["State"],
        "executions": list(cloud.state_machines.executions),
        "subscriptions": client("sns").list_subscriptions()["Subscriptions"],
        "metrics": client("cloudwatch").list_metrics()["Metrics"],
        "records": records(client("kinesis")),
        "denied": line.denied() + list(cloud.audit.calls(allowed=False)),
        "role": iam.list_role_policies(RoleName=role)["PolicyNames"],
        "flow": instance.flow("Support line").content,
        "numbers": sorted(one.number for one in instance.numbers.values()),
        "tolerance": cloud.tolerance.patterns,
        "quota": cloud.quotas.value(CONCURRENT_EXECUTIONS),
        "stacks": [one["StackName"] for one in client("cloudformation").describe_stacks()["Stacks"]],
        "other places": [place.region for place in cloud.places()],
        "bots": len(vars(cloud.bots)["_bots"]),
        "chats": len(vars(cloud.chats)["_chats"]),
        "faults": len(vars(cloud.faults)["_faults"]),
    }

def records(kinesis):
    shard = kinesis.describe_stream(StreamName="records")["StreamDescription"]["Shards"][0]["ShardId"]
    there = kinesis.get_shard_iterator(StreamName="records", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return [one["Data"] for one in kinesis.get_records(ShardIterator=there["ShardIterator"])["Records"]]

def counted(line):
    return line.cloud.functions.invoke("counts", {}, invoked_by=Admin(line.cloud.account)).json()

def test_how_it_is_deployed(line):
    SEEN.update(observed(line))

def test_everything_is_changed(line):
    cloud, client, out = line.cloud, line.client, line.out.output
    assert [counted(line)["calls"], counted(line)["calls"]] == [1, 2]  # a warm process remembers
    line.call("Support line", number="+12065550142").hears("Welcome, Ada.").presses("1").ends(queued="Support")
    client("s3").put_object(Bucket=out("Bucket"), Key="call.wav", Body=b"RIFF")
    client("s3").delete_object(Bucket=out("Bucket"), Key="call.wav")
    client("sqs").send_message(QueueUrl=out("Waiting"), MessageBody="left over")
    client("sqs").send_message(QueueUrl=out("Waiting"), MessageBody="in flight")
    client("sqs").receive_message(QueueUrl=out("Waiting"))
    client("ssm").put_parameter(Name="/line/open", Value="no", Overwrite=True)
    client("ssm").put_parameter(Name="/line/new", Value="x", Type="String")
    client("secretsmanager").put_secret_value(SecretId="line", SecretString="rotated")
    client("lambda").update_function_configuration(
        FunctionName="counts", Environment={"Variables": {"SETTING": "changed"}})
    client("events").put_events(Entries=[{"Source": "acme", "DetailType": "rang", "Detail": "{}"}])
    client("events").disable_rule(Name="rang")
    execution = client("stepfunctions").start_execution(stateMachineArn=out("Machine"), input="{}")["executionArn"]
    cloud.state_machines.wait(execution)
    client("sns").subscribe(TopicArn=out("News"), Protocol="email", Endpoint="a@example.com")
    client("cloudwatch").put_metric_data(Namespace="Own", MetricData=[{"MetricName": "Rang", "Value": 1}])
    client("kinesis").put_record(StreamName="records", Data=b"rang", PartitionKey="1")
    role = cloud.lambda_state.get("counts").role
    cloud.authorization.decide(cloud.connect.principal(out("Instance")), "lambda:InvokeFunction",
                               cloud.lambda_state.get("counts").arn)
    assert list(cloud.audit.calls(allowed=False))
    client("iam").put_role_policy(RoleName=role.rpartition("/")[2], PolicyName="more", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
    instance = cloud.connect.instance(out("Instance"))
    flow = instance.flow("Support line")
    client("connect").update_contact_flow_content(
        InstanceId=instance.id, ContactFlowId=flow.id, Content=flow.content.replace("Welcome", "Good day"))
    free = cloud.contact_center.numbers.available("GB", "DID")[0]
    cloud.contact_center.numbers.claim(instance.arn, free)
    cloud.tolerance.add(["AWS::WAFv2::*"])
    cloud.quotas.set(CONCURRENT_EXECUTIONS, 20)
    client("cloudformation").create_stack(StackName="of-this-test", TemplateBody=json.dumps(
        {"Resources": {"Calls": {"Type": "AWS::SQS::Queue"}}}))
    cloud.boto3_client("sqs", region="sa-east-1").create_queue(QueueName="far")
    cloud.bots.add("BOT1234567", "Helper")
    cloud.chats.start(instance.arn, "contact")
    cloud.faults.fail("dynamodb", "PutItem", times=None)
    cloud.functions.inject("counts", FunctionFault("throttle"))
    changed = observed(line)
    assert [name for name in changed if changed[name] == SEEN[name]] == []

def test_the_next_test_sees_it_as_deployed(line):
    now = observed(line)
    assert {name: now[name] for name in now if now[name] != SEEN[name]} == {}
    assert counted(line) == {"calls": 1, "setting": ""}  # a new process; no fault, no changed setting
    line.call("Support line").hears("Welcome, Ada.").ends("disconnected")
    calls = line.cloud.functions.calls
    assert calls[-1].invocation.logs_refused is None
    deadline = time.monotonic() + 10
    while not any('"NewImage"' in call.event for call in calls):  # its stream goes on, too
        assert time.monotonic() < deadline, line.cloud.mappings.all()
        time.sleep(0.02)

def test_a_deployment_in_the_middle_leaves_what_the_test_has_written_out(line):
    line.table("Callers").put({"number": "+12065550199"})
    line.client("sqs").send_message(QueueUrl=line.out.output("Waiting"), MessageBody="before")
    line.deploy("small.json")
    assert line.table("Callers").items() == [{"number": "+12065550199"}]

def test_and_it_is_gone_afterwards_but_not_what_was_deployed(line):
    now = observed(line)
    assert (now["items"], now["messages"]) == (SEEN["items"], SEEN["messages"])
    assert now["stacks"] == [*SEEN["stacks"], "small"]
    line.client("sqs").get_queue_url(QueueName="small")
'''
ONCE = """
import json, os, pathlib
import pytest

def deployed(sandbox):
    sandbox.deploy("small.json")
    (stack,) = sandbox.cloud.boto3_client("cloudformation").describe_stacks()["Stacks"]
    told = [stack["StackId"], str(stack.get("LastUpdatedTime", "")), sandbox.cloud.endpoint_url,
            sandbox.cloud.environment()["CDK_HOME"]]
    with (pathlib.Path(__file__).parent / f"told-{os.environ['PYTEST_XDIST_WORKER']}").open("a") as file:
        file.write(json.dumps(told) + "\\n")
    url = sandbox.cloud.boto3_client("sqs").get_queue_url(QueueName="small")["QueueUrl"]
    return sandbox.cloud.boto3_client("sqs"), url

@pytest.mark.parametrize("number", range(6))
def test_each_worker_has_a_sandbox_of_its_own(sandbox, number):
    sqs, url = deployed(sandbox)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)  # whoever else runs
    sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert [one["Body"] for one in sqs.receive_message(QueueUrl=url)["Messages"]] == [str(number)]
"""
AGAIN = """
import json, pathlib

def queues(sandbox):
    sandbox.deploy("small.json")
    return [url.rpartition("/")[2] for url in sandbox.cloud.boto3_client("sqs").list_queues()["QueueUrls"]]

def updated(sandbox):
    (stack,) = sandbox.cloud.boto3_client("cloudformation").describe_stacks()["Stacks"]
    return stack.get("LastUpdatedTime")

def test_first(sandbox):
    assert queues(sandbox) == queues(sandbox) == ["small"]

def test_unchanged(sandbox):
    assert queues(sandbox) == ["small"]
    assert updated(sandbox) is None

def test_changed(sandbox):
    path = pathlib.Path(__file__).with_name("small.json")
    path.write_text(path.read_text().replace('"small"', '"renamed"'))
    assert queues(sandbox) == ["renamed"]
    assert updated(sandbox) is not None
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    small = {"Resources": {"Calls": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small"}}}}
    pytester.path.joinpath("small.json").write_text(json.dumps(small))
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    # By the names of their entry points, as pytest finds them; other plugins of this environment stay out.
    return project.runpytest_subprocess("-p", "connect_sandbox", *arguments)


def test_everything_that_a_test_changes_is_set_back(project: pytest.Pytester) -> None:
    project.path.joinpath("app.json").write_text(json.dumps(app()))
    project.makepyfile(STATE)
    run(project).assert_outcomes(passed=5)


def test_an_app_is_deployed_again_when_its_files_have_changed(project: pytest.Pytester) -> None:
    project.makepyfile(AGAIN)
    run(project).assert_outcomes(passed=3)


def test_each_worker_of_xdist_has_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(ONCE)
    run(project, "-p", "xdist", "-n", "2", "--sandbox-run=runs/own.jsonl").assert_outcomes(passed=6)
    told = {path.name: read(path) for path in project.path.glob("told-*")}
    assert set(told) == {"told-gw0", "told-gw1"}
    for lines in told.values():
        assert len({tuple(line) for line in lines}) == 1, "deployed once, and never updated"
    (first, *_), (second, *_) = told.values()
    assert all(one != other for one, other in zip(first, second, strict=True) if one or other)
    assert sorted(path.name for path in project.path.glob("runs/*")) == ["own-gw0.jsonl", "own-gw1.jsonl"]
    assert not list(project.path.rglob(".connect-sandbox"))


def read(path: Path) -> list[list[str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
