"""secretsmanager, cut down by ``python -m runtime.shared.service_models``: do not edit.

GetSecretValue.
"""
# ruff: noqa: E501

SERVICE: str = "secretsmanager"
MODEL: str = r"""{
 "version": "2.0",
 "metadata": {"apiVersion": "2017-10-17", "endpointPrefix": "secretsmanager", "jsonVersion": "1.1", "protocol": "json", "protocols": ["json"], "serviceFullName": "AWS Secrets Manager", "serviceId": "Secrets Manager", "signatureVersion": "v4", "signingName": "secretsmanager", "targetPrefix": "secretsmanager", "uid": "secretsmanager-2017-10-17", "auth": ["aws.auth#sigv4"]},
 "operations": {
  "GetSecretValue": {"name": "GetSecretValue", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "GetSecretValueRequest"}, "output": {"shape": "GetSecretValueResponse"}, "errors": [{"shape": "ResourceNotFoundException"}, {"shape": "InvalidParameterException"}, {"shape": "InvalidRequestException"}, {"shape": "DecryptionFailure"}, {"shape": "InternalServiceError"}]}
 },
 "shapes": {
  "CreatedDateType": {"type": "timestamp"},
  "DecryptionFailure": {"type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}, "exception": true},
  "ErrorMessage": {"type": "string"},
  "GetSecretValueRequest": {"type": "structure", "required": ["SecretId"], "members": {"SecretId": {"shape": "SecretIdType"}, "VersionId": {"shape": "SecretVersionIdType"}, "VersionStage": {"shape": "SecretVersionStageType"}}},
  "GetSecretValueResponse": {"type": "structure", "members": {"ARN": {"shape": "SecretARNType"}, "Name": {"shape": "SecretNameType"}, "VersionId": {"shape": "SecretVersionIdType"}, "SecretBinary": {"shape": "SecretBinaryType"}, "SecretString": {"shape": "SecretStringType"}, "VersionStages": {"shape": "SecretVersionStagesType"}, "CreatedDate": {"shape": "CreatedDateType", "box": true}}},
  "InternalServiceError": {"type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}, "exception": true, "fault": true},
  "InvalidParameterException": {"type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}, "exception": true},
  "InvalidRequestException": {"type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}, "exception": true},
  "ResourceNotFoundException": {"type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}, "exception": true},
  "SecretARNType": {"type": "string", "max": 2048, "min": 20},
  "SecretBinaryType": {"type": "blob", "max": 65536, "min": 1, "sensitive": true},
  "SecretIdType": {"type": "string", "max": 2048, "min": 1},
  "SecretNameType": {"type": "string", "max": 256, "min": 1},
  "SecretStringType": {"type": "string", "max": 65536, "min": 1, "sensitive": true},
  "SecretVersionIdType": {"type": "string", "max": 64, "min": 32},
  "SecretVersionStageType": {"type": "string", "max": 256, "min": 1},
  "SecretVersionStagesType": {"type": "list", "member": {"shape": "SecretVersionStageType"}, "max": 20, "min": 1}
 }
}"""
