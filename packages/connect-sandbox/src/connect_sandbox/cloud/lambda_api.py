"""The Lambda API over HTTP: Invoke, and reading and changing functions as boto3 users do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from connect_sandbox.cloud.authorization import Authorization
from connect_sandbox.cloud.aws_service import AwsService, error_response
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError, SandboxError
from connect_sandbox.cloud.faults import Faults
from connect_sandbox.cloud.functions import Functions
from connect_sandbox.cloud.http import HttpRequest, HttpResponse
from connect_sandbox.cloud.lambda_state import LambdaFunction, LambdaState
from connect_sandbox.cloud.lambda_versions import Alias
from connect_sandbox.cloud.triggers.asynchronous import AsyncInvocations
from connect_sandbox.cloud.values import Member

_INVOKE = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations/?$")
_SETTINGS = {
    "role": "role",
    "handler": "handler",
    "timeout": "timeout",
    "memory_size": "memory",
    "runtime": "runtime",
}


def permission_statement(
    function: LambdaFunction,
    *,
    sid: str,
    action: str,
    principal: str,
    source_account: str | None = None,
    source_arn: str | None = None,
) -> dict[str, Any]:
    """Return the policy statement that Lambda makes of an AddPermission request."""
    if any(statement["Sid"] == sid for statement in function.statements):
        raise AwsError("ResourceConflictException", f"The statement id ({sid}) provided already exists.", 409)
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {_principal_kind(principal): _principal_name(principal)},
        "Action": action,
        "Resource": function.arn,
    }
    condition: dict[str, Any] = {}
    if source_account:
        condition["StringEquals"] = {"AWS:SourceAccount": source_account}
    if source_arn:
        condition["ArnLike"] = {"AWS:SourceArn": source_arn}
    return {**statement, "Condition": condition} if condition else statement


class LambdaApi(AwsService):
    """Answers Lambda calls from the sandbox's functions."""

    service_name = "lambda"
    invalid_parameter_code = "InvalidParameterValueException"
    constraint_code = "ValidationException"

    def __init__(
        self,
        faults: Faults,
        *,
        state: LambdaState,
        functions: Functions,
        authorization: Authorization,
        read_s3: Callable[[str, str], bytes],
        asynchronous: AsyncInvocations,
    ) -> None:
        """`read_s3` returns an object's bytes, for code given by bucket and key."""
        super().__init__(faults)
        self._state = state
        self._functions = functions
        self._authorization = authorization
        self._read_s3 = read_s3
        self._asynchronous = asynchronous

    def invoke_over_http(self, request: HttpRequest) -> HttpResponse | None:
        """Answer Invoke; None if the request is another operation. Authorised by the front already."""
        found = _INVOKE.match(request.raw_path)
        if found is None or request.method != "POST":
            return None
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        try:
            name, qualifier = unquote(found[1]), dict(request.query).get("Qualifier")
            function = self._state.get(f"{name}:{qualifier}" if qualifier else name)
            if kind == "DryRun":
                return HttpResponse(204)
            if kind == "Event":
                text = request.body.decode() or "{}"
                return HttpResponse(
                    202, [("x-amzn-RequestId", self._asynchronous.submit(None, function.arn, text))]
                )
            context = _client_context(request.headers.get("X-Amz-Client-Context"))
            invocation = self._functions.invoke_authorised(
                function, request.body, context, by=self._functions.told.caller()
            )
        except AwsError as error:
            return error_response(error, "rest-json")
        except SandboxError as refusal:
            return error_response(AwsError("NotImplemented", str(refusal), 501), "rest-json")
        headers = [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", invocation.request_id),
            ("X-Amz-Executed-Version", function.version),
        ]
        if invocation.function_error:
            headers.append(("X-Amz-Function-Error", invocation.function_error))
        if request.headers.get("X-Amz-Log-Type") == "Tail":
            tail = "\n".join(invocation.logs).encode()[-4096:]
            headers.append(("X-Amz-Log-Result", base64.b64encode(tail).decode()))
        return HttpResponse(200, headers, invocation.payload)

    def create_function(
        self, function_name: str, role: str, code: dict[str, Any], **settings: Member
    ) -> dict[str, Any]:
        """Create a function from a zip."""
        refused = set(settings) - {"runtime", "handler", "timeout", "memory_size", "environment", "description", "tags",
                                   "architectures", "logging_config", "package_type", "publish"}  # fmt: skip
        if refused:
            raise NotEmulatedError(
                f"lambda:CreateFunction {', '.join(sorted(refused))}", "not reproduced here"
            )
        self._authorization.require_lambda_may_assume(role)
        function = self._state.create(
            name=function_name,
            role=role,
            code=self._code(code),
            runtime=settings.get("runtime", ""),
            handler=settings.get("handler", ""),
            timeout=settings.get("timeout", 3),
            memory=settings.get("memory_size", 128),
            environment=(settings.get("environment") or {}).get("Variables", {}),
            description=settings.get("description", ""),
            tags=settings.get("tags", {}),
            architectures=settings.get("architectures", ["x86_64"]),
            logging=settings.get("logging_config", {}),
        )
        return function.configuration()

    def update_function_code(self, function_name: str, **settings: Member) -> dict[str, Any]:
        """Replace a function's zip."""
        keys = {"zip_file": "ZipFile", "s3_bucket": "S3Bucket", "s3_key": "S3Key"}
        code = {name: settings[key] for key, name in keys.items() if key in settings}
        return self._state.update(self._state.get(function_name).name, code=self._code(code)).configuration()

    def update_function_configuration(self, function_name: str, **settings: Member) -> dict[str, Any]:
        """Change a function's settings."""
        changes = {attribute: settings.pop(name) for name, attribute in _SETTINGS.items() if name in settings}
        if "environment" in settings:
            changes["environment"] = settings.pop("environment").get("Variables", {})
        if settings:
            raise NotEmulatedError(
                f"lambda:UpdateFunctionConfiguration {', '.join(sorted(settings))}", "not reproduced"
            )
        return self._state.update(self._state.get(function_name).name, **changes).configuration()

    def get_function(self, function_name: str, **_request: Member) -> dict[str, Any]:
        """Return a function's configuration."""
        function = self._state.get(function_name)
        code = {"RepositoryType": "S3"}
        return {"Configuration": function.configuration(), "Code": code, "Tags": function.tags}

    def get_function_configuration(self, function_name: str, **_request: Member) -> dict[str, Any]:
        """Return a function's configuration."""
        return self._state.get(function_name).configuration()

    def publish_version(self, function_name: str, **request: Member) -> dict[str, Any]:
        """Publish what a function is now."""
        function = self._state.get(function_name)
        version, _ = self._state.versions.publish(function, request.get("description", ""))
        return version.configuration()

    def list_versions_by_function(self, function_name: str, **_request: Member) -> dict[str, Any]:
        """List a function's versions, $LATEST first."""
        function = self._state.get(function_name)
        versions = [function, *self._state.versions.of(function.name)]
        return {"Versions": [one.configuration() for one in versions]}

    def list_aliases(self, function_name: str, **_request: Member) -> dict[str, Any]:
        """List a function's aliases."""
        function = self._state.get(function_name)
        return {"Aliases": [_alias(function, one) for one in self._state.versions.aliases(function.name)]}

    def get_alias(self, function_name: str, name: str) -> dict[str, Any]:
        """Return one alias."""
        function = self._state.get(function_name)
        found = next((one for one in self._state.versions.aliases(function.name) if one.name == name), None)
        if found is None:
            message = f"Cannot find alias arn: {function.arn}:{name}"
            raise AwsError("ResourceNotFoundException", message, 404)
        return _alias(function, found)

    def get_account_settings(self) -> dict[str, Any]:
        """Return the account's limits, and what of them is used."""
        functions = self._state.all()
        usage = {"TotalCodeSize": sum(len(f.code) for f in functions), "FunctionCount": len(functions)}
        return {"AccountLimit": self._state.account_limit(), "AccountUsage": usage}

    def put_function_concurrency(
        self, function_name: str, reserved_concurrent_executions: int
    ) -> dict[str, Any]:
        """Reserve concurrent executions for a function."""
        name = self._state.get(function_name).name
        self._state.update(name, reserved_concurrency=reserved_concurrent_executions)
        return {"ReservedConcurrentExecutions": reserved_concurrent_executions}

    def get_function_concurrency(self, function_name: str) -> dict[str, Any]:
        """Return what a function has reserved."""
        reserved = self._state.get(function_name).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_function_concurrency(self, function_name: str) -> None:
        """Give the reservation up."""
        self._state.update(self._state.get(function_name).name, reserved_concurrency=None)

    def list_functions(self, **_request: Member) -> dict[str, Any]:
        """List the functions."""
        return {"Functions": [function.configuration() for function in self._state.all()]}

    def delete_function(self, function_name: str, **_request: Member) -> None:
        """Delete a function."""
        name = self._state.get(function_name).name
        self._state.delete(name)
        self._functions.end(name)

    def get_policy(self, function_name: str, **_request: Member) -> dict[str, Any]:
        """Return a function's resource policy."""
        function = self._state.get(function_name)
        if not function.statements:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return {"Policy": json.dumps(function.policy), "RevisionId": function.revision}

    def add_permission(
        self, function_name: str, statement_id: str, action: str, principal: str, **request: Member
    ) -> dict[str, Any]:
        """Add a statement to a function's resource policy."""
        function = self._state.get(function_name)
        statement = permission_statement(
            function,
            sid=statement_id,
            action=action,
            principal=principal,
            source_account=request.get("source_account"),
            source_arn=request.get("source_arn"),
        )
        function.statements.append(statement)
        function.touch()
        return {"Statement": json.dumps(statement)}

    def remove_permission(self, function_name: str, statement_id: str, **_request: Member) -> None:
        """Take a statement from a function's resource policy."""
        function = self._state.get(function_name)
        if all(statement["Sid"] != statement_id for statement in function.statements):
            raise AwsError(
                "ResourceNotFoundException", f"Statement {statement_id} is not found in resource policy.", 404
            )
        function.statements[:] = [s for s in function.statements if s["Sid"] != statement_id]
        function.touch()

    def _code(self, code: dict[str, Any]) -> bytes:
        if "ZipFile" in code:
            zip_file: bytes = code["ZipFile"]
            return zip_file
        if "S3Bucket" in code and "S3Key" in code:
            return self._read_s3(code["S3Bucket"], code["S3Key"])
        raise NotEmulatedError(
            f"code given by {', '.join(sorted(code)) or 'nothing'}", "give ZipFile or S3Bucket and S3Key"
        )


def _alias(function: LambdaFunction, alias: Alias) -> dict[str, Any]:
    return {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
    }


def _client_context(header: str) -> str | None:
    """Return the JSON of a ClientContext, which a caller gives in base64; None if there is none."""
    if not header:
        return None
    try:
        # Written anew in ASCII, since it goes on in a header.
        return json.dumps(json.loads(base64.b64decode(header, validate=True)))
    except ValueError:
        message = "Client context must be a valid Base64-encoded JSON object."
        raise AwsError("InvalidRequestContentException", message) from None


def _principal_kind(principal: str) -> str:
    return "Service" if principal.endswith(".amazonaws.com") else "AWS"


def _principal_name(principal: str) -> str:
    return f"arn:aws:iam::{principal}:root" if re.fullmatch(r"\d{12}", principal) else principal
