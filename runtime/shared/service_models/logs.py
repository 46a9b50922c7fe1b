"""logs, cut down by ``python -m runtime.shared.service_models``: do not edit.

AssociateKmsKey, CreateLogGroup, DeleteLogGroup, DisassociateKmsKey, PutRetentionPolicy.
"""
# ruff: noqa: E501

SERVICE: str = "logs"
MODEL: str = r"""{
 "version": "2.0",
 "metadata": {"apiVersion": "2014-03-28", "endpointPrefix": "logs", "jsonVersion": "1.1", "protocol": "json", "protocols": ["json"], "serviceFullName": "Amazon CloudWatch Logs", "serviceId": "CloudWatch Logs", "signatureVersion": "v4", "targetPrefix": "Logs_20140328", "uid": "logs-2014-03-28", "auth": ["aws.auth#sigv4"]},
 "operations": {
  "AssociateKmsKey": {"name": "AssociateKmsKey", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "AssociateKmsKeyRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "OperationAbortedException"}, {"shape": "ServiceUnavailableException"}]},
  "CreateLogGroup": {"name": "CreateLogGroup", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "CreateLogGroupRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceAlreadyExistsException"}, {"shape": "LimitExceededException"}, {"shape": "OperationAbortedException"}, {"shape": "ServiceUnavailableException"}]},
  "DeleteLogGroup": {"name": "DeleteLogGroup", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "DeleteLogGroupRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "OperationAbortedException"}, {"shape": "ServiceUnavailableException"}, {"shape": "ValidationException"}]},
  "DisassociateKmsKey": {"name": "DisassociateKmsKey", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "DisassociateKmsKeyRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "OperationAbortedException"}, {"shape": "ServiceUnavailableException"}]},
  "PutRetentionPolicy": {"name": "PutRetentionPolicy", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "PutRetentionPolicyRequest"}, "errors": [{"shape": "InvalidParameterException"}, {"shape": "ResourceNotFoundException"}, {"shape": "OperationAbortedException"}, {"shape": "ServiceUnavailableException"}]}
 },
 "shapes": {
  "AssociateKmsKeyRequest": {"type": "structure", "required": ["kmsKeyId"], "members": {"logGroupName": {"shape": "LogGroupName"}, "kmsKeyId": {"shape": "KmsKeyId"}, "resourceIdentifier": {"shape": "ResourceIdentifier"}}},
  "CreateLogGroupRequest": {"type": "structure", "required": ["logGroupName"], "members": {"logGroupName": {"shape": "LogGroupName"}, "kmsKeyId": {"shape": "KmsKeyId"}, "tags": {"shape": "Tags"}, "logGroupClass": {"shape": "LogGroupClass"}, "deletionProtectionEnabled": {"shape": "DeletionProtectionEnabled"}}},
  "Days": {"type": "integer"},
  "DeleteLogGroupRequest": {"type": "structure", "required": ["logGroupName"], "members": {"logGroupName": {"shape": "LogGroupName"}}},
  "DeletionProtectionEnabled": {"type": "boolean"},
  "DisassociateKmsKeyRequest": {"type": "structure", "members": {"logGroupName": {"shape": "LogGroupName"}, "resourceIdentifier": {"shape": "ResourceIdentifier"}}},
  "InvalidParameterException": {"type": "structure", "members": {}, "exception": true},
  "KmsKeyId": {"type": "string", "max": 256},
  "LimitExceededException": {"type": "structure", "members": {}, "exception": true},
  "LogGroupClass": {"type": "string", "enum": ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]},
  "LogGroupName": {"type": "string", "max": 512, "min": 1},
  "OperationAbortedException": {"type": "structure", "members": {}, "exception": true},
  "PutRetentionPolicyRequest": {"type": "structure", "required": ["logGroupName", "retentionInDays"], "members": {"logGroupName": {"shape": "LogGroupName"}, "retentionInDays": {"shape": "Days"}}},
  "ResourceAlreadyExistsException": {"type": "structure", "members": {}, "exception": true},
  "ResourceIdentifier": {"type": "string", "max": 2048, "min": 1},
  "ResourceNotFoundException": {"type": "structure", "members": {}, "exception": true},
  "ServiceUnavailableException": {"type": "structure", "members": {}, "exception": true, "fault": true},
  "TagKey": {"type": "string", "max": 128, "min": 1},
  "TagValue": {"type": "string", "max": 256},
  "Tags": {"type": "map", "key": {"shape": "TagKey"}, "value": {"shape": "TagValue"}, "max": 50, "min": 1},
  "ValidationException": {"type": "structure", "members": {}, "exception": true}
 }
}"""
