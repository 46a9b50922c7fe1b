"""The published OpenAPI documents say what the templates deploy and the functions answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import assertions
from connect_bridges import (
    BiometricsTelephony,
    ConnectInstance,
    MetadataBridge,
    VoiceBiometricGate,
)

from runtime.metadata.models import ATTRIBUTE_BODY_LIMIT, CONNECT_RESPONSE_LIMIT
from runtime.metadata.request import MAX_DEPTH, MAX_NUMBER_LENGTH
from tests.support import QUEUE_ARN, ROOT

DOCUMENTS = ROOT / "docs/openapi"


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (verb.upper(), path): operation
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }


class Deployed:
    """What a template says of its one REST API."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.resources = assertions.Template.from_stack(stack).to_json()["Resources"]
        parts = self._named("AWS::ApiGateway::Resource")
        self.methods = {
            (method["HttpMethod"], self._path(method["ResourceId"]["Ref"], parts)): method
            for method in self._named("AWS::ApiGateway::Method").values()
        }
        self.refusals = {
            one["ResponseType"]: one for one in self._named("AWS::ApiGateway::GatewayResponse").values()
        }

    def _named(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == kind}

    def _path(self, name: str, parts: dict[str, dict[str, Any]]) -> str:
        parent = parts[name]["ParentId"]
        above = self._path(parent["Ref"], parts) if "Ref" in parent else ""
        return f"{above}/{parts[name]['PathPart']}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return list(self._named(kind).values())


@pytest.fixture
def metadata_api(stack: cdk.Stack, instance: ConnectInstance) -> Deployed:
    MetadataBridge(stack, "Metadata", instance=instance, contact_tokens=True)
    return Deployed(stack)


@pytest.fixture
def webhook(stack: cdk.Stack, instance: ConnectInstance) -> Deployed:
    telephony = BiometricsTelephony.twilio("+12065550188")
    VoiceBiometricGate(stack, "Gate", instance=instance, telephony=telephony, queue_arn=QUEUE_ARN)
    return Deployed(stack)


def required_by_the_gateway(method: dict[str, Any]) -> set[tuple[str, str]]:
    places = {"querystring": "query", "header": "header"}
    return {
        (places[name.split(".")[2]], name.split(".", 3)[3])
        for name, required in method["RequestParameters"].items()
        if required
    }


def required_by(document: dict[str, Any], operation: dict[str, Any]) -> set[tuple[str, str]]:
    parameters = [resolved(document, one) for one in operation["parameters"]]
    return {(one["in"], one["name"]) for one in parameters if one["required"] and one["in"] != "path"}


def test_paths_methods_and_parameters_of_the_metadata_api_are_those_deployed(metadata_api: Deployed) -> None:
    published = document("metadata")
    assert set(operations(published)) == set(metadata_api.methods)
    for name, operation in operations(published).items():
        assert required_by(published, operation) == required_by_the_gateway(metadata_api.methods[name])
    [authorizer] = metadata_api.of("AWS::ApiGateway::Authorizer")
    [scheme] = published["components"]["securitySchemes"].values()
    assert authorizer["IdentitySource"] == f"method.request.header.{scheme['name']}"
    [header] = [
        one["Environment"]["Variables"]["CONTACT_TOKEN_HEADER"]
        for one in metadata_api.of("AWS::Lambda::Function")
        if "CONTACT_TOKEN_HEADER" in one.get("Environment", {}).get("Variables", {})
    ]
    [operation] = operations(published).values()
    assert ("header", header) in {(one["in"], one["name"]) for one in operation["parameters"]}


def test_statuses_and_codes_of_the_metadata_api_are_those_that_gateway_and_function_give(
    metadata_api: Deployed,
) -> None:
    [operation] = operations(document("metadata")).values()
    published = {
        (status, code)
        for status, answer in operation["responses"].items()
        for code in answer.get("x-codes", [])
    }
    given = {
        (one.get("StatusCode", "default"), json.loads(body)["error"]["code"])
        for one in metadata_api.refusals.values()
        for body in one["ResponseTemplates"].values()
    }
    sources = [ROOT / "runtime/metadata" / name for name in ("request.py", "store.py")]
    for source in sources:
        text = source.read_text(encoding="utf-8")
        given |= set(re.findall(r'ApiError\(\s*(\d{3}),\s*"([A-Z_]+)"', text))
    assert published == given


def test_answers_that_ask_to_wait_say_how_long(metadata_api: Deployed) -> None:
    [operation] = operations(document("metadata")).values()
    waiting = {status for status, answer in operation["responses"].items() if "headers" in answer}
    given = {
        one["StatusCode"]
        for one in metadata_api.refusals.values()
        if "gatewayresponse.header.Retry-After" in one.get("ResponseParameters", {})
    }
    assert waiting == given


def test_the_sizes_are_those_of_the_function() -> None:
    [operation] = operations(document("metadata")).values()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["x-max-bytes"] == ATTRIBUTE_BODY_LIMIT
    assert schema["x-max-escaped-bytes"] == CONNECT_RESPONSE_LIMIT - 1
    assert schema["x-max-depth"] == MAX_DEPTH
    assert schema["x-max-number-length"] == MAX_NUMBER_LENGTH


def test_paths_methods_and_parameters_of_the_webhook_are_those_deployed(webhook: Deployed) -> None:
    published = document("voice-biometrics-webhook")
    assert set(operations(published)) == set(webhook.methods)
    for name, operation in operations(published).items():
        assert required_by(published, operation) == required_by_the_gateway(webhook.methods[name])


def test_statuses_of_the_webhook_are_those_that_gateway_and_function_give(webhook: Deployed) -> None:
    docstring = (ROOT / "runtime/biometrics/webhook.py").read_text(encoding="utf-8").split('"""')[1]
    given = set(re.findall(r"^(\d{3}) ", docstring, re.MULTILINE))
    given |= {one.get("StatusCode", "default") for one in webhook.refusals.values()}
    for operation in operations(document("voice-biometrics-webhook")).values():
        assert set(operation["responses"]) == given


@pytest.mark.parametrize("file", sorted(DOCUMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_reference_leads_somewhere(file: Path) -> None:
    published = document(file.stem)
    for reference in re.findall(r'\$ref: "([^"]+)"', file.read_text(encoding="utf-8")):
        assert resolved(published, {"$ref": reference})
