"""What an instance or the account may hold: limits.toml, read for the checks of quotas and for docs/limits.md.

``make limits`` writes that page.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

# evidence: quota-codes
FILE = Path(__file__).with_name("limits.toml")


@dataclass(frozen=True, eq=False)
class Limit:
    """A limit. guide_002, guide_003, default: numbers of things, None if it is not stated. code: "" if none is known.

    The other fields are described in limits.toml.
    """

    id: str
    item: str
    level: Literal["account", "instance"]
    source: str
    guide_002: int | None = None
    guide_003: int | None = None
    default: int | None = None
    code: str = ""
    adjustable: bool = True
    resources: Sequence[str] = ()
    member: str = ""
    matching: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    operation: str = ""
    listed: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    initial: int = 0
    always: bool = False
    near: bool = True
    note: str = ""

    @property
    def check(self) -> str:
        """The name of the check."""
        return f"{self.id}-quota"

    @property
    def countable(self) -> bool:
        """Whether an API lists what counts."""
        return bool(self.operation)

    def counts(self, properties: Mapping[str, Any]) -> bool:
        """Tell whether a resource of one of the types, with these properties in the template, counts."""
        return all(re.search(pattern, _text(properties.get(name))) for name, pattern in self.matching.items())


@cache
def limits() -> tuple[Limit, ...]:
    """Return every limit, in the order of the file."""
    return tuple(Limit(**each) for each in tomllib.loads(FILE.read_text(encoding="utf-8"))["limit"])


def limit(name: str) -> Limit:
    """Return the limit with this id; ``KeyError`` if there is none."""
    return {each.id: each for each in limits()}[name]


def _text(value: Any) -> str:  # noqa: ANN401 (JSON)
    return value if isinstance(value, str) else json.dumps(value)


_HEAD = """\
# Limits

The limits of the administrator guides of 2018 (002, 003) and today's quotas of Amazon Connect, as of November 2026.
`connect-bridges doctor` compares them with what the app's templates need and what account and instance hold
([how](doctor.md#limits)). This page is written from
[limits.toml](../constructs/connect_bridges/operations/doctor/limits.toml) by `make limits`.

A default holds for new accounts; an older account may have less. The value that applies is the instance's own:

```
aws service-quotas get-service-quota --service-code connect --quota-code L-9A46857E --context-id INSTANCE_ARN
```

An instance's quota can be raised only once there is the instance; an account's quota holds for one Region.

| limit | 002 | 003 | today | code | counted in a template | in the account | source |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return docs/limits.md."""
    return _HEAD + "".join(f"| {' | '.join(_row(each))} |\n" for each in limits())


def _row(of: Limit) -> list[str]:
    today = "not known" if of.default is None else f"{of.default:,}"
    types = ", ".join(f"`{each}`" for each in of.resources)
    matching = " and ".join(f"{name} `{pattern}`" for name, pattern in of.matching.items())
    call = f"`{''.join(part.title() for part in of.operation.split('_'))}`" if of.operation else ""
    chosen = {**of.arguments, **of.only}
    told = ", ".join(f"{name} {_plain(value)}" for name, value in chosen.items())
    return [
        f"{of.item}. {of.note}" if of.note else of.item,
        _number(of.guide_002),
        _number(of.guide_003),
        today if of.adjustable else f"{today}, fixed",
        f"`{of.code}`" if of.code else "none known",
        (f"{types} with {matching}" if matching else types) or "not counted",
        (f"{call} ({told})" if told else call) or "not counted",
        of.source,
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _plain(value: Any) -> str:  # noqa: ANN401 (TOML)
    return ", ".join(value) if isinstance(value, list) else str(value)
