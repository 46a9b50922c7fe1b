from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from runtime.voice.limits import CONTACT_CENTER_SYSTEM_TYPES, SESSION_BORDER_CONTROLLER_TYPES
from runtime.voice.properties import (
    AWS_REGIONS,
    ConnectorProperties,
    InvalidPropertiesError,
)


def test_properties_become_typed_values(properties: dict[str, Any]) -> None:
    parsed = ConnectorProperties.parse(properties)
    assert parsed.instance_id == "11111111-2222-3333-4444-555555555555"
    assert parsed.port == 5061
    assert parsed.require_encryption is True
    assert (parsed.sip_logs, parsed.media_metric_logs) == (True, False)
    assert parsed.tags == (("app", "connect-bridges"), ("environment", "dev"))


def test_what_may_be_absent_has_defaults(properties: dict[str, Any]) -> None:
    for name in ("SessionBorderControllerTypes", "SipLogs", "MediaMetricLogs", "Tags"):
        del properties[name]
    parsed = ConnectorProperties.parse(properties)
    assert parsed.session_border_controller_types == ("AUDIOCODES_MEDIANT_SBC",)
    assert parsed.contact_center_system_types == ()
    assert (parsed.sip_logs, parsed.media_metric_logs, parsed.tags) == (False, False, ())


@pytest.mark.parametrize(
    "host", ["203.0.113.7", "sbc.example.com", "SBC-1.eu.example.com", "xn--bcher-kva.example"]
)
def test_addresses_and_domain_names_are_hosts(properties: dict[str, Any], host: str) -> None:
    assert ConnectorProperties.parse(properties | {"Host": host}).host == host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("InstanceId", "11111111-2222-3333-4444-555555555555"),
        ("InstanceId", ""),
        ("Name", "ä"),
        ("Name", "x" * 257),
        ("Host", "localhost"),
        ("Host", "sip:sbc.example.com"),
        ("Host", "sbc.example.com:5060"),
        ("Host", "256.1.1.1"),
        ("Host", "1.2.3"),
        ("Host", "169.254.169.254"),
        ("Host", "127.0.0.1"),
        ("Host", "224.0.0.1"),
        ("Host", "0.0.0.0"),  # noqa: S104
        ("Host", "-x.example.com"),
        ("Host", "2001:db8::1"),
        ("Port", "0"),
        ("Port", "65536"),
        ("Port", "5060.0"),
        ("Port", "sip"),
        ("Port", None),
        ("Protocol", "TLS"),
        ("RequireEncryption", "yes"),
        ("RequireEncryption", True),
        ("SipLogs", "1"),
        ("SessionBorderControllerTypes", []),
        ("SessionBorderControllerTypes", ["AUDIOCODES"]),
        ("SessionBorderControllerTypes", "AUDIOCODES_MEDIANT_SBC"),
        ("ContactCenterSystemTypes", ["KORE"]),
        ("AwsRegion", "us-west-9"),
        ("Tags", {"app": "x"}),
        ("Tags", [{"Key": "app"}]),
        ("Tags", [{"Key": "aws:x", "Value": ""}]),
        ("Tags", [{"Key": "connect-bridges:request", "Value": ""}]),
        ("Tags", [{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}]),
        ("Tags", [{"Key": f"k{n}", "Value": ""} for n in range(49)]),
        ("Hots", "x"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(properties: dict[str, Any], name: str, value: Any) -> None:
    with pytest.raises(InvalidPropertiesError, match="(?i)" + name.removesuffix("s")):
        ConnectorProperties.parse(properties | {name: value})


def test_encryption_over_udp_is_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(InvalidPropertiesError, match="set Protocol to TCP"):
        ConnectorProperties.parse(properties | {"Protocol": "UDP"})


def test_nothing_given_names_everything_that_is_missing() -> None:
    with pytest.raises(InvalidPropertiesError) as caught:
        ConnectorProperties.parse({})
    for name in ("InstanceId", "Name", "Host", "Port", "Protocol", "RequireEncryption", "AwsRegion"):
        assert f"{name} is missing" in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "member", "ours"),
    [
        ("CreateVoiceConnector", "AwsRegion", AWS_REGIONS),
        (
            "PutVoiceConnectorExternalSystemsConfiguration",
            "SessionBorderControllerTypes",
            SESSION_BORDER_CONTROLLER_TYPES,
        ),
        (
            "PutVoiceConnectorExternalSystemsConfiguration",
            "ContactCenterSystemTypes",
            CONTACT_CENTER_SYSTEM_TYPES,
        ),
    ],
)
def test_our_lists_are_those_of_the_sdk(shape: str, member: str, ours: tuple[str, ...]) -> None:
    model = botocore.session.get_session().get_service_model("chime-sdk-voice")
    members: dict[str, Any] = model.operation_model(shape).input_shape.members  # pyright: ignore
    described = members[member]
    assert set(ours) == set(getattr(described, "member", described).enum)
