"""The facts that make a block take a branch, by the type of block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connect_flows import Block
from connect_flows.references import is_reference, references

from connect_sandbox.rehearsal.blocks.services import AUTHENTICATIONS
from connect_sandbox.rehearsal.skeleton.demands import OTHER, Demand, spoken
from connect_sandbox.rehearsal.skeleton.facts import FAILED, HANGS_UP, SILENT, Facts
from connect_sandbox.rehearsal.skeleton.given import Given
from connect_sandbox.rehearsal.skeleton.origins import Changes, Origins, behaving, counting
from connect_sandbox.rehearsal.skeleton.plausible import PHONE
from connect_sandbox.rehearsal.skeleton.trace import Trace

_METRICS = {
    "NumberOfAgentsAvailable": ("agents_available", 1),
    "NumberOfAgentsStaffed": ("agents_staffed", 1),
    "NumberOfAgentsOnline": ("agents_online", 1),
    "NumberOfContactsInQueue": ("contacts_in_queue", 1),
    "OldestContactInQueueAgeSeconds": ("oldest_contact_age", 1000),
}
EXAMPLE_QUEUE = "example-queue"
ROUNDS = "that comes with the rounds, and no way leads round so often"
"""Why a Loop's branch cannot be forced: it comes by itself."""


@dataclass
class Ways:
    """What can be tried; `fixed` and `written` as in Changes."""

    facts: list[Facts] = field(default_factory=list)
    fixed: str = ""
    written: tuple[str, str] | None = None

    @classmethod
    def of(cls, changes: Changes) -> Ways:
        """Return the changes as ways."""
        return cls(changes.facts, changes.fixed, changes.written)


@dataclass(frozen=True)
class Forcing:
    """Knows how each branch is brought about."""

    given: Given
    origins: Origins

    def ways(self, trace: Trace, at: int, branch: str) -> Ways:
        """Return the facts to try so that step number `at` takes the branch, the most natural first."""
        step = trace.steps[at]
        block = step.block
        told = trace.facts.at("blocks", block.identifier)
        if told is not None:
            return self._told(trace, block, told, branch)
        natural = _NATURAL.get(block.type)
        found = natural(self, trace, at, branch) if natural is not None else Ways()
        if block.transitions.error(branch) is not None and branch not in _ONLY_NATURAL:
            found.facts.append(trace.facts.having({FAILED: branch}, "blocks", block.identifier))
        elif not found.facts and not found.fixed and block.type not in _DECIDED:
            found.facts += _decided(trace, block, branch)
            if branch in ("next", "leaves") and step.branch != "next":
                found.facts.append(self._succeeding(trace, block))
        return found

    def _succeeding(self, trace: Trace, block: Block) -> Facts:
        """Let a block succeed that cannot as it is, e.g. because the export leaves its resource empty."""
        sets = self.given.told(block)
        return trace.facts.having({"sets": sets} if sets else {}, "blocks", block.identifier)

    def _told(self, trace: Trace, block: Block, told: Mapping[str, Any], branch: str) -> Ways:
        """Let a block that the sandbox does not play go another way."""
        if FAILED in told:
            return Ways(fixed="the block already fails in this scenario")
        if block.transitions.error(branch) is not None and branch != "NoMatchingCondition":
            return Ways([trace.facts.having({FAILED: branch}, "blocks", block.identifier)])
        if block.transitions.conditions or branch == "NoMatchingCondition":
            demand = Demand.of(block.transitions.conditions, branch)
            place = ("blocks", block.identifier, "decides")
            return Ways([trace.facts.having(value, *place) for value in demand.values()])
        return Ways(fixed="the block does nothing else")

    def compare(self, trace: Trace, at: int, branch: str) -> Ways:
        """Compare: another value for the reference, where it came from."""
        block = trace.steps[at].block
        if branch not in _labels(block):
            return Ways()
        demand = Demand.of(block.transitions.conditions, branch).filled(trace)
        written = str(block.parameters.get("ComparisonValue") or "")
        if not is_reference(written):
            return Ways(fixed=f"it always compares {written!r}")
        if not demand.values():
            return Ways(fixed="a condition before it takes every such value")
        return Ways.of(self.origins.changes(trace, at, next(references(written)).steps, demand))

    def hours(self, trace: Trace, at: int, branch: str) -> Ways:
        """CheckHoursOfOperation: open or closed."""
        block = trace.steps[at].block
        wanted = {"Equals True": True, "Equals False": False, "NoMatchingCondition": None}.get(branch)
        if wanted is None:
            return Ways()
        written = block.parameters.get("HoursOfOperationId")
        if isinstance(written, str) and written:
            if is_reference(written):
                key = self.given.plausible.value(next(references(written)).steps)
            else:
                key = self.given.key("hours", written)
            return Ways([trace.facts.having("open" if wanted else "closed", "hours", key)])
        queue = self.origins.queue(trace, at)
        facts = trace.facts if queue is not None else in_queue(trace.facts)
        found = [facts.having(wanted, "queues", queue or EXAMPLE_QUEUE, "open")]
        return Ways(found if queue is not None else [*found, *_decided(trace, block, branch)])

    def metric(self, trace: Trace, at: int, branch: str) -> Ways:
        """CheckMetricData: the queue's figure."""
        block = trace.steps[at].block
        queue = self.origins.queue(trace, at)
        name, factor = _METRICS.get(str(block.parameters.get("MetricType")), ("", 1))
        if branch not in _labels(block):
            return Ways()
        if not name or block.parameters.get("AgentId") is not None:
            return Ways(_decided(trace, block, branch))
        demand = Demand.of(block.transitions.conditions, branch)
        facts = trace.facts if queue is not None else in_queue(trace.facts)
        found = counting(facts, queue or EXAMPLE_QUEUE, name, demand, factor)
        return Ways(found if queue is not None else [*found, *_decided(trace, block, branch)])

    def keys(self, trace: Trace, at: int, branch: str) -> Ways:
        """GetParticipantInput: what the caller presses."""
        step = trace.steps[at]
        if not step.asked:
            return Ways()
        move = step.asked[0]
        facts = trace.facts
        if step.block.parameters.get("StoreInput") == "True":
            stored = {"next": _entered(step.block), "InvalidPhoneNumber": "0"}
            return Ways([facts.moving(move, {"presses": stored[branch]})] if branch in stored else [])
        if branch == "InputTimeLimitExceeded":
            return Ways([facts.moving(move, SILENT)])
        if branch not in _labels(step.block):
            return Ways()
        demand = Demand.of(step.block.transitions.conditions, branch)
        pressed = [*demand.values(), *"1234567890*#"]
        wanted = [key for key in dict.fromkeys(pressed) if key in _KEYS and demand.accepts(key)]
        return Ways([facts.moving(move, {"presses": key}) for key in wanted[:1]])

    def bot(self, trace: Trace, at: int, branch: str) -> Ways:
        """ConnectParticipantWithLexBot: what the customer says, and how Lex understands it."""
        step = trace.steps[at]
        if not step.asked or branch == "NoMatchingError":
            return Ways()
        move, facts = step.asked[0], trace.facts
        if branch == "InputTimeLimitExceeded":
            return Ways([facts.moving(move, SILENT)])
        demand = Demand.of(step.block.transitions.conditions, branch)
        if demand.index is None:
            return Ways([facts.moving(move, {"says": OTHER}).having(None, "lex", OTHER)])
        intents = demand.values()[:1]
        return Ways([facts.moving(move, {"says": spoken(i)}).having(i, "lex", spoken(i)) for i in intents])

    def view(self, trace: Trace, at: int, branch: str) -> Ways:
        """ShowView: what the customer chooses, with data for what is read of it."""
        step = trace.steps[at]
        if not step.asked or branch == "NoMatchingError":
            return Ways()
        if branch == "TimeLimitExceeded":
            return Ways([trace.facts.moving(step.asked[0], SILENT)])
        values = Demand.of(step.block.transitions.conditions, branch).values()
        data = Facts()
        for steps in self.given.uses.readers:
            if steps[:2] == ("Views", "ViewResultData") and len(steps) > 2:
                data = data.having(self.given.plausible.value(steps), *steps[2:])
        chosen = [{"chooses": value, **({"data": data.setup} if data.setup else {})} for value in values[:1]]
        return Ways([trace.facts.moving(step.asked[0], move) for move in chosen])

    def function(self, trace: Trace, at: int, branch: str) -> Ways:
        """InvokeLambdaFunction: this attempt fails."""
        step = trace.steps[at]
        if branch == "NoMatchingError" and step.function is not None:
            return Ways([behaving(trace.facts, step.function, {"raises": "it breaks"})])
        return Ways()

    def queued(self, trace: Trace, at: int, branch: str) -> Ways:
        """TransferContactToQueue: a queue without room."""
        queue = self.origins.queue(trace, at)
        if branch == "QueueAtCapacity" and queue is not None:
            return Ways([trace.facts.having(True, "queues", queue, "at_capacity")])
        if branch == "leaves" and queue is None:
            return Ways([in_queue(trace.facts)])
        return Ways()

    def known(self, trace: Trace, at: int, branch: str) -> Ways:
        """GetCustomerProfile and GetCase: nobody is known, or there is no case."""
        key = "cases" if trace.steps[at].block.type == "GetCase" else "customer_profiles"
        return Ways([trace.facts.having([], key)] if branch in _NOBODY else [])

    def signing_in(self, trace: Trace, at: int, branch: str) -> Ways:  # noqa: ARG002  (one of the table's)
        """AuthenticateParticipant: what the customer does when asked to sign in."""
        if branch == "NoMatchingError":
            return Ways()
        return Ways([trace.facts.having(answer, "authentication") for answer in AUTHENTICATIONS])

    def dialled(self, trace: Trace, at: int, branch: str) -> Ways:
        """TransferParticipantToThirdParty: how the third party reacts."""
        step = trace.steps[at]
        resumes = step.block.parameters.get("ContinueFlowExecution") == "True"
        reactions: dict[str, Any] = {
            "CallFailed": {"refuses": "486 Busy Here"},
            "ConnectionTimeLimitExceeded": "never answers",
            "NoMatchingError": {"cannot_be_dialled": "the number is not allowed"}
            if resumes
            else {"refuses": "503"},
            "next": {"answers_after": 2},
            "leaves": {"answers_after": 2},
        }
        if branch not in reactions or step.dialled is None:
            return Ways()
        told = list(trace.facts.at("vendor") or [{"answers_after": 2}])
        told += [told[-1]] * (step.dialled + 1 - len(told))
        told[step.dialled] = reactions[branch]
        return Ways([trace.facts.having(told, "vendor")])

    def dice(self, trace: Trace, at: int, branch: str) -> Ways:
        """DistributeByPercentage: the number that is drawn."""
        blocks = [s for s in trace.steps[:at] if s.block.type == "DistributeByPercentage"]
        number = sum(trace.facts.at("blocks", s.block.identifier) is None for s in blocks)
        demand = Demand.of(trace.steps[at].block.transitions.conditions, branch)
        drawn = next((n for n in range(1, 101) if demand.accepts(str(n))), None)
        if branch not in _labels(trace.steps[at].block):
            return Ways()
        if drawn is None:
            return Ways(fixed="no number from 1 to 100 leads there")
        told = list(trace.facts.at("percentages") or [])
        told += [1] * (number + 1 - len(told))
        told[number] = drawn
        return Ways([trace.facts.having(told, "percentages")])

    def outbound(self, trace: Trace, at: int, branch: str) -> Ways:
        """CheckOutboundCallStatus: who or what has answered."""
        demand = Demand.of(trace.steps[at].block.transitions.conditions, branch)
        if branch not in _labels(trace.steps[at].block):
            return Ways()
        return Ways([trace.facts.having(value, "outbound_call") for value in demand.values()[:1]])

    def wait(self, trace: Trace, at: int, branch: str) -> Ways:  # noqa: ARG002  (one of the table's)
        """Wait: the bot leaves, the customer comes back, or nothing happens."""
        facts = trace.facts
        match branch:
            case "Equals CustomerReturned":
                return Ways([facts.having(1, "customer_returns_after")])
            case "Equals BotParticipantDisconnected":
                bots = [{"joins": joins, "leaves": joins + stays} for joins in _JOINS for stays in _STAYS]
                return Ways([facts.having(bot, "bot") for bot in bots])
            case "Equals WaitCompleted":
                return Ways([facts.having({"joins": joins}, "bot") for joins in _JOINS])
            case _:
                return Ways()

    def flow(self, trace: Trace, at: int, branch: str) -> Ways:
        """TransferToFlow and InvokeFlowModule: there is no such flow."""
        block = trace.steps[at].block
        module = block.type == "InvokeFlowModule"
        written = str(block.parameters.get("FlowModuleId" if module else "ContactFlowId") or "")
        if branch != "NoMatchingError" or not written or is_reference(written):
            return Ways()
        key = self.given.key("module" if module else "flow", written)
        return Ways([trace.facts.having(None, "modules" if module else "flows", key)])

    def none(self, trace: Trace, at: int, branch: str) -> Ways:  # noqa: ARG002  (one of the table's)
        """Loop: only going round decides."""
        return Ways(fixed=ROUNDS)


def in_queue(facts: Facts) -> Facts:
    """Return the facts under which the contact is in a queue when the flow begins."""
    return facts.having({"name": "Example queue"}, "queues", EXAMPLE_QUEUE).having(EXAMPLE_QUEUE, "queue")


def hanging_up(trace: Trace) -> Iterator[Facts]:
    """Yield the facts under which the caller ends a contact that goes on for ever: at a question, or on a text."""
    asked = [move for step in trace.steps for move in step.asked]
    if asked:
        yield trace.facts.first(asked[-1]).moving(asked[-1], HANGS_UP)
    if trace.contact is not None:
        heard = [entry.text for entry in trace.contact.transcript if entry.heard_by_caller() and entry.text]
        for text in dict.fromkeys(reversed(heard[-20:])):
            yield trace.facts.moving(len(trace.facts.moves), {"hangs_up_on": text[:_TEXT].rstrip()})


def _entered(block: Block) -> str:
    """Return digits that fit what the block stores."""
    validation = block.parameters.get("InputValidation")
    if isinstance(validation, Mapping) and "PhoneNumberValidation" in validation:
        return PHONE.removeprefix("+")
    custom = validation.get("CustomValidation") if isinstance(validation, Mapping) else None
    longest = str(custom.get("MaximumLength")) if isinstance(custom, Mapping) else ""
    return "1234"[: int(longest)] if longest in {"1", "2", "3"} else "1234"


def _decided(trace: Trace, block: Block, branch: str) -> list[Facts]:
    if not block.transitions.conditions or branch not in _labels(block):
        return []
    demand = Demand.of(block.transitions.conditions, branch)
    place = ("blocks", block.identifier)
    return [trace.facts.having({"decides": value}, *place) for value in demand.values()[:1]]


def _labels(block: Block) -> set[str]:
    """Return the branches that the block's result decides."""
    conditions = {f"{c.operator} {c.operands[0] if c.operands else ''}" for c in block.transitions.conditions}
    return conditions | {"NoMatchingCondition", "next"}


_KEYS = frozenset("0123456789*#")
_TEXT = 60
"""Characters of a prompt by which a caller knows it."""
_NOBODY = frozenset({"NoneFound", "NoneFoundError"})
_JOINS, _STAYS = (0, 2, 10), (5, 60, 600, 4000)
"""Seconds after which a bot may join a chat, and for which it may stay."""
_ONLY_NATURAL = frozenset({"NoMatchingCondition"})
"""Errors that the block's result makes: a scenario that says "fails" would hide whether they can happen."""
_DECIDED = frozenset(
    {"Compare", "Loop", "GetParticipantInput", "DistributeByPercentage", "CheckHoursOfOperation"}
)
"""Types whose conditions are never told: what decides them is always a fact."""
_Natural = Callable[[Forcing, Trace, int, str], Ways]
_NATURAL: dict[str, _Natural] = {
    "AuthenticateParticipant": Forcing.signing_in,
    "CheckHoursOfOperation": Forcing.hours,
    "CheckMetricData": Forcing.metric,
    "CheckOutboundCallStatus": Forcing.outbound,
    "Compare": Forcing.compare,
    "ConnectParticipantWithLexBot": Forcing.bot,
    "DequeueContactAndTransferToQueue": Forcing.queued,
    "DistributeByPercentage": Forcing.dice,
    "GetCase": Forcing.known,
    "GetCustomerProfile": Forcing.known,
    "GetParticipantInput": Forcing.keys,
    "InvokeFlowModule": Forcing.flow,
    "InvokeLambdaFunction": Forcing.function,
    "Loop": Forcing.none,
    "ShowView": Forcing.view,
    "TransferContactToQueue": Forcing.queued,
    "TransferParticipantToThirdParty": Forcing.dialled,
    "TransferToFlow": Forcing.flow,
    "Wait": Forcing.wait,
}
