"""Hosts of a session border controller: what no packet from Amazon reaches is refused at synthesis, by name."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from connect_bridges import ConnectInstance, ExternalVoiceConnector


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("0.0.0.0", id="unspecified"),  # noqa: S104 (not bound to, but refused)
        pytest.param("224.0.0.251", id="multicast"),
        pytest.param("169.254.10.20", id="link-local"),
    ],
)
def test_an_address_that_amazon_cannot_reach_is_refused(
    stack: cdk.Stack, instance: ConnectInstance, host: str
) -> None:
    with pytest.raises(ValueError, match=f"host is {host}, which Amazon cannot reach"):
        ExternalVoiceConnector(stack, "Connector", instance=instance, host=host)


@pytest.mark.parametrize("host", ["sbc.example.com", "203.0.113.7", "169.253.255.255", "169.255.0.1"])
def test_an_address_that_it_may_reach_is_taken(
    stack: cdk.Stack, instance: ConnectInstance, host: str
) -> None:
    ExternalVoiceConnector(stack, "Connector", instance=instance, host=host)
