"""What the caller hears on the telephony side: defaults, and what the environment replaces.

Environment: PHRASE, LANGUAGE (en-US), VOICE (empty: the telephony provider's own), PROMPTS (a JSON object of texts by
name; names that are left out keep their default). With PHRASES (see ``policy``) the default of ``consent`` says how
many recordings an enrolment takes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace

from runtime.biometrics import limits
from runtime.shared.environment import Environment

CONSENT_TO_SEVERAL = (
    "We can recognise you by your voice from now on. For this we record you {total} times now, which takes some "
    "minutes, and keep a voice print of you, which you can have deleted at any time. Press 1 if you agree. "
    "Press 2 if you do not."
)
"""The default of ``Prompts.consent`` where there are several phrases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Texts; ``{phrase}`` becomes the phrase, ``{number}`` and ``{total}`` count enrolments."""

    consent: str = (
        "We can recognise you by your voice from now on. For this we keep a voice print of you, "
        "which you can have deleted at any time. Press 1 if you agree. Press 2 if you do not."
    )
    enrol: str = "Recording {number} of {total}. After the tone, please say: {phrase}."
    verify: str = "After the tone, please say: {phrase}."
    again: str = "We could not use that recording. After the tone, please say once more: {phrase}."
    enrolled: str = "Thank you. We will recognise your voice from now on."
    passed: str = "Thank you. We have recognised your voice."
    failed: str = "We could not recognise your voice. Goodbye."
    unavailable: str = "We cannot check your voice at the moment. Goodbye."
    consent_refused: str = "We will not use your voice. Goodbye."
    not_expected: str = "This number cannot be called directly. Goodbye."


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """The texts, the phrase that is compared, and how they are spoken."""

    prompts: Prompts
    phrase: str
    language: str
    voice: str

    @classmethod
    def read(cls, environment: Environment) -> Speech:
        """Read the settings; ``environment.check()`` is the caller's to call."""
        return cls(
            prompts=_prompts(environment),
            phrase=environment.text(
                "PHRASE",
                default=limits.PHRASE,
                pattern=limits.PHRASE_TEXT.pattern,
                form="3 to 200 characters",
            ),
            language=environment.text(
                "LANGUAGE",
                default=limits.LANGUAGE,
                pattern=limits.LANGUAGE_CODE.pattern,
                form="a language as en-US",
            ),
            voice=environment.text(
                "VOICE", default=limits.VOICE, pattern=limits.VOICE_NAME.pattern, form="a voice's name"
            ),
        )

    def text(self, name: str, *, number: int = 0, total: int = 0, phrase: str = "") -> str:
        """Return a prompt with the phrase and the numbers put in; without ``phrase`` it is the one phrase."""
        text: str = getattr(self.prompts, name)
        values = {"phrase": phrase or self.phrase, "number": str(number), "total": str(total)}
        for key, value in values.items():
            text = text.replace("{" + key + "}", value)
        return text


def _prompts(environment: Environment) -> Prompts:
    several = environment.text("PHRASES", default="[]") != "[]"
    defaults = Prompts(consent=CONSENT_TO_SEVERAL) if several else Prompts()
    names = [field.name for field in fields(Prompts)]
    try:
        given = json.loads(environment.text("PROMPTS", default="{}"))
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(
        k in names and isinstance(v, str) and v for k, v in given.items()
    ):
        environment.refuse(f"PROMPTS must be a JSON object of texts with names among {', '.join(names)}")
        return defaults
    return replace(defaults, **given)
