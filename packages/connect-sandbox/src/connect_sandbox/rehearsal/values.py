"""The type of what JSON holds, for values that flows, events and answers are made of."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""null, a boolean, a number, text, a list or an object."""
