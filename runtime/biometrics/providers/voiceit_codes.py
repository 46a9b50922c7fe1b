"""VoiceIt's response codes and what each one means for the caller. Source: the response codes of VoiceIt API 2.

Where VoiceIt's own wording leaves open whether the voice or the set-up is at fault, nobody is blamed: the phrase is
asked for again (which the number of tries bounds), and only FAIL and RWPU count towards the lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.biometrics.judgement import Decision


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, when a voice is enrolled and when it is verified."""

    meaning: str
    enrol: Decision
    verify: Decision


def _same(meaning: str, decision: Decision) -> Code:
    return Code(meaning, decision, decision)


# evidence: voiceit-api
CODES: dict[str, Code] = {
    "SUCC": _same("success", Decision.ACCEPTED),
    "FAIL": Code("the voice does not match, or the enrolment failed", Decision.RETRY, Decision.MISMATCH),
    "RWPU": Code("the recording was used before: somebody plays it back", Decision.RETRY, Decision.MISMATCH),
    "PDNM": _same("another phrase was said", Decision.RETRY),
    "STTF": _same("the speech was not understood", Decision.RETRY),
    "SSTQ": _same("the speaker is too quiet", Decision.RETRY),
    "SSTL": _same("the speaker is too loud", Decision.RETRY),
    "SRNR": _same("the recording does not meet the requirements", Decision.RETRY),
    "NSPE": _same("no speech was found", Decision.RETRY),
    "NEHSD": _same("not enough human speech was detected", Decision.RETRY),
    "PNTE": _same("the phrase is not enrolled often enough", Decision.UNAVAILABLE),
    "UNFD": _same("VoiceIt does not know the user", Decision.UNAVAILABLE),
    "CLNE": _same("the content language is not enabled for the account", Decision.UNAVAILABLE),
    "DDNE": _same("the data does not exist", Decision.UNAVAILABLE),
    "GERR": _same("general error at VoiceIt", Decision.UNAVAILABLE),
}
"""Any other code is UNAVAILABLE: what is not understood proves nothing, and is nobody's fault."""
