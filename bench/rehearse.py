"""Measure what it costs to rehearse a contact.

    python bench/rehearse.py [CONTACTS]

Plays CONTACTS (default 1,000) contacts through the voice flow with canned Lambda answers. Must take less than 10 s, and
at most CONTACTS times what one costs (the median of ten, each after a warm-up): nothing may pile up from one contact to
the next. The exit status says whether it does.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from connect_sandbox.rehearsal.scenario import ScenarioFile

ROOT = Path(__file__).resolve().parents[1]
FLOW = ROOT / "flows/external_voice_transfer.json"
SCENARIOS = ROOT / "tests/flows/scenarios/external_voice_transfer.yaml"
LIMIT_SECONDS = 10.0


def contacts(count: int) -> float:
    """Play so many contacts, none of which shares anything with another, and return the seconds of CPU time."""
    file = ScenarioFile.load(SCENARIOS)
    scenario = file.scenarios[0]
    started = time.process_time()
    for _ in range(count):
        contact = scenario.contact(file.flow(scenario, FLOW))
        scenario.check(contact)
    return time.process_time() - started


def main(count: int) -> int:
    """Measure, print, and return the exit status."""
    contacts(1)
    one = statistics.median(contacts(1) for _ in range(10))
    many = contacts(count)
    print(f"1 contact {one * 1000:.2f} ms; {count:,} contacts {many:.2f} s, {many / one:,.0f} times as much")
    return 0 if many < LIMIT_SECONDS and many <= count * one else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
