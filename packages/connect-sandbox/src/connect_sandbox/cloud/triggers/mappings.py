"""Event source mappings: Lambda polls queues and streams with the function's role, and invokes it with batches.

Sources: AWS Lambda developer guide, "Using Lambda with Amazon SQS", "… DynamoDB", "… Kinesis Data Streams" (events,
permissions, partial batch responses), "Control which events Lambda sends to your function" (filters).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from connect_sandbox.cloud.errors import AwsError, NotEmulatedError, SandboxError
from connect_sandbox.cloud.principals import RolePrincipal
from connect_sandbox.cloud.told_requests import change_id
from connect_sandbox.cloud.triggers.patterns import check_pattern, matches
from connect_sandbox.runs import Cause, because

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.functions import Functions, Invocation
    from connect_sandbox.cloud.lambda_state import LambdaState
    from connect_sandbox.cloud.triggers.targets import Targets

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
#: What the function's role must be allowed on the source, by the source's service.
_NEEDED = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"),
    "kinesis": (
        *("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"),
    ),
}  # fmt: skip


@dataclass
class SourceMapping:
    """One mapping. `batches` are the sizes of what was sent to the function, `lost` what nobody took."""

    id: str
    source_arn: str
    function_arn: str
    batch_size: int
    enabled: bool = True
    patterns: list[dict[str, Any]] = field(default_factory=list)
    partial: bool = False
    from_start: bool = False
    retries: int = -1
    on_failure: str = ""
    bisect: bool = False
    batches: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    #: Why the last poll failed; empty if it did not.
    trouble: str = ""
    iterators: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The service of the source."""
        return self.source_arn.split(":")[2]


class Mappings:
    """The mappings of the account; one thread polls for all of them, from the first mapping on."""

    def __init__(
        self,
        state: LambdaState,
        functions: Functions,
        authorization: Authorization,
        clients: Callable[[str], Any],
        targets: Targets,
    ) -> None:
        """`clients` returns boto3 clients of moto; `targets` take what fails for good."""
        self._state = state
        self._functions = functions
        self._authorization = authorization
        self._clients = clients
        self._targets = targets
        self._mappings: dict[str, SourceMapping] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._polling = threading.Lock()
        self._thread: threading.Thread | None = None

    def all(self) -> list[SourceMapping]:
        """Return every mapping."""
        return list(self._mappings.values())

    def add(self, mapping: SourceMapping) -> str:
        """Start polling for a mapping; return its id. The function's role must be allowed to read the source."""
        self._check(mapping)
        if mapping.kind != "sqs":
            mapping.iterators = self._first_iterators(mapping)
        with self._changed:
            self._mappings[mapping.id] = mapping
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="event-source-mappings", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return mapping.id

    def change(self, mapping: SourceMapping) -> None:
        """Replace the settings of a mapping; it goes on where it was."""
        self._check(mapping)
        with self._changed:
            mapping.iterators = self._mappings[mapping.id].iterators
            self._mappings[mapping.id] = mapping

    def remove(self, mapping_id: str) -> None:
        """Stop polling for a mapping; it is no error if it is gone."""
        with self._changed:
            self._mappings.pop(mapping_id, None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Poll for nothing meanwhile, once functions have finished their batches; streams go on with what is new."""
        with self._polling:
            yield
            for mapping in self.all():
                mapping.batches, mapping.lost, mapping.trouble = [], [], ""
                if mapping.kind != "sqs":
                    mapping.iterators = self._iterators(mapping, "LATEST")

    def close(self) -> None:
        """Stop the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=2)

    # -- what a mapping needs

    def _check(self, mapping: SourceMapping) -> None:
        if mapping.kind not in _NEEDED:
            known = ", ".join(_NEEDED)
            raise NotEmulatedError(f"an event source mapping of {mapping.source_arn}", f"it polls {known}")
        for pattern in mapping.patterns:
            check_pattern(pattern)
        refused = self._refused(mapping)
        if refused:
            raise AwsError("InvalidParameterValueException", refused)
        if mapping.kind == "sqs":
            self._check_visibility(mapping)

    def _refused(self, mapping: SourceMapping) -> str:
        """Return Lambda's words if the function's role may not read the source."""
        role = self._state.get(mapping.function_arn).role
        for action in _NEEDED[mapping.kind]:
            decision = self._authorization.decide(RolePrincipal(role, "lambda"), action, mapping.source_arn)
            if not decision.allowed and mapping.kind == "sqs":
                name = action.partition(":")[2]
                return (
                    f"The provided execution role does not have permissions to call {name} on SQS "
                    f"[sandbox: {decision.message}]"
                )
            if not decision.allowed:
                asked = ", ".join(one.partition(":")[2] for one in _NEEDED[mapping.kind])
                return (
                    f"Cannot access stream {mapping.source_arn}. Please ensure the role can perform the {asked} "
                    f"Actions on your stream in IAM. [sandbox: {decision.message}]"
                )
        return ""

    def _check_visibility(self, mapping: SourceMapping) -> None:
        url = self._queue_url(mapping)
        told = self._clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        visible, limit = (
            int(told["Attributes"]["VisibilityTimeout"]),
            self._state.get(mapping.function_arn).timeout,
        )
        if visible < limit:
            message = (
                f"Queue visibility timeout: {visible} seconds is less than Function timeout: {limit} seconds"
            )
            raise AwsError("InvalidParameterValueException", message)

    def _queue_url(self, mapping: SourceMapping) -> str:
        name = mapping.source_arn.rpartition(":")[2]
        return str(self._clients("sqs").get_queue_url(QueueName=name)["QueueUrl"])

    def _first_iterators(self, mapping: SourceMapping) -> dict[str, str]:
        return self._iterators(mapping, "TRIM_HORIZON" if mapping.from_start else "LATEST")

    def _iterators(self, mapping: SourceMapping, kind: str) -> dict[str, str]:
        client = self._streams(mapping)
        stream = {"StreamARN" if mapping.kind == "kinesis" else "StreamArn": mapping.source_arn}
        shards = client.describe_stream(**stream)["StreamDescription"]["Shards"]
        if mapping.kind == "kinesis":
            stream = {"StreamName": mapping.source_arn.rpartition("/")[2]}
        return {
            shard["ShardId"]: client.get_shard_iterator(
                **stream, ShardId=shard["ShardId"], ShardIteratorType=kind
            )["ShardIterator"]
            for shard in shards
        }

    def _streams(self, mapping: SourceMapping) -> Any:  # noqa: ANN401  (a boto3 client)
        return self._clients("kinesis" if mapping.kind == "kinesis" else "dynamodbstreams")

    # -- the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(_POLL_SECONDS)
                if self._closed:
                    return
                waiting = [one for one in self._mappings.values() if one.enabled]
            for mapping in waiting:
                try:
                    with self._polling:
                        mapping.trouble = self._refused(mapping)
                        if not mapping.trouble:
                            (self._poll_queue if mapping.kind == "sqs" else self._poll_stream)(mapping)
                except (AwsError, SandboxError, ClientError, BotoCoreError) as error:
                    mapping.trouble = str(error)
                except Exception as error:  # noqa: BLE001
                    # One mapping's trouble must not stop the others.
                    _LOG.exception("the event source mapping %s failed inside the sandbox", mapping.id)
                    mapping.trouble = f"the sandbox failed: {error}"

    def _poll_queue(self, mapping: SourceMapping) -> None:
        client, url = self._clients("sqs"), self._queue_url(mapping)
        got = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(mapping.batch_size, 10),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not got:
            return
        records = [_queue_record(mapping, one) for one in got]
        wanted = [one for one in records if _passes(mapping, one, "body")]
        # What no filter lets pass is deleted without an invocation.
        done = {one["messageId"] for one in records if one not in wanted}
        if wanted:
            done |= {one["messageId"] for one in wanted} - self._failed(mapping, wanted, "messageId")
        for one in got:
            if one["MessageId"] in done:
                client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])

    def _poll_stream(self, mapping: SourceMapping) -> None:
        client = self._streams(mapping)
        for shard, iterator in list(mapping.iterators.items()):
            answer = client.get_records(ShardIterator=iterator, Limit=mapping.batch_size)
            records = [_stream_record(mapping, shard, one) for one in answer["Records"]]
            wanted = [one for one in records if _passes(mapping, one, mapping.kind)]
            if wanted:
                self._until_taken(mapping, wanted)
            mapping.iterators[shard] = answer.get("NextShardIterator") or iterator

    def _until_taken(self, mapping: SourceMapping, records: list[dict[str, Any]]) -> None:
        """Invoke until the function takes the records, or its retries are used up; a stream waits meanwhile."""
        attempts = 0
        while True:
            failed = self._failed(mapping, records, "sequence")
            attempts += 1
            if not failed:
                return
            if mapping.retries >= 0 and attempts > mapping.retries:
                self._give_up(mapping, records)
                return
            if self._closed or mapping.id not in self._mappings:
                return
            if attempts >= _MOST_ATTEMPTS:
                mapping.trouble = (
                    f"the function failed {attempts} times; on AWS it would block the shard for a day"
                )
                self._give_up(mapping, records)
                return
            if mapping.partial:
                first = min(index for index, one in enumerate(records) if _sequence(one) in failed)
                records = records[first:]

    def _give_up(self, mapping: SourceMapping, records: list[dict[str, Any]]) -> None:
        mapping.lost += [_sequence(one) for one in records]
        if mapping.on_failure:
            function = self._state.get(mapping.function_arn)
            record = {
                "requestContext": {"functionArn": function.arn, "condition": "RetryAttemptsExhausted"},
                "version": "1.0",
                "batchInfo": {
                    "batchSize": len(records),
                    "streamArn": mapping.source_arn,
                    "startSequenceNumber": _sequence(records[0]),
                    "endSequenceNumber": _sequence(records[-1]),
                },
            }
            role = RolePrincipal(function.role, function.name)
            self._targets.send(role, mapping.on_failure, json.dumps(record))

    def _failed(self, mapping: SourceMapping, records: list[dict[str, Any]], key: str) -> set[str]:
        """Invoke the function with a batch; return the ids of what it did not take."""
        function = self._state.get(mapping.function_arn)
        ids = {one[key] if key in one else _sequence(one) for one in records}
        mapping.batches.append(len(records))
        payload = json.dumps({"Records": records}).encode()
        told = self._targets.told
        try:
            causes = told.remembered(_known_by(mapping, records))
            for of in causes:
                with because(of):
                    told.delivered(mapping.kind, mapping.source_arn, function.arn, failed=False)
            # A batch may hold what several contacts have set off: then it is nobody's.
            with because(causes[0] if len(causes) == 1 else Cause()):
                invocation = self._functions.invoke_authorised(function, payload, by=mapping.source_arn)
        except (AwsError, SandboxError) as error:
            mapping.trouble = str(error)
            return ids
        if invocation.function_error:
            mapping.trouble = invocation.payload.decode()
            return ids
        return _not_taken(invocation, ids) if mapping.partial else set()


def _known_by(mapping: SourceMapping, records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Return by what the causes of records are known."""
    for record in records:
        if mapping.kind == "sqs":
            yield str(record["messageId"])
        elif mapping.kind == "dynamodb":
            yield change_id(record)


#: How often a batch of a stream is tried here before it is given up; on AWS it is retried until it expires.
_MOST_ATTEMPTS = 20


def _not_taken(invocation: Invocation, ids: set[str]) -> set[str]:
    """Return the ids that the function reports; all of them if it reports something that Lambda does not understand."""
    answer = invocation.json()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    named = {one.get("itemIdentifier") for one in failures or []}
    return ids if not named <= ids else {str(one) for one in named}


def _passes(mapping: SourceMapping, record: Mapping[str, Any], body: str) -> bool:
    """Return whether a filter lets a record through; the body of a message is compared as JSON."""
    if not mapping.patterns:
        return True
    seen = dict(record)
    if body == "body":
        seen["body"] = _as_json(record["body"])
    elif body == "kinesis":
        data = _as_json(base64.b64decode(record["kinesis"]["data"]).decode("utf-8", "replace"))
        seen = {**record, "data": data}
    return any(matches(pattern, seen) for pattern in mapping.patterns)


def _as_json(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text)
    except ValueError:
        return text


def _sequence(record: Mapping[str, Any]) -> str:
    part = record.get("dynamodb") or {}
    return str(part["SequenceNumber"] if part else record["kinesis"]["sequenceNumber"])


def _queue_record(mapping: SourceMapping, message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {_lower(key): inner for key, inner in value.items()}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.source_arn,
        "awsRegion": mapping.source_arn.split(":")[3],
    }


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _stream_record(mapping: SourceMapping, shard: str, record: Mapping[str, Any]) -> dict[str, Any]:
    region = mapping.source_arn.split(":")[3]
    if mapping.kind == "dynamodb":
        change = dict(record["dynamodb"])
        created = change.get("ApproximateCreationDateTime")
        change["ApproximateCreationDateTime"] = (
            created.timestamp() if isinstance(created, dt.datetime) else created
        )
        return {
            "eventID": record["eventID"],
            "eventName": record["eventName"],
            "eventVersion": record.get("eventVersion", "1.1"),
            "eventSource": "aws:dynamodb",
            "awsRegion": region,
            "dynamodb": _plain(change),
            "eventSourceARN": mapping.source_arn,
        }
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "awsRegion": region,
        "eventSourceARN": mapping.source_arn,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return attribute values with bytes in base64, as the event has them."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return (
        [_plain(one) for one in value]
        if isinstance(value, Iterable) and not isinstance(value, str)
        else value
    )


def new_id() -> str:
    """Return an id for a mapping."""
    return str(uuid.uuid4())
