"""The parts of the sandbox that resource types work on, besides the APIs that they call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the parts import resource types, which import this
    from connect_sandbox.cloud.api_gateway.http_api import HttpApis
    from connect_sandbox.cloud.api_gateway.registry import ApiRegistry
    from connect_sandbox.cloud.authorization import Authorization
    from connect_sandbox.cloud.cfn.deployer import DeployerOf
    from connect_sandbox.cloud.cfn.engine import DeploymentEngine
    from connect_sandbox.cloud.cfn.types.custom import CustomResponses
    from connect_sandbox.cloud.connect_state import ConnectState
    from connect_sandbox.cloud.contact_center import ContactCenter
    from connect_sandbox.cloud.functions import Functions
    from connect_sandbox.cloud.lambda_state import LambdaState
    from connect_sandbox.cloud.lex_api import Bots
    from connect_sandbox.cloud.sns import Sns
    from connect_sandbox.cloud.states.service import StateMachines
    from connect_sandbox.cloud.test_cases import TestCases
    from connect_sandbox.cloud.triggers.asynchronous import AsyncInvocations
    from connect_sandbox.cloud.triggers.bucket_events import BucketEvents
    from connect_sandbox.cloud.triggers.buses import Buses
    from connect_sandbox.cloud.triggers.mappings import Mappings
    from connect_sandbox.cloud.triggers.targets import Targets


@dataclass(frozen=True)
class Services:
    """What a resource type reaches through its Context."""

    authorization: Authorization
    lambda_state: LambdaState
    functions: Functions
    custom_responses: CustomResponses
    apis: ApiRegistry
    connect: ConnectState
    sns: Sns
    contact_center: ContactCenter
    test_cases: TestCases
    deployer_of: DeployerOf
    targets: Targets
    asynchronous: AsyncInvocations
    buses: Buses
    mappings: Mappings
    bucket_events: BucketEvents
    http_apis: HttpApis
    state_machines: StateMachines
    bots: Bots
    engine: Callable[[], DeploymentEngine]
