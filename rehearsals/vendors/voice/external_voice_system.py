"""A fake for the voice system outside Amazon Connect: a process of its own that takes calls and posts metadata.

`python -m rehearsals.vendors.voice.external_voice_system` reads a VendorScript as one line of JSON (it may
hold a token, so it is no argument and no environment variable), opens a port on loopback, prints {"port": N} and
serves until its standard input closes. HTTP requests stand for SIP signalling; metadata goes to the deployed API over
an HTTP client as the vendor's would.

    POST /invite  {"call", "to", "from", "headers"}  ->  {"status", "reason", "answers_after"}
    POST /ack     {"call"}            the caller's side took note of 200 OK: the script begins
    POST /cancel  {"call"}            it gave up ringing
    POST /next    {"call"}            waits for the next event of the call: says, asks, posts, hangs up, drops
    POST /reply   {"call", "text"}    what the caller said to the last question
    POST /bye     {"call"}            the caller hung up
"""

import http.client
import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from rehearsals.vendors.voice.script import (
    Answers,
    Ask,
    DropCall,
    HangUp,
    Json,
    MetadataApi,
    NeverAnswers,
    PostMetadata,
    Refuses,
    Say,
    VendorScript,
)

EVENT_LIMIT = 60.0
"""Seconds that /next waits before it says that nothing happens."""
RETRIED = frozenset({429, 503})


class CallEndedError(Exception):
    """The caller hung up; the script of the call stops."""


class Call:
    """One call. The script runs in a thread and leaves events; replies of the caller come in."""

    def __init__(self, script: VendorScript, invite: Json) -> None:
        self._script = script
        self._headers = {name.lower(): value for name, value in invite["headers"].items()}
        self._remembered: dict[str, str] = {}
        self._ended = threading.Event()
        self.events: queue.Queue[Json] = queue.Queue()
        self.replies: queue.Queue[str | None] = queue.Queue()

    def start(self) -> None:
        """Run the script."""
        threading.Thread(target=self._run, daemon=True).start()

    def hung_up(self) -> None:
        """Take note that the caller is gone."""
        self._ended.set()
        self.replies.put(None)

    def _run(self) -> None:
        try:
            for step in self._script.steps:
                if self._ended.is_set():
                    return
                if isinstance(step, HangUp | DropCall):
                    self.events.put(_ending(step))
                    return
                self._do(step)
        except CallEndedError:
            return
        except Exception as error:  # noqa: BLE001  (whatever it is, the other side must not wait for it)
            self.events.put({"event": "crashes", "reason": f"{type(error).__name__}: {error}"})
            return
        self.events.put(_ending(HangUp()))

    def _do(self, step: Say | Ask | PostMetadata) -> None:
        match step:
            case Say(text):
                self.events.put({"event": "says", "text": text})
            case Ask(text, remember):
                self.events.put({"event": "asks", "text": text})
                reply = self.replies.get()
                if reply is None:
                    raise CallEndedError
                self._remembered[remember] = reply
            case PostMetadata():
                self.events.put(self._post(step))

    def _post(self, step: PostMetadata) -> Json:
        if self._script.api is None:
            raise ValueError("the script posts metadata, but was not told where (api)")
        contact_id = step.contact_id or self._headers.get(self._script.contact_id_header.lower())
        if contact_id is None:
            return {"event": "cannot post", "reason": f"no SIP header {self._script.contact_id_header}"}
        metadata = {key: self._fill_in(value) for key, value in step.metadata.items()}
        shown = step.contact_token or self._headers.get("user-to-user")
        answer = post(self._script.api, contact_id, metadata, step, contact_token=shown)
        return {"event": "posts", "metadata": metadata, **answer}

    def _fill_in(self, value: Any) -> Any:  # noqa: ANN401  (JSON)
        return value.format(**self._remembered) if isinstance(value, str) else value


def post(
    api: MetadataApi, contact_id: str, metadata: Json, step: PostMetadata, *, contact_token: str | None = None
) -> Json:
    """POST the metadata, with retries; return {"status", "body", "seconds", "attempts"} of the last answer."""
    attempts: list[int] = []
    started = time.monotonic()
    while True:
        status, retry_after, body = _post_once(api, contact_id, metadata, step.token, contact_token)
        attempts.append(status)
        if status not in RETRIED or len(attempts) > step.retries:
            return {
                "status": status,
                "body": body,
                "seconds": time.monotonic() - started,
                "attempts": attempts,
            }
        time.sleep(
            min(retry_after, 5.0) if retry_after is not None else step.pause * 2 ** (len(attempts) - 1)
        )


def _post_once(
    api: MetadataApi, contact_id: str, metadata: Json, token: str | None, contact_token: str | None
) -> tuple[int, float | None, Any]:
    url = urlsplit(api.url)
    signed = {api.contact_token_header: contact_token} if api.contact_token_header and contact_token else {}
    connection = http.client.HTTPConnection(*api.connect_to, timeout=api.timeout)
    try:
        connection.request(
            "POST",
            f"{url.path}?{urlencode({'contactId': contact_id})}",
            body=json.dumps(metadata, ensure_ascii=False).encode(),
            headers={
                "Host": url.netloc,
                "Content-Type": "application/json",
                "User-Agent": "example-voice-platform/1.0",
                api.token_header: token if token is not None else api.token,
                **signed,
            },
        )
        response = connection.getresponse()
        text = response.read().decode()
        retry_after = response.getheader("Retry-After")
        return response.status, float(retry_after) if retry_after else None, _as_json(text)
    finally:
        connection.close()


def _as_json(text: str) -> Any:  # noqa: ANN401  (JSON)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _ending(step: HangUp | DropCall) -> Json:
    return {"event": "hangs up"} if isinstance(step, HangUp) else {"event": "drops", "reason": step.reason}


class Signalling(BaseHTTPRequestHandler):
    """Answers the requests that stand for SIP."""

    script: VendorScript
    calls: dict[str, Call]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one request."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            answer = getattr(self, f"_{self.path.lstrip('/')}")(request)
        except (AttributeError, KeyError) as error:
            self._send(404, {"error": f"no such request or call: {self.path}: {error}"})
            return
        self._send(200, answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's signature)
        """Write no access log: standard error is for what goes wrong."""

    def _invite(self, invite: Json) -> Json:
        match self.script.pickup:
            case Refuses(status, reason):
                return {"status": status, "reason": reason, "answers_after": None}
            case NeverAnswers():
                self.calls[invite["call"]] = Call(self.script, invite)
                return {"status": 180, "reason": "Ringing", "answers_after": None}
            case Answers(after):
                self.calls[invite["call"]] = Call(self.script, invite)
                return {"status": 180, "reason": "Ringing", "answers_after": after}

    def _ack(self, request: Json) -> Json:
        self.calls[request["call"]].start()
        return {}

    def _cancel(self, request: Json) -> Json:
        self.calls.pop(request["call"]).hung_up()
        return {"status": 487, "reason": "Request Terminated"}

    def _next(self, request: Json) -> Json:
        try:
            return self.calls[request["call"]].events.get(timeout=EVENT_LIMIT)
        except queue.Empty:
            return {"event": "crashes", "reason": f"nothing happened for {EVENT_LIMIT:g} s"}

    def _reply(self, request: Json) -> Json:
        self.calls[request["call"]].replies.put(request["text"])
        return {}

    def _bye(self, request: Json) -> Json:
        self.calls.pop(request["call"]).hung_up()
        return {}

    def _send(self, status: int, answer: Json) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Read the script, open the port, serve until standard input closes."""
    script = VendorScript.from_json(json.loads(sys.stdin.readline()))
    handler = type("BoundSignalling", (Signalling,), {"script": script, "calls": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
