"""What the linter says when a block of any type has lost its NoMatchingError branch, and why it is silent of some."""

import pytest
from connect_flows import ACTIONS, lint
from connect_flows.examples import BLOCK, example_flow, example_place

OPTIONAL = {
    "MessageParticipant": "published console exports leave it out",
    "MessageParticipantIteratively": "console exports leave it out",
    "UpdateContactTextToSpeechVoice": "its page knew no errors at first, and exports from then leave it out",
    "UpdateFlowAttributes": "the flow language's page knows no errors of it",
}
UNDOCUMENTED = sorted(kind for kind, spec in ACTIONS.items() if not spec.documented)


def without_error_branch(kind: str) -> list[str]:
    """Return the rules that speak of NoMatchingError once the example of a type has no such branch."""
    flow = example_flow(kind)
    transitions = flow["Actions"][0]["Transitions"]
    transitions["Errors"] = [e for e in transitions["Errors"] if e["ErrorType"] != "NoMatchingError"]
    flow_kind, flow_type = example_place(kind)
    found = lint(flow, kind=flow_kind, flow_type=flow_type)
    return [
        finding.rule for finding in found if finding.block == BLOCK and "NoMatchingError" in finding.message
    ]


WITH_BRANCH = [
    kind
    for kind in sorted(ACTIONS)
    if any(error["ErrorType"] == "NoMatchingError" for error in
           example_flow(kind)["Actions"][0]["Transitions"].get("Errors", []))
]  # fmt: skip


@pytest.mark.parametrize("kind", WITH_BRANCH)
def test_a_deleted_error_branch_is_reported_unless_connect_does_without(kind: str) -> None:
    silent = kind in OPTIONAL or kind in UNDOCUMENTED
    assert without_error_branch(kind) == ([] if silent else ["CF205"])
