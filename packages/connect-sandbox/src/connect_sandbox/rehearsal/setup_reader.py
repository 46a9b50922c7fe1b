"""What a scenario sets up, read strictly: from YAML (`setup:`) or from the keyword arguments of a Python test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

from connect_sandbox.rehearsal.blocks.services import AUTHENTICATIONS
from connect_sandbox.rehearsal.bounds import DEFAULT_BOUNDS, Bounds
from connect_sandbox.rehearsal.canned_functions import (
    FAILURES,
    NETWORK_SECONDS,
    Answers,
    Behaviour,
    Calls,
    CannedFunctions,
    Failure,
    load_handler,
)
from connect_sandbox.rehearsal.canned_vendor import (
    CannedVendor,
    DoesNotTakeIt,
    Reaction,
    TakesTheCall,
)
from connect_sandbox.rehearsal.conditions import (
    Agent,
    Caller,
    ChatBot,
    Chooses,
    Conditions,
    HangsUp,
    Move,
    Outcome,
    Presses,
    PressesAhead,
    Queue,
    Says,
    StaysSilent,
    Understanding,
)
from connect_sandbox.rehearsal.contact import EXAMPLE_INSTANCE, EXAMPLE_NUMBER, Channel, Contact
from connect_sandbox.rehearsal.customer_data import PARTS
from connect_sandbox.rehearsal.display_names import FLOWS, MODULES, keyed, with_ids
from connect_sandbox.rehearsal.errors import LambdaInvocationError
from connect_sandbox.rehearsal.flow_files import FLOW_TYPES, FlowFiles, read_flow, stand_in
from connect_sandbox.rehearsal.ports import CallFailed, ContactRecords, NotAnswered, NotDialled, Ports
from connect_sandbox.rehearsal.published import MODULE, PublishedFlow
from connect_sandbox.rehearsal.reading import Reader

KEYS = (
    "channel", "number", "dialled", "values", "attributes", "sets", "flows", "modules", "queues", "hours", "prompts",
    "agents", "agent", "bot", "lambdas", "vendor", "lex", "blocks", "percentages", "outbound_call",
    "customer_returns_after", "media_stream", "security_keys", "bounds", "flow_type", "initiation_method", "queue",
    "customer_profiles", "cases", "authentication", "email_message", "related_contact",
)  # fmt: skip
INITIATION_METHODS = (
    "INBOUND", "OUTBOUND", "TRANSFER", "QUEUE_TRANSFER", "CALLBACK", "API", "DISCONNECT", "MONITOR",
    "EXTERNAL_OUTBOUND", "WEBRTC_API", "AGENT_REPLY", "FLOW",
)  # fmt: skip
"""How Amazon Connect says that a contact began ($.InitiationMethod)."""
MERGED = frozenset(
    {
        "values", "attributes", "sets", "flows", "modules", "queues", "hours", "prompts", "lambdas", "lex", "blocks",
        "related_contact",
    }
)  # fmt: skip
_DAY = 86_400.0
_EMAIL_ADDRESSES = ("customer@example.com", "support@example.com")
"""Who writes to whom, unless a scenario says."""
_LARGEST_BOUND = 1_000_000_000


@dataclass(frozen=True)
class FlowFile:
    """A file that holds a flow; with `type` None its Metadata says which."""

    path: Path
    type: str | None = None


@dataclass(frozen=True)
class StandIn:
    """A flow or module that the scenario has no file of: the contact gets there, and it ends at once."""


STAND_IN = "stand-in"
"""How a scenario file writes a StandIn."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything that holds when a scenario begins. `contact` makes a new contact in it."""

    channel: Channel = "VOICE"
    number: str = "+12065550142"
    dialled: str = EXAMPLE_NUMBER
    values: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, Any] = field(default_factory=dict)
    flows: Mapping[str, FlowFile | StandIn | None] = field(default_factory=dict)
    modules: Mapping[str, FlowFile | StandIn | None] = field(default_factory=dict)
    lambdas: Mapping[str, tuple[Behaviour, ...]] = field(default_factory=dict)
    vendor: tuple[Reaction, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    bounds: Bounds = DEFAULT_BOUNDS
    flow_type: str | None = None
    initiation_method: str = "INBOUND"

    def calls(self, flow: PublishedFlow, moves: Iterable[Move] = ()) -> Contact:
        """Play a contact through `flow`, whose caller makes these moves."""
        if self.flow_type is not None and not flow.is_module:
            flow = replace(flow, type=self.flow_type)
        return self.contact(flow, Caller(self.number, moves)).calls(flow.arn)

    def contact(
        self,
        flow: PublishedFlow,
        caller: Caller,
        records: ContactRecords | None = None,
        *,
        world: Callable[[Ports], Ports] | None = None,
        instance_arn: str = EXAMPLE_INSTANCE,
    ) -> Contact:
        """Return a contact that can call `flow`, and whatever the scenario names; `records` hear of it.

        world: what makes the world of the contact from the one that the scenario describes.
        """
        flows, modules = self._read(self.flows, None), self._read(self.modules, MODULE)
        named = [flow, *(found for found in (*flows.values(), *modules.values()) if found is not None)]
        ports = Ports(
            flows=FlowFiles({flow.arn: flow, **keyed(flows, FLOWS, named)}, keyed(modules, MODULES, named)),
            functions=CannedFunctions(self.lambdas),
            external_voice=CannedVendor(self.vendor),
            records=records,
        )
        contact = Contact(
            ports if world is None else world(ports),
            instance_arn=instance_arn,
            caller=caller,
            dialled=self.dialled,
            conditions=with_ids(self.conditions, named),
            attributes=self.attributes,
            channel=self.channel,
            initiation_method=self.initiation_method,
            bounds=self.bounds,
        )
        contact.state.is_told(self.sets)
        return contact

    def files(self) -> list[Path]:
        """Return the files of the flows and modules that the scenario names."""
        named = (*self.flows.values(), *self.modules.values())
        return [file.path for file in named if isinstance(file, FlowFile)]

    def _read(
        self, files: Mapping[str, FlowFile | StandIn | None], kind: str | None
    ) -> dict[str, PublishedFlow | None]:
        def read(arn: str, file: FlowFile | StandIn | None) -> PublishedFlow | None:
            if isinstance(file, FlowFile):
                return read_flow(file.path, self.values, arn=arn, type=kind or file.type)
            return None if file is None else stand_in(arn, module=kind == MODULE)

        return {arn: read(arn, file) for arn, file in files.items()}


def merged(shared: object, own: object) -> object:
    """Return the setup of a scenario on top of the one its file shares.

    Names in objects are merged one by one, and in `sets` also those in the namespaces.
    """
    if not isinstance(shared, Mapping) or not isinstance(own, Mapping):
        return own if own is not None else shared
    both = {**shared, **own}
    for key in MERGED & shared.keys() & own.keys():
        if isinstance(shared[key], Mapping) and isinstance(own[key], Mapping):
            both[key] = _deeply(shared[key], own[key]) if key == "sets" else {**shared[key], **own[key]}
    return both


def _deeply(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {**shared, **own}
    for key in shared.keys() & own.keys():
        if isinstance(shared[key], Mapping) and isinstance(own[key], Mapping):
            both[key] = _deeply(shared[key], own[key])
    return both


def read_setup(reader: Reader, base: Path) -> Setup:
    """Read a setup; paths are relative to `base`. Problems go to the reader."""
    of = reader.keys(*KEYS)
    own = {key: of[key] for key in of if of[key].value is not None or key == "agent"}

    def read(key: str, how: Callable[[Reader], Any], default: Any) -> Any:  # noqa: ANN401  (typed by its field)
        return how(own[key]) if key in own else default

    flow_file = _flow_file_reader(base)
    channel = read("channel", lambda r: r.one_of(*get_args(Channel)), "VOICE")
    queues = read("queues", lambda r: tuple(_queue(name, q) for name, q in r.entries()), ())
    return Setup(
        channel=cast("Channel", channel),
        number=read("number", Reader.text, _EMAIL_ADDRESSES[0] if channel == "EMAIL" else Setup.number),
        dialled=read("dialled", Reader.text, _EMAIL_ADDRESSES[1] if channel == "EMAIL" else Setup.dialled),
        flow_type=read("flow_type", lambda r: r.one_of(*FLOW_TYPES), None),
        initiation_method=read("initiation_method", lambda r: r.one_of(*INITIATION_METHODS), "INBOUND"),
        values=read("values", Reader.text_map, {}),
        attributes=read("attributes", Reader.text_map, {}),
        sets=read("sets", _sets, {}),
        flows=read("flows", lambda r: r.map_of(flow_file), {}),
        modules=read("modules", lambda r: r.map_of(flow_file), {}),
        lambdas=read("lambdas", lambda r: r.map_of(_behaviours), {}),
        vendor=read("vendor", lambda r: tuple(_reaction(item) for item in r.items()), ()),
        conditions=Conditions(
            queues=queues,
            queue_of_contact=read("queue", lambda r: _queue_of_contact(r, queues), None),
            customer_profiles=read(
                "customer_profiles", lambda r: tuple(_profile(p) for p in r.items()), None
            ),
            cases=read("cases", lambda r: tuple(item.text_map() for item in r.items()), None),
            authentication=read("authentication", lambda r: r.one_of(*AUTHENTICATIONS), None),
            email_message=read("email_message", Reader.text, None),
            related_contact=read("related_contact", Reader.text_map, None),
            hours=read("hours", lambda r: r.map_of(_hours), {}),
            prompts=read("prompts", Reader.text_map, {}),
            agents=frozenset(read("agents", Reader.texts, ())),
            outbound_call_status=read("outbound_call", Reader.text, None),
            dice=read("percentages", lambda r: tuple(item.whole(1, 100) for item in r.items()), ()),
            agent=read("agent", _agent, None),
            bot=read("bot", _bot, None),
            lex=read("lex", lambda r: r.map_of(_understanding), {}),
            outcomes=read("blocks", lambda r: r.map_of(_outcome), {}),
            customer_returns_after=read("customer_returns_after", lambda r: r.number(0, 7 * _DAY), None),
            media_stream=read("media_stream", Reader.text, None),
            security_keys=read("security_keys", Reader.text_map, {}),
        ),
        bounds=read("bounds", _bounds, DEFAULT_BOUNDS),
    )


def read_moves(reader: Reader) -> tuple[Move, ...]:
    """Read `caller`: what the caller does, one question after another."""
    return tuple(_move(item) for item in reader.items())


def _move(reader: Reader) -> Move:
    if isinstance(reader.value, Says | Presses | PressesAhead | Chooses | StaysSilent | HangsUp):
        return reader.value
    if isinstance(reader.value, str):
        known = reader.one_of("stays silent", "hangs up")
        return HangsUp() if known == "hangs up" else StaysSilent()
    of = reader.keys("says", "presses", "presses_ahead", "chooses", "data", "hangs_up_on")
    _exactly_one(reader, of, "says", "presses", "presses_ahead", "chooses", "hangs_up_on")
    if "says" in of:
        return Says(of["says"].text())
    for key, pressing in (("presses", Presses), ("presses_ahead", PressesAhead)):
        if key in of:
            return pressing(_keys_of_telephone(of[key]))
    if "chooses" in of:
        data = of["data"].value if "data" in of and isinstance(of["data"].value, Mapping) else {}
        return Chooses(of["chooses"].text(), data)
    return HangsUp(of["hangs_up_on"].text() if "hangs_up_on" in of else None)


def _keys_of_telephone(reader: Reader) -> str:
    digits = reader.text()
    if not digits or set(digits) - set("0123456789*#"):
        reader.wrong("these are not keys of a telephone", "write 0-9, * and # in quotes, e.g. '1'")
    return digits


def _flow_file_reader(base: Path) -> Callable[[Reader], FlowFile | StandIn | None]:
    def read(reader: Reader) -> FlowFile | StandIn | None:
        if reader.value is None:
            return None
        if reader.value == STAND_IN or isinstance(reader.value, StandIn):
            return StandIn()
        if isinstance(reader.value, Path):
            return FlowFile(base / reader.value)
        if isinstance(reader.value, Mapping):
            of = reader.keys("file", "type")
            path = of["file"].text() if "file" in of else ""
            if not path:
                reader.wrong("it names no file", "give file: PATH")
            return FlowFile(base / path, of["type"].one_of(*FLOW_TYPES) if "type" in of else None)
        return FlowFile(base / reader.text())

    return read


def _queue(name: str, reader: Reader) -> Queue:
    if isinstance(reader.value, Queue):
        return reader.value
    of = reader.keys(
        "name", "at_capacity", "open", "agents_available", "agents_staffed", "agents_online", "contacts_in_queue",
        "oldest_contact_age", "outbound_caller_id",
    )  # fmt: skip
    counts = ("agents_available", "agents_staffed", "agents_online", "contacts_in_queue")
    told: dict[str, Any] = {key: of[key].whole(0, 1_000_000) for key in counts if key in of}
    told |= {key: of[key].flag() for key in ("at_capacity", "open") if key in of}
    if "oldest_contact_age" in of:
        told["oldest_contact_age"] = of["oldest_contact_age"].number(0, 7 * _DAY)
    if "outbound_caller_id" in of:
        told["outbound_caller_id"] = of["outbound_caller_id"].text()
    return Queue(arn=name, name=of["name"].text() if "name" in of else name.rsplit("/", 1)[-1], **told)


def _queue_of_contact(reader: Reader, queues: Iterable[Queue]) -> str:
    name = reader.text()
    if Conditions(queues=queues, queue_of_contact=name).first_queue() is None:
        known = ", ".join(queue.arn for queue in queues) or "none"
        reader.wrong("it is none of setup.queues", f"set the queue up in queues (set up: {known})")
    return name


def _profile(reader: Reader) -> dict[str, Any]:
    """Read a customer profile: fields by their names, and the parts that hold more."""
    if not isinstance(reader.value, Mapping):
        reader.wrong("it must be an object", "write the profile's fields, e.g. PhoneNumber: '+12065550142'")
        return {}
    profile: dict[str, Any] = {}
    for name, entry in reader.entries():
        if name == "Objects":
            profile[name] = entry.map_of(lambda kind: [item.text_map() for item in kind.items()])
        elif name in PARTS:
            profile[name] = entry.text_map()
        else:
            profile[name] = entry.text()
    return profile


def _hours(reader: Reader) -> bool:
    if isinstance(reader.value, bool):
        return reader.value
    return reader.one_of("open", "closed") == "open"


def _agent(reader: Reader) -> Agent | None:
    if reader.value is None or isinstance(reader.value, Agent):
        return reader.value
    names = ("user_name", "first_name", "last_name")
    of = reader.keys("answers_after", "holds_for", "talks_for", "hangs_up_first", *names)
    first = of["hangs_up_first"].one_of("agent", "caller") if "hangs_up_first" in of else "agent"
    times = ("answers_after", "holds_for", "talks_for")
    told: dict[str, Any] = {key: of[key].number(0, _DAY) for key in times if key in of}
    told |= {key: of[key].text() for key in names if key in of}
    return Agent(hangs_up_first="caller" if first == "caller" else "agent", **told)


def _bounds(reader: Reader) -> Bounds:
    if isinstance(reader.value, Bounds):
        return reader.value
    of = reader.keys("seconds", "blocks", "entries", "characters")
    told: dict[str, Any] = {
        key: of[key].whole(1, _LARGEST_BOUND) for key in ("blocks", "entries", "characters") if key in of
    }
    if "seconds" in of:
        told["seconds"] = of["seconds"].number(1, _LARGEST_BOUND)
    return Bounds(**told)


def _bot(reader: Reader) -> ChatBot:
    if isinstance(reader.value, ChatBot):
        return reader.value
    of = reader.keys("joins", "leaves", "conversation")
    return ChatBot(
        joins=of["joins"].number(0, _DAY) if "joins" in of else 1.0,
        leaves=of["leaves"].number(0, 7 * _DAY) if "leaves" in of else None,
        conversation=_conversation(of),
    )


def _understanding(reader: Reader) -> Understanding:
    if reader.value is None or isinstance(reader.value, str):
        return Understanding(intent=reader.value)
    of = reader.keys(
        "intent", "slots", "session_attributes", "sentiment", "intent_confidence", "dialog_state"
    )
    told: dict[str, Any] = {key: of[key].text() for key in ("sentiment", "dialog_state") if key in of}
    if "intent_confidence" in of:
        told["intent_confidence"] = of["intent_confidence"].number(0, 1)
    return Understanding(
        **told,
        intent=of["intent"].text() if "intent" in of and of["intent"].value is not None else None,
        slots=of["slots"].text_map() if "slots" in of else {},
        session_attributes=of["session_attributes"].text_map() if "session_attributes" in of else {},
    )


def _outcome(reader: Reader) -> Outcome:
    if isinstance(reader.value, Outcome):
        return reader.value
    of = reader.keys("fails", "decides", "sets")
    if "fails" in of and len(of) > 1:
        reader.wrong("a block that fails neither decides nor sets", "keep fails alone")
    sets = _sets(of["sets"]) if "sets" in of else {}
    return Outcome(
        fails=of["fails"].text() if "fails" in of else None,
        decides=of["decides"].text() if "decides" in of else None,
        sets=sets,
    )


def _sets(reader: Reader) -> dict[str, Any]:
    sets = reader.map_of(lambda entry: entry.value)
    if isinstance(sets.get("Attributes", {}), Mapping):
        return sets
    reader.wrong("Attributes must be an object of texts", "write Attributes: {name: text}")
    return {}


def _behaviours(reader: Reader) -> tuple[Behaviour, ...]:
    found = tuple(_behaviour(item) for item in reader.items())
    if not found:
        reader.wrong("it is empty", "give at least one answer")
    return found


def _behaviour(reader: Reader) -> Behaviour:
    value = reader.value
    if isinstance(value, Answers | Failure | Calls):
        return value
    if isinstance(value, LambdaInvocationError):
        return Failure(value)
    if hasattr(value, "invoke") and hasattr(value, "invoke_without_waiting"):
        return cast("Behaviour", value)
    return Calls(value) if callable(value) else _written_behaviour(reader)


def _written_behaviour(reader: Reader) -> Behaviour:
    ways = ("answers", "handler", "times_out", *FAILURES)
    of = reader.keys(*ways, "seconds")
    way = _exactly_one(reader, of, *ways)
    seconds = of["seconds"].number(0, 900) if "seconds" in of else None
    if way is None or way == "answers":
        return Answers(of["answers"].value if way else None, NETWORK_SECONDS if seconds is None else seconds)
    if way == "handler":
        return _handler(of["handler"])
    if way == "times_out":
        return Failure(None)
    reason = of[way].value if isinstance(of[way].value, str) else f"the scenario says: {way}"
    return Failure(FAILURES[way](reason, seconds=seconds or 0.0))


def _handler(reader: Reader) -> Behaviour:
    if callable(reader.value):
        return Calls(reader.value)
    try:
        return Calls(load_handler(reader.text()))
    except ValueError as problem:
        reader.wrong(str(problem), "write package.module:function, importable here")
        return Answers(None)


def _reaction(reader: Reader) -> Reaction:
    if isinstance(reader.value, TakesTheCall | DoesNotTakeIt):
        return reader.value
    if isinstance(reader.value, str):
        reader.one_of("never answers")
        return DoesNotTakeIt(NotAnswered())
    of = reader.keys("answers_after", "conversation", "drops", "refuses", "cannot_be_dialled")
    if "refuses" in of:
        return DoesNotTakeIt(CallFailed(of["refuses"].text()))
    if "cannot_be_dialled" in of:
        return DoesNotTakeIt(NotDialled(of["cannot_be_dialled"].text()))
    return TakesTheCall(
        after=of["answers_after"].number(0, 600) if "answers_after" in of else 2.0,
        conversation=_conversation(of),
        drops=of["drops"].text() if "drops" in of else None,
    )


def _conversation(of: Mapping[str, Reader]) -> tuple[tuple[str, str], ...]:
    turns = of["conversation"].items() if "conversation" in of else ()
    return tuple(turn for item in turns for turn in _turn(item))


def _turn(reader: Reader) -> list[tuple[str, str]]:
    of = reader.keys("says", "asks")
    _exactly_one(reader, of, "says", "asks")
    return [(how, text.text()) for how, text in of.items()]


def _exactly_one(reader: Reader, of: Mapping[str, Reader], *ways: str) -> str | None:
    present = [way for way in ways if way in of]
    if len(present) != 1:
        said = f"it has {' and '.join(present)}" if present else "it has none of them"
        reader.wrong(said, f"give one of {', '.join(ways)}")
        return None
    return present[0]
