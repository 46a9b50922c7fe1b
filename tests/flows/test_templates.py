"""Placeholders in flow templates."""

import json

import pytest
from connect_flows import FlowTemplateError, lint, placeholders, render
from connect_flows.examples import example_flow
from connect_flows.template import escape
from hypothesis import example, given
from hypothesis import strategies as st

TEMPLATE = json.dumps(
    {
        "Text": "Hello ${Name}, ${Name} of ${Company.Name}: $.External.x costs $ 5 ${!NotThis}",
        "k${Key}": ["${Name}"],
    }
)


def test_placeholders_are_the_names_in_values_and_keys() -> None:
    assert placeholders(TEMPLATE) == {"Name", "Company.Name", "Key"}


def test_rendering_replaces_every_placeholder_and_nothing_else() -> None:
    values = {"Name": 'A "quoted"\nname', "Company.Name": "ACME", "Key": "1"}
    assert json.loads(render(TEMPLATE, values)) == {
        "Text": 'Hello A "quoted"\nname, A "quoted"\nname of ACME: $.External.x costs $ 5 ${NotThis}',
        "k1": ['A "quoted"\nname'],
    }


def test_a_value_that_looks_like_a_placeholder_is_left_alone() -> None:
    token = "${Token[TOKEN.42]}"
    rendered = render('{"QueueId": "${Queue}", "Text": "${Other}"}', {"Queue": token, "Other": "${Queue}"})
    assert json.loads(rendered) == {"QueueId": token, "Text": "${Queue}"}


def test_all_misfits_are_named_at_once() -> None:
    with pytest.raises(FlowTemplateError) as caught:
        render('{"a": "${One} ${Two}"}', {"Three": "x", "Four": 4, "Two": "y"})  # type: ignore[dict-item]
    for name in ("${One}", "Three", "Four (int)"):
        assert name in str(caught.value)
    assert "${Two}" not in str(caught.value)


@pytest.mark.parametrize("template", ["nope", "[]", "7", '{"a":' * 100_000])
def test_a_template_that_is_no_json_object_is_refused_by_name(template: str) -> None:
    with pytest.raises(FlowTemplateError, match="template is"):
        placeholders(template)


def test_the_same_input_gives_the_same_text() -> None:
    template = {"b": "${X}", "a": "ü"}
    assert render(template, {"X": "1"}) == render(json.dumps(template), {"X": "1"}) == '{"b":"1","a":"ü"}'


@example({"": "${!N}"})
@given(st.dictionaries(st.text(max_size=8), st.text(alphabet="${}!Nab. ", max_size=15), max_size=4))
def test_escaped_text_comes_back_as_it_was(document: dict[str, str]) -> None:
    template = {escape(k): escape(v) for k, v in document.items()}
    assert placeholders(template) == set()
    assert json.loads(render(template, {})) == document


@pytest.mark.parametrize(
    "text",
    [
        "${Queue}",
        "${Token[TOKEN.42]}",
        "arn:${Partition}:x",
        "{{queue}}",
        '${var.queues["sales"]}',
        '${lookup(a, "b")}',
    ],
)
def test_deploy_time_text_lints_cleanly_where_a_value_stands(text: str) -> None:
    flow = example_flow("InvokeLambdaFunction")
    flow["Actions"][0]["Parameters"] |= {"LambdaFunctionARN": text, "InvocationTimeLimitSeconds": text}
    flow["Actions"][0]["Parameters"]["ResponseValidation"] = {"ResponseType": text}
    assert lint(flow) == []
