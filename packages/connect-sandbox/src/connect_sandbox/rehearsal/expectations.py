"""What a test or a scenario expects of a contact.

A failed expectation shows the transcript. `hears` goes through the call in order: each use continues after what the
previous one found. All return the contact, so that expectations can be chained.
"""

from abc import ABC, abstractmethod
from typing import Self

from connect_sandbox.rehearsal.steps import Ending, How
from connect_sandbox.rehearsal.transcript import Entry, Transcript


class Expectations(ABC):
    """Expectations on a contact whose flow has been played."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self._heard_until = 0

    @property
    @abstractmethod
    def visited(self) -> list[str]:
        """The identifiers of the blocks that the contact reached, in order."""

    @property
    @abstractmethod
    def attributes(self) -> dict[str, str]:
        """The contact's user-defined attributes."""

    @property
    @abstractmethod
    def ending(self) -> Ending:
        """How the flow ended."""

    @abstractmethod
    def queue_names(self, arn: str) -> set[str]:
        """Return the names by which an expectation may call a queue."""

    def hears(self, *texts: str) -> Self:
        """Expect the caller to hear each of these texts (or a prompt that contains it), in this order."""
        for text in texts:
            index = next(
                (i for i in range(self._heard_until, len(self.transcript)) if self._heard(i, text)), None
            )
            if index is None:
                since = f" after entry {self._heard_until}" if self._heard_until else ""
                raise self._failure(f"the caller should have heard “{text}”{since}")
            self._heard_until = index + 1
        return self

    def does_not_hear(self, *texts: str) -> Self:
        """Expect the caller to hear none of these texts, at any time."""
        for text in texts:
            index = next((i for i in range(len(self.transcript)) if self._heard(i, text)), None)
            if index is not None:
                raise self._failure(f"the caller should not have heard “{text}”", until=index + 1)
        return self

    def agent_hears(self, *texts: str) -> Self:
        """Expect a whisper or hold flow to tell the agent each of these texts, in this order."""
        told = iter([entry.text for entry in self.transcript if entry.kind == "tells agent"])
        for text in texts:
            if not any(text in heard for heard in told):
                raise self._failure(f"the agent should have heard “{text}”")
        return self

    def meets_agent(self, expected: bool = True) -> Self:
        """Expect an agent to take the contact (or not to)."""
        met = any(entry.who == "agent" for entry in self.transcript)
        if met != expected:
            raise self._failure(f"an agent should {'' if expected else 'not '}have taken the contact")
        return self

    def reaches(self, *blocks: str) -> Self:
        """Expect the contact to reach each of these blocks, in this order."""
        rest = iter(self.visited)
        for block in blocks:
            if block not in rest:
                raise self._failure(
                    f"the contact should have reached {block}"
                    + (f" (of {', '.join(blocks)}, in this order)" if len(blocks) > 1 else "")
                    + f"; it reached {', '.join(self.visited)}"
                )
        return self

    def does_not_reach(self, *blocks: str) -> Self:
        """Expect the contact to reach none of these blocks."""
        for block in blocks:
            if block in self.visited:
                raise self._failure(f"the contact should not have reached {block}")
        return self

    def invokes(self, function: str, *, times: int | None = None) -> Self:
        """Expect the flow to invoke a function whose ARN contains `function` (in `times` attempts, if given)."""
        found = [entry for entry in self._invocations() if function in str(entry.data.get("function", ""))]
        if not found or (times is not None and len(found) != times):
            expected = "" if times is None else f" {times} times"
            raise self._failure(f"{function} should have been invoked{expected}; it was {len(found)} times")
        return self

    def has_attributes(self, **attributes: str) -> Self:
        """Expect the contact to have at least these attributes with these values."""
        for name, value in attributes.items():
            if self.attributes.get(name) != value:
                raise self._failure(
                    f"attribute {name} should be {value!r}; it is {self.attributes.get(name)!r}"
                )
        return self

    def lacks_attributes(self, *names: str) -> Self:
        """Expect the contact to have none of these attributes."""
        for name in names:
            if name in self.attributes:
                raise self._failure(f"attribute {name} should not exist; it is {self.attributes[name]!r}")
        return self

    def ends(self, how: How | None = None, *, queued: str | None = None) -> Self:
        """Expect the contact to end in the queue of that name, id or ARN, or in the way that `how` says."""
        if (how is None) == (queued is None):
            raise TypeError(
                'say either how it ends, e.g. ends("disconnected"), or where: ends(queued="Support")'
            )
        ending = self.ending
        was = f"it ended: {ending.how}" + (f" ({ending.reason})" if ending.reason else "")
        if queued is None:
            if ending.how != how:
                raise self._failure(f"the contact should have ended: {how}; {was}")
            return self
        if ending.how != "queued" or ending.queue is None:
            raise self._failure(f"the contact should have ended in the queue {queued}; {was}")
        if queued not in self.queue_names(ending.queue):
            raise self._failure(
                f"the contact should have ended in the queue {queued}; it is in {ending.queue}"
            )
        return self

    def _heard(self, index: int, text: str) -> bool:
        entry = self.transcript[index]
        return entry.heard_by_caller() and text in entry.text

    def _invocations(self) -> list[Entry]:
        return [entry for entry in self.transcript if entry.kind == "invokes"]

    def _failure(self, message: str, *, until: int | None = None) -> AssertionError:
        return AssertionError(f"{message}\n\n{self.transcript.render(until)}")
