"""iam, cut down by ``python -m runtime.shared.service_models``: do not edit.

ListAccessKeys.
"""
# ruff: noqa: E501

SERVICE: str = "iam"
MODEL: str = r"""{
 "version": "2.0",
 "metadata": {"apiVersion": "2010-05-08", "endpointPrefix": "iam", "globalEndpoint": "iam.amazonaws.com", "protocol": "query", "protocols": ["query"], "serviceAbbreviation": "IAM", "serviceFullName": "AWS Identity and Access Management", "serviceId": "IAM", "signatureVersion": "v4", "uid": "iam-2010-05-08", "xmlNamespace": "https://iam.amazonaws.com/doc/2010-05-08/", "auth": ["aws.auth#sigv4"]},
 "operations": {
  "ListAccessKeys": {"name": "ListAccessKeys", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "ListAccessKeysRequest"}, "output": {"shape": "ListAccessKeysResponse", "resultWrapper": "ListAccessKeysResult"}, "errors": [{"shape": "NoSuchEntityException"}, {"shape": "ServiceFailureException"}]}
 },
 "shapes": {
  "AccessKeyMetadata": {"type": "structure", "members": {"UserName": {"shape": "userNameType"}, "AccessKeyId": {"shape": "accessKeyIdType"}, "Status": {"shape": "statusType"}, "CreateDate": {"shape": "dateType"}}},
  "ListAccessKeysRequest": {"type": "structure", "members": {"UserName": {"shape": "existingUserNameType"}, "Marker": {"shape": "markerType"}, "MaxItems": {"shape": "maxItemsType"}}},
  "ListAccessKeysResponse": {"type": "structure", "required": ["AccessKeyMetadata"], "members": {"AccessKeyMetadata": {"shape": "accessKeyMetadataListType"}, "IsTruncated": {"shape": "booleanType"}, "Marker": {"shape": "responseMarkerType"}}},
  "NoSuchEntityException": {"type": "structure", "members": {"message": {"shape": "noSuchEntityMessage"}}, "error": {"code": "NoSuchEntity", "httpStatusCode": 404, "senderFault": true}, "exception": true},
  "ServiceFailureException": {"type": "structure", "members": {"message": {"shape": "serviceFailureExceptionMessage"}}, "error": {"code": "ServiceFailure", "httpStatusCode": 500}, "exception": true},
  "accessKeyIdType": {"type": "string", "max": 128, "min": 16},
  "accessKeyMetadataListType": {"type": "list", "member": {"shape": "AccessKeyMetadata"}},
  "booleanType": {"type": "boolean"},
  "dateType": {"type": "timestamp"},
  "existingUserNameType": {"type": "string", "max": 128, "min": 1},
  "markerType": {"type": "string", "max": 320, "min": 1},
  "maxItemsType": {"type": "integer", "max": 1000, "min": 1},
  "noSuchEntityMessage": {"type": "string"},
  "responseMarkerType": {"type": "string"},
  "serviceFailureExceptionMessage": {"type": "string"},
  "statusType": {"type": "string", "enum": ["Active", "Inactive", "Expired"]},
  "userNameType": {"type": "string", "max": 64, "min": 1}
 }
}"""
