from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import assertions
from connect_bridges import ConnectInstance
from connect_bridges.biometrics.gate import VoiceBiometricGate
from connect_bridges.biometrics.provider import BiometricsTelephony

from tests.support import QUEUE_ARN


def gate(stack: cdk.Stack, instance: ConnectInstance, **arguments: Any) -> assertions.Template:
    telephony = BiometricsTelephony.twilio("+12065550188")
    made = VoiceBiometricGate(stack, "Gate", instance=instance, telephony=telephony, queue_arn=QUEUE_ARN)
    made.monitor(**arguments)
    return assertions.Template.from_stack(stack)


def alarms_of(template: assertions.Template) -> list[dict[str, Any]]:
    found = template.find_resources("AWS::CloudWatch::Alarm").values()
    return [one["Properties"] for one in found]


def test_who_tries_voices_and_hangs_up_reaches_an_alarm(stack: cdk.Stack, instance: ConnectInstance) -> None:
    template = gate(stack, instance, thresholds={"VerificationFailures": 7, "LockOuts": 2})
    alarms = {one["MetricName"]: one for one in alarms_of(template)}
    assert (alarms["VoiceRefused"]["Threshold"], alarms["CallerLocked"]["Threshold"]) == (7, 2)
    assert not {"BiometricFailed", "BiometricLocked"} & set(alarms)


def test_a_function_that_fails_or_is_throttled_reaches_an_alarm(
    stack: cdk.Stack, instance: ConnectInstance
) -> None:
    template = gate(stack, instance)
    handlers = {
        name: one["Properties"]["Handler"].split(".")[-2]
        for name, one in template.find_resources("AWS::Lambda::Function").items()
    }
    watched = set()
    for alarm in alarms_of(template):
        assert alarm["TreatMissingData"] == "notBreaching"
        if alarm["Namespace"] == "AWS/Lambda":
            (dimension,) = alarm["Dimensions"]
            watched.add((handlers[dimension["Value"]["Ref"]], alarm["MetricName"]))
            assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
    assert watched == {
        *(("gate", "Errors"), ("gate", "Throttles"), ("webhook", "Errors"), ("webhook", "Throttles")),
        ("retention", "Errors"),
    }


def test_an_api_that_answers_5xx_reaches_an_alarm(stack: cdk.Stack, instance: ConnectInstance) -> None:
    template = gate(stack, instance)
    (alarm,) = [one for one in alarms_of(template) if one["Namespace"] == "AWS/ApiGateway"]
    (api,) = template.find_resources("AWS::ApiGateway::RestApi").values()
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("5XXError", "Sum", 1)
    assert alarm["Dimensions"] == [{"Name": "ApiName", "Value": api["Properties"]["Name"]}]
