"""The linter's findings, and its settings."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding."""

    ERROR = "error"
    """Amazon Connect rejects the flow."""
    WARNING = "warning"
    """Amazon Connect accepts the flow, but it hurts callers, operators or the next environment."""


class FlowKind(StrEnum):
    """The kind of content that is published."""

    FLOW = "flow"
    """``AWS::Connect::ContactFlow``."""
    MODULE = "module"
    """``AWS::Connect::ContactFlowModule``."""


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One finding of the linter.

    ``evidence`` says what the rule is based on: "official" (AWS documents it), "probed" (a third party tried it
    against the service) or "export" (read off flows that the console wrote); several joined by "+".
    """

    rule: str
    severity: Severity
    file: str
    block: str | None
    path: str
    message: str
    fix: str
    evidence: str = "official"

    def __str__(self) -> str:
        """Return the finding on one line."""
        block = f" [{one_line(self.block)}]" if self.block is not None else ""
        where = f" {one_line(self.path, 200)}" if self.path else ""
        basis = "" if "official" in self.evidence else f" (evidence: {self.evidence}, not documented by AWS)"
        return (
            f"{self.file}: {self.rule} {self.severity}{block}{where}: {self.message}{basis}. Fix: {self.fix}."
        )

    def as_dict(self) -> dict[str, str | None]:
        """Return the finding as JSON-ready names and values."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "file": self.file,
            "block": self.block,
            "path": self.path,
            "message": self.message,
            "fix": self.fix,
            "evidence": self.evidence,
        }


@dataclass(frozen=True)
class LintConfig:
    """Which findings to ignore.

    A code is a rule id ("CF301") or the beginning of one ("CF5"). Blocks and files are named exactly or with
    the wildcards of a shell (``*``, ``?``, ``[ab]``).
    """

    ignore: frozenset[str] = frozenset()
    per_block: Mapping[str, frozenset[str]] = field(default_factory=dict)
    per_file: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def keeps(self, diagnostic: Diagnostic) -> bool:
        """Return whether to report the finding."""
        if _named(diagnostic.rule, self.ignore):
            return False
        for pattern, codes in self.per_file.items():
            if fnmatch.fnmatch(diagnostic.file, pattern) and _named(diagnostic.rule, codes):
                return False
        if diagnostic.block is None:
            return True
        return not any(
            (pattern == diagnostic.block or fnmatch.fnmatchcase(diagnostic.block, pattern))
            and _named(diagnostic.rule, codes)
            for pattern, codes in self.per_block.items()
        )


@dataclass(frozen=True)
class LintContext:
    """The environment in which the flow will run; every field is optional.

    account: 12 digits. region: as in "us-east-1". instance_id: the UUID of the Amazon Connect instance.
    channels: the channels of the flow's contacts ("VOICE", "CHAT", "TASK", "EMAIL").
    attributes: names of contact attributes that are set before the flow starts.
    lambda_responses: for a Lambda function (its ARN, its name, or the ``${Placeholder}`` as written) the keys that it
    returns, which makes the check of overwritten ``$.External`` values exact.
    """

    account: str | None = None
    region: str | None = None
    instance_id: str | None = None
    channels: frozenset[str] | None = None
    attributes: frozenset[str] | None = None
    lambda_responses: Mapping[str, frozenset[str]] = field(default_factory=dict)


def one_line(value: object, limit: int = 80) -> str:
    """Return the value for a one-line message: without control characters, no longer than the limit."""
    text = (
        value
        if isinstance(value, str)
        else repr(value)
        if isinstance(value, int | float | bool)
        else str(value)
    )
    text = "".join(
        c if c.isprintable() else "\ufffd" if "\ud800" <= c <= "\udfff" else " " for c in text[: limit * 2]
    )
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quoted(value: object, limit: int = 80) -> str:
    """Return a value as messages show it: strings in quotes, anything else by its type and its beginning."""
    if isinstance(value, str):
        return f'"{one_line(value, limit)}"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")


def listed(values: Iterable[str], limit: int = 12) -> str:
    """Return names joined for a message, shortened if there are many."""
    names = list(values)
    shown = ", ".join(one_line(n, 60) for n in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def _number(value: float) -> str:
    try:
        return one_line(str(value), 40)
    except ValueError:  # Python does not print integers of more than 4300 digits
        return "a very long number"


def _named(rule: str, codes: Iterable[str]) -> bool:
    return any(code and rule.startswith(code) for code in codes)
