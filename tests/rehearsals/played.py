"""The results of the scenarios, which the tests share."""

from __future__ import annotations

import io

from rehearsals.run import play_all
from rehearsals.scenarios import SCENARIOS, Deployment, Result, play
from rehearsals.terminal import Terminal

DESTROYS = "voice/connector-created-and-removed"
"""The scenario that destroys what others play on."""


class Played:
    """The scenarios' results: each is played when it is first asked for, and those in `together` side by side."""

    def __init__(self, deployment: Deployment, together: list[str]) -> None:
        self._deployment = deployment
        self._together = together
        self._results: dict[str, Result] = {}

    def __call__(self, name: str) -> Result:
        """Return a scenario's result."""
        if name in self._together:
            chosen, self._together = [SCENARIOS[each] for each in self._together], []
            results: list[Result] = []
            play_all(chosen, self._deployment, results, Terminal(io.StringIO()))
            self._results |= {result.name: result for result in results}
        return self._results[name] if name in self._results else self.again(name)

    def again(self, name: str) -> Result:
        """Play a scenario, whether or not it has been played; its result is the new one from now on."""
        self._results[name] = play(SCENARIOS[name], self._deployment)
        return self._results[name]

    def passes(self, *names: str) -> None:
        """Fail unless these scenarios have passed."""
        for name in names:
            result = self(name)
            assert result.outcome == "passed", result.failure
