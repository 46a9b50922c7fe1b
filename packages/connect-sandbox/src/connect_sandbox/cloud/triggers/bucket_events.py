"""Notifications of buckets: what S3 sends when an object is created or removed.

Sources: Amazon S3 user guide, "Amazon S3 Event Notifications" (event types, filters), "Event message structure".
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, unquote
from xml.etree import ElementTree as ET

from connect_sandbox.cloud.aws_service import error_response
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.principals import ServicePrincipal

if TYPE_CHECKING:
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.triggers.buses import Buses
    from connect_sandbox.cloud.triggers.targets import Targets

_S3 = "s3.amazonaws.com"
_SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
#: The elements of a configuration: kind, and the element that names the target.
_KINDS = {
    "CloudFunctionConfiguration": "CloudFunction",
    "QueueConfiguration": "Queue",
    "TopicConfiguration": "Topic",
}


class BucketEvents:
    """Which buckets notify whom. A configuration is {"targets": [{Arn, Events, Filter}], "EventBridge": bool}."""

    def __init__(
        self, account: str, region: str, authorization: Authorization, targets: Targets, buses: Buses
    ) -> None:
        """Start without configurations."""
        self._authorization = authorization
        self._account = account
        self._region = region
        self._targets = targets
        self._buses = buses
        self.configurations: dict[str, dict[str, Any]] = {}
        self._documents: dict[str, bytes] = {}

    def configure(self, bucket: str, targets: list[dict[str, Any]], *, event_bridge: bool) -> None:
        """Set whom a bucket notifies; S3 refuses a target to which it may not send."""
        for target in targets:
            self._validate(bucket, target["Arn"])
        self.configurations[bucket] = {"targets": targets, "EventBridge": event_bridge}

    def early(self, request: HttpRequest) -> HttpResponse | None:
        """Answer Put- and GetBucketNotificationConfiguration; None leaves the request to moto."""
        names = {name for name, _ in request.query} | set(request.query_string.split("&"))
        if "notification" not in names:
            return None
        bucket = request.path.strip("/").partition("/")[0]
        if request.method == "GET":
            empty = f'<NotificationConfiguration xmlns="{_SPACE[1:-1]}"/>'.encode()
            return HttpResponse(
                200, [("Content-Type", "application/xml")], self._documents.get(bucket, empty)
            )
        try:
            targets, event_bridge = _read(request.body)
            self.configure(bucket, targets, event_bridge=event_bridge)
        except AwsError as error:
            return error_response(error, "rest-xml")
        self._documents[bucket] = request.body
        return HttpResponse(200)

    def after(self, request: HttpRequest) -> None:
        """Hear of a request that S3 has answered, and notify of what it did."""
        bucket, _, key = unquote(request.raw_path).lstrip("/").partition("/")
        configuration = self.configurations.get(bucket)
        if configuration is None or not key:
            return
        name = _event_name(request)
        if name:
            self._notify(configuration, bucket, key, name, len(request.body))

    def _notify(self, configuration: Mapping[str, Any], bucket: str, key: str, name: str, size: int) -> None:
        message = json.dumps({"Records": [self._record(bucket, key, name, size)]})
        sender = ServicePrincipal(_S3, self._account, f"arn:aws:s3:::{bucket}")
        for target in configuration["targets"]:
            if any(_covers(wanted, name) for wanted in target["Events"]) and _lets_pass(target, key):
                self._targets.send(sender, target["Arn"], message)
        if configuration["EventBridge"]:
            self._buses.send(self._bridge_event(bucket, key, name, size))

    def _validate(self, bucket: str, arn: str) -> None:
        """Refuse a target that S3 cannot reach, as S3 does when the configuration is put."""
        if not self._targets.reaches(arn) or arn.split(":")[2] not in _ACTIONS:
            raise AwsError("InvalidArgument", f"The ARN is not well formed: {arn}")
        sender = ServicePrincipal(_S3, self._account, f"arn:aws:s3:::{bucket}")
        decision = self._authorization.decide(sender, _ACTIONS[arn.split(":")[2]], arn)
        if not decision.allowed:
            message = (
                f"Unable to validate the following destination configurations [sandbox: {decision.message}]"
            )
            raise AwsError("InvalidArgument", message)

    def _record(self, bucket: str, key: str, name: str, size: int) -> dict[str, Any]:
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self._region,
            "eventTime": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            "eventName": name,
            "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper()},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "sandbox",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "EXAMPLE"},
                    "arn": f"arn:aws:s3:::{bucket}",
                },
                "object": {
                    "key": quote_plus(key, safe="/"),
                    "sequencer": uuid.uuid4().hex[:18].upper(),
                    **({"size": size} if name.startswith("ObjectCreated") else {}),
                },
            },
        }

    def _bridge_event(self, bucket: str, key: str, name: str, size: int) -> dict[str, Any]:
        created = name.startswith("ObjectCreated")
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Object Created" if created else "Object Deleted",
            "source": "aws.s3",
            "account": self._account,
            "time": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": self._region,
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": {"key": key, **({"size": size} if created else {})},
                "reason": "PutObject" if created else "DeleteObject",
            },
        }


def _event_name(request: HttpRequest) -> str:
    names = {name for name, _ in request.query}
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        return "ObjectCreated:Copy"
    if request.method == "PUT" and not names & {"tagging", "acl", "partNumber", "retention", "legal-hold"}:
        return "ObjectCreated:Put"
    if request.method == "POST" and "uploadId" in names:
        return "ObjectCreated:CompleteMultipartUpload"
    if request.method == "DELETE" and not names & {"tagging", "uploadId"}:
        return "ObjectRemoved:Delete"
    return ""


def _covers(wanted: str, name: str) -> bool:
    wanted = wanted.removeprefix("s3:")
    return name == wanted or (wanted.endswith(":*") and name.startswith(wanted[:-1]))


def _lets_pass(target: Mapping[str, Any], key: str) -> bool:
    tests = {"prefix": key.startswith, "suffix": key.endswith}
    return all(tests[rule["Name"].lower()](rule["Value"]) for rule in target.get("Filter") or [])


def _read(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Return the targets of a NotificationConfiguration, and whether EventBridge is one."""
    root = ET.fromstring(body)  # noqa: S314  (botocore wrote it on this machine)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SPACE)
    targets = list(_targets(root))
    return targets, root.find("EventBridgeConfiguration") is not None


def _targets(root: ET.Element) -> Iterator[dict[str, Any]]:
    for kind, named in _KINDS.items():
        for one in root.findall(kind):
            yield {
                "Arn": one.findtext(named, ""),
                "Events": [event.text or "" for event in one.findall("Event")],
                "Filter": [
                    {"Name": rule.findtext("Name", ""), "Value": rule.findtext("Value", "")}
                    for rule in one.iter("FilterRule")
                ],
            }
