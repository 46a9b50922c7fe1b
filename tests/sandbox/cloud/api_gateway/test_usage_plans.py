"""Usage plans, resource policies and a closed host: who is counted, who is let in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.api_gateway.test_rest_api import AUTHORIZER, Call, call, template

__all__ = ["call", "template"]
KEY = "vendorknowntoitsusageplan"
NAMES_THE_KEY = AUTHORIZER.replace(
    '"principalId": "vendor",', f'"principalId": "vendor", "usageIdentifierKey": "{KEY}",'
)


def plan(burst: int) -> dict[str, Any]:
    return {
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": KEY}},
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {
                "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}],
                "Throttle": {"RateLimit": 0.001, "BurstLimit": burst},
            },
        },
        "Member": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {
                "KeyId": {"Ref": "Key"},
                "KeyType": "API_KEY",
                "UsagePlanId": {"Ref": "Plan"},
            },
        },
    }


@pytest.fixture
def stack(deploy: Any, template: dict[str, Any], function: Any, request: pytest.FixtureRequest) -> Any:
    changes = request.node.get_closest_marker("parametrize").args[1][0]
    resources = template["Resources"]
    resources["Authorize"]["Properties"]["Code"] = function(NAMES_THE_KEY)["Function"]["Properties"]["Code"]
    resources["Api"]["Properties"].update(changes.get("api", {}))
    if changes.get("plan"):
        resources["Post"]["Properties"]["ApiKeyRequired"] = True
        resources.update(plan(changes["plan"]))
    deployed = deploy(template)
    assert deployed.status == "CREATE_COMPLETE", deployed.reasons
    return deployed


AFTER_THE_TOKEN = {"api": {"ApiKeySourceType": "AUTHORIZER"}, "plan": 3}


@pytest.mark.parametrize("changes", [AFTER_THE_TOKEN])
def test_a_plan_counts_only_requests_whose_token_was_accepted(call: Call, changes: Any) -> None:
    refused = [call(authorizationToken=token).status for token in ("", "denied", "", "denied", "")]
    assert refused == [401, 403, 401, 403, 401]
    assert [call(authorizationToken="good").status for _ in range(4)] == [201, 201, 201, 429]


@pytest.mark.parametrize("changes", [{"plan": 3}])
def test_with_the_clients_own_key_the_header_counts(call: Call, changes: Any) -> None:
    assert call().status == 403
    assert call(**{"x-api-key": "somebody-elses-key-of-some-length"}).status == 403
    assert [call(**{"x-api-key": KEY}).status for _ in range(4)] == [201, 201, 201, 429]


def only_from(network: str) -> dict[str, Any]:
    everybody = {"Principal": {"AWS": "*"}, "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    condition = {"NotIpAddress": {"aws:SourceIp": [network]}}
    statements = [
        {"Effect": "Allow", **everybody},
        {"Effect": "Deny", **everybody, "Condition": condition},
    ]
    return {"api": {"Policy": {"Version": "2012-10-17", "Statement": statements}}}


@pytest.mark.parametrize("changes", [only_from("203.0.113.0/24")])
def test_an_address_that_is_not_let_in_is_refused_before_the_authorizer(call: Call, changes: Any) -> None:
    assert call(authorizationToken="").status == 403


@pytest.mark.parametrize("changes", [only_from("127.0.0.0/8")])
def test_an_address_that_is_let_in_is_served(call: Call, changes: Any) -> None:
    assert call().status == 201
    assert call(authorizationToken="").status == 401


@pytest.mark.parametrize("changes", [{"api": {"DisableExecuteApiEndpoint": True}}])
def test_a_closed_host_answers_nobody(call: Call, changes: Any) -> None:
    answer = call()
    assert answer.status == 403
    assert answer.json() == {"message": "Forbidden"}


@pytest.mark.parametrize("changes", [{}])
def test_a_policy_of_another_form_is_not_emulated(
    deploy: Any, stack: Any, template: Any, changes: Any
) -> None:
    policy = only_from("203.0.113.0/24")["api"]["Policy"]
    policy["Statement"][1]["Condition"] = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    template["Resources"]["Api"]["Properties"]["Policy"] = policy
    deployed = deploy(template, name=stack.name)
    assert "lists of source addresses" in str(deployed.reasons)


@pytest.mark.parametrize("changes", [{}])
def test_a_plan_for_a_stage_that_is_not_there_fails(
    deploy: Any, stack: Any, template: Any, changes: Any
) -> None:
    template["Resources"].update(plan(1))
    template["Resources"]["Plan"]["Properties"]["ApiStages"][0]["Stage"] = "nowhere"
    deployed = deploy(template, name=stack.name)
    assert "Invalid stage identifier specified: nowhere" in str(deployed.reasons)
