"""The flow and the flow module of a voice biometric gate, fitted to the return mode."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from connect_flows import FlowKind

from connect_bridges.biometrics.rules import CallerTransfer, ReturnMode
from connect_bridges.contact_center.connect_instance import ConnectInstance
from connect_bridges.contact_center.contact_flow import ContactFlow, load_template
from connect_bridges.contact_center.flow_template import FlowTemplate
from connect_bridges.shared.arguments import check_prompts
from constructs import Construct, IDependable

_TRANSFER = "Transfer to the voice check"
_TRY_AGAIN = "May the caller try again"
_PROOF_EXPIRED = "Say that the proof expired"
_NEXT_FLOW = "Hand over to the next flow"
_TRANSFER_TO_QUEUE = "Transfer to queue"


@dataclass(frozen=True, kw_only=True)
class VoiceBiometricPrompts:
    """What the caller hears from Amazon Connect; plain text, at most 6,000 characters each."""

    welcome: str = "Welcome."
    enrol: str = "You can be recognised by your voice. We are connecting you to set that up."
    enrol_more: str = (
        "Setting up your voice was not finished the last time. We are connecting you to begin again."
    )
    verify: str = "We are connecting you to check your voice."
    proof_expired: str = "Your voice check is too long ago. We are connecting you to check your voice again."
    verified: str = "We have recognised you. One moment please."
    failed: str = "We could not recognise your voice. We are connecting you with an agent."
    locked: str = (
        "The voice check is locked for this number at the moment. We are connecting you with an agent."
    )
    unavailable: str = "We cannot check your voice at the moment. We are connecting you with an agent."
    not_forgotten: str = "We cannot go on with your call at the moment. Please call again later. Goodbye."
    """From the module, if a former check's result is still in the attributes and cannot be taken out of them."""
    queue_full: str = "All lines are busy at the moment. Please call again later. Goodbye."
    queue_error: str = "We cannot connect you with an agent at the moment. Please call again later. Goodbye."

    def __post_init__(self) -> None:
        check_prompts(self)


class VoiceBiometricFlows:
    """Publishes both, below the gate that they belong to."""

    flow: ContactFlow
    module: ContactFlow

    def __init__(
        self,
        scope: Construct,
        *,
        instance: ConnectInstance,
        gate_function: lambda_.IFunction,
        association: IDependable,
        telephony_number: str,
        provider_name: str,
        transfer: CallerTransfer,
        queue_arn: str,
        unverified_queue_arn: str,
        next_flow_arn: str | None,
        prompts: VoiceBiometricPrompts,
        names: tuple[str | None, str | None],
    ) -> None:
        """Create flow and module; names: of both, in this order. The others are those of ``VoiceBiometricGate``."""
        common = {
            "GateFunctionArn": gate_function.function_arn,
            "TelephonyNumber": telephony_number,
            "ConnectionTimeLimitSeconds": str(transfer.connection_seconds),
            "ProviderName": provider_name,
            "VerifyPrompt": prompts.verify,
            "EnrolPrompt": prompts.enrol,
            "EnrolMorePrompt": prompts.enrol_more,
            **(
                {"ProofExpiredPrompt": prompts.proof_expired}
                if transfer.return_mode is ReturnMode.REDIAL
                else {}
            ),
        }
        flow = FlowTemplate(load_template("voice_biometric_gate.json"))
        _fit_return_mode(
            flow, transfer.return_mode, over="Disconnect", failed="Log again that the check failed"
        )
        if next_flow_arn is None:
            flow.leave_out(_NEXT_FLOW, lead_to=_TRANSFER_TO_QUEUE)
        # evidence: logging-block-in-modules
        module = FlowTemplate(load_template("voice_biometric_gate_module.json"))
        _fit_return_mode(
            module, transfer.return_mode, over="End of module", failed="Log again what came of it"
        )
        self.flow = ContactFlow(
            scope,
            "Flow",
            instance=instance,
            template=flow.document,
            values={
                **common,
                "QueueArn": queue_arn,
                "UnverifiedQueueArn": unverified_queue_arn,
                **({"NextFlowArn": next_flow_arn} if next_flow_arn else {}),
                "WelcomePrompt": prompts.welcome,
                "VerifiedPrompt": prompts.verified,
                "FailedPrompt": prompts.failed,
                "LockedPrompt": prompts.locked,
                "UnavailablePrompt": prompts.unavailable,
                "QueueFullPrompt": prompts.queue_full,
                "QueueErrorPrompt": prompts.queue_error,
            },
            name=names[0],
            description="Has the caller prove who they are by voice, and queues the contact.",
        )
        self.module = ContactFlow(
            scope,
            "Module",
            instance=instance,
            template=module.document,
            values={**common, "NotForgottenPrompt": prompts.not_forgotten},
            kind=FlowKind.MODULE,
            name=names[1],
            description="Has the caller prove who they are by voice; leaves the result in attributes.",
        )
        for published in (self.flow, self.module):
            published.depends_on(association)


def _fit_return_mode(template: FlowTemplate, return_mode: ReturnMode, *, over: str, failed: str) -> None:
    """Fit the transfer, and what the flow may be told, to the return mode.

    RESUME asks again after the transfer. REDIAL ends with it, and asks again only if it fails: the session that waits
    for the call would turn the caller's next one away. It may be told that a proof is too old.
    """
    if return_mode is ReturnMode.RESUME:
        template.leave_out(_TRY_AGAIN, lead_to=failed)
        template.leave_out(_PROOF_EXPIRED, lead_to=_TRANSFER)
        return
    # evidence: transfer-parameter-names
    template.parameters(_TRANSFER)["ContinueFlowExecution"] = "False"
    transitions = template.block(_TRANSFER)["Transitions"]
    transitions["NextAction"] = over
    transitions["Errors"] = [one for one in transitions["Errors"] if one["ErrorType"] == "NoMatchingError"]
