"""What the sandbox needs of moto below its public interface is there, under the names that it knows."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import get_args

import connect_sandbox
import pytest
from connect_sandbox import moto_internals
from connect_sandbox.moto_internals import RegionalService, backend, iam, sts

PACKAGE = Path(connect_sandbox.__file__).parent
ADAPTER = Path(moto_internals.__file__)
ACCOUNT = "123456789012"


def imported(path: Path) -> list[tuple[str, str]]:
    """Return (module, name) of everything that a file imports, at any depth."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
    return found


USED = [(module, name) for module, name in imported(ADAPTER) if module.split(".")[0] == "moto"]
BACKENDS = {
    "cloudwatch": ("alarms", "put_metric_alarm"),
    "dynamodb": ("tables",),
    "events": ("event_buses",),
    "kms": ("keys", "get_key_id_from_alias"),
    "logs": ("groups",),
    "secretsmanager": ("secrets",),
    "sns": ("topics",),
    "sqs": ("queues", "send_message"),
}


def test_no_other_module_imports_moto() -> None:
    others = [path for path in PACKAGE.rglob("*.py") if path != ADAPTER]
    assert len(others) > 50
    assert [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in others
        for module, _ in imported(path)
        if module.split(".")[0] == "moto"
    ] == []


@pytest.mark.parametrize(("module", "name"), USED, ids=".".join)
def test_moto_still_has(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name), f"moto has moved {module}.{name}"


def test_the_list_is_not_empty() -> None:
    assert len(USED) >= 10


@pytest.mark.parametrize("service", get_args(RegionalService))
def test_a_backend_still_keeps_its_resources_under(service: RegionalService) -> None:
    found = backend(service, ACCOUNT, "us-east-1")
    missing = [name for name in BACKENDS[service] if not hasattr(found, name)]
    assert missing == [], f"moto has moved {', '.join(missing)} of {service}"


def test_iam_and_sts_still_keep_theirs() -> None:
    missing = [
        name
        for name in ("roles", "users", "managed_policies", "access_keys")
        if not hasattr(iam(ACCOUNT), name)
    ]
    missing += [
        name
        for name in ("assume_role", "get_assumed_role_from_access_key")
        if not hasattr(sts(ACCOUNT), name)
    ]
    assert missing == []


def test_a_request_goes_through_route_parser_and_serializer() -> None:
    body = b'{"SecretId": "app/token"}'
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "secretsmanager.GetSecretValue",
    }
    operation, protocol, request = moto_internals.route(
        "secretsmanager", "POST", "http://localhost/", headers, body
    )
    assert (operation.name, protocol) == ("GetSecretValue", "json")
    assert moto_internals.read_parameters(operation, protocol, request)["SecretId"] == "app/token"
    status, _, answer = moto_internals.write_answer(operation, protocol, {"Name": "app/token"}, "request-1")
    assert (status, answer) == (200, b'{"Name": "app/token"}')


def test_a_path_that_no_operation_has_is_said_so() -> None:
    with pytest.raises(moto_internals.NoSuchRouteError, match=r"GET /nowhere of lambda"):
        moto_internals.route("lambda", "GET", "http://localhost/nowhere", {}, b"")


def test_aws_managed_policies_are_known_by_name() -> None:
    name = "AWSLambdaBasicExecutionRole"
    assert name in moto_internals.aws_managed_policies()
    assert moto_internals.aws_managed_policy(name, ACCOUNT).arn.endswith(f"policy/service-role/{name}")
