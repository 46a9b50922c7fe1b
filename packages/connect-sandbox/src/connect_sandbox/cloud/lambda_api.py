"""The Lambda API over HTTP: Invoke, and reading and changing functions as boto3 users do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from botocore.model import StructureShape

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
from connect_sandbox.moto_internals import Operation, enum_of, members_of

_INVOKE = re.compile(r"^/2015-03-31/functions/([^/]+)/invocations/?$")
# The patterns are told in refusals, as Lambda tells them.
_NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER = re.compile(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
#: Number of the group of _NAME that is the version or alias.
_OWN_QUALIFIER = 13
_LONGEST_QUALIFIER = 128
#: Who may be in a resource policy: everybody, an account, a service, or somebody's ARN.
_PRINCIPAL = re.compile(r"\*|\d{12}|[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?|arn:aws[\w-]*:(?:iam|sts)::.+")
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
        raise AwsError(
            "ResourceConflictException",
            f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
            "existing statement.",
            409,
        )
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
            function = self._located(name, qualifier, latest=True)
            _check_payload(request.body)
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

    def _located(self, name: str, qualifier: str | None = None, *, latest: bool = False) -> LambdaFunction:
        """Return a function, a version or what an alias stands for, by a name and the request's qualifier.

        `latest`: an unknown function is told with the qualifier $LATEST, as some operations do.
        """
        problems = []
        if qualifier is not None and len(qualifier) > _LONGEST_QUALIFIER:
            constraint = f"Member must have length less than or equal to {_LONGEST_QUALIFIER}"
            problems.append(_problem("qualifier", qualifier, constraint))
        elif qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
            constraint = f"Member must satisfy regular expression pattern: {_QUALIFIER.pattern}"
            problems.append(_problem("qualifier", qualifier, constraint))
        found = _NAME.fullmatch(name)
        if found is None:
            constraint = f"Member must satisfy regular expression pattern: {_NAME.pattern}"
            problems.append(_problem("functionName", name, constraint))
        if found is None or problems:
            count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
            raise AwsError("ValidationException", count + "; ".join(problems))
        own = found[_OWN_QUALIFIER]
        if own and qualifier and own != qualifier:
            raise AwsError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier.",
            )
        wanted = qualifier or own
        base = name[: -len(own) - 1] if own else name
        try:
            self._state.get(base)
        except AwsError as error:
            ending = f":{wanted or '$LATEST'}" if wanted or latest else ""
            raise AwsError(error.code, error.message + ending, error.status) from error
        return self._state.get(f"{base}:{wanted}" if wanted else base)

    def _validate(self, operation: Operation, parameters: dict[str, Any]) -> None:
        runtime, shape = parameters.get("Runtime"), operation.input_shape
        if isinstance(runtime, str) and isinstance(shape, StructureShape):
            known = enum_of(members_of(shape)["Runtime"])
            if runtime not in known:
                raise AwsError(
                    "InvalidParameterValueException",
                    f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                    f"[{', '.join(known)}] or be a valid ARN",
                )
        super()._validate(operation, parameters)

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

    def get_function(self, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
        """Return a function's configuration."""
        function = self._located(function_name, qualifier)
        code = {"RepositoryType": "S3"}
        return {"Configuration": function.configuration(), "Code": code, "Tags": function.tags}

    def get_function_configuration(self, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
        """Return a function's configuration."""
        return self._located(function_name, qualifier).configuration()

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
        function = self._located(function_name, latest=True)
        name = function.name
        if _qualified(function_name):
            raise AwsError(
                "InvalidParameterValueException",
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN.",
            )
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

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        """Delete a function."""
        wanted = qualifier or _qualified(function_name)
        if wanted == "$LATEST":
            raise AwsError(
                "InvalidParameterValueException",
                "$LATEST version cannot be deleted without deleting the function.",
            )
        if wanted:
            raise NotEmulatedError("lambda:DeleteFunction of one version", "delete the function")
        name = self._located(function_name).name
        self._state.delete(name)
        self._functions.end(name)

    def get_policy(self, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
        """Return a function's resource policy."""
        try:
            function = self._located(function_name, qualifier)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise AwsError(error.code, "The resource you requested does not exist.", 404) from error
        if not function.statements:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return {"Policy": json.dumps(function.policy), "RevisionId": function.revision}

    def add_permission(
        self, function_name: str, statement_id: str, action: str, principal: str, **request: Member
    ) -> dict[str, Any]:
        """Add a statement to a function's resource policy."""
        qualifier = request.get("qualifier")
        if (qualifier or _qualified(function_name)) == "$LATEST":
            raise AwsError(
                "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."
            )
        if not _PRINCIPAL.fullmatch(principal):
            raise AwsError(
                "InvalidParameterValueException",
                "The provided principal was invalid. Please check the principal and try again.",
            )
        function = self._located(function_name, qualifier)
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

    def remove_permission(self, function_name: str, statement_id: str, **request: Member) -> None:
        """Take a statement from a function's resource policy."""
        try:
            function = self._located(function_name, request.get("qualifier"))
        except AwsError as error:
            message = error.message.replace("Function not found: ", "No policy found for: ")
            raise AwsError(error.code, message, error.status) from error
        if not function.statements:
            raise AwsError(
                "ResourceNotFoundException", "No policy is associated with the given resource.", 404
            )
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


def _qualified(name: str) -> str:
    """Return the version or alias that a name ends with, or an empty text."""
    found = _NAME.fullmatch(name)
    return (found[_OWN_QUALIFIER] or "") if found else ""


def _problem(member: str, value: str, constraint: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"


def _check_payload(body: bytes) -> None:
    """Raise InvalidRequestContentException for an event that is no JSON, in the words of Lambda's parser."""
    expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    try:
        json.loads(body.decode() or "{}")
    except UnicodeDecodeError as error:
        code = body[error.start]
        wrong = (
            f"Unexpected character ((CTRL-CHAR, code {code})): expected a valid value {expected}"
            if error.start == 0
            else f"Invalid UTF-8 start byte 0x{code:x}"
        )
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :]
        token = re.match(r"\w+", rest)
        character = rest[:1]
        wrong = (
            f"Unrecognized token '{token[0]}': was expecting {expected}"
            if token
            else f"Unexpected character ('{character}' (code {ord(character)})): expected a valid value {expected}"
            if character
            else "Unexpected end-of-input"
        )
    except RecursionError:
        wrong = "Document nesting depth exceeds the maximum allowed"
    else:
        return
    message = f"Could not parse request body into json: Could not parse payload into json: {wrong}"
    raise AwsError("InvalidRequestContentException", message)


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
