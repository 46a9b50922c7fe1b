"""Settings of the linter from a TOML file.

The table ``[tool.connect-flows.lint]`` of pyproject.toml, or the same table in a file of its own, holds:

    ignore = ["CF501"]
    [….per-block-ignores]
    "welcome" = ["CF303"]
    [….per-file-ignores]
    "legacy/*.json" = ["CF5"]
    [….context]
    account = "123456789012"
    region = "us-east-1"
    instance-id = "11111111-2222-3333-4444-555555555555"
    channels = ["VOICE"]
    attributes = ["tier"]
    [….context.lambda-responses]
    "FetchFunction" = ["found", "body"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connect_flows.diagnostics import LintConfig, LintContext

TABLE = ("tool", "connect-flows", "lint")
_KEYS = {"ignore", "per-block-ignores", "per-file-ignores", "context"}
_CONTEXT = {"account", "region", "instance-id", "channels", "attributes", "lambda-responses"}


class ConfigError(ValueError):
    """The settings are invalid; the message names the file, the key and what is expected."""


def find_config(start: Path) -> Path | None:
    """Return the nearest pyproject.toml with the table, from the directory upwards; None when there is none."""
    for directory in [start.resolve(), *start.resolve().parents]:
        path = directory / "pyproject.toml"
        if path.is_file() and _table(_load(path)) is not None:
            return path
    return None


def load_config(path: Path) -> tuple[LintConfig, LintContext]:
    """Return the settings of the file. Raises ConfigError for anything it does not know."""
    table = _table(_load(path))
    if table is None:
        raise ConfigError(f"{path} has no table [{'.'.join(TABLE)}]")
    _only(path, table, _KEYS, ".".join(TABLE))
    context = _mapping(path, table, "context")
    _only(path, context, _CONTEXT, "context")
    responses = _mapping(path, context, "lambda-responses")
    return (
        LintConfig(
            ignore=_names(path, table, "ignore"),
            per_block={
                k: _names(path, _mapping(path, table, "per-block-ignores"), k)
                for k in _mapping(path, table, "per-block-ignores")
            },
            per_file={
                k: _names(path, _mapping(path, table, "per-file-ignores"), k)
                for k in _mapping(path, table, "per-file-ignores")
            },
        ),
        LintContext(
            account=_text(path, context, "account"),
            region=_text(path, context, "region"),
            instance_id=_text(path, context, "instance-id"),
            channels=_names(path, context, "channels") if "channels" in context else None,
            attributes=_names(path, context, "attributes") if "attributes" in context else None,
            lambda_responses={k: _names(path, responses, k) for k in responses},
        ),
    )


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {problem.strerror}") from problem
    except ValueError as problem:
        raise ConfigError(f"{path} is not TOML: {problem}") from problem


def _table(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    value: Any = document
    for name in TABLE:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else None


def _only(path: Path, table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise ConfigError(
            f"{path}: [{where}] has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )


def _mapping(path: Path, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: {key} is {value!r}, not a table")
    return value


def _names(path: Path, table: Mapping[str, Any], key: str) -> frozenset[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ConfigError(f"{path}: {key} is {value!r}, not a list of strings")
    return frozenset(value)


def _text(path: Path, table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{path}: {key} is {value!r}, not a string; put it in quotes")
    return value
