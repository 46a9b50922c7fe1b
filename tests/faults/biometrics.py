"""The plays of the voice biometric gate: each ends with nobody wrongly in, nobody wrongly out, and nothing left over.

What follows upon a message of a call is the rest of that call: Twilio tells that it is over, the flow asks the gate how
it went, the daily sweep runs, and the caller calls again. What follows upon an erasure is the erasure again, upon a
sweep the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from twilio.request_validator import RequestValidator

from runtime.biometrics.caller import Caller, Consent, Outcome, Purpose, Result, Session, Stage
from runtime.biometrics.table import REVISION, caller_of, item_of
from tests.faults.plays import Branch, Cell, Play, State, World, killed, raises
from tests.faults.process import At, Step, longest
from tests.faults.vendors import (
    ACCOUNT,
    API_KEY,
    API_TOKEN,
    TWILIO_TOKEN,
    Provider,
    Twilio,
    call_sid,
    recording_sid,
)

NUMBER, ANOTHER, OURS = "+12065550100", "+12065550101", "+12065550188"
CONTACT = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c80"
NEXT_CONTACT = "9b2c7f3a-0d41-4c8e-9f57-3a1d5e6b7c81"
NOON: Final = 1_785_672_000
"""2026-08-02, 12:00 in UTC: when everything happens."""
TABLE = "ConnectTwilio"
HOST = "abc123.execute-api.us-east-1.amazonaws.com"
CODE = "12345678"
CALL: Final = call_sid(1)
NEEDED: Final = 2
"""Recordings that make a voice print."""


def _clock(module: str, seconds: float) -> dict[str, Any]:
    """Return the settings under which it is so many seconds after noon for a function."""
    return {f"{module}.time": At(NOON + seconds), "random.random": longest}


# --- the world


def _world(
    world: World, *callers: tuple[str, Caller], says: str = "SUCC", function: bool = False
) -> tuple[Twilio, Provider]:
    world.create_table(TABLE, "phoneNumber")
    world.put_item(TABLE, {"phoneNumber": {"S": "reconciled"}, "day": {"S": "2026-08-01"}})
    for number, caller in callers:
        item = {"phoneNumber": {"S": number}, REVISION: {"S": "an-earlier-one"}, **item_of(caller)}
        world.put_item(TABLE, item)
    twilio, provider = Twilio(), Provider(says=says)
    world.backends |= {
        "twilio": twilio,
        "voiceit": provider.as_voiceit,
        "lambda": provider.as_function,
    }

    def look() -> State:
        items = world.items(TABLE)
        return {
            "callers": {
                item["phoneNumber"]["S"]: caller_of(item)
                for item in items
                if item["phoneNumber"]["S"].startswith("+")
            },
            "recordings": sorted(twilio.recordings),
            "users": dict(provider.users),
            "judged": list(provider.judged),
        }

    world.look.append(look)
    world.environment |= {
        "TABLE_NAME": TABLE,
        "CALLER_KEY_SECRET_ARN": world.secret("CallerKey", "caller-key-nobody-may-log"),
        "TELEPHONY_SECRET_ARN": world.secret(
            "Twilio", json.dumps({"accountSid": ACCOUNT, "authToken": TWILIO_TOKEN})
        ),
        "TELEPHONY_NUMBER": OURS,
        "TWILIO_API_URL": "PROXY/twilio",
        "PROVIDER_NAME": "voiceit",
        "ENROLMENTS_NEEDED": str(NEEDED),
    }
    if function:
        arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"
        world.environment |= {"PROVIDER": "lambda", "PROVIDER_FUNCTION_ARN": arn}
    else:
        secret = world.secret("VoiceIt", json.dumps({"apiKey": API_KEY, "apiToken": API_TOKEN}))
        world.environment |= {
            "PROVIDER": "voiceit",
            "PROVIDER_SECRET_ARN": secret,
            "VOICEIT_API_URL": "PROXY/voiceit",
        }
    return twilio, provider


def _enrolled(**more: Any) -> Caller:
    known: dict[str, Any] = {
        "user_id": "usr_1",
        "consent": Consent.GIVEN,
        "enrolments": NEEDED,
        "retain_until": NOON + 30 * 86_400,
    }
    return Caller(**known | more)


def _session(purpose: Purpose, stage: Stage, *, turn: int = 1) -> Session:
    dialled = stage is Stage.DIALLED
    return Session(
        contact_id=CONTACT,
        purpose=purpose,
        stage=stage,
        expires_at=NOON + 200,
        code=CODE if dialled else "",
        call_sid="" if dialled else CALL,
        turn=0 if dialled else turn,
    )


# --- the webhook


def _message(step: str = "", turn: int = 1, **form: str) -> dict[str, Any]:
    """Return a signed message of Twilio as API Gateway hands it over."""
    path = f"/prod/voice/{step}/{turn}" if step else "/prod/voice"
    fields = {"AccountSid": ACCOUNT, "CallSid": CALL, "From": NUMBER, "CallStatus": "in-progress"} | form
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(f"https://{HOST}{path}", fields)
    return {
        "httpMethod": "POST",
        "headers": {"X-Twilio-Signature": signature},
        "multiValueHeaders": {"X-Twilio-Signature": [signature]},
        "requestContext": {"path": path, "domainName": HOST, "stage": "prod", "requestId": "r"},
        "pathParameters": {"step": step, "turn": str(turn)} if step else None,
        "body": urlencode(fields),
        "isBase64Encoded": False,
    }


def _hears(cell: Cell) -> str:
    """Return what the TwiML of an answer has the caller hear; empty if there is none."""
    answer = cell.ended.answer
    if cell.ended.error or answer["statusCode"] != 200:
        return "" if cell.ended.error else str(answer["statusCode"])
    root = ET.fromstring(answer["body"])  # noqa: S314 (our own answer)
    for gather in root.iter("Gather"):
        return "asked for " + ("the code" if "/code/" in gather.attrib["action"] else "consent")
    words = " ".join(one.text or "" for one in root.iter("Say"))
    if root.find("Record") is not None:
        return "asked for the phrase again" if "could not use" in words else "asked for the phrase"
    return words or "nothing"


def _heard(name: str, words: str, leaves: Callable[[Cell], bool]) -> Branch:
    return Branch(name, lambda cell: words in _hears(cell), leaves)


def _caller(state: State) -> Caller:
    found: Caller = state["callers"].get(NUMBER, Caller())
    return found


def _fair(cell: Cell) -> bool:
    """Return whether the caller is neither proven nor blamed for anything that the provider has not said."""
    caller = _caller(cell.after)
    matched, refused = cell.after["judged"].count("SUCC"), cell.after["judged"].count("FAIL")
    proven = caller.outcome is not None and caller.outcome.result is Result.PASSED
    blamed = caller.outcome is not None and caller.outcome.result is Result.FAILED
    return (
        (not proven or bool(matched))
        and (not blamed or bool(refused))
        and len(caller.refusals) <= refused
        and caller.failures <= refused
    )


def _listening(cell: Cell) -> bool:
    """Return whether the phrase is waited for, of a user that the provider knows."""
    caller = _caller(cell.after)
    waiting = caller.session is not None and caller.session.stage is Stage.LISTENING
    return waiting and caller.user_id in cell.after["users"]


_SORRY = _heard("told that the voice cannot be checked now", "cannot check your voice", _fair)
_LEFT_ALONE = killed(_fair)


def _rest_of_the_call(_: Mapping[str, Any], __: Cell) -> Sequence[Step]:
    """Return what comes after the message, whatever came of it."""
    over = _message("status", 0, CallStatus="completed")
    return [
        Step("runtime.biometrics.webhook", over, _clock("runtime.biometrics.webhook", 20)),
        Step("runtime.biometrics.gate", _asks("return"), _clock("runtime.biometrics.gate", 21)),
        Step("runtime.biometrics.retention", {}, _clock("runtime.biometrics.retention", 3600), seconds=900),
        Step(
            "runtime.biometrics.gate",
            _asks("start", contact_id=NEXT_CONTACT),
            _clock("runtime.biometrics.gate", 3700),
        ),
    ]


def _clean(cell: Cell) -> bool:
    """Return whether the rest of the call left nothing behind, and let in who was proven and nobody else."""
    _, returned, swept, again = (one.answer for one in cell.followed)
    caller = _caller(cell.after)
    enrolled = caller.user_id if caller.enrolments >= NEEDED else ""
    voices = {user for user, recordings in cell.after["users"].items() if recordings}
    verified = returned["Branch"] == "verified"
    blamed = returned["Branch"] == "failedverified"
    refused = "FAIL" in cell.after["judged"]
    return (
        swept is not None
        and not cell.after["recordings"]
        and voices <= {enrolled}
        and (not enrolled or enrolled in cell.after["users"])
        and (not verified or "SUCC" in cell.after["judged"])
        and (not blamed or refused)
        and len(caller.refusals) <= int(refused)
        and (again["Transfer"] == "true" or caller.consent is Consent.REFUSED)
    )


def _webhook(
    name: str,
    prepare: Callable[[World], Mapping[str, Any]],
    *branches: Branch,
    elsewhere: str = "GetSecretValue",
    paired: bool = False,
) -> Play:
    """A message of Twilio, which waits 15 s."""
    return Play(
        name,
        "runtime.biometrics.webhook",
        15,
        prepare,
        (*branches, *(() if _SORRY in branches else (_SORRY,)), _LEFT_ALONE),
        settings=_clock("runtime.biometrics.webhook", 0),
        after=_rest_of_the_call,
        settled=lambda _, cell: _clean(cell),
        elsewhere=elsewhere,
        paired=paired,
    )


def _arrives(world: World) -> Mapping[str, Any]:
    _, provider = _world(world, (NUMBER, _enrolled(session=_session(Purpose.VERIFY, Stage.DIALLED))))
    provider.users["usr_1"] = NEEDED
    return _message()


def _shows_the_code(world: World) -> Mapping[str, Any]:
    _arrives(world)
    return _message("code", 0, Digits=CODE)


def _consents(*, function: bool = False, answer: str = "1") -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        session = _session(Purpose.ENROL, Stage.CONSENT)
        _world(world, (NUMBER, Caller(session=session, retain_until=NOON + 86_400)), function=function)
        return _message("consent", 1, Digits=answer)

    return prepare


def _says_the_phrase(
    purpose: Purpose, *, enrolments: int = NEEDED, says: str = "SUCC", function: bool = False
) -> Callable[[World], Mapping[str, Any]]:
    def prepare(world: World) -> Mapping[str, Any]:
        caller = _enrolled(session=_session(purpose, Stage.LISTENING), enrolments=enrolments)
        twilio, provider = _world(world, (NUMBER, caller), says=says, function=function)
        provider.users["usr_1"], provider.made = enrolments, 1
        twilio.recorded(1, call=twilio.called(1, by=NUMBER, to=OURS, at=NOON - 30), at=NOON - 1)
        return _message(purpose.value, 1, RecordingSid=recording_sid(1))

    return prepare


def _says_it_too_late(world: World) -> Mapping[str, Any]:
    twilio, provider = _world(world, (NUMBER, _enrolled()))
    provider.users["usr_1"] = NEEDED
    twilio.recorded(1, call=twilio.called(1, by=NUMBER, to=OURS, at=NOON - 30), at=NOON - 1)
    return _message("verify", 1, RecordingSid=recording_sid(1))


def _hangs_up(world: World) -> Mapping[str, Any]:
    caller = _enrolled(session=_session(Purpose.ENROL, Stage.LISTENING, turn=2), enrolments=1)
    _, provider = _world(world, (NUMBER, caller))
    provider.users["usr_1"] = 1
    return _message("status", 0, CallStatus="completed")


WEBHOOK: Final = (
    _webhook(
        "a call comes in",
        _arrives,
        _heard("asked for the code", "asked for the code", lambda cell: cell.unchanged),
        elsewhere="",
    ),
    _webhook(
        "a call shows its code",
        _shows_the_code,
        _heard("asked for the phrase", "asked for the phrase", _fair),
    ),
    _webhook(
        "a caller agrees",
        _consents(),
        _heard("asked for the phrase", "asked for the phrase", _listening),
        elsewhere="GetSecretValue (CallerKey|Twilio)",
        paired=True,
    ),
    _webhook(
        "a caller agrees, with a provider function",
        _consents(function=True),
        _heard("asked for the phrase", "asked for the phrase", _listening),
        elsewhere="GetSecretValue|dynamodb",
    ),
    _webhook(
        "a caller does not agree",
        _consents(answer="2"),
        _heard("told that the voice will not be used", "will not use your voice", _fair),
    ),
    _webhook(
        "a voice is enrolled",
        _says_the_phrase(Purpose.ENROL, enrolments=NEEDED - 1),
        _heard("told that the voice is enrolled", "recognise your voice from now on", _fair),
        paired=True,
    ),
    _webhook(
        "a voice is recognised",
        _says_the_phrase(Purpose.VERIFY),
        _heard("recognised", "have recognised your voice", _fair),
        paired=True,
    ),
    _webhook(
        "a voice is not recognised",
        _says_the_phrase(Purpose.VERIFY, says="FAIL"),
        _heard("asked for the phrase again", "asked for the phrase again", _fair),
    ),
    _webhook(
        "a voice is recognised, by a provider function",
        _says_the_phrase(Purpose.VERIFY, function=True),
        _heard("recognised", "have recognised your voice", _fair),
        elsewhere="GetSecretValue|dynamodb|twilio",
    ),
    _webhook(
        "a recording comes when nobody waits for it",
        _says_it_too_late,
        _heard("409, and the recording is deleted", "409", _fair),
    ),
    _webhook(
        "a caller hangs up while enrolling",
        _hangs_up,
        _heard("ended: nobody is on the line any more", "could not recognise", _fair),
        elsewhere="GetSecretValue (CallerKey|Twilio)",
    ),
)


# --- the gate


def _asks(phase: str, *, contact_id: str = CONTACT) -> dict[str, Any]:
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "ContactId": contact_id,
                "CustomerEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"},
            },
            "Parameters": {"phase": phase},
        },
    }


def _contact_comes(world: World) -> Mapping[str, Any]:
    _, provider = _world(world, (NUMBER, _enrolled()))
    provider.users["usr_1"] = NEEDED
    return _asks("start")


def _proven_contact_returns(world: World) -> Mapping[str, Any]:
    outcome = Outcome(result=Result.PASSED, contact_id=CONTACT, at=NOON - 5, expires_at=NOON + 55)
    _, provider = _world(world, (NUMBER, _enrolled(outcome=outcome)))
    provider.users["usr_1"], provider.judged = NEEDED, ["SUCC"]
    return _asks("return")


def _branch(name: str, leaves: Callable[[Cell], bool], **fields: str) -> Branch:
    return Branch(
        name,
        lambda cell: (
            not cell.ended.error and all(cell.ended.answer[key] == value for key, value in fields.items())
        ),
        leaves,
    )


_UNAVAILABLE = _branch(
    "unavailable: the flow goes on unverified", _fair, Branch="unavailable", Transfer="false"
)


def _asked_again(event: Mapping[str, Any], cell: Cell) -> Mapping[str, Any] | None:
    """Return the question once more: Amazon Connect repeats invocations that it got no answer for."""
    return event if cell.ended.error or cell.ended.answer["Branch"] == "unavailable" else None


GATE: Final = (
    Play(
        "a flow asks what comes next",
        "runtime.biometrics.gate",
        8,
        _contact_comes,
        (_branch("verify", _fair, Branch="verify", Transfer="true"), _UNAVAILABLE, killed(_fair)),
        settings=_clock("runtime.biometrics.gate", 0),
        then=_asked_again,
        settled=lambda _, cell: cell.ended.answer["Transfer"] == "true",
    ),
    Play(
        "a flow asks how it went",
        "runtime.biometrics.gate",
        8,
        _proven_contact_returns,
        (
            _branch("verified", lambda cell: _caller(cell.after).outcome is None, Branch="verified"),
            _UNAVAILABLE,
            killed(_fair),
        ),
        settings=_clock("runtime.biometrics.gate", 0),
        then=_asked_again,
        settled=lambda _, cell: (
            # Nobody is blamed, and the proof is used up: at once, or the flow never had its answer.
            cell.ended.answer["Branch"] in {"verified", "unavailable"} and _caller(cell.after).outcome is None
        ),
        elsewhere="GetSecretValue",
    ),
)


# --- unlocking


def _locked(world: World) -> Mapping[str, Any]:
    tried = tuple(NOON - 100 + one for one in range(3))
    locked = _enrolled(failures=3, refusals=tried, locked_until=NOON + 800)
    _, provider = _world(world, (NUMBER, locked))
    provider.users["usr_1"] = NEEDED
    provider.judged = ["FAIL"] * 3
    return {"phoneNumber": NUMBER}


UNLOCK: Final = (
    Play(
        "an agent unlocks a number",
        "runtime.biometrics.unlock",
        8,
        _locked,
        (
            Branch(
                "unlocked",
                lambda cell: not cell.ended.error and cell.ended.answer["unlocked"] == "true",
                lambda cell: cell.done,
            ),
            raises(
                "TemporarilyUnavailableError",
                "ClientError",
                leaves=lambda cell: cell.unchanged or cell.done,
            ),
            killed(),
        ),
        then=lambda event, cell: event if cell.ended.error else None,
    ),
)


# --- erasing


def _everything(world: World) -> Mapping[str, Any]:
    """A voice print, a recording that the table knows of, and one that only Twilio knows of."""
    twilio, provider = _world(world, (NUMBER, _enrolled(recordings=(recording_sid(1),))))
    provider.users["usr_1"] = NEEDED
    call = twilio.called(1, by=NUMBER, to=OURS, at=NOON - 86_400)
    twilio.recorded(1, call=call, at=NOON - 86_400)
    twilio.recorded(2, call=call, at=NOON - 86_400)
    return {"phoneNumber": NUMBER}


def _only_a_recording(world: World) -> Mapping[str, Any]:
    twilio, _ = _world(world)
    call = twilio.called(1, by=NUMBER, to=OURS, at=NOON - 86_400)
    twilio.recorded(1, call=call, at=NOON - 86_400)
    return {"phoneNumber": NUMBER}


def _all_gone(cell: Cell) -> bool:
    return not cell.after["callers"] and not cell.after["recordings"] and not cell.after["users"]


def _will_go_on(cell: Cell) -> bool:
    """Return whether who erases knows that something is left: nothing is lost, and nothing starts for the caller."""
    caller = _caller(cell.after)
    untouched = cell.unchanged
    return caller.erasing or untouched or _all_gone(cell)


_NOT_ERASED: Final = (
    Branch(
        "raises: what is left stays marked, and is taken up again",
        lambda cell: bool(cell.ended.error) and not cell.ended.killed and not cell.ended.timed_out,
        _will_go_on,
    ),
    killed(_will_go_on),
)
_SHORT: Final = {
    "runtime.biometrics.recordings.LIST_SECONDS": 5.0,
    "random.random": longest,
}
"""Nobody waits for these functions, so that limits may be shorter here than they are."""


def _erase(
    name: str, prepare: Callable[[World], Mapping[str, Any]], *, elsewhere: str = "", paired: bool = False
) -> Play:
    return Play(
        name,
        "runtime.biometrics.erase",
        60,
        prepare,
        (
            Branch(
                "erased",
                lambda cell: not cell.ended.error and cell.ended.answer["erased"] is True,
                _all_gone,
            ),
            *_NOT_ERASED,
        ),
        settings=_SHORT,
        then=lambda event, cell: event if cell.ended.error else None,
        settled=lambda _, cell: not cell.ended.error and _all_gone(cell),
        limit=30,
        elsewhere=elsewhere,
        paired=paired,
    )


ERASE: Final = (
    _erase("a caller is erased", _everything, paired=True),
    _erase(
        "a caller is erased of whom only Twilio knows",
        _only_a_recording,
        elsewhere="GetSecretValue|dynamodb|voiceit",
    ),
)


# --- the daily sweep


def _due(world: World) -> Mapping[str, Any]:
    """A caller whose time is over, a recording and an unfinished enrolment of another, and one that is unknown."""
    over = _enrolled(retain_until=NOON - 1, recordings=(recording_sid(1),))
    left = _enrolled(user_id="usr_2", recordings=(recording_sid(2),), discarded=("usr_3",))
    twilio, provider = _world(world, (NUMBER, over), (ANOTHER, left))
    provider.users |= {"usr_1": NEEDED, "usr_2": NEEDED, "usr_3": 1}
    call = twilio.called(1, by=NUMBER, to=OURS, at=NOON - 7200)
    twilio.recorded(1, call=call, at=NOON - 7200)
    other = twilio.called(2, by=ANOTHER, to=OURS, at=NOON - 7200)
    twilio.recorded(2, call=other, at=NOON - 7200)
    twilio.recorded(3, call=other, at=NOON - 7200)
    return {}


def _swept(cell: Cell) -> bool:
    others = cell.after["callers"].get(ANOTHER)
    return (
        list(cell.after["callers"]) == [ANOTHER]
        and not cell.after["recordings"]
        and cell.after["users"] == {"usr_2": NEEDED}
        and others == replace(others, recordings=(), discarded=())
    )


RETENTION: Final = (
    Play(
        "the daily sweep",
        "runtime.biometrics.retention",
        900,
        _due,
        (
            Branch(
                "done",
                lambda cell: not cell.ended.error,
                _swept,
            ),
            Branch(
                "raises: the alarm goes off, and the next day takes it up",
                lambda cell: bool(cell.ended.error) and not cell.ended.killed and not cell.ended.timed_out,
                lambda cell: cell.after["users"].get("usr_2") == NEEDED,
            ),
            killed(lambda cell: cell.after["users"].get("usr_2") == NEEDED),
        ),
        settings=_SHORT | _clock("runtime.biometrics.retention", 0),
        then=lambda event, cell: event if cell.ended.error else None,
        settled=lambda _, cell: not cell.ended.error and _swept(cell),
        limit=40,
        paired=True,
    ),
)

BIOMETRICS: Final = tuple(
    replace(play, told_by_state=True) for play in (*WEBHOOK, *GATE, *UNLOCK, *ERASE, *RETENTION)
)
