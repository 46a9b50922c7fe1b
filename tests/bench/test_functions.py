from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.functions import functions_of, resolve

RESOURCES = {
    "Token": {"Type": "AWS::SecretsManager::Secret"},
    "Table": {"Type": "AWS::DynamoDB::GlobalTable"},
    "Key": {"Type": "AWS::KMS::Key"},
}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:Token-AbCdEf"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "Token"}, SECRET),
        ({"Ref": "Table"}, "Table"),
        (
            {"Fn::GetAtt": ["Key", "Arn"]},
            "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        ),
        ({"Fn::Join": ["", ["a-", {"Ref": "AWS::AccountId"}]]}, "a-123456789012"),
        ({"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "Token"}]}]}, "Token-AbCdEf"),
    ],
)
def test_a_reference_becomes_what_it_might_be_in_an_account(value: object, expected: str) -> None:
    assert resolve(value, RESOURCES) == expected


def test_an_intrinsic_function_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match=r'"Fn::Sub"'):
        resolve({"Fn::Sub": "x"}, RESOURCES)


def test_functions_of_ours_are_found_with_zip_and_environment(tmp_path: Path) -> None:
    code = {"S3Key": "1234.zip"}
    template = {
        "Resources": {
            **RESOURCES,
            "Store": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Handler": "runtime.metadata.store.handler",
                    "Code": code,
                    "Environment": {"Variables": {"SECRET": {"Ref": "Token"}}},
                },
            },
            "Provider": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Handler": "framework.onEvent", "Code": code},
            },
        }
    }
    assets = {"files": {"1234": {"source": {"path": "asset.1234.zip"}}}}
    (tmp_path / "users-stack.template.json").write_text(json.dumps(template))
    (tmp_path / "users-stack.assets.json").write_text(json.dumps(assets))

    [store] = functions_of(tmp_path)

    assert (store.module, store.archive) == ("metadata.store", tmp_path / "asset.1234.zip")
    assert store.environment == {"SECRET": SECRET}
