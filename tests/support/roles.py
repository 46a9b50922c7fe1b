"""Roles of deployed stacks, for tests of least privilege."""

from connect_sandbox.iam import Policy

from rehearsals.scenarios import Deployment


def deployed_role(deployment: Deployment, stack: str, part: str) -> tuple[str, list[Policy]]:
    """Return the role of a stack whose logical id begins with `part`: its name, and its identity policies."""
    sandbox = deployment.sandbox
    resources = sandbox.boto3_client("cloudformation").describe_stack_resources(StackName=stack)
    [name] = [
        r["PhysicalResourceId"]
        for r in resources["StackResources"]
        if r["ResourceType"] == "AWS::IAM::Role" and r["LogicalResourceId"].startswith(part)
    ]
    return name, identity_policies(deployment, name)


def identity_policies(deployment: Deployment, role: str) -> list[Policy]:
    """Return the inline policies of a role."""
    iam = deployment.sandbox.boto3_client("iam")
    return [
        Policy.parse(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"], name=role)
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
