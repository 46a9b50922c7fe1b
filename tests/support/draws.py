"""What random tests draw: a pytest plugin with hypothesis's two profiles.

`project`, the one in force, draws the same examples on every machine with the same Python: alone or among others,
with CI set or not, today and tomorrow. Only the test's own source decides. So a random test that passes here passes
there, and one that fails is replayed by running it again.

`fuzz` (`make fuzz`) draws afresh in each run; `--hypothesis-seed` replays it, and so does the `@reproduce_failure`
line that each failure prints.

Neither keeps a database of examples, asks a clock, or heeds the variable CI, which changes hypothesis's defaults.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import engine, providers
from hypothesis.internal.constants_ast import Constants, _constants_from_source

SOURCES = ("constructs", "packages", "rehearsals", "runtime", "stacks")
_ROOT = Path(__file__).resolve().parents[2]

settings.register_profile(
    "project",
    parent=settings.get_profile("default"),
    database=None,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fuzz", parent=settings.get_profile("project"), derandomize=False)
settings.load_profile("project")

# Failing examples are shrunk for at most this long (hypothesis: 300 s): they must be shown before the test's limit.
engine.MAX_SHRINKING_SECONDS = 20


def _constants() -> Constants:
    """Return which of the project's own constants draws may use.

    hypothesis takes those of every module that happens to be loaded, so that a test would draw other examples alone
    than among others. The profile `project` takes none; `fuzz` takes all that our sources hold.
    """
    return _all_constants() if settings.get_current_profile_name().startswith("fuzz") else _NONE


@cache
def _all_constants() -> Constants:
    found = _NONE
    for root in SOURCES:
        for path in sorted((_ROOT / root).rglob("*.py")):
            found |= _constants_from_source(path.read_bytes(), limit=True)
    return found


_NONE = (
    providers._local_constants
)  # empty, and sorted: sets without order would make draws depend on PYTHONHASHSEED
providers._get_local_constants = _constants
