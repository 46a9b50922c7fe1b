"""Types for values that a schema or a service model describes, not a Python type."""

from __future__ import annotations

from typing import Any, TypeAlias

#: A member of an AWS API's request or answer: botocore's service model says what it is.
Member: TypeAlias = Any
