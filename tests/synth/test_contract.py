"""The contracts notice whatever changes in a template."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_cdk import assertions

from tests.synth.contract import assert_contract, contract


def changes(value: Any) -> Iterator[Any]:
    """Yield the value with one thing changed in it, for each thing."""
    match value:
        case dict():
            for key in value:
                yield {k: v for k, v in value.items() if k != key}
                yield from ({**value, key: changed} for changed in changes(value[key]))
            yield {**value, "Another": "x"}
        case list():
            for index, one in enumerate(value):
                yield value[:index] + value[index + 1 :]
                yield from ([*value[:index], changed, *value[index + 1 :]] for changed in changes(one))
        case bool():
            yield not value
            yield str(value).lower()
        case int() | float():
            yield value + 1
            yield str(value)
        case str():
            yield value + "x"
        case _:
            yield "x"


def test_a_change_anywhere_in_a_resource_changes_the_contract(
    template: Callable[[str], assertions.Template],
) -> None:
    resources: dict[str, Any] = dict(template("dev").to_json())["Resources"]
    checked = 0
    for name, resource in resources.items():
        known = {key: value for key, value in resource.items() if key != "Metadata"}
        before = contract({"Resources": {name: known}})
        for changed in changes(known):
            if "Type" in changed:
                assert contract({"Resources": {name: changed}}) != before, (known, changed)
                checked += 1
    assert checked > 1_500


def test_an_output_that_changes_changes_the_contract(
    template: Callable[[str], assertions.Template],
) -> None:
    whole = dict(template("dev").to_json())
    before = contract(whole)
    changed = copy.deepcopy(whole)
    changed["Outputs"]["VoiceDid"]["Value"] = "+12065550111"
    assert contract(changed) != before
    changed = copy.deepcopy(whole)
    changed["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    assert contract(changed) != before


def test_a_difference_is_shown_by_resource_and_property(
    template: Callable[[str], assertions.Template],
) -> None:
    changed = json.loads(
        json.dumps(template("dev").to_json()).replace('"dynamodb:GetItem"', '"dynamodb:Scan"')
    )
    with pytest.raises(AssertionError, match="UPDATE_CONTRACTS=1") as raised:
        assert_contract("voice-dev", changed)
    lines = str(raised.value).splitlines()
    assert [line for line in lines if line.startswith("-  ")] == [
        "-    Allow dynamodb:GetItem on <MetadataTableC8A01DE2.Arn>"
    ]
    assert [line for line in lines if line.startswith("+  ")] == [
        "+    Allow dynamodb:Scan on <MetadataTableC8A01DE2.Arn>"
    ]
