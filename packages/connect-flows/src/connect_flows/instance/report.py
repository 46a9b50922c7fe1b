"""Lines for people about a comparison of the folder's flows with an instance."""

from __future__ import annotations

from collections.abc import Iterator

from connect_flows.instance.compare import Comparison, State


def compared(comparison: Comparison, *, old: str, new: str) -> Iterator[str]:
    """Yield what differs, flow by flow, and a summary; old and new name the two sides."""
    for state in comparison.states:
        yield from of_state(state)
    for item in comparison.only_there:
        yield f"only in {old}: {item.type} {item.name}"
    same = sum(state.same for state in comparison.states)
    different = [state for state in comparison.states if not state.same and state.item]
    absent = sum(state.item is None for state in comparison.states)
    yield (
        f"{old} -> {new}: {same} the same, {len(different)} different, {absent} not there yet"
        + (f", {len(comparison.only_there)} only in {old}" if comparison.only_there else "")
    )


def of_state(state: State) -> Iterator[str]:
    """Yield the lines about one flow; none if it is the same."""
    entry = state.entry
    if state.item is None:
        yield f"{entry.file}: {entry.type} {entry.name} is not in the instance"
    for change in state.changes:
        yield f"{entry.file}: {change}"
    for note in state.notes:
        yield f"{entry.file}: {note}"
