"""Each wheel, installed alone in a fresh environment, is enough for the first example of its README."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.documents import shown_commands, write_files
from tests.wheel.conftest import Installed

pytestmark = pytest.mark.wheel

README = {
    "connect-flows": ROOT / "packages/connect-flows/README.md",
    "connect-sandbox": ROOT / "packages/connect-sandbox/README.md",
    "connect-bridges": ROOT / "constructs/README.md",
}
VENDORS = re.compile(r"kore|voiceit|twilio", re.IGNORECASE)


def follow(installed: Installed, folder: Path) -> int:
    """Do what the README says, in order; return how many commands it shows."""
    document = README[installed.distribution].read_text(encoding="utf-8")
    assert write_files(document, folder)
    shown = list(shown_commands(document))
    for one in shown:
        # The first example of the flow tools is a flow with a mistake.
        status = {"connect-flows lint": 1, "connect-flows diff": 1}.get(" ".join(one.command.split()[:2]), 0)
        printed = installed.run(one.command, folder, status=status)
        assert one.matches(printed), f"$ {one.command}\n{printed}\nshown:\n{one.output}"
    return len(shown)


def bundled(assembly: Path) -> set[str]:
    """Return the names of what the functions of a cloud assembly consist of, in folders and in zips."""
    names: set[str] = set()
    for asset in assembly.glob("asset.*"):
        if asset.is_dir():
            names |= {str(file.relative_to(asset)) for file in asset.rglob("*")}
        elif asset.suffix == ".zip":
            with zipfile.ZipFile(asset) as archive:
                names |= set(archive.namelist())
    return names


def test_the_flow_tools_bring_no_other_package(flows: Installed) -> None:
    assert flows.packages == {"connect-flows"}


def test_the_readme_of_the_flow_tools_works_as_it_stands(flows: Installed, tmp_path: Path) -> None:
    assert follow(flows, tmp_path) >= 6
    example = re.search(r"```python\n(.*?)```", README["connect-flows"].read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / "example.py").write_text(example[1])
    printed = flows.run("python example.py", tmp_path).splitlines()
    assert printed[:2] == re.findall(r"# (CF205.*|\['welcome'\])$", example[1], re.MULTILINE)


def test_a_picture_needs_nothing_else(flows: Installed, tmp_path: Path) -> None:
    flow = ROOT / "flows/external_voice_transfer.json"
    assert flows.run(f"connect-flows diagram {flow} -o flow.svg", tmp_path) == ""
    assert (tmp_path / "flow.svg").read_text().startswith("<svg ")


def test_pull_without_its_extra_says_what_to_install(flows: Installed, tmp_path: Path) -> None:
    for asked in ("connect-flows pull center --instance 1 2>&1", "connect-flows push center 2>&1"):
        assert "pip install 'connect-flows[aws]'" in flows.run(asked, tmp_path, status=2)


@pytest.mark.timeout(180)  # two sandboxes and a dozen commands
def test_the_readme_of_the_sandbox_works_as_it_stands(sandbox: Installed, tmp_path: Path) -> None:
    assert follow(sandbox, tmp_path) >= 3
    assert "1 passed" in sandbox.run("python -m pytest -q test_deploy.py", tmp_path)


def test_the_sandbox_brings_no_constructs_and_no_cdk(sandbox: Installed) -> None:
    assert {"connect-flows", "connect-sandbox", "moto"} <= sandbox.packages
    assert not sandbox.packages & {"connect-bridges", "aws-cdk-lib", "constructs", "jsii"}


def test_the_sandbox_names_no_vendor(sandbox: Installed) -> None:
    texts = [name for name in sandbox.files if name.endswith((".py", ".mjs", ".json"))]
    assert [name for name in texts if VENDORS.search(name + sandbox.text(name))] == []


def test_the_readme_of_the_bridges_works_as_it_stands(bridges: Installed, tmp_path: Path) -> None:
    assert follow(bridges, tmp_path) == 2
    template = json.loads((tmp_path / "cdk.out/support-line.template.json").read_text())
    made = [resource["Type"] for resource in template["Resources"].values()]
    assert made.count("AWS::ApiGateway::RestApi") == made.count("AWS::Connect::ContactFlow") == 1


def test_the_bridges_bring_no_emulator_and_no_sdk(bridges: Installed) -> None:
    assert {"connect-bridges", "connect-flows", "aws-cdk-lib"} <= bridges.packages
    assert not bridges.packages & {"connect-sandbox", "moto", "boto3", "botocore"}
    for command in ("caller erase", "doctor --app cdk.out", "handoff --stack s", "smoke --stack s"):
        assert f"{command.split()[0]} needs boto3: pip install 'connect-bridges[cli]'" in bridges.run(
            f"connect-bridges {command} 2>&1", bridges.home, status=2
        )
    export = ROOT / "examples/console_exports/Main inbound.json"
    new = f"connect-bridges new app --from '{export}' 2>&1"
    assert "pip install 'connect-bridges[new]'" in bridges.run(new, bridges.home, status=1)


def test_doctor_is_in_the_wheel_and_needs_nothing_of_the_app(bridges: Installed) -> None:
    package = "connect_bridges/operations/doctor/"
    modules = {path.name for path in (ROOT / "constructs" / package).iterdir() if path.is_file()}
    assert {name.removeprefix(package) for name in bridges.files if name.startswith(package)} == modules
    imported = re.compile(r"^(?:from|import) (stacks|aws_cdk|connect_sandbox)\b", re.MULTILINE)
    assert {name: imported.findall(bridges.text(package + name)) for name in modules} == {
        key: [] for key in modules
    }


@pytest.mark.parametrize(
    ("example", "types"),
    [
        (
            "own_app",
            {
                "AWS::Connect::ContactFlow": 2,
                "AWS::Connect::ContactFlowModule": 1,
                "Custom::ExternalVoiceConnector": 1,
            },
        ),
        ("own_voice_check", {"AWS::Connect::ContactFlow": 2, "AWS::Connect::ContactFlowModule": 1}),
    ],
)
def test_an_app_of_ones_own_synthesizes(
    bridges: Installed, tmp_path: Path, example: str, types: dict[str, int]
) -> None:
    app = shutil.copytree(ROOT / "examples" / example, tmp_path / example)
    out = tmp_path / "out"
    bridges.run("python app.py", app, CDK_OUTDIR=str(out))

    (template,) = out.glob("*.template.json")
    resources = json.loads(template.read_text())["Resources"].values()
    made = [resource["Type"] for resource in resources]
    assert {kind: made.count(kind) for kind in types} == types
    assert any(name.startswith("runtime/shared/") for name in bundled(out))


def test_the_wheels_hold_their_own_and_nothing_of_the_app(
    flows: Installed, sandbox: Installed, bridges: Installed
) -> None:
    for installed in (flows, sandbox, bridges):
        package = installed.distribution.replace("-", "_")
        tops = {name.split("/")[0] for name in installed.files}
        (metadata,) = tops - {package}
        assert metadata == f"{package}-{installed.wheel.name.split('-')[1]}.dist-info"
        assert f"{package}/py.typed" in installed.files
        assert f"{metadata}/licenses/LICENSE" in installed.files
        strangers = re.compile(r"/(stacks|tests|rehearsals|bench|__pycache__)/|/app\.py$|\.pyc$")
        assert [name for name in installed.files if strangers.search(name)] == []
        assert installed.text(f"{metadata}/METADATA").rstrip() != ""


def test_the_bridges_hold_runtime_and_flows_as_data(bridges: Installed) -> None:
    data = {name.removeprefix("connect_bridges/_data/") for name in bridges.files if "/_data/" in name}
    tracked = {
        str(path.relative_to(ROOT))
        for folder in ("runtime", "flows")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data == tracked


def test_the_bridges_say_what_could_not_be_proved(bridges: Installed, tmp_path: Path) -> None:
    page = bridges.run("python -m connect_bridges.operations.evidence", tmp_path)
    assert page == (ROOT / "docs/evidence.md").read_text(encoding="utf-8")


def test_the_description_on_the_index_has_no_link_that_leads_nowhere(
    flows: Installed, sandbox: Installed, bridges: Installed
) -> None:
    for installed in (flows, sandbox, bridges):
        (metadata,) = (name for name in installed.files if name.endswith(".dist-info/METADATA"))
        relative = re.findall(r"\]\((?!https://|#)([^)]*)\)", installed.text(metadata))
        assert relative == [], f"{installed.distribution}: {relative}"
