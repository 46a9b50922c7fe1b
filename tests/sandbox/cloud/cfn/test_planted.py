"""What CloudFormation refuses is refused here: mistakes planted in templates, and exports that others use."""

from __future__ import annotations

from typing import Any

import pytest
from connect_sandbox.cloud import Sandbox

from tests.support.planted import PLANTED, Planted, refused


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_planted_mistake_is_refused(sandbox: Sandbox, planted: Planted) -> None:
    client = sandbox.boto3_client("cloudformation")

    said = refused(client, planted, lambda _name: sandbox.deployments.wait())

    assert planted.says in said


def exporting(value: Any, export: str = "calls-topic") -> dict[str, Any]:
    return {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"Topic": {"Value": value, "Export": {"Name": export}}},
    }


IMPORTING = {
    "Resources": {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": {"Fn::ImportValue": "calls-topic"}},
        }
    }
}


def test_an_export_in_use_stays_until_nobody_imports_it(sandbox: Sandbox, deploy: Any) -> None:
    exporter = deploy(exporting("calls"))
    importer = deploy(IMPORTING)

    refused_deletion = deploy.delete(exporter.name)
    changed = deploy(exporting("others"), name=exporter.name)
    gone = deploy({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}, name=exporter.name)

    assert refused_deletion.status == "CREATE_COMPLETE"
    assert refused_deletion.resources == exporter.resources
    assert (
        f"Delete canceled. Cannot delete export calls-topic as it is in use by {importer.name}."
        in refused_deletion.reasons
    )
    assert changed.status == gone.status == "UPDATE_ROLLBACK_COMPLETE"
    assert changed.outputs == gone.outputs == {"Topic": "calls"}
    assert f"Export calls-topic cannot be updated as it is in use by {importer.name}" in changed.reasons
    assert f"Export calls-topic cannot be deleted as it is in use by {importer.name}" in gone.reasons
    assert deploy.delete(importer.name).status == "DELETE_COMPLETE"
    assert deploy.delete(exporter.name).status == "DELETE_COMPLETE"


def test_an_export_is_free_when_its_importer_no_longer_names_it(deploy: Any) -> None:
    exporter = deploy(exporting("calls"))
    importer = deploy(IMPORTING)
    plain = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "calls"}}}}

    deploy(plain, name=importer.name)

    assert deploy(exporting("others"), name=exporter.name).status == "UPDATE_COMPLETE"


def test_an_importer_that_failed_holds_nothing(deploy: Any) -> None:
    exporter = deploy(exporting("calls"))
    broken = {"Resources": {**IMPORTING["Resources"], "Other": {"Type": "AWS::SQS::Kiosk"}}}

    assert deploy(broken).status == "ROLLBACK_COMPLETE"
    assert deploy(exporting("others"), name=exporter.name).status == "UPDATE_COMPLETE"


def test_an_output_that_imports_holds_the_export_too(deploy: Any) -> None:
    exporter = deploy(exporting("calls"))
    importer = deploy(exporting({"Fn::ImportValue": "calls-topic"}, "another"))

    assert f"in use by {importer.name}" in deploy.delete(exporter.name).reasons
    deploy.delete(importer.name)


def test_a_name_is_exported_once(deploy: Any) -> None:
    first = deploy(exporting("calls"))
    second = deploy(exporting("others"))

    assert second.status == "ROLLBACK_COMPLETE"
    assert f"Export with name calls-topic is already exported by stack {first.name}" in second.reasons
