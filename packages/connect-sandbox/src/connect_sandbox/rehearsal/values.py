"""The type of JSON values, of which flows, events and responses consist."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""null, a boolean, a number, text, a list or an object."""
