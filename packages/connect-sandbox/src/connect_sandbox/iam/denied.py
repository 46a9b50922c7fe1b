"""AWS's response to a call that IAM denies, in the call's protocol."""

from __future__ import annotations

import json
import struct
import uuid
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from connect_sandbox.iam.calls import AwsCall
    from connect_sandbox.iam.evaluate import Decision

#: Services of the query protocol whose responses were seen with another code than AccessDenied.
_QUERY_CODES: Final = {"sns": "AuthorizationError"}
#: What services call a denial of the key behind their data (botocore's models; Secrets Manager's own words).
_KEY_CODES: Final = {"sns": "KMSAccessDenied", "sqs": "KMS.AccessDeniedException"}


def denied_response(call: AwsCall, decision: Decision) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response to a denied call; SDKs raise their ClientError from it.

    JSON and CBOR: 400 AccessDeniedException. REST JSON: 403 AccessDeniedException. Query and S3: 403
    AccessDenied (SNS: AuthorizationError). A query-compatible service (SQS, CloudWatch) sends its old code
    AccessDenied in x-amzn-query-error, which boto3 shows as the code. The response to a HEAD request has no body, so
    its code is 403.
    """
    request_id = str(uuid.uuid4())
    protocol = call.request.protocol
    headers = {"x-amzn-requestid": request_id}
    if call.operation == "PutVoiceConnectorLoggingConfiguration" and decision.action.startswith("logs:"):
        return _log_destination_denied(call, decision, request_id)
    if protocol in {"json", "smithy-rpc-v2-cbor"} and call.request.query_compatible:
        old_code = _KEY_CODES[call.service] if _is_keys(call, decision) else "AccessDenied"
        headers["x-amzn-query-error"] = f"{old_code};Sender"
    if protocol == "json":
        headers["content-type"] = f"application/x-amz-json-{call.request.json_version}"
        # Services send the text as message or Message; SDKs read both.
        message = decision.message
        if call.service == "secretsmanager" and decision.action.startswith("kms:"):
            message = f"Access to KMS is not allowed [sandbox: {message}]"
        body = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}
        return 400, headers, json.dumps(body).encode()
    if protocol == "smithy-rpc-v2-cbor":
        headers |= {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        body = {"__type": "com.amazon.coral.service#AccessDeniedException", "message": decision.message}
        return 400, headers, _cbor_map(body)
    if protocol == "rest-json":
        headers |= {"content-type": "application/json", "x-amzn-errortype": "AccessDeniedException"}
        return 403, headers, json.dumps({"Message": decision.message}).encode()
    text = escape(decision.message)
    if protocol == "rest-xml":
        headers = {"content-type": "application/xml", "x-amz-request-id": request_id}
        error = f"<Code>AccessDenied</Code><Message>{text}</Message><RequestId>{request_id}</RequestId>"
        return 403, headers, b"" if call.request.method == "HEAD" else _xml(f"<Error>{error}</Error>")
    headers["content-type"] = "text/xml"
    code = _QUERY_CODES.get(call.service, "AccessDenied")
    if _is_keys(call, decision):
        code = _KEY_CODES[call.service]
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
    return 403, headers, _xml(f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>")


def _log_destination_denied(
    call: AwsCall, decision: Decision, request_id: str
) -> tuple[int, dict[str, str], bytes]:
    """Return what Chime answers when the caller lacks a permission of log delivery.

    Reported in aws-samples/amazon-chime-sdk-click-to-call#128. AWS does not say which permission it is.
    """
    connector = call.params.get("VoiceConnectorId", "")
    sip = call.params.get("LoggingConfiguration", {}).get("EnableSIPLogs")
    group = f"/aws/ChimeVoiceConnector{'SipMessages' if sip else 'Logs'}/{connector}"
    message = (
        f"Access Denied for LogDestination: {group}. Please check LogDestination permission (Service: "
        "AWSIngestionHub; Status Code: 400; Error Code: LogDestinationPermissionIssueException; Request ID: "
        f"{request_id}; Proxy: null) [sandbox: {decision.message}]"
    )
    headers = {
        "x-amzn-requestid": request_id,
        "content-type": "application/json",
        "x-amzn-errortype": "ForbiddenException",
    }
    return 403, headers, json.dumps({"Code": "Forbidden", "Message": message}).encode()


def _is_keys(call: AwsCall, decision: Decision) -> bool:
    """Whether the denial is of the key behind the data, for which the service has a code of its own."""
    return call.service in _KEY_CODES and decision.action.startswith("kms:")


def _xml(element: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element}'.encode()


def _cbor_map(texts: dict[str, str]) -> bytes:
    """Encode a map of texts in CBOR (RFC 8949): major type 5 holds pairs of major type 3."""
    return _cbor_head(5, len(texts)) + b"".join(_cbor_text(t) for pair in texts.items() for t in pair)


def _cbor_text(text: str) -> bytes:
    encoded = text.encode()
    return _cbor_head(3, len(encoded)) + encoded


def _cbor_head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major << 5 | size])
    return bytes([major << 5 | 25]) + struct.pack(">H", size)
