"""connect, cut down by ``python -m runtime.shared.service_models``: do not edit.

AssociatePhoneNumberContactFlow, CreateIntegrationAssociation, DeleteIntegrationAssociation, DisassociatePhoneNumberContactFlow, ListIntegrationAssociations, StartContactStreaming, StopContactStreaming, TagResource, UntagResource.
"""
# ruff: noqa: E501

SERVICE: str = "connect"
MODEL: str = r"""{
 "version": "2.0",
 "metadata": {"apiVersion": "2017-08-08", "endpointPrefix": "connect", "jsonVersion": "1.1", "protocol": "rest-json", "protocols": ["rest-json"], "serviceAbbreviation": "Amazon Connect", "serviceFullName": "Amazon Connect Service", "serviceId": "Connect", "signatureVersion": "v4", "signingName": "connect", "uid": "connect-2017-08-08", "auth": ["aws.auth#sigv4"]},
 "operations": {
  "AssociatePhoneNumberContactFlow": {"name": "AssociatePhoneNumberContactFlow", "http": {"method": "PUT", "requestUri": "/phone-number/{PhoneNumberId}/contact-flow"}, "input": {"shape": "AssociatePhoneNumberContactFlowRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "ThrottlingException"}, {"shape": "InternalServiceException"}, {"shape": "AccessDeniedException"}]},
  "CreateIntegrationAssociation": {"name": "CreateIntegrationAssociation", "http": {"method": "PUT", "requestUri": "/instance/{InstanceId}/integration-associations"}, "input": {"shape": "CreateIntegrationAssociationRequest"}, "output": {"shape": "CreateIntegrationAssociationResponse"}, "errors": [{"shape": "DuplicateResourceException"}, {"shape": "ResourceNotFoundException"}, {"shape": "InternalServiceException"}, {"shape": "InvalidRequestException"}, {"shape": "ThrottlingException"}]},
  "DeleteIntegrationAssociation": {"name": "DeleteIntegrationAssociation", "http": {"method": "DELETE", "requestUri": "/instance/{InstanceId}/integration-associations/{IntegrationAssociationId}"}, "input": {"shape": "DeleteIntegrationAssociationRequest"}, "errors": [{"shape": "ResourceNotFoundException"}, {"shape": "InternalServiceException"}, {"shape": "InvalidRequestException"}, {"shape": "ThrottlingException"}]},
  "DisassociatePhoneNumberContactFlow": {"name": "DisassociatePhoneNumberContactFlow", "http": {"method": "DELETE", "requestUri": "/phone-number/{PhoneNumberId}/contact-flow"}, "input": {"shape": "DisassociatePhoneNumberContactFlowRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "ThrottlingException"}, {"shape": "InternalServiceException"}, {"shape": "AccessDeniedException"}]},
  "ListIntegrationAssociations": {"name": "ListIntegrationAssociations", "http": {"method": "GET", "requestUri": "/instance/{InstanceId}/integration-associations"}, "input": {"shape": "ListIntegrationAssociationsRequest"}, "output": {"shape": "ListIntegrationAssociationsResponse"}, "errors": [{"shape": "ResourceNotFoundException"}, {"shape": "InternalServiceException"}, {"shape": "InvalidRequestException"}, {"shape": "ThrottlingException"}]},
  "StartContactStreaming": {"name": "StartContactStreaming", "http": {"method": "POST", "requestUri": "/contact/start-streaming"}, "input": {"shape": "StartContactStreamingRequest"}, "output": {"shape": "StartContactStreamingResponse"}, "errors": [{"shape": "InvalidRequestException"}, {"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "InternalServiceException"}, {"shape": "LimitExceededException"}]},
  "StopContactStreaming": {"name": "StopContactStreaming", "http": {"method": "POST", "requestUri": "/contact/stop-streaming"}, "input": {"shape": "StopContactStreamingRequest"}, "output": {"shape": "StopContactStreamingResponse"}, "errors": [{"shape": "InvalidRequestException"}, {"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "InternalServiceException"}]},
  "TagResource": {"name": "TagResource", "http": {"method": "POST", "requestUri": "/tags/{resourceArn}"}, "input": {"shape": "TagResourceRequest"}, "errors": [{"shape": "InvalidRequestException"}, {"shape": "InvalidParameterException"}, {"shape": "InternalServiceException"}, {"shape": "ResourceNotFoundException"}, {"shape": "ThrottlingException"}]},
  "UntagResource": {"name": "UntagResource", "http": {"method": "DELETE", "requestUri": "/tags/{resourceArn}"}, "input": {"shape": "UntagResourceRequest"}, "errors": [{"shape": "InvalidRequestException"}, {"shape": "InvalidParameterException"}, {"shape": "InternalServiceException"}, {"shape": "ResourceNotFoundException"}, {"shape": "ThrottlingException"}]}
 },
 "shapes": {
  "ARN": {"type": "string"},
  "AccessDeniedException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 403}, "exception": true},
  "AssociatePhoneNumberContactFlowRequest": {"type": "structure", "required": ["PhoneNumberId", "InstanceId", "ContactFlowId"], "members": {"PhoneNumberId": {"shape": "PhoneNumberId", "location": "uri", "locationName": "PhoneNumberId"}, "InstanceId": {"shape": "InstanceId"}, "ContactFlowId": {"shape": "ContactFlowId"}}},
  "AttachedFileInvalidRequestExceptionReason": {"type": "string", "enum": ["INVALID_FILE_SIZE", "INVALID_FILE_TYPE", "INVALID_FILE_NAME"]},
  "ChatStreamingConfiguration": {"type": "structure", "required": ["StreamingEndpointArn"], "members": {"StreamingEndpointArn": {"shape": "ChatStreamingEndpointARN"}}},
  "ChatStreamingEndpointARN": {"type": "string", "max": 350, "min": 1},
  "ClientToken": {"type": "string", "max": 500},
  "ContactFlowId": {"type": "string", "max": 500},
  "ContactId": {"type": "string", "max": 256, "min": 1},
  "CreateIntegrationAssociationRequest": {"type": "structure", "required": ["InstanceId", "IntegrationType", "IntegrationArn"], "members": {"InstanceId": {"shape": "InstanceId", "location": "uri", "locationName": "InstanceId"}, "IntegrationType": {"shape": "IntegrationType"}, "IntegrationArn": {"shape": "ARN"}, "SourceApplicationUrl": {"shape": "URI"}, "SourceApplicationName": {"shape": "SourceApplicationName"}, "SourceType": {"shape": "SourceType"}, "Tags": {"shape": "TagMap"}}},
  "CreateIntegrationAssociationResponse": {"type": "structure", "members": {"IntegrationAssociationId": {"shape": "IntegrationAssociationId"}, "IntegrationAssociationArn": {"shape": "ARN"}}},
  "DeleteIntegrationAssociationRequest": {"type": "structure", "required": ["InstanceId", "IntegrationAssociationId"], "members": {"InstanceId": {"shape": "InstanceId", "location": "uri", "locationName": "InstanceId"}, "IntegrationAssociationId": {"shape": "IntegrationAssociationId", "location": "uri", "locationName": "IntegrationAssociationId"}}},
  "DisassociatePhoneNumberContactFlowRequest": {"type": "structure", "required": ["PhoneNumberId", "InstanceId"], "members": {"PhoneNumberId": {"shape": "PhoneNumberId", "location": "uri", "locationName": "PhoneNumberId"}, "InstanceId": {"shape": "InstanceId", "location": "querystring", "locationName": "instanceId"}}},
  "DuplicateResourceException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 409}, "exception": true},
  "InstanceId": {"type": "string", "max": 100, "min": 1},
  "IntegrationAssociationId": {"type": "string", "max": 200, "min": 1},
  "IntegrationAssociationSummary": {"type": "structure", "members": {"IntegrationAssociationId": {"shape": "IntegrationAssociationId"}, "IntegrationAssociationArn": {"shape": "ARN"}, "InstanceId": {"shape": "InstanceId"}, "IntegrationType": {"shape": "IntegrationType"}, "IntegrationArn": {"shape": "ARN"}, "SourceApplicationUrl": {"shape": "URI"}, "SourceApplicationName": {"shape": "SourceApplicationName"}, "SourceType": {"shape": "SourceType"}, "LastModifiedTime": {"shape": "Timestamp"}, "LastModifiedRegion": {"shape": "RegionName"}}},
  "IntegrationAssociationSummaryList": {"type": "list", "member": {"shape": "IntegrationAssociationSummary"}},
  "IntegrationType": {"type": "string", "enum": ["EVENT", "VOICE_ID", "PINPOINT_APP", "WISDOM_ASSISTANT", "WISDOM_KNOWLEDGE_BASE", "WISDOM_QUICK_RESPONSES", "Q_MESSAGE_TEMPLATES", "CASES_DOMAIN", "APPLICATION", "FILE_SCANNER", "SES_IDENTITY", "ANALYTICS_CONNECTOR", "CALL_TRANSFER_CONNECTOR", "COGNITO_USER_POOL", "MESSAGE_PROCESSOR"]},
  "InternalServiceException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 500}, "exception": true},
  "InvalidParameterException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 400}, "exception": true},
  "InvalidRequestException": {"type": "structure", "members": {"Message": {"shape": "Message"}, "Reason": {"shape": "InvalidRequestExceptionReason"}}, "error": {"httpStatusCode": 400}, "exception": true},
  "InvalidRequestExceptionReason": {"type": "structure", "members": {"AttachedFileInvalidRequestExceptionReason": {"shape": "AttachedFileInvalidRequestExceptionReason"}}, "union": true},
  "LimitExceededException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 429}, "exception": true},
  "ListIntegrationAssociationsRequest": {"type": "structure", "required": ["InstanceId"], "members": {"InstanceId": {"shape": "InstanceId", "location": "uri", "locationName": "InstanceId"}, "IntegrationType": {"shape": "IntegrationType", "location": "querystring", "locationName": "integrationType"}, "NextToken": {"shape": "NextToken", "location": "querystring", "locationName": "nextToken"}, "MaxResults": {"shape": "MaxResult100", "box": true, "location": "querystring", "locationName": "maxResults"}, "IntegrationArn": {"shape": "ARN", "location": "querystring", "locationName": "integrationArn"}}},
  "ListIntegrationAssociationsResponse": {"type": "structure", "members": {"IntegrationAssociationSummaryList": {"shape": "IntegrationAssociationSummaryList"}, "NextToken": {"shape": "NextToken"}}},
  "MaxResult100": {"type": "integer", "max": 100, "min": 1},
  "Message": {"type": "string"},
  "NextToken": {"type": "string"},
  "PhoneNumberId": {"type": "string"},
  "RegionName": {"type": "string"},
  "ResourceNotFoundException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 404}, "exception": true},
  "SourceApplicationName": {"type": "string", "max": 100, "min": 1},
  "SourceType": {"type": "string", "enum": ["SALESFORCE", "ZENDESK", "CASES"]},
  "StartContactStreamingRequest": {"type": "structure", "required": ["InstanceId", "ContactId", "ChatStreamingConfiguration", "ClientToken"], "members": {"InstanceId": {"shape": "InstanceId"}, "ContactId": {"shape": "ContactId"}, "ChatStreamingConfiguration": {"shape": "ChatStreamingConfiguration"}, "ClientToken": {"shape": "ClientToken", "idempotencyToken": true}}},
  "StartContactStreamingResponse": {"type": "structure", "required": ["StreamingId"], "members": {"StreamingId": {"shape": "StreamingId"}}},
  "StopContactStreamingRequest": {"type": "structure", "required": ["InstanceId", "ContactId", "StreamingId"], "members": {"InstanceId": {"shape": "InstanceId"}, "ContactId": {"shape": "ContactId"}, "StreamingId": {"shape": "StreamingId"}}},
  "StopContactStreamingResponse": {"type": "structure", "members": {}},
  "StreamingId": {"type": "string", "max": 100, "min": 1},
  "TagKey": {"type": "string", "max": 128, "min": 1},
  "TagKeyList": {"type": "list", "member": {"shape": "TagKey"}, "max": 50, "min": 1},
  "TagMap": {"type": "map", "key": {"shape": "TagKey"}, "value": {"shape": "TagValue"}, "max": 50, "min": 1},
  "TagResourceRequest": {"type": "structure", "required": ["resourceArn", "tags"], "members": {"resourceArn": {"shape": "ARN", "location": "uri", "locationName": "resourceArn"}, "tags": {"shape": "TagMap"}}},
  "TagValue": {"type": "string", "max": 256},
  "ThrottlingException": {"type": "structure", "members": {"Message": {"shape": "Message"}}, "error": {"httpStatusCode": 429}, "exception": true},
  "Timestamp": {"type": "timestamp"},
  "URI": {"type": "string", "max": 2000, "min": 1},
  "UntagResourceRequest": {"type": "structure", "required": ["resourceArn", "tagKeys"], "members": {"resourceArn": {"shape": "ARN", "location": "uri", "locationName": "resourceArn"}, "tagKeys": {"shape": "TagKeyList", "location": "querystring", "locationName": "tagKeys"}}}
 }
}"""
