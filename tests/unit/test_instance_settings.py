"""Settings of an environment that creates its instance: what is wrong is told with its key path and the fix."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from connect_bridges.contact_center.instance_options import InstanceAttributes

from stacks.instance_settings import AttributeSettings
from stacks.settings import SettingsError, load_settings
from tests.support import CONTEXT, INSTANCE_ARN, QUEUE_ARN
from tests.support.instances import new_environment

Change = Callable[[dict[str, Any]], object]


def refusal(settings: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings({"new": settings}, "new")
    return str(raised.value)


def test_cdk_json_shows_an_environment_that_creates_its_instance_and_one_that_imports_it() -> None:
    new, prod = (load_settings(CONTEXT["environments"], name) for name in ("new", "prod"))
    assert new.instance is not None
    assert (new.instance_arn, list(new.instance.numbers)) == (None, ["Support"])
    assert (prod.instance, prod.instance_arn) == (None, INSTANCE_ARN)


def test_everything_can_be_set() -> None:
    settings = load_settings({"new": new_environment(CONTEXT)}, "new")
    assert settings.instance is not None
    assert settings.instance.queues["Nights"].name == "Night support"
    assert settings.instance.attributes.multi_party_conference


def test_attributes_and_their_defaults_are_those_of_the_construct() -> None:
    assert AttributeSettings().model_dump() == dataclasses.asdict(InstanceAttributes())


@pytest.mark.parametrize(("both", "found"), [(True, "both"), (False, "neither")])
def test_there_is_exactly_one_instance(both: bool, found: str) -> None:
    settings = new_environment(CONTEXT)
    if both:
        settings["instanceArn"] = INSTANCE_ARN
    else:
        del settings["instance"]
    message = refusal(settings)
    assert (
        "environments.new: give exactly one of instance, which creates an Amazon Connect instance" in message
    )
    assert f"found {found}" in message


@pytest.mark.parametrize(
    ("capability", "change", "complaint"),
    [
        (
            "voice",
            {"queue": None},
            "voice.queue: is missing; name a queue of instance.queues, which has Support",
        ),
        (
            "voice",
            {"queue": "Suport"},
            "voice.queue: 'Suport' is not in instance.queues, which has Support, Nights",
        ),
        (
            "voice",
            {"queueArn": QUEUE_ARN},
            "voice.queueArn: names a queue that exists, yet instance creates them",
        ),
        ("chat", {"queue": None}, "chat.queue: is missing"),
        ("biometrics", {"queue": "support"}, "biometrics.queue: 'support' is not in instance.queues"),
        ("biometrics", {"unverifiedQueue": "x"}, "biometrics.unverifiedQueue: 'x' is not in instance.queues"),
        (
            "biometrics",
            {"nextFlowArn": f"{INSTANCE_ARN}/contact-flow/66666666-7777-8888-9999-000000000000"},
            "biometrics: give nextFlow, which is a flow of this environment, or nextFlowArn, not both",
        ),
    ],
)
def test_bridges_name_queues_that_the_instance_has(
    capability: str, change: dict[str, Any], complaint: str
) -> None:
    settings = new_environment(CONTEXT)
    settings[capability] |= change
    assert f"environments.new.{complaint}" in refusal(settings)


def test_with_an_imported_instance_bridges_name_queues_by_arn() -> None:
    settings = copy.deepcopy(CONTEXT["environments"]["prod"])
    settings["voice"]["queue"] = "Support"
    assert (
        "environments.new.voice.queue: 'Support' names a queue of a created instance; with instanceArn write "
        "voice.queueArn instead" in refusal(settings)
    )
    del settings["voice"]["queue"], settings["voice"]["queueArn"]
    assert "environments.new.voice.queueArn: is missing; add it" in refusal(settings)


def of(*path: str, **values: Any) -> Change:
    """Return a change that sets values at a place of the instance; None takes a key out."""

    def change(instance: dict[str, Any]) -> None:
        place = instance
        for key in path:
            place = place.setdefault(key, {})
        for key, value in values.items():
            if value is None:
                place.pop(key, None)
            else:
                place[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (of(alias=None), "alias: is missing; write an instance's alias: 1 to 45 letters"),
        (of(alias="d-example"), "alias: 'd-example' is not an instance's alias"),
        (of(directoryId="d-0123456789"), "directoryId: 'd-0123456789' is for EXISTING_DIRECTORY alone"),
        (of(identityManagement="EXISTING_DIRECTORY"), "directoryId: is missing; EXISTING_DIRECTORY needs"),
        (of(identityManagement="OAUTH"), 'identityManagement: "OAUTH": '),
        (of(flowLogs=True), "flowLogs: is not a known key"),
        (of("attributes", flowLogs="yes"), 'attributes.flowLogs: "yes": '),
        (of("storage", "callRecordings", expireAfterDays=0), "storage.callRecordings.expireAfterDays: 0: "),
        (
            of("storage", "callRecordings", prefix="a//b"),
            "storage.callRecordings.prefix: 'a//b' is not a prefix",
        ),
        (
            of("storage", "chatTranscripts", expireAfterDays=3),
            "storage.chatTranscripts: expireAfterDays is of a new bucket; with bucketName leave it out",
        ),
        (of("storage", "contactRecords", retentionDays=400), "storage.contactRecords.retentionDays: 400: "),
        (
            of(
                "storage", "agentEvents", streamArn="arn:aws:firehose:us-east-1:123456789012:deliverystream/x"
            ),
            "storage.agentEvents.streamArn: ",
        ),
        (
            of("storage", "agentEvents", streamArn="arn:aws:kinesis:eu-west-2:123456789012:stream/x"),
            "storage.agentEvents.streamArn: 'arn:aws:kinesis:eu-west-2:123456789012:stream/x' is not in us-east-1",
        ),
        (of("storage", "liveMedia", prefix=None), "storage.liveMedia.prefix: is missing; add it"),
        (
            of("hours", "Weekdays", timeZone="America/Gotham"),
            "hours.Weekdays.timeZone: 'America/Gotham' is not a",
        ),
        (
            of("hours", "Weekdays", openings=[{"opens": "9:00"}]),
            "hours.Weekdays.openings.0.opens: '9:00' is not a time from 00:00 to 23:59",
        ),
        (of("hours", "Weekdays", openings=[{}] * 15), "hours.Weekdays: openings make 105 times of a day"),
        (
            of("queues", "Support", hours="Weekend"),
            "queues.Support.hours: 'Weekend' is not in instance.hours",
        ),
        (of("queues", "Support", name="Night support"), "queues.Nights.name: 'Night support' is the name of"),
        (of("queues", "Support", maxContacts=-1), "queues.Support.maxContacts: -1: "),
        (
            of("routingProfiles", "Agents", queues=["Sales"]),
            "routingProfiles.Agents.queues: 'Sales' is not in instance.queues, which has Support, Nights",
        ),
        (
            of("routingProfiles", "Agents", outboundQueue="S"),
            "routingProfiles.Agents.outboundQueue: 'S' is not",
        ),
        (
            of("routingProfiles", "Agents", channels={"VOICE": 2}),
            "routingProfiles.Agents: channels.VOICE is 2; choose 1 to 1",
        ),
        (
            of("securityProfiles", "Support agents", permissions=[]),
            "securityProfiles.Support agents.permissions: ",
        ),
        (of("users", "ana", routingProfile="Bots"), "users.ana.routingProfile: 'Bots' is not in"),
        (of("users", "ana", securityProfiles=["Boss"]), "users.ana.securityProfiles: 'Boss' is not in"),
        (of("users", "ana", lastName=None), "users.ana.lastName: is missing; Amazon Connect keeps the users"),
        (
            of("users", "ana", directoryUserId="u"),
            "users.ana.directoryUserId: is for EXISTING_DIRECTORY alone",
        ),
        (of("users", "ana", password="x"), "users.ana.password: is not a known key"),
        (
            of("quickConnects", "Front desk", phoneNumber="5"),
            "quickConnects.Front desk.phoneNumber: '5' is not an",
        ),
        (of(origins=["https://*.example.com"]), "origins.0: 'https://*.example.com' is not an origin"),
        (of(origins=["https://a.example.com"] * 2), "origins: 'https://a.example.com' is there twice"),
        (of(securityKeys=["-----BEGIN PRIVATE KEY-----"]), "securityKeys.0: a private key belongs nowhere"),
        (of(securityKeys=["a", "b", "c"]), "securityKeys: "),
        (of(lexBots=["bot"]), "lexBots.0: 'bot' is not the ARN of a bot's alias"),
        (
            of("applications", "Assist", url="http://a"),
            "applications.Assist.url: 'http://a' is not an address",
        ),
        (of("numbers", "Support", countryCode="usa"), "numbers.Support.countryCode: 'usa' is not a country"),
        (of("numbers", "Support", type="LANDLINE"), 'numbers.Support.type: "LANDLINE": '),
        (of("numbers", "Support", flow="chat"), 'numbers.Support.flow: "chat": '),
        (
            of("numbers", "Our line", countryCode="US", flow="voice"),
            "numbers.Our line.[key]: 'Our line' is not a key",
        ),
    ],
)
def test_what_is_wrong_with_an_instance_is_told_with_its_place(change: Change, complaint: str) -> None:
    settings = new_environment(CONTEXT)
    change(settings["instance"])
    message = refusal(settings)
    assert f"environments.new.instance.{complaint}" in message
    assert "PRIVATE KEY" not in message


def test_a_number_leads_to_a_bridge_that_the_environment_has() -> None:
    settings = new_environment(CONTEXT)
    del settings["biometrics"]
    assert (
        "environments.new.instance.numbers.Accounts.flow: 'biometrics' has no flow: the environment has no section"
        in refusal(settings)
    )


def test_a_protected_environment_keeps_instance_and_numbers() -> None:
    settings = new_environment(CONTEXT)
    settings["protected"] = True
    settings["instance"]["retain"] = settings["instance"]["numbers"]["Support"]["retain"] = False
    message = refusal(settings)
    assert "2 problem(s)" in message
    assert "environments.new.instance.retain: is false in a protected environment" in message
    assert "environments.new.instance.numbers.Support.retain: is false in a protected environment" in message


def test_all_problems_of_an_instance_are_told_at_once() -> None:
    settings = new_environment(CONTEXT)
    settings["instance"] |= {"origins": ["http://a"], "lexBots": ["bot"]}
    settings["instance"]["queues"]["Support"]["maxContacts"] = -1
    settings["region"] = "nowhere"
    assert "4 problem(s)" in refusal(settings)
