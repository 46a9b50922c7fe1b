"""CF4xx: what blocks read, and whether a block before them has written it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connect_flows.diagnostics import FlowKind, listed, quoted
from connect_flows.graph import Graph
from connect_flows.model import Block
from connect_flows.references import Reference, has_reference, references, values_with_paths
from connect_flows.rules import warning
from connect_flows.subject import Subject
from connect_flows.template import is_opaque

RULES = (
    warning(
        "CF401",
        "attribute-before-set",
        "An attribute is read, but the blocks that set it come later or not at all.",
        "The reference is replaced by nothing: callers hear a gap, and comparisons take NoMatchingCondition.",
        "Set it before, or name it in the attributes of the lint context if something outside sets it.",
        bad="Compare $.Attributes.tier, then UpdateContactAttributes tier",
        good="UpdateContactAttributes tier, then Compare $.Attributes.tier",
    ),
    warning(
        "CF402",
        "result-before-block",
        "A result is read, but no earlier block produces it.",
        "$.External needs a Lambda block before, $.Lex a bot, $.StoredCustomerInput stored digits, and "
        "so on.",
        "Put the block that produces it before.",
        bad="Compare $.External.found at the start",
        good="InvokeLambdaFunction, then Compare $.External.found",
    ),
    warning(
        "CF403",
        "external-overwritten",
        "$.External is read after another Lambda block has run.",
        "Each Lambda response replaces all of $.External; the earlier one is gone.",
        "Copy the value to an attribute (UpdateContactAttributes) right after its Lambda block.",
        bad="Lambda A, Lambda B, read $.External.fromA",
        good="Lambda A, fromA to an attribute, Lambda B",
    ),
    warning(
        "CF404",
        "unknown-reference",
        "The first name of a reference is not known in the flow language.",
        "An unknown reference is replaced by nothing.",
        "Correct the name; names are case sensitive.",
        bad="$.attributes.name",
        good="$.Attributes.name",
    ),
    warning(
        "CF405",
        "array-in-answer",
        "A reference picks an item of a list in a Lambda response.",
        "Flows cannot read lists; the reference is replaced by nothing.",
        "Let the function return the item under its own name.",
        bad="$.External.items[0].name",
        good="$.External.firstItemName",
    ),
    warning(
        "CF406",
        "attributes-too-large",
        "The attributes that the flow sets need more than 32,768 bytes.",
        "That is the limit per contact; the block that exceeds it takes its error branch.",
        "Store long texts elsewhere and keep their key.",
        bad="a 40,000 character text in an attribute",
        good="the text in a table, its key in the attribute",
    ),
    warning(
        "CF407",
        "nested-answer-not-read",
        "A nested value of a Lambda response is read, but the block expects a flat one.",
        "Without ResponseValidation JSON the response must be a flat map of strings; a nested one is an error.",
        'Set ResponseValidation {"ResponseType": "JSON"} on the Lambda block.',
        bad="STRING_MAP and $.External.customer.name",
        good="JSON and $.External.customer.name",
    ),
)

ATTRIBUTE_BYTES = 32768
PRODUCERS: Mapping[str, frozenset[str]] = {
    "External": frozenset({"InvokeLambdaFunction"}),
    "StoredCustomerInput": frozenset({"GetParticipantInput"}),
    "Lex": frozenset({"ConnectParticipantWithLexBot"}),
    "Metrics": frozenset({"GetMetricData"}),
    "Views": frozenset({"ShowView"}),
    "Loop": frozenset({"Loop"}),
    "Wisdom": frozenset({"CreateWisdomSession"}),
    "Case": frozenset({"GetCase", "CreateCase", "UpdateCase"}),
    "Modules": frozenset({"InvokeFlowModule"}),
}
"""Roots of references that only exist after a block of these types."""


@dataclass(frozen=True)
class _Read:
    block: Block
    path: str
    reference: Reference


def check(subject: Subject, graph: Graph) -> None:
    """Check what reachable blocks read."""
    reads = [read for name in graph.reachable for read in _reads(subject, graph.blocks[name])]
    _roots(subject, reads)
    _attributes(subject, graph, reads)
    _results(subject, graph, reads)
    _external(subject, graph, reads)
    _sizes(subject, graph)


def _reads(subject: Subject, block: Block) -> Iterator[_Read]:
    base = f"{subject.paths[block.identifier]}.Parameters"
    for path, text in values_with_paths(block.parameters, base):
        for reference in references(text):
            yield _Read(block, path, reference)


def _roots(subject: Subject, reads: list[_Read]) -> None:
    known = subject.knowledge.json_path_roots
    for read in reads:
        root = read.reference.root
        if root not in known and not is_opaque(read.reference.text):
            near = next((k for k in sorted(known) if k.lower() == root.lower()), None)
            subject.report(
                "CF404",
                f"{quoted(read.reference.text)} does not begin with a known name",
                f"write $.{near}" if near else "correct the name",
                block=read.block.identifier,
                path=read.path,
            )
        if root == "External" and any(step.isdigit() for step in read.reference.steps[1:]):
            subject.report(
                "CF405",
                f"{quoted(read.reference.text)} picks an item of a list",
                "let the function return it under a name",
                block=read.block.identifier,
                path=read.path,
            )


def _attributes(subject: Subject, graph: Graph, reads: list[_Read]) -> None:
    """Report reads of contact and flow attributes that are set on no path."""
    for root, kind, parameter in (
        ("Attributes", "UpdateContactAttributes", "Attributes"),
        ("FlowAttributes", "UpdateFlowAttributes", "FlowAttributes"),
    ):
        names: dict[str, int] = {}
        produced: dict[str, int] = {}
        anything = 1  # bit 0: an attribute whose name is only known at run time
        for block in (graph.blocks[name] for name in graph.reachable):
            if block.type == "InvokeFlowModule":
                produced[block.identifier] = anything
            values = block.parameters.get(parameter) if block.type == kind else None
            for key in values if isinstance(values, Mapping) else ():
                dynamic = not isinstance(key, str) or has_reference(key) or is_opaque(key)
                bit = anything if dynamic else 1 << names.setdefault(key, len(names) + 1)
                produced[block.identifier] = produced.get(block.identifier, 0) | bit
        coming = graph.forward(produced, {})
        outside = subject.context.attributes
        reported: set[str] = set()
        for read in reads:
            steps = read.reference.steps
            if steps[0] != root or len(steps) < 2 or steps[1] in reported or is_opaque(steps[1]):
                continue
            name, came = steps[1], coming[read.block.identifier]
            local = root == "FlowAttributes" or outside is not None
            if came & anything or (name in names and came >> names[name] & 1):
                continue
            if subject.flow_type is None and root == "Attributes" and read.block.type == "Compare":
                continue  # may be set by the flow before this one, or this asks whether it is set
            if (name in names or local) and name not in (outside or ()):
                reported.add(name)
                later = "only later" if name in names else "nowhere"
                subject.report(
                    "CF401",
                    f"$.{root}.{name} is read here, but set {later} in this flow",
                    "set it before",
                    block=read.block.identifier,
                    path=read.path,
                )


def _results(subject: Subject, graph: Graph, reads: list[_Read]) -> None:
    """Report the first read of each kind of result that no earlier block produces."""
    if subject.kind is FlowKind.MODULE or subject.flow_type not in {None, "CONTACT_FLOW"}:
        return  # contacts come to these from other flows, which may have produced the result
    roots = {root: 1 << i for i, root in enumerate(PRODUCERS)}
    every = (1 << len(roots)) - 1
    produced = {}
    for name in graph.reachable:
        block = graph.blocks[name]
        bits = sum(bit for root, bit in roots.items() if block.type in PRODUCERS[root])
        produced[name] = every if block.type == "InvokeFlowModule" else bits
    coming = graph.forward(produced, {})
    missing: dict[str, list[_Read]] = {}
    for read in reads:
        root = read.reference.root
        if root in roots and not coming[read.block.identifier] & roots[root]:
            missing.setdefault(root, []).append(read)
    for root, places in missing.items():
        more = f" (and at {len(places) - 1} more places)" if len(places) > 1 else ""
        subject.report(
            "CF402",
            f"{quoted(places[0].reference.text)} is read, but no {listed(sorted(PRODUCERS[root]))}"
            f" block precedes it in this flow{more}",
            "put the block that produces it before it",
            block=places[0].block.identifier,
            path=places[0].path,
        )


def function_of(block: Block) -> str:
    """Return the function of a Lambda block: the ARN, reference or placeholder as written."""
    arn = block.parameters.get("LambdaFunctionARN")
    return arn if isinstance(arn, str) else ""


def _external(subject: Subject, graph: Graph, reads: list[_Read]) -> None:
    callers = [graph.blocks[n] for n in graph.reachable if graph.blocks[n].type == "InvokeLambdaFunction"]
    wanted = [r for r in reads if r.reference.root == "External" and len(r.reference.steps) > 1]
    if not callers or not wanted:
        return
    names = list(dict.fromkeys(function_of(b) for b in callers))
    produced = {b.identifier: 1 << names.index(function_of(b)) for b in callers}
    last = graph.forward(produced, dict.fromkeys(produced, (1 << len(names)) - 1))
    ever = graph.forward(produced, {})
    flat = {n for n in names if all(_flat(b) for b in callers if function_of(b) == n)}
    owner: dict[str, str] = {}  # the only function in reach where a key is first read
    for read in wanted:
        key, at = read.reference.steps[1], read.block.identifier
        reaching = [n for i, n in enumerate(names) if last[at] >> i & 1]
        if len(read.reference.steps) > 2 and reaching and all(n in flat for n in reaching):
            subject.report(
                "CF407",
                f"{quoted(read.reference.text)} is nested, but the answer of {quoted(reaching[0])}"
                " is read as a flat map",
                "set ResponseValidation ResponseType JSON",
                block=at,
                path=read.path,
            )
        known = [n for n in reaching if responses(subject, n) is not None]
        lacking = [n for n in known if key not in (responses(subject, n) or ())]
        if not known and len(reaching) == 1:
            before = owner.setdefault(key, reaching[0])
            if before != reaching[0] and ever[at] >> names.index(before) & 1:
                lacking = reaching
        if lacking:
            subject.report(
                "CF403",
                f"{quoted(read.reference.text)} is read after {quoted(lacking[0])} has replaced"
                " $.External" + ("" if known else "; it was read after another function before"),
                "copy it to an attribute before, or let this function return it too",
                block=at,
                path=read.path,
            )


def responses(subject: Subject, function: str) -> frozenset[str] | None:
    """Return the keys that the function is configured to return; None when nothing is configured."""
    known = subject.context.lambda_responses
    for name in (function, function.rpartition(":")[2], function.removeprefix("${").removesuffix("}")):
        if name in known:
            return known[name]
    return None


def _flat(block: Block) -> bool:
    validation = block.parameters.get("ResponseValidation")
    kind = validation.get("ResponseType") if isinstance(validation, Mapping) else None
    return kind in {None, "STRING_MAP"}


def _sizes(subject: Subject, graph: Graph) -> None:
    largest: dict[str, int] = {}
    for name in graph.reachable:
        block = graph.blocks[name]
        values = block.parameters.get("Attributes") if block.type == "UpdateContactAttributes" else None
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if isinstance(key, str) and isinstance(value, str):
                size = len(key.encode(errors="replace")) + len(value.encode(errors="replace"))
                largest[key] = max(largest.get(key, 0), size)
        if sum(largest.values()) > ATTRIBUTE_BYTES:
            subject.report(
                "CF406",
                f"the attributes need {sum(largest.values())} bytes; a contact holds {ATTRIBUTE_BYTES}",
                "store long texts elsewhere",
                block=name,
                path=f"{subject.paths[name]}.Parameters.Attributes",
            )
            return
