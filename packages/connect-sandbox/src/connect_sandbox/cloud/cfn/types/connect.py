"""AWS::Connect::IntegrationAssociation, ContactFlow and ContactFlowModule, on the sandbox's Connect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.errors import AwsError

_NOT_FOUND = "ResourceNotFoundException"


class IntegrationAssociation(ResourceType):
    """The association of a Lambda function with an instance."""

    type_name = "AWS::Connect::IntegrationAssociation"
    properties: ClassVar[PropertyTable] = {
        "InstanceId": SUPPORTED,
        # CloudFormation itself knows no CALL_TRANSFER_CONNECTOR here.
        "IntegrationType": Only(("LAMBDA_FUNCTION",), "the sandbox associates functions"),
        "IntegrationArn": SUPPORTED,
        "Tags": TAGS,
    }
    required = ("InstanceId", "IntegrationType", "IntegrationArn")
    attributes = ("IntegrationAssociationId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Associate."""
        instance_id, kind, arn = (properties[name] for name in self.required)
        association = _state(context).associate(instance_id, kind, arn)
        return Created(f"{instance_id}|{kind}|{arn}", {"IntegrationAssociationId": association.id})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Disassociate."""
        association_id = existing.attributes["IntegrationAssociationId"]
        _unless_gone(lambda: _state(context).disassociate(properties["InstanceId"], association_id))


class ContactFlow(ResourceType):
    """A flow. Its content is checked like in Connect, which tells CloudFormation no details."""

    type_name = "AWS::Connect::ContactFlow"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "Type": SUPPORTED,
        "Content": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "State": SUPPORTED,
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "Type", "Content")
    replaced_by = frozenset({"InstanceArn", "Type"})
    attributes = ("ContactFlowArn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Publish the flow."""
        flow = _state(context).create_flow(
            properties["InstanceArn"],
            name=properties["Name"],
            type=properties["Type"],
            content=properties["Content"],
            description=properties.get("Description", ""),
            state=properties.get("State", "ACTIVE"),
        )
        return Created(flow.arn, {"ContactFlowArn": flow.arn})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Update what changed."""
        _state(context).update_flow(new["InstanceArn"], existing.physical_id, **_changes(old, new))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the flow."""
        _unless_gone(lambda: _state(context).delete_flow(properties["InstanceArn"], existing.physical_id))


class ContactFlowModule(ResourceType):
    """A flow module."""

    type_name = "AWS::Connect::ContactFlowModule"
    properties: ClassVar[PropertyTable] = {
        "InstanceArn": SUPPORTED,
        "Name": SUPPORTED,
        "Content": SUPPORTED,
        "Description": Recorded("a description is kept"),
        "State": SUPPORTED,
        "Settings": Only((), "input and output schemas are not reproduced"),
        "ExternalInvocationConfiguration": Only((), "modules as tools are not reproduced"),
        "Tags": TAGS,
    }
    required = ("InstanceArn", "Name", "Content")
    replaced_by = frozenset({"InstanceArn"})
    attributes = ("ContactFlowModuleArn", "Status")

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Publish the module."""
        module = _state(context).create_module(
            properties["InstanceArn"],
            name=properties["Name"],
            content=properties["Content"],
            description=properties.get("Description", ""),
            state=properties.get("State", "ACTIVE"),
        )
        return Created(module.arn, {"ContactFlowModuleArn": module.arn, "Status": module.status})

    def update(
        self, context: Context, existing: Created, old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Update what changed."""
        _state(context).update_module(new["InstanceArn"], existing.physical_id, **_changes(old, new))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the module."""
        _unless_gone(lambda: _state(context).delete_module(properties["InstanceArn"], existing.physical_id))


def _state(context: Context) -> ConnectState:
    state: ConnectState = context.services.connect
    return state


def _changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    names = {"Name": "name", "Content": "content", "Description": "description", "State": "state"}
    defaults = {"Description": "", "State": "ACTIVE"}
    return {
        attribute: new.get(name, defaults.get(name, ""))
        for name, attribute in names.items()
        if old.get(name) != new.get(name)
    }


def _unless_gone(delete: Callable[[], None]) -> None:
    try:
        delete()
    except AwsError as error:
        if error.code != _NOT_FOUND:
            raise


TYPES = (IntegrationAssociation(), ContactFlow(), ContactFlowModule())
