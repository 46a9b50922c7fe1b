"""Lets a scenario call resources what the console calls them: exports have the names in their Metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from connect_sandbox.rehearsal.conditions import Conditions, Queue
from connect_sandbox.rehearsal.published import PublishedFlow

T = TypeVar("T")

FLOWS, MODULES = "contact-flow", "flow-module"
PROMPTS = "prompt"
_QUEUES, _HOURS = "queue", "operating-hours"


def with_ids(conditions: Conditions, flows: Iterable[PublishedFlow]) -> Conditions:
    """Return the conditions with queues, hours and prompts under the ids that the flows have for their names."""
    called = list(flows)
    return replace(
        conditions,
        queues=tuple(_queues(conditions.queues, called)),
        hours=keyed(conditions.hours, _HOURS, called),
        prompts=keyed(conditions.prompts, PROMPTS, called),
    )


def keyed(told: Mapping[str, T], kind: str, flows: Iterable[PublishedFlow]) -> dict[str, T]:
    """Return what is told by name or id, by name, id and ARN. `kind` is that of the ARN: "queue", "prompt"."""
    both = dict(told)
    ids_of = _lookup(kind, flows)
    for name, value in told.items():
        for resource in ids_of(name):
            both.setdefault(resource, value)
    return both


def _queues(queues: Iterable[Queue], flows: Iterable[PublishedFlow]) -> Iterator[Queue]:
    ids_of = _lookup(_QUEUES, flows)
    told = list(queues)
    known = {queue.arn for queue in told}
    for queue in told:
        found = [resource for resource in ids_of(queue.arn) if resource not in known]
        yield from [replace(queue, arn=resource) for resource in found] or [queue]


def _lookup(kind: str, flows: Iterable[PublishedFlow]) -> Callable[[str], list[str]]:
    """Return what finds the ids and ARNs that have a name in one of the flows."""
    ids: dict[str, list[str]] = {}
    for flow in flows:
        for resource, name in flow.names.items():
            if not resource.startswith("arn:") or f"/{kind}/" in resource:
                ids.setdefault(name, []).append(resource)
    return lambda name: ids.get(name, [])
