"""API Gateway: what a client gets from a deployed REST API, over HTTP.

One API serves all cases. Its function returns what the body of the request says; its authorizer does what the token
says: both are JSON. A function that is told {"raise": text} raises, one that is told {"echo": true} returns its event.
"""

from __future__ import annotations

import http.client
import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import Case

_FUNCTION = """
    import json
    def handler(event, context):
        told = json.loads(event["body"] or "null") if event.get("body") else {"echo": True}
        if isinstance(told, dict) and "raise" in told: raise Exception(told["raise"])
        if isinstance(told, dict) and told.get("echo"): return {"statusCode": 200, "body": json.dumps(event)}
        return told
"""
_AUTHORIZER = """
    import json
    from collections import Counter
    ASKED = Counter()
    def handler(event, context):
        ASKED[event["authorizationToken"]] += 1
        told = event["authorizationToken"].replace("<method>", event["methodArn"])
        told = json.loads(told.replace("<api>", event["methodArn"].split("/")[0]))
        if "raise" in told: raise Exception(told["raise"])
        if "keys" in told:
            asked = {"asked": ASKED[event["authorizationToken"]]}
            told = {"principalId": json.dumps(event), "policyDocument": told["keys"], "context": asked}
        return told
"""
_VALIDATED = {
    "type": "object",
    "required": ["a", "b"],
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
}
_REQUIRED = ("header.x-header-param", "path.issuer", "querystring.qs1")


def answers(sandbox: Sandbox, cases: Iterable[Case]) -> Iterator[Any]:
    """Deploy the API, send each case, and delete the API."""
    stage = Stage(sandbox)
    for case in cases:
        yield getattr(stage, case.kind)(case.sent)
    stage.clean_up()


class Stage:
    """The deployed API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = sandbox.boto3_client("cloudformation")
        self.client.create_stack(StackName="fidelity-api", TemplateBody=json.dumps(_template()))
        stack = self.client.describe_stacks(StackName="fidelity-api")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", self._reasons()
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        self.host, self.port, self.host_header = sandbox.api_base(outputs["Url"])

    # -- the kinds of cases

    def returned(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Have the function return something; what the client gets."""
        return self._request("POST", "/dev/function", json.dumps(sent["function"]))

    def request(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Send a request; what the client gets."""
        body = sent.get("body")
        if "repeat" in sent:
            body *= sent["repeat"]
        return self._request(
            sent.get("method", "GET"),
            "/dev" + sent["path"],
            body if body is None or isinstance(body, str) else json.dumps(body),
            sent.get("headers", {}),
        )

    def authorized(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Send a token, that tells the authorizer what to do; what the client gets, several times if so said."""
        token = sent.get("token")
        headers = {} if token is None else {"Auth": token if isinstance(token, str) else json.dumps(token)}
        paths = sent.get("paths", [sent.get("path", "/authorized")])
        got = [self._request("GET", "/dev" + path, None, headers) for path in paths]
        return got[-1]

    def clean_up(self) -> None:
        """Delete the API."""
        self.client.delete_stack(StackName="fidelity-api")
        self.sandbox.deployments.wait()

    # -- what they need

    def _request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Host": self.host_header, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        joined: dict[str, str] = {}
        for name, value in answer.getheaders():
            joined[name.lower()] = f"{joined[name.lower()]}, {value}" if name.lower() in joined else value
        told: dict[str, Any] = {"status": answer.status, "text": text, "headers": joined}
        try:
            told["body"] = json.loads(text)
        except ValueError:
            told["body"] = text
        if isinstance(told["body"], dict) and "requestContext" in told["body"]:
            context = told["body"]["requestContext"]
            told["identity"] = sorted(context["identity"])
            told["authorizer"] = context.get("authorizer")
            told["context"] = sorted(context)
        return told

    def _reasons(self) -> list[str]:
        events = self.client.describe_stack_events(StackName="fidelity-api")["StackEvents"]
        return [one["ResourceStatusReason"] for one in events if "ResourceStatusReason" in one]


def _template() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    root = {"Fn::GetAtt": ["Api", "RootResourceId"]}
    methods: dict[str, dict[str, Any]] = {
        "CallFunction": _method("Function", "POST"),
        "Authorized": _method("AuthorizedPath", "GET", AuthorizationType="CUSTOM", AuthorizerId={"Ref": "Token"}),
        "Kept": _method("KeptPath", "ANY", AuthorizationType="CUSTOM", AuthorizerId={"Ref": "KeptToken"}),
        "KeptOther": _method("KeptOtherPath", "GET", AuthorizationType="CUSTOM", AuthorizerId={"Ref": "KeptToken"}),
        "Keyed": _method("KeyedPath", "GET", ApiKeyRequired=True),
        **{
            f"Validated{verb}": _method(
                "ValidatedPath", verb,
                RequestValidatorId={"Ref": "Validator"},
                RequestParameters={
                    f"method.request.{name}": True
                    for name in (_REQUIRED if verb == "PUT" else ("path.test", *_REQUIRED[::2]))
                },
                RequestModels={"application/json": {"Ref": "Model"}},
            )
            for verb in ("GET", "POST", "PUT")
        },
        "Existing": _mock("ExistingPath", "GET", "exists"),
        "PostTest": _mock("TestPath", "POST", "POST"),
        "AnyOfAny": _mock("AnyPath", "ANY", "ANY"),
        "OptionsOfProxy": _mock("ProxyPath", "OPTIONS", "OPTIONS"),
        "GetOfProxy": _mock("DeepProxyPath", "GET", "proxy"),
        "GetHard": _mock("HardPath", "GET", "hardcoded-value"),
        "GetPart": _mock("PartPath", "GET", "part1"),
    }  # fmt: skip
    resources = {
        "Function": _path(root, "function"),
        "AuthorizedPath": _path(root, "authorized"),
        "KeptPath": _path(root, "kept"),
        "KeptOtherPath": _path(root, "kept-other"),
        "KeyedPath": _path(root, "keyed"),
        "Nested": _path(root, "nested"),
        "ValidatedPath": _path({"Ref": "Nested"}, "{test}"),
        "ExistingPath": _path(root, "existing"),
        "TestPath": _path(root, "test"),
        "AnyPath": _path({"Ref": "TestPath"}, "any"),
        "ProxyPath": _path(root, "{proxy+}"),
        "PartPath": _path(root, "part1"),
        "HardPath": _path({"Ref": "PartPath"}, "hardcoded-value"),
        "DeepProxyPath": _path({"Ref": "PartPath"}, "{param+}"),
    }
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
            },
            "Answering": _function(_FUNCTION),
            "Authorizing": _function(_AUTHORIZER),
            "MayAnswer": _permission("Answering"),
            "MayAuthorize": _permission("Authorizing"),
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "fidelity"}},
            **resources,
            **methods,
            "Model": _part("Model", Name="testSchema", ContentType="application/json", Schema=_VALIDATED),
            "Validator": _part("RequestValidator", ValidateRequestBody=True, ValidateRequestParameters=True),
            "Token": _authorizer("token", 0),
            "KeptToken": _authorizer("kept", 300),
            "Deployment": {**_part("Deployment"), "DependsOn": list(methods)},
            "Stage": _part("Stage", StageName="dev", DeploymentId={"Ref": "Deployment"}),
            "Plan": {
                "Type": "AWS::ApiGateway::UsagePlan",
                "Properties": {"ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}]},
            },
            **{
                name: {
                    "Type": "AWS::ApiGateway::ApiKey",
                    "Properties": {
                        "Enabled": name == "Key",
                        "Value": f"thevalueofanapikeynamed{name.lower()}",
                    },
                }
                for name in ("Key", "Disabled")
            },
            **{
                f"{name}InPlan": {
                    "Type": "AWS::ApiGateway::UsagePlanKey",
                    "Properties": {
                        "KeyId": {"Ref": name},
                        "KeyType": "API_KEY",
                        "UsagePlanId": {"Ref": "Plan"},
                    },
                }
                for name in ("Key", "Disabled")
            },
        },
        "Outputs": {
            "Url": {
                "Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"}
            }
        },
    }


def _function(code: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"ZipFile": textwrap.dedent(code)},
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }


def _permission(function: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": function},
            "Principal": "apigateway.amazonaws.com",
        },
    }


def _part(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGateway::{kind}", "Properties": {"RestApiId": {"Ref": "Api"}, **properties}}


def _path(parent: dict[str, Any], part: str) -> dict[str, Any]:
    return _part("Resource", ParentId=parent, PathPart=part)


def _uri(function: str) -> dict[str, Any]:
    arn = (
        "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${"
        + function
        + ".Arn}/invocations"
    )
    return {"Fn::Sub": arn}


def _authorizer(name: str, seconds: int) -> dict[str, Any]:
    return _part(
        "Authorizer",
        Name=name,
        Type="TOKEN",
        AuthorizerUri=_uri("Authorizing"),
        IdentitySource="method.request.header.Auth",
        IdentityValidationExpression=r"\{.*",
        AuthorizerResultTtlInSeconds=seconds,
    )


def _method(path: str, verb: str, **properties: Any) -> dict[str, Any]:
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": _uri("Answering")}
    return _part(
        "Method",
        **{
            "ResourceId": {"Ref": path},
            "HttpMethod": verb,
            "AuthorizationType": "NONE",
            "Integration": integration,
            **properties,
        },
    )


def _mock(path: str, verb: str, message: str) -> dict[str, Any]:
    integration = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [
            {
                "StatusCode": "200",
                "ResponseTemplates": {
                    "application/json": json.dumps({"statusCode": 200, "message": message})
                },
            }
        ],
    }
    return _method(path, verb, Integration=integration, MethodResponses=[{"StatusCode": "200"}])
