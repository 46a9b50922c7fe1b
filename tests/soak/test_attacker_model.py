"""100,000 steps of the model of the voice biometric gate's attackers (tests/support/voice_attackers.py).

Not among pytest's testpaths: `make soak`, or `pytest tests/soak/test_attacker_model.py -s` to see the figures.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from runtime.shared.logging import LOGGER
from tests.support.tally import Tally
from tests.support.voice_attackers import POLICIES, Broken, Figures, run

pytestmark = pytest.mark.timeout(900)

STEPS = 100_000
EXAMPLES = 100
"""Of one run, which takes some seconds; runs follow one another, each drawn anew, until there are enough steps."""
WRONGLY = {
    "wrongly verified": ("a contact was verified", "a forged message", "a form was cut anew"),
    "wrongly locked": ("a number was locked", "a voice was counted"),
    "recordings left": ("a recording is left",),
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = LOGGER.log_level
    LOGGER.setLevel("CRITICAL")
    yield
    LOGGER.setLevel(before)


def test_a_hundred_thousand_steps_verify_and_lock_nobody_wrongly_and_leave_no_recording(tally: Tally) -> None:
    began = time.monotonic()
    done: list[Figures] = []
    broken: list[str] = []
    while sum(figures.steps for figures in done) < STEPS and not broken:
        for policy in POLICIES.values():
            figures = Figures()
            done.append(figures)
            try:
                run(policy, EXAMPLES, drawn_from=len(done), figures=figures)
            except Broken as error:
                broken.append("\n".join([str(error), *error.__notes__]))
    total = {
        name: sum(getattr(figures, name) for figures in done)
        for name in Figures.__dataclass_fields__
        if name != "broken"
    }
    said = [error.partition("\n")[0] for error in broken]
    wrong = Counter({kind: sum(one.startswith(words) for one in said) for kind, words in WRONGLY.items()})
    print(
        f"\nattackers of the voice gate: {total['steps']:,} steps, {total['verified']:,} rightly verified, "
        f"{total['locked']:,} rightly locked, {total['found']:,} lost recordings found; "
        f"{', '.join(f'{count} {kind}' for kind, count in wrong.items())}; {len(broken)} broken in all\n{total}"
    )
    tally.add("steps of the voice gate's attackers", time.monotonic() - began, total["steps"], +wrong)
    assert not broken, broken[0]
    assert total["steps"] >= STEPS
    assert min(total.values()) > 0, f"something never happened: {total}"
