"""A deployed REST API answers HTTP clients as API Gateway does."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from connect_sandbox.cloud import FunctionFault, Sandbox

AUTHORIZER = """
    import json
    def handler(event, context):
        print("ASKED", json.dumps(event))
        token = event["authorizationToken"]
        if token == "unauthorized": raise Exception("Unauthorized")
        if token == "broken": raise Exception("broken")
        if token == "nobody": return {"policyDocument": {}}
        effect = "Deny" if token == "denied" else "Allow"
        api = event["methodArn"].split("/")[0]
        resource = api + "/*/GET/*" if token == "other-method" else api + "/*"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
        return {
            "principalId": "vendor",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"tier": "gold", "n": 1},
        }
"""
ECHO = """
    import json, time
    def handler(event, context):
        body = event["body"] or ""
        if "sleep" in body: time.sleep(2)
        if "raise" in body: raise ValueError("x")
        if "number" in body: return 5
        if "other-member" in body: return {"statusCode": 200, "cookies": []}
        if "object-body" in body: return {"statusCode": 200, "body": {}}
        return {"statusCode": 201, "headers": {"X-Own": "1"}, "multiValueHeaders": {"X-Many": ["a", "b"]},
                "body": json.dumps(event)}
"""
LOG_FORMAT = (
    "$context.httpMethod $context.resourcePath $context.status $context.authorizer.principalId "
    "$context.error.message"
)


def invocation_uri(name: str) -> dict[str, Any]:
    return {
        "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${"
        + name
        + ".Arn}/invocations"
    }


def permission(function: str, source: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": function},
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/" + source},
        },
    }


def api_part(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGateway::{kind}", "Properties": {"RestApiId": {"Ref": "Api"}, **properties}}


@pytest.fixture
def template(function: Any, role: Any) -> dict[str, Any]:
    echo = function(ECHO)
    authorizer = function(AUTHORIZER)
    logging = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": ["Access", "Arn"]},
    }
    trust_gateway = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    authorize = authorizer["Function"]
    authorize["Properties"]["Role"] = {"Fn::GetAtt": ["Role", "Arn"]}
    schema = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}
    return {
        "Resources": {
            **echo,
            "Authorize": authorize,
            "LogRole": role(logging, trust=trust_gateway),
            "Account": {
                "Type": "AWS::ApiGateway::Account",
                "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["LogRole", "Arn"]}},
            },
            "Access": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/test/access"}},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "metadata"}},
            "Path": api_part("Resource", ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="calls"),
            "Item": api_part("Resource", ParentId={"Ref": "Path"}, PathPart="{id}"),
            "Model": api_part("Model", Name="Body", ContentType="application/json", Schema=schema),
            "Validator": api_part("RequestValidator", ValidateRequestBody=True, ValidateRequestParameters=True),
            "Token": api_part(
                "Authorizer", Name="token", Type="TOKEN", AuthorizerUri=invocation_uri("Authorize"),
                IdentitySource="method.request.header.authorizationToken", IdentityValidationExpression="[a-z-]+",
                AuthorizerResultTtlInSeconds=300,
            ),
            "Post": api_part(
                "Method", ResourceId={"Ref": "Path"}, HttpMethod="POST", AuthorizationType="CUSTOM",
                AuthorizerId={"Ref": "Token"}, RequestValidatorId={"Ref": "Validator"},
                RequestParameters={"method.request.querystring.contactId": True},
                RequestModels={"application/json": {"Ref": "Model"}},
                Integration={
                    "Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invocation_uri("Function"),
                    "TimeoutInMillis": 1000,
                },
            ),
            "Get": api_part(
                "Method", ResourceId={"Ref": "Item"}, HttpMethod="ANY", AuthorizationType="NONE",
                Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": invocation_uri("Function")},
            ),
            "BadBody": api_part(
                "GatewayResponse", ResponseType="BAD_REQUEST_BODY", StatusCode="422",
                ResponseParameters={"gatewayresponse.header.X-Why": "'body'"},
                ResponseTemplates={
                    "application/json": '{"code":"INVALID_BODY","message":$context.error.messageString,'
                    '"detail":"$context.error.validationErrorString"}'
                },
            ),
            "Deployment": {**api_part("Deployment"), "DependsOn": ["Post", "Get", "BadBody"]},
            "Stage": {
                **api_part(
                    "Stage", StageName="dev", DeploymentId={"Ref": "Deployment"},
                    AccessLogSetting={"DestinationArn": {"Fn::GetAtt": ["Access", "Arn"]}, "Format": LOG_FORMAT},
                    MethodSettings=[
                        {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 20}
                    ],
                ),
                "DependsOn": ["Account"],
            },
            "MayPost": permission("Function", "*/POST/calls"),
            "MayGet": permission("Function", "*/*/calls/{id}"),
            "MayAuthorize": permission("Authorize", "authorizers/*"),
        },
        "Outputs": {
            "Url": {
                "Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/calls"}
            }
        },
    }  # fmt: skip


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Call = Callable[..., Answer]


@pytest.fixture
def stack(deploy: Any, template: dict[str, Any]) -> Any:
    deployed = deploy(template)
    assert deployed.status == "CREATE_COMPLETE", deployed.reasons
    return deployed


@pytest.fixture
def call(sandbox: Sandbox, stack: Any) -> Call:
    host, port, host_header = sandbox.api_base(stack.outputs["Url"])

    def request(
        method: str = "POST",
        path: str = "/dev/calls?contactId=1",
        body: str | bytes = '{"key": "v"}',
        **headers: str,
    ) -> Answer:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        given = {
            "Host": host_header,
            "Content-Type": "application/json",
            "authorizationToken": "good",
            **headers,
        }
        connection.request(method, path, body, {name: value for name, value in given.items() if value})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    return request


def test_the_function_gets_the_whole_proxy_event_and_its_answer_goes_out(call: Call) -> None:
    answer = call(path="/dev/calls?contactId=1&tag=a&tag=b", **{"X-Custom": "x"})

    assert answer.status == 201
    assert answer.headers["X-Own"] == "1"
    assert answer.headers["Content-Type"] == "application/json"
    assert "x-amzn-RequestId" in answer.headers
    event = answer.json()
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/calls", "/calls", "POST")
    assert event["queryStringParameters"] == {"contactId": "1", "tag": "b"}
    assert event["multiValueQueryStringParameters"]["tag"] == ["a", "b"]
    assert event["headers"]["X-Custom"] == "x"
    assert event["multiValueHeaders"]["X-Custom"] == ["x"]
    assert event["body"] == '{"key": "v"}'
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["authorizer"] == {"principalId": "vendor", "tier": "gold", "n": "1"}
    assert (context["stage"], context["path"], context["identity"]["sourceIp"]) == (
        "dev",
        "/dev/calls",
        "127.0.0.1",
    )


def test_a_path_parameter_and_any_method_match(call: Call) -> None:
    event = call("PUT", "/dev/calls/a%20b", "", authorizationToken="").json()

    assert event["resource"] == "/calls/{id}"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["body"] is None
    assert "authorizer" not in event["requestContext"]


@pytest.mark.parametrize(
    ("token", "status", "kind", "message"),
    [
        ("", 401, "UnauthorizedException", "Unauthorized"),
        ("DOES NOT MATCH", 401, "UnauthorizedException", "Unauthorized"),
        ("unauthorized", 401, "UnauthorizedException", "Unauthorized"),
        (
            "denied",
            403,
            "AccessDeniedException",
            "User is not authorized to access this resource with an explicit deny",
        ),
        ("other-method", 403, "AccessDeniedException", "User is not authorized to access this resource"),
        ("broken", 500, "AuthorizerConfigurationException", None),
        ("nobody", 500, "AuthorizerConfigurationException", None),
    ],
)
def test_the_authorizer_refuses(call: Call, token: str, status: int, kind: str, message: str | None) -> None:
    answer = call(authorizationToken=token)

    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (status, kind)
    assert answer.json() == {"Message" if status == 403 else "message": message}


def test_the_authorizers_answer_is_kept_per_token(sandbox: Sandbox, stack: Any, call: Call) -> None:
    authorizer = stack.resources["Authorize"]
    call(authorizationToken="first")
    sandbox.functions.inject(authorizer, FunctionFault("crash"))

    assert call(authorizationToken="first").status == 201  # not asked again
    assert call(authorizationToken="second").status == 500


def test_a_missing_parameter_is_named(call: Call) -> None:
    answer = call(path="/dev/calls")

    assert answer.status == 400
    assert answer.json() == {"message": "Missing required request parameters: [contactId]"}
    assert answer.headers["x-amzn-ErrorType"] == "BadRequestException"


@pytest.mark.parametrize("body", ["[1]", '{"key": 1}', "{}", "no json", ""])
def test_a_body_against_its_model_is_answered_by_the_apis_own_gateway_response(call: Call, body: str) -> None:
    answer = call(body=body)

    assert answer.status == 422
    assert answer.headers["X-Why"] == "body"
    assert answer.json()["code"] == "INVALID_BODY"
    assert answer.json()["message"] == "Invalid request body"
    assert answer.json()["detail"]


def test_a_body_nested_too_deeply_to_be_read_is_invalid(call: Call) -> None:
    answer = call(body='{"key": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert (answer.status, answer.json()["code"]) == (422, "INVALID_BODY")


def test_a_content_type_without_a_model_is_not_validated(call: Call) -> None:
    assert call(body="[1]", **{"Content-Type": "text/plain"}).status == 201


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ('{"key": "raise"}', 502, "Internal server error"),
        ('{"key": "number"}', 502, "Internal server error"),
        ('{"key": "other-member"}', 502, "Internal server error"),
        ('{"key": "object-body"}', 502, "Internal server error"),
        ('{"key": "sleep"}', 504, "Endpoint request timed out"),
    ],
)
def test_an_integration_that_fails(call: Call, body: str, status: int, message: str) -> None:
    answer = call(body=body)

    assert (answer.status, answer.json()) == (status, {"message": message})


def test_an_unknown_path_method_or_stage_is_forbidden(call: Call) -> None:
    assert call(path="/dev/other").json() == {"message": "Missing Authentication Token"}
    assert call("DELETE", "/dev/calls").status == 403
    assert call(path="/prod/calls").json() == {"message": "Forbidden"}


def test_a_body_over_ten_megabytes_is_too_large(call: Call) -> None:
    answer = call(body=b'"' + b"x" * (10 * 1024 * 1024) + b'"')

    assert answer.status == 413


def test_more_requests_than_the_burst_are_throttled(call: Call) -> None:
    statuses = [call("PUT", "/dev/calls/1", "").status for _ in range(40)]

    assert statuses[:20] == [201] * 20
    assert 429 in statuses


def test_without_the_functions_permission_the_gateway_answers_500(
    deploy: Any, stack: Any, template: Any, call: Call
) -> None:
    del template["Resources"]["MayPost"]
    deploy(template, name=stack.name)

    assert call().status == 500
    assert call("PUT", "/dev/calls/1", "").status == 201


def test_a_change_reaches_callers_with_the_next_deployment_only(
    deploy: Any, stack: Any, template: Any, call: Call
) -> None:
    template["Resources"]["BadBody"]["Properties"]["StatusCode"] = "400"
    deploy(template, name=stack.name)
    assert call(body="[1]").status == 422

    template["Resources"]["Deployment2"] = template["Resources"].pop("Deployment")
    template["Resources"]["Stage"]["Properties"]["DeploymentId"] = {"Ref": "Deployment2"}
    updated = deploy(template, name=stack.name)

    assert updated.status == "UPDATE_COMPLETE", updated.reasons
    assert call(body="[1]").status == 400


def test_a_deployment_may_have_a_stage_of_its_own(deploy: Any, stack: Any, template: Any, call: Call) -> None:
    template["Resources"]["Deployment2"] = api_part("Deployment", StageName="live")
    updated = deploy(template, name=stack.name)
    assert updated.status == "UPDATE_COMPLETE", updated.reasons
    assert call("PUT", "/live/calls/1", "").status == 201

    template["Resources"]["Deployment2"]["Properties"]["StageName"] = "v2"
    assert deploy(template, name=stack.name).status == "UPDATE_COMPLETE"
    assert call("PUT", "/v2/calls/1", "").status == 201
    del template["Resources"]["Deployment2"]
    removed = deploy(template, name=stack.name)
    assert removed.status == "UPDATE_COMPLETE", removed.reasons
    assert call("PUT", "/v2/calls/1", "").status == 403


def test_each_request_is_logged_in_the_stages_format(sandbox: Sandbox, call: Call) -> None:
    call()
    call(authorizationToken="denied")

    events = sandbox.boto3_client("logs").filter_log_events(logGroupName="/test/access")["events"]
    assert [event["message"] for event in events] == [
        "POST /calls 201 vendor -",
        "POST /calls 403 vendor User is not authorized to access this resource with an explicit deny",
    ]


def test_a_stage_with_a_log_needs_the_accounts_role(sandbox: Sandbox, deploy: Any, template: Any) -> None:
    sandbox.apis.log_role_arn = ""
    del template["Resources"]["Account"]
    template["Resources"]["Stage"]["DependsOn"] = []
    refused = deploy(template)

    assert refused.status == "ROLLBACK_COMPLETE"
    assert "CloudWatch Logs role ARN must be set in account settings to enable logging" in refused.reasons
