"""What holds for every test: its time limit, and the examples that it draws.

And botocore's descriptions of the services are parsed once: moto wants a new session for each test, and every session
would parse them again, 0.1 s each.
"""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import JSONFileLoader

pytest_plugins = ["tests.support.limits", "tests.support.draws", "tests.support.workers"]

_parse = JSONFileLoader.load_file


@functools.cache
def _parsed(path: str) -> Any:
    return _parse(JSONFileLoader(), path)


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    # Not S3's nor the endpoints: botocore changes them in place.
    changed = "/s3" in file_path or file_path.endswith("endpoints")
    return _parse(self, file_path) if changed else _parsed(file_path)


JSONFileLoader.load_file = _load_file
