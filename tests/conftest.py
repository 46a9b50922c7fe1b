"""How hypothesis searches: without a clock, since machines differ; in CI the same examples every time."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")
