"""The sandbox answers as AWS did, except where the case says that it does not."""

from __future__ import annotations

from collections import Counter

import pytest
from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import KINDS, Area, agrees, areas, unexpected
from tests.sandbox.fidelity.drivers import DRIVERS, verdicts
from tests.sandbox.fidelity.page import PAGE, section, told

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("area", areas(), ids=lambda area: area.name)
def test_the_sandbox_answers_as_aws_did(sandbox: Sandbox, area: Area) -> None:
    found = unexpected(verdicts(sandbox, area))
    assert not found, f"{len(found)} of {len(area.cases)}:\n" + "\n".join(found)


def test_every_case_has_an_id_of_its_own_a_source_and_a_driver() -> None:
    assert {area.name for area in areas()} == set(DRIVERS)
    assert [
        (i, n) for i, n in Counter(case.id for area in areas() for case in area.cases).items() if n > 1
    ] == []
    for area in areas():
        for source in area.sources.values():
            assert source.kind in KINDS
            assert source.where.startswith("https://")
        used = {case.source.partition(" ")[0] for case in area.cases}
        assert used == set(area.sources), area.name


@pytest.mark.parametrize(
    ("answered", "observed", "same"),
    [
        ({"status": 200}, {"status": 200, "more": 1}, True),
        ({"status": 200}, {"status": 201}, False),
        ({"status": 200}, {"code": "NotImplemented", "status": 501}, False),
        ({"arn": "arn:aws:sns:<region>:<account>:x"}, {"arn": "arn:aws:sns:us-east-1:123456789012:x"}, True),
        ({"arn": "arn:aws:sns:<region>:<account>:x"}, {"arn": "arn:aws:sns:us-east-1:123456789012:y"}, False),
        ({"subject": "<absent>"}, {"message": "x"}, True),
        ({"subject": "<absent>"}, {"subject": "x"}, False),
        ({"list": ["a", "b"]}, {"list": ["a", "b"]}, True),
        ({"list": ["a"]}, {"list": ["a", "b"]}, False),
        ({"delivered": True}, {"delivered": 1}, False),
        ({"text": "a.c"}, {"text": "abc"}, False),
    ],
)
def test_what_counts_as_the_same_answer(answered: object, observed: object, same: bool) -> None:
    assert agrees(answered, observed) is same


def test_the_page_tells_how_many_agree_and_each_that_does_not() -> None:
    assert told(PAGE.read_text()) == section(), "python -m tests.sandbox.fidelity --write writes it"
