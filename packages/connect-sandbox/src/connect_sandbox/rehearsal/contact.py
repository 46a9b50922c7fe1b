"""A contact to rehearse: place the call, then assert what happened.

contact = Contact(ports, instance_arn=…, caller=Caller(moves=[Says("agent")]), conditions=…)
contact.calls(flow_arn)
contact.hears("Thank you for calling")
contact.ends(queued="Support")
"""

from collections.abc import Iterable, Mapping
from typing import Literal
from uuid import uuid4

from connect_sandbox.rehearsal.bounds import DEFAULT_BOUNDS, Bounds
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Move
from connect_sandbox.rehearsal.customer_data import Cases, CustomerProfiles
from connect_sandbox.rehearsal.engine import Engine, Taken
from connect_sandbox.rehearsal.errors import RehearsalError
from connect_sandbox.rehearsal.expectations import Expectations
from connect_sandbox.rehearsal.ports import Ports
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.steps import Ending
from connect_sandbox.rehearsal.story import Story
from connect_sandbox.rehearsal.transcript import Transcript
from connect_sandbox.runs import because

EXAMPLE_INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
EXAMPLE_NUMBER = "+18005550199"
Channel = Literal["VOICE", "CHAT", "TASK", "EMAIL"]
"""The channels that can be rehearsed."""


class Contact(Expectations):
    """One contact. `dialled` is the number that the caller called; `secrets` stay out of the transcript.

    `contact_id` is a UUID, a new one by default. `attributes` are user-defined ones that the contact already has.
    `bounds` say how far the contact may go before it is stopped.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        instance_arn: str = EXAMPLE_INSTANCE,
        caller: Caller | None = None,
        dialled: str = EXAMPLE_NUMBER,
        conditions: Conditions | None = None,
        attributes: Mapping[str, str] | None = None,
        contact_id: str | None = None,
        secrets: Iterable[str] = (),
        clock: VirtualClock | None = None,
        channel: Channel = "VOICE",
        initiation_method: str = "INBOUND",
        bounds: Bounds = DEFAULT_BOUNDS,
    ) -> None:
        caller = caller or Caller()
        conditions = conditions or Conditions()
        related = conditions.related_contact
        state = ContactState(
            instance_arn=instance_arn,
            customer_number=caller.number,
            system_number=dialled,
            attributes=dict(attributes or {}),
            channel=channel,
            initiation_method=initiation_method,
            customer_profiles=CustomerProfiles(conditions.customer_profiles),
            cases=Cases(conditions.cases),
            related_attributes=None if related is None else dict(related),
            related_contact_id=None if related is None else str(uuid4()),
        )
        state.queue = conditions.first_queue()
        if contact_id is not None:
            state.contact_id = state.initial_contact_id = contact_id
        self._conditions = conditions
        self._ports = ports
        clock = clock or VirtualClock()
        clock.limit = bounds.seconds
        self._engine = Engine(
            ports=ports,
            state=state,
            caller=caller,
            conditions=conditions,
            clock=clock,
            transcript=Transcript(secrets, bounds),
        )
        super().__init__(self._engine.transcript)
        self._ending: Ending | None = None

    def calls(self, flow_arn: str) -> "Contact":
        """Place the call to this flow (ARN or id) and play it to its end.

        CannotPlayError, BoundExceededError or another RehearsalError, with the transcript so far as a note, if it
        cannot be played.
        """
        if self._ending is not None:
            raise RehearsalError("this contact has ended; make a new Contact for a new call")
        flow = self._ports.flows.flow(flow_arn)
        story = self._engine.story
        try:
            with because(story.cause):
                self._ending = self._engine.play(flow)
        except RehearsalError as error:
            story.stopped(error)
            error.add_note(f"transcript so far:\n{self.transcript.excerpt()}")
            raise
        except Exception as error:
            story.stopped(error)
            raise
        return self

    @property
    def story(self) -> Story:
        """What the contact tells to the run."""
        return self._engine.story

    @property
    def state(self) -> ContactState:
        """Everything that Amazon Connect keeps of the contact."""
        return self._engine.state

    @property
    def contact_id(self) -> str:
        """The contact's id, a UUID."""
        return self._engine.state.contact_id

    @property
    def attributes(self) -> dict[str, str]:
        """The contact's user-defined attributes."""
        return self._engine.state.attributes

    @property
    def taken(self) -> list[Taken]:
        """The branches that the contact took, in order."""
        return self._engine.taken

    @property
    def visited(self) -> list[str]:
        """The identifiers of the blocks that the contact reached, in order."""
        return [block for _, block in self._engine.visited]

    @property
    def visited_in(self) -> list[tuple[str, str]]:
        """The blocks that the contact reached, in order, each with the name of its flow."""
        return self._engine.visited

    @property
    def moves_left(self) -> tuple[Move, ...]:
        """The caller's moves that nobody has asked for."""
        return self._engine.caller.moves_left

    @property
    def ending(self) -> Ending:
        """How the flow ended; RehearsalError if it has not been played."""
        if self._ending is None:
            raise RehearsalError(
                "the contact has not called a flow yet, or the flow could not be played to its end"
            )
        return self._ending

    def has_customer_profile(self, fields: Mapping[str, str]) -> "Contact":
        """Expect a customer profile with at least these fields at the end; "Attributes.x" is one of its attributes."""
        found = self.state.customer_profiles
        if not found.search(fields.items(), together=True):
            raise self._failure(f"there should be a customer profile with {dict(fields)}; there are {found}")
        return self

    def has_case(self, fields: Mapping[str, str]) -> "Contact":
        """Expect a case with at least these fields at the end."""
        if not self.state.cases.search(fields):
            raise self._failure(f"there should be a case with {dict(fields)}; there are {self.state.cases}")
        return self

    def has_related_attributes(self, **attributes: str) -> "Contact":
        """Expect the related contact to have at least these attributes with these values."""
        related = self.state.related_attributes or {}
        for name, value in attributes.items():
            if related.get(name) != value:
                raise self._failure(
                    f"attribute {name} of the related contact should be {value!r}; it is {related.get(name)!r}"
                )
        return self

    def queue_names(self, arn: str) -> set[str]:
        """Return the names by which an expectation may call the queue: ARN, id, name."""
        queue = self._conditions.queue(arn)
        return {queue.arn, queue.id, queue.name} if queue else {arn, arn.rsplit("/", 1)[-1]}
