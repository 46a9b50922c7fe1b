"""Bridges between Amazon Connect and the voice, chat and biometrics platforms outside it, as CDK constructs.

``from connect_bridges import ConnectInstance, ContactFlow, ExternalVoiceTransfer, MetadataBridge``

The names below are loaded on first use: ``connect_bridges.flow_language`` and ``connect_bridges.runtime`` can be
imported without the CDK, and without the Node.js process that the CDK starts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .chat_stream_bridge import ChatPrompts as ChatPrompts
    from .chat_stream_bridge import ChatStreamBridge as ChatStreamBridge
    from .chat_stream_monitoring import ChatStreamMonitoring as ChatStreamMonitoring
    from .chat_stream_presets import ChatStreamPreset as ChatStreamPreset
    from .connect_instance import ConnectInstance as ConnectInstance
    from .contact_flow import ContactFlow as ContactFlow
    from .contact_flow import ContactFlowError as ContactFlowError
    from .external_voice_connector import ExternalVoiceConnector as ExternalVoiceConnector
    from .external_voice_transfer import ExternalVoiceTransfer as ExternalVoiceTransfer
    from .external_voice_transfer import VoiceDestination as VoiceDestination
    from .external_voice_transfer import VoicePrompts as VoicePrompts
    from .flow_language import FlowKind as FlowKind
    from .metadata_bridge import MetadataBridge as MetadataBridge
    from .metadata_presets import MetadataPreset as MetadataPreset
    from .runtime_function import RuntimeFunction as RuntimeFunction
    from .vendor_access import VendorAccess as VendorAccess
    from .vendor_access import VendorPrincipal as VendorPrincipal
    from .voice_biometric_flows import VoiceBiometricPrompts as VoiceBiometricPrompts
    from .voice_biometric_gate import VoiceBiometricGate as VoiceBiometricGate
    from .voice_biometric_presets import VoiceBiometricPreset as VoiceBiometricPreset
    from .voice_biometric_provider import BiometricsProvider as BiometricsProvider
    from .voice_biometric_provider import BiometricsTelephony as BiometricsTelephony
    from .voice_biometric_rules import VoiceCheckRules as VoiceCheckRules
    from .voice_biometric_rules import WayBack as WayBack

_HOMES = {
    "BiometricsProvider": "voice_biometric_provider",
    "BiometricsTelephony": "voice_biometric_provider",
    "ChatPrompts": "chat_stream_bridge",
    "ChatStreamBridge": "chat_stream_bridge",
    "ChatStreamMonitoring": "chat_stream_monitoring",
    "ChatStreamPreset": "chat_stream_presets",
    "ConnectInstance": "connect_instance",
    "ContactFlow": "contact_flow",
    "ContactFlowError": "contact_flow",
    "ExternalVoiceConnector": "external_voice_connector",
    "ExternalVoiceTransfer": "external_voice_transfer",
    "FlowKind": "flow_language",
    "MetadataBridge": "metadata_bridge",
    "MetadataPreset": "metadata_presets",
    "RuntimeFunction": "runtime_function",
    "VendorAccess": "vendor_access",
    "VendorPrincipal": "vendor_access",
    "VoiceBiometricGate": "voice_biometric_gate",
    "VoiceBiometricPreset": "voice_biometric_presets",
    "VoiceBiometricPrompts": "voice_biometric_flows",
    "VoiceCheckRules": "voice_biometric_rules",
    "VoiceDestination": "external_voice_transfer",
    "VoicePrompts": "external_voice_transfer",
    "WayBack": "voice_biometric_rules",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported, loaded or not."""
    return sorted({*globals(), *_HOMES})
