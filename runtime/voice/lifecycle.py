"""Creates, updates and deletes an external voice transfer connector so that nothing is ever left behind.

Two things make that hold. Every connector carries the id of the CloudFormation request that created it as a
tag, so that a repeated or half-finished creation finds it again. And until a connector is known, the physical
id is ``not-created/<request id>``: the Delete that CloudFormation sends after a failed Create looks for that
tag once more.

Order of creation: connector, origination, external systems, logging, log groups, association with the Connect
instance. Removal is the reverse; origination, external systems and logging are parts of the connector and go with it.
The log groups go last, unless they are to be kept; after a failed creation they go in any case.

The role of a resource is seconds old when it is created, and IAM spreads its policy over up to a minute. So a denied
call of a creation is repeated for about a minute, in all.
Source: Kore's guide to external voice (docs/guides.md#voice-2-1), in API terms.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from runtime.shared.errors import BridgeError
from runtime.shared.logging import LOGGER
from runtime.voice.apis import ApiCallError, Association, Connector, ConnectorApis
from runtime.voice.cloudformation import Request
from runtime.voice.properties import (
    ENABLED_TAG,
    OWN_TAG_PREFIX,
    ConnectorProperties,
    InvalidPropertiesError,
    instance_id_of,
    keeps_logs,
)

T = TypeVar("T")

REQUEST_TAG = f"{OWN_TAG_PREFIX}request"
STACK_TAG = f"{OWN_TAG_PREFIX}stack"
NOT_CREATED = "not-created/"

PAUSE_SECONDS = 2.0
# A minute is what others found to be enough; evidence: iam-propagation
PERMISSION_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Seconds between the attempts of denied calls; a minute in all, for the whole of a creation."""
_DELETING_LOGS = "deleting the connector's logs"
_CREATE_ATTEMPTS = 3
_DELETE_ATTEMPTS = 5
# evidence: voice-connector-arns
_CONNECTOR_ARN = re.compile(r"arn:aws[a-z-]*:chime:([a-z0-9-]+):[0-9]{12}:vc/([a-z0-9-]+)")


class OutOfTimeError(BridgeError):
    """Too little of the function's time is left to go on and still be able to undo."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer: the connector's ARN as the physical id, and the values for Fn::GetAtt."""

    physical_id: str
    data: Mapping[str, str]


class ConnectorLifecycle:
    """Carries out one request. `physical_id` and `step` tell, at any moment, what a failure has to report."""

    def __init__(
        self,
        request: Request,
        *,
        apis_in_region: Callable[[str], ConnectorApis],
        seconds_left: Callable[[], float],
    ) -> None:
        self._request = request
        self._apis_in_region = apis_in_region
        self._seconds_left = seconds_left
        self._reserve = seconds_left() * 0.4
        self._permission_pauses = list(PERMISSION_PAUSES)
        self.physical_id = request.physical_id or f"{NOT_CREATED}{request.request_id}"
        self.step = "reading the request"
        self.unreported: str | None = None
        """The connector that a replacement has made, while CloudFormation knows the old one only."""

    def run(self) -> Outcome:
        """Do what the request asks for; raises BridgeError, or whatever else went wrong."""
        match self._request.kind:
            case "Create":
                return self._create()
            case "Update":
                return self._update()
            case "Delete":
                return self._delete()

    def _create(self) -> Outcome:
        wanted = ConnectorProperties.parse(self._request.properties)
        apis = self._apis_in_region(wanted.aws_region)
        replacing = bool(_CONNECTOR_ARN.fullmatch(self.physical_id))
        # evidence: connector-by-api
        connector = self._created_once(apis, wanted)
        if replacing:  # a failed replacement must report the connector that stays
            self.unreported = connector.arn
        else:
            self.physical_id = connector.arn
        try:
            self._configure(apis, connector, wanted)
            self._start("associating the connector with the Connect instance")
            association = self._permitted(
                lambda: apis.associate(wanted.instance_id, connector.arn, dict(wanted.tags))
            )
        except Exception as error:
            self._roll_back(apis, wanted, connector, error, replacing=replacing)
            raise
        return _outcome(connector, association)

    def _created_once(self, apis: ConnectorApis, wanted: ConnectorProperties) -> Connector:
        mark = (REQUEST_TAG, self._request.request_id)
        # The association sets the tag as well; evidence: connector-enabled-tag
        tags = {
            **dict(wanted.tags),
            ENABLED_TAG: "True",
            REQUEST_TAG: self._request.request_id,
            STACK_TAG: self._request.stack_id,
        }
        self._start("looking for the connector of an earlier delivery of this request")
        connector = self._permitted(lambda: apis.find_connector(wanted.name, mark))
        attempt = 0
        while connector is None:
            attempt += 1
            self._start("creating the voice connector")
            try:
                connector = self._permitted(lambda: apis.create_connector(wanted, tags))
            except ApiCallError as error:
                # A lost answer may hide a created connector; asking beats creating a second one.
                if not error.temporary:
                    raise
                time.sleep(PAUSE_SECONDS)
                connector = apis.find_connector(wanted.name, mark)
                if connector is None and attempt == _CREATE_ATTEMPTS:
                    raise
        return connector

    def _configure(self, apis: ConnectorApis, connector: Connector, wanted: ConnectorProperties) -> None:
        self._start("setting the connector's origination")
        self._permitted(lambda: apis.put_origination(connector.id, wanted))
        self._start("setting the connector's external systems")
        self._permitted(lambda: apis.put_external_systems(connector.id, wanted))
        self._start("setting the connector's logging")
        self._permitted(lambda: apis.put_logging(connector.id, wanted))
        self._start("limiting how long the connector's logs are kept")
        self._permitted(lambda: apis.keep_logs_for(connector.id, wanted))
        encrypted_before = bool(self._request.old_properties.get("LogKeyArn"))
        if wanted.log_key_arn or encrypted_before:
            self._start("encrypting the connector's logs")
            self._permitted(
                lambda: apis.change_log_key(connector.id, wanted, encrypted_before=encrypted_before)
            )

    def _permitted(self, call: Callable[[], T]) -> T:
        """Repeat a denied call of a creation: IAM may not have spread the permission yet."""
        while True:
            try:
                return call()
            except ApiCallError as error:
                if not error.denied or not self._permission_pauses or self._request.kind != "Create":
                    raise
                pause = self._permission_pauses.pop(0)
                if self._seconds_left() - pause < self._reserve:
                    raise
                LOGGER.info(
                    "denied; a new role's permissions take a moment", step=self.step, cause=error.code
                )
                time.sleep(pause)

    def _roll_back(
        self,
        apis: ConnectorApis,
        wanted: ConnectorProperties,
        connector: Connector,
        error: Exception,
        *,
        replacing: bool,
    ) -> None:
        LOGGER.warning("undoing a failed creation", step=self.step, connector=connector.arn)
        failed_at = self.step
        try:
            self._remove(apis, wanted.instance_id, connector.arn, connector.id, keep_logs=False)
        except Exception as second:  # noqa: BLE001 (the first failure is the one to report)
            LOGGER.exception("undoing failed", connector=connector.arn)
            left = (
                f"the log groups of {connector.id} remain"
                if self.step == _DELETING_LOGS
                else f"{connector.arn} remains"
            )
            error.add_note(f"Undoing it failed as well, so that {left}: {second}")
            if replacing:
                error.add_note("Delete it by hand, after its association with the Connect instance.")
        else:
            self.unreported = None
            if not replacing:
                self.physical_id = f"{NOT_CREATED}{self._request.request_id}"
        self.step = failed_at

    def _update(self) -> Outcome:
        arn = _CONNECTOR_ARN.fullmatch(self.physical_id)
        old, new = self._request.old_properties, self._request.properties
        # Neither API can move a connector to another Region or an association to another instance.
        if arn is None or any(old.get(name) != new.get(name) for name in ("InstanceId", "AwsRegion")):
            return self._create()
        wanted = ConnectorProperties.parse(new)
        apis = self._apis_in_region(arn[1])
        self._start("updating the voice connector")
        connector = apis.update_connector(arn[2], wanted)
        self._configure(apis, connector, wanted)
        self._start("associating the connector with the Connect instance")
        existing = apis.associations(wanted.instance_id, connector.arn)
        association = (
            existing[0] if existing else apis.associate(wanted.instance_id, connector.arn, dict(wanted.tags))
        )
        self._start("tagging the connector and its association")
        add, remove = _tag_changes(old, wanted)
        apis.tag_connector(connector.arn, add, remove)
        if existing:
            apis.tag_association(association.arn, add, remove)
        return _outcome(connector, association)

    def _delete(self) -> Outcome:
        done = Outcome(self.physical_id, {})
        if self.physical_id.startswith(NOT_CREATED):
            self._delete_leftover(self.physical_id.removeprefix(NOT_CREATED))
            return done
        arn = _CONNECTOR_ARN.fullmatch(self.physical_id)
        if arn is None:
            LOGGER.warning(
                "nothing to delete: not a physical id of this resource", physical_id=self.physical_id
            )
            return done
        instance_id = instance_id_of(self._request.properties)
        keep = keeps_logs(self._request.properties)
        self._remove(self._apis_in_region(arn[1]), instance_id, arn[0], arn[2], keep_logs=keep)
        return done

    def _delete_leftover(self, request_id: str) -> None:
        try:
            wanted = ConnectorProperties.parse(self._request.properties)
        except InvalidPropertiesError:
            return  # Create refused these properties before it called any API
        apis = self._apis_in_region(wanted.aws_region)
        self.step = "looking for what a failed creation left"
        leftover = apis.find_connector(wanted.name, (REQUEST_TAG, request_id))
        if leftover is not None:
            self._remove(apis, wanted.instance_id, leftover.arn, leftover.id, keep_logs=False)

    def _remove(
        self,
        apis: ConnectorApis,
        instance_id: str,
        connector_arn: str,
        connector_id: str,
        *,
        keep_logs: bool,
    ) -> None:
        self.step = "removing the connector's association with the Connect instance"
        for association in apis.associations(instance_id, connector_arn):
            apis.dissociate(instance_id, association.id)
        self.step = "deleting the voice connector"
        for attempt in range(1, _DELETE_ATTEMPTS + 1):
            try:
                apis.delete_connector(connector_id)
            except ApiCallError as error:
                # evidence: connector-association-lag
                # The removal of the association takes a moment to be seen by the other service.
                if error.code != "ConflictException" or attempt == _DELETE_ATTEMPTS:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                break
        if not keep_logs:
            self.step = _DELETING_LOGS
            apis.delete_logs(connector_id)

    def _start(self, step: str) -> None:
        if self._seconds_left() < self._reserve:
            raise OutOfTimeError(
                f"out of time before {step}: {self._seconds_left():.0f} s are left, kept for undoing; the "
                "APIs are slow or throttling: deploy again later"
            )
        self.step = step
        LOGGER.info(step)


def _tag_changes(old: Mapping[str, object], wanted: ConnectorProperties) -> tuple[dict[str, str], set[str]]:
    given = old.get("Tags")
    before = {tag["Key"]: tag["Value"] for tag in given} if isinstance(given, list) else {}
    after = dict(wanted.tags)
    return {key: value for key, value in after.items() if before.get(key) != value}, set(before) - set(after)


def _outcome(connector: Connector, association: Association) -> Outcome:
    return Outcome(
        connector.arn,
        {
            "VoiceConnectorArn": connector.arn,
            "VoiceConnectorId": connector.id,
            "OutboundHostName": connector.outbound_host_name,
            "IntegrationAssociationId": association.id,
        },
    )
