"""CF10x and CF14x: blocks themselves: identifiers, types, and where a type is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from connect_flows.diagnostics import FlowKind, Severity, listed, quoted
from connect_flows.legacy_blocks import current_types
from connect_flows.references import values_with_paths
from connect_flows.rules import error, warning
from connect_flows.subject import MISSPELT, ActionAt, Reporter, Subject
from connect_flows.template import is_opaque

RULES = (
    error(
        "CF101",
        "block-not-an-object",
        "An entry of Actions is not an object.",
        "Each action is an object.",
        "Write an object with Identifier, Type, Parameters and Transitions.",
        bad='"Actions": ["hello"]',
        good='"Actions": [{"Identifier": "hello", ...}]',
    ),
    error(
        "CF102",
        "identifier-missing",
        "A block has no identifier, or one that is not a string or empty.",
        "Branches lead to identifiers; without one the block cannot be reached.",
        "Give it a unique, descriptive name.",
        bad='{"Type": "DisconnectParticipant"}',
        good='{"Identifier": "bye", "Type": "DisconnectParticipant"}',
    ),
    error(
        "CF103",
        "identifier-too-long",
        "An identifier has more than 50 characters.",
        "Amazon Connect accepts 50.",
        "Shorten it.",
        bad='"Identifier": "play the welcome prompt in the language of the caller"',
        good='"Identifier": "welcome in caller language"',
    ),
    error(
        "CF104",
        "identifier-characters",
        "An identifier contains a character that Amazon Connect does not accept.",
        "Not allowed are % : ( \\ / ) = $ , ; [ ] { and }. Letters of any script, digits, spaces, - and "
        "_ are.",
        "Remove the character.",
        bad='"Identifier": "ask (again)"',
        good='"Identifier": "ask again"',
    ),
    error(
        "CF105",
        "identifier-reserved",
        "An identifier is one of the names that Amazon Connect reserves.",
        "Names such as constructor or toString mean something to the service's own code.",
        "Choose another name.",
        bad='"Identifier": "constructor"',
        good='"Identifier": "build quote"',
    ),
    error(
        "CF106",
        "identifier-twice",
        "Two blocks have the same identifier.",
        "It would be unclear where a branch leads.",
        "Rename one of them and the branches that lead to it.",
        bad="two blocks named bye",
        good='blocks named "bye" and "bye after error"',
    ),
    error(
        "CF107",
        "unknown-type",
        "The flow language has no such action type.",
        'The service rejects the flow: "Invalid Action type".',
        "Correct the name; types are case sensitive.",
        bad='"Type": "messageParticipant"',
        good='"Type": "MessageParticipant"',
    ),
    error(
        "CF108",
        "renamed-type",
        "The type is the name of a console block or of a documentation page, not of an action.",
        "The designer and some AWS pages use names that the service rejects.",
        "Use the name that the message gives.",
        bad='"Type": "PlayPrompt"',
        good='"Type": "MessageParticipant"',
    ),
    warning(
        "CF109",
        "undocumented-type",
        "The type is known by name only.",
        "AWS does not document its parameters and branches, so the block cannot be checked.",
        "Build the block in the console, publish it there, and export it.",
        bad='"Type": "CreateContact"',
        good="a documented type, or a block exported from a published flow",
    ),
    warning(
        "CF110",
        "retired-type",
        "The block belongs to a service that has ended.",
        "It takes its error branch for every contact.",
        "Remove the block and connect its callers to the next one.",
        bad='"Type": "CheckVoiceId"',
        good="a Lambda function that asks your voice biometrics platform",
    ),
    error(
        "CF111",
        "unknown-block-key",
        "A block has a key other than Identifier, Type, Parameters and Transitions.",
        'The service rejects the flow: "Invalid Action property name".',
        "Remove it; notes belong to Metadata.",
        bad='{"Identifier": "bye", "Comment": "..."}',
        good='"Metadata": {"ActionMetadata": {"bye": {...}}}',
    ),
    error(
        "CF140",
        "flow-type",
        "The block's type is not allowed in a flow of this type.",
        "Each action type only works in certain flow types: there is no queue transfer in a whisper flow, for example.",
        "Move the block to a flow of a type that takes it, or publish the flow as such a type.",
        bad="TransferContactToQueue in an AGENT_WHISPER flow",
        good="TransferContactToQueue in a CONTACT_FLOW flow",
    ),
    error(
        "CF141",
        "not-in-module",
        "The block's type is not allowed in a flow module.",
        "A module must return the contact to the flow that invoked it.",
        "Use EndFlowModuleExecution.",
        bad="EndFlowExecution in a module",
        good="EndFlowModuleExecution in a module",
    ),
    error(
        "CF142",
        "module-only",
        "The block's type is only allowed in a flow module.",
        "There is no flow to return to.",
        "Publish the content as a module, or use DisconnectParticipant.",
        bad="EndFlowModuleExecution in a flow",
        good="DisconnectParticipant in a flow",
    ),
    warning(
        "CF143",
        "channel",
        "The block does not work for one of the flow's channels.",
        "Contacts of that channel take the block's error branch.",
        "Check $.Channel first, or send that channel to another flow.",
        bad="GetParticipantInput in a chat flow",
        good="Compare $.Channel, then GetParticipantInput for VOICE only",
    ),
    warning(
        "CF144",
        "channels-mixed",
        "The flow has blocks for different channels and never checks the channel.",
        "Whatever the channel, some block takes its error branch.",
        "Compare $.Channel before the blocks that need one channel.",
        bad="GetParticipantInput (voice), then ShowView (chat)",
        good="Compare $.Channel, then one or the other",
    ),
    error(
        "CF145",
        "flow-types-conflict",
        "No flow type allows all the blocks of this flow.",
        "Whatever type the flow is published as, Amazon Connect rejects one of its blocks.",
        "Split the flow by type.",
        bad="TransferToFlow beside a hold loop",
        good="two flows",
    ),
)

# The table does not say for every type whether it accepts e-mail contacts.
_CHANNELS = frozenset({"VOICE", "CHAT", "TASK"})
_BLOCK_KEYS = {"Identifier", "Type", "Parameters", "Transitions"}


def check(subject: Subject) -> None:
    """Check every block's identifier, type and place."""
    actions = subject.document.get("Actions")
    for index, raw in enumerate(actions if isinstance(actions, list) else ()):
        if not hasattr(raw, "keys"):
            subject.report(
                "CF101",
                f"the entry is {quoted(raw)}",
                "write an object with Identifier and so on",
                path=f"Actions[{index}]",
            )
    seen: dict[str, str] = {}
    for action in subject.actions:
        _identifier(subject, action, seen)
        _type(subject, action)
        for key in sorted(str(k) for k in action.raw if k not in _BLOCK_KEYS)[:10]:
            subject.in_block(action)(
                "CF111",
                quoted(key)[1:-1],
                f"a block has no key {quoted(key)}",
                "remove it",
                evidence="probed",
            )
    _places(subject)
    _channels(subject)


def _identifier(subject: Subject, action: ActionAt, seen: dict[str, str]) -> None:
    report = subject.in_block(action)
    value, table = action.raw.get("Identifier"), subject.knowledge
    if not isinstance(value, str) or not value:
        said = "is missing" if value is None else f"is {quoted(value)}"
        report(
            "CF102",
            "Identifier",
            f"the identifier {said}",
            "give the block a unique name",
            evidence="official",
        )
        return
    if len(value) > table.identifier_max:
        report(
            "CF103",
            "Identifier",
            f"the identifier {quoted(value)} has {len(value)} characters",
            f"shorten it to {table.identifier_max}",
            evidence="official",
        )
    wrong = sorted({c for c in value if c in table.forbidden_chars})
    if wrong and not is_opaque(value):
        report(
            "CF104",
            "Identifier",
            f"the identifier {quoted(value)} holds {' '.join(wrong)}",
            "remove these characters",
            evidence="official",
        )
    if value in table.forbidden_names:
        report(
            "CF105",
            "Identifier",
            f"the identifier {quoted(value)} is reserved",
            "choose another",
            evidence="official",
        )
    if value in seen:
        report(
            "CF106",
            "Identifier",
            f"the identifier {quoted(value)} is also the identifier of {seen[value]}",
            "rename one of the two",
            evidence="official",
        )
    seen.setdefault(value, action.path)


def _type(subject: Subject, action: ActionAt) -> None:
    report = subject.in_block(action)
    value, spec, table = action.raw.get("Type"), action.spec, subject.knowledge
    if not isinstance(value, str):
        said = "is missing" if value is None else f"is {quoted(value)}"
        report("CF107", "Type", f"the type {said}", "name an action type", evidence="official")
    elif value in table.renamed_types:
        report(
            "CF108",
            "Type",
            f"{quoted(value)} is no action type",
            f"write {table.renamed_types[value]}",
            evidence="probed",
        )
    elif value in table.seen_types:
        _known_by_name(report, value)
    elif spec is None:
        if not is_opaque(value):
            old = current_types().get(value)
            near = difflib.get_close_matches(value[:80], table.actions, 1, MISSPELT)
            meant = " or ".join(old) if old else near[0] if near else _longer(value, table.actions)
            report(
                "CF107",
                "Type",
                f"the flow language has no action type {quoted(value)}"
                + (", which is from before it" if old else ""),
                (f"write {meant}" if old else f"did you mean {meant}") if meant else "correct the name",
                evidence="official",
                severity=None if meant else subject.unknown(value, table.actions),
            )
    elif not spec.documented:
        _known_by_name(report, value)
    elif spec.retired:
        report("CF110", "Type", f"{value}: {spec.retired}", "remove the block", evidence="official")


def _longer(value: str, known: Iterable[str]) -> str | None:
    """Return the type of which the value is the beginning, or a permutation, if there is only one."""
    found = [k for k in known if len(value) >= 4 and (k.startswith(value) or sorted(k) == sorted(value))]
    return found[0] if len(found) == 1 else None


def _known_by_name(report: Reporter, value: str) -> None:
    report(
        "CF109",
        "Type",
        f"{value} is known by name only; the block is not checked",
        "build and publish the block in the console, then export it",
    )


def _places(subject: Subject) -> None:
    possible, narrowing = set(subject.knowledge.flow_types), []
    for action in subject.actions:
        spec, report = action.spec, subject.in_block(action)
        if spec is None:
            continue
        if subject.kind is FlowKind.MODULE:
            if not spec.allowed_in_module:
                report(
                    "CF141",
                    "Type",
                    f"{spec.type} is not allowed in a flow module",
                    "use EndFlowModuleExecution",
                )
            continue
        if spec.module_only:
            report(
                "CF142",
                "Type",
                f"{spec.type} is only allowed in a flow module",
                "publish the content as a module, or use another block",
            )
        elif spec.flow_types and subject.flow_type and subject.flow_type not in spec.flow_types:
            report(
                "CF140",
                "Type",
                f"{spec.type} is not allowed in a flow of type {subject.flow_type}",
                f"types that take it: {', '.join(sorted(spec.flow_types))}",
                severity=Severity.WARNING if spec.flow_types_disputed or subject.seen_published else None,
            )
        elif spec.flow_types and not spec.flow_types_disputed and spec.basis != "export":
            if possible - spec.flow_types:
                narrowing.append(spec.type)
            possible &= spec.flow_types
    if subject.flow_type is None and not possible:
        subject.report(
            "CF145", f"no flow type takes all of {listed(dict.fromkeys(narrowing))}", "split the flow"
        )


def _channels(subject: Subject) -> None:
    asks = any(
        "$.Channel" in text
        for action in subject.actions
        for _, text in values_with_paths(action.parameters, "")
    )
    if asks:
        return
    common: frozenset[str] | None = None
    mixed: ActionAt | None = None
    for action in subject.actions:
        spec = action.spec
        if spec is None or spec.channels is None:
            continue
        wanted = subject.context.channels
        if wanted is not None:
            if missing := sorted((wanted & _CHANNELS) - spec.channels):
                subject.in_block(action)(
                    "CF143",
                    "Type",
                    f"{spec.type} does not work for {', '.join(missing)}",
                    "compare $.Channel before it",
                )
            continue
        common = spec.channels if common is None else common & spec.channels
        if not common and mixed is None:
            mixed = action
    if mixed is not None:
        takes = listed(sorted(mixed.spec.channels or ())) if mixed.spec else ""
        subject.in_block(mixed)(
            "CF144",
            "Type",
            f"{mixed.type} works for {takes} only, other blocks of the flow for other channels only",
            "compare $.Channel before it",
        )
