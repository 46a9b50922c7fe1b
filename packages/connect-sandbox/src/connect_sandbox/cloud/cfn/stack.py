"""A stack's state: its resources, its status and its events."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connect_sandbox.cloud.cfn.resource import Created
from connect_sandbox.cloud.cfn.template import Resource, Template

if TYPE_CHECKING:
    from connect_sandbox.cloud.cfn.rollout import PausedUpdate  # which works on stacks


@dataclass
class StackResource:
    """A resource that a stack owns, with the properties that it was last deployed with."""

    declared: Resource
    properties: dict[str, Any]
    created: Created
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    updated_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    #: The names of the exports of other stacks that its properties import.
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    event_id: str
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str
    timestamp: dt.datetime
    token: str
    operation_id: str


@dataclass
class ChangeSet:
    """A prepared create or update of a stack."""

    name: str
    arn: str
    kind: str
    template: Template
    parameters: dict[str, str]
    tags: dict[str, str]
    changes: list[dict[str, Any]]
    status: str = "CREATE_COMPLETE"
    execution_status: str = "AVAILABLE"
    reason: str = ""
    created_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclass
class Stack:
    """One stack. `status` is one of CloudFormation's."""

    name: str
    stack_id: str
    template: Template | None = None
    given_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    role_arn: str = ""
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    termination_protection: bool = False
    resources: dict[str, StackResource] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    created_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    updated_at: dt.datetime | None = None
    deleted_at: dt.datetime | None = None
    token: str = ""
    operation_id: str = ""
    #: The names of the exports of other stacks that its outputs import.
    imported_by_outputs: frozenset[str] = frozenset()
    #: An update that failed with rollback disabled (UPDATE_FAILED).
    paused: PausedUpdate | None = None

    @property
    def in_progress(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def imports(self) -> frozenset[str]:
        """The names of the exports of other stacks that it uses."""
        return self.imported_by_outputs.union(*(held.imports for held in list(self.resources.values())))

    @property
    def exists(self) -> bool:
        """Whether the stack can be found by its name."""
        return self.status != "DELETE_COMPLETE"

    def set_status(self, status: str, reason: str = "") -> None:
        """Change the stack's own status and record it as an event."""
        self.status, self.reason = status, reason
        self.record(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, reason)

    def record(
        self, logical_id: str, physical_id: str, resource_type: str, status: str, reason: str = ""
    ) -> None:
        """Append an event."""
        now = dt.datetime.now(dt.UTC)
        event_id = f"{logical_id}-{status}-{uuid.uuid4()}"
        self.events.append(
            Event(
                event_id,
                logical_id,
                physical_id,
                resource_type,
                status,
                reason,
                now,
                self.token,
                self.operation_id,
            )
        )
