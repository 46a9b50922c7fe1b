"""ContactCenter and ConnectInstance: what AWS says of the instance and of what was added to it; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from connect_bridges.operations.deployed import Bridge
from connect_bridges.operations.smoke.account import Account, Need, partition_of
from connect_bridges.operations.smoke.result import Checks, FailedError, SkippedError, asking

ONLY_A_CALL = (
    "the number rings, and the flow answers it",
    "a recording, a contact record and agent events arrive where they belong",
)
_DEPLOY = "Deploy the stack again (`cdk deploy --revert-drift`)."
_DIRECTION = {"InboundCalls": "InboundCallsEnabled", "OutboundCalls": "OutboundCallsEnabled"}


def needs(bridge: Bridge, account: Account) -> Iterator[Need]:
    """Yield the permissions that the checks need."""
    arn = str(bridge.facts["instanceArn"])
    partition = partition_of(arn)
    asked = ["connect:DescribeInstance"]
    if stored := _facts(bridge, "storage"):
        asked.append("connect:ListInstanceStorageConfigs")
    if _facts(bridge, "numbers"):
        asked.append("connect:ListFlowAssociations")
    if _facts(bridge, "origins"):
        asked.append("connect:ListApprovedOrigins")
    yield Need(tuple(asked), arn)
    # The service authorization reference: describing an instance looks up its directory.
    yield Need(("ds:DescribeDirectories",), "*")
    for each in stored:
        if "bucket" in each:
            yield Need(("s3:ListBucket",), f"arn:{partition}:s3:::{each['bucket']}")
        if "stream" in each:
            yield Need(("kinesis:DescribeStreamSummary",), each["stream"])
        if "firehose" in each:
            yield Need(("firehose:DescribeDeliveryStream",), each["firehose"])
    for each in _facts(bridge, "queues"):
        yield Need(("connect:DescribeQueue",), each["arn"])
    if bridge.construct == "ContactCenter":
        yield Need(
            ("cloudwatch:DescribeAlarms",),
            f"arn:{partition}:cloudwatch:{account.region}:{account.account}:alarm:*",
        )


def attempt(bridge: Bridge, account: Account, checks: Checks) -> None:
    """Check an instance, and what this construct added to it."""
    if not checks.attempt("instance-active", partial(_active, bridge, account)):
        return
    if bridge.construct == "ContactCenter":
        checks.attempt("instance-alarms", partial(_alarms, bridge, account))
    if stored := _facts(bridge, "storage"):
        checks.attempt("storage-associated", partial(_associated, bridge, account, stored))
        checks.attempt("streams-active", partial(_streams, account, stored))
        checks.attempt("storage-used", partial(_used, account, stored))
    if numbers := _facts(bridge, "numbers"):
        checks.attempt("numbers-answered", partial(_answered, bridge, account, numbers))
    if queues := _facts(bridge, "queues"):
        checks.attempt("queues-enabled", partial(_enabled, bridge, account, queues))
    if origins := _facts(bridge, "origins"):
        checks.attempt("origins-approved", partial(_approved, bridge, account, origins))


def _active(bridge: Bridge, account: Account) -> str:
    with asking("describe the instance", "connect:DescribeInstance"):
        found = account.client("connect").describe_instance(InstanceId=_id(bridge))["Instance"]
    if found["InstanceStatus"] != "ACTIVE":
        raise FailedError(
            f"the instance is {found['InstanceStatus']}.", "Wait until it is ACTIVE, or see its StatusReason."
        )
    wanted: Mapping[str, bool] = bridge.facts.get("attributes") or {}
    wrong = [name for name, member in _DIRECTION.items() if name in wanted and found[member] != wanted[name]]
    if wrong:
        raise FailedError(
            f"{' and '.join(wrong)} are not as deployed.", f"Somebody has changed them. {_DEPLOY}"
        )
    return f"{found.get('InstanceAlias', _id(bridge))} is ACTIVE"


def _associated(bridge: Bridge, account: Account, stored: Sequence[Mapping[str, str]]) -> str:
    """See that the instance stores where the construct says: each type has one association."""
    for each in stored:
        with asking(f"list the storage of {_id(bridge)}", "connect:ListInstanceStorageConfigs"):
            listed = account.client("connect").list_instance_storage_configs(
                InstanceId=_id(bridge), ResourceType=each["type"]
            )["StorageConfigs"]
        if not any(_is(config, each) for config in listed):
            raise FailedError(
                f"{each['type']} is not stored where the stack says: {_place(each)}.",
                f"Somebody has changed the association (Data storage). {_DEPLOY}",
            )
    return ", ".join(f"{each['type']}: {_place(each)}" for each in stored)


def _is(config: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    s3, stream = config.get("S3Config") or {}, config.get("KinesisStreamConfig") or {}
    hose, video = config.get("KinesisFirehoseConfig") or {}, config.get("KinesisVideoStreamConfig")
    if "bucket" in wanted:
        return (s3.get("BucketName"), s3.get("BucketPrefix")) == (wanted["bucket"], wanted["prefix"])
    if "stream" in wanted:
        return bool(stream.get("StreamArn") == wanted["stream"])
    return bool(hose.get("FirehoseArn") == wanted["firehose"]) if "firehose" in wanted else video is not None


def _place(wanted: Mapping[str, str]) -> str:
    place = wanted.get("bucket") or wanted.get("stream") or wanted.get("firehose") or "video streams"
    return f"{place}/{wanted['prefix']}" if "bucket" in wanted else place


def _streams(account: Account, stored: Sequence[Mapping[str, str]]) -> str:
    states: dict[str, str] = {}
    for each in stored:
        if arn := each.get("stream"):
            with asking(f"describe the stream {arn}", "kinesis:DescribeStreamSummary"):
                told = account.client("kinesis").describe_stream_summary(StreamARN=arn)
            states[arn] = told["StreamDescriptionSummary"]["StreamStatus"]
        if arn := each.get("firehose"):
            with asking(f"describe {arn}", "firehose:DescribeDeliveryStream"):
                told = account.client("firehose").describe_delivery_stream(
                    DeliveryStreamName=arn.rpartition("/")[2]
                )
            states[arn] = told["DeliveryStreamDescription"]["DeliveryStreamStatus"]
    if not states:
        raise SkippedError("nothing goes to a stream")
    # A stream that is updated takes records as well.
    if wrong := [f"{arn} is {state}" for arn, state in states.items() if state not in {"ACTIVE", "UPDATING"}]:
        raise FailedError(f"{'; '.join(wrong)}.", "Records are lost until the stream is ACTIVE.")
    return f"{len(states)} ACTIVE"


def _used(account: Account, stored: Sequence[Mapping[str, str]]) -> str:
    buckets = [each for each in stored if "bucket" in each]
    filled = []
    for each in buckets:
        with asking(f"list the bucket {each['bucket']}", "s3:ListBucket"):
            found = account.client("s3").list_objects_v2(
                Bucket=each["bucket"], Prefix=f"{each['prefix'].rstrip('/')}/", MaxKeys=1
            )
        if found.get("KeyCount"):
            filled.append(each["type"])
    if not filled:
        raise SkippedError("no bucket holds an object yet: a recorded call shows that the instance may write")
    return f"objects of {', '.join(filled)}"


def _answered(bridge: Bridge, account: Account, numbers: Sequence[Mapping[str, str]]) -> str:
    with asking(f"list the flows of numbers of {_id(bridge)}", "connect:ListFlowAssociations"):
        pages = account.client("connect").get_paginator("list_flow_associations")
        flows = {
            _last(each["ResourceId"]): _last(each["FlowId"])
            for page in pages.paginate(InstanceId=_id(bridge), ResourceType="VOICE_PHONE_NUMBER")
            for each in page["FlowAssociationSummaryList"]
        }
    for each in numbers:
        name = each.get("number", each["arn"])
        if (found := flows.get(_last(each["arn"]))) != _last(each["flowArn"]):
            raise FailedError(
                f"{name} leads to {f'the flow {found}' if found else 'no flow'}, not to {each['flowArn']}.",
                f"Somebody has given it another one. {_DEPLOY}",
            )
    return f"{', '.join(each.get('number', each['arn']) for each in numbers)}: answered by the flow"


def _enabled(bridge: Bridge, account: Account, queues: Sequence[Mapping[str, str]]) -> str:
    for each in queues:
        with asking(f"describe the queue {each['name']}", "connect:DescribeQueue"):
            found = account.client("connect").describe_queue(
                InstanceId=_id(bridge), QueueId=_last(each["arn"])
            )["Queue"]
        if found.get("Status", "ENABLED") != "ENABLED":
            raise FailedError(f"the queue {each['name']} is {found['Status']}.", _DEPLOY)
    return f"{', '.join(each['name'] for each in queues)}: enabled"


def _approved(bridge: Bridge, account: Account, origins: Sequence[Mapping[str, str]]) -> str:
    with asking(f"list the origins of {_id(bridge)}", "connect:ListApprovedOrigins"):
        pages = account.client("connect").get_paginator("list_approved_origins")
        found = {each for page in pages.paginate(InstanceId=_id(bridge)) for each in page["Origins"]}
    if missing := sorted({each["origin"] for each in origins} - found):
        raise FailedError(f"{', '.join(missing)} may not embed the workspace.", _DEPLOY)
    return f"{len(origins)} approved"


def _alarms(bridge: Bridge, account: Account) -> str:
    with asking("list the alarms", "cloudwatch:DescribeAlarms"):
        pages = account.client("cloudwatch").get_paginator("describe_alarms")
        found = [
            alarm
            for page in pages.paginate(AlarmTypes=["MetricAlarm"])
            for alarm in page.get("MetricAlarms", [])
            if _id(bridge) in _instances(alarm)
        ]
    if not found:
        raise SkippedError(
            "no alarm watches the instance", "Add ContactCenterMonitoring (docs/monitoring.md)."
        )
    if mute := [each["AlarmName"] for each in found if not (each["AlarmActions"] and each["ActionsEnabled"])]:
        raise SkippedError(f"these alarms tell nobody: {', '.join(mute)}", "Give the monitoring a topic.")
    return f"{len(found)} watch it, and all of them tell somebody"


def _instances(alarm: Mapping[str, Any]) -> set[str]:
    metrics = [each.get("MetricStat", {}).get("Metric", {}) for each in alarm.get("Metrics", [])]
    return {
        dimension["Value"]
        for metric in (alarm, *metrics)
        for dimension in metric.get("Dimensions", [])
        if dimension["Name"] == "InstanceId"
    }


def _facts(bridge: Bridge, name: str) -> Sequence[Mapping[str, str]]:
    found: Sequence[Mapping[str, str]] = bridge.facts.get(name) or ()
    return found


def _id(bridge: Bridge) -> str:
    return _last(str(bridge.facts["instanceArn"]))


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
