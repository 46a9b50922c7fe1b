"""A provider that is a Lambda function of yours: any voice biometrics engine, without a change here.

The function is invoked synchronously with one JSON object::

    {"operation": "createUser"}
    {"operation": "enrol" | "verify", "userId", "phrase", "language", "recordingUrl",
     "recording": "<base64 of a WAV file>"}        # recording only if recordings are fetched (the default)
    {"operation": "deleteUser", "userId"}

and returns ``{"userId": "…"}``, ``{"decision": "accepted" | "mismatch" | "retry" | "unavailable", "confidence": 0-100,
"code": "…"}`` (confidence and code may be left out), or anything for deleteUser. An exception means unavailable.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from runtime.biometrics.judgement import Decision, Judgement
from runtime.biometrics.providers.base import ProviderUnavailableError, Sample
from runtime.shared.clients import AwsClient, error_code

_USER_ID = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)


class FunctionProvider:
    """A VoiceBiometricsProvider on a user's own Lambda function; IAM: lambda:InvokeFunction on it."""

    def __init__(self, *, client: AwsClient, function_arn: str, name: str, min_confidence: float) -> None:
        self.name = name
        self._client = client
        self._function_arn = function_arn
        self._min_confidence = min_confidence

    def create_user(self) -> str:
        """Ask the function for a new user's id."""
        user_id = self._invoke({"operation": "createUser"}).get("userId")
        if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
            raise ProviderUnavailableError("the provider function returned no userId of 1 to 256 characters")
        return user_id

    def enrol(self, user_id: str, sample: Sample) -> Judgement:
        """Have the function add a recording to the user's voice print."""
        return self._judge("enrol", user_id, sample)

    def verify(self, user_id: str, sample: Sample) -> Judgement:
        """Have the function compare a recording with the user's voice print."""
        judgement = self._judge("verify", user_id, sample)
        enough = (judgement.confidence or 0.0) >= self._min_confidence
        if judgement.decision is Decision.ACCEPTED and not enough:
            return Judgement(Decision.MISMATCH, "CONFIDENCE", judgement.confidence)
        return judgement

    def delete_user(self, user_id: str) -> None:
        """Have the function delete the user."""
        self._invoke({"operation": "deleteUser", "userId": user_id})

    def _judge(self, operation: str, user_id: str, sample: Sample) -> Judgement:
        event: dict[str, Any] = {
            "operation": operation,
            "userId": user_id,
            "phrase": sample.phrase,
            "language": sample.language,
            "recordingUrl": sample.url,
        }
        if sample.audio is not None:
            event["recording"] = base64.b64encode(sample.audio).decode()
        try:
            answer = self._invoke(event)
            decision = Decision(str(answer.get("decision")))
        except (ProviderUnavailableError, ValueError):
            return Judgement(Decision.UNAVAILABLE, "NONE")
        confidence = answer.get("confidence")
        if (
            isinstance(confidence, bool)
            or not isinstance(confidence, int | float)
            or not 0 <= confidence <= 100
        ):
            confidence = None
        return Judgement(decision, str(answer.get("code") or decision.value)[:60], confidence)

    def _invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = self._client.invoke(
                FunctionName=self._function_arn, InvocationType="RequestResponse", Payload=json.dumps(event)
            )
            document = json.loads(answer["Payload"].read())
        except Exception as error:
            raise ProviderUnavailableError(
                f"the provider function did not answer: {error_code(error)}"
            ) from error
        if answer.get("FunctionError"):
            raise ProviderUnavailableError(f"the provider function raised: {answer['FunctionError']}")
        return document if isinstance(document, dict) else {}
