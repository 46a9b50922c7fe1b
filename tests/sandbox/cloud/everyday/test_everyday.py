"""The 33 features of features.toml: each deploys by CloudFormation, and does what it is for."""

from __future__ import annotations

import ast
import http.client
import json
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.cfn.types import all_types
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.principals import ServicePrincipal
from connect_sandbox.cloud.schedules import run_rule
from connect_sandbox.rehearsal.deployed import DeployedFlow
from connect_sandbox.rehearsal.left_behind import flow_of_number
from connect_sandbox.rehearsal.scenario import ScenarioFile

FEATURES = tomllib.loads(Path(__file__).with_name("features.toml").read_text())
ECHO = "def handler(event, context):\n    return event\n"
INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def allow(*actions: str, on: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def resource(kind: str, /, depends_on: str = "", **properties: Any) -> dict[str, Any]:
    more = {"DependsOn": depends_on} if depends_on else {}
    return {"Type": f"AWS::{kind}", "Properties": properties, **more}


def may_invoke(service: str, source: Any = None, function: Any = None) -> dict[str, Any]:
    return resource(
        "Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function or ref("Function"),
        Principal=f"{service}.amazonaws.com",
        **({"SourceArn": source} if source else {}),
    )


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Return what a function returns, as soon as that is something."""

    def wait(found: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 10
        while not (value := found()):
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.02)
        return value

    return wait


@pytest.fixture
def calls_of(sandbox: Sandbox) -> Callable[[Any], list[Any]]:
    """Return the events with which the stack's function was invoked."""

    def read(stack: Any, name: str = "Function") -> list[Any]:
        suffix = f":function:{stack.resources[name]}"
        return [
            json.loads(call.event) for call in list(sandbox.functions.calls) if suffix in call.function_arn
        ]

    return read


@pytest.fixture
def invoke(sandbox: Sandbox) -> Callable[..., Any]:
    """Invoke a function as the developer does; return its answer."""

    def run(name: str, event: Any = None, **more: Any) -> Any:
        client = sandbox.boto3_client("lambda")
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
        body = answer["Payload"].read()
        assert "FunctionError" not in answer, body
        return json.loads(body) if body else None

    return run


@pytest.fixture
def ok(deploy: Any) -> Callable[..., Any]:
    """Deploy resources; the stack must be complete."""

    def run(resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> Any:
        template: dict[str, Any] = {"Resources": resources}
        if outputs:
            template["Outputs"] = {name: {"Value": value} for name, value in outputs.items()}
        stack = deploy(template)
        assert stack.status == "CREATE_COMPLETE", stack.reasons
        return stack

    return run


# -- what deployed before


def test_function(ok: Any, function: Any, invoke: Any, sandbox: Sandbox) -> None:
    code = "import os\ndef handler(event, context):\n    print('heard')\n    return os.environ['NAME']\n"
    group = {"Fn::GetAtt": ["Group", "Arn"]}
    stack = ok(
        {
            "Group": resource("Logs::LogGroup", RetentionInDays=7),
            **function(
                code,
                allow("logs:CreateLogStream", "logs:PutLogEvents", on=group),
                Environment={"Variables": {"NAME": "everyday"}},
                LoggingConfig={"LogGroup": ref("Group")},
            ),
        }
    )
    assert invoke(stack.resources["Function"]) == "everyday"
    events = sandbox.boto3_client("logs").filter_log_events(logGroupName=stack.resources["Group"])["events"]
    assert "heard" in [event["message"].strip() for event in events]


def test_table(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Table": resource(
                "DynamoDB::Table",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "phone")],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by-phone",
                        "KeySchema": [{"AttributeName": "phone", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
            )
        }
    )
    client, name = sandbox.boto3_client("dynamodb"), stack.resources["Table"]
    client.put_item(TableName=name, Item={"id": {"S": "1"}, "phone": {"S": "+12065550100"}})
    found = client.query(
        TableName=name,
        IndexName="by-phone",
        KeyConditionExpression="phone = :p",
        ExpressionAttributeValues={":p": {"S": "+12065550100"}},
    )
    assert [item["id"]["S"] for item in found["Items"]] == ["1"]
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "expires"


def test_bucket(ok: Any, sandbox: Sandbox) -> None:
    stack = ok({"Bucket": resource("S3::Bucket", VersioningConfiguration={"Status": "Enabled"})})
    client, name = sandbox.boto3_client("s3"), stack.resources["Bucket"]
    versions = [client.put_object(Bucket=name, Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    assert client.get_object(Bucket=name, Key="k", VersionId=versions[0])["Body"].read() == b"1"
    for version in versions:
        client.delete_object(Bucket=name, Key="k", VersionId=version)


def test_bucket_keeps_its_tags_which_the_cdk_reads_before_it_empties_one(
    ok: Any, deploy: Any, sandbox: Sandbox
) -> None:
    tags = [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]
    stack = ok({"Bucket": resource("S3::Bucket", Tags=tags)})
    client, name = sandbox.boto3_client("s3"), stack.resources["Bucket"]
    assert client.get_bucket_tagging(Bucket=name)["TagSet"] == tags
    deploy({"Resources": {"Bucket": resource("S3::Bucket")}}, name=stack.name)
    with pytest.raises(client.exceptions.ClientError, match="NoSuchTagSet"):
        client.get_bucket_tagging(Bucket=name)


def test_queue_with_dead_letters(ok: Any, sandbox: Sandbox) -> None:
    redrive = {"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 1}
    stack = ok(
        {
            "Dead": resource("SQS::Queue"),
            "Queue": resource("SQS::Queue", RedrivePolicy=redrive, VisibilityTimeout=0),
        }
    )
    client = sandbox.boto3_client("sqs")
    client.send_message(QueueUrl=stack.resources["Queue"], MessageBody="once")
    for _ in range(2):
        client.receive_message(QueueUrl=stack.resources["Queue"])
    (dead,) = client.receive_message(QueueUrl=stack.resources["Dead"])["Messages"]
    assert dead["Body"] == "once"


def test_topic(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Topic": resource("SNS::Topic"),
            "Queue": resource("SQS::Queue"),
            "May": queue_takes_from("sns", ref("Topic")),
            "Only": resource(
                "SNS::Subscription",
                TopicArn=ref("Topic"),
                Protocol="sqs",
                Endpoint=arn("Queue"),
                RawMessageDelivery=True,
                FilterPolicy={"kind": ["call"]},
            ),
        }
    )
    client = sandbox.boto3_client("sns")
    for kind in ("chat", "call"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        client.publish(TopicArn=stack.resources["Topic"], Message=kind, MessageAttributes=attributes)
    assert messages(sandbox, stack.resources["Queue"]) == ["call"]


def test_secret(ok: Any, sandbox: Sandbox) -> None:
    generated = {"SecretStringTemplate": '{"user":"a"}', "GenerateStringKey": "key", "PasswordLength": 20}
    stack = ok({"Secret": resource("SecretsManager::Secret", GenerateSecretString=generated)})
    client = sandbox.boto3_client("secretsmanager")
    value = json.loads(client.get_secret_value(SecretId=stack.resources["Secret"])["SecretString"])
    assert value["user"] == "a"
    assert len(value["key"]) == 20


def test_parameter(ok: Any, function: Any, invoke: Any, deploy: Any) -> None:
    stack = ok({"Parameter": resource("SSM::Parameter", Type="String", Value="blue")})
    name = stack.resources["Parameter"]
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    return boto3.client('ssm').get_parameter(Name=event['name'])['Parameter']['Value']\n"
    )
    other = deploy(
        {
            "Parameters": {"Colour": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}},
            "Resources": function(
                code,
                allow("ssm:GetParameter", on={"Fn::Sub": f"arn:aws:ssm:*:*:parameter/{name}"}),
                Timeout=10,
            ),
            "Outputs": {"Colour": {"Value": ref("Colour")}},
        }
    )
    assert other.outputs == {"Colour": "blue"}
    assert invoke(other.resources["Function"], {"name": name}) == "blue"


def test_scheduled_rule(ok: Any, function: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            **function(ECHO),
            "Rule": resource(
                "Events::Rule",
                ScheduleExpression="rate(1 hour)",
                Targets=[{"Id": "1", "Arn": arn("Function"), "Input": '{"tick": 1}'}],
            ),
            "May": may_invoke("events", arn("Rule")),
        }
    )
    (answer,) = run_rule(sandbox, stack.resources["Rule"])
    assert answer.json() == {"tick": 1}


def rest_api(**method: Any) -> dict[str, Any]:
    """Return an API with GET at its root, a deployment and a stage `live`."""
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    proxy = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}}
    root = {"Fn::GetAtt": ["Api", "RootResourceId"]}
    return {
        "Api": resource("ApiGateway::RestApi", Name="everyday"),
        "Get": resource(
            "ApiGateway::Method",
            RestApiId=ref("Api"),
            ResourceId=root,
            HttpMethod="GET",
            **{"AuthorizationType": "NONE", "Integration": proxy, **method},
        ),
        "Deployment": resource("ApiGateway::Deployment", "Get", RestApiId=ref("Api")),
        "Stage": resource(
            "ApiGateway::Stage", RestApiId=ref("Api"), DeploymentId=ref("Deployment"), StageName="live"
        ),
        "MayApi": may_invoke("apigateway"),
    }


HELLO = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "hello " + event["%s"]}
"""


def ask(
    sandbox: Sandbox, host: str, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    _, port, _ = sandbox.api_base("https://x.execute-api.us-east-1.amazonaws.com")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers={"Host": host, **named})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def test_rest_api(ok: Any, function: Any, sandbox: Sandbox) -> None:
    value = "a-key-that-is-long-enough".replace("-", "")
    stack = ok(
        {
            **function(HELLO % "path"),
            **rest_api(ApiKeyRequired=True),
            "Key": resource("ApiGateway::ApiKey", Enabled=True, Value=value),
            "Plan": resource(
                "ApiGateway::UsagePlan", ApiStages=[{"ApiId": ref("Api"), "Stage": ref("Stage")}]
            ),
            "InPlan": resource(
                "ApiGateway::UsagePlanKey", KeyId=ref("Key"), KeyType="API_KEY", UsagePlanId=ref("Plan")
            ),
        }
    )
    host = f"{stack.resources['Api']}.execute-api.us-east-1.amazonaws.com"
    assert ask(sandbox, host, "/live/")[0] == 403
    assert ask(sandbox, host, "/live/", x_api_key=value)[::2] == (200, "hello /")


def test_alarm(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Topic": resource("SNS::Topic"),
            "Queue": resource("SQS::Queue"),
            "May": queue_takes_from("sns", ref("Topic")),
            "Reads": resource(
                "SNS::Subscription", TopicArn=ref("Topic"), Protocol="sqs", Endpoint=arn("Queue")
            ),
            "Alarm": resource(
                "CloudWatch::Alarm",
                Namespace="Everyday",
                MetricName="Lost",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
                AlarmActions=[ref("Topic")],
            ),
        }
    )
    data = [{"MetricName": "Lost", "Value": 3.0}]
    sandbox.boto3_client("cloudwatch").put_metric_data(Namespace="Everyday", MetricData=data)
    (message,) = messages(sandbox, stack.resources["Queue"])
    assert json.loads(json.loads(message)["Message"])["NewStateValue"] == "ALARM"


def test_key(ok: Any, sandbox: Sandbox) -> None:
    everything = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    ok(
        {
            "Key": resource("KMS::Key", KeyPolicy=everything),
            "Alias": resource("KMS::Alias", AliasName="alias/everyday", TargetKeyId=ref("Key")),
        }
    )
    client = sandbox.boto3_client("kms")
    blob = client.encrypt(KeyId="alias/everyday", Plaintext=b"secret")["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_custom_resource(ok: Any, function: Any) -> None:
    code = """
    import json, urllib.request
    def handler(event, context):
        answer = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
        twice = event["ResourceProperties"]["Word"] * 2
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": "made", "Data": {"Twice": twice}}
        request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
        urllib.request.urlopen(request)
    """
    made = {"Type": "Custom::Word", "Properties": {"ServiceToken": arn("Function"), "Word": "ab"}}
    stack = ok({**function(code, Timeout=10), "Made": made}, {"Twice": {"Fn::GetAtt": ["Made", "Twice"]}})
    assert stack.outputs == {"Twice": "abab"}


def queue_takes_from(service: str, source: Any, queue: str = "Queue") -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return resource("SQS::QueuePolicy", Queues=[ref(queue)], PolicyDocument=document)


def messages(sandbox: Sandbox, url: str) -> list[str]:
    got = sandbox.boto3_client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in got.get("Messages", [])]


# -- what was refused


def test_vpc_function(ok: Any, deploy: Any, function: Any, invoke: Any, sandbox: Sandbox) -> None:
    placed = {"SubnetIds": [ref("Subnet")], "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}]}
    network = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": resource("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.0.0/24"),
        "Group": resource("EC2::SecurityGroup", GroupDescription="functions", VpcId=ref("Vpc")),
    }
    refused = deploy({"Resources": {**network, **function(ECHO, VpcConfig=placed)}})
    assert "does not have permissions to call CreateNetworkInterface on EC2" in refused.reasons
    stack = ok({**network, **function(ECHO, allow("ec2:*NetworkInterface*"), VpcConfig=placed)})
    assert invoke(stack.resources["Function"], {"n": 1}) == {"n": 1}
    unapplied = {one.type for one in sandbox.not_rehearsed if one.stack == stack.name}
    assert unapplied == {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"}
    # What the CDK asks for: the zones of the Region, and the rules of the default group taken away.
    client = sandbox.boto3_client("ec2")
    zones = [one["ZoneName"] for one in client.describe_availability_zones()["AvailabilityZones"]]
    assert zones == ["us-east-1a", "us-east-1b", "us-east-1c"]
    everybody = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    revoked = client.revoke_security_group_egress(GroupId=stack.resources["Group"], IpPermissions=everybody)
    assert revoked["Return"] is True


def test_layer(ok: Any, function: Any, invoke: Any, sandbox: Sandbox, zip_of: Any) -> None:
    client = sandbox.boto3_client("s3")
    client.create_bucket(Bucket="everyday-layers")
    body = zip_of({"python/greeting.py": "def word():\n    return 'from the layer'\n"})
    client.put_object(Bucket="everyday-layers", Key="layer.zip", Body=body)
    code = "import greeting\ndef handler(event, context):\n    return greeting.word()\n"
    content = {"S3Bucket": "everyday-layers", "S3Key": "layer.zip"}
    stack = ok(
        {
            "Layer": resource("Lambda::LayerVersion", Content=content, CompatibleRuntimes=["python3.13"]),
            **function(code, Layers=[ref("Layer")]),
        }
    )
    assert invoke(stack.resources["Function"]) == "from the layer"


def test_alias(ok: Any, deploy: Any, function: Any, invoke: Any, role: Any, sandbox: Sandbox) -> None:
    code = "def handler(event, context):\n    return ['%s', context.function_version, context.invoked_function_arn]\n"

    def resources(word: str, version: str) -> dict[str, Any]:
        return {
            **function(code % word),
            "First": resource("Lambda::Version", FunctionName=ref("Function")),
            "Live": resource(
                "Lambda::Alias", FunctionName=ref("Function"), FunctionVersion=version, Name="live"
            ),
            "May": may_invoke("connect", function=ref("Live")),
            "Caller": role(allow("lambda:InvokeFunction", on=ref("Live"))),
        }

    one = resources("one", {"Fn::GetAtt": ["First", "Version"]})  # type: ignore[arg-type]
    stack = ok(one)
    live = stack.resources["Live"]
    assert live.endswith(":live")
    updated = deploy({"Resources": {**one, **function(code % "two")}}, name=stack.name)
    assert updated.status == "UPDATE_COMPLETE", updated.reasons
    assert invoke(live) == ["one", "1", live]
    assert invoke(stack.resources["Function"])[:2] == ["two", "$LATEST"]
    second = deploy(
        {
            "Resources": {
                **one,
                **function(code % "two"),
                "Second": resource("Lambda::Version", FunctionName=ref("Function")),
                "Live": resources("", {"Fn::GetAtt": ["Second", "Version"]})["Live"],  # type: ignore[arg-type]
            }
        },
        name=stack.name,
    )
    assert second.status == "UPDATE_COMPLETE", second.reasons
    assert invoke(live) == ["two", "2", live]
    connect = ServicePrincipal("connect.amazonaws.com", sandbox.account, INSTANCE)
    assert sandbox.functions.invoke(live, {}, invoked_by=connect).json()[0] == "two"
    with pytest.raises(AwsError, match="AccessDenied"):
        sandbox.functions.invoke(live.removesuffix(":live"), {}, invoked_by=connect)


def test_email_subscription(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Topic": resource("SNS::Topic"),
            "Mail": resource(
                "SNS::Subscription", TopicArn=ref("Topic"), Protocol="email", Endpoint="ops@example.com"
            ),
        }
    )
    client = sandbox.boto3_client("sns")
    client.publish(TopicArn=stack.resources["Topic"], Message="nobody reads this")
    (found,) = client.list_subscriptions_by_topic(TopicArn=stack.resources["Topic"])["Subscriptions"]
    assert (found["Protocol"], found["SubscriptionArn"]) == ("email", "PendingConfirmation")


def test_queue_mapping(
    ok: Any, deploy: Any, function: Any, calls_of: Any, eventually: Any, sandbox: Sandbox
) -> None:
    code = """
    def handler(event, context):
        bad = [r["messageId"] for r in event["Records"] if "bad" in r["body"]]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
    """
    reads = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=arn("Queue"))
    resources = {
        "Dead": resource("SQS::Queue"),
        "Queue": resource(
            "SQS::Queue",
            VisibilityTimeout=3,
            RedrivePolicy={"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 1},
        ),
        **function(code, reads),
        "Mapping": resource(
            "Lambda::EventSourceMapping",
            FunctionName=ref("Function"),
            EventSourceArn=arn("Queue"),
            FunctionResponseTypes=["ReportBatchItemFailures"],
            FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["call"]}}'}]},
        ),
    }
    refused = deploy({"Resources": {**resources, **function(code)}})
    assert "does not have permissions to call ReceiveMessage on SQS" in refused.reasons
    stack = ok(resources)
    client, url = sandbox.boto3_client("sqs"), stack.resources["Queue"]
    for body in ({"kind": "chat"}, {"kind": "call", "id": 7}, {"kind": "call", "id": "bad"}):
        client.send_message(QueueUrl=url, MessageBody=json.dumps(body))

    def got() -> list[Any]:
        return [json.loads(r["body"]) for event in calls_of(stack) for r in event["Records"]]

    eventually(lambda: len(got()) == 2)
    assert [one["id"] for one in got()] == [7, "bad"]

    def left() -> tuple[str, str]:
        counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]

    # What the function has taken and what the filter hides is deleted; the reported one is kept.
    eventually(lambda: left() == ("0", "1"))


def test_table_mapping(ok: Any, function: Any, calls_of: Any, eventually: Any, sandbox: Sandbox) -> None:
    stream = {"Fn::GetAtt": ["Table", "StreamArn"]}
    reads = allow(
        "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams", on=stream
    )  # fmt: skip
    stack = ok(
        {
            "Table": resource(
                "DynamoDB::Table",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"},
            ),
            **function(ECHO, reads),
            "Mapping": resource(
                "Lambda::EventSourceMapping",
                FunctionName=ref("Function"),
                EventSourceArn=stream,
                StartingPosition="LATEST",
                FilterCriteria={"Filters": [{"Pattern": '{"eventName": ["MODIFY"]}'}]},
            ),
        }
    )
    client = sandbox.boto3_client("dynamodb")
    for name in ("Ann", "Bea"):
        item = {"id": {"S": "1"}, "name": {"S": name}}
        client.put_item(TableName=stack.resources["Table"], Item=item)
    (event,) = eventually(lambda: calls_of(stack))
    (record,) = event["Records"]
    assert record["dynamodb"]["OldImage"]["name"] == {"S": "Ann"}
    assert record["dynamodb"]["NewImage"]["name"] == {"S": "Bea"}


def test_stream_mapping(ok: Any, function: Any, eventually: Any, sandbox: Sandbox, calls_of: Any) -> None:
    code = """
    import base64
    def handler(event, context):
        if any(base64.b64decode(r["kinesis"]["data"]) == b"bad" for r in event["Records"]):
            raise ValueError("bad record")
    """
    reads = allow(
        *("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"),
        on=arn("Stream"),
    )
    stack = ok(
        {
            "Stream": resource("Kinesis::Stream", ShardCount=1),
            "Failed": resource("SQS::Queue"),
            **function(code, reads, allow("sqs:SendMessage", on=arn("Failed"))),
            "Mapping": resource(
                "Lambda::EventSourceMapping",
                FunctionName=ref("Function"),
                EventSourceArn=arn("Stream"),
                StartingPosition="TRIM_HORIZON",
                MaximumRetryAttempts=1,
                DestinationConfig={"OnFailure": {"Destination": arn("Failed")}},
            ),
        }
    )
    client = sandbox.boto3_client("kinesis")
    client.put_record(StreamName=stack.resources["Stream"], Data=b"bad", PartitionKey="p")
    (told,) = eventually(lambda: messages(sandbox, stack.resources["Failed"]))
    assert json.loads(told)["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert len(calls_of(stack)) == 2


def test_event_pattern(ok: Any, function: Any, calls_of: Any, eventually: Any, sandbox: Sandbox) -> None:
    bus = "everyday-bus"
    pattern = {
        "source": ["contact.center"],
        "detail": {"wait": [{"numeric": [">", 60]}], "queue": [{"prefix": "S"}]},
    }
    transformer = {
        "InputPathsMap": {"q": "$.detail.queue", "w": "$.detail.wait"},
        "InputTemplate": '{"q": <q>, "w": <w>}',
    }
    stack = ok(
        {
            **function(ECHO),
            "Bus": resource("Events::EventBus", Name=bus),
            "Rule": resource(
                "Events::Rule",
                EventBusName=ref("Bus"),
                EventPattern=pattern,
                Targets=[{"Id": "1", "Arn": arn("Function"), "InputTransformer": transformer}],
            ),
            "May": may_invoke("events", arn("Rule")),
        }
    )
    client = sandbox.boto3_client("events")
    for queue, wait in (("Support", 61), ("Support", 60), ("Sales", 90), ("billing", 99)):
        detail = json.dumps({"queue": queue, "wait": wait})
        entry = {"Source": "contact.center", "DetailType": "Waiting", "Detail": detail, "EventBusName": bus}
        assert client.put_events(Entries=[entry])["FailedEntryCount"] == 0
    eventually(lambda: len(calls_of(stack)) == 2)
    got = sorted(calls_of(stack), key=lambda one: one["w"])
    assert got == [{"q": "Support", "w": 61}, {"q": "Sales", "w": 90}]


def test_topic_function(ok: Any, function: Any, calls_of: Any, eventually: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            **function(ECHO),
            "Topic": resource("SNS::Topic"),
            "Queue": resource("SQS::Queue"),
            "MayQueue": queue_takes_from("sns", ref("Topic")),
            "May": may_invoke("sns", ref("Topic")),
            "Calls": resource(
                "SNS::Subscription", TopicArn=ref("Topic"), Protocol="lambda", Endpoint=arn("Function")
            ),
            "Fills": resource(
                "SNS::Subscription", TopicArn=ref("Topic"), Protocol="sqs", Endpoint=arn("Queue")
            ),
        }
    )
    sandbox.boto3_client("sns").publish(TopicArn=stack.resources["Topic"], Message="hello", Subject="s")
    (event,) = eventually(lambda: calls_of(stack))
    assert [record["Sns"]["Message"] for record in event["Records"]] == ["hello"]
    assert [json.loads(one)["Message"] for one in messages(sandbox, stack.resources["Queue"])] == ["hello"]


def test_bucket_notification(
    ok: Any, function: Any, calls_of: Any, eventually: Any, sandbox: Sandbox
) -> None:
    only = {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".wav"}]}}
    notifies = {"Event": "s3:ObjectCreated:*", "Function": arn("Function"), "Filter": only}
    stack = ok(
        {
            **function(ECHO),
            "May": may_invoke("s3", "arn:aws:s3:::everyday-recordings"),
            "Bucket": resource(
                "S3::Bucket",
                "May",
                BucketName="everyday-recordings",
                NotificationConfiguration={"LambdaConfigurations": [notifies]},
            ),
        }
    )
    client = sandbox.boto3_client("s3")
    for key in ("calls/1.json", "calls/1 a.wav"):
        client.put_object(Bucket="everyday-recordings", Key=key, Body=b"RIFF")
    (event,) = eventually(lambda: calls_of(stack))
    (record,) = event["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "calls/1+a.wav")
    for key in ("calls/1.json", "calls/1 a.wav"):
        client.delete_object(Bucket="everyday-recordings", Key=key)


def test_nested_stack(ok: Any, deploy: Any, sandbox: Sandbox) -> None:
    inner = {
        "Parameters": {"Delay": {"Type": "Number"}},
        "Resources": {"Queue": resource("SQS::Queue", DelaySeconds=ref("Delay"))},
        "Outputs": {"Url": {"Value": ref("Queue")}},
    }
    client = sandbox.boto3_client("s3")
    client.create_bucket(Bucket="everyday-templates")
    client.put_object(Bucket="everyday-templates", Key="inner.json", Body=json.dumps(inner))
    url = "https://s3.us-east-1.amazonaws.com/everyday-templates/inner.json"

    def outer(delay: int) -> dict[str, Any]:
        nested = resource("CloudFormation::Stack", TemplateURL=url, Parameters={"Delay": delay})
        output = {"Url": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.Url"]}}}
        return {"Resources": {"Nested": nested}, "Outputs": output}

    stack = deploy(outer(0))
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    sqs = sandbox.boto3_client("sqs")
    assert deploy(outer(7), name=stack.name).status == "UPDATE_COMPLETE"
    told = sqs.get_queue_attributes(QueueUrl=stack.outputs["Url"], AttributeNames=["DelaySeconds"])
    assert told["Attributes"] == {"DelaySeconds": "7"}
    assert deploy.delete(stack.name).status == "DELETE_COMPLETE"
    assert stack.outputs["Url"] not in sqs.list_queues().get("QueueUrls", [])
    inner["Resources"]["Queue"]["Properties"]["FifoQueue"] = True
    client.put_object(Bucket="everyday-templates", Key="inner.json", Body=json.dumps(inner))
    failed = deploy(outer(0))
    assert failed.status == "ROLLBACK_COMPLETE"
    assert "FifoQueue" in failed.reasons


def test_web_acl(ok: Any, function: Any, sandbox: Sandbox) -> None:
    visible = {"CloudWatchMetricsEnabled": True, "MetricName": "m", "SampledRequestsEnabled": True}
    stage = {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"}
    stack = ok(
        {
            **function(HELLO % "path"),
            **rest_api(),
            "Acl": resource(
                "WAFv2::WebACL", Scope="REGIONAL", DefaultAction={"Block": {}}, VisibilityConfig=visible
            ),
            "On": resource("WAFv2::WebACLAssociation", ResourceArn=stage, WebACLArn=arn("Acl")),
        },
        {"Acl": arn("Acl")},
    )
    assert stack.outputs["Acl"].startswith("arn:aws:wafv2:us-east-1:123456789012:regional/webacl/")
    told = {one.logical_id: one.why for one in sandbox.not_rehearsed if one.stack == stack.name}
    assert set(told) == {"Acl", "On"}
    assert "requests are not inspected" in told["Acl"]
    host = f"{stack.resources['Api']}.execute-api.us-east-1.amazonaws.com"
    assert ask(sandbox, host, "/live/")[0] == 200


def test_lex_bot(ok: Any, role: Any, sandbox: Sandbox) -> None:
    trust = {"Service": "lexv2.amazonaws.com"}
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}],
    }
    locale = {"LocaleId": "en_US", "BotVersionLocaleDetails": {"SourceBotVersion": "DRAFT"}}
    stack = ok(
        {
            "Role": role(trust=document),
            "Bot": resource(
                "Lex::Bot",
                Name="everyday",
                RoleArn=arn("Role"),
                DataPrivacy={"ChildDirected": False},
                IdleSessionTTLInSeconds=300,
            ),
            "Version": resource("Lex::BotVersion", BotId=ref("Bot"), BotVersionLocaleSpecification=[locale]),
            "Alias": resource(
                "Lex::BotAlias",
                BotId=ref("Bot"),
                BotAliasName="live",
                BotVersion={"Fn::GetAtt": ["Version", "BotVersion"]},
            ),
            "InConnect": resource(
                "Connect::IntegrationAssociation",
                InstanceId=INSTANCE,
                IntegrationType="LEX_BOT",
                IntegrationArn=arn("Alias"),
            ),
        }
    )
    bot_id, alias_id = stack.resources["Bot"], stack.resources["Alias"].partition("|")[0]
    lex = sandbox.boto3_client("lexv2-models")
    assert lex.describe_bot(botId=bot_id)["botName"] == "everyday"
    assert lex.describe_bot_alias(botId=bot_id, botAliasId=alias_id)["botAliasName"] == "live"
    bots = [one.integration_arn for one in sandbox.connect.instance(INSTANCE).associations.values()]
    assert [one for one in bots if f":bot-alias/{stack.resources['Bot']}/" in one]
    assert {one.type for one in sandbox.not_rehearsed if one.stack == stack.name} == {
        "AWS::Lex::Bot",
        "AWS::Lex::BotVersion",
        "AWS::Lex::BotAlias",
    }


QUESTION = {"Title": "Friendly?", "RefId": "friendly", "QuestionType": "TEXT"}
CONNECT_TYPES: dict[str, dict[str, Any]] = {
    "ContactFlowVersion": {"ContactFlowId": ref("Flow"), "Description": "v"},
    "View": {"InstanceArn": INSTANCE, "Name": "Form", "Template": {"Head": {}}, "Actions": ["Done"]},
    "ViewVersion": {"ViewArn": {"Fn::GetAtt": ["View", "ViewArn"]}},
    "TaskTemplate": {"InstanceArn": INSTANCE, "Name": "Call back", "Fields": []},
    "Rule": {
        "InstanceArn": INSTANCE,
        "Name": "long-calls",
        "TriggerEventSource": {"EventSourceName": "OnPostCallAnalysisAvailable"},
        "Function": "x",
        "Actions": {},
        "PublishStatus": "DRAFT",
    },
    "EvaluationForm": {
        "InstanceArn": INSTANCE,
        "Title": "Quality",
        "Items": [{"Section": {"Title": "All", "RefId": "all", "Items": [{"Question": QUESTION}]}}],
        "Status": "DRAFT",
    },
    "PredefinedAttribute": {"InstanceArn": INSTANCE, "Name": "Language", "Values": {"StringList": ["en"]}},
    "EmailAddress": {"InstanceArn": INSTANCE, "EmailAddress": "help@example.com"},
    "TrafficDistributionGroup": {"InstanceArn": INSTANCE, "Name": "Both"},
    "UserHierarchyStructure": {"InstanceArn": INSTANCE},
    "DataTable": {
        "InstanceArn": INSTANCE,
        "Name": "Holidays",
        "TimeZone": "UTC",
        "ValueLockLevel": "NONE",
        "Status": "PUBLISHED",
    },
}


def test_connect_types(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Flow": flow(END),
            **{kind: resource(f"Connect::{kind}", **told) for kind, told in CONNECT_TYPES.items()},
        }
    )
    assert stack.resources["View"].startswith(f"{INSTANCE}/view/")
    assert stack.resources["ContactFlowVersion"] == f"{stack.resources['Flow']}:1"
    assert stack.resources["ViewVersion"] == f"{stack.resources['View']}:1"
    told = {one.logical_id for one in sandbox.not_rehearsed if one.stack == stack.name}
    assert told == set(CONNECT_TYPES)
    listed = sandbox.boto3_client("connect").list_views(InstanceId=INSTANCE.rpartition("/")[2])
    assert [one["Arn"] for one in listed["ViewsSummaryList"]] == [stack.resources["View"]]
    known = {name.removeprefix("AWS::Connect::") for name in all_types() if name.startswith("AWS::Connect::")}
    every = {
        name.removeprefix("AWS::Connect::")
        for name in PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1")
        if name.startswith("AWS::Connect::")
    }
    assert every - known <= {"TestCase"}


END = {
    "Version": "2019-10-30",
    "StartAction": "end",
    "Metadata": {},
    "Actions": [{"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}],
}


def flow(content: Any, name: str = "everyday") -> dict[str, Any]:
    return resource(
        "Connect::ContactFlow",
        InstanceArn=INSTANCE,
        Name=name,
        Type="CONTACT_FLOW",
        Content=content if isinstance(content, dict) and "Fn::Sub" in content else json.dumps(content),
    )


def test_contact_flow(ok: Any, function: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    content = {
        "Version": "2019-10-30",
        "StartAction": "ask",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "ask",
                "Type": "InvokeLambdaFunction",
                "Parameters": {"LambdaFunctionARN": "${Function.Arn}", "InvocationTimeLimitSeconds": "8"},
                "Transitions": {
                    "NextAction": "say",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                },
            },
            {
                "Identifier": "say",
                "Type": "MessageParticipant",
                "Parameters": {"Text": "$.External.word"},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                },
            },
            END["Actions"][0],  # type: ignore[index]
        ],
    }
    stack = ok(
        {
            **function("def handler(event, context):\n    return {'word': 'welcome'}\n"),
            "May": resource(
                "Lambda::Permission",
                Action="lambda:InvokeFunction",
                FunctionName=ref("Function"),
                Principal="connect.amazonaws.com",
                SourceArn=INSTANCE,
                SourceAccount="123456789012",
            ),
            "InConnect": resource(
                "Connect::IntegrationAssociation",
                InstanceId=INSTANCE,
                IntegrationType="LAMBDA_FUNCTION",
                IntegrationArn=arn("Function"),
            ),
            "Flow": flow({"Fn::Sub": json.dumps(content)}),
        }
    )
    assert "welcome" in played(sandbox, stack.resources["Flow"], tmp_path, "expect: {hears: [welcome]}\n")


def played(sandbox: Sandbox, flow_arn: str, folder: Path, told: str) -> str:
    """Return what a caller of the flow hears, as the transcript has it."""
    (folder / "call.yaml").write_text(told)
    (scenario,) = ScenarioFile.load(folder / "call.yaml").scenarios
    return str(DeployedFlow(sandbox=sandbox, arn=flow_arn).play(scenario).transcript)


def test_connect_queue(ok: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    day = {"Day": "MONDAY", "StartTime": {"Hours": 8, "Minutes": 0}, "EndTime": {"Hours": 18, "Minutes": 0}}
    queue = {"Fn::GetAtt": ["Support", "QueueArn"]}
    content = {
        **END,
        "StartAction": "choose",
        "Actions": [
            {
                "Identifier": "choose",
                "Type": "UpdateContactTargetQueue",
                "Parameters": {"QueueId": "${Support.QueueArn}"},
                "Transitions": {
                    "NextAction": "wait",
                    "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}],
                },
            },
            {
                "Identifier": "wait",
                "Type": "TransferContactToQueue",
                "Parameters": {},
                "Transitions": {
                    "NextAction": "end",
                    "Errors": [
                        {"NextAction": "end", "ErrorType": "NoMatchingError"},
                        {"NextAction": "end", "ErrorType": "QueueAtCapacity"},
                    ],
                },
            },
            END["Actions"][0],  # type: ignore[index]
        ],
    }
    stack = ok(
        {
            "Hours": resource(
                "Connect::HoursOfOperation", InstanceArn=INSTANCE, Name="Day", TimeZone="UTC", Config=[day]
            ),
            "Support": resource(
                "Connect::Queue",
                InstanceArn=INSTANCE,
                Name="Support",
                HoursOfOperationArn={"Fn::GetAtt": ["Hours", "HoursOfOperationArn"]},
            ),
            "Agents": resource(
                "Connect::RoutingProfile",
                InstanceArn=INSTANCE,
                Name="Agents",
                Description="all",
                DefaultOutboundQueueArn=queue,
                MediaConcurrencies=[{"Channel": "VOICE", "Concurrency": 1}],
                QueueConfigs=[
                    {"QueueReference": {"Channel": "VOICE", "QueueArn": queue}, "Delay": 0, "Priority": 1}
                ],
            ),
            "Flow": flow({"Fn::Sub": json.dumps(content)}, "queue"),
        }
    )
    queue_arn = stack.resources["Support"]
    told = f"setup: {{queues: {{'{queue_arn}': {{name: Support}}}}}}\nexpect: {{ends: {{queued: Support}}}}\n"
    assert "Support" in played(sandbox, stack.resources["Flow"], tmp_path, told)


def test_phone_number(ok: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            "Flow": flow(END, "number"),
            "Instance": resource(
                "Connect::Instance",
                IdentityManagementType="CONNECT_MANAGED",
                InstanceAlias="everyday-numbers",
                Attributes={"InboundCalls": True, "OutboundCalls": True},
            ),
            "Line": resource(
                "Connect::ContactFlow",
                InstanceArn=arn("Instance"),
                Name="line",
                Type="CONTACT_FLOW",
                Content=json.dumps(END),
            ),
            "Number": resource(
                "Connect::PhoneNumber", TargetArn=arn("Instance"), CountryCode="US", Type="DID"
            ),
        },
        {"Number": {"Fn::GetAtt": ["Number", "Address"]}, "Instance": arn("Instance")},
    )
    sandbox.boto3_client("connect").associate_phone_number_contact_flow(
        InstanceId=stack.outputs["Instance"].rpartition("/")[2],
        PhoneNumberId=stack.resources["Number"].rpartition("/")[2],
        ContactFlowId=stack.resources["Line"].rpartition("/")[2],
    )
    _, led = flow_of_number(sandbox, stack.outputs["Number"])
    assert led == stack.resources["Line"]


def test_custom_domain(ok: Any, function: Any, sandbox: Sandbox) -> None:
    stack = ok(
        {
            **function(HELLO % "path"),
            **rest_api(),
            "Certificate": resource("CertificateManager::Certificate", DomainName="api.example.com"),
            "Domain": resource(
                "ApiGateway::DomainName",
                DomainName="api.example.com",
                RegionalCertificateArn=ref("Certificate"),
                EndpointConfiguration={"Types": ["REGIONAL"]},
            ),
            "Mapping": resource(
                "ApiGateway::BasePathMapping",
                "Stage",
                DomainName=ref("Domain"),
                RestApiId=ref("Api"),
                BasePath="v1",
                Stage="live",
            ),
            "Record": resource(
                "Route53::RecordSet",
                HostedZoneId="Z1",
                Name="api.example.com.",
                Type="A",
                AliasTarget={
                    "DNSName": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]},
                    "HostedZoneId": {"Fn::GetAtt": ["Domain", "RegionalHostedZoneId"]},
                },
            ),
        }
    )
    assert ask(sandbox, "api.example.com", "/v1/")[::2] == (200, "hello /v1/")
    assert ask(sandbox, "api.example.com", "/v2/")[0] == 403
    assert stack.resources["Domain"] == "api.example.com"


def test_mock_route(ok: Any, function: Any, sandbox: Sandbox) -> None:
    named = {
        "method.response.header.Access-Control-Allow-Origin": "'https://example.com'",
        "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
    }
    stack = ok(
        {
            **function(HELLO % "path"),
            **rest_api(),
            "Preflight": resource(
                "ApiGateway::Method",
                RestApiId=ref("Api"),
                ResourceId={"Fn::GetAtt": ["Api", "RootResourceId"]},
                HttpMethod="OPTIONS",
                AuthorizationType="NONE",
                Integration={
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": "{ statusCode: 200 }"},
                    "IntegrationResponses": [{"StatusCode": "204", "ResponseParameters": named}],
                },
                MethodResponses=[{"StatusCode": "204", "ResponseParameters": dict.fromkeys(named, True)}],
            ),
            "Deployment": {**rest_api()["Deployment"], "DependsOn": ["Get", "Preflight"]},
        }
    )
    host = f"{stack.resources['Api']}.execute-api.us-east-1.amazonaws.com"
    status, headers, body = ask(sandbox, host, "/live/", "OPTIONS", Origin="https://example.com")
    assert (status, body) == (204, "")
    assert headers["access-control-allow-origin"] == "https://example.com"
    assert headers["access-control-allow-methods"] == "GET,OPTIONS"


def test_http_api(ok: Any, function: Any, sandbox: Sandbox) -> None:
    code = """
    def handler(event, context):
        if event.get("type") == "REQUEST":
            return {"isAuthorized": event["identitySource"] == ["open"], "context": {"who": "ann"}}
        context = event["requestContext"]
        if event["routeKey"] == "GET /hidden":
            return {"who": context["authorizer"]["lambda"]["who"]}
        told = [event["version"], event["routeKey"], event["pathParameters"]["id"], event["rawQueryString"]]
        return {"statusCode": 201, "body": ",".join(told), "cookies": ["a=1"]}
    """
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    target = {"Fn::Sub": "integrations/${Integration}"}
    source = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"
    stack = ok(
        {
            **function(code),
            "Api": resource(
                "ApiGatewayV2::Api",
                Name="everyday",
                ProtocolType="HTTP",
                CorsConfiguration={"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"]},
            ),
            "Integration": resource(
                "ApiGatewayV2::Integration",
                ApiId=ref("Api"),
                IntegrationType="AWS_PROXY",
                IntegrationUri=arn("Function"),
                PayloadFormatVersion="2.0",
            ),
            "Authorizer": resource(
                "ApiGatewayV2::Authorizer",
                ApiId=ref("Api"),
                Name="who",
                AuthorizerType="REQUEST",
                AuthorizerUri={"Fn::Sub": uri},
                AuthorizerPayloadFormatVersion="2.0",
                EnableSimpleResponses=True,
                IdentitySource=["$request.header.Authorization"],
            ),
            "Pet": resource(
                "ApiGatewayV2::Route", ApiId=ref("Api"), RouteKey="GET /pets/{id}", Target=target
            ),
            "Hidden": resource(
                "ApiGatewayV2::Route",
                ApiId=ref("Api"),
                RouteKey="GET /hidden",
                Target=target,
                AuthorizationType="CUSTOM",
                AuthorizerId=ref("Authorizer"),
            ),
            "Stage": resource("ApiGatewayV2::Stage", ApiId=ref("Api"), StageName="$default", AutoDeploy=True),
            "MayPet": may_invoke("apigateway", {"Fn::Sub": source + "/*/*/pets/{id}"}),
            "MayHidden": may_invoke("apigateway", {"Fn::Sub": source + "/*/*/hidden"}),
            "MayAsk": may_invoke("apigateway", {"Fn::Sub": source + "/authorizers/${Authorizer}"}),
            "Domain": resource(
                "ApiGatewayV2::DomainName",
                DomainName="pets.example.com",
                DomainNameConfigurations=[{"EndpointType": "REGIONAL"}],
            ),
            "Mapping": resource(
                "ApiGatewayV2::ApiMapping", ApiId=ref("Api"), DomainName=ref("Domain"), Stage=ref("Stage")
            ),
        },
        {"Url": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
    )
    host = stack.outputs["Url"].removeprefix("https://")
    status, headers, body = ask(sandbox, host, "/pets/7?a=1", Origin="https://example.com")
    assert (status, body) == (201, "2.0,GET /pets/{id},7,a=1")
    assert (headers["set-cookie"], headers["access-control-allow-origin"]) == ("a=1", "https://example.com")
    assert ask(sandbox, host, "/cats")[::2] == (404, '{"message": "Not Found"}')
    assert ask(sandbox, "pets.example.com", "/pets/7")[0] == 201
    assert [ask(sandbox, host, "/hidden", **given)[0] for given in ({}, {"Authorization": "shut"})] == [
        401,
        403,
    ]
    assert ask(sandbox, host, "/hidden", Authorization="open")[::2] == (200, '{"who": "ann"}')


def states_trust() -> dict[str, Any]:
    who = {"Service": "states.amazonaws.com"}
    own = {"ArnLike": {"aws:SourceArn": "arn:aws:states:us-east-1:123456789012:stateMachine:*"}}
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "Condition": own}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_state_machine(ok: Any, deploy: Any, function: Any, role: Any, sandbox: Sandbox) -> None:
    code = """
    class Busy(Exception):
        pass

    tries = []

    def handler(event, context):
        tries.append(event)
        if len(tries) < 3:
            raise Busy("later")
        if event["n"] > 2:
            raise ValueError("too many")
        return event["n"] * 10
    """
    definition = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.numbers",
                "ItemSelector": {"n.$": "$$.Map.Item.Value"},
                "ItemProcessor": {
                    "StartAt": "Times",
                    "States": {
                        "Times": {
                            "Type": "Task",
                            "Resource": "${Function}",
                            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "MaxAttempts": 2}],
                            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Zero"}],
                            "End": True,
                        },
                        "Zero": {"Type": "Pass", "Result": 0, "End": True},
                    },
                },
                "ResultPath": "$.tens",
                "Next": "Wait",
            },
            "Wait": {"Type": "Wait", "Seconds": 3600, "Next": "Which"},
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.tens[0]", "NumericGreaterThan": 5, "Next": "Tell"}],
                "Default": "No",
            },
            "Tell": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {
                    "QueueUrl": "${Queue}",
                    "MessageBody.$": "States.Format('{} of {}', $.tens[1], $$.Execution.Name)",
                },
                "ResultSelector": {"id.$": "$.MessageId"},
                "ResultPath": "$.sent",
                "OutputPath": "$.tens",
                "End": True,
            },
            "No": {"Type": "Fail", "Error": "Everyday.TooSmall", "Cause": "less than 5"},
        },
    }

    def resources(*allowed: Any) -> dict[str, Any]:
        return {
            **function(code),
            "Queue": resource("SQS::Queue"),
            "Plays": role(*allowed, trust=states_trust()),
            "Machine": resource(
                "StepFunctions::StateMachine",
                RoleArn=arn("Plays"),
                DefinitionString=json.dumps(definition),
                DefinitionSubstitutions={"Function": arn("Function"), "Queue": ref("Queue")},
            ),
        }

    invokes, sends = (
        allow("lambda:InvokeFunction", on=arn("Function")),
        allow("sqs:SendMessage", on=arn("Queue")),
    )
    stack = ok(resources(invokes, sends))
    client, machine = sandbox.boto3_client("stepfunctions"), stack.resources["Machine"]

    def play(numbers: list[int], name: str, arn: str = machine) -> dict[str, Any]:
        event = json.dumps({"numbers": numbers})
        started = client.start_execution(stateMachineArn=arn, name=name, input=event)
        sandbox.state_machines.wait(started["executionArn"])
        return dict(client.describe_execution(executionArn=started["executionArn"]))

    done = play([1, 2, 3], "first")
    assert (done["status"], done.get("output")) == ("SUCCEEDED", "[10,20,0]"), done
    assert messages(sandbox, stack.resources["Queue"]) == ["20 of first"]
    assert sandbox.state_machines.executions[done["executionArn"]].waited == 3600 + 5 + 10
    failed = play([3], "second")
    assert (failed["status"], failed["error"]) == ("FAILED", "Everyday.TooSmall")
    denied = ok(resources(invokes))
    last = play([1, 2], "third", denied.resources["Machine"])
    assert last["status"] == "FAILED"
    assert last["error"].startswith("SQS.AccessDenied")
    definition["States"]["Wait"]["Next"] = "Nowhere"  # type: ignore[index]
    refused = deploy({"Resources": resources(invokes)})
    assert "MISSING_TRANSITION_TARGET" in refused.reasons


# -- the list itself


def test_every_feature_of_the_list_has_its_test_and_no_test_is_without() -> None:
    tree = ast.parse(Path(__file__).read_text())
    tests = {node.name.removeprefix("test_") for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(FEATURES) == 33
    assert set(FEATURES) <= tests
    assert sum(one["was"] == "deployed" for one in FEATURES.values()) == 13
