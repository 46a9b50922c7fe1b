"""The names that guides give to the parts of a voice biometric gate: data, one preset each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from connect_bridges.shared.runtime_modules import runtime_module

if TYPE_CHECKING:
    from runtime.biometrics import limits
else:
    limits = runtime_module("biometrics.limits")


class VoiceBiometricNames(TypedDict, total=False):
    """What of a ``VoiceBiometricPreset`` can be replaced, each of which ``with_overrides`` takes."""

    partition_key: str | None
    table_name: str | None
    path: str | None
    phrase: str | None
    phrases: Sequence[str] | None
    language: str | None


@dataclass(frozen=True, kw_only=True)
class VoiceBiometricPreset:
    """Names of a gate's parts; ``None`` leaves the name to CloudFormation, so that stacks never clash.

    Each can be replaced: ``VoiceBiometricPreset.voiceit().with_overrides(phrase="my voice is my password")``.
    """

    partition_key: str = limits.PARTITION_KEY
    """The table's partition key."""
    table_name: str | None = None
    path: str = "voice"
    """The webhook's resource path, without slashes at its ends."""
    phrase: str = limits.PHRASE
    """What callers say, 3 to 200 characters; it must be one that the provider has enabled."""
    phrases: Sequence[str] = ()
    """2 to 5 phrases, of which each call is asked for one at random, instead of ``phrase``; 800 bytes in all.

    An enrolment takes each as often as ``VoiceCheckRules.enrolments`` says, 15 recordings at most. Callers who were
    enrolled before enrol again. See docs/voice-biometrics.md, "Several phrases".
    """
    language: str = limits.LANGUAGE
    """Language of the phrase and of the prompts."""

    @classmethod
    def default(cls) -> VoiceBiometricPreset:
        """Return the key and phrase of VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-2-9-2)."""
        return cls()

    @classmethod
    def voiceit(cls) -> VoiceBiometricPreset:
        """Return the names of VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-0-2).

        They are fixed names: one gate per account and Region can carry them.
        """
        return cls(table_name="ConnectTwilio")

    @classmethod
    def named(cls, name: str) -> VoiceBiometricPreset:
        """Return the preset of that name; raises ``ValueError`` naming the ones that exist."""
        presets = {"default": cls.default, "voiceit": cls.voiceit}
        if name not in presets:
            raise ValueError(
                f"There is no voice biometrics preset {name!r}; choose one of {', '.join(sorted(presets))}."
            )
        return presets[name]()

    def with_overrides(self, **names: Unpack[VoiceBiometricNames]) -> VoiceBiometricPreset:
        """Return this preset with what is not ``None`` replaced."""
        given: dict[str, Any] = {key: value for key, value in names.items() if value is not None}
        return replace(self, **given)

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every phrase that callers may be asked for."""
        return tuple(self.phrases) or (self.phrase,)
