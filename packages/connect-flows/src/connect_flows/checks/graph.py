"""CF3xx: where contacts can go, and where they cannot."""

from __future__ import annotations

from connect_flows.diagnostics import FlowKind, listed, quoted
from connect_flows.graph import Graph, strongly_connected
from connect_flows.model import Block, Edge, EdgeKind
from connect_flows.rules import warning
from connect_flows.subject import Subject

RULES = (
    warning(
        "CF301",
        "unreachable-block",
        "No contact can reach this block.",
        "Somebody may believe that callers hear it, and it counts towards the 250 blocks.",
        "Connect a branch to it, or remove it.",
        bad="a block that no branch names",
        good="every block lies on a path",
    ),
    warning(
        "CF302",
        "loop-without-exit",
        "Contacts that enter this loop never leave it unless a block fails.",
        "Callers stay until they hang up, and the instance pays for it.",
        "Count the rounds with a Loop block and let DoneLooping lead out of it.",
        bad="menu -> invalid choice -> menu",
        good="menu -> invalid choice -> Loop 3 -> menu | goodbye",
    ),
    warning(
        "CF303",
        "branch-to-itself",
        "An error branch leads back to its own block.",
        "What failed once usually fails again: the contact loops without pause or limit.",
        "Connect the branch to a prompt or a Loop block.",
        bad="NoMatchingError of the Lambda block to the Lambda block",
        good="NoMatchingError to an apology, then the queue",
    ),
    warning(
        "CF304",
        "lambda-chain-too-long",
        "Lambda blocks in a row can take more than 20 seconds together.",
        "Amazon Connect ends a sequence of Lambda functions after 20 seconds unless a prompt is played "
        "in between.",
        "Play a prompt between them, shorten their limits, or invoke them asynchronously.",
        bad="three Lambda blocks of 8 seconds in a row",
        good="Lambda 8 s, prompt, Lambda 8 s, prompt, Lambda 8 s",
    ),
    warning(
        "CF305",
        "queue-not-set",
        "A contact can reach a queue transfer before a queue is set.",
        "The transfer takes its error branch. (It works if a flow before this one has set a queue.)",
        "Put UpdateContactTargetQueue before it on every path, its own error branch included.",
        bad="hello -> TransferContactToQueue",
        good="hello -> UpdateContactTargetQueue -> TransferContactToQueue",
    ),
)

CHAIN_SECONDS = 20
_LEAVES_ON_SUCCESS = {"TransferToFlow", "TransferContactToQueue", "DequeueContactAndTransferToQueue"}
_SETS_QUEUE = {"UpdateContactTargetQueue"}
_WAITS_FOR_OTHERS = {"CUSTOMER_QUEUE", "CUSTOMER_HOLD", "AGENT_HOLD"}
_BREAKS_CHAIN = {
    "MessageParticipant",
    "MessageParticipantIteratively",
    "GetParticipantInput",
    "ConnectParticipantWithLexBot",
    "ShowView",
    "Wait",
    "AuthenticateParticipant",
    "TransferParticipantToThirdParty",
    "TransferToFlow",
}


def check(subject: Subject, graph: Graph) -> None:
    """Check the graph of blocks."""
    for name in subject.blocks:
        if name not in graph.reachable:
            subject.report(
                "CF301",
                "no contact can come to this block",
                "connect a branch to it or remove it",
                block=name,
                path=subject.paths[name],
            )
    _loops(subject, graph)
    _own_errors(subject, graph)
    _lambda_chains(subject, graph)
    _queues(subject, graph)


def _loops(subject: Subject, graph: Graph) -> None:
    if subject.flow_type in _WAITS_FOR_OTHERS:
        return  # the service takes the contact out when an agent becomes available
    for component in graph.components:
        if not graph.is_cycle(component):
            continue
        inside = set(component)
        blocks = [graph.blocks[name] for name in component]
        if any(_leaves(b) or b.type == "MessageParticipantIteratively" for b in blocks):
            continue
        out = [edge for name in component for edge in graph.edges[name] if edge.target not in inside]
        if all(_is_failure(edge) for edge in out):
            first = min(component, key=list(subject.blocks).index)
            failing = ", unless a block fails" if out else ""
            subject.report(
                "CF302",
                f"contacts go round {listed(sorted(component), 6)} for ever{failing}",
                "count the rounds with a Loop block",
                block=first,
                path=subject.paths[first],
            )


def _leaves(block: Block) -> bool:
    if block.type == "TransferParticipantToThirdParty":
        return block.parameters.get("ContinueFlowExecution") != "True"
    return block.type in _LEAVES_ON_SUCCESS


def _is_failure(edge: Edge) -> bool:
    return edge.kind is EdgeKind.ERROR and edge.label == "NoMatchingError"


def _own_errors(subject: Subject, graph: Graph) -> None:
    for name in graph.reachable:
        labels = [e.label for e in graph.edges[name] if e.kind is EdgeKind.ERROR and e.target == name]
        if labels:
            subject.report(
                "CF303",
                f"the branch {listed(labels)} leads back to its own block",
                "connect it to a prompt or a Loop block",
                block=name,
                path=f"{subject.paths[name]}.Transitions.Errors",
            )


def lambda_seconds(block: Block) -> int:
    """Return the seconds for which the block can hold the contact for a Lambda function; 0 for others."""
    if block.type != "InvokeLambdaFunction" or block.parameters.get("InvocationType") == "ASYNCHRONOUS":
        return 0
    limit = block.parameters.get("InvocationTimeLimitSeconds")
    return (
        int(limit) if isinstance(limit, str) and limit.isascii() and limit.isdigit() and len(limit) < 4 else 3
    )


def _lambda_chains(subject: Subject, graph: Graph) -> None:
    quick = {
        name: tuple(e.target for e in graph.edges[name])
        for name in graph.reachable
        if graph.blocks[name].type not in _BREAKS_CHAIN
    }
    components = strongly_connected(quick)
    component_of = {name: i for i, component in enumerate(components) for name in component}
    before = [0] * len(components)
    for number in range(len(components) - 1, -1, -1):  # predecessors first
        component = components[number]
        own = sum(lambda_seconds(graph.blocks[name]) for name in component)
        total = before[number] + own
        cycle = len(component) > 1 or any(name in quick[name] for name in component)
        functions = [n for n in component if lambda_seconds(graph.blocks[n])]
        if functions and cycle:
            subject.report(
                "CF304",
                "contacts can go round this Lambda block without a prompt, for more than"
                f" {CHAIN_SECONDS} seconds",
                "play a prompt within the loop",
                block=functions[0],
                path=subject.paths[functions[0]],
            )
        elif functions and total > CHAIN_SECONDS >= before[number]:
            subject.report(
                "CF304",
                f"together with the Lambda blocks before it this one can take {total} seconds without a"
                f" prompt; Amazon Connect gives {CHAIN_SECONDS}",
                "play a prompt between them",
                block=functions[0],
                path=subject.paths[functions[0]],
            )
        for name in component:
            for target in quick[name]:
                if target in component_of and component_of[target] != number:
                    before[component_of[target]] = max(before[component_of[target]], total)


def _queues(subject: Subject, graph: Graph) -> None:
    if subject.kind is FlowKind.MODULE or subject.flow_type not in {None, "CONTACT_FLOW"}:
        return  # transfer flows start with the queue of the quick connect
    if subject.flow_type is None and not any(b.type in _SETS_QUEUE for b in graph.blocks.values()):
        return  # it may be such a flow

    def unset(edge: Edge) -> bool:
        kind = graph.blocks[edge.source].type
        return kind != "InvokeFlowModule" and (
            kind != "UpdateContactTargetQueue" or edge.kind is EdgeKind.ERROR
        )

    for name in graph.reach([graph.start], unset):
        if graph.blocks[name].type == "TransferContactToQueue":
            subject.report(
                "CF305",
                f"a contact can come to {quoted(name)} before a queue was set",
                "put UpdateContactTargetQueue before it on every path",
                block=name,
                path=subject.paths[name],
            )
