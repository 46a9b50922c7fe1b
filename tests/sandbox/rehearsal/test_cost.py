"""What a rehearsal costs grows with the number of contacts and nothing else (bench/rehearse.py measures 1,000)."""

import gc
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
    gc.collect()
    gc.freeze()  # what other tests have left in memory is not to be gone through again and again
    try:
        one = statistics.median(bench.contacts(1) for _ in range(20))
        hundred = min(bench.contacts(100) for _ in range(5))
    finally:
        gc.unfreeze()
    assert hundred <= 100 * one
    assert hundred < 1.0
