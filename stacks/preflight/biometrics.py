"""The voice biometrics: credentials, provider, and what Twilio and VoiceIt have to be told (their demo guide)."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.exceptions import ClientError
from connect_bridges.biometrics.presets import VoiceBiometricPreset

from stacks.biometrics_settings import BiometricsSettings
from stacks.settings import Settings

from . import instance_parts, secrets
from .findings import Aws, Check, Finding, end, stack_name, value

_TWILIO = ("accountSid", "authToken")
_VOICEIT = ("apiKey", "apiToken")
_FLOW = "BiometricsFlowArn"


def checks(biometrics: BiometricsSettings, environment: str) -> list[Check]:
    """Return the checks of the voice biometrics."""
    stack = stack_name(environment, "biometrics")
    found = [instance_parts.queue("biometrics queue", biometrics.queue_arn)]
    if biometrics.unverified_queue_arn:
        found.append(instance_parts.queue("biometrics unverified queue", biometrics.unverified_queue_arn))
    if biometrics.next_flow_arn:
        found.append(instance_parts.flow("biometrics next flow", biometrics.next_flow_arn))
    found.append(
        secrets.named(
            "Twilio credentials",
            "biometrics.telephony.secretArn",
            biometrics.telephony.secret_arn,
            _TWILIO,
        )
        if biometrics.telephony.secret_arn
        else secrets.own("Twilio credentials", stack, "BiometricsTelephonySecretArn", _TWILIO)
    )
    if biometrics.rehearsal_only:
        found.append(Check("biometrics addresses", _addresses))
    provider = biometrics.provider
    if provider.function_arn:
        found.append(_provider_function(provider.function_arn, provider.time_limit_seconds))
    elif provider.voiceit_secret_arn:
        key = "biometrics.provider.voiceitSecretArn"
        found.append(secrets.named("VoiceIt credentials", key, provider.voiceit_secret_arn, _VOICEIT))
    else:
        found.append(secrets.own("VoiceIt credentials", stack, "BiometricsProviderSecretArn", _VOICEIT))
    if biometrics.redial_number:
        found.append(_redial_number(biometrics.redial_number, stack))
    else:
        found.append(_number(stack))
    return found


def next_steps(biometrics: BiometricsSettings, settings: Settings, outputs: Mapping[str, str]) -> list[str]:
    """Return what people do at Twilio, VoiceIt and AWS Support (docs/voice-biometrics.md, set-up at the vendors)."""
    number = biometrics.telephony.number
    steps = []
    if biometrics.provider.function_arn is None:
        steps.append(_at_voiceit(biometrics, outputs))
    steps.append(_at_twilio(biometrics, outputs))
    steps.append(
        f"See that the instance may call the country of {number}: "
        "https://docs.aws.amazon.com/connect/latest/adminguide/country-code-allow-list.html lists what is allowed by "
        "default. Otherwise open a case in the AWS Support Center: Account and billing, service Connect (Number "
        "Management), category Country Allowlisting for Outbound Calls, with the country and "
        f"{settings.instance_arn}."
    )
    steps.append(
        f"At the Twilio number {number}, under Voice: 'A call comes in' is Webhook, "
        f"{value(outputs, 'BiometricsWebhookUrl')}, HTTP POST; 'Call status changes' is "
        f"{value(outputs, 'BiometricsStatusUrl')}, HTTP POST."
    )
    if biometrics.redial_number:
        steps.append(
            "At Twilio, under Voice, Settings, Geo permissions: switch on the voice geographic permission for the "
            f"country of {biometrics.redial_number}, which Twilio dials when a check is over. Without it the call "
            "ends there, with error 13227 in Twilio's log."
        )
    steps.append(_attach(biometrics, settings, outputs))
    if not number.startswith("+1"):
        steps.append(
            "Call once and have Twilio's call log show the caller's own number: outside the United States carriers "
            "may replace the caller id of a transfer, and the webhook finds callers by it."
        )
    return steps


def _at_voiceit(biometrics: BiometricsSettings, outputs: Mapping[str, str]) -> str:
    names = VoiceBiometricPreset.named(biometrics.preset).with_overrides(
        phrase=biometrics.phrase, language=biometrics.language
    )
    step = f"Have VoiceIt enable the phrase {names.phrase!r} in {names.language} for your account"
    if biometrics.provider.voiceit_secret_arn:
        return f"{step}."
    put = secrets.put(value(outputs, "BiometricsProviderSecretArn"), _VOICEIT)
    return f"{step}. After the deployment store API key and token, from its Settings: {put}."


def _at_twilio(biometrics: BiometricsSettings, outputs: Mapping[str, str]) -> str:
    step = (
        f"At Twilio: see that {biometrics.telephony.number} is a voice number that receives caller ids unchanged, in "
        "the country that Amazon Connect calls from"
    )
    if biometrics.telephony.recording_transfer == "fetch":
        step += "; switch on 'Enforce HTTP Auth on media URLs'"
    else:
        step += (
            "; recordingTransfer url needs 'Enforce HTTP Auth on media URLs' off, which accounts opened since 31 July "
            "2023 cannot do, or a provider function that has credentials: prefer fetch"
        )
    if biometrics.telephony.secret_arn:
        return f"{step}."
    put = secrets.put(value(outputs, "BiometricsTelephonySecretArn"), _TWILIO)
    return f"{step}. After the deployment store Account SID and auth token, from its console: {put}."


def _attach(biometrics: BiometricsSettings, settings: Settings, outputs: Mapping[str, str]) -> str:
    which = biometrics.redial_number or "a telephone number"
    step = (
        f"Attach {which} to the flow: aws connect associate-phone-number-contact-flow --phone-number-id <id> "
        f"--instance-id {settings.instance_arn.rpartition('/')[2]} --contact-flow-id {end(outputs, _FLOW)}"
    )
    module = value(outputs, "BiometricsModuleArn")
    return f"{step}; or invoke the module {module} in the flow that the number has."


def _addresses(settings: Settings, aws: Aws) -> Finding:  # noqa: ARG001 (a check takes both)
    here = settings.biometrics.rehearsal_only if settings.biometrics else {}
    return Finding(
        "biometrics addresses",
        ", ".join(f"{key} {url}" for key, url in here.items()),
        "write https URLs elsewhere: in AWS, the functions' own machine is what these name",
    )


def _provider_function(arn: str, waits: int) -> Check:
    """Return the check that a provider function is there, and may take as long as the gate waits for it (seconds)."""
    name = "provider function"

    def look(settings: Settings, aws: Aws) -> Finding:  # noqa: ARG001 (a check takes both)
        try:
            found = aws.client("lambda").get_function_configuration(FunctionName=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            fix = "deploy it first, or correct biometrics.provider.functionArn"
            return Finding(name, f"{arn} does not exist", fix)
        state, seconds = found.get("State", "Active"), found["Timeout"]
        if state == "Failed":
            return Finding(name, f"{state}: {found.get('StateReason', 'no reason')}", "repair the function")
        if seconds < waits:
            return Finding(
                name,
                f"is stopped after {seconds} s, while the gate waits {waits} s",
                f"aws lambda update-function-configuration --function-name {arn} --timeout {waits + 1}",
                blocking=False,
            )
        return Finding(name, f"{state}, {seconds} s")

    return Check(name, look)


def _number(stack: str) -> Check:
    name = "biometrics telephone number"

    def look(settings: Settings, aws: Aws) -> Finding:
        flow = (aws.outputs(stack) or {}).get(_FLOW)
        if flow is None:
            return Finding(name, "is attached to the flow after the deployment")
        attached = len(_numbers_of(flow, settings, aws))
        return Finding(
            name,
            f"{attached} attached to the flow",
            "" if attached else "attach one (below), unless a flow of yours invokes the module",
            blocking=False,
        )

    return Check(name, look, blocking=False)


def _redial_number(number: str, stack: str) -> Check:
    """Return the check that what the telephony side dials comes back to the instance and to the gate."""
    name = "redial number"

    def look(settings: Settings, aws: Aws) -> Finding:
        claimed = {
            found["PhoneNumber"]: found["PhoneNumberId"]
            for found in aws.pages(
                "connect",
                "list_phone_numbers_v2",
                "ListPhoneNumbersSummaryList",
                TargetArn=settings.instance_arn,
                PhoneNumberPrefix=number,
            )
        }
        if number not in claimed:
            return Finding(
                name,
                f"{number} is not claimed by the instance",
                "claim it, or write a number of the instance into biometrics.redialNumber",
                blocking=False,
            )
        flow = (aws.outputs(stack) or {}).get(_FLOW)
        if flow is None:
            return Finding(name, "claimed; it is attached to the flow after the deployment")
        if claimed[number] not in _numbers_of(flow, settings, aws):
            return Finding(
                name,
                "claimed, not attached to the flow",
                "attach it (below), unless a flow of yours invokes the module",
                blocking=False,
            )
        return Finding(name, "attached to the flow")

    return Check(name, look, blocking=False)


def _numbers_of(flow: str, settings: Settings, aws: Aws) -> set[str]:
    """Return the ids of the telephone numbers that lead to a flow."""
    return {
        association["ResourceId"].rpartition("/")[2]
        for association in aws.pages(
            "connect",
            "list_flow_associations",
            "FlowAssociationSummaryList",
            InstanceId=settings.instance_arn,
            ResourceType="VOICE_PHONE_NUMBER",
        )
        if association["FlowId"].rpartition("/")[2] == flow.rpartition("/")[2]
    }
