"""docs/deploying-role.md and its policies say what the templates need, and IAM says that the policies suffice."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from connect_sandbox.iam.evaluate import AccessRequest, evaluate
from connect_sandbox.iam.patterns import wildcard_match
from connect_sandbox.iam.policies import Policy, PolicyKind
from connect_sandbox.iam.principals import Principal
from connect_sandbox.iam.request_context import RequestContext
from connect_sandbox.iam.service_authorization import find_action

from tests.support import ROOT
from tests.support import deploying_role as role
from tests.synth.shapes import Shapes

PAGE = ROOT / "docs/deploying-role.md"
TYPES = re.compile(r"(?<=<!-- types -->\n).*?(?=<!-- /types -->)", re.DOTALL)
ASK = (
    "If this is meant, write it with UPDATE_CONTRACTS=1 pytest tests/synth -k reviewed, and review the diff."
)
DEPLOYER = Principal.role_session(
    f"arn:aws:iam::{role.ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{role.ACCOUNT}-us-east-1",
    "AWSCloudFormation",
)
OWN_ROLE = f"arn:aws:iam::{role.ACCOUNT}:role/connect-bridges-dev-voice-MetadataStoreRole1A2B3C4D-abcdefgh"
OWN_USER = f"arn:aws:iam::{role.ACCOUNT}:user/connect-bridges-dev-chat-ChatVendorUser-abcdefgh"
#: On what each group of docs/deploying-role's statements is tried: resource, and the request's condition keys.
TRIED: dict[str, tuple[str, dict[str, str]]] = {
    "Everywhere": ("*", {}),
    "Grants": (f"arn:aws:kms:us-east-1:{role.ACCOUNT}:key/1234", {"kms:GrantIsForAWSResource": "true"}),
    "Assets": (f"arn:aws:s3:::cdk-hnb659fds-assets-{role.ACCOUNT}-us-east-1/0123.zip", {}),
    "CustomResources": (
        f"arn:aws:lambda:us-east-1:{role.ACCOUNT}:function:connect-bridges-dev-voice-Connector",
        {},
    ),
    "Roles": (OWN_ROLE, {}),
    "Users": (OWN_USER, {}),
    "PassRole": (OWN_ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}),
    "ServiceRole": (role.SERVICE_ROLE.replace("*", "abc"), {}),
    "MakeServiceRole": (
        role.SERVICE_ROLE.replace("*", "abc"),
        {"iam:AWSServiceName": "connect.amazonaws.com"},
    ),
}
#: What the CDK writes for a key: the account's policies decide.
KEY_POLICY = Policy.parse(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{role.ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
    },
    name="key policy",
    kind=PolicyKind.RESOURCE,
)


@pytest.fixture(scope="module")
def types(shapes: Shapes) -> dict[str, set[str]]:
    return role.made_by(shapes.templates)


@pytest.fixture(scope="module")
def policies(types: dict[str, set[str]]) -> dict[str, dict[str, Any]]:
    return role.policies(types)


def test_the_page_and_the_policies_are_those_that_were_reviewed(
    types: dict[str, set[str]], policies: dict[str, dict[str, Any]]
) -> None:
    written = role.table(types)
    files = {role.FOLDER / f"{name}.json": role.text(policy) for name, policy in policies.items()}
    if os.environ.get("UPDATE_CONTRACTS") == "1":
        PAGE.write_text(TYPES.sub(lambda _: written, PAGE.read_text()))
        role.FOLDER.mkdir(exist_ok=True)
        for file, content in files.items():
            file.write_text(content)
    found = TYPES.search(PAGE.read_text())
    assert found
    assert found[0] == written, ASK
    assert {file: file.read_text() for file in sorted(role.FOLDER.iterdir())} == files, ASK


def test_every_type_says_what_it_needs(types: dict[str, set[str]]) -> None:
    silent = {kind for kind in types if not role.actions_of(kind)}
    assert silent == {"AWS::CloudFormation::WaitConditionHandle"}, (
        "its schema has no handlers: say it in the data"
    )


def test_every_action_is_one_that_iam_or_the_sdk_knows(types: dict[str, set[str]]) -> None:
    needed = {action for kind in types for action in role.actions_of(kind)}
    unknown = {action for action in needed if find_action(action) is None}
    assert unknown == role.newer()
    assert {action for action in role.newer() if not is_operation(action)} == set()


def is_operation(action: str) -> bool:
    service, _, name = action.partition(":")
    try:
        model: Any = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return False
    return name in model.operation_names


def test_what_the_data_says_beyond_the_schemas_is_needed(types: dict[str, set[str]]) -> None:
    for kind, entry in role.said().items():
        assert kind in types, f"no template has {kind}"
        listed = role.of_schema(kind)
        idle = [
            one for one in (*entry.unused, *entry.only) if not any(wildcard_match(one, a) for a in listed)
        ]
        assert idle == [], f"{kind}: the schema lists nothing of the kind"
        kept = {a for a in listed if not any(wildcard_match(one, a) for one in entry.unused)}
        assert not set(entry.also) & (kept - set(entry.unused)) or entry.only, f"{kind}: the schema has it"
        assert bool(entry.also) == bool(entry.source), f"{kind}: also needs a source"


def test_a_policy_is_one_that_iam_takes(policies: dict[str, dict[str, Any]]) -> None:
    assert {name: role.size(policy) for name, policy in policies.items() if role.size(policy) > 6144} == {}
    for policy in policies.values():
        names = [statement["Sid"] for statement in policy["Statement"]]
        assert len(names) == len(set(names))


def denied(
    kinds: Iterable[str], documents: Iterable[dict[str, Any]], boundary: dict[str, Any] | None = None
) -> set[str]:
    """Return the actions for some types that a role with these policies may not do."""
    identity = [Policy.parse(document, name="sample") for document in documents]
    limit = Policy.parse(boundary, name="boundary") if boundary else None
    refused = set()
    for kind in kinds:
        for action in role.actions_of(kind):
            resource, keys = TRIED[role.group_of(kind, action)]
            context = RequestContext.of({**keys, "iam:PermissionsBoundary": role.BOUNDARY}, [])
            request = AccessRequest(action, resource, context)
            of_resource = [KEY_POLICY] if ":kms:" in resource else []
            if not evaluate(request, DEPLOYER, identity, of_resource, limit).allowed:
                refused.add(action)
    return refused


def test_the_policies_allow_what_every_type_needs_with_and_without_the_boundary(
    types: dict[str, set[str]], policies: dict[str, dict[str, Any]]
) -> None:
    samples = [policies[name] for name in ("every-stack", "bridges", "contact-center")]
    assert denied(types, samples) == set()
    # Nobody takes the boundary away; CloudFormation would only if an app stopped using one.
    assert denied(types, samples, policies["boundary"]) == {
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
    }


@pytest.mark.parametrize(
    "action", ["iam:PutRolePolicy", "iam:CreateServiceLinkedRole", "kms:CreateGrant", "ds:CreateAlias"]
)
def test_one_action_less_is_noticed(
    types: dict[str, set[str]], policies: dict[str, dict[str, Any]], action: str
) -> None:
    samples = json.loads(json.dumps([policies["every-stack"], policies["contact-center"]]))
    for sample in samples:
        for statement in sample["Statement"]:
            statement["Action"] = [one for one in statement["Action"] if one != action]
        sample["Statement"] = [statement for statement in sample["Statement"] if statement["Action"]]
    kinds = [kind for kind, makers in types.items() if "ContactCenter" in makers]
    assert denied(kinds, samples) == {action}


def test_the_boundary_refuses_a_role_without_it_and_lets_connect_extend_its_own(
    policies: dict[str, dict[str, Any]],
) -> None:
    samples = [Policy.parse(policies[name], name=name) for name in ("every-stack", "contact-center")]
    boundary = Policy.parse(policies["boundary"], name="boundary")
    service_role, _ = TRIED["ServiceRole"]
    bare = RequestContext.of({"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/other"}, [])
    for action, resource, allowed in (
        ("iam:CreateRole", OWN_ROLE, False),
        ("iam:PutRolePolicy", OWN_ROLE, False),
        ("iam:PutRolePolicy", service_role, True),
        ("iam:DeleteRolePermissionsBoundary", OWN_ROLE, False),
    ):
        decision = evaluate(AccessRequest(action, resource, bare), DEPLOYER, samples, [], boundary)
        assert decision.allowed is allowed, f"{action} on {resource}: {decision.message}"
    other = AccessRequest("iam:PutRolePolicy", f"arn:aws:iam::{role.ACCOUNT}:role/somebody-else", bare)
    assert not evaluate(other, DEPLOYER, samples, [], None).allowed
