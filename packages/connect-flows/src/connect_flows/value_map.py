"""Values for a template's placeholders: a JSON object of names and texts, or the map that ``import`` writes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


class ValuesError(ValueError):
    """The values cannot be used; the message says what to change."""


def chosen_values(
    document: object, environment: str | None = None, *, name: str, wanted: Collection[str] | None = None
) -> dict[str, Any]:
    """Return the values of a parsed values file: all of them, or of a map those of one environment.

    ``environment`` may be None where the map has only one. ``name`` is what messages call the file. ValuesError for a
    document that is no object, an environment that the map does not have, and values that are still null. Of a file for
    all flows of an instance, as ``pull`` writes it, those that are known and ``wanted`` (None: all that are known).
    """
    if not isinstance(document, dict):
        raise ValuesError(f"{name} is not a JSON object of names and values")
    environments = document.get("environments")
    if not isinstance(environments, dict):
        return document
    chosen = environment or (next(iter(environments)) if len(environments) == 1 else None)
    values = environments.get(chosen) if chosen is not None else None
    if not isinstance(values, dict):
        raise ValuesError(f"--environment must name one of {', '.join(environments)} in {name}")
    if "instance" in document:
        keep = values if wanted is None else wanted
        return {key: value for key, value in values.items() if key in keep and value is not None}
    if waiting := sorted(key for key, value in values.items() if value is None):
        raise ValuesError(f"{name} has no value yet in environment {chosen} for {', '.join(waiting)}")
    return values
