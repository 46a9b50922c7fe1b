"""Lambda's context object, for handlers that run without Lambda."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Context:
    """The part of Lambda's context object that the handlers touch."""

    seconds: float = 300.0
    function_name: str = "function-under-test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function-under-test"
    aws_request_id: str = "0d3f5a2e-6a0e-4b52-9d9c-2a3f1f0c9c11"
    started: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.seconds - (time.monotonic() - self.started)) * 1000))
