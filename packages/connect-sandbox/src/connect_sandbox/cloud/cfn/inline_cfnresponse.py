"""The module `cfnresponse`, which CloudFormation adds to an inline Python function that imports it.

After the CloudFormation user guide, "cfn-response module". It runs in the function's own process.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(  # noqa: PLR0917  (its callers give them by place)
    event: dict[str, Any],
    context: Any,  # noqa: ANN401  (Lambda's)
    responseStatus: str,  # noqa: N803  (callers may name it)
    responseData: dict[str, Any] | None,  # noqa: N803
    physicalResourceId: str | None = None,  # noqa: N803
    noEcho: bool = False,  # noqa: N803
    reason: str | None = None,
) -> None:
    """Answer a custom resource's request; what goes wrong is printed, as on AWS, and not raised."""
    stream = context.log_stream_name
    answer = {
        "Status": responseStatus,
        "Reason": reason or f"See the details in CloudWatch Log Stream: {stream}",
        "PhysicalResourceId": physicalResourceId or stream,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }
    print("Response body:", json.dumps(answer))
    body = json.dumps(answer).encode()
    asked = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(asked) as got:  # noqa: S310  (CloudFormation's URL)
            print("Status code:", got.status)
    except urllib.error.URLError as problem:
        print("send(..) failed:", problem)
