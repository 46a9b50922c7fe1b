from __future__ import annotations

import pytest

from bench.figures import Figure, Goal, alternate, exponent


def test_a_figure_is_a_median_between_its_quartiles() -> None:
    assert Figure.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Figure(5, 3.0, 2.0, 4.0)
    assert Figure.of([7.0]) == Figure(1, 7.0, 7.0, 7.0)
    with pytest.raises(ValueError, match="measure at least once"):
        Figure.of([])


def test_one_slow_run_does_not_move_a_ratio() -> None:
    assert Figure.of([2.0, 2.0, 90.0]).against(Figure.of([1.0, 1.0, 1.0])) == 2.0
    with pytest.raises(ValueError, match="positive median"):
        Figure.of([1.0]).against(Figure.of([0.0]))


def test_variants_take_turns_and_the_warm_up_is_dropped() -> None:
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return len(order)

    kept = alternate({"a": lambda: measure("a"), "b": lambda: measure("b")}, rounds=2, warm_ups=1)

    assert order == ["a", "b", "a", "b", "a", "b"]
    assert kept == {"a": [3, 5], "b": [4, 6]}


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_is_the_power_by_which_cost_grows(power: float) -> None:
    assert exponent([(size, 0.003 * size**power) for size in (10, 40, 250)]) == pytest.approx(power)


def test_a_goal_is_judged_by_the_digits_that_are_told() -> None:
    assert Goal("zip", 1.004, 1.0).met
    assert not Goal("zip", 1.006, 1.0).met
