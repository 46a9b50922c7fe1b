from __future__ import annotations

import re
from typing import Any

import pytest

from bench.__main__ import DOCUMENT, SECTIONS
from bench.document import with_tables

TEXT = "Before.\n<!-- bench:machine -->\nold\n<!-- /bench -->\n<!-- bench:zips -->\nold\n<!-- /bench -->\nAfter.\n"


def report(value: float) -> dict[str, Any]:
    goal = {"name": "zip of a in MB", "value": value, "limit": 1.0, "met": value <= 1.0}
    section = {"columns": ["function", "MB"], "rows": [["a", f"{value}"]], "goals": [goal]}
    return {"machine": {"summary": "Measured on a laptop."}, "sections": {"zips": section}}


def test_tables_of_the_report_replace_those_between_the_markers() -> None:
    assert with_tables(TEXT, report(0.5)) == (
        "Before.\n<!-- bench:machine -->\nMeasured on a laptop.\n<!-- /bench -->\n"
        "<!-- bench:zips -->\n| function | MB |\n| --- | --- |\n| a | 0.5 |\n\nEvery goal is met.\n<!-- /bench -->\n"
        "After.\n"
    )


def test_a_goal_that_is_missed_is_told_under_its_table() -> None:
    assert "Goals missed: zip of a in MB 1.50 (at most 1)." in with_tables(TEXT, report(1.5))


def test_what_was_not_measured_stays() -> None:
    measured = report(0.5)
    measured["sections"] = {}
    assert "<!-- bench:zips -->\nold\n" in with_tables(TEXT, measured)


def test_a_section_without_a_place_is_named() -> None:
    with pytest.raises(ValueError, match="no place for zips; write <!-- bench:zips -->"):
        with_tables("Nothing.", report(0.5))


def test_the_document_has_a_place_for_every_measurement() -> None:
    places = re.findall(r"<!-- bench:(\w+) -->", DOCUMENT.read_text())
    assert sorted(places) == sorted(["machine", *SECTIONS])
