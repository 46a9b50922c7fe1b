"""The Amazon Connect API, as far as custom resources and publishing scripts need it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from connect_sandbox.cloud.chats import Chats
from connect_sandbox.cloud.chime_api import VoiceConnectors
from connect_sandbox.cloud.connect_instance_api import page as _page
from connect_sandbox.cloud.connect_state import Association, ConnectState, Flow
from connect_sandbox.cloud.contact_center import ContactCenter
from connect_sandbox.cloud.contact_center_api import ContactCenterApi
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.test_cases import TestCases
from connect_sandbox.cloud.test_cases_api import BY_ARN, TestCasesApi
from connect_sandbox.cloud.values import Member
from connect_sandbox.moto_internals import Operation

#: The integration types whose effect is reproduced.
_TYPES = frozenset({"CALL_TRANSFER_CONNECTOR"})


class ConnectApi(TestCasesApi, ContactCenterApi):
    """Serves Connect calls from a ConnectState."""

    def __init__(
        self,
        faults: Faults,
        state: ConnectState,
        center: ContactCenter,
        voice_connectors: VoiceConnectors,
        chats: Chats,
        *,
        test_cases: TestCases,
    ) -> None:
        """`voice_connectors` holds the call transfer connectors, `chats` the chats in progress."""
        super().__init__(faults, state, center)
        self.test_cases = test_cases
        self._chats = chats
        self._voice_connectors = voice_connectors

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Respond to one request."""
        return self.in_milliseconds(request, super().handle(request))

    def _validate(self, operation: Operation, parameters: dict[str, Any]) -> None:
        """Refuse an ARN where the API takes an id, in Connect's words (hashicorp/terraform-provider-aws#43356)."""
        super()._validate(operation, parameters)
        if operation.name in BY_ARN:
            return
        for name in ("InstanceId", "ContactId"):
            if str(parameters.get(name, "")).startswith("arn:"):
                raise AwsError("InvalidRequestException", f"Invalid input for field {name}")

    # -- associations

    def create_integration_association(
        self, instance_id: str, integration_type: str, integration_arn: str, **source: Member
    ) -> dict[str, Any]:
        """Associate an integration with an instance."""
        if integration_type not in _TYPES:
            known = ", ".join(sorted(_TYPES))
            raise NotEmulatedError(f"the integration type {integration_type}", f"it associates {known}")
        if not self._voice_connectors.is_call_transfer_connector(integration_arn):
            wanted = "a voice connector of type CONNECT_CALL_TRANSFER_CONNECTOR in this account"
            message = f"{integration_arn} is not {wanted}"
            raise AwsError("InvalidRequestException", message)
        association = self._state.associate(instance_id, integration_type, integration_arn, **source)
        # Connect's role may use a connector with this tag only; associating sets it, with the caller's permission.
        self._voice_connectors.get(integration_arn).tags["AmazonConnectEnabled"] = "True"
        return {"IntegrationAssociationId": association.id, "IntegrationAssociationArn": association.arn}

    def list_integration_associations(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List an instance's associations."""
        instance = self._state.instance(instance_id)
        found = [
            _association(instance.id, association)
            for association in instance.associations.values()
            # Functions are listed by ListLambdaFunctions.
            if association.type != "LAMBDA_FUNCTION"
            and request.get("integration_type") in {None, association.type}
            and request.get("integration_arn") in {None, association.integration_arn}
        ]
        page, token = _page(found, request)
        return {"IntegrationAssociationSummaryList": page, **token}

    def delete_integration_association(self, instance_id: str, integration_association_id: str) -> None:
        """Remove an association."""
        self._state.disassociate(instance_id, integration_association_id)

    def associate_lambda_function(self, instance_id: str, function_arn: str, **_request: Member) -> None:
        """Let an instance's flows use a function."""
        self._state.associate(instance_id, "LAMBDA_FUNCTION", function_arn)

    def disassociate_lambda_function(self, instance_id: str, function_arn: str, **_request: Member) -> None:
        """Undo that."""
        for association in list(self._state.instance(instance_id).associations.values()):
            if (association.type, association.integration_arn) == ("LAMBDA_FUNCTION", function_arn):
                self._state.disassociate(instance_id, association.id)

    def list_lambda_functions(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the functions that an instance's flows may use."""
        associations = self._state.instance(instance_id).associations.values()
        page, token = _page([a.integration_arn for a in associations if a.type == "LAMBDA_FUNCTION"], request)
        return {"LambdaFunctions": page, **token}

    # -- chats

    def start_contact_streaming(
        self, instance_id: str, contact_id: str, client_token: str, **request: Member
    ) -> dict[str, Any]:
        """Stream a chat's messages to an SNS topic."""
        topic = request["chat_streaming_configuration"]["StreamingEndpointArn"]
        return {"StreamingId": self._chats.start_streaming(instance_id, contact_id, topic, client_token)}

    def stop_contact_streaming(self, instance_id: str, contact_id: str, streaming_id: str) -> None:
        """Stop that."""
        self._chats.stop_streaming(instance_id, contact_id, streaming_id)

    def create_participant(
        self, instance_id: str, contact_id: str, participant_details: dict[str, Any], **request: Member
    ) -> dict[str, Any]:
        """Add a custom participant to a chat."""
        participant = self._chats.create_participant(
            instance_id,
            contact_id,
            participant_details.get("ParticipantRole", ""),
            participant_details.get("DisplayName", "Bot"),
            str(request.get("client_token") or uuid.uuid4()),
        )
        expiry = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        return {
            "ParticipantId": participant.id,
            "ParticipantCredentials": {
                "ParticipantToken": participant.token,
                "Expiry": expiry.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
        }

    # -- tags

    def tag_resource(self, resource_arn: str, tags: dict[str, str]) -> None:
        """Add tags to a flow, a module or an association, or change them."""
        self._tags_of(resource_arn).update(tags)

    def untag_resource(self, resource_arn: str, tag_keys: list[str]) -> None:
        """Remove tags; it is no error if a key is absent."""
        tags = self._tags_of(resource_arn)
        for key in tag_keys:
            tags.pop(key, None)

    def list_tags_for_resource(self, resource_arn: str) -> dict[str, Any]:
        """List tags."""
        return {"tags": self._tags_of(resource_arn)}

    def _tags_of(self, arn: str) -> dict[str, str]:
        return (self.test_cases if "/test-case/" in arn else self._state).tags_of(arn)

    # -- flows

    def create_contact_flow(
        self, instance_id: str, name: str, content: str, **request: Member
    ) -> dict[str, Any]:
        """Create a flow, published unless Status is SAVED."""
        flow = self._state.create_flow(
            instance_id,
            name=name,
            type=request["type"],
            content=content,
            description=request.get("description", ""),
            status=request.get("status", "PUBLISHED"),
            tags=request.get("tags", {}),
        )
        return {
            "ContactFlowId": flow.id,
            "ContactFlowArn": flow.arn,
            "FlowContentSha256": flow.content_sha256,
        }

    def describe_contact_flow(self, instance_id: str, contact_flow_id: str) -> dict[str, Any]:
        """Describe a flow: what is published, or with `:$SAVED` behind the id what is saved."""
        flow_id, _, alias = contact_flow_id.partition(":$")
        flow = self._state.instance(instance_id).flow(flow_id).seen_as(alias)
        return {"ContactFlow": {**_flow(flow), "Type": flow.type, "FlowContentSha256": flow.content_sha256}}

    def update_contact_flow_content(self, instance_id: str, contact_flow_id: str, content: str) -> None:
        """Replace a flow's content and publish it; with `:$SAVED` behind the id, save it without a check."""
        self._state.update_flow(instance_id, contact_flow_id, content=content)

    def update_contact_flow_metadata(self, instance_id: str, contact_flow_id: str, **changes: str) -> None:
        """Change a flow's name, description or state."""
        if "contact_flow_state" in changes:
            changes["state"] = changes.pop("contact_flow_state")
        self._state.update_flow(instance_id, contact_flow_id, **changes)

    def update_contact_flow_name(self, instance_id: str, contact_flow_id: str, **changes: str) -> None:
        """Change a flow's name or description."""
        self._state.update_flow(instance_id, contact_flow_id, **changes)

    def delete_contact_flow(self, instance_id: str, contact_flow_id: str) -> None:
        """Delete a flow."""
        self._state.delete_flow(instance_id, contact_flow_id)

    def list_contact_flows(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the flows of an instance."""
        types = request.get("contact_flow_types")
        flows = [
            flow
            for flow in self._state.instance(instance_id).flows.values()
            if not types or flow.type in types
        ]
        page, token = _page(flows, request)
        summaries = [
            {
                "Id": flow.id,
                "Arn": flow.arn,
                "Name": flow.name,
                "ContactFlowType": flow.type,
                "ContactFlowState": flow.state,
                "ContactFlowStatus": flow.status,
            }
            for flow in page
        ]
        return {"ContactFlowSummaryList": summaries, **token}

    # -- modules

    def create_contact_flow_module(
        self, instance_id: str, name: str, content: str, **request: Member
    ) -> dict[str, Any]:
        """Create a flow module."""
        if "external_invocation_configuration" in request:
            raise NotEmulatedError(
                "connect:CreateContactFlowModule external_invocation_configuration", "not reproduced"
            )
        module = self._state.create_module(
            instance_id,
            name=name,
            content=content,
            description=request.get("description", ""),
            tags=request.get("tags", {}),
            settings=request.get("settings", ""),
        )
        return {"Id": module.id, "Arn": module.arn}

    def describe_contact_flow_module(self, instance_id: str, contact_flow_module_id: str) -> dict[str, Any]:
        """Describe a flow module, in the same way as a flow."""
        module_id, _, alias = contact_flow_module_id.partition(":$")
        module = self._state.instance(instance_id).module(module_id).seen_as(alias)
        settings = {"Settings": module.settings} if module.settings else {}
        described = {**_flow(module), **settings, "FlowModuleContentSha256": module.content_sha256}
        return {"ContactFlowModule": described}

    def update_contact_flow_module_content(
        self, instance_id: str, contact_flow_module_id: str, **changes: str
    ) -> None:
        """Replace a module's content and settings."""
        self._state.update_module(instance_id, contact_flow_module_id, **changes)

    def update_contact_flow_module_metadata(
        self, instance_id: str, contact_flow_module_id: str, **changes: str
    ) -> None:
        """Change a module's name, description or state."""
        self._state.update_module(instance_id, contact_flow_module_id, **changes)

    def delete_contact_flow_module(self, instance_id: str, contact_flow_module_id: str) -> None:
        """Delete a flow module."""
        self._state.delete_module(instance_id, contact_flow_module_id)

    def list_contact_flow_modules(self, instance_id: str, **request: Member) -> dict[str, Any]:
        """List the flow modules of an instance."""
        wanted = request.get("contact_flow_module_state")
        modules = self._state.instance(instance_id).modules.values()
        page, token = _page([m for m in modules if wanted in {None, m.state}], request)
        return {
            "ContactFlowModulesSummaryList": [
                {"Id": m.id, "Arn": m.arn, "Name": m.name, "State": m.state} for m in page
            ],
            **token,
        }


def _association(instance_id: str, association: Association) -> dict[str, Any]:
    return {
        "IntegrationAssociationId": association.id,
        "IntegrationAssociationArn": association.arn,
        "InstanceId": instance_id,
        "IntegrationType": association.type,
        "IntegrationArn": association.integration_arn,
        "LastModifiedTime": association.created_at,
    }


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "Arn": flow.arn,
        "Id": flow.id,
        "Name": flow.name,
        "State": flow.state,
        "Status": flow.status,
        "Description": flow.description,
        "Content": flow.content,
        "Tags": flow.tags,
    }
