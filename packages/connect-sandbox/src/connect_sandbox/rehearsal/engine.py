"""The interpreter: plays a contact block by block until the flow ends."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from connect_flows import Block

from connect_sandbox.marks import marked
from connect_sandbox.rehearsal.after_queue import (
    LONGEST_WAIT,
    OUTBOUND,
    STARTS,
    wait_in_queue,
)
from connect_sandbox.rehearsal.blocks import PLAYED, UNPLAYABLE
from connect_sandbox.rehearsal.bounds import BoundReachedError
from connect_sandbox.rehearsal.clock import VirtualClock
from connect_sandbox.rehearsal.comparison import matches
from connect_sandbox.rehearsal.conditions import Caller, Conditions, Outcome
from connect_sandbox.rehearsal.errors import BoundExceededError, NotSetUpError
from connect_sandbox.rehearsal.ports import Played, Ports
from connect_sandbox.rehearsal.published import PublishedFlow
from connect_sandbox.rehearsal.stage import (
    BlockFailsError,
    CallerHungUpError,
    Counters,
    Stage,
)
from connect_sandbox.rehearsal.state import ContactState
from connect_sandbox.rehearsal.steps import (
    Decides,
    Ending,
    Ends,
    Enters,
    Fails,
    Next,
    Returns,
    Step,
)
from connect_sandbox.rehearsal.story import Story
from connect_sandbox.rehearsal.transcript import Entry, Transcript, Who, shown
from connect_sandbox.rehearsal.values import Json

_CIRCLE = 200
"""The last blocks of a contact, in which an endless loop is looked for."""
_SHOWN_OF_CIRCLE = 6
MAXIMUM_MODULE_DEPTH = 5
"""How deep flow modules may be nested (limits page)."""


@dataclass(frozen=True)
class Taken:
    """A branch that the contact took: "next", a condition ("Equals true"), an ErrorType, or "end"."""

    flow: str
    block: str
    branch: str


@dataclass
class _Position:
    """Where the contact is in a flow; a module's position is stacked on that of the block that invoked it."""

    flow: PublishedFlow
    block: str
    modules: Mapping[str, Json] = field(default_factory=dict)
    """$.Modules as it was before the contact entered the module."""


@dataclass
class Engine:
    """Plays a published flow on a contact.

    `play` runs to the end; `taken` and `transcript` record how. Past the transcript's bounds or the clock's limit it
    raises BoundExceededError.
    """

    ports: Ports
    state: ContactState
    caller: Caller
    conditions: Conditions
    clock: VirtualClock
    transcript: Transcript
    taken: list[Taken] = field(default_factory=list)
    visited: list[tuple[str, str]] = field(default_factory=list)
    _visited_at: list[float] = field(default_factory=list)
    story: Story = field(init=False)

    def __post_init__(self) -> None:
        """Let the run hear of the transcript."""
        self.story = Story.of(self.ports.run, self.state, self.transcript, lambda: self.clock.elapsed)

    def play(self, flow: PublishedFlow) -> Ending:
        """Play the contact from the flow's first block and return how it ended.

        A queue, hold or whisper flow begins where Amazon Connect would play it: in the queue or with an agent.
        """
        self.story.begins(flow)
        if self.ports.records is not None:
            self.ports.records.happens("INITIATED", self.state, self.clock)
        try:
            if flow.type in STARTS:
                ending = STARTS[flow.type](self, flow)
            else:
                self._write("caller", flow, self._called())
                self._write("connect", flow, f"starts the flow {flow.name}")
                ending = self.run(flow)
            if ending.how == "queued":
                if self.ports.records is not None:
                    self.ports.records.happens("QUEUED", self.state, self.clock)
                ending = wait_in_queue(self, ending)
        except BoundReachedError as reached:  # in the queue or with the agent, not in a block
            name, block = self.visited[-1] if self.visited else (flow.name, flow.content.start)
            reason = "Shorten what setup.agent does after the last block"
            raise BoundExceededError(block, f"flow {name}", reached.bound, reached.limit, reason) from None
        self.story.ended(ending)
        if self.ports.records is not None:
            self.ports.records.ended(
                Played(self.state, ending, self.transcript, self.clock, self.taken, self.visited)
            )
        return ending

    def _called(self) -> str:
        state = self.state
        if state.channel != "VOICE":
            return {"CHAT": "starts a chat", "TASK": "a task is created", "EMAIL": "writes an e-mail"}[
                state.channel
            ]
        if state.initiation_method in OUTBOUND:
            return f"is called at {state.customer_number} from {state.system_number}"
        return f"{state.customer_number} calls {state.system_number}"

    def run(self, flow: PublishedFlow) -> Ending:
        """Play one flow, and those that it transfers to, to the end."""
        counters = Counters()
        stack = [_Position(flow, flow.content.start)]
        been: dict[object, tuple[float, int]] = {}
        while True:
            position = stack[-1]
            block = position.flow.block(position.block)
            stage = self._stage(position.flow, block, counters)
            if self.ports.gate is not None:
                self.ports.gate()
            try:
                if self.clock.has_alarm:
                    self._spare_rounds(stage, stack, been)
                self._visit(position.flow, block)
                step = _play(stage)
            except NotSetUpError as missing:
                raise stage.needs(str(missing), *missing.missing, example=missing.example) from None
            except BoundReachedError as reached:
                raise self._exceeded(block, reached) from None
            except CallerHungUpError:
                stage.note("hangs up", who="caller", kind="ends")
                return Ending("caller hung up")
            ending = self._go_on(stage, step, stack)
            if ending is not None:
                stage.note(_told(ending), kind="ends", how=ending.how, queue=ending.queue)
                return ending

    def _spare_rounds(
        self, stage: Stage, stack: list[_Position], been: dict[object, tuple[float, int]]
    ) -> None:
        """Let the alarm go off if everything is as it was at an earlier visit: the contact would go round till then.

        `been` holds, by what decides how the contact goes on, when it was there and after how many blocks. Rounds
        without time in them are left to the bounds, and so are those with functions, which may answer otherwise.
        """
        here = (
            tuple((position.flow.arn, position.block) for position in stack),
            tuple(sorted(stage.counters.loops.items())),
            stage.counters.invoked,
            len(self.caller.moves_left),
            repr(self.state),
        )
        if here not in been:
            been[here] = (self.clock.elapsed, len(self.visited))
            return
        since, visited = been[here]
        if self.clock.elapsed > since and self.ports.chat is None:
            circle = [name for _, name in self.visited[visited:]]
            stage.note(f"goes round {' → '.join(_shortened(circle))} until something else happens")
            self.clock.passes_until_alarm()

    def _visit(self, flow: PublishedFlow, block: Block) -> None:
        limit = self.transcript.bounds.blocks
        if len(self.visited) >= limit:
            raise BoundReachedError("blocks", limit)
        self.visited.append((flow.name, block.identifier))
        self._visited_at.append(self.clock.elapsed)
        self.story.visits(flow, block)
        if self.ports.records is not None:
            self.ports.records.visits(flow, block, self.clock)

    def _go_on(self, stage: Stage, step: Step, stack: list[_Position]) -> Ending | None:
        """Take the branch that the step calls for; return the ending if there is no further block."""
        match step:
            case Ends(ending):
                self._take(stage, "end")
                return ending
            case Enters():
                return self._enter(stage, step, stack)
            case Returns(result, data):
                self._take(stage, "end")
                left = stack.pop()
                if not stack:
                    return Ending("module ended", reason=result or "")
                self.state.modules = {**left.modules, "Result": result, "ResultData": data}
                caller = stack[-1]
                invoking = self._stage(caller.flow, caller.flow.block(caller.block), stage.counters)
                decides = result is not None and invoking.block.transitions.conditions
                return self._follow(invoking, Decides(result) if decides else Next(), stack)
            case _:
                return self._follow(stage, step, stack)

    def _follow(self, stage: Stage, step: Next | Decides | Fails, stack: list[_Position]) -> Ending | None:
        found = _branch(stage, step)
        if found is None:
            reason = step.reason if isinstance(step, Fails) else "no branch fits"
            return Ending("failed", reason=f"{stage.block.identifier} has no branch to go on: {reason}")
        branch, key, target = found
        if isinstance(step, Fails):
            instead = "" if branch == step.error else f" (there is none for {step.error})"
            stage.note(
                f"fails: {step.reason}; takes the branch {branch}{instead}", kind="branch", error=step.error
            )
        self._take(stage, branch, key, target)
        stack[-1].block = target
        return None

    def _enter(self, stage: Stage, step: Enters, stack: list[_Position]) -> Ending | None:
        flow = step.flow
        if not flow.is_module:
            self._take(stage, "next", "end")
            self.state.flow_attributes = {}
            self.state.modules = {}
            if self.state.in_queue and flow.type != "CUSTOMER_QUEUE":
                self.state.in_queue = False  # the contact has left the queue: no agent will answer it
                self.clock.set_alarm(None)
            stack[:] = [_Position(flow, flow.content.start)]
            return None
        if len(stack) > MAXIMUM_MODULE_DEPTH:
            too_deep = Fails("NoMatchingError", f"modules are nested deeper than {MAXIMUM_MODULE_DEPTH}")
            return self._follow(stage, too_deep, stack)
        stack.append(_Position(flow, flow.content.start, self.state.modules))
        self.state.modules = {"Input": step.input}
        return None

    def _take(self, stage: Stage, branch: str, key: str = "end", target: str | None = None) -> None:
        self.taken.append(Taken(stage.flow.name, stage.block.identifier, branch))
        self.story.takes(stage.flow, stage.block, key, branch, target)

    def _stage(self, flow: PublishedFlow, block: Block, counters: Counters) -> Stage:
        return Stage(
            flow=flow,
            block=block,
            state=self.state,
            ports=self.ports,
            caller=self.caller,
            conditions=self.conditions,
            clock=self.clock,
            transcript=self.transcript,
            counters=counters,
        )

    def _write(self, who: Who, flow: PublishedFlow, text: str) -> None:
        self.transcript.add(Entry(at=self.clock.elapsed, who=who, kind="flow", text=text, flow=flow.name))

    def _exceeded(self, block: Block, reached: BoundReachedError) -> BoundExceededError:
        advice = {
            "seconds": "Shorten what it waits for",
            "blocks": self._way_out(),
            "entries": "Let it end sooner",
            "characters": "Let it put together less text",
        }[reached.bound]
        return BoundExceededError(block.identifier, block.type, reached.bound, reached.limit, advice)

    def _way_out(self) -> str:
        """Return where the contact goes round, and how the flow or the scenario can end that."""
        circle = _circle([block for _, block in self.visited[-_CIRCLE:]])
        where = f"It goes round {' → '.join(circle)}" if circle else "It does not go round the same blocks"
        if not self.state.in_queue:
            return f"{where}. Let a Loop block or a condition lead out"
        agent = self.conditions.agent
        if self.clock.elapsed == self._visited_at[-_CIRCLE:][0]:
            never = (
                f"the agent, who answers after {agent.answers_after:,g} s, never does"
                if agent
                else "the wait never ends"
            )
            return (
                f"{where} in the queue, where no time passes, so {never}. "
                "Put a prompt or a Wait block into the loop"
            )
        if agent is None:
            return (
                f"{where} in the queue, and no agent is set up, so it waits {LONGEST_WAIT:,g} s. "
                "Let an agent answer sooner (setup.agent.answers_after)"
            )
        return (
            f"{where} in the queue, and the agent answers after {agent.answers_after:,g} s. "
            "Let the agent answer sooner (setup.agent.answers_after)"
        )


def _circle(visited: list[str]) -> list[str]:
    """Return the blocks from the previous visit of the last block to it; empty if it was visited once."""
    if not visited:
        return []
    *before, last = visited
    if last not in before:
        return []
    again = len(before) - 1 - before[::-1].index(last)
    return _shortened([*dict.fromkeys(visited[again:])])


def _shortened(circle: list[str]) -> list[str]:
    """Return the blocks of a circle, not too many of them, and the first again."""
    return [*circle[:_SHOWN_OF_CIRCLE], *(["…"] if len(circle) > _SHOWN_OF_CIRCLE else []), *circle[:1]]


def _play(stage: Stage) -> Step:
    kind = stage.block.type
    missing = marked(str(stage.block.parameters))
    if missing is not None:
        raise stage.cannot(
            f"it goes through {missing[1]} of the stack {missing[0]}, which was tolerated instead of deployed"
        )
    told = stage.conditions.outcome(stage.block.identifier)
    if told is not None:
        return _as_told(stage, told)
    spec = stage.block.spec
    if spec is not None and spec.channels is not None and not _works_for(stage.state.channel, spec.channels):
        reason = f"it works for {' and '.join(sorted(spec.channels))} only, and this is {stage.state.channel}"
        return Fails("ChannelMismatch", reason)
    behaviour = PLAYED.get(kind)
    if behaviour is None:
        if kind not in UNPLAYABLE:
            raise stage.cannot("the flow language, as the sandbox knows it, has no such block type")
        raise stage.refuses(UNPLAYABLE[kind])
    unknown = sorted(set(stage.block.parameters) - behaviour.parameters)
    if unknown:
        raise stage.cannot(f"it has no parameter {unknown[0]}")
    wrong = stage.flow.misshapen(stage.block)
    if wrong is not None:
        raise stage.cannot(wrong)
    try:
        return behaviour.play(stage)
    except BlockFailsError as failure:
        return Fails(failure.error, str(failure))


def _works_for(channel: str, channels: Collection[str]) -> bool:
    # evidence: email-contacts-like-tasks
    # The flow language's pages are older than e-mail contacts, which the administrator guide treats like tasks.
    return channel in channels or (channel == "EMAIL" and "TASK" in channels)


def _as_told(stage: Stage, told: Outcome) -> Step:
    """Do what the scenario says instead of playing the block."""
    if told.fails is not None:
        if stage.block.transitions.error(told.fails) is None:
            raise stage.cannot(f"the scenario makes it fail with {told.fails}, for which it has no branch")
        return Fails(told.fails, "the scenario says so")
    stage.state.is_told(told.sets)
    what = [f"sets {shown(dict(told.sets))}"] if told.sets else []
    what += [f"decides {told.decides}"] if told.decides is not None else []
    stage.note(f"{' and '.join(what) or 'succeeds'} (the scenario says so)", kind="branch")
    return Next() if told.decides is None else Decides(told.decides)


def _branch(stage: Stage, step: Next | Decides | Fails) -> tuple[str, str, str] | None:
    """Return the branch that the step takes: its label, its name in the picture, its target; None if there is none."""
    transitions = stage.block.transitions
    if isinstance(step, Decides):
        for number, condition in enumerate(transitions.conditions):
            if len(condition.operands) != 1:
                raise stage.cannot(
                    f"a condition has {len(condition.operands)} operands; the flow language knows one"
                )
            try:
                met = matches(condition.operator, step.value, str(stage.filled(condition.operands[0])))
            except ValueError as unknown:
                raise stage.cannot(str(unknown)) from None
            if met:
                label = f"{condition.operator} {condition.operands[0]}"
                return label, f"condition:{number}", condition.next_action
    for error in _errors_to_try(step):
        if (target := transitions.error(error)) is not None:
            return error, f"error:{error}", target
    if not isinstance(step, Fails) and transitions.next_action is not None:
        return "next", "next", transitions.next_action
    if isinstance(step, Decides) and (target := transitions.error("NoMatchingError")) is not None:
        return "NoMatchingError", "error:NoMatchingError", target
    return None


def _errors_to_try(step: Next | Decides | Fails) -> list[str]:
    match step:
        case Fails(error):
            return [error, "NoMatchingError"]
        case Decides():
            return ["NoMatchingCondition"]
        case Next():
            return []


def _told(ending: Ending) -> str:
    told = {
        "queued": "the caller waits in the queue",
        "disconnected": "hangs up",
        "transferred": "the contact ends with the transfer",
        "transferred to agent": "an agent takes the contact",
        "flow ended": "the flow ends",
        "module ended": "the module ends",
        "failed": "the flow breaks off and the caller is disconnected",
        "caller hung up": "the caller hangs up",
    }[ending.how]
    return f"{told}: {ending.reason}" if ending.reason else told
