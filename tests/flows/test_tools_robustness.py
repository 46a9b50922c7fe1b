"""Import, diff and diagrams of documents of any shape: a result, or an error that is meant for users."""

import copy
import json
from typing import Any

from connect_flows import ACTIONS, Flow, FlowSyntaxError, lint, render
from connect_flows.diff import as_markdown, as_text, diff
from connect_flows.examples import example_flow
from connect_flows.importer import FlowImportError, import_flow
from connect_flows.legacy_blocks import CONVERTERS
from connect_flows.page import Shown, diff_page, flows_page, read
from connect_flows.pictures import DiagramError, mermaid, svg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
words = st.sampled_from(
    ["", "x", "end", "the block", "Error", "$.External.a", "${A}", "+12065550100", "Success"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)
OLD: Json = {
    "modules": [
        {
            "id": "x",
            "type": "GetUserInput",
            "target": "Digits",
            "branches": [
                {"condition": "Evaluate", "conditionType": "Equals", "conditionValue": "1", "transition": "y"}
            ],
            "parameters": [
                {"name": "Text", "value": "a", "namespace": "System", "key": "k", "resourceName": "n"}
            ],
            "metadata": {"position": {"x": 1, "y": 2}},
        },
        {"id": "y", "type": "Disconnect", "branches": [], "parameters": [], "metadata": {"position": {}}},
    ],
    "start": "x",
    "version": "1",
    "metadata": {"entryPointPosition": {"x": 1, "y": 1}, "name": "n", "type": "contactFlow"},
}


def old_flow(kind: str) -> Json:
    """Return an old export whose first block is of the kind, with a branch and parameters that some kinds know."""
    flow = copy.deepcopy(OLD)
    block = flow["modules"][0]
    block["type"], _, block["target"] = kind.partition(" ")
    queued = {
        "condition": "CheckQueueTime",
        "conditionType": "LessThan",
        "conditionValue": 5,
        "transition": "y",
    }
    block["branches"].append(queued)
    block["parameters"].append({"name": "AudioPrompt", "value": "p"})
    return flow


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for key, item in inner for p in places(item, (*path, key)))]


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_document_with_any_value_anywhere(data: st.DataObject) -> None:
    old = data.draw(st.booleans())
    flow = (
        old_flow(data.draw(st.sampled_from(sorted(CONVERTERS))))
        if old
        else example_flow(data.draw(st.sampled_from(sorted(ACTIONS))))
    )
    before = copy.deepcopy(flow)
    path = data.draw(st.sampled_from(places(flow)[1:]))
    holder: Any = flow
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(values)
    try:
        imported = import_flow(json.dumps(flow), readable=data.draw(st.booleans()))
        lint(imported.template)
        if not imported.converted:
            plain = import_flow(flow)
            assert json.loads(render(plain.template, plain.values)) == json.loads(json.dumps(flow))
        new = Flow.parse(imported.template)
        original = Flow.parse(import_flow(before).template)
        changes = diff(original, new)
        assert as_text(changes, "a", "b")
        assert as_markdown(changes, "a", "b")
        assert mermaid(new)
        assert svg(new)
        assert flows_page([read(json.dumps(flow), "flow.json")])
        assert diff_page(Shown(original, "a"), Shown(new, "b"))
    except (FlowImportError, FlowSyntaxError, DiagramError) as problem:
        assert str(problem)  # noqa: PT017 - any of them may be the right answer; nothing else may come
