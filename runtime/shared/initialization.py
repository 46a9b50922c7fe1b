"""Build what outlives an invocation while Lambda initializes the environment.

Making a boto3 client takes some tenths of a second on a small function. During initialization Lambda lends a
full CPU and no caller waits; inside the first invocation it would come out of the flow block's 3 s.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from typing import TypeVar

from runtime.shared.errors import ConfigurationError

T = TypeVar("T")


def built_at_init(build: Callable[[], T]) -> functools._lru_cache_wrapper[T]:
    """Decorate a function without parameters: called once, in Lambda right away, elsewhere when first needed.

    A ConfigurationError is left to the invocations, which know how to answer their caller.
    """
    cached = functools.cache(build)
    # evidence: lambda-initialization
    if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        with contextlib.suppress(ConfigurationError):
            cached()
    return cached
