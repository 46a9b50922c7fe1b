"""AWS on a laptop, as far as an Amazon Connect app needs it: deploy for real, call for real, refuse by name.

`Sandbox.start(work_dir)` runs it. The CDK command line, boto3, functions and HTTP clients of deployed APIs
all reach it on one port of localhost.
"""

from connect_sandbox.cloud.cdk_cli import CdkFailedError, CdkRun
from connect_sandbox.cloud.cfn.types import support_table
from connect_sandbox.cloud.connect_state import (
    Association,
    Flow,
    FlowModule,
    Instance,
    InvokeDecision,
)
from connect_sandbox.cloud.errors import AwsError, NotEmulatedError, SandboxError
from connect_sandbox.cloud.faults import Fault, Faults, ResourceFault
from connect_sandbox.cloud.functions import (
    FunctionFault,
    Functions,
    Invocation,
    InvocationTimeoutError,
)
from connect_sandbox.cloud.principals import (
    Admin,
    Principal,
    RolePrincipal,
    ServicePrincipal,
    UserPrincipal,
)
from connect_sandbox.cloud.quotas import (
    CONCURRENT_EXECUTIONS,
    FUNCTIONS_PER_INSTANCE,
    VOICE_CONNECTORS,
    Quotas,
)
from connect_sandbox.cloud.sandbox import Sandbox

__all__ = [
    "CONCURRENT_EXECUTIONS",
    "FUNCTIONS_PER_INSTANCE",
    "VOICE_CONNECTORS",
    "Admin",
    "Association",
    "AwsError",
    "CdkFailedError",
    "CdkRun",
    "Fault",
    "Faults",
    "Flow",
    "FlowModule",
    "FunctionFault",
    "Functions",
    "Instance",
    "Invocation",
    "InvocationTimeoutError",
    "InvokeDecision",
    "NotEmulatedError",
    "Principal",
    "Quotas",
    "ResourceFault",
    "RolePrincipal",
    "Sandbox",
    "SandboxError",
    "ServicePrincipal",
    "UserPrincipal",
    "support_table",
]
