"""What random tests draw: a pytest plugin with hypothesis's two profiles.

`project`, the one in force, draws the same examples on every machine with the same Python: alone or among others,
with CI set or not, today and tomorrow. Only the test's own source decides. So a random test that passes here passes
there, and one that fails is replayed by running it again.

`fuzz` (`make fuzz`) draws afresh in each run; `--hypothesis-seed` replays it, and so does the `@reproduce_failure`
line that each failure prints.

Neither keeps a database of examples, asks a clock, or heeds the variable CI, which changes hypothesis's defaults.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
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
    """Return the constants of our sources: reading them takes 3 s, and each round of fuzzing is a process."""
    sources = [path.read_bytes() for root in SOURCES for path in sorted((_ROOT / root).rglob("*.py"))]
    digest = hashlib.sha256(hypothesis.__version__.encode())
    for source in sources:
        digest.update(hashlib.sha256(source).digest())
    kept = _ROOT / ".cache" / "constants" / f"{digest.hexdigest()}.json"
    if not kept.exists():
        found = _NONE
        for source in sources:
            found |= _constants_from_source(source, limit=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
            json.dump(_written(found), file)
        Path(file.name).replace(kept)
    return _NONE | _read(json.loads(kept.read_text()))


def _written(found: Constants) -> dict[str, list[Any]]:
    return {
        "integers": list(found.integers),
        "floats": [each.hex() for each in found.floats],
        "bytes": [each.hex() for each in found.bytes],
        "strings": list(found.strings),
    }


def _read(written: dict[str, list[Any]]) -> Constants:
    return Constants(
        integers=set(written["integers"]),
        floats={float.fromhex(each) for each in written["floats"]},
        bytes={bytes.fromhex(each) for each in written["bytes"]},
        strings=set(written["strings"]),
    )


_NONE = (
    providers._local_constants
)  # empty, and sorted: sets without order would make draws depend on PYTHONHASHSEED
providers._get_local_constants = _constants
