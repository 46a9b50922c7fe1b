"""What is watched of a voice biometric gate, and what its dashboard shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from connect_bridges.shared import limits
from connect_bridges.shared.metrics import counted, summed
from connect_bridges.shared.monitoring import Watched

if TYPE_CHECKING:
    from connect_bridges.biometrics.gate import VoiceBiometricGate


def watched(gate: VoiceBiometricGate) -> dict[str, Watched]:
    """Return what deserves an alarm: voices not recognised, callers locked, a vendor or a part of ours that fails.

    Metrics are those that the functions write (namespace ConnectBridges, dimension service), and those that Lambda and
    API Gateway write of them. Refused voices and locked numbers are counted when it happens, not when a flow asks the
    gate: whoever tries voices and hangs up each time is counted as well.
    """
    return {
        "VerificationFailures": Watched(
            metric=gate.metric_refused_voices(),
            threshold=limits.VOICES_ALARM_THRESHOLD,
            meaning="More voices than usual did not match: an attack, or a phrase that nobody says.",
        ),
        "LockOuts": Watched(
            metric=gate.metric_lock_outs(),
            threshold=limits.LOCKS_ALARM_THRESHOLD,
            meaning="Numbers were locked after failed tries: somebody may be trying voices.",
        ),
        "LongLockOuts": Watched(
            metric=gate.metric_long_lock_outs(),
            meaning="A number was locked for a day or more after many failed tries: somebody tries voices slowly, or "
            "its owner is not recognised. Unlock it once the owner is known by other means.",
        ),
        "GuessedCodes": Watched(
            metric=gate.metric_guessed_codes(),
            threshold=limits.GUESSES_ALARM_THRESHOLD,
            meaning="Calls to the telephony number showed wrong one-time codes: somebody guesses, or tones get lost.",
        ),
        "UnexpectedCalls": Watched(
            metric=gate.metric_unexpected_calls(),
            threshold=limits.UNEXPECTED_CALLS_ALARM_THRESHOLD,
            meaning="The telephony number is called directly: somebody looks for a session that waits, or the number "
            "is published somewhere.",
        ),
        "ProviderErrors": Watched(
            metric=gate.metric_provider_errors(),
            meaning="The biometrics provider did not answer, or refused: callers go on unverified.",
        ),
        "ForgedMessages": Watched(
            metric=_count(gate, "WebhookForged"),
            threshold=5,
            meaning="Messages with a wrong signature: an attacker, or an auth token that was not updated.",
        ),
        "WebhookFailures": Watched(
            metric=_count(gate, "WebhookFailed"),
            meaning="The webhook could not do its work, or left a recording at Twilio; its log has the cause.",
        ),
        "TableUnavailable": Watched(
            metric=_count(gate, "TableUnavailable"),
            meaning="The gate could not read or write its table: callers go on unverified.",
        ),
        "GateErrors": Watched(
            metric=gate.gate_function.metric_errors(**summed()),
            meaning="The function that flows ask raised or ran out of time: callers go on unverified. Its log has "
            "the cause.",
        ),
        "GateThrottles": Watched(
            metric=gate.gate_function.metric_throttles(**summed()),
            meaning="Lambda had no concurrency left for the gate: callers go on unverified. Raise the account's "
            "quota, or reserve some.",
        ),
        "WebhookErrors": Watched(
            metric=gate.webhook_function.metric_errors(**summed()),
            meaning="The webhook's function raised or ran out of time: callers could not be checked. Its log has "
            "the cause.",
        ),
        "WebhookThrottles": Watched(
            metric=gate.webhook_function.metric_throttles(**summed()),
            meaning="Lambda had no concurrency left for the webhook: callers could not be checked. Raise the "
            "account's quota, or reserve some.",
        ),
        "ApiErrors": Watched(
            metric=gate.api.metric_server_error(**summed()),
            meaning="The webhook's API answered 5xx, which Twilio does not speak to callers: responseType in its "
            "access log says why.",
        ),
        "SweepFailures": Watched(
            metric=gate.retention_function.metric_errors(**summed()),
            meaning="Callers or recordings that should be forgotten are not, yet.",
        ),
    }


def dashboard(gate: VoiceBiometricGate) -> list[list[cloudwatch.IWidget]]:
    """Return the widgets of the gate's dashboard, by row."""
    counts = {
        "What the gate answers": (
            *("BiometricVerified", "BiometricFailed", "BiometricLocked", "BiometricUnavailable"),
            "BiometricTransfer",
        ),
        "How dialogues end": (
            *("DialoguePassed", "DialogueFailed", "ProviderUnavailable", "CallNotExpected"),
        ),
        "Voices that did not match, numbers that were locked": (
            "VoiceRefused",
            "CallerLocked",
            "CallerLockedLong",
        ),
        "What is refused": ("WebhookForged", "WebhookReplayed", "WebhookFailed", "CodeGuessed"),
        "What is forgotten": (
            *("CallerErased", "CallerEraseFailed", "SweepDone", "SweepIncomplete", "RecordingFound"),
        ),
    }
    graphs: dict[str, list[cloudwatch.IMetric]] = {
        title: [_count(gate, name) for name in names] for title, names in counts.items()
    }
    failures = (
        "GateErrors",
        "GateThrottles",
        "WebhookErrors",
        "WebhookThrottles",
        "ApiErrors",
        "TableUnavailable",
    )
    seen = watched(gate)
    graphs["What fails in this account"] = [seen[name].metric for name in failures]
    widgets: list[cloudwatch.IWidget] = [
        cloudwatch.GraphWidget(title=title, left=metrics, width=12, stacked=False)
        for title, metrics in graphs.items()
    ]
    return [widgets[:2], widgets[2:4], widgets[4:]]


def _count(gate: VoiceBiometricGate, name: str) -> cloudwatch.Metric:
    return counted(name, gate.service_name)
