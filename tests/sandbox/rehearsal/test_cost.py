"""What a rehearsal costs grows with the number of contacts and nothing else (bench/rehearse.py measures 1,000)."""

import importlib.util
import statistics
from pathlib import Path

BENCH = Path(__file__).resolve().parents[3] / "bench/rehearse.py"


def test_a_hundred_contacts_cost_no_more_than_a_hundred_times_one() -> None:
    spec = importlib.util.spec_from_file_location("bench_rehearse", BENCH)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)

    bench.contacts(1)
    rounds = [(bench.contacts(1), bench.contacts(100)) for _ in range(5)]
    one = statistics.median(first for first, _ in rounds)
    hundred = min(many for _, many in rounds)
    assert hundred <= 100 * one
    assert hundred < 1.0
