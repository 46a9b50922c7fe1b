"""The calls that `make demo`, `make rehearse` and the tests place, by name.

Each is a function that takes one Rehearsal and is registered by `@scenario("voice/…")`, in a file per path. Those of
`make demo` are registered with `demo=True`.
"""

from rehearsals.scenarios import voice  # noqa: F401  (its scenarios enter themselves)

# isort: split
from rehearsals.scenarios import chat  # noqa: F401

# isort: split
from rehearsals.scenarios import biometrics  # noqa: F401

# isort: split
from rehearsals.scenarios import handoff  # noqa: F401

# isort: split
from rehearsals.scenarios import smoke  # noqa: F401

# isort: split
from rehearsals.scenarios import from_nothing  # noqa: F401

# isort: split
from rehearsals.scenarios import instance  # noqa: F401

# isort: split
# After the calls, since it removes what they need: scenarios are played in the order in which they are entered.
from rehearsals.scenarios import connector  # noqa: F401

# isort: split
from rehearsals.scenarios import recovery  # noqa: F401

# isort: split
from rehearsals.scenarios import (
    own_keys,  # noqa: F401
    tokens,  # noqa: F401
)

# isort: split
from rehearsals.scenarios import connector_quota  # noqa: F401

# isort: split
from rehearsals.scenarios import doctor  # noqa: F401

# isort: split
from rehearsals.scenarios.deployment import Deployment
from rehearsals.scenarios.registry import SCENARIOS, Result, Scenario, play, scenario
from rehearsals.scenarios.rehearsal import Rehearsal

__all__ = ["SCENARIOS", "Deployment", "Rehearsal", "Result", "Scenario", "play", "scenario"]
