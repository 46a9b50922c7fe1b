"""AWS::Lambda::Function and Permission, on the sandbox's own functions."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from connect_sandbox.cloud.cfn import inline_cfnresponse
from connect_sandbox.cloud.cfn.resource import Context, Created, ResourceType, merged_tags
from connect_sandbox.cloud.cfn.support import SUPPORTED, TAGS, Matching, Nested, Only, PropertyTable, Recorded
from connect_sandbox.cloud.errors import AwsError
from connect_sandbox.cloud.lambda_api import permission_statement
from connect_sandbox.cloud.lambda_state import OF_RUNTIMES, RUNTIMES, LambdaFunction, LambdaState
from connect_sandbox.cloud.principals import RolePrincipal

#: What a function in a VPC does with the role's rights (Lambda developer guide, "Required IAM permissions").
_ON_INTERFACES = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface")
#: "Use this exact import statement", says the user guide ("cfn-response module").
# evidence: cfn-response-module
_IMPORTS_RESPONSE = re.compile(r"^\s*import cfnresponse\b", re.MULTILINE)
_REQUIRES_RESPONSE = re.compile(r"""require\(\s*["']cfn-response["']\s*\)""")
_RESPONSE_IN_PYTHON = Path(inline_cfnresponse.__file__)
_RESPONSE_IN_NODE = _RESPONSE_IN_PYTHON.with_name("inline_cfn_response.js")
_NETWORK = "the function reaches what this machine reaches: routes and security groups are not applied"


class Function(ResourceType):
    """A function from a zip, which runs in processes of its own."""

    type_name = "AWS::Lambda::Function"
    properties: ClassVar[PropertyTable] = {
        "FunctionName": SUPPORTED,
        "Code": Nested(
            {"S3Bucket": SUPPORTED, "S3Key": SUPPORTED, "S3ObjectVersion": SUPPORTED, "ZipFile": SUPPORTED}
        ),
        "Handler": SUPPORTED,
        "Runtime": Matching(RUNTIMES, OF_RUNTIMES),
        "Role": SUPPORTED,
        "Environment": SUPPORTED,
        "Timeout": SUPPORTED,
        "ReservedConcurrentExecutions": SUPPORTED,
        "LoggingConfig": Nested(
            {
                "LogGroup": SUPPORTED,
                "LogFormat": SUPPORTED,
                "ApplicationLogLevel": SUPPORTED,
                "SystemLogLevel": Recorded("the platform's lines are always written"),
            }
        ),
        "PackageType": Only(("Zip",), "container images are not run"),
        "Description": Recorded("a description is kept"),
        "MemorySize": Recorded("memory is not limited here"),
        "EphemeralStorage": Recorded("the temporary folder is this machine's"),
        "Architectures": Recorded("functions run on this machine's processor"),
        "CodeSigningConfigArn": Recorded("signatures are not checked"),
        "TracingConfig": Recorded("there is no X-Ray here"),
        "RuntimeManagementConfig": Recorded("functions run on this machine's Python or Node.js"),
        "Layers": SUPPORTED,
        "VpcConfig": Nested(
            {
                "SubnetIds": Recorded(_NETWORK),
                "SecurityGroupIds": Recorded(_NETWORK),
                "Ipv6AllowedForDualStack": Recorded(_NETWORK),
            }
        ),
        "DeadLetterConfig": Nested({"TargetArn": SUPPORTED}),
        "RecursiveLoop": Recorded("loops are not detected here"),
        "KmsKeyArn": Recorded("encryption at rest: variables live in memory"),
        "Tags": TAGS,
    }
    required = ("Code", "Role")
    name_property = "FunctionName"
    replaced_by = frozenset({"FunctionName", "PackageType"})
    attributes = ("Arn",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Create the function; its role must exist and trust Lambda."""
        name = properties.get("FunctionName") or context.physical_name(limit=64)
        _check_role(context, properties)
        function = _state(context).create(
            name=name, code=_code(context, properties), **_settings(context, properties)
        )
        return Created(name, {"Arn": function.arn})

    def update(
        self, context: Context, existing: Created, _old: dict[str, Any], new: dict[str, Any]
    ) -> Created:
        """Change code and configuration."""
        _check_role(context, new)
        _state(context).update(existing.physical_id, code=_code(context, new), **_settings(context, new))
        return existing

    def delete(self, context: Context, existing: Created, _properties: dict[str, Any]) -> None:
        """Delete the function."""
        try:
            _state(context).delete(existing.physical_id)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
        context.services.functions.end(existing.physical_id)


class Permission(ResourceType):
    """One statement of a function's resource policy."""

    type_name = "AWS::Lambda::Permission"
    properties: ClassVar[PropertyTable] = {
        "Action": SUPPORTED,
        "FunctionName": SUPPORTED,
        "Principal": SUPPORTED,
        "SourceAccount": SUPPORTED,
        "SourceArn": SUPPORTED,
        "PrincipalOrgID": Only((), "there is no organization here"),
        "EventSourceToken": Only((), "Alexa skills are not reproduced"),
        "FunctionUrlAuthType": Only((), "function URLs are not reproduced"),
    }
    required = ("Action", "FunctionName", "Principal")
    attributes = ("Id",)

    def create(self, context: Context, properties: dict[str, Any]) -> Created:
        """Add the statement."""
        function = _state(context).get(properties["FunctionName"])
        sid = context.physical_name(limit=100)
        statement = permission_statement(
            function,
            sid=sid,
            action=properties["Action"],
            principal=properties["Principal"],
            source_account=properties.get("SourceAccount"),
            source_arn=properties.get("SourceArn"),
        )
        function.statements.append(statement)
        function.touch()
        return Created(sid, {"Id": sid})

    def delete(self, context: Context, existing: Created, properties: dict[str, Any]) -> None:
        """Remove the statement."""
        try:
            function: LambdaFunction = _state(context).get(properties["FunctionName"])
        except AwsError:
            return
        function.statements[:] = [s for s in function.statements if s["Sid"] != existing.physical_id]
        function.touch()


def _state(context: Context) -> LambdaState:
    state: LambdaState = context.services.lambda_state
    return state


def _settings(context: Context, properties: dict[str, Any]) -> dict[str, Any]:
    reserved = properties.get("ReservedConcurrentExecutions")
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    return {
        "role": properties["Role"],
        "runtime": properties.get("Runtime", ""),
        "handler": properties.get("Handler", ""),
        "timeout": int(properties.get("Timeout", 3)),
        "memory": int(properties.get("MemorySize", 128)),
        "description": properties.get("Description", ""),
        "environment": {name: _text(value) for name, value in variables.items()},
        "architectures": properties.get("Architectures", ["x86_64"]),
        "reserved_concurrency": None if reserved is None else int(reserved),
        "logging": dict(properties.get("LoggingConfig") or {}),
        "tracing": (properties.get("TracingConfig") or {}).get("Mode", "PassThrough"),
        "ephemeral_storage": int((properties.get("EphemeralStorage") or {}).get("Size", 512)),
        "tags": merged_tags(context, properties.get("Tags")),
        "layers": list(properties.get("Layers") or []),
        "vpc": dict(properties.get("VpcConfig") or {}),
        "dead_letter_arn": (properties.get("DeadLetterConfig") or {}).get("TargetArn", ""),
    }


def _check_role(context: Context, properties: dict[str, Any]) -> None:
    """Refuse a role that Lambda cannot assume, or that may not do what the configuration takes."""
    authorization, role = context.services.authorization, properties["Role"]
    authorization.require_lambda_may_assume(role)
    needed: list[tuple[str, str, str]] = []
    if (properties.get("VpcConfig") or {}).get("SubnetIds"):
        needed += [(f"ec2:{name}", "*", "EC2") for name in _ON_INTERFACES]
    target = (properties.get("DeadLetterConfig") or {}).get("TargetArn")
    if target:
        service = target.split(":")[2]
        needed.append(({"sqs": "sqs:SendMessage", "sns": "sns:Publish"}[service], target, service.upper()))
    for action, resource, service in needed:
        # evidence: lambda-execution-role-checks
        decision = authorization.decide(RolePrincipal(role, "lambda"), action, resource)
        if not decision.allowed:
            message = (
                f"The provided execution role does not have permissions to call {action.partition(':')[2]} on "
                f"{service} [sandbox: {decision.message}]"
            )
            raise AwsError("InvalidParameterValueException", message)


def _code(context: Context, properties: dict[str, Any]) -> bytes:
    code = properties["Code"]
    if "ZipFile" in code:
        files = _inline(code["ZipFile"], is_python=properties.get("Runtime", "").startswith("python"))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in files.items():
                # A fixed date: the same text makes the same zip.
                archive.writestr(zipfile.ZipInfo(name), text)
        return buffer.getvalue()
    request = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
    if "S3ObjectVersion" in code:
        request["VersionId"] = code["S3ObjectVersion"]
    body: bytes = context.client("s3").get_object(**request)["Body"].read()
    return body


def _inline(source: str, *, is_python: bool) -> dict[str, str]:
    """Return the files of an inline function; CloudFormation adds its module for answers, if the source asks for it."""
    index = {"index.py" if is_python else "index.js": source}
    if is_python and _IMPORTS_RESPONSE.search(source):
        return {**index, "cfnresponse.py": _RESPONSE_IN_PYTHON.read_text(encoding="utf-8")}
    if not is_python and _REQUIRES_RESPONSE.search(source):
        text = _RESPONSE_IN_NODE.read_text(encoding="utf-8")
        return {**index, "node_modules/cfn-response/index.js": text}
    return index


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


TYPES = (Function(), Permission())
