"""AWS::AppIntegrations::Application: a third-party page in the agent workspace."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Nested, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError

MOST_APPLICATIONS = 50
_SHOWN = Recorded("there is no agent workspace to show it")


class Application(ResourceType):
    """An application; it cannot be deleted while an instance is associated with it."""

    type_name = "AWS::AppIntegrations::Application"
    properties: ClassVar[PropertyTable] = {
        "Name": SUPPORTED,
        "Namespace": SUPPORTED,
        "ApplicationSourceConfig": Nested(
            {"ExternalUrlConfig": Nested({"AccessUrl": SUPPORTED, "ApprovedOrigins": SUPPORTED})}
        ),
        "ApplicationConfig": _SHOWN,
        "ApplicationType": _SHOWN,
        "Description": Recorded("a description is kept"),
        "IframeConfig": _SHOWN,
        "InitializationTimeout": _SHOWN,
        "IsService": _SHOWN,
        "Permissions": _SHOWN,
        "Tags": TAGS,
    }
    required = ("Name", "Namespace", "ApplicationSourceConfig")
    attributes = ("ApplicationArn", "Id")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the application; its pages must be served over https."""
        there = context.services.connect.applications
        _check(properties)
        if any(each["Namespace"] == properties["Namespace"] for each in there.values()):
            message = f"An application with namespace {properties['Namespace']} already exists"
            raise AwsError("DuplicateResourceException", message, 409)
        if len(there) >= MOST_APPLICATIONS:
            message = f"The account has its {MOST_APPLICATIONS} applications already"
            raise AwsError("ResourceQuotaExceededException", message, 429)
        application_id = str(uuid.uuid4())
        arn = f"arn:aws:app-integrations:{context.region}:{context.account}:application/{application_id}"
        there[arn] = dict(properties)
        return Created(arn, {"ApplicationArn": arn, "Id": application_id})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the application, but for its namespace."""
        _check(new)
        if old["Namespace"] != new["Namespace"]:
            raise AwsError("InvalidRequest", "Namespace cannot be updated.")
        context.services.connect.applications[existing.physical_id] = dict(new)
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the application."""
        state = context.services.connect
        for instance in state.instances():
            if any(each.integration_arn == existing.physical_id for each in instance.associations.values()):
                message = f"The application is associated with {instance.arn}"
                raise AwsError("InvalidRequestException", message)
        state.applications.pop(existing.physical_id, None)


def _check(properties: dict[str, Any]) -> None:
    external = properties["ApplicationSourceConfig"].get("ExternalUrlConfig", {})
    for url in [external.get("AccessUrl", ""), *external.get("ApprovedOrigins", [])]:
        if not str(url).startswith("https://"):
            raise AwsError("InvalidRequestException", f"{url!r} must start with https://")


TYPES = (Application(),)
