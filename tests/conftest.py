"""What holds for every test: its time limit, and the examples that it draws.

And botocore's descriptions of the services are parsed once: moto wants a new session for each test, and every session
would parse them again, 0.1 s each, and 1.2 MB of endpoints.

And aws-cdk-lib does not validate templates, which takes 4 s to start and half of each synthesis: tests/synth/shapes.py
has it look at all that this repository deploys.
"""

from __future__ import annotations

import copy
import functools
import os
from typing import Any

from botocore.loaders import JSONFileLoader

os.environ["CDK_VALIDATION"] = "false"

pytest_plugins = ["tests.support.limits", "tests.support.draws", "tests.support.workers"]

_parse = JSONFileLoader.load_file


@functools.cache
def _parsed(path: str) -> Any:
    return _parse(JSONFileLoader(), path)


class _Services(dict[str, Any]):
    """The endpoints of a partition's services: botocore changes those that it takes in place, so it gets copies."""

    def get(self, key: str, default: Any = None) -> Any:
        return copy.deepcopy(super().get(key, default))


def _endpoints(parsed: dict[str, Any]) -> dict[str, Any]:
    partitions = [{**one, "services": _Services(one["services"])} for one in parsed["partitions"]]
    return {**parsed, "partitions": partitions}


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    if file_path.endswith("/endpoints"):
        return _endpoints(_parsed(file_path))
    # Not S3's, which botocore changes in place.
    return _parse(self, file_path) if "/s3" in file_path else _parsed(file_path)


JSONFileLoader.load_file = _load_file
