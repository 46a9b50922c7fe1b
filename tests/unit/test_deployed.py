"""What constructs tell of themselves, read from a template that is not deployed yet."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from connect_bridges.operations.deployed import DeployedError, in_assembly, in_template


def _template(facts: Mapping[str, object]) -> dict[str, object]:
    handle = {
        "Type": "AWS::CloudFormation::WaitConditionHandle",
        "Metadata": {
            "aws:cdk:path": "stack/Metadata/Description",
            "connect-bridges": {
                "format": 1,
                "construct": "MetadataBridge",
                "path": "stack/Metadata",
                **facts,
            },
        },
    }
    others = {
        "SomebodyElses": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Topic": {"Type": "AWS::SNS::Topic", "Metadata": {"aws:cdk:path": "stack/Topic"}},
    }
    return {"Resources": {"Description": handle, **others}}


def test_what_only_cloudformation_will_know_is_none() -> None:
    facts = {
        "tokenHeader": "authorizationToken",
        "secrets": {"token": {"arn": {"Ref": "Token"}, "fields": []}},
        "functions": {"Store": {"Ref": "Store"}, "Retrieve": "by-name"},
        "url": {"Fn::Join": ["", ["https://", {"Ref": "Rest"}, ".execute-api.", {"Ref": "AWS::Region"}]]},
        "queues": [{"Fn::Sub": "arn:${AWS::Partition}:connect:${AWS::Region}"}, {"Fn::ImportValue": "Queue"}],
        "instanceArn": {
            "Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, "connect", {"Ref": "AWS::Region"}]]
        },
    }
    stack = in_template("stack", _template(facts), account="123456789012", region="us-west-2")
    (bridge,) = stack.bridges
    assert (bridge.construct, bridge.path, bridge.logical_id) == (
        "MetadataBridge",
        "stack/Metadata",
        "Description",
    )
    assert bridge.text("url") is None
    assert bridge.text("instanceArn") == "arn:aws:connect:us-west-2"
    assert bridge.texts("functions") == ["by-name"]
    assert bridge.facts["secrets"] == {"token": {"arn": None, "fields": []}}
    assert bridge.facts["queues"][1] is None
    assert not stack.deployed


def test_a_newer_form_is_refused() -> None:
    with pytest.raises(DeployedError, match="format 2, and this version of connect-bridges reads 1"):
        in_template("stack", _template({"format": 2}))


def test_a_folder_without_an_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployedError, match="npx cdk synth --output"):
        in_assembly(tmp_path)


def test_stacks_are_found_in_stages_too(tmp_path: Path) -> None:
    inner = tmp_path / "assembly-Prod"
    inner.mkdir()
    (inner / "s.template.json").write_text(json.dumps(_template({})))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/eu-west-2",
        "properties": {"templateFile": "s.template.json", "stackName": "Prod-voice"},
    }
    (inner / "manifest.json").write_text(
        json.dumps({"artifacts": {"ProdVoice": stack, "Tree": {"type": "cdk:tree"}}})
    )
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"assembly-Prod": nested}}))
    (found,) = in_assembly(tmp_path)
    assert (found.name, found.account, found.region) == ("Prod-voice", None, "eu-west-2")
    assert found.bridges[0].construct == "MetadataBridge"
