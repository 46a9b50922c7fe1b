"""What a token is worth: for how long, for whom, and how many requests it takes to keep its owner out."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk.assertions import Match
from connect_bridges import (
    ApiOptions,
    ConnectInstance,
    ExternalVoiceTransfer,
    MetadataBridge,
    MetadataPreset,
    VoiceDestination,
)

from tests.support import CONNECTOR_ARN, QUEUE_ARN


@pytest.fixture
def resources(stack: cdk.Stack, instance: ConnectInstance) -> dict[str, Any]:
    """The template of a voice path with contact tokens."""
    metadata = MetadataBridge(
        stack,
        "Metadata",
        instance=instance,
        preset=MetadataPreset.kore().with_overrides(contact_token_header="X-Contact"),
        contact_tokens=True,
        contact_token_lifetime=cdk.Duration.minutes(20),
    )
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=metadata,
    )
    return assertions.Template.from_stack(stack).to_json()["Resources"]


def of_type(resources: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == name]


def variables(resources: dict[str, Any], handler: str) -> dict[str, Any]:
    [found] = [
        one["Environment"]["Variables"]
        for one in of_type(resources, "AWS::Lambda::Function")
        if handler in one["Handler"]
    ]
    return dict(found)


def test_the_flow_signs_the_contact_and_hands_the_signature_over_with_the_call(
    resources: dict[str, Any],
) -> None:
    [flow] = of_type(resources, "AWS::Connect::ContactFlow")
    [module] = of_type(resources, "AWS::Connect::ContactFlowModule")
    for published in (flow, module):
        content = str(published["Content"])
        assert "$.External.contactToken" in content
        assert "Sign the contact id" in content
        assert "Transfer without a signature" in content


def test_store_and_sign_read_the_key_and_nobody_else_does(resources: dict[str, Any]) -> None:
    sign, store = variables(resources, "metadata.sign"), variables(resources, "metadata.store")
    assert sign["CONTACT_KEY_ARN"] == store["CONTACT_KEY_ARN"]
    assert sign["CONTACT_TOKEN_SECONDS"] == "1200"
    assert store["CONTACT_TOKEN_HEADER"] == "X-Contact"
    key = sign["CONTACT_KEY_ARN"]
    readers = [
        name
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::Policy" and str(key) in str(one["Properties"]["PolicyDocument"])
    ]
    assert len(readers) == 2
    assert "CONTACT_KEY_ARN" not in variables(resources, "metadata.retrieve")


def test_without_the_option_nothing_is_signed(stack: cdk.Stack, instance: ConnectInstance) -> None:
    metadata = MetadataBridge(stack, "Metadata", instance=instance)
    ExternalVoiceTransfer(
        stack,
        "Transfer",
        instance=instance,
        destination=VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
        queue_arn=QUEUE_ARN,
        metadata=metadata,
    )
    template = assertions.Template.from_stack(stack)
    assert "contactToken" not in str(of_type(template.to_json()["Resources"], "AWS::Connect::ContactFlow"))
    template.resource_count_is("AWS::SecretsManager::Secret", 1)
    assert metadata.sign_function is None
    assert metadata.contact_token_header is None


@pytest.mark.parametrize(
    ("destination", "user_to_user", "complaint"),
    [
        (VoiceDestination.phone_number("+12065550100"), None, "contact_tokens, which need a voice connector"),
        (
            VoiceDestination.connector(CONNECTOR_ARN, did="+12065550100"),
            "48656c6c6f",
            "travel in the same SIP header; leave one of them out",
        ),
    ],
)
def test_a_signature_that_could_not_travel_is_refused(
    stack: cdk.Stack,
    instance: ConnectInstance,
    destination: VoiceDestination,
    user_to_user: str | None,
    complaint: str,
) -> None:
    metadata = MetadataBridge(stack, "Metadata", instance=instance, contact_tokens=True)
    with pytest.raises(ValueError, match=complaint):
        ExternalVoiceTransfer(
            stack,
            "Transfer",
            instance=instance,
            destination=destination,
            queue_arn=QUEUE_ARN,
            metadata=metadata,
            user_to_user_information=user_to_user,
        )


def test_both_tokens_in_one_header_are_refused(stack: cdk.Stack, instance: ConnectInstance) -> None:
    preset = MetadataPreset.default().with_overrides(contact_token_header="AuthorizationToken")
    with pytest.raises(ValueError, match="each token needs a header of its own"):
        MetadataBridge(stack, "Metadata", instance=instance, preset=preset, contact_tokens=True)


def test_only_requests_with_the_token_count_against_the_vendors_limits(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    MetadataBridge(
        stack,
        "Metadata",
        instance=instance,
        api=ApiOptions(throttling_rate_limit=20, throttling_burst_limit=40, ceiling_rate_limit=500),
    )
    template = assertions.Template.from_stack(stack)
    template.has_resource_properties("AWS::ApiGateway::RestApi", {"ApiKeySourceType": "AUTHORIZER"})
    template.has_resource_properties("AWS::ApiGateway::Method", {"ApiKeyRequired": True})
    template.has_resource_properties(
        "AWS::ApiGateway::UsagePlan", {"Throttle": {"RateLimit": 20, "BurstLimit": 40}}
    )
    template.has_resource_properties(
        "AWS::ApiGateway::Stage",
        {"MethodSettings": [Match.object_like({"ThrottlingRateLimit": 500, "ThrottlingBurstLimit": 2000})]},
    )
    resources = template.to_json()["Resources"]
    [key] = of_type(resources, "AWS::ApiGateway::ApiKey")
    assert key["Value"] == variables(resources, "metadata.authorize")["VENDOR_KEY"]
    assert 20 <= len(key["Value"]) <= 128
    assert key["Value"].isalnum()


def test_only_the_addresses_that_are_named_reach_the_api(stack: cdk.Stack, instance: ConnectInstance) -> None:
    networks = ["203.0.113.0/24", "2001:db8::/32"]
    MetadataBridge(stack, "Metadata", instance=instance, api=ApiOptions(allowed_addresses=networks))
    template = assertions.Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::ApiGateway::RestApi",
        {
            "Policy": Match.object_like(
                {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Effect": "Deny",
                                    "Condition": {"NotIpAddress": {"aws:SourceIp": networks}},
                                }
                            )
                        ]
                    )
                }
            )
        },
    )


def test_behind_a_custom_domain_the_apis_own_host_is_closed(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    options = ApiOptions(public_url="https://voice.example.com/prod", execute_api="closed")
    MetadataBridge(stack, "Metadata", instance=instance, api=options)
    assertions.Template.from_stack(stack).has_resource_properties(
        "AWS::ApiGateway::RestApi", {"DisableExecuteApiEndpoint": True}
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"public_url": "https://voice.example.com"}, "around what stands in front.*execute_api=.closed"),
        ({"execute_api": "closed"}, "nobody could reach the API"),
        ({"execute_api": "shut"}, 'execute_api is \'shut\'; write "open" or "closed"'),
        ({"allowed_addresses": "203.0.113.0/24"}, "write a list"),
        ({"allowed_addresses": ["203.0.113.7/24"]}, "CIDR notation"),
        ({"allowed_addresses": ["0.0.0.0/0"]}, "which is every address"),
        ({"ceiling_rate_limit": 0}, "ceiling_rate_limit is 0"),
    ],
)
def test_an_api_that_could_be_gone_around_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ApiOptions(**options)


def test_a_proxy_whose_addresses_are_named_and_a_fake_on_this_machine_are_taken() -> None:
    for options in (
        {"public_url": "https://voice.example.com", "allowed_addresses": ["203.0.113.0/24"]},
        {"public_url": "https://voice.example.com", "execute_api": "open"},
        {"public_url": "http://localhost:8767/prod"},
    ):
        assert ApiOptions(**options).public_url == options["public_url"]
