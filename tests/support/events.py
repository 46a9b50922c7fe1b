"""Events that nobody sends: anything at all, and what is nearly right, with anything in any place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON, and numbers that JSON has not."""

ODD = st.sampled_from(
    ["", " ", "\x00", "\ud800", "\u0661", "null", "[]", "-1", "1e999", "../../x", "${jndi:x}", "x" * 40_000]
)
"""Texts that readers stumble over."""

fuzzed = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For tests whose fixtures serve all examples."""


def damaged(event: dict[str, Any], *, keep: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Return a strategy: the event with one to three of its places taken away or filled with anything.

    keep: keys that stay as they are, wherever they stand.
    """
    places = list(_places(event, keep))
    change = st.tuples(st.sampled_from(places), st.just(_GONE) | ODD | ANYTHING)
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: _changed(event, changes))


_GONE = object()


def _places(value: Any, keep: tuple[str, ...], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in keep:
                yield (*path, key)
                yield from _places(inner, keep, (*path, key))


def _changed(event: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    changed = copy.deepcopy(event)
    for path, value in changes:
        holder: Any = changed
        for key in path[:-1]:
            holder = holder[key] if _has(holder, key) else None
        if not _has(holder, path[-1]):
            continue  # a change before has taken it away
        if value is not _GONE:
            holder[path[-1]] = value
        elif isinstance(holder, dict):
            del holder[path[-1]]
    return changed


def _has(holder: Any, key: Any) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)
