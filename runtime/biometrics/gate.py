"""Asked by a flow what comes next for this contact, and whether its caller is proven.

Environment: TABLE_NAME, KEY_ATTRIBUTE (phoneNumber), CALLER_KEY_SECRET_ARN, PROVIDER_NAME, and those of ``policy``.
IAM: dynamodb:GetItem and PutItem on the table, secretsmanager:GetSecretValue on the key of caller tags.
Source: VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-1-2); Amazon Connect administrator guide, "Invoke
AWS Lambda functions".

The flow passes ``phase`` (``start``, or ``return`` when the transfer is over). Contact id and number are taken from
what Amazon Connect itself says of the contact, never from a parameter. Answers are flat strings, under 1 KB:

======================  ================================================================================
Branch                  enrollfromscratch, enroll, verify, verified, failedverified, locked, unavailable
Transfer                ``true`` if the flow has to transfer to the telephony number now
Digits                  what to send on that transfer (ThirdPartyDTMFDigits); ``none`` without one
Reason                  why, in one word, for logs and for people
biometricResult, biometricConfidence, biometricProvider, biometricTime   attributes for the contact
======================  ================================================================================

A failure of the table is an answer too (``unavailable``). Whatever is slow, the function answers within 8 s: it decides
anew, because somebody else wrote first, only in the first ANEW_SECONDS, and reads the key of caller tags only if it has
answered the flow's question in TAG_SECONDS. Set the block's limit to 8 s.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from runtime.biometrics import limits, machine
from runtime.biometrics.caller_tag import CallerTag
from runtime.biometrics.limits import CODE_LENGTH, PHONE_NUMBER
from runtime.biometrics.machine import Answer, Branch, Phase, Question
from runtime.biometrics.policy import Policy
from runtime.biometrics.table import (
    Callers,
    CallersSettings,
    DynamoDbCallers,
    client_while_a_call_waits,
)
from runtime.shared.clients import error_code
from runtime.shared.contact_flow import contact_flow_event
from runtime.shared.environment import Environment
from runtime.shared.initialization import built_at_init
from runtime.shared.logging import LOGGER, event_logger
from runtime.shared.metrics import count, metered
from runtime.shared.rotated_secret import secret_at

# evidence: transfer-sends-digits
PAUSE = ",,"
"""Two pauses of 750 ms before the digits, while the telephony side starts to listen."""

ANEW_SECONDS = 2.4
"""After which nobody decides anew: reading and writing takes 5 s at most."""
TAG_SECONDS = 4.5
"""After which the key of caller tags is not read any more: reading both versions takes 3 s at most."""
TABLE_UNAVAILABLE = "tableUnavailable"
_RESULTS = {
    Branch.VERIFIED: "verified",
    Branch.FAILED: "failed",
    Branch.LOCKED: "locked",
    Branch.UNAVAILABLE: "unavailable",
}
_COUNTED = {
    Branch.VERIFIED: "BiometricVerified",
    Branch.FAILED: "BiometricFailed",
    Branch.LOCKED: "BiometricLocked",
    Branch.UNAVAILABLE: "BiometricUnavailable",
}


@metered()
@event_logger(correlation_id_path="Details.ContactData.ContactId")
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001 (Lambda's signature)
    """Answer the flow; raises only if the function is set up wrongly."""
    gate = _gate()
    flow = contact_flow_event(event)
    endpoint, contact_id = flow.contact_data.customer_endpoint, flow.contact_data.get("ContactId")
    number = endpoint.get("Address") if endpoint else None
    phase = Phase.RETURN if flow.parameters.get("phase") == Phase.RETURN.value else Phase.START
    tag = "none"
    if not isinstance(contact_id, str) or not contact_id:
        answer = Answer(branch=Branch.UNAVAILABLE, reason="noContact")
    elif not isinstance(number, str) or not PHONE_NUMBER.fullmatch(number):
        answer = Answer(branch=Branch.UNAVAILABLE, reason="noPhoneNumber")
    else:
        began = time.monotonic()
        answer = _ask(gate, number, contact_id, phase)
        tag = gate.tag.of(number) if time.monotonic() - began < TAG_SECONDS else "unknown"
    LOGGER.info(
        "gate asked",
        caller=tag,
        phase=phase.value,
        branch=answer.branch.value,
        reason=answer.reason,
        state=answer.state,
    )
    count(_COUNTED.get(answer.branch, "BiometricTransfer"))
    if answer.reason == TABLE_UNAVAILABLE:
        count("TableUnavailable")
    return answer_for_flow(answer, gate.provider_name)


def answer_for_flow(answer: Answer, provider: str) -> dict[str, str]:
    """Return the answer as flat strings, none of them empty: Connect refuses empty values in some places."""
    # evidence: flow-function-answer
    result = _RESULTS.get(answer.branch, "pending")
    at = datetime.fromtimestamp(answer.at or int(time.time()), UTC)
    return {
        "Branch": answer.branch.value,
        "Transfer": "true" if answer.code else "false",
        "Digits": f"{PAUSE}{answer.code}" if answer.code else "none",
        "Reason": answer.reason,
        "biometricResult": answer.reason if answer.reason in {"consentRefused", "notEnrolled"} else result,
        "biometricConfidence": answer.confidence or "none",
        "biometricProvider": provider,
        "biometricTime": at.isoformat().replace("+00:00", "Z"),
    }


@dataclass(frozen=True, slots=True)
class _Gate:
    callers: Callers
    policy: Policy
    tag: CallerTag
    provider_name: str


@built_at_init
def _gate() -> _Gate:
    environment = Environment(os.environ)
    table = CallersSettings.read(environment)
    policy = Policy.read(environment)
    provider = environment.text(
        "PROVIDER_NAME", pattern=limits.PROVIDER_NAME.pattern, form="the provider's name"
    )
    key = environment.secret_arn("CALLER_KEY_SECRET_ARN")
    environment.check()
    return _Gate(
        callers=DynamoDbCallers(client_while_a_call_waits(), table),
        policy=policy,
        tag=CallerTag(secret_at(key, str, attempts=1)),
        provider_name=provider,
    )


def _ask(gate: _Gate, number: str, contact_id: str, phase: Phase) -> Answer:
    # evidence: flow-function-retries
    code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
    question = Question(contact_id=contact_id, phase=phase, new_code=code, now=int(time.time()))
    try:
        return gate.callers.change(
            number,
            lambda caller: machine.ask(caller, question, gate.policy),
            patience=ANEW_SECONDS,
        )
    except Exception as error:  # noqa: BLE001 (the flow must get an answer; the log gets the cause)
        LOGGER.warning("gate could not decide", cause=error_code(error))
        return Answer(branch=Branch.UNAVAILABLE, reason=TABLE_UNAVAILABLE)
