"""AWS on a laptop, as far as an Amazon Connect app needs it: deploy for real, call for real, refuse by name.

`Sandbox.start(work_dir)` runs it. The CDK command line, boto3, functions and HTTP clients of deployed APIs
all reach it on one port of localhost.

The names below are loaded on first use: a command that asks a sandbox in another process needs no emulated AWS.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connect_sandbox.cloud.cdk_cli import CdkFailedError as CdkFailedError
    from connect_sandbox.cloud.cdk_cli import CdkRun as CdkRun
    from connect_sandbox.cloud.cfn.types import support_table as support_table
    from connect_sandbox.cloud.connect_state import Association as Association
    from connect_sandbox.cloud.connect_state import Flow as Flow
    from connect_sandbox.cloud.connect_state import FlowModule as FlowModule
    from connect_sandbox.cloud.connect_state import Instance as Instance
    from connect_sandbox.cloud.connect_state import InvokeDecision as InvokeDecision
    from connect_sandbox.cloud.errors import AwsError as AwsError
    from connect_sandbox.cloud.errors import NotEmulatedError as NotEmulatedError
    from connect_sandbox.cloud.errors import SandboxError as SandboxError
    from connect_sandbox.cloud.faults import Fault as Fault
    from connect_sandbox.cloud.faults import Faults as Faults
    from connect_sandbox.cloud.faults import ResourceFault as ResourceFault
    from connect_sandbox.cloud.functions import FunctionFault as FunctionFault
    from connect_sandbox.cloud.functions import Functions as Functions
    from connect_sandbox.cloud.functions import Invocation as Invocation
    from connect_sandbox.cloud.functions import InvocationTimeoutError as InvocationTimeoutError
    from connect_sandbox.cloud.principals import Admin as Admin
    from connect_sandbox.cloud.principals import Principal as Principal
    from connect_sandbox.cloud.principals import RolePrincipal as RolePrincipal
    from connect_sandbox.cloud.principals import ServicePrincipal as ServicePrincipal
    from connect_sandbox.cloud.principals import UserPrincipal as UserPrincipal
    from connect_sandbox.cloud.quotas import CONCURRENT_EXECUTIONS as CONCURRENT_EXECUTIONS
    from connect_sandbox.cloud.quotas import FUNCTIONS_PER_INSTANCE as FUNCTIONS_PER_INSTANCE
    from connect_sandbox.cloud.quotas import VOICE_CONNECTORS as VOICE_CONNECTORS
    from connect_sandbox.cloud.quotas import Quotas as Quotas
    from connect_sandbox.cloud.sandbox import Sandbox as Sandbox

_HOMES = {
    "Admin": "connect_sandbox.cloud.principals",
    "Association": "connect_sandbox.cloud.connect_state",
    "AwsError": "connect_sandbox.cloud.errors",
    "CONCURRENT_EXECUTIONS": "connect_sandbox.cloud.quotas",
    "CdkFailedError": "connect_sandbox.cloud.cdk_cli",
    "CdkRun": "connect_sandbox.cloud.cdk_cli",
    "FUNCTIONS_PER_INSTANCE": "connect_sandbox.cloud.quotas",
    "Fault": "connect_sandbox.cloud.faults",
    "Faults": "connect_sandbox.cloud.faults",
    "Flow": "connect_sandbox.cloud.connect_state",
    "FlowModule": "connect_sandbox.cloud.connect_state",
    "FunctionFault": "connect_sandbox.cloud.functions",
    "Functions": "connect_sandbox.cloud.functions",
    "Instance": "connect_sandbox.cloud.connect_state",
    "Invocation": "connect_sandbox.cloud.functions",
    "InvocationTimeoutError": "connect_sandbox.cloud.functions",
    "InvokeDecision": "connect_sandbox.cloud.connect_state",
    "NotEmulatedError": "connect_sandbox.cloud.errors",
    "Principal": "connect_sandbox.cloud.principals",
    "Quotas": "connect_sandbox.cloud.quotas",
    "ResourceFault": "connect_sandbox.cloud.faults",
    "RolePrincipal": "connect_sandbox.cloud.principals",
    "Sandbox": "connect_sandbox.cloud.sandbox",
    "SandboxError": "connect_sandbox.cloud.errors",
    "ServicePrincipal": "connect_sandbox.cloud.principals",
    "UserPrincipal": "connect_sandbox.cloud.principals",
    "VOICE_CONNECTORS": "connect_sandbox.cloud.quotas",
    "support_table": "connect_sandbox.cloud.cfn.types",
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
