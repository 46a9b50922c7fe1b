"""The calls that `make demo` and the tests place, by name.

Each is a function of one Rehearsal, entered in the registry by `@scenario("voice/…")`; a file here per path.
"""

from connect_bridges.sandbox.scenarios import voice  # noqa: F401  (its scenarios enter themselves)

# isort: split
from connect_bridges.sandbox.scenarios import chat  # noqa: F401

# isort: split
from connect_bridges.sandbox.scenarios import biometrics  # noqa: F401

# isort: split
# After the calls, since it removes what they need: scenarios are played in the order in which they are entered.
from connect_bridges.sandbox.scenarios import connector  # noqa: F401

# isort: split
from connect_bridges.sandbox.scenarios.deployment import Deployment
from connect_bridges.sandbox.scenarios.registry import SCENARIOS, Result, Scenario, play, scenario
from connect_bridges.sandbox.scenarios.rehearsal import Rehearsal

__all__ = ["SCENARIOS", "Deployment", "Rehearsal", "Result", "Scenario", "play", "scenario"]
