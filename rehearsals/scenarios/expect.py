"""Expectations on what lies outside the contact: HTTP answers, tables, logs."""

from connect_sandbox.rehearsal.values import Json


def expect(actual: Json, expected: Json, what: str) -> None:
    """Fail, naming both values, unless they are equal."""
    if actual != expected:
        raise AssertionError(f"{what} should be {expected!r}; it is {actual!r}")


def expect_that(holds: bool, what: str) -> None:
    """Fail, saying what should hold, unless it does."""
    if not holds:
        raise AssertionError(what)
