"""Rehearse a published flow: play it block by block for a contact, and see what the caller would hear."""

from connect_bridges.sandbox.rehearsal.circumstances import (
    Caller,
    Circumstances,
    HangsUp,
    Presses,
    Queue,
    Says,
    StaysSilent,
)
from connect_bridges.sandbox.rehearsal.clock import VirtualClock
from connect_bridges.sandbox.rehearsal.contact import Contact
from connect_bridges.sandbox.rehearsal.errors import (
    CannotPlayError,
    FunctionFailedError,
    InvocationDeniedError,
    InvocationThrottledError,
    InvocationTimedOutError,
    LambdaInvocationError,
    NoSuchFlowError,
    RehearsalError,
    ServiceFailureError,
)
from connect_bridges.sandbox.rehearsal.ports import (
    CallFailed,
    DialOutcome,
    ExternalVoice,
    FlowSource,
    HungUpByCaller,
    HungUpByVendor,
    Invite,
    LambdaAnswer,
    LambdaInvoker,
    Line,
    NotAnswered,
    NotDialled,
    Ports,
)
from connect_bridges.sandbox.rehearsal.published import PublishedFlow
from connect_bridges.sandbox.rehearsal.transcript import Entry, Transcript

__all__ = [
    "CallFailed",
    "Caller",
    "CannotPlayError",
    "Circumstances",
    "Contact",
    "DialOutcome",
    "Entry",
    "ExternalVoice",
    "FlowSource",
    "FunctionFailedError",
    "HangsUp",
    "HungUpByCaller",
    "HungUpByVendor",
    "Invite",
    "InvocationDeniedError",
    "InvocationThrottledError",
    "InvocationTimedOutError",
    "LambdaAnswer",
    "LambdaInvocationError",
    "LambdaInvoker",
    "Line",
    "NoSuchFlowError",
    "NotAnswered",
    "NotDialled",
    "Ports",
    "Presses",
    "PublishedFlow",
    "Queue",
    "RehearsalError",
    "Says",
    "ServiceFailureError",
    "StaysSilent",
    "Transcript",
    "VirtualClock",
]
