"""The names that guides give to the parts of a voice biometric gate: data, one preset each."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class VoiceBiometricPreset:
    """Names of a gate's parts; ``None`` leaves the name to CloudFormation, so that stacks never clash."""

    partition_key: str = "phoneNumber"
    """The table's partition key."""
    table_name: str | None = None
    path: str = "voice"
    """The webhook's resource path, without slashes at its ends."""
    phrase: str = "never forget tomorrow is a new day"
    """What callers say; it must be one that the provider has enabled."""
    language: str = "en-US"
    """Language of the phrase and of the prompts."""

    @classmethod
    def default(cls) -> VoiceBiometricPreset:
        """Return the guide's key and phrase with CloudFormation's names."""
        return cls()

    @classmethod
    def voiceit(cls) -> VoiceBiometricPreset:
        """Return the names of guide 004 (VoiceIt and Twilio).

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

    def with_overrides(self, **names: str | None) -> VoiceBiometricPreset:
        """Return this preset with the names that are not ``None`` replaced."""
        return replace(self, **{key: value for key, value in names.items() if value is not None})
