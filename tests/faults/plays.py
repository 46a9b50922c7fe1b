"""What is played: one invocation of a function each, the state before it, and which ends are right.

A play is right in each of its cells if the invocation ends in time, in a branch that is documented, and the state
afterwards is one that this branch allows. Which calls there are is not written here: the run without a fault tells.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any, Final

from connect_sandbox.moto_internals import iam as backend_of_iam

from runtime.metadata.contact_token import contact_token, signing_key
from tests.faults.moto import call, in_account, items, put_item
from tests.faults.process import Ended, Step, longest, none_at_all
from tests.faults.proxy import Answer, Asked, Backend
from tests.support.voice_cloud import INSTANCE_ARN, INSTANCE_UUID, Cloud

State = dict[str, Any]

_ACCOUNTS = count(100_000_000_001)
_LOCK: Final = threading.Lock()
_OF_ALL: Final = "100000000000"
"""The account in which all runs have their secrets."""


class World:
    """AWS and the vendors for one run: an account of its own at moto, and fakes of what moto has not."""

    def __init__(self) -> None:
        self._account = str(next(_ACCOUNTS))
        aws = in_account(self._account)
        self.environment: dict[str, str] = {}
        self.backends: dict[str, Backend] = {
            "dynamodb": aws,
            "iam": aws,
            "secretsmanager": in_account(_OF_ALL),
        }
        self.look: list[Callable[[], State]] = []
        """What the state is made of."""

    def state(self) -> State:
        """Return everything that a run may change."""
        found: State = {}
        for look in self.look:
            found |= look()
        return found

    def create_table(self, name: str, key: str) -> None:
        """Create a table."""
        call(
            self._account,
            "DynamoDB_20120810.CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put_item(self, table: str, item: Mapping[str, Any]) -> None:
        """Put an item into a table."""
        put_item(self._account, table, item)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return a table's items."""
        return items(self._account, table)

    def table(self, name: str, key: str, *, hide: tuple[str, ...] = ()) -> None:
        """Create a table, whose items are part of the state; `hide`: attributes that differ each time."""
        self.create_table(name, key)
        self.look.append(
            lambda: {
                name: {
                    item[key]["S"]: {k: v for k, v in sorted(item.items()) if k not in hide}
                    for item in self.items(name)
                }
            }
        )

    def secret(self, name: str, text: str) -> str:
        """Return the ARN of a secret, which all runs share, since none changes it."""
        with _LOCK:
            return _secret(name, text)

    def access_key(self, user: str) -> None:
        """Create a user of IAM with an access key."""
        iam = backend_of_iam(self._account)
        iam.create_user("us-east-1", user)
        iam.create_access_key(user)


@cache
def _secret(name: str, text: str) -> str:
    arn: str = call(_OF_ALL, "secretsmanager.CreateSecret", Name=name, SecretString=text)["ARN"]
    return arn


@dataclass(frozen=True)
class Cell:
    """One run with its fault: how it ended, and the state before, after, and after a run without a fault."""

    ended: Ended
    before: State
    after: State
    whole: State
    followed: tuple[Ended, ...] = ()
    """How what followed has ended, `ended` being the last of them."""

    @property
    def unchanged(self) -> bool:
        """Nothing was written."""
        return self.after == self.before

    @property
    def done(self) -> bool:
        """Everything was written."""
        return self.after == self.whole


@dataclass(frozen=True)
class Branch:
    """A documented end: its name, whether a run has ended so, and whether it may leave this state."""

    name: str
    ends: Callable[[Cell], bool]
    leaves: Callable[[Cell], bool]


@dataclass(frozen=True)
class Play:
    """One invocation. `seconds`: its time limit, Lambda's or the caller's, whichever is sooner."""

    name: str
    module: str
    seconds: float
    prepare: Callable[[World], Mapping[str, Any]]
    """Makes the state and the environment; returns the event."""
    branches: tuple[Branch, ...]
    settings: Mapping[str, Any] = field(default_factory=lambda: {"random.random": longest})
    """Module attributes to set, by dotted name; by default, the pauses between attempts are as long as they can be."""
    then: Callable[[Mapping[str, Any], Cell], Mapping[str, Any] | None] = lambda _event, _cell: None
    """The event that the caller sends after such an end, if any: it finds the fault gone, and has to be `settled`."""
    settled: Callable[[Mapping[str, Any], Cell], bool] = lambda _event, cell: cell.done
    """Whether the run of that event has ended as it should; the event is that one."""
    after: Callable[[Mapping[str, Any], Cell], Sequence[Step]] | None = None
    """What happens after such an end, if that is more than one event to the same function; it stands for `then`."""
    limit: float = 0.0
    """Seconds after which the run is stopped, if the real limit is longer than a test may take."""
    elsewhere: str = ""
    """The calls (a regular expression) whose faults are those of another play of the same function."""
    told_by_state: bool = False
    """Whether the state tells everything that what follows depends on, so that from each state it is tried once."""
    paired: bool = False
    """Whether pairs of faults are tried as well: it writes in more than one place."""

    def is_elsewhere(self, name: str) -> bool:
        """Return whether another play has this call fail."""
        return bool(self.elsewhere) and re.search(self.elsewhere, name) is not None

    def follows(self, event: Mapping[str, Any], cell: Cell) -> Sequence[Step]:
        """Return the invocations that follow."""
        if self.after is not None:
            return self.after(event, cell)
        following = self.then(event, cell)
        return [] if following is None else [Step(self.module, following, self.settings)]

    @property
    def function(self) -> str:
        """The function as documents name it."""
        return self.module.removeprefix("runtime.")


def killed(leaves: Callable[[Cell], bool] = lambda cell: cell.done or cell.unchanged) -> Branch:
    """The process was killed: the invocation has no answer; the caller's own branch for that is taken."""
    return Branch("killed", lambda cell: cell.ended.killed, leaves)


def raises(*errors: str, leaves: Callable[[Cell], bool] = lambda cell: cell.unchanged) -> Branch:
    """An error of one of these classes, upon which a flow takes its Error branch."""
    return Branch("raises " + " or ".join(errors), lambda cell: cell.ended.error in errors, leaves)


def answers(name: str, leaves: Callable[[Cell], bool], **fields: object) -> Branch:
    """An answer with at least these fields."""
    return Branch(
        name,
        lambda cell: (
            isinstance(cell.ended.answer, dict)
            and all(cell.ended.answer.get(key) == value for key, value in fields.items())
        ),
        leaves,
    )


# --- metadata

_CONTACT: Final = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"
_INSTANCE_ID: Final = "11111111-2222-3333-4444-555555555555"
_INSTANCE: Final = f"arn:aws:connect:us-east-1:123456789012:instance/{_INSTANCE_ID}"
_TOKEN: Final = "a-token-nobody-may-log"
_TABLE: Final = "ConnectBridgeMetadata"


def _metadata_table(world: World, *, holds: str = "") -> None:
    world.table(_TABLE, "contactId", hide=("storedAt", "expiresAt"))
    world.environment["TABLE_NAME"] = _TABLE
    if holds:
        item = {
            "contactId": {"S": _CONTACT},
            "body": {"S": holds},
            "requestId": {"S": "an-earlier-one"},
            "storedAt": {"N": "1763700000"},
            "expiresAt": {"N": "4102444800"},
        }
        world.put_item(_TABLE, item)


def _store(holds: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        _metadata_table(world, holds=holds)
        return {
            "resource": "/kore-metadata",
            "path": "/kore-metadata",
            "httpMethod": "POST",
            "headers": {"content-type": "application/json", "authorizationToken": _TOKEN},
            "multiValueHeaders": {"content-type": ["application/json"], "authorizationToken": [_TOKEN]},
            "queryStringParameters": {"contactId": _CONTACT},
            "multiValueQueryStringParameters": {"contactId": [_CONTACT]},
            "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "prod"},
            "body": '{"mood": "calm"}',
            "isBase64Encoded": False,
        }

    return prepare


_CONTACT_KEY: Final = "a-key-to-sign-with-nobody-may-log"


def _store_with_token(world: World) -> Mapping[str, Any]:
    event = dict(_store("")(world))
    world.environment["CONTACT_KEY_ARN"] = world.secret("ContactKey", _CONTACT_KEY)
    token = contact_token(signing_key(_CONTACT_KEY), _CONTACT, expires_at=4_102_444_800)
    event["multiValueHeaders"] = event["multiValueHeaders"] | {"contactToken": [token]}
    return event


def _sign(world: World) -> Mapping[str, Any]:
    world.environment["CONTACT_KEY_ARN"] = world.secret("ContactKey", _CONTACT_KEY)
    return _flow_event("VOICE", contactId=_CONTACT)


_STORES: Final = (
    answers("200", lambda cell: cell.done, statusCode=200),
    answers("503, to be sent again", lambda cell: cell.unchanged or cell.done, statusCode=503),
    answers("500", lambda cell: cell.unchanged, statusCode=500),
    killed(),
)


def _sent_again(event: Mapping[str, Any], cell: Cell) -> Mapping[str, Any] | None:
    return None if cell.ended.answer and cell.ended.answer["statusCode"] == 200 else event


def _flow_event(channel: str, **parameters: str) -> dict[str, Any]:
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {},
                "Channel": channel,
                "ContactId": _CONTACT,
                "CustomerEndpoint": {"Address": "+12065550100", "Type": "TELEPHONE_NUMBER"},
                "InitialContactId": _CONTACT,
                "InitiationMethod": "INBOUND",
                "InstanceARN": _INSTANCE,
                "PreviousContactId": _CONTACT,
                "Queue": None,
                "SystemEndpoint": None,
            },
            "Parameters": parameters,
        },
    }


def _retrieve(holds: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        _metadata_table(world, holds=holds)
        return _flow_event("VOICE", contactId=_CONTACT)

    return prepare


def _authorize(token: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        world.environment["TOKEN_SECRET_ARN"] = world.secret("Token", _TOKEN)
        return {
            "type": "TOKEN",
            "authorizationToken": token,
            "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/POST/kore-metadata",
        }

    return prepare


def _policy(effect: str) -> Branch:
    return Branch(
        effect,
        lambda cell: (
            not cell.ended.error
            and {one["Effect"] for one in cell.ended.answer["policyDocument"]["Statement"]} == {effect}
        ),
        lambda cell: cell.unchanged,
    )


_UNREADABLE: Final = ("TemporarilyUnavailableError", "ClientError", "ResponseParserError")

METADATA: Final = (
    Play("metadata arrives", "runtime.metadata.store", 10, _store(""), _STORES, then=_sent_again),
    Play(
        "metadata arrives again",
        "runtime.metadata.store",
        10,
        _store('{"mood": "angry"}'),
        _STORES,
        then=_sent_again,
    ),
    Play(
        "metadata arrives with its contact's token",
        "runtime.metadata.store",
        13,
        _store_with_token,
        _STORES,
        then=_sent_again,
    ),
    Play(
        "a flow has a contact signed",
        "runtime.metadata.sign",
        4,
        _sign,
        (
            Branch(
                "signed",
                lambda cell: not cell.ended.error and len(cell.ended.answer["contactToken"]) == 40,
                lambda cell: cell.unchanged,
            ),
            raises("SecretUnavailableError"),
            killed(),
        ),
    ),
    Play(
        "a flow asks for metadata",
        "runtime.metadata.retrieve",
        3,
        _retrieve('{"mood": "calm"}'),
        (
            answers("found", lambda cell: cell.unchanged, found="true", body='{"mood": "calm"}'),
            raises(*_UNREADABLE),
            killed(),
        ),
    ),
    Play(
        "a flow asks for metadata that is not there",
        "runtime.metadata.retrieve",
        3,
        _retrieve(""),
        (answers("not found", lambda cell: cell.unchanged, found="false"), raises(*_UNREADABLE), killed()),
    ),
    Play(
        "a token is shown",
        "runtime.metadata.authorize",
        10,
        _authorize(_TOKEN),
        (_policy("Allow"), raises("SecretUnavailableError"), killed()),
    ),
    Play(
        "a wrong token is shown",
        "runtime.metadata.authorize",
        10,
        _authorize("guessed"),
        (_policy("Deny"), raises("SecretUnavailableError"), killed()),
    ),
)


# --- chat


class _Connect:
    """Amazon Connect: streamings of chats, and flows of numbers."""

    def __init__(self, world: World) -> None:
        self.streaming: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        world.backends["connect"] = self
        world.look.append(lambda: {"streaming": dict(self.streaming), "numbers": dict(self.numbers)})

    def __call__(self, asked: Asked) -> Answer:
        body = json.loads(asked.body) if asked.body else {}
        path = asked.path.split("?")[0].strip("/").split("/")
        match asked.method, path:
            case "POST", ["contact", "start-streaming"]:
                streaming_id = self.streaming.setdefault(
                    body["ClientToken"], f"streaming-{len(self.streaming)}"
                )
                return _json({"StreamingId": streaming_id})
            case "POST", ["contact", "stop-streaming"]:
                tokens = [token for token, one in self.streaming.items() if one == body["StreamingId"]]
                if not tokens:
                    return _json({"message": "no such streaming"}, 404, "ResourceNotFoundException")
                del self.streaming[tokens[0]]
                return _json({})
            case "PUT", ["phone-number", number, "contact-flow"]:
                self.numbers[number] = body["ContactFlowId"]
                return _json({})
            case "DELETE", ["phone-number", number, "contact-flow"]:
                if self.numbers.pop(number, None) is None:
                    return _json({"message": "no such number"}, 404, "ResourceNotFoundException")
                return _json({})
        raise AssertionError(f"the fake knows no {asked.method} {asked.path}")


def _json(document: Mapping[str, Any], status: int = 200, error: str = "") -> Answer:
    headers = {"Content-Type": "application/json"} | ({"x-amzn-ErrorType": error} if error else {})
    return status, headers, json.dumps(document).encode()


class _Bot:
    """The vendor's webhook: which conversations it has begun. It knows repeated requests by their key, or not."""

    def __init__(self, world: World) -> None:
        self.begun: list[str] = []
        world.backends["bot"] = self
        world.look.append(lambda: {"conversations": len(self.begun)})

    def __call__(self, asked: Asked) -> Answer:
        self.begun.append(asked.headers["idempotency-key"])
        return 200, {}, b"{}"


def _chat(**parameters: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        amazon_connect = _Connect(world)
        _Bot(world)
        if parameters.get("action") == "stop":
            amazon_connect.streaming["an-earlier-token"] = parameters["streamingId"]
        world.environment |= {
            "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:ChatStream",
            "TOKEN_SECRET_ARN": world.secret("BotToken", "bots-token-nobody-may-log"),
            "WEBHOOK_URL": "PROXY/bot/hook",
        }
        return _flow_event("CHAT", **parameters)

    return prepare


def _begun_once(cell: Cell) -> bool:
    """Return whether no conversation has begun twice."""
    return bool(cell.after["conversations"] <= 1)


def _nothing_begun(cell: Cell) -> bool:
    """Return whether no bot has been told; a streaming that could not be stopped ends with the chat."""
    return cell.after["conversations"] == 0 and len(cell.after["streaming"]) <= 1


_CHAT_FAILS: Final = Branch(
    "failed: the customer goes on without the bot",
    lambda cell: (
        not cell.ended.error
        and cell.ended.answer["streaming"] == "failed"
        and cell.ended.answer["reason"] != "none"
    ),
    # A streaming that could not be stopped while the fault lasts is said in the log, and ends with the chat.
    _begun_once,
)

CHAT: Final = (
    Play(
        "a chat begins",
        "runtime.chat.start",
        8,
        _chat(),
        (
            answers("started", lambda cell: cell.done, streaming="started"),
            _CHAT_FAILS,
            killed(_begun_once),
        ),
        paired=True,
    ),
    Play(
        "smoke tries what a chat would need",
        "runtime.chat.start",
        8,
        _chat(action="check"),
        (
            answers("checked: the answer says what was refused", _nothing_begun, streaming="checked"),
            killed(_nothing_begun),
        ),
        elsewhere="GetSecretValue",
    ),
    Play(
        "a chat is handed over",
        "runtime.chat.start",
        8,
        _chat(action="stop", streamingId="streaming-0"),
        (
            answers("stopped", lambda cell: cell.done, streaming="stopped"),
            Branch(
                "failed: it is streamed until the chat ends",
                lambda cell: not cell.ended.error and cell.ended.answer["streaming"] == "failed",
                lambda cell: cell.unchanged or cell.done,
            ),
            killed(),
        ),
    ),
)


def _key_age(world: World) -> Mapping[str, Any]:
    world.access_key("vendor")
    world.environment["USER_NAME"] = "vendor"
    return {}


KEY_AGE: Final = (
    Play(
        "the age of the vendor's key is measured",
        "runtime.chat.key_age",
        30,
        _key_age,
        (
            answers("measured", lambda cell: cell.unchanged, activeKeys=1),
            Branch(
                "raises: the alarm on errors goes off",
                lambda cell: bool(cell.ended.error),
                lambda cell: cell.unchanged,
            ),
        ),
    ),
)


# --- custom resources


class _Receiver:
    """CloudFormation's answer URL."""

    def __init__(self, world: World) -> None:
        self.answers: list[dict[str, Any]] = []
        world.backends["cloudformation"] = self
        world.look.append(
            lambda: {"answers": [(one["Status"], one["PhysicalResourceId"]) for one in self.answers]}
        )

    def __call__(self, asked: Asked) -> Answer:
        self.answers.append(json.loads(asked.body))
        return 200, {}, b""


def _request(kind: str, physical_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "c6af9ac6-7b61-41e6-9a41-93e8deadbeef",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/dev/0a1b2c3d",
        "LogicalResourceId": "Resource",
        "ResourceType": "Custom::Resource",
        "ResponseURL": "PROXY/cloudformation/answer?X-Amz-Signature=signature-nobody-may-log",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f",
            **properties,
        },
    }
    if physical_id:
        event |= {"PhysicalResourceId": physical_id}
    if kind == "Update":
        event["OldResourceProperties"] = event["ResourceProperties"]
    return event


def _outcome(cell: Cell) -> str:
    """Return what CloudFormation was told: SUCCESS, FAILED, or nothing."""
    told: list[tuple[str, str]] = cell.after["answers"]
    return told[-1][0] if told else ""


def _made(state: State) -> State:
    return {name: value for name, value in state.items() if name != "answers"}


def _cleaned_up(event: Mapping[str, Any], cell: Cell) -> Mapping[str, Any] | None:
    """Return what follows: Lambda repeats an event that has no answer; CloudFormation undoes a creation that failed."""
    if not _outcome(cell):
        return event
    if _outcome(cell) == "FAILED" and event["RequestType"] == "Create":
        return dict(event) | {"RequestType": "Delete", "PhysicalResourceId": cell.after["answers"][-1][1]}
    return None if _outcome(cell) == "SUCCESS" else event


def _put_right(event: Mapping[str, Any], cell: Cell) -> bool:
    told = _outcome(cell) == "SUCCESS"
    undone = event["RequestType"] == "Delete" and "Delete" not in cell.whole.get("kind", "Delete")
    if undone:
        return told and not any(value for name, value in _made(cell.after).items() if name != "kind")
    return told and _made(cell.after) == _made(cell.whole)


def _custom_resource(
    name: str,
    module: str,
    seconds: float,
    prepare: Callable[[World], Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> Play:
    return Play(
        name,
        module,
        seconds,
        prepare,
        (
            Branch(
                "SUCCESS",
                lambda cell: not cell.ended.error and _outcome(cell) == "SUCCESS",
                lambda cell: _made(cell.after) == _made(cell.whole),
            ),
            Branch(
                "FAILED with the reason, and the stack rolls back",
                lambda cell: not cell.ended.error and _outcome(cell) == "FAILED",
                lambda _: True,
            ),
            Branch(
                "FAILED by the watchdog, before the time is up",
                lambda cell: cell.ended.timed_out and _outcome(cell) == "FAILED",
                lambda _: True,
            ),
            Branch(
                "no answer, and Lambda repeats the event",
                lambda cell: (
                    cell.ended.error == "AnswerNotDeliveredError"
                    or (cell.ended.timed_out and not _outcome(cell))
                ),
                lambda _: True,
            ),
            killed(lambda _: True),
        ),
        settings,
        _cleaned_up,
        _put_right,
    )


_NUMBER, _FLOW = "aaaaaaaa-1111-4222-8333-444444444444", "bbbbbbbb-1111-4222-8333-444444444444"


def _number_flow(kind: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        amazon_connect = _Connect(world)
        _Receiver(world)
        world.look.append(lambda: {"kind": kind})
        if kind != "Create":
            amazon_connect.numbers[_NUMBER] = "an-earlier-flow"
        return _request(
            kind,
            "" if kind == "Create" else f"number-flow/{_INSTANCE_ID}/{_NUMBER}",
            {"InstanceId": _INSTANCE_ID, "PhoneNumberId": _NUMBER, "ContactFlowId": _FLOW},
        )

    return prepare


NUMBERS: Final = tuple(
    _custom_resource(
        f"a number's flow: {kind}",
        "runtime.contact_center.number_flow",
        180,
        _number_flow(kind),
        {
            "runtime.contact_center.number_flow.PERMISSION_PAUSES": (0.0, 0.0),
            "random.random": none_at_all,
        },
    )
    for kind in ("Create", "Update", "Delete")
)


_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
_WANTED: Final = {
    "InstanceId": INSTANCE_ARN,
    "Name": "connect-bridges-dev",
    "Host": "sbc.example.com",
    "Port": "5061",
    "Protocol": "TCP",
    "RequireEncryption": "true",
    "SessionBorderControllerTypes": ["AUDIOCODES_MEDIANT_SBC"],
    "SipLogs": "true",
    "MediaMetricLogs": "false",
    "AwsRegion": "us-east-1",
    "Tags": [{"Key": "app", "Value": "connect-bridges"}],
}
_CHANGED: Final = {
    "Host": "other.example.com",
    "LogKeyArn": _KEY,
    "Tags": [{"Key": "team", "Value": "voice"}],
}


def _cloud(world: World, kind: str) -> Cloud:
    cloud = Cloud()
    _Receiver(world)

    def serve(asked: Asked) -> Answer:
        target = asked.headers.get("x-amz-target", "")
        return cloud.serve(asked.method, asked.path, target=target, body=asked.body)

    world.backends |= {"chime": serve, "connect": serve, "logs": serve}
    world.look += [lambda: _connectors(cloud), lambda: {"kind": kind}]
    return cloud


def _connector(kind: str) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        cloud = _cloud(world, kind)
        physical_id = "" if kind == "Create" else _connected(cloud, _WANTED)
        event = _request(kind, physical_id, _WANTED | (_CHANGED if kind == "Update" else {}))
        return event | ({"OldResourceProperties": dict(_WANTED)} if kind == "Update" else {})

    return prepare


def _delivered_twice(world: World) -> Mapping[str, Any]:
    """The first delivery of a creation has made the connector, and nothing else."""
    event = _request("Create", "", _WANTED)
    cloud = _cloud(world, "Create")
    _voice_connector(cloud, _WANTED, {"Key": "connect-bridges:request", "Value": event["RequestId"]})
    return event


def _without_its_key(world: World) -> Mapping[str, Any]:
    cloud = _cloud(world, "Update")
    physical_id = _connected(cloud, _WANTED)
    cloud.log_groups[f"/aws/ChimeVoiceConnectorSipMessages/{physical_id.rsplit('/', 1)[1]}"] = {"key": _KEY}
    event = _request("Update", physical_id, _WANTED)
    return event | {"OldResourceProperties": _WANTED | {"LogKeyArn": _KEY}}


def _voice_connector(cloud: Cloud, properties: Mapping[str, Any], *tags: Mapping[str, str]) -> dict[str, Any]:
    body = {
        "Name": properties["Name"],
        "AwsRegion": "us-east-1",
        "RequireEncryption": True,
        "IntegrationType": "CONNECT_CALL_TRANSFER_CONNECTOR",
        "Tags": [*properties["Tags"], *tags],
    }
    made = json.loads(cloud.serve("POST", "/voice-connectors", body=json.dumps(body).encode())[2])
    connector: dict[str, Any] = made["VoiceConnector"]
    return connector


def _connected(cloud: Cloud, properties: Mapping[str, Any]) -> str:
    """Put a connector into the cloud as a creation leaves it; return its ARN."""
    connector = _voice_connector(cloud, properties)
    path = f"/instance/{INSTANCE_UUID}/integration-associations"
    association = {
        "IntegrationArn": connector["VoiceConnectorArn"],
        "IntegrationType": "CALL_TRANSFER_CONNECTOR",
        "Tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]},
    }
    cloud.serve("PUT", path, body=json.dumps(association).encode())
    return str(connector["VoiceConnectorArn"])


def _connectors(cloud: Cloud) -> State:
    return {
        "connectors": sorted(json.dumps(_setting(one), sort_keys=True) for one in cloud.connectors.values()),
        "associations": [one["Tags"] for one in cloud.associations.values()],
        "log groups": list(cloud.log_groups.values()),
    }


def _setting(connector: Mapping[str, Any]) -> dict[str, Any]:
    hosts = [route["Host"] for route in connector.get("Origination", {}).get("Routes", [])]
    tags = sorted(tag["Key"] for tag in connector["Tags"] if "connect-bridges:" not in tag["Key"])
    return {
        "name": connector["Name"],
        "hosts": hosts,
        "encrypted": connector["RequireEncryption"],
        "tags": tags,
    }


_NO_PAUSES: Final = {
    "runtime.voice.lifecycle.PAUSE_SECONDS": 0.01,
    "runtime.voice.lifecycle.PERMISSION_PAUSES": (0.0, 0.0),
    "random.random": none_at_all,
}


def _of_connector(
    name: str, prepare: Callable[[World], Mapping[str, Any]], *, elsewhere: str = "", paired: bool = False
) -> Play:
    play = _custom_resource(f"a voice connector: {name}", "runtime.voice.handler", 8, prepare, _NO_PAUSES)
    return replace(play, elsewhere=elsewhere, paired=paired)


CONNECTORS: Final = (
    _of_connector("Create", _connector("Create"), paired=True),
    _of_connector("Create, delivered twice", _delivered_twice, elsewhere="^(?!chime GET /tags)"),
    _of_connector("Update", _connector("Update"), paired=True),
    _of_connector("Update that takes a key away", _without_its_key, elsewhere="^(?!logs DisassociateKmsKey)"),
    _of_connector("Delete", _connector("Delete")),
)

PLAYS: Final = (*METADATA, *CHAT, *KEY_AGE, *NUMBERS, *CONNECTORS)
