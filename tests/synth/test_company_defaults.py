"""The recipes of docs/company-defaults.md, run as they stand there, do what the page says."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from connect_bridges import ConnectInstance

from tests.support import INSTANCE_ARN, QUEUE_ARN, ROOT, policy_statements

PAGE = ROOT / "docs/company-defaults.md"
NO_BUNDLES = {"aws:cdk:bundling-stacks": []}
Resources = dict[str, Any]


def sections() -> Iterator[tuple[str, str]]:
    """Yield the page's headings, each with the text up to the next one."""
    parts = re.split(r"^#{2,3} (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def blocks(language: str) -> dict[str, str]:
    """Return the blocks of a language by the heading that they stand under."""
    return {
        heading: code
        for heading, text in sections()
        for code in re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    }


RECIPES = blocks("python")
UNIT_TEST = "Unit tests without Docker, pip and network"


def run(recipe: str, outdir: Path, *, without: str = "") -> Resources:
    """Run a recipe in an app of its own, and return what its stack is made of; without: a line to be left out."""
    app = cdk.App(context=NO_BUNDLES, outdir=str(outdir))
    environment = cdk.Environment(account="123456789012", region="us-east-1")
    stack = cdk.Stack(app, "users-stack", env=environment)
    namespace: dict[str, Any] = {
        "__name__": "company_defaults",
        "app": app,
        "stack": stack,
        "instance": ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN),
        "queue_arn": QUEUE_ARN,
    }
    code = RECIPES[recipe]
    if without:
        assert without in code
        code = code.replace(without, "")
    exec(compile(code, f"{PAGE.name}, {recipe}", "exec"), namespace)  # noqa: S102 (our own document)
    return dict(app.synth().get_stack_by_name("users-stack").template["Resources"])


def of(resources: Resources, kind: str) -> list[dict[str, Any]]:
    found = [one.get("Properties", {}) for one in resources.values() if one["Type"] == kind]
    assert found, f"there is no {kind}"
    return found


def functions(resources: Resources) -> list[dict[str, Any]]:
    """Return the functions of the bridges, without those that the CDK makes for itself."""
    return [one for one in of(resources, "AWS::Lambda::Function") if "runtime." in one["Handler"]]


def test_every_recipe_of_the_page_is_run_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    named = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    assert len(RECIPES) == 14
    assert set(RECIPES) - named == set()


@pytest.mark.parametrize("recipe", ["VPC", "VPC for every function of an app"])
def test_in_a_vpc_a_role_may_make_its_network_interface_and_no_more(recipe: str, tmp_path: Path) -> None:
    resources = run(recipe, tmp_path)
    assert len(functions(resources)) == 3
    for function in functions(resources):
        assert len(function["VpcConfig"]["SubnetIds"]) == 2
    allowed = [
        statement
        for statement in policy_statements({"Resources": resources})
        if "ec2:CreateNetworkInterface" in statement["Action"]
    ]
    assert len(allowed) == 3
    for statement in allowed:
        assert "*" not in statement["Resource"]
        written = json.dumps(statement["Resource"])
        assert ":subnet/" in written
        assert ":security-group/" in written


def test_without_the_injector_no_function_is_in_the_vpc(tmp_path: Path) -> None:
    recipe = "VPC for every function of an app"
    resources = run(recipe, tmp_path, without="cdk.PropertyInjectors.of(stack).add(InOurVpc())")
    assert [one for one in functions(resources) if "VpcConfig" in one] == []


def test_the_boundary_is_on_every_role_and_on_the_vendors_user(tmp_path: Path) -> None:
    resources = run("Permissions boundary", tmp_path)
    for kind in ("AWS::IAM::Role", "AWS::IAM::User"):
        for principal in of(resources, kind):
            assert "policy/developers" in json.dumps(principal["PermissionsBoundary"])


def test_tags_reach_the_connector_that_a_custom_resource_makes(tmp_path: Path) -> None:
    resources = run("Tags", tmp_path)
    wanted = {"Key": "cost-centre", "Value": "4711"}
    assert wanted in of(resources, "Custom::ExternalVoiceConnector")[0]["Tags"]
    for kind in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Logs::LogGroup"):
        assert [one for one in of(resources, kind) if wanted not in one["Tags"]] == []


def test_functions_and_api_are_traced(tmp_path: Path) -> None:
    resources = run("Tracing", tmp_path)
    assert {one["TracingConfig"]["Mode"] for one in functions(resources)} == {"Active"}
    assert of(resources, "AWS::ApiGateway::Stage")[0]["TracingEnabled"] is True


def test_logs_are_kept_a_year_under_a_key_that_cloudwatch_may_use(tmp_path: Path) -> None:
    resources = run("Log retention and log key", tmp_path)
    groups = of(resources, "AWS::Logs::LogGroup")
    assert {one["RetentionInDays"] for one in groups} == {365}
    assert [one for one in groups if "KmsKeyId" not in one] == []
    key = of(resources, "AWS::KMS::Key")[0]
    assert "logs.us-east-1.amazonaws.com" in json.dumps(key["KeyPolicy"])


def test_table_token_and_logs_are_under_one_key(tmp_path: Path) -> None:
    resources = run("One key for data and logs", tmp_path)
    assert len(of(resources, "AWS::KMS::Key")) == 1
    for kind in ("AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"):
        assert [one for one in of(resources, kind) if "KmsKeyId" not in one] == []
    (table,) = of(resources, "AWS::DynamoDB::GlobalTable")
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert "KMSMasterKeyId" in table["Replicas"][0]["SSESpecification"]


def test_functions_run_on_the_other_processor(tmp_path: Path) -> None:
    resources = run("Processor architecture", tmp_path)
    assert [one["Architectures"] for one in functions(resources)] == [["x86_64"]] * 3


def test_memory_is_for_all_and_concurrency_for_one(tmp_path: Path) -> None:
    made = functions(run("Memory and reserved concurrency", tmp_path))
    assert [one["MemorySize"] for one in made] == [512] * 3
    reserved = {
        one["Handler"]: one["ReservedConcurrentExecutions"]
        for one in made
        if "ReservedConcurrentExecutions" in one
    }
    assert reserved == {"runtime.metadata.retrieve.handler": 50}


def test_another_runtime_is_injected(tmp_path: Path) -> None:
    assert {one["Runtime"] for one in functions(run("Runtime", tmp_path))} == {"python3.13"}


def test_what_functions_depend_on_is_pure_python() -> None:
    """Otherwise another runtime would need other wheels than those in the zip."""
    locked = {
        name
        for lock in (ROOT / "runtime").rglob("requirements.txt")
        for name in re.findall(r"^([\w-]+)==", lock.read_text(), re.MULTILINE)
    }
    assert locked == {"aws-lambda-powertools", "jmespath", "twilio", "typing-extensions"}


def test_nothing_of_a_test_environment_stays_behind(tmp_path: Path) -> None:
    resources = run("Removal policies", tmp_path)
    kept = {one["Type"] for one in resources.values() if one.get("DeletionPolicy", "Delete") != "Delete"}
    # The role with which API Gateway logs is the account's, and other APIs use it.
    assert kept == {"AWS::ApiGateway::Account", "AWS::IAM::Role"}
    (table,) = of(resources, "AWS::DynamoDB::GlobalTable")
    assert [one.get("DeletionProtectionEnabled", False) for one in table["Replicas"]] == [False]


def test_cdk_nag_has_nothing_to_say(tmp_path: Path) -> None:
    run("cdk-nag", tmp_path)
    report = json.loads((tmp_path / "validation-report.json").read_text())
    conclusions = {plugin["pluginName"]: plugin["conclusion"] for plugin in report["pluginReports"]}
    assert conclusions["AwsSolutions"] == "success"


def test_an_aspect_changes_and_judges_what_the_constructs_made(tmp_path: Path) -> None:
    resources = run("Aspects", tmp_path)
    assert {one["RetentionInDays"] for one in of(resources, "AWS::Logs::LogGroup")} == {365}
    metadata = json.loads((tmp_path / "users-stack.metadata.json").read_text())
    told = [
        path
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:warning" and "Trace this function" in entry["data"]
    ]
    assert len(told) == 3


def test_a_unit_test_of_an_app_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(cache))
    monkeypatch.setenv("PATH", "/nowhere")
    namespace: dict[str, Any] = {}
    exec(compile(RECIPES[UNIT_TEST], f"{PAGE.name}, {UNIT_TEST}", "exec"), namespace)  # noqa: S102 (our own document)
    tests: list[Callable[[], None]] = [one for name, one in namespace.items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0]()
    assert not cache.exists()


def test_the_unit_test_of_the_page_can_fail() -> None:
    code = RECIPES[UNIT_TEST].replace("hours(1)", "hours(2)")
    namespace: dict[str, Any] = {}
    exec(compile(code, PAGE.name, "exec"), namespace)  # noqa: S102 (our own document)
    with pytest.raises(RuntimeError, match="TTL_SECONDS"):
        namespace["test_metadata_is_kept_for_an_hour"]()


def test_without_bundles_the_template_is_the_same(tmp_path: Path) -> None:
    """What the page promises of the context value: it changes the names of the zips, and nothing else."""
    templates = []
    for context in (NO_BUNDLES, {}):
        app = cdk.App(context=context)
        stack = cdk.Stack(app, "Same", env=cdk.Environment(account="123456789012", region="us-east-1"))
        namespace = {"stack": stack, "instance": ConnectInstance.from_arn(stack, "Instance", INSTANCE_ARN)}
        exec(RECIPES["Processor architecture"], namespace)  # noqa: S102 (our own document)
        template = json.dumps(assertions.Template.from_stack(stack).to_json(), indent=1)
        templates.append(re.sub(r"\b[0-9a-f]{64}\.zip", "ZIP", template))
    assert templates[0] == templates[1]
    assert templates[0].count("ZIP") == 3


def test_the_files_for_uv_are_well_formed() -> None:
    project = tomllib.loads(blocks("toml")["uv"])["project"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [ours["name"]]
    assert project["requires-python"] == ours["requires-python"]
    assert json.loads(blocks("json")["uv"])["app"].startswith("uv run ")
    text = dict(sections())["uv"]
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text):
        assert f"def {test}(" in (ROOT / file).read_text()
