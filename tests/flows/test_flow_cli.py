"""The command line: connect-flows …"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from connect_flows import RULES
from connect_flows.cli import main
from connect_flows.examples import example_flow

Json = dict[str, Any]
QUEUE = (
    "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555"
    "/queue/66666666-7777-8888-9999-000000000000"
)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, flow: Json) -> Path:
    path.write_text(json.dumps(flow, indent=2), encoding="utf-8")
    return path


def flow(*arguments: str) -> int:
    return main(arguments)


def broken() -> Json:
    made = example_flow("InvokeLambdaFunction")
    made["Actions"][0]["Parameters"]["InvocationTimeLimitSeconds"] = 3
    return made


def hard_coded() -> Json:
    made = example_flow("UpdateContactTargetQueue")
    made["Actions"][0]["Parameters"]["QueueId"] = QUEUE
    return made


def test_a_good_flow_passes(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(room / "good.json", example_flow("Loop"))
    assert flow("lint", "good.json") == 0
    assert capsys.readouterr().out == "1 file: 0 errors, 0 warnings\n"


def test_an_error_fails_and_names_file_rule_block_path_and_fix(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(room / "bad.json", broken())
    assert flow("lint", "bad.json") == 1
    line = capsys.readouterr().out.splitlines()[0]
    assert line == (
        "bad.json: CF115 error [the block] Actions[0].Parameters.InvocationTimeLimitSeconds: "
        'the value 3 is not a string. Fix: write "3".'
    )


def test_warnings_fail_only_when_strict(room: Path) -> None:
    write(room / "warn.json", hard_coded())
    assert flow("lint", "warn.json") == 0
    assert flow("lint", "warn.json", "--strict") == 1
    assert flow("lint", "warn.json", "--strict", "--ignore", "CF501") == 0
    assert flow("lint", "warn.json", "--strict", "--ignore", "cf5") == 0


def test_a_directory_is_linted_whole(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "flows" / "more").mkdir(parents=True)
    write(room / "flows" / "a.json", broken())
    write(room / "flows" / "more" / "b.json", broken())
    (room / "flows" / "a.values.json").write_text("{}", encoding="utf-8")
    assert flow("lint", "flows") == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 files: 2 errors, 0 warnings"


def test_json_output_carries_the_line_of_the_block(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(room / "bad.json", broken())
    flow("lint", "bad.json", "--format", "json")
    (found,) = json.loads(capsys.readouterr().out)
    assert found["rule"] == "CF115"
    assert '"Identifier": "the block"' in path.read_text(encoding="utf-8").splitlines()[found["line"] - 1]


def test_github_output_is_an_annotation_that_escapes_what_commands_need(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = broken()
    made["Actions"][0]["Parameters"]["100% sure"] = "x"
    write(room / "a,b.json", made)
    flow("lint", "a,b.json", "--format", "github")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "::error file=a%2Cb.json,line=7,title=CF114::block the block, Actions[0].Parameters.100%25 sure:"
    )
    assert "title=CF115" in second


def test_sarif_output_has_a_rule_and_a_place_for_each_result(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(room / "bad.json", broken())
    flow("lint", "bad.json", "--format", "sarif")
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "CF115"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "bad.json"}, "region": {"startLine": 7}}


SETTINGS = """
[tool.connect-flows.lint]
ignore = ["CF301"]
per-block-ignores = { "the bl*" = ["CF501"] }
per-file-ignores = { "legacy/*" = ["CF"] }
[tool.connect-flows.lint.context]
account = "123456789013"
"""


def test_settings_come_from_the_nearest_pyproject(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    write(room / "warn.json", hard_coded())
    assert flow("lint", "warn.json", "--format", "json") == 1
    assert [d["rule"] for d in json.loads(capsys.readouterr().out)] == ["CF502"]
    assert flow("lint", "warn.json", "--account", "123456789012") == 0
    (room / "legacy").mkdir()
    write(room / "legacy" / "old.json", broken())
    assert flow("lint", "legacy/old.json") == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[tool.connect-flows.lint]\nignored = []", "unknown keys ignored"),
        ("[tool.connect-flows.lint]\nignore = 'CF1'", "not a list of strings"),
        ("[tool.connect-flows.lint.context]\naccount = 123456789012", "not a string"),
        ("[tool.connect-flows.lint]\ncontext = 1", "not a table"),
        ("[other]", "has no table"),
        ("nope", "is not TOML"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    room: Path, capsys: pytest.CaptureFixture[str], settings: str, said: str
) -> None:
    (room / "lint.toml").write_text(settings, encoding="utf-8")
    write(room / "good.json", example_flow("Loop"))
    assert flow("lint", "good.json", "--config", "lint.toml") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lint"], "needs a file"),
        (["lint", "absent.json"], "absent.json cannot be read: No such file"),
        (["lint", "."], "holds no *.json file"),
        (["lint", "x", "--ignore", "XX1"], "--ignore XX1: there is no such rule"),
        (["lint", "x", "--format", "html"], "invalid choice"),
        (["explain", "CF999"], "no action type 'CF999'"),
        (["diagram", "absent.json"], "cannot be read"),
        (["jump"], "invalid choice"),
        ([], "required"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_status_2(
    room: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert flow(*arguments) == 2
    assert said in capsys.readouterr().err


def test_explain_knows_rules_and_action_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert flow("explain", "CF104") == flow("lint", "--explain", "cf104") == 0
    first, second = capsys.readouterr().out.split("CF104 identifier-characters")[1:]
    assert first == second
    assert flow("explain", "Compare") == 0
    assert "ComparisonValue: string; required; one $. reference" in capsys.readouterr().out
    assert flow("explain", "UpdateContactTargetQueue") == 0
    assert (
        "QueueId: string; optional; ARN or id of: queue; static or one $. reference"
        in capsys.readouterr().out
    )
    assert flow("explain") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(RULES)


def test_import_then_render_gives_the_export_back(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(room / "export.json", hard_coded())
    environments = ("--environment", "dev", "--environment", "prod")
    assert flow("import", "export.json", "-o", "template.json", *environments) == 0
    assert "123456789012" not in (room / "template.json").read_text(encoding="utf-8")
    capsys.readouterr()
    assert flow("render", "template.json", "--values", "template.values.json", "--environment", "dev") == 0
    assert json.loads(capsys.readouterr().out) == hard_coded()
    assert flow("render", "template.json", "--values", "template.values.json", "--environment", "prod") == 2
    assert "no value yet in environment prod for Queue" in capsys.readouterr().err
    assert flow("render", "template.json") == 2
    assert "no value for placeholder ${Queue}" in capsys.readouterr().err


def test_diff_fails_when_callers_notice(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(room / "old.json", example_flow("MessageParticipant"))
    new = example_flow("MessageParticipant")
    new["Actions"][0]["Parameters"]["Text"] = "Hi."
    write(room / "new.json", new)
    assert flow("diff", "old.json", "old.json") == 0
    assert flow("diff", "old.json", "new.json", "--format", "markdown") == 1
    assert "`Welcome.` → `Hi.`" in capsys.readouterr().out


def test_diagram_goes_by_the_outputs_name(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(room / "flow.json", example_flow("Loop"))
    assert flow("diagram", "flow.json", "-o", "flow.svg") == 0
    assert (room / "flow.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert flow("diagram", "flow.json") == 0
    assert capsys.readouterr().out.startswith("flowchart TD")


def test_commands_that_do_not_exist_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["fly"]) == 2
    assert "invalid choice: 'fly'" in capsys.readouterr().err
    assert main(["--help"]) == flow("--help") == flow("lint", "--help") == 0


def test_the_command_reads_standard_input_and_loads_neither_cdk_nor_boto(room: Path) -> None:
    script = (
        "import sys; from connect_flows.cli import main; status = main(['lint', '-']);"
        "assert not {'aws_cdk', 'jsii', 'boto3', 'botocore', 'moto'} & set(sys.modules);"
        "sys.exit(status)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=False, input=json.dumps(broken()), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("<stdin>: CF115 error")
