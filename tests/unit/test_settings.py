from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.settings import SettingsError, load_each, load_settings
from tests.support import CONTEXT


@pytest.fixture
def environments() -> dict[str, Any]:
    return copy.deepcopy(CONTEXT["environments"])


def refusal(environments: object, name: object = "dev") -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(environments, name)
    return str(raised.value)


def test_the_environments_of_cdk_json_are_usable(environments: dict[str, Any]) -> None:
    assert not load_settings(environments, "dev").protected
    prod = load_settings(environments, "prod")
    assert prod.protected
    assert prod.voice.metadata.preset == "kore"


def test_environments_can_come_from_the_command_line_as_text(environments: dict[str, Any]) -> None:
    assert load_settings(json.dumps(environments), "dev").region == "us-east-1"


def test_an_unknown_environment_names_the_known_ones(environments: dict[str, Any]) -> None:
    assert refusal(environments, "staging") == (
        "There is no environment 'staging'; choose one with -c env=NAME from: dev, new, prod."
    )


def test_several_environments_can_be_synthesized_together(environments: dict[str, Any]) -> None:
    assert [settings.name for settings in load_each(environments, "prod, dev")] == ["prod", "dev"]
    for names, complaint in {
        "dev,dev": "-c env=dev,dev names 'dev' twice",
        "dev,staging": "There is no environment 'staging'",
        "dev,": "There is no environment ''",
    }.items():
        with pytest.raises(SettingsError, match=complaint):
            load_each(environments, names)
    with pytest.raises(SettingsError, match="There is no environment None"):
        load_each(environments, None)


def test_all_problems_are_reported_at_once_with_their_key_paths(environments: dict[str, Any]) -> None:
    dev = environments["dev"]
    dev["region"] = "us-esat-1"
    dev["account"] = "12345"
    dev["voice"]["queueArn"] = "queue/5"
    dev["voice"]["destination"]["did"] = "2065550100"
    dev["voice"]["metadata"] = {"timeToLiveHours": 0, "ttl": 3}

    message = refusal(environments)

    assert "has" not in message.splitlines()[1]
    for expected in (
        "6 problem(s)",
        "environments.dev.region: 'us-esat-1' is not an AWS Region",
        "environments.dev.account: '12345' is not an AWS account",
        "environments.dev.voice.queueArn: 'queue/5' is not the ARN of a queue",
        "environments.dev.voice.destination.did: '2065550100' is not an E.164 telephone number",
        "environments.dev.voice.metadata.timeToLiveHours: 0:",
        "environments.dev.voice.metadata.ttl: is not a known key",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"connectorArn": None}, "exactly one of connectorArn, createConnector and phoneNumber; found none"),
        ({"phoneNumber": "+12065550100"}, "found connectorArn and phoneNumber"),
        ({"did": None}, "a connector needs did"),
        ({"connectorArn": None, "phoneNumber": "+12065550100"}, "did belongs to a connector"),
    ],
)
def test_calls_have_exactly_one_way_out(
    environments: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    environments["dev"]["voice"]["destination"].update(change)
    assert complaint in refusal(environments)


def test_an_arn_of_a_foreign_region_or_instance_is_refused(environments: dict[str, Any]) -> None:
    voice = environments["dev"]["voice"]
    voice["destination"]["connectorArn"] = "arn:aws:chime:eu-west-2:123456789012:vc/abcdef1ghij2klmno3pqr4"
    voice["queueArn"] = voice["queueArn"].replace("11111111-2222", "99999999-2222")

    message = refusal(environments)

    assert "voice.destination.connectorArn" in message
    assert "is not in us-east-1, account 123456789012" in message
    assert "voice.queueArn" in message
    assert "is not of the instance" in message


@pytest.mark.parametrize("environments", [None, [], {}, "not json", {"dev": 5}, "[1]"])
def test_environments_of_a_wrong_shape_are_refused(environments: object) -> None:
    assert refusal(environments)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_settings_whatever_raise_anything_but_a_settings_error(raw: object) -> None:
    with pytest.raises(SettingsError):
        load_settings({"dev": raw}, "dev")
