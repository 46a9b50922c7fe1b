"""What a failed creation, update or deletion leaves of a stack, and what the next operation may do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from connect_sandbox.cloud import AwsError, Sandbox

QUEUE = {"Type": "AWS::SQS::Queue"}
PARAMETER_OF_NONE = {
    "Type": "AWS::SQS::QueuePolicy",
    "Properties": {"PolicyDocument": {}, "Queues": ["http://localhost/none"]},
}


def named_queue(name: str, policy: str = "Delete", **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {"QueueName": name},
        "DeletionPolicy": policy,
        "UpdateReplacePolicy": "Retain" if policy.startswith("Retain") else "Delete",
        **more,
    }


def table(name: str, *, protected: bool = False, policy: str = "Delete") -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::GlobalTable",
        "Properties": {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "Replicas": [{"Region": "us-east-1", "DeletionProtectionEnabled": protected}],
        },
        "DeletionPolicy": policy,
    }


def failing(*after: str) -> dict[str, Any]:
    return {**PARAMETER_OF_NONE, "DependsOn": list(after)}


@pytest.fixture(autouse=True)
def clean(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.deployments.wait()
    sqs, dynamodb = sandbox.boto3_client("sqs"), sandbox.boto3_client("dynamodb")
    for url in sqs.list_queues().get("QueueUrls", []):
        sqs.delete_queue(QueueUrl=url)
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=name)


def queues(sandbox: Sandbox) -> list[str]:
    urls = sandbox.boto3_client("sqs").list_queues().get("QueueUrls", [])
    return sorted(url.rsplit("/", 1)[-1] for url in urls)


def statuses(stack: Any, logical_id: str) -> list[str]:
    return [e["ResourceStatus"] for e in reversed(stack.events) if e["LogicalResourceId"] == logical_id]


# -- a creation that fails


def test_retain_outlives_a_creation_that_rolls_back_and_its_name_is_in_the_way_of_the_next(
    sandbox: Sandbox, deploy: Any
) -> None:
    retained = {"Resources": {"Table": table("calls", policy="Retain"), "Odd": failing("Table")}}
    stack = deploy(retained)
    deploy.delete(stack.name)

    assert stack.status == "ROLLBACK_COMPLETE"
    assert statuses(stack, "Table")[-1] == "DELETE_SKIPPED"
    again = deploy({"Resources": {"Table": table("calls", policy="Retain")}})
    assert again.status == "ROLLBACK_COMPLETE"
    assert "Table already exists" in again.reasons


def test_retain_except_on_create_goes_with_a_creation_that_rolls_back_and_stays_when_the_stack_is_deleted(
    sandbox: Sandbox, deploy: Any
) -> None:
    kept = table("calls", policy="RetainExceptOnCreate")
    first = deploy({"Resources": {"Table": kept, "Odd": failing("Table")}})
    deploy.delete(first.name)
    again = deploy({"Resources": {"Table": kept}})
    gone = deploy.delete(again.name)

    assert first.status == "ROLLBACK_COMPLETE"
    assert statuses(first, "Table")[-1] == "DELETE_COMPLETE"
    assert again.status == "CREATE_COMPLETE"
    assert gone.status == "DELETE_COMPLETE"
    assert sandbox.boto3_client("dynamodb").list_tables()["TableNames"] == ["calls"]


def test_a_table_that_refuses_deletion_blocks_the_rollback_and_what_it_depends_on_stays(
    sandbox: Sandbox, deploy: Any
) -> None:
    protected = table("calls", protected=True, policy="RetainExceptOnCreate")
    protected["DependsOn"] = "Under"
    resources = {"Under": QUEUE, "Beside": QUEUE, "Table": protected, "Odd": failing("Table", "Beside")}
    stack = deploy({"Resources": resources})

    assert stack.status == "ROLLBACK_FAILED"
    assert statuses(stack, "Table")[-1] == "DELETE_FAILED"
    assert "protected against deletion" in stack.reasons
    assert "The following resource(s) failed to delete: [Table]. " in stack.reasons
    assert set(stack.resources) == {"Under", "Table"}
    # All that is left to do is to delete the stack. That is no rollback any more: the table is retained.
    gone = deploy.delete(stack.name)
    assert gone.status == "DELETE_COMPLETE"
    assert statuses(gone, "Table")[-1] == "DELETE_SKIPPED"
    assert queues(sandbox) == []
    assert sandbox.boto3_client("dynamodb").list_tables()["TableNames"] == ["calls"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"Odd": failing("Queue")}, "ROLLBACK_COMPLETE"), ({"Table": 1, "Odd": 1}, "ROLLBACK_FAILED")],
)
def test_a_stack_whose_creation_failed_can_only_be_deleted(
    sandbox: Sandbox, deploy: Any, change: dict[str, Any], status: str
) -> None:
    if status == "ROLLBACK_FAILED":
        change = {"Table": table("calls", protected=True), "Odd": failing("Table")}
    stack = deploy({"Resources": {"Queue": QUEUE, **change}})
    client = sandbox.boto3_client("cloudformation")
    template = json.dumps({"Resources": {"Queue": QUEUE}})

    refused = f"is in {status} state and can not be updated"
    with pytest.raises(ClientError, match=refused):
        client.update_stack(StackName=stack.name, TemplateBody=template)
    with pytest.raises(ClientError, match=refused):
        client.create_change_set(StackName=stack.name, ChangeSetName="next", TemplateBody=template)
    for create in (
        lambda: client.create_change_set(
            StackName=stack.name, ChangeSetName="next", ChangeSetType="CREATE", TemplateBody=template
        ),
        lambda: client.create_stack(StackName=stack.name, TemplateBody=template),
    ):
        with pytest.raises(ClientError, match=r"Stack \[[\w-]+\] already exists"):
            create()
    assert deploy.delete(stack.name).status in {"DELETE_COMPLETE", "DELETE_FAILED"}


def test_termination_protection_set_before_the_outcome_is_known_keeps_the_failed_stack(
    sandbox: Sandbox, deploy: Any
) -> None:
    client = sandbox.boto3_client("cloudformation")
    template = json.dumps({"Resources": {"Queue": QUEUE, "Odd": failing("Queue")}})
    # As the CDK command line does it: change set, protection, execution.
    client.create_change_set(
        StackName="walled", ChangeSetName="cdk", ChangeSetType="CREATE", TemplateBody=template
    )
    client.update_termination_protection(StackName="walled", EnableTerminationProtection=True)
    client.execute_change_set(StackName="walled", ChangeSetName="cdk")

    assert deploy.look("walled").status == "ROLLBACK_COMPLETE"
    with pytest.raises(
        ClientError,
        match=re.escape("Stack [walled] cannot be deleted while TerminationProtection is enabled"),
    ):
        client.delete_stack(StackName="walled")
    client.update_termination_protection(StackName="walled", EnableTerminationProtection=False)
    assert deploy.delete("walled").status == "DELETE_COMPLETE"


def test_without_rollback_what_exists_stays_until_it_is_rolled_back(sandbox: Sandbox, deploy: Any) -> None:
    client = sandbox.boto3_client("cloudformation")
    template = json.dumps({"Resources": {"Queue": named_queue("kept", "Retain"), "Odd": failing("Queue")}})
    client.create_stack(StackName="paused", TemplateBody=template, DisableRollback=True)

    assert deploy.look("paused").status == "CREATE_FAILED"
    assert queues(sandbox) == ["kept"]
    with pytest.raises(ClientError, match="please use the disable-rollback parameter"):
        client.update_stack(StackName="paused", TemplateBody=template)
    # What `cdk rollback` asks for, and `cdk deploy` after a `cdk deploy --no-rollback`.
    client.rollback_stack(StackName="paused", RetainExceptOnCreate=True)
    assert deploy.look("paused").status == "ROLLBACK_COMPLETE"
    assert queues(sandbox) == []
    deploy.delete("paused")


def test_a_creation_without_rollback_goes_on_where_it_failed(sandbox: Sandbox, deploy: Any) -> None:
    client = sandbox.boto3_client("cloudformation")
    sandbox.faults.fail_resource("paused", "Second", half_done=True)
    template = {"First": named_queue("one"), "Second": named_queue("two", DependsOn="First")}
    text = json.dumps({"Resources": template})
    client.create_stack(StackName="paused", TemplateBody=text, DisableRollback=True)
    assert deploy.look("paused").status == "CREATE_FAILED"

    client.update_stack(StackName="paused", TemplateBody=text, DisableRollback=True)

    done = deploy.look("paused")
    assert done.status == "UPDATE_COMPLETE"
    assert statuses(done, "Second")[-3:] == ["DELETE_COMPLETE", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert queues(sandbox) == ["one", "two"]
    deploy.delete("paused")


# -- an update that fails


def test_what_an_update_added_goes_when_it_fails_unless_it_is_retained(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE}})
    added = {
        "New": named_queue("new", "RetainExceptOnCreate"),
        "Kept": named_queue("kept", "Retain"),
        "Odd": failing("New", "Kept"),
    }
    after = deploy({"Resources": {"Queue": QUEUE, **added}}, name=stack.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert after.resources == stack.resources
    assert [name for name in queues(sandbox) if name in {"new", "kept"}] == ["kept"]
    assert "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" in statuses(after, stack.name)


def test_what_cannot_be_deleted_after_a_failed_update_is_let_go_of(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE}})
    added = {"Table": table("calls", protected=True), "Odd": failing("Table")}
    after = deploy({"Resources": {"Queue": QUEUE, **added}}, name=stack.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert statuses(after, "Table")[-1] == "DELETE_FAILED"
    assert set(after.resources) == {"Queue"}
    assert sandbox.boto3_client("dynamodb").list_tables()["TableNames"] == ["calls"]


def test_an_update_without_rollback_is_undone_by_rolling_the_stack_back(
    sandbox: Sandbox, deploy: Any
) -> None:
    client = sandbox.boto3_client("cloudformation")
    before = deploy({"Resources": {"Queue": named_queue("one")}})
    broken = {"Resources": {"Queue": named_queue("two"), "Odd": failing("Queue")}}
    client.update_stack(StackName=before.name, TemplateBody=json.dumps(broken), DisableRollback=True)

    assert deploy.look(before.name).status == "UPDATE_FAILED"
    assert queues(sandbox) == ["one", "two"]
    with pytest.raises(ClientError, match="please use the disable-rollback parameter"):
        deploy({"Resources": {"Queue": named_queue("three")}}, name=before.name)
    client.rollback_stack(StackName=before.name)
    after = deploy.look(before.name)
    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert after.resources == before.resources
    assert queues(sandbox) == ["one"]


def test_a_stack_that_did_not_fail_cannot_be_rolled_back(sandbox: Sandbox, deploy: Any) -> None:
    stack = deploy({"Resources": {"Queue": QUEUE}})

    with pytest.raises(ClientError, match="is in CREATE_COMPLETE state and can not be rolled back"):
        sandbox.boto3_client("cloudformation").rollback_stack(StackName=stack.name)


# -- a deletion that fails


def test_a_deletion_that_failed_can_retain_what_is_in_the_way_and_only_then(
    sandbox: Sandbox, deploy: Any
) -> None:
    client = sandbox.boto3_client("cloudformation")
    stack = deploy({"Resources": {"Queue": QUEUE, "Table": table("calls", protected=True)}})

    with pytest.raises(ClientError, match="only when the stack is in the DELETE_FAILED state"):
        client.delete_stack(StackName=stack.name, RetainResources=["Table"])
    failed = deploy.delete(stack.name)
    assert failed.status == "DELETE_FAILED"
    assert set(failed.resources) == {"Table"}
    with pytest.raises(ClientError, match="is in DELETE_FAILED state and can not be updated"):
        deploy({"Resources": {"Queue": QUEUE}}, name=stack.name)
    client.delete_stack(StackName=stack.name, RetainResources=["Table"])
    sandbox.deployments.wait()
    with pytest.raises(ClientError, match="does not exist"):
        deploy.look(stack.name)
    assert sandbox.boto3_client("dynamodb").list_tables()["TableNames"] == ["calls"]


# -- failures on purpose


@pytest.mark.parametrize("half_done", [False, True])
def test_a_resource_can_be_made_to_fail_once(sandbox: Sandbox, deploy: Any, half_done: bool) -> None:
    client = sandbox.boto3_client("cloudformation")
    sandbox.faults.fail_resource("once", "Second", half_done=half_done, message="Rate exceeded")
    template = {"First": named_queue("one"), "Second": named_queue("two", DependsOn="First")}
    client.create_stack(StackName="once", TemplateBody=json.dumps({"Resources": template}))
    stack = deploy.look("once")

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "The following resource(s) failed to create: [Second]. " in stack.reasons
    assert "Rate exceeded (GeneralServiceException)" in stack.reasons
    assert ("DELETE_COMPLETE" in statuses(stack, "Second")) is half_done
    assert queues(sandbox) == []
    deploy.delete("once")
    client.create_stack(StackName="once", TemplateBody=json.dumps({"Resources": template}))
    assert deploy.look("once").status == "CREATE_COMPLETE"
    deploy.delete("once")


@pytest.mark.parametrize("half_done", [False, True])
@pytest.mark.parametrize("replaces", [False, True])
def test_an_update_can_be_made_to_fail_once(
    sandbox: Sandbox, deploy: Any, half_done: bool, replaces: bool
) -> None:
    def template(name: str, seconds: int) -> dict[str, Any]:
        properties = {"QueueName": name, "VisibilityTimeout": seconds}
        return {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}}

    before = deploy(template("one", 30))
    sandbox.faults.fail_resource(before.name, "Queue", operation="update", half_done=half_done)
    after = deploy(template("two" if replaces else "one", 60), name=before.name)

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert after.resources == before.resources
    assert queues(sandbox) == ["one"]
    attributes = sandbox.boto3_client("sqs").get_queue_attributes(
        QueueUrl=after.resources["Queue"], AttributeNames=["VisibilityTimeout"]
    )
    assert attributes["Attributes"] == {"VisibilityTimeout": "30"}


@pytest.mark.parametrize("half_done", [False, True])
def test_a_deletion_can_be_made_to_fail_once(sandbox: Sandbox, deploy: Any, half_done: bool) -> None:
    stack = deploy({"Resources": {"Queue": named_queue("one")}})
    sandbox.faults.fail_resource(stack.name, "Queue", operation="delete", half_done=half_done)

    failed = deploy.delete(stack.name)
    assert failed.status == "DELETE_FAILED"
    assert queues(sandbox) == ([] if half_done else ["one"])
    gone = deploy.delete(stack.name)
    assert gone.status == "DELETE_COMPLETE", gone.reasons
    assert queues(sandbox) == []


def test_a_failure_of_a_resource_that_the_stack_does_not_have_is_an_error(
    sandbox: Sandbox, deploy: Any
) -> None:
    fault = sandbox.faults.fail_resource("misspelt", "Queeu")
    client = sandbox.boto3_client("cloudformation")
    client.create_stack(StackName="misspelt", TemplateBody=json.dumps({"Resources": {"Queue": QUEUE}}))
    sandbox.faults.forget(fault)

    stack = deploy.look("misspelt")
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "names Queeu, which misspelt does not have; it has Queue" in stack.reasons
    deploy.delete("misspelt")


def test_a_failure_lasts_as_often_as_it_was_asked_for_and_can_be_forgotten(sandbox: Sandbox) -> None:
    twice = sandbox.faults.fail_resource("any", "Queue", times=2)
    for _ in range(2):
        with pytest.raises(AwsError, match="a failure that the rehearsal asked for"):
            sandbox.faults.check_resource("any", "Queue", "create", half_done=False)
    sandbox.faults.check_resource("any", "Queue", "create", half_done=False)
    assert twice.times == 0
    always = sandbox.faults.fail_resource("any", "Queue", times=None)
    for _ in range(3):
        with pytest.raises(AwsError):
            sandbox.faults.check_resource("any", "Queue", "create", half_done=False)
    sandbox.faults.forget(always)
    sandbox.faults.check_resource("any", "Queue", "create", half_done=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operation": "replace"}, "operation must be 'create', 'update' or 'delete', not 'replace'"),
        ({"times": 0}, "times must be at least 1 or None"),
    ],
)
def test_a_failure_that_makes_no_sense_is_refused(
    sandbox: Sandbox, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sandbox.faults.fail_resource("any", "Queue", **arguments)
