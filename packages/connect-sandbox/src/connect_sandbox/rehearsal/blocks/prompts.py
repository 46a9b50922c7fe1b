"""Blocks that speak to the caller or ask them: MessageParticipant, MessageParticipantIteratively, GetParticipantInput.

Sources: flow language, participant actions; administrator guide, "Play prompt", "Get customer input", "Store
customer input".
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.conditions import HangsUp, Presses, Says
from connect_sandbox.rehearsal.encrypted_input import NotEncryptedError, encrypt
from connect_sandbox.rehearsal.phone_numbers import COUNTRY_CODES, international, local
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage, require_map
from connect_sandbox.rehearsal.state import DTMF_BUFFER
from connect_sandbox.rehearsal.steps import Decides, Fails, Next, Step

BLOCKS = Registry()

SOURCES = ("PromptId", "Text", "SSML", "Media")
_DEFAULT_MAXIMUM_DIGITS = 20
_ROUNDS_HEARD = 3
"""How often messages are heard that repeat until the contact leaves the queue or is no longer on hold."""


class PromptError(Exception):
    """The prompt cannot be spoken; Amazon Connect takes the Error branch."""


@BLOCKS.plays("MessageParticipant", *SOURCES, "SkipWhenDTMFBufferEnabled")
def message_participant(stage: Stage) -> Step:
    """Speak one prompt, unless it may be skipped and the caller has pressed keys ahead."""
    try:
        words = words_of(stage, stage.block.parameters)
    except PromptError as error:
        return Fails("NoMatchingError", str(error))
    may_be_skipped = str(stage.parameter("SkipWhenDTMFBufferEnabled")).lower() == "true"
    if may_be_skipped and _buffered(stage):
        stage.note(f"skips “{words}”, since {stage.state.dtmf_buffer} is in the buffer")
        return Next()
    stage.says(words)
    return Next()


@BLOCKS.plays("MessageParticipantIteratively", "Messages", "InterruptFrequencySeconds")
def message_participant_iteratively(stage: Stage) -> Step:
    """Speak prompts in turn until InterruptFrequencySeconds have passed; then decide MessagesInterrupted."""
    written = stage.parameter("InterruptFrequencySeconds")
    if written is None and not stage.clock.has_alarm:
        raise stage.needs(
            "without InterruptFrequencySeconds it speaks until an agent takes the contact, and in a flow of the type "
            f"{stage.flow.type} none does: give setup.flow_type, e.g. CUSTOMER_QUEUE or CUSTOMER_HOLD",
            "flow_type",
            example="CUSTOMER_QUEUE",
        )
    messages = stage.parameter("Messages")
    if not isinstance(messages, list) or not messages:
        raise stage.cannot(f"Messages must be a list of at least one prompt, is {messages!r}")
    until = math.inf
    if written is not None:
        # Capped at the clock's limit, which always fits into a float.
        until = stage.clock.elapsed + min(
            stage.at_least(1, written, "InterruptFrequencySeconds"), stage.clock.limit + 1
        )
    try:
        words = [words_of(stage, message) for message in messages]
    except PromptError as error:
        return Fails("NoMatchingError", str(error))
    rounds = 0
    while True:
        for text in words:
            if stage.clock.elapsed >= until:
                return Decides("MessagesInterrupted")
            stage.says(text)
            stage.clock.passes(0.5)
        rounds += 1
        if rounds == _ROUNDS_HEARD and until == math.inf:
            stage.note("repeats this until something else happens")
            stage.clock.passes_until_alarm()


@BLOCKS.plays(
    "GetParticipantInput",
    *SOURCES,
    "EnableDTMFBuffer",
    "InputTimeLimitSeconds",
    "StoreInput",
    "InputValidation",
    "InputEncryption",
    "DTMFConfiguration",
)
def get_participant_input(stage: Stage) -> Step:
    """Ask for digits: branch on the first one (StoreInput "False") or keep them in $.StoredCustomerInput ("True").

    With EnableDTMFBuffer it only starts or stops the touchtone buffer, from which it takes digits otherwise.
    """
    known = stage.ports.records is not None or stage.conditions.security_keys
    if stage.parameter("InputEncryption") is not None and not known:
        settings = require_map(stage, "InputEncryption")
        raise stage.needs(
            "InputEncryption needs the public key that the instance holds: set it up in setup.security_keys",
            "security_keys",
            str(stage.filled(settings.get("EncryptionKeyId")) or ""),
            example="-----BEGIN PUBLIC KEY-----…",
        )
    if stage.parameter("EnableDTMFBuffer") is not None:
        return _buffers(stage)
    stores = stage.parameter("StoreInput") == "True"
    try:
        pressed = _entered(stage, _longest(stage), _last_key(stage)) if stores else _entered(stage, 1)
    except PromptError as error:
        return Fails("NoMatchingError", str(error))
    if stores:
        return _keep(stage, pressed or None)
    if not pressed:
        return Fails("InputTimeLimitExceeded", "the caller pressed no key in time")
    return Decides(pressed[0])


def _entered(stage: Stage, enough: int, last_key: str = "") -> str:
    """Return what the caller presses: what is in the touchtone buffer, then what they press when asked.

    `enough` keys are taken from the buffer, or those up to `last_key`.
    """
    words = words_of(stage, stage.block.parameters) if _asks(stage) else ""
    ahead = _buffered(stage)
    taken = _taken(ahead, enough, last_key)
    if taken is not None:
        stage.note(f"takes {taken} from the buffer and skips “{words}”")
    elif ahead:
        stage.note(f"takes {ahead} from the buffer")
    elif words:
        stage.says(words)
        ahead = _buffered(stage)
    if _taken(ahead, enough, last_key) is None:
        ahead += _digits(stage) or ""
    if stage.state.dtmf_buffer is not None:
        taken = _taken(ahead, enough, last_key) or ahead
        stage.state.dtmf_buffer = ahead[len(taken) :][:DTMF_BUFFER]
        ahead = taken
    return ahead


def _taken(keys: str, enough: int, last_key: str) -> str | None:
    """Return the keys that make an input complete, None if more are waited for."""
    end = keys.find(last_key) if last_key else -1
    if 0 <= end <= enough:
        return keys[: end + len(last_key)]
    return keys[:enough] if len(keys) >= enough else None


def _last_key(stage: Stage) -> str:
    settings = stage.parameter("DTMFConfiguration") or {}
    return str(settings.get("InputTerminationSequence") or "#")


def _asks(stage: Stage) -> bool:
    """Return whether it has a prompt, which it does not need to have."""
    return any(stage.parameter(source) is not None for source in SOURCES)


def _longest(stage: Stage) -> int:
    """Return how many digits it stores at most."""
    validation = stage.parameter("InputValidation") or {}
    if validation.get("PhoneNumberValidation") is not None:
        return _DEFAULT_MAXIMUM_DIGITS
    written = (validation.get("CustomValidation") or {}).get("MaximumLength", _DEFAULT_MAXIMUM_DIGITS)
    return stage.at_least(1, written, "InputValidation.CustomValidation.MaximumLength")


def _buffered(stage: Stage) -> str:
    """Return the keys in the touchtone buffer, with those that the caller presses now; none if it is off."""
    if stage.state.dtmf_buffer is None:
        return ""
    pressed = stage.caller.presses_ahead()
    if pressed:
        stage.note(f"presses {pressed} ahead", who=stage.listener)
    stage.state.dtmf_buffer = (stage.state.dtmf_buffer + pressed)[:DTMF_BUFFER]
    return stage.state.dtmf_buffer


def _buffers(stage: Stage) -> Step:
    """Start the touchtone buffer, or stop it and keep what is in it if StoreInput says so."""
    if stage.parameter("EnableDTMFBuffer").lower() == "true":
        stage.state.dtmf_buffer = stage.state.dtmf_buffer or ""
        stage.note("buffers the keys that the caller presses from now on")
        return Next()
    held = _buffered(stage)
    stage.state.dtmf_buffer = None
    if str(stage.parameter("StoreInput")).lower() == "true":
        try:
            stage.state.stored_input = _encrypted(stage, held)
        except NotEncryptedError as error:
            return Fails("NoMatchingError", f"the input cannot be encrypted: {error}")
    stage.note("stops buffering keys" + (f" and clears {held}" if held else ""))
    return Next()


def _digits(stage: Stage) -> str | None:
    move = stage.caller.reacts()
    if isinstance(move, HangsUp):
        raise CallerHungUpError
    if isinstance(move, Presses) and move.digits:
        stage.note(f"presses {move.digits}", who=stage.listener)
        return move.digits
    if isinstance(move, Says):
        stage.note(move.text, who=stage.listener, kind="says")
    limit = stage.at_least(0, stage.parameter("InputTimeLimitSeconds"), "InputTimeLimitSeconds")
    stage.clock.passes(limit)
    stage.note(f"presses no key for {limit} s", who=stage.listener)
    return None


def _keep(stage: Stage, digits: str | None) -> Step:
    # A timeout has no branch of its own: the block succeeds with this word (administrator guide).
    if digits is None:
        stage.state.stored_input = "Timeout"
        return Next()
    settings = stage.parameter("DTMFConfiguration") or {}
    digits = digits.split(_last_key(stage), 1)[0]
    if settings.get("DisableCancelKey") != "True" and "*" in digits:
        digits = digits.rsplit("*", 1)[-1]
    validation = stage.parameter("InputValidation") or {}
    phone = validation.get("PhoneNumberValidation")
    if phone is not None:
        number = _phone_number(stage, phone, digits)
        if number is None:
            where = f" of {phone.get('CountryCode')}" if phone.get("NumberFormat") == "Local" else ""
            return Fails("InvalidPhoneNumber", f"{digits} is not a telephone number{where}")
        digits = number
    else:
        digits = digits[: _longest(stage)]
    try:
        stage.state.stored_input = _encrypted(stage, digits)
    except NotEncryptedError as error:
        return Fails("NoMatchingError", f"the input cannot be encrypted: {error}")
    return Next()


def _phone_number(stage: Stage, validation: Mapping[str, Any], digits: str) -> str | None:
    if validation.get("NumberFormat") != "Local":
        return international(digits)
    country = str(stage.filled(validation.get("CountryCode")) or "")
    if country not in COUNTRY_CODES:
        raise stage.refuses(f"the sandbox does not know the numbers of the country {country!r}")
    return local(digits, country)


def _encrypted(stage: Stage, digits: str) -> str:
    """Return what is stored: the digits, or with InputEncryption what only the key's owner can read."""
    if stage.parameter("InputEncryption") is None:
        return digits
    settings = require_map(stage, "InputEncryption")
    key_id = str(stage.filled(settings.get("EncryptionKeyId")) or "")
    security_key = stage.conditions.security_keys.get(key_id)
    if security_key is None and stage.ports.records is not None:
        security_key = stage.ports.records.security_key(key_id)
    if security_key is None:
        raise NotEncryptedError(f"the instance has no security key {key_id!r}")
    certificate = str(stage.filled(settings.get("Key")) or "")
    stored = encrypt(digits, key_id=key_id, certificate=certificate, security_key=security_key)
    stage.note("encrypts what was entered")
    return stored


def words_of(stage: Stage, prompt: Mapping[str, Any]) -> str:
    """Return what the caller hears of a prompt."""
    sources = [source for source in SOURCES if prompt.get(source) is not None]
    if stage.state.channel == "CHAT" and sources in (["PromptId"], ["Media"]):
        raise PromptError("a recording cannot be played in a chat")
    if len(sources) > 1:
        raise stage.cannot(f"a prompt has one source, this one has {' and '.join(sources)}")
    match sources:
        case ["Text"]:
            return str(stage.filled(prompt["Text"]))
        case ["SSML"]:
            return _spoken(str(stage.filled(prompt["SSML"])))
        case ["PromptId"]:
            return _recorded(stage, str(stage.filled(prompt["PromptId"])))
        case ["Media"]:
            return f"[{stage.filled(prompt['Media']).get('Uri', '')}]"
        case _:
            raise stage.cannot("it has none of PromptId, Text, SSML, Media")


@lru_cache(maxsize=256)
def _spoken(ssml: str) -> str:
    try:
        root = ET.fromstring(ssml)  # noqa: S314  (the user's own flow)
    except (ET.ParseError, UnicodeEncodeError) as error:  # the latter for a lone surrogate
        raise PromptError(f"the SSML is not well-formed: {error}") from None
    return re.sub(r"\s+", " ", "".join(root.itertext())).strip()


def _recorded(stage: Stage, prompt_id: str) -> str:
    prompts = stage.conditions.prompts
    words = prompts.get(prompt_id) or prompts.get(prompt_id.rsplit("/", 1)[-1])
    return words or f"[prompt {prompt_id.rsplit('/', 1)[-1]}]"
