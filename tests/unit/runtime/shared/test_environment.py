from __future__ import annotations

import pytest

from runtime.shared.environment import Environment
from runtime.shared.errors import ConfigurationError


def test_values_and_defaults_come_typed() -> None:
    environment = Environment({"NAME": "x", "COUNT": "007", "EMPTY": ""})
    assert environment.text("NAME") == "x"
    assert environment.text("EMPTY", default="d") == "d"
    assert environment.whole_number("COUNT", within=(1, 100)) == 7
    assert environment.whole_number("OTHER", default=0, within=(0, 100)) == 0
    environment.check()


def test_every_problem_is_named_at_once_with_value_and_fix() -> None:
    environment = Environment({"WORD": "a b", "COUNT": "12", "WHOLE": "1.5", "HUGE": "9" * 5000})
    environment.text("ABSENT", form="a table name")
    environment.text("WORD", pattern=r"[a-z]+", form="one word")
    for name in ("COUNT", "WHOLE", "HUGE", "MISSING"):
        environment.whole_number(name, within=(1, 10))
    with pytest.raises(ConfigurationError) as caught:
        environment.check()
    message = str(caught.value)
    for part in (
        "ABSENT is not set; set it to a table name",
        "WORD is 'a b'; it must be one word",
        "COUNT is '12'; it must be a whole number from 1 to 10",
        "WHOLE is '1.5'",
        "HUGE is '999",
        "MISSING is not set; set it to a whole number from 1 to 10",
    ):
        assert part in message
    assert len(message) < 700
