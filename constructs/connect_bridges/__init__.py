"""Bridges between Amazon Connect and the voice, chat and biometrics platforms outside it, as CDK constructs.

``from connect_bridges import ConnectInstance, ContactFlow, ExternalVoiceTransfer, MetadataBridge``

The names below are loaded on first use: a command line that needs one part of the package starts neither the CDK nor
the Node.js process behind it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connect_flows import FlowKind as FlowKind

    from connect_bridges.biometrics.flows import VoiceBiometricPrompts as VoiceBiometricPrompts
    from connect_bridges.biometrics.gate import VoiceBiometricGate as VoiceBiometricGate
    from connect_bridges.biometrics.presets import VoiceBiometricPreset as VoiceBiometricPreset
    from connect_bridges.biometrics.provider import BiometricsProvider as BiometricsProvider
    from connect_bridges.biometrics.provider import BiometricsTelephony as BiometricsTelephony
    from connect_bridges.biometrics.rules import CallerTransfer as CallerTransfer
    from connect_bridges.biometrics.rules import ReturnMode as ReturnMode
    from connect_bridges.biometrics.rules import VoiceCheckRules as VoiceCheckRules
    from connect_bridges.biometrics.rules import VoiceDialogue as VoiceDialogue
    from connect_bridges.chat.bridge import ChatPrompts as ChatPrompts
    from connect_bridges.chat.bridge import ChatStreamBridge as ChatStreamBridge
    from connect_bridges.chat.options import ChatConversation as ChatConversation
    from connect_bridges.chat.options import ChatDelivery as ChatDelivery
    from connect_bridges.chat.presets import ChatStreamPreset as ChatStreamPreset
    from connect_bridges.chat.vendor_access import VendorAccess as VendorAccess
    from connect_bridges.chat.vendor_access import VendorPrincipal as VendorPrincipal
    from connect_bridges.contact_center.connect_instance import ConnectInstance as ConnectInstance
    from connect_bridges.contact_center.contact_center import ContactCenter as ContactCenter
    from connect_bridges.contact_center.contact_flow import ContactFlow as ContactFlow
    from connect_bridges.contact_center.contact_flow import ContactFlowError as ContactFlowError
    from connect_bridges.contact_center.flow_test_case import FlowTestCase as FlowTestCase
    from connect_bridges.contact_center.instance_options import IdentityManagement as IdentityManagement
    from connect_bridges.contact_center.instance_options import InstanceAttributes as InstanceAttributes
    from connect_bridges.contact_center.monitoring import ContactCenterMonitoring as ContactCenterMonitoring
    from connect_bridges.contact_center.parts import InstancePart as InstancePart
    from connect_bridges.contact_center.routing import OpeningHours as OpeningHours
    from connect_bridges.metadata.bridge import MetadataBridge as MetadataBridge
    from connect_bridges.metadata.presets import MetadataPreset as MetadataPreset
    from connect_bridges.shared.api_options import ApiOptions as ApiOptions
    from connect_bridges.shared.checks import ConstructArgumentError as ConstructArgumentError
    from connect_bridges.shared.function_options import FunctionOptions as FunctionOptions
    from connect_bridges.shared.metrics import MetricOptions as MetricOptions
    from connect_bridges.shared.monitoring import Monitoring as Monitoring
    from connect_bridges.shared.runtime_function import RuntimeFunction as RuntimeFunction
    from connect_bridges.voice.connector import ExternalVoiceConnector as ExternalVoiceConnector
    from connect_bridges.voice.transfer import ExternalVoiceTransfer as ExternalVoiceTransfer
    from connect_bridges.voice.transfer import VoiceDestination as VoiceDestination
    from connect_bridges.voice.transfer import VoicePrompts as VoicePrompts

_HOMES = {
    "ApiOptions": "connect_bridges.shared.api_options",
    "BiometricsProvider": "connect_bridges.biometrics.provider",
    "BiometricsTelephony": "connect_bridges.biometrics.provider",
    "CallerTransfer": "connect_bridges.biometrics.rules",
    "ChatConversation": "connect_bridges.chat.options",
    "ChatDelivery": "connect_bridges.chat.options",
    "ChatPrompts": "connect_bridges.chat.bridge",
    "ChatStreamBridge": "connect_bridges.chat.bridge",
    "ChatStreamPreset": "connect_bridges.chat.presets",
    "ConnectInstance": "connect_bridges.contact_center.connect_instance",
    "ConstructArgumentError": "connect_bridges.shared.checks",
    "ContactCenter": "connect_bridges.contact_center.contact_center",
    "ContactCenterMonitoring": "connect_bridges.contact_center.monitoring",
    "ContactFlow": "connect_bridges.contact_center.contact_flow",
    "ContactFlowError": "connect_bridges.contact_center.contact_flow",
    "ExternalVoiceConnector": "connect_bridges.voice.connector",
    "ExternalVoiceTransfer": "connect_bridges.voice.transfer",
    "FlowKind": "connect_flows",
    "FlowTestCase": "connect_bridges.contact_center.flow_test_case",
    "FunctionOptions": "connect_bridges.shared.function_options",
    "IdentityManagement": "connect_bridges.contact_center.instance_options",
    "InstanceAttributes": "connect_bridges.contact_center.instance_options",
    "InstancePart": "connect_bridges.contact_center.parts",
    "MetadataBridge": "connect_bridges.metadata.bridge",
    "MetadataPreset": "connect_bridges.metadata.presets",
    "MetricOptions": "connect_bridges.shared.metrics",
    "Monitoring": "connect_bridges.shared.monitoring",
    "OpeningHours": "connect_bridges.contact_center.routing",
    "ReturnMode": "connect_bridges.biometrics.rules",
    "RuntimeFunction": "connect_bridges.shared.runtime_function",
    "VendorAccess": "connect_bridges.chat.vendor_access",
    "VendorPrincipal": "connect_bridges.chat.vendor_access",
    "VoiceBiometricGate": "connect_bridges.biometrics.gate",
    "VoiceBiometricPreset": "connect_bridges.biometrics.presets",
    "VoiceBiometricPrompts": "connect_bridges.biometrics.flows",
    "VoiceCheckRules": "connect_bridges.biometrics.rules",
    "VoiceDestination": "connect_bridges.voice.transfer",
    "VoiceDialogue": "connect_bridges.biometrics.rules",
    "VoicePrompts": "connect_bridges.voice.transfer",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported, loaded or not."""
    return sorted({*globals(), *_HOMES})
