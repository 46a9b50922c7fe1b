"""How hypothesis searches: without a clock, since machines differ; in CI the same examples every time.

And botocore's descriptions of the services are parsed once: moto wants a new session for each test, and every session
would parse them again, 0.1 s each.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from botocore.loaders import JSONFileLoader
from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")


_parse = JSONFileLoader.load_file


@functools.cache
def _parsed(path: str) -> Any:
    return _parse(JSONFileLoader(), path)


# Not S3's: botocore changes that description in place for each session.
JSONFileLoader.load_file = lambda self, path: _parse(self, path) if "/s3" in path else _parsed(path)
