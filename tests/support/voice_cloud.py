"""A fake of Chime SDK Voice, Amazon Connect's integrations and log groups: it keeps state, and fails on order."""

from __future__ import annotations

import json
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

INSTANCE_UUID = "11111111-2222-3333-4444-555555555555"
INSTANCE_ARN = f"arn:aws:connect:us-east-1:123456789012:instance/{INSTANCE_UUID}"
Answer = tuple[int, dict[str, str], bytes]


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str = "said the fake") -> None:
        super().__init__(code)
        self.answer: Answer = (
            status,
            {"x-amzn-ErrorType": code, "Content-Type": "application/json"},
            json.dumps({"__type": code, "Code": code, "Message": message, "message": message}).encode(),
        )


@dataclass
class Cloud:
    """What exists at the two services, every operation that was called, and which of them fail."""

    connectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    associations: dict[str, dict[str, Any]] = field(default_factory=dict)
    log_groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name; Amazon makes them when logging is turned on, if `makes_log_groups`."""
    makes_log_groups: bool = True
    calls: list[str] = field(default_factory=list)
    failures: dict[str, list[ApiError | None]] = field(default_factory=dict)
    """By operation: what its next calls do; None lets a call through; the last entry repeats."""
    lose_answers: set[str] = field(default_factory=set)
    """Operations that are carried out once before their failure is answered."""
    instances: set[str] = field(default_factory=lambda: {INSTANCE_UUID})
    page_size: int = 100

    @property
    def empty(self) -> bool:
        return not self.connectors and not self.associations and not self.log_groups

    @property
    def connector(self) -> dict[str, Any]:
        (connector,) = self.connectors.values()
        return connector

    @property
    def association(self) -> dict[str, Any]:
        (association,) = self.associations.values()
        return association

    def serve(self, method: str, path: str, *, target: str = "", body: bytes = b"") -> Answer:
        """Answer a request. target: the header X-Amz-Target."""
        url = urllib.parse.urlsplit(path)
        document = json.loads(body) if body else {}
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        operation, act = (
            self._log_operation(target.rsplit(".", maxsplit=1)[-1], document)
            if target
            else self._route(method, parts, query, document)
        )
        self.calls.append(operation)
        planned = self.failures.get(operation, [])
        failure = (planned.pop(0) if len(planned) > 1 else planned[0]) if planned else None
        try:
            if failure is not None and operation in self.lose_answers:
                self.lose_answers.remove(operation)
                act()
            if failure is not None:
                raise failure
            answer = act()
        except ApiError as error:
            return error.answer
        return 200, {"Content-Type": "application/json"}, json.dumps(answer or {}).encode()

    def _route(  # noqa: C901, PLR0911, PLR0912 (one line for each operation)
        self, method: str, parts: list[str], query: dict[str, str], body: dict[str, Any]
    ) -> tuple[str, Callable[[], Any]]:
        match method, parts:
            case "POST", ["voice-connectors"]:
                return "CreateVoiceConnector", lambda: self._create(body)
            case "GET", ["voice-connectors"]:
                return "ListVoiceConnectors", lambda: self._page("VoiceConnectors", self.connectors, query)
            case "PUT", ["voice-connectors", one]:
                return "UpdateVoiceConnector", lambda: {
                    "VoiceConnector": self._get(one) | self._put(one, body)
                }
            case "DELETE", ["voice-connectors", one]:
                return "DeleteVoiceConnector", lambda: self._delete(one)
            case "PUT", ["voice-connectors", one, "origination"]:
                return "PutVoiceConnectorOrigination", lambda: self._put(one, body)
            case "PUT", ["voice-connectors", one, "external-systems-configuration"]:
                return "PutVoiceConnectorExternalSystemsConfiguration", lambda: self._put(
                    one, {"Systems": body}
                )
            case "PUT", ["voice-connectors", one, "logging-configuration"]:
                return "PutVoiceConnectorLoggingConfiguration", lambda: self._log(one, body)
            case "GET", ["tags"]:
                return "ListTagsForResource", lambda: {"Tags": self._by_arn(query["arn"])["Tags"]}
            case "POST", ["tags"]:
                return "TagResource" if query[
                    "operation"
                ] == "tag-resource" else "UntagResource", lambda: self._retag(body)
            case "PUT", ["instance", instance, "integration-associations"]:
                return "CreateIntegrationAssociation", lambda: self._associate(instance, body)
            case "GET", ["instance", instance, "integration-associations"]:
                return "ListIntegrationAssociations", lambda: self._list_associations(instance, query)
            case "DELETE", ["instance", _, "integration-associations", one]:
                return "DeleteIntegrationAssociation", lambda: self._dissociate(one)
            case "POST", ["tags", arn]:
                return "connect TagResource", lambda: self._association(arn)["Tags"].update(body["tags"])
            case "DELETE", ["tags", arn]:
                return "connect UntagResource", lambda: self._association(arn)["Tags"].pop(
                    query["tagKeys"], None
                )
        raise AssertionError(f"the fake knows no {method} {parts}")

    def _log_operation(self, operation: str, body: dict[str, Any]) -> tuple[str, Callable[[], Any]]:
        name = body["logGroupName"]

        def create() -> None:
            if name in self.log_groups:
                raise ApiError(400, "ResourceAlreadyExistsException")
            self.log_groups[name] = {}

        def group() -> dict[str, Any]:
            if name not in self.log_groups:
                raise ApiError(400, "ResourceNotFoundException")
            return self.log_groups[name]

        acts: dict[str, Callable[[], Any]] = {
            "CreateLogGroup": create,
            "PutRetentionPolicy": lambda: group().update(days=body["retentionInDays"]),
            "AssociateKmsKey": lambda: group().update(key=body["kmsKeyId"]),
            "DisassociateKmsKey": lambda: group().pop("key", None),
            "DeleteLogGroup": lambda: (group(), self.log_groups.pop(name))[0],
        }
        return operation, acts[operation]

    def _log(self, one: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body["LoggingConfiguration"]
        for kind, enabled in (
            ("SipMessages", wanted["EnableSIPLogs"]),
            ("Logs", wanted["EnableMediaMetricLogs"]),
        ):
            if enabled and self.makes_log_groups:
                self.log_groups.setdefault(f"/aws/ChimeVoiceConnector{kind}/{one}", {})
        return self._put(one, body)

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        one = uuid.uuid4().hex[:22]
        self.connectors[one] = body | {
            "VoiceConnectorId": one,
            "VoiceConnectorArn": f"arn:aws:chime:{body['AwsRegion']}:123456789012:vc/{one}",
            "OutboundHostName": f"{one}.voiceconnector.chime.aws",
        }
        return {"VoiceConnector": self.connectors[one]}

    def _get(self, one: str) -> dict[str, Any]:
        if one not in self.connectors:
            raise ApiError(404, "NotFoundException")
        return self.connectors[one]

    def _put(self, one: str, body: dict[str, Any]) -> dict[str, Any]:
        self._get(one).update(body)
        return body

    def _delete(self, one: str) -> None:
        arn = self._get(one)["VoiceConnectorArn"]
        if any(association["IntegrationArn"] == arn for association in self.associations.values()):
            raise ApiError(409, "ConflictException", "still associated")
        del self.connectors[one]

    def _by_arn(self, arn: str) -> dict[str, Any]:
        return self._get(arn.rsplit("/", 1)[1])

    def _retag(self, body: dict[str, Any]) -> None:
        connector = self._by_arn(body["ResourceARN"])
        drop = set(body.get("TagKeys", [])) | {tag["Key"] for tag in body.get("Tags", [])}
        kept = [tag for tag in connector["Tags"] if tag["Key"] not in drop]
        connector["Tags"] = kept + body.get("Tags", [])

    def _page(self, name: str, things: dict[str, dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("next-token") or query.get("nextToken") or 0)
        page = list(things.values())[start : start + self.page_size]
        end = start + self.page_size
        return {name: page} | ({"NextToken": str(end)} if end < len(things) else {})

    def _associate(self, instance: str, body: dict[str, Any]) -> dict[str, Any]:
        if instance not in self.instances:
            raise ApiError(404, "ResourceNotFoundException")
        if any(one["IntegrationArn"] == body["IntegrationArn"] for one in self.associations.values()):
            raise ApiError(409, "DuplicateResourceException")
        one = str(uuid.uuid4())
        self.associations[one] = {"Tags": {}} | body | {
            "InstanceId": instance,
            "IntegrationAssociationId": one,
            "IntegrationAssociationArn": f"{INSTANCE_ARN}/integration-association/{one}",
        }  # fmt: skip
        return self.associations[one]

    def _list_associations(self, instance: str, query: dict[str, str]) -> dict[str, Any]:
        if instance not in self.instances:
            raise ApiError(404, "ResourceNotFoundException")
        assert query["integrationType"] == "CALL_TRANSFER_CONNECTOR"
        return self._page("IntegrationAssociationSummaryList", self.associations, query)

    def _dissociate(self, one: str) -> None:
        if one not in self.associations:
            raise ApiError(404, "ResourceNotFoundException")
        del self.associations[one]

    def _association(self, arn: str) -> dict[str, Any]:
        return self.associations[arn.rsplit("/", 1)[1]]
