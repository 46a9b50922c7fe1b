"""AWS::Connect::IntegrationAssociation, ContactFlow and ContactFlowModule, on the sandbox's Connect."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Only, PropertyTable, Recorded
from connect_sandbox.cloud.cfn.types.connect_support import refuse_other_instance, unless_gone
from connect_sandbox.cloud.connect_state import ConnectState
from connect_sandbox.cloud.errors import AwsError

_LONGEST_ARN = 140
_LEX_ALIAS = re.compile(
    r"arn:aws[\w-]*:lex:[\w-]+:\d{12}:(?:bot-alias/[0-9A-Za-z]{1,10}/[0-9A-Za-z]{1,10}|bot:[A-Za-z_]{2,50}(?::.+)?)"
)


class IntegrationAssociation(ResourceType):
    """The association of a function, a Lex bot or an application with an instance."""

    type_name = "AWS::Connect::IntegrationAssociation"
    properties: ClassVar[PropertyTable] = {
        "InstanceId": SUPPORTED,
        # CloudFormation itself knows no CALL_TRANSFER_CONNECTOR here.
        "IntegrationType": Only(
            ("LAMBDA_FUNCTION", "LEX_BOT", "APPLICATION"),
            "the sandbox associates functions, bots, applications",
        ),
        "IntegrationArn": SUPPORTED,
        "SourceApplicationName": Only((), "it is for the integration type EVENT"),
        "SourceApplicationUrl": Only((), "it is for the integration type EVENT"),
        "SourceType": Only((), "it is for the integration type EVENT"),
        "Tags": TAGS,
    }
    required = ("InstanceId", "IntegrationType", "IntegrationArn")
    replaced_by = frozenset({"InstanceId", "IntegrationType", "IntegrationArn"})
    attributes = ("IntegrationAssociationId",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Associate."""
        instance_id, kind, arn = (properties[name] for name in self.required)
        _check_integration(_state(context), kind, arn)
        tags = merged_tags(context, properties.get("Tags"))
        association = _state(context).associate(instance_id, kind, arn, tags=tags)
        return Created(f"{instance_id}|{kind}|{arn}", {"IntegrationAssociationId": association.id})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change the tags, the only thing that can change."""
        associations = _state(context).instance(new["InstanceId"]).associations
        association = associations[existing.attributes["IntegrationAssociationId"]]
        association.tags.clear()
        association.tags.update(merged_tags(context, new.get("Tags")))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Disassociate."""
        association_id = existing.attributes["IntegrationAssociationId"]
        unless_gone(lambda: _state(context).disassociate(properties["InstanceId"], association_id))


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
    replaced_by = frozenset({"Type"})
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
        """Update what changed; a flow cannot move to another instance."""
        refuse_other_instance(existing, new)
        _state(context).update_flow(new["InstanceArn"], existing.physical_id, **_changes(old, new))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the flow."""
        unless_gone(lambda: _state(context).delete_flow(properties["InstanceArn"], existing.physical_id))


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
        """Update what changed; a module cannot move to another instance."""
        refuse_other_instance(existing, new)
        _state(context).update_module(new["InstanceArn"], existing.physical_id, **_changes(old, new))
        return existing

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Delete the module."""
        unless_gone(lambda: _state(context).delete_module(properties["InstanceArn"], existing.physical_id))


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


def _check_integration(state: ConnectState, kind: str, arn: str) -> None:
    if len(arn) > _LONGEST_ARN:
        raise AwsError(
            "InvalidRequest", f"IntegrationArn has {len(arn)} characters; {_LONGEST_ARN} are allowed"
        )
    if kind == "LEX_BOT" and not _LEX_ALIAS.fullmatch(arn):
        wanted = "an alias of a Lex V2 bot (…:bot-alias/BOT/ALIAS) or of a V1 bot (…:bot:NAME)"
        message = f"{arn} is not the ARN of {wanted}"
        raise AwsError("InvalidRequestException", message)
    if kind == "APPLICATION" and arn not in state.applications:
        raise AwsError("ResourceNotFoundException", f"There is no application {arn}", 404)


TYPES = (IntegrationAssociation(), ContactFlow(), ContactFlowModule())
