"""Custom resources: the function is run for real and answers CloudFormation over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from connect_sandbox.cloud import Admin, Sandbox

CODE = """
import json, urllib.request
def handler(event, context):
    print("EVENT", json.dumps(event, sort_keys=True))
    properties = event["ResourceProperties"]
    mode = properties.get("Mode", "")
    if mode == "silent":
        return
    if mode == "crash":
        raise RuntimeError("broken")
    answer = {
        "Status": "FAILED" if mode == "fail" and event["RequestType"] != "Delete" else "SUCCESS",
        "Reason": "no quota",
        "PhysicalResourceId": properties["Name"],
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Address": properties["Name"] + ".example.com"},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""
LOGS = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/test/custom"}}
MAY_LOG = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": {"Fn::GetAtt": ["Logs", "Arn"]},
}


@pytest.fixture
def template(function: Any) -> Any:
    def make(**properties: Any) -> dict[str, Any]:
        thing = {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, **properties},
        }
        return {
            "Resources": {
                "Logs": {**LOGS, "DeletionPolicy": "Retain"},
                **function(CODE, MAY_LOG, LoggingConfig={"LogGroup": {"Ref": "Logs"}}),
                "Thing": thing,
            },
            "Outputs": {
                "Address": {"Value": {"Fn::GetAtt": ["Thing", "Address"]}},
                "Id": {"Value": {"Ref": "Thing"}},
            },
        }

    return make


@pytest.fixture
def requests_sent(sandbox: Sandbox) -> Any:
    client = sandbox.boto3_client("logs")

    def read() -> list[str]:
        events = client.filter_log_events(logGroupName="/test/custom")["events"]
        return [event["message"] for event in events if "EVENT" in event["message"]]

    yield read
    client.delete_log_group(logGroupName="/test/custom")


def test_the_answer_gives_id_and_attributes_and_scalars_arrive_as_text(
    deploy: Any, template: Any, requests_sent: Any
) -> None:
    stack = deploy(template(Name="one", Flag=True, Count=3, List=["a", 1]))

    assert stack.status == "CREATE_COMPLETE", stack.reasons
    assert stack.outputs == {"Address": "one.example.com", "Id": "one"}
    sent = requests_sent()[0]
    assert '"Flag": "true"' in sent
    assert '"Count": "3"' in sent
    assert '"List": ["a", "1"]' in sent
    assert '"ResourceType": "Custom::Thing"' in sent


def test_an_update_with_a_new_id_deletes_the_old_resource_afterwards(
    deploy: Any, template: Any, requests_sent: Any
) -> None:
    stack = deploy(template(Name="one"))
    updated = deploy(template(Name="two"), name=stack.name)

    assert updated.outputs["Id"] == "two"
    kinds = [
        next(k for k in ("Create", "Update", "Delete") if f'"RequestType": "{k}"' in sent)
        for sent in requests_sent()
    ]
    assert kinds == ["Create", "Update", "Delete"]
    assert '"PhysicalResourceId": "one"' in requests_sent()[1]
    assert '"OldResourceProperties": {"Name": "one"' in requests_sent()[1]
    assert '"PhysicalResourceId": "one"' in requests_sent()[2]


def test_a_failed_create_is_told_and_deleted_on_roll_back(
    deploy: Any, template: Any, requests_sent: Any
) -> None:
    stack = deploy(template(Name="one", Mode="fail"))

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "Message returned: no quota" in stack.reasons
    assert '"RequestType": "Delete"' in requests_sent()[1]
    assert '"PhysicalResourceId": "one"' in requests_sent()[1]


def test_a_failed_update_is_taken_back_by_another_update(
    deploy: Any, template: Any, requests_sent: Any
) -> None:
    stack = deploy(template(Name="one"))
    updated = deploy(template(Name="one", Mode="fail"), name=stack.name)

    assert updated.status == "UPDATE_ROLLBACK_COMPLETE"
    assert '"RequestType": "Update"' in requests_sent()[2]
    assert '"Mode"' not in requests_sent()[2].split('"ResourceProperties"')[1]


@pytest.mark.parametrize(("mode", "told"), [("silent", "it returned normally"), ("crash", "broken")])
def test_a_function_that_never_answers_fails_at_once_and_says_how_it_ended(
    deploy: Any, template: Any, requests_sent: Any, mode: str, told: str
) -> None:
    stack = deploy(template(Name="one", Mode=mode))

    assert stack.status == "ROLLBACK_FAILED"  # its Delete is not answered either
    assert "ended without answering to its ResponseURL" in stack.reasons
    assert told in stack.reasons
    assert len(requests_sent()) == 2


def test_deleting_the_stack_deletes_the_resource(deploy: Any, template: Any, requests_sent: Any) -> None:
    stack = deploy(template(Name="one"))
    gone = deploy.delete(stack.name)

    assert gone.status == "DELETE_COMPLETE"
    assert '"RequestType": "Delete"' in requests_sent()[1]


# They take host and path of the ResponseURL, as if it were always https on port 443: so do the CDK's own, and crhelper.
ANSWERS_BY_HTTPS = {
    "nodejs22.x": """
        const https = require("https");
        exports.handler = async (event) => {
            const { hostname, pathname: path } = new URL(event.ResponseURL);
            const { StackId, RequestId, LogicalResourceId } = event;
            const answer = { Status: "SUCCESS", PhysicalResourceId: "thing-1", StackId, RequestId, LogicalResourceId };
            const body = JSON.stringify({ ...answer, Data: { Address: "one.example.com" } });
            const headers = { "content-type": "", "content-length": body.length };
            await new Promise((resolve, reject) => {
                const request = https.request({ hostname, path, method: "PUT", headers }, resolve);
                request.on("error", reject);
                request.end(body);
            });
        };
        """,
    "python3.12": """
        import http.client, json
        from urllib.parse import urlsplit

        def handler(event, context):
            url = urlsplit(event["ResponseURL"])
            answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
            answer |= {"Status": "SUCCESS", "PhysicalResourceId": "thing-1", "Data": {"Address": "one.example.com"}}
            connection = http.client.HTTPSConnection(url.netloc)
            connection.request("PUT", url.path, json.dumps(answer))
            connection.getresponse().read()
        """,
}
ANSWERS_BY_MODULE = {
    "python3.12": """
        import json
        import cfnresponse

        def handler(event, context):
            data = {"Address": event["ResourceProperties"]["Name"] + ".example.com"}
            cfnresponse.send(event, context, cfnresponse.SUCCESS, data, "thing-1")
        """,
    "nodejs20.x": """
        const response = require("cfn-response");
        exports.handler = (event, context) => {
            const data = { Address: `${event.ResourceProperties.Name}.example.com` };
            response.send(event, context, response.SUCCESS, data, "thing-1");
        };
        """,
    "nodejs24.x": """
        const { send, SUCCESS } = require('cfn-response');
        exports.handler = async (event, context) => {
            await send(event, context, SUCCESS, { Address: `${event.ResourceProperties.Name}.example.com` }, "thing-1");
        };
        """,
}


@pytest.mark.parametrize(("runtime", "code"), [*ANSWERS_BY_HTTPS.items(), *ANSWERS_BY_MODULE.items()])
def test_answers_arrive_as_functions_commonly_send_them(
    deploy: Any, function: Any, runtime: str, code: str
) -> None:
    token = {"Fn::GetAtt": ["Function", "Arn"]}
    thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": token, "Name": "one"}}
    stack = deploy(
        {
            "Resources": {**function(code, Runtime=runtime), "Thing": thing},
            "Outputs": {
                "Address": {"Value": {"Fn::GetAtt": ["Thing", "Address"]}},
                "Id": {"Value": {"Ref": "Thing"}},
            },
        }
    )
    assert stack.status == "CREATE_COMPLETE", stack.reasons
    assert stack.outputs == {"Address": "one.example.com", "Id": "thing-1"}


def test_the_module_is_there_for_the_one_import_that_cloudformation_knows(
    sandbox: Sandbox, deploy: Any, function: Any
) -> None:
    stack = deploy(
        {"Resources": function("from cfnresponse import send\ndef handler(event, context): return 1")}
    )
    failed = sandbox.functions.invoke(stack.resources["Function"], {}, invoked_by=Admin("123456789012"))
    assert "No module named 'cfnresponse'" in failed.json()["errorMessage"]
