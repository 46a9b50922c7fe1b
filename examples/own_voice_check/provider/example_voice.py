"""Has voices judged by Example Voice, a service that does not exist: a pattern for the one that you use.

The gate invokes ``handler`` and wants one of its own answers (connect-bridges, docs/voice-biometrics.md):

==========================  =========================================  =========================================
operation                   request to Example Voice                   answer to the gate
==========================  =========================================  =========================================
createUser                  POST /v1/speakers                          {"userId": "…"}
enrol                       POST /v1/speakers/{id}/samples             {"decision": "…", "code": "…"}
verify                      POST /v1/speakers/{id}/checks              {"decision", "confidence" (percent), "code"}
deleteUser                  DELETE /v1/speakers/{id}                   {}
==========================  =========================================  =========================================

To use another service, rewrite the four functions after ``handler``; the rest says how to ask over HTTP in time.

Whatever goes wrong is "unavailable", never a caller's fault: as a decision with a code that the gate logs, or, where
there is none to give (createUser, deleteUser), as an exception. Nothing is sent twice that may have been judged.
An address of a recording is never logged: whoever has it may be able to listen.

Environment: API_URL, API_KEY_SECRET_ARN (a secret that is the API key, and nothing else), SECONDS (for everything).
IAM: secretsmanager:GetSecretValue on that secret. Needs what the Lambda runtime brings, and nothing more.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MOST_BYTES = 65_536
_secrets = boto3.client(
    "secretsmanager",
    config=Config(connect_timeout=0.5, read_timeout=1, retries={"total_max_attempts": 2}),
)
_known_keys: list[str] = []
"""The API key, once it was read; kept while this copy of the function lives."""


class UnavailableError(Exception):
    """Example Voice has not answered, not in time, or not as documented. The message is a code for the gate's log."""


@dataclass(frozen=True)
class Answer:
    """What Example Voice answered: the status, and the JSON object (empty if there was none)."""

    status: int
    document: dict[str, Any]

    def code(self) -> str:
        """Return Example Voice's own word for what is wrong, or the status."""
        return str(self.document.get("reason") or f"HTTP{self.status}")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer the gate; an exception means unavailable, too."""
    ends = time.monotonic() + float(os.environ["SECONDS"])
    operation = event["operation"]
    if operation == "createUser":
        return create_user(ends)
    if operation == "deleteUser":
        return delete_user(event["userId"], ends)
    judge = {"enrol": enrol, "verify": verify}[operation]
    try:
        judged = judge(event["userId"], sample_of(event), ends)
    except UnavailableError as error:
        judged = {"decision": "unavailable", "code": str(error)}
    print(json.dumps({"operation": operation, **judged}))
    return judged


# --- Example Voice


def create_user(ends: float) -> dict[str, Any]:
    """Make a speaker without voice."""
    answer = send("POST", "/v1/speakers", {}, ends)
    if answer.status != 201 or "speakerId" not in answer.document:
        raise UnavailableError(answer.code())
    return {"userId": answer.document["speakerId"]}


def enrol(user_id: str, sample: dict[str, Any], ends: float) -> dict[str, Any]:
    """Add a recording to a speaker's voice print."""
    answer = send("POST", f"/v1/speakers/{quote(user_id, safe='')}/samples", sample, ends)
    # 409: somebody else speaks than in the samples before. 422: too quiet, another phrase, and the like.
    decision = {201: "accepted", 409: "mismatch", 422: "retry"}.get(answer.status, "unavailable")
    return {"decision": decision, "code": answer.code()}


def verify(user_id: str, sample: dict[str, Any], ends: float) -> dict[str, Any]:
    """Compare a recording with a speaker's voice print."""
    answer = send("POST", f"/v1/speakers/{quote(user_id, safe='')}/checks", sample, ends)
    match, score = answer.document.get("match"), answer.document.get("score")
    if answer.status == 200 and isinstance(match, bool) and isinstance(score, int | float):
        decision = "accepted" if match else "mismatch"
        return {"decision": decision, "confidence": round(100 * score, 2), "code": "CHECKED"}
    # A recording that was played back has to count as a failed try: "retry" would let it be tried for ever.
    if answer.status == 422 and answer.document.get("reason") == "replayed":
        return {"decision": "mismatch", "code": "replayed"}
    return {"decision": "retry" if answer.status == 422 else "unavailable", "code": answer.code()}


def delete_user(user_id: str, ends: float) -> dict[str, Any]:
    """Delete a speaker; one that is gone already is no error, since the gate asks again after a failure."""
    answer = send("DELETE", f"/v1/speakers/{quote(user_id, safe='')}", None, ends)
    if answer.status not in {204, 404}:
        raise UnavailableError(answer.code())
    return {}


def sample_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return a recording as Example Voice wants it: by address, or, if the gate has fetched it, itself (base64)."""
    handed_over = "recording" if "recording" in event else "recordingUrl"
    return {name: event[name] for name in ("phrase", "language", handed_over)}


# --- HTTP


def send(method: str, path: str, body: dict[str, Any] | None, ends: float) -> Answer:
    """Send a request; UnavailableError if no answer came in time. An API key that was replaced is read anew, once."""
    known = bool(_known_keys)
    answer = _send_with(_api_key(), method, path, body, ends)
    if answer.status != 401 or not known:
        return answer
    _known_keys.clear()
    return _send_with(_api_key(), method, path, body, ends)


def _send_with(api_key: str, method: str, path: str, body: dict[str, Any] | None, ends: float) -> Answer:
    # http.client follows no redirect: key and recording go to the address that was set up, and nowhere else. Its time
    # limit starts anew with every byte; a server that drips is ended by the limit of the Lambda function.
    parts = urlsplit(os.environ["API_URL"])
    kind = http.client.HTTPConnection if parts.scheme == "http" else http.client.HTTPSConnection
    connection = kind(parts.netloc, timeout=max(0.05, ends - time.monotonic()))
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, parts.path.rstrip("/") + path, body=content, headers=headers)
        response = connection.getresponse()
        status, text = response.status, response.read(MOST_BYTES)
    except TimeoutError as error:
        raise UnavailableError("TIMEOUT") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError("NO_ANSWER") from error
    finally:
        connection.close()
    try:
        document = json.loads(text or b"{}")
    except ValueError:
        # A proxy's page, perhaps; the status says what there is to say.
        document = {}
    return Answer(status, document if isinstance(document, dict) else {})


def _api_key() -> str:
    if not _known_keys:
        try:
            secret = _secrets.get_secret_value(SecretId=os.environ["API_KEY_SECRET_ARN"])
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("NO_API_KEY") from error
        _known_keys.append(secret["SecretString"])
    return _known_keys[0]
