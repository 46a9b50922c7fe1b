"""The real CDK command line bootstraps, deploys and destroys against the sandbox."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud import CdkFailedError, Sandbox

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def assembly(tmp_path: Path) -> Any:
    """Write a cloud assembly as `cdk synth` does: a manifest, a template, a file asset."""

    def write(template: dict[str, Any]) -> Path:
        directory = tmp_path / "cdk.out"
        directory.mkdir(exist_ok=True)
        text = json.dumps(template)
        (directory / "tiny.template.json").write_text(text)
        # Named by content, as the CDK does: what is in the bucket already is not published again.
        key = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
        role = "arn:${AWS::Partition}:iam::123456789012:role/cdk-hnb659fds-{}-role-123456789012-us-east-1"
        destination = {
            "bucketName": "cdk-hnb659fds-assets-123456789012-us-east-1",
            "objectKey": key,
            "region": "us-east-1",
            "assumeRoleArn": role.replace("{}", "file-publishing"),
        }
        asset = {
            "source": {"path": "tiny.template.json", "packaging": "file"},
            "destinations": {"here": destination},
        }
        (directory / "tiny.assets.json").write_text(
            json.dumps({"version": "48.0.0", "files": {"t": asset}, "dockerImages": {}})
        )
        url = f"s3://cdk-hnb659fds-assets-123456789012-us-east-1/{key}"
        artifacts = {
            "tiny.assets": {
                "type": "cdk:asset-manifest",
                "properties": {"file": "tiny.assets.json", "requiresBootstrapStackVersion": 6},
            },
            "tiny": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://123456789012/us-east-1",
                "properties": {
                    "templateFile": "tiny.template.json",
                    "stackTemplateAssetObjectUrl": url,
                    "assumeRoleArn": role.replace("{}", "deploy"),
                    "cloudFormationExecutionRoleArn": role.replace("{}", "cfn-exec"),
                    "requiresBootstrapStackVersion": 6,
                },
                "dependencies": ["tiny.assets"],
                "displayName": "tiny",
            },
        }
        (directory / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
        return directory

    return write


@pytest.fixture(scope="module")
def bootstrapped(sandbox: Sandbox) -> Sandbox:
    sandbox.cdk("bootstrap", cwd=PROJECT)
    return sandbox


def test_deploy_update_and_destroy(bootstrapped: Sandbox, assembly: Any) -> None:
    lines: list[str] = []
    sns = bootstrapped.boto3_client("sns")
    before = len(sns.list_topics()["Topics"])
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}},
    }
    app = str(assembly(template))
    bootstrapped.cdk("deploy", "-a", app, "--method=direct", cwd=PROJECT, on_line=lines.append)

    outputs = bootstrapped.stack_outputs("tiny")
    assert outputs["Name"].startswith("tiny-Queue-")
    assert any(f"tiny.Name = {outputs['Name']}" in line for line in lines)

    template["Resources"]["Topic"] = {"Type": "AWS::SNS::Topic"}
    bootstrapped.cdk("deploy", "-a", str(assembly(template)), cwd=PROJECT)  # by change set
    assert len(sns.list_topics()["Topics"]) == before + 1

    bootstrapped.cdk("destroy", "-a", app, "--force", cwd=PROJECT)
    queues = bootstrapped.boto3_client("sqs").list_queues(QueueNamePrefix="tiny-Queue-")
    assert "QueueUrls" not in queues


def test_a_refusal_is_printed_by_the_cdk(bootstrapped: Sandbox, assembly: Any) -> None:
    app = str(assembly({"Resources": {"Machine": {"Type": "AWS::EC2::Instance"}}}))

    with pytest.raises(CdkFailedError) as failed:
        bootstrapped.cdk("deploy", "-a", app, "--method=direct", cwd=PROJECT)
    assert "the sandbox does not emulate the resource type AWS::EC2::Instance" in " ".join(
        failed.value.output.split()
    )


def test_a_failed_creation_is_deleted_and_created_anew_unless_it_is_protected(
    bootstrapped: Sandbox, assembly: Any
) -> None:
    folder = assembly({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["tiny"]["properties"]["terminationProtection"] = True
    (folder / "manifest.json").write_text(json.dumps(manifest))
    client = bootstrapped.boto3_client("cloudformation")
    bootstrapped.faults.fail_resource("tiny", "Queue", message="Rate exceeded")

    def deploy() -> str:
        with pytest.raises(CdkFailedError) as failed:
            bootstrapped.cdk("deploy", "-a", str(folder), cwd=PROJECT)
        return " ".join(failed.value.output.split())

    # The protection was on before anybody knew how it would end.
    assert "Rate exceeded" in deploy()
    assert "cannot be deleted while TerminationProtection is enabled" in deploy()
    client.update_termination_protection(StackName="tiny", EnableTerminationProtection=False)
    bootstrapped.cdk("deploy", "-a", str(folder), cwd=PROJECT)

    [stack] = client.describe_stacks(StackName="tiny")["Stacks"]
    assert (stack["StackStatus"], stack["EnableTerminationProtection"]) == ("CREATE_COMPLETE", True)
    client.update_termination_protection(StackName="tiny", EnableTerminationProtection=False)
    client.delete_stack(StackName="tiny")
    bootstrapped.deployments.wait()


@pytest.mark.parametrize("undo", [True, False])
def test_what_a_deployment_without_rollback_left_is_rolled_back_or_gone_on_with(
    bootstrapped: Sandbox, assembly: Any, undo: bool
) -> None:
    first = {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}
    second = {"Type": "AWS::SQS::Queue", "DependsOn": "First"}
    folder = str(assembly({"Resources": {"First": first, "Second": second}}))
    client = bootstrapped.boto3_client("cloudformation")
    bootstrapped.faults.fail_resource("tiny", "Second")
    with pytest.raises(CdkFailedError):
        bootstrapped.cdk("deploy", "-a", folder, "--no-rollback", cwd=PROJECT)
    assert client.describe_stacks(StackName="tiny")["Stacks"][0]["StackStatus"] == "CREATE_FAILED"

    if undo:
        bootstrapped.cdk("rollback", "-a", folder, "tiny", cwd=PROJECT)
        status, left = "ROLLBACK_COMPLETE", 0
    else:
        bootstrapped.cdk("deploy", "-a", folder, "--no-rollback", cwd=PROJECT)
        status, left = "UPDATE_COMPLETE", 2

    assert client.describe_stacks(StackName="tiny")["Stacks"][0]["StackStatus"] == status
    urls = bootstrapped.boto3_client("sqs").list_queues(QueueNamePrefix="tiny-").get("QueueUrls", [])
    assert len(urls) == left
    client.delete_stack(StackName="tiny")
    bootstrapped.deployments.wait()
    for url in bootstrapped.boto3_client("sqs").list_queues(QueueNamePrefix="tiny-").get("QueueUrls", []):
        bootstrapped.boto3_client("sqs").delete_queue(QueueUrl=url)
