"""What pull and push need to know without an instance: kinds of resources, names of files, stubs, places of values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from connect_flows import FlowKind, Severity, lint
from connect_flows.instance.project import Entry, Project, is_about_flows
from connect_flows.instance.pull import _placed
from connect_flows.instance.push import stub_for
from connect_flows.instance.resources import Resource, kinds_in, split
from connect_flows.knowledge import knowledge

INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
ID = "66666666-7777-8888-9999-000000000000"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:find"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (f"{INSTANCE}/queue/{ID}", ("queue", f"{INSTANCE}/queue/{ID}", "")),
        (f"{INSTANCE}/operating-hours/{ID}", ("hours", f"{INSTANCE}/operating-hours/{ID}", "")),
        (f"{INSTANCE}/flow-module/{ID}:$LATEST", ("module", f"{INSTANCE}/flow-module/{ID}", ":$LATEST")),
        (f"{INSTANCE}/contact-flow/{ID}:3", ("flow", f"{INSTANCE}/contact-flow/{ID}", ":3")),
        (
            "arn:aws:connect:us-east-1:aws:view/form:1",
            ("view", "arn:aws:connect:us-east-1:aws:view/form", ":1"),
        ),
        (FUNCTION, ("function", FUNCTION, "")),
        (f"{FUNCTION}:live", ("function", FUNCTION, ":live")),
        (ID, ("", ID, "")),
        (f"{ID}:$SAVED", ("", ID, ":$SAVED")),
        ("+12065550100", ("telephone number", "+12065550100", "")),
        ("arn:aws:s3:::bucket", ("", "arn:aws:s3:::bucket", "")),
        ("arn:aws:states:us-east-1:123456789012:stateMachine:x",) * 2,
    ],
)
def test_a_resource_is_split_into_kind_name_and_suffix(value: str, found: tuple[str, str, str] | str) -> None:
    assert split(value) == (("states", found, "") if isinstance(found, str) else found)


def test_the_kinds_that_a_flow_refers_to_are_found_in_ids_and_arns_at_any_depth() -> None:
    flow = {
        "Actions": [
            {"Parameters": {"QueueId": ID, "Text": "no id"}},
            {"Parameters": {"EventHooks": {"CustomerQueue": f"{INSTANCE}/contact-flow/{ID}"}}},
            {"Parameters": {"LexV2Bot": {"AliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/A/B"}}},
            {"Parameters": {"PromptId": "$.Attributes.prompt", "Note": ID}},
        ]
    }
    assert kinds_in(flow) == {"queue", "flow", "bot alias"}


def test_a_resource_is_the_same_after_it_was_written_and_read() -> None:
    for resource in (
        Resource("queue", "Sales"),
        Resource("flow", "A", "id", ":3"),
        Resource("telephone number"),
    ):
        assert Resource.of_json(json.loads(json.dumps(resource.as_json()))) == resource
    assert Resource("queue", "Sales").words == "queue Sales"


def test_files_are_named_after_flows_and_never_twice(tmp_path: Path) -> None:
    project, taken = Project(tmp_path), list[str]()
    for kind, name in [
        ("CONTACT_FLOW", "Sales (EN)"),
        ("CONTACT_FLOW", "sales en"),
        ("CUSTOMER_QUEUE", "Sales/EN"),
        ("MODULE", "Sales EN"),
        ("CONTACT_FLOW", "案内"),
        ("CONTACT_FLOW", "!!!"),
        ("CONTACT_FLOW", "../../etc/passwd"),
    ]:
        taken.append(project.path_for(kind, name, taken))
    assert taken == [
        "flows/sales_en.json",
        "flows/sales_en_2.json",
        "flows/sales_en_3.json",
        "modules/sales_en.json",
        "flows/案内.json",
        "flows/flow.json",
        "flows/etc_passwd.json",
    ]


@pytest.mark.parametrize("flow_type", [*knowledge().flow_types, "MODULE"])
def test_every_type_of_flow_has_a_stub_that_passes_the_linter(flow_type: str) -> None:
    module = flow_type == "MODULE"
    found = lint(
        stub_for(flow_type),
        kind=FlowKind.MODULE if module else FlowKind.FLOW,
        flow_type=None if module else flow_type,
    )
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    ("template", "text", "found"),
    [
        ("${SalesQueue}", "arn:x", [("SalesQueue", "arn:x")]),
        ("Call ${Number} or ${Other}.", "Call +1206 or +1207.", [("Number", "+1206"), ("Other", "+1207")]),
        ("Call ${Number}.", "Ring +1206.", []),
        ("${SalesQueue}", "$.Attributes.queue", []),
        ("${SalesQueue}", None, []),
        ("no placeholder", "no placeholder", []),
        ("${!Literal}", "${Literal}", []),
    ],
)
def test_a_placeholder_gets_what_stands_in_its_place(
    template: str, text: str | None, found: list[tuple[str, str]]
) -> None:
    assert _placed(template, text) == found


def test_a_placeholder_of_a_flow_names_the_flow_of_the_folder(tmp_path: Path) -> None:
    flow, module = Entry("flows/a.json", "A", "CUSTOMER_QUEUE"), Entry("modules/a.json", "A", "MODULE")
    resources = {"F": Resource("flow", "A"), "M": Resource("module", "A"), "Q": Resource("queue", "A")}
    project = Project(tmp_path, entries=[flow, module], resources=resources)
    assert [project.entry_of(name) for name in ("F", "M", "Q", "?")] == [flow, module, None, None]


def test_values_and_index_are_no_flows(tmp_path: Path) -> None:
    for file in ("values/dev.json", "flows/a.json", "other/values/b.json"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("{}")
    (tmp_path / "flows.json").write_text("{}")
    about = {"values/dev.json", "flows.json", "x.values.json"}
    named = [*about, "flows/a.json", "other/values/b.json", "elsewhere/flows.json"]
    assert {name for name in named if is_about_flows(tmp_path / name)} == about
