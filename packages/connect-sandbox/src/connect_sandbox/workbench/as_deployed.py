"""The state of a sandbox as it was deployed, to which it is set back between tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from connect_sandbox.cloud import Sandbox
from connect_sandbox.moto_internals import MotoState, remember, set_back, with_data_of
from connect_sandbox.workbench.errors import WorkbenchError

_PATIENCE: Final = 30.0
"""Seconds for what a test has set off to come to its end."""
#: Histories, by the part of a place that has them: empty at the beginning of each test.
_EMPTIED: Final[dict[str, tuple[str, ...]]] = {
    "asynchronous": ("history",),
    "audit": ("_entries",),
    "buses": ("events",),
    "chats": ("_chats", "_by_token"),
    "contact_center.alarms": ("history", "not_evaluated"),
    "contact_center.records": ("lost",),
    "faults": ("_faults", "_resources"),
    "routes.authorizers": ("_cache",),
    "routes.throttle": ("_buckets",),
    "state_machines": ("executions",),
    "targets": ("history",),
    "tolerance": ("uses",),
}
#: What was deployed or set up, by the part of a place that has it: as it was when the last app had been deployed.
_KEPT: Final[dict[str, tuple[str, ...]]] = {
    "apis": ("_apis", "keys", "plans", "domains", "log_role_arn"),
    "asynchronous": ("configs",),
    "authorization": ("user_boundaries", "bucket_policies"),
    "bots": ("_bots",),
    "bucket_events": ("configurations", "_documents"),
    "buses": ("targets_of_rule",),
    "connect": ("_instances", "_absent", "applications"),
    "contact_center.calendar": ("_ahead",),
    "contact_center.instances": ("_history", "taken_elsewhere"),
    "contact_center.numbers": ("_moves",),
    "deployments": ("_stacks",),
    "http_apis": ("apis",),
    "lambda_state": ("_functions", "_layers"),
    "lambda_state.versions": ("_versions", "_last", "_aliases"),
    "mappings": ("_mappings",),
    "quotas": ("_applied", "_requests"),
    "sns": ("_subscriptions",),
    "state_machines": ("machines",),
    "test_cases": ("_failing", "now", "milliseconds"),
    "tolerance": ("patterns",),
    "voice_connectors": ("_connectors",),
}
Kept = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class AsDeployed:
    """A copy of what a sandbox holds in all its places. Nothing of it changes any more."""

    parts: Mapping[tuple[str, str], Kept]
    moto: MotoState
    warnings: int

    @classmethod
    def of(cls, sandbox: Sandbox, before: AsDeployed | None = None) -> AsDeployed:
        """Copy what the sandbox holds now.

        With `before`, of the last deployment, what a test has written since to tables, buckets, queues, streams and
        logs is left out.
        """
        moto = remember()
        return cls(
            {(place.account, place.region): _parts(place) for place in sandbox.places()},
            moto if before is None else with_data_of(moto, before.moto),
            len(sandbox.warnings),
        )

    def set_back(self, sandbox: Sandbox) -> None:
        """Wait for what goes on, end all function processes, and let the sandbox hold what it held.

        WorkbenchError if something does not come to its end in 30 s.
        """
        with ExitStack() as paused:
            for place in sandbox.places():
                paused.enter_context(place.mappings.paused())
            for place in sandbox.places():
                _settle(place)
            sandbox.only_at(self.parts)
            set_back(self.moto)
            for place in sandbox.places():
                place.functions.forget()
                for _, part, name in _members(place, _EMPTIED):
                    vars(part)[name].clear()
                _put_back(place, self.parts[place.account, place.region])
            del sandbox.warnings[self.warnings :]


def _settle(place: Sandbox) -> None:
    place.deployments.wait()
    for what, idle in {
        "an event for a function": place.asynchronous.wait,
        "an execution of a state machine": place.state_machines.idle,
    }.items():
        if not idle(_PATIENCE):
            raise WorkbenchError(
                f"{what} that a test has set off still goes on after {_PATIENCE:g} s: wait for its end in the test"
            )
    place.sns.deliveries.forget()


def _parts(place: Sandbox) -> Kept:
    # A test case's executions are histories, too; those that run hold locks.
    without: dict[int, Any] = {id(instance.test_executions): [] for instance in place.connect.instances()}
    held = {(path, name): vars(part)[name] for path, part, name in _members(place, _KEPT)}
    return copy.deepcopy(held, without)


def _put_back(place: Sandbox, kept: Kept) -> None:
    held = copy.deepcopy(dict(kept))
    for path, part, name in _members(place, _KEPT):
        present, value = vars(part)[name], held[path, name]
        if isinstance(present, dict | set):  # places have some of them in common
            present.clear()
            present.update(value)
        else:
            vars(part)[name] = value


def _members(place: Sandbox, named: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, Any, str]]:
    for path, names in named.items():
        part = attrgetter(path)(place)
        for name in names:
            yield path, part, name
