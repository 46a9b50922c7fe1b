"""All of an environment, really deployed: every setting that can change changes, what is refused is refused, all stays.

The CDK CLI does what a person would: deploy, deploy with every setting changed, deploy what a rule refuses, deploy the
first settings again, destroy.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import CdkFailedError, Sandbox

from rehearsals.environments import UNVALIDATED
from tests.support import ROOT
from tests.synth.test_environment_updates import CREATED, To, chosen
from tests.synth.test_updates import KEYS, REGION_ARN

pytestmark = pytest.mark.sandbox

CONFIGURATION, NUMBERS = "connect-bridges-dev-configuration", "connect-bridges-dev-numbers"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        with Sandbox.start(tmp_path_factory.mktemp("dev"), variables=UNVALIDATED) as running:
            running.cdk("bootstrap", cwd=ROOT)
            yield running


def there(sandbox: Sandbox) -> dict[str, str]:
    """Make what the settings name as existing; return how the settings write it, and what it is called here."""
    for name in ("recordings-of-ours", "reports-of-ours"):
        sandbox.boto3_client("s3").create_bucket(Bucket=name)
    sandbox.boto3_client("kinesis").create_stream(StreamName="events", ShardCount=1)
    sandbox.boto3_client("firehose").create_delivery_stream(
        DeliveryStreamName="records",
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::recordings-of-ours",
            "RoleARN": "arn:aws:iam::123456789012:role/delivery",
        },
    )
    secrets = {"one": {"accountSid": "AC1", "authToken": "t"}, "other": {"apiKey": "k", "apiToken": "t"}}
    create = sandbox.boto3_client("secretsmanager").create_secret
    made = {
        f"arn:aws:secretsmanager:{REGION_ARN}:secret:{name}-AbCdEf": create(
            Name=name, SecretString=json.dumps(value)
        )["ARN"]
        for name, value in secrets.items()
    }
    return {**made, KEYS[0]: sandbox.boto3_client("kms").create_key()["KeyMetadata"]["Arn"]}


class Environment:
    """What the CDK CLI does with an environment of cdk.json."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox, self._folder = sandbox, folder
        self._known = there(sandbox)

    def deploy(self, settings: dict[str, Any], name: str) -> None:
        text = json.dumps({"dev": settings})
        for written, here in self._known.items():
            text = text.replace(written, here)
        source = ("-c", "env=dev", "-c", f"environments={text}", "--output", str(self._folder / name))
        self._sandbox.cdk("deploy", "--all", "--method=direct", *source, cwd=ROOT)

    def deploy_again(self, name: str) -> None:
        self._sandbox.cdk("deploy", "--all", "--method=direct", "--app", str(self._folder / name), cwd=ROOT)

    def destroy(self, name: str) -> None:
        self._sandbox.cdk("destroy", "--all", "--force", "--app", str(self._folder / name), cwd=ROOT)


def records(sandbox: Sandbox, stream: str) -> list[bytes]:
    client = sandbox.boto3_client("kinesis")
    found = []
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found += [one["Data"] for one in client.get_records(ShardIterator=iterator)["Records"]]
    return found


def physical(sandbox: Sandbox, stack: str) -> dict[str, str]:
    told = sandbox.boto3_client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in told}


@pytest.mark.timeout(300)  # the CDK CLI runs five times
def test_every_setting_changes_and_nothing_is_lost(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = Environment(sandbox, tmp_path)
    environment.deploy(chosen(CREATED, lambda one: one.before), "first")
    (center,) = [each for each in sandbox.connect.instances() if each.created]
    stored = {one.resource_type: one for one in center.storage.values()}
    bucket = stored["CALL_RECORDINGS"].config["S3Config"]["BucketName"]
    stream = stored["CONTACT_TRACE_RECORDS"].config["KinesisStreamConfig"]["StreamArn"].rpartition("/")[2]
    sandbox.boto3_client("s3").put_object(Bucket=bucket, Key="CallRecordings/call.wav", Body=b"hello")
    sandbox.boto3_client("kinesis").put_record(StreamName=stream, Data=b"{}", PartitionKey="1")
    (number,) = center.numbers.values()
    first_flow, first = number.flow_id, physical(sandbox, CONFIGURATION)

    def nothing_is_lost() -> None:
        assert [each.id for each in sandbox.connect.instances() if each.created] == [center.id]
        assert list(center.numbers.values()) == [number]
        recording = sandbox.boto3_client("s3").get_object(Bucket=bucket, Key="CallRecordings/call.wav")
        assert recording["Body"].read() == b"hello"
        assert records(sandbox, stream) == [b"{}"]

    changed = chosen(CREATED, lambda one: one.after if isinstance(one, To) else one.before)
    environment.deploy(changed, "changed")
    nothing_is_lost()
    assert number.flow_id not in {None, first_flow}
    assert {part.name for part in center.parts.values() if part.kind == "Queue"} >= {"Help", "Sales"}

    with pytest.raises(CdkFailedError, match="which an instance cannot change"):
        environment.deploy(chosen(CREATED, lambda one: one.after), "refused")
    nothing_is_lost()

    environment.deploy_again("first")
    nothing_is_lost()
    assert number.flow_id == first_flow
    again = physical(sandbox, CONFIGURATION)
    assert {name for name in first if "Queue" in name and again[name] != first[name]} == set()

    environment.destroy("first")
    nothing_is_lost()
    assert number.flow_id is None
    assert center.flows.keys().isdisjoint({first_flow})
