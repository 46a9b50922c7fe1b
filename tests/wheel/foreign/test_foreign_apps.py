"""Apps of strangers deploy and are called with the wheel of connect-sandbox alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.wheel.foreign.conftest import AT_HOME, OF_CALLBACKS, Stranger

pytestmark = pytest.mark.wheel


def test_a_typescript_app_is_called_and_its_node_functions_run(clinic: Path, stranger: Stranger) -> None:
    first = stranger.run("echo 1 | connect-sandbox call Reception", cwd=clinic)
    # The patient was put there by a custom resource of the CDK, the visit is counted with the AWS SDK.
    assert "“Welcome to Harbour Dental, Grace. This is your visit 4.”" in first
    assert "“See you on Monday.”" in first
    again = stranger.run("echo 1 | connect-sandbox call Reception --number +12065550100", cwd=clinic)
    assert "“Welcome to Harbour Dental, stranger. This is your visit 1.”" in again


def test_what_its_functions_throw_and_never_answer_is_told(clinic: Path, stranger: Stranger) -> None:
    thrown = stranger.run("echo 2 | connect-sandbox call Reception", cwd=clinic)
    assert "gives no answer: NoAppointment: +12065550142 has no appointment" in thrown
    assert "“Our desk does not answer.”" in thrown
    late = stranger.run("echo 3 | connect-sandbox call Reception", cwd=clinic)
    assert "Error: Task timed out after 1.00 seconds; takes the branch NoMatchingError" in late
    assert "“Our desk does not answer.”" in late


def test_a_python_app_with_two_stages_is_called_in_each(stages: Path, stranger: Stranger) -> None:
    told = json.loads(stranger.run("connect-sandbox status --json", cwd=stages))
    flows = {one["name"]: one["outputs"].get("Flow") for one in told["stacks"]}
    assert "“This is a test.”" in stranger.run(f"connect-sandbox call {flows['test-line']}", cwd=stages)
    live = stranger.run(f"connect-sandbox call {flows['live-line']}", cwd=stages)
    assert "“Good day.”" in live
    assert re.search(r"“Your ticket is [0-9a-f]{4}\.”", live)
    both = stranger.run("connect-sandbox call Enquiries 2>&1", cwd=stages, status=2)
    assert "2 flows are called 'Enquiries': give the ARN of one" in both


def test_a_cloud_assembly_is_deployed_with_one_stack_of_a_stage(stages: Path, stranger: Stranger) -> None:
    assert stages.exists()
    # The assembly that the CDK wrote for it, as any language's CDK writes them: Java's, too.
    (written,) = (stranger.folder / ".connect-sandbox/files").glob("cdk.out.*two-stages")
    assembly = shutil.copytree(written, stranger.folder / "cdk.out")
    told = stranger.run(f"connect-sandbox deploy {assembly} --stack live/line")
    assert "stack  live-line  CREATE_COMPLETE" in told
    assert "stack  test-line" not in told
    unknown = stranger.run(f"connect-sandbox deploy {assembly} --stack live 2>&1", status=2)
    assert re.search(r"has no stack live; it has (live-line, test-line|test-line, live-line)", unknown)


def test_a_template_is_called(callbacks: Path, stranger: Stranger) -> None:
    assert callbacks.exists()
    shown = stranger.run("connect-sandbox call 'Harbour callbacks' --number +12065550177")
    assert "“Wir rufen zurück.”" in shown
    assert "“Notiert als Nummer 0177.”" in shown
    taken = f"--parameter {OF_CALLBACKS[0]} --parameter Alias=amazon"
    refused = stranger.run(f"connect-sandbox deploy callbacks.yaml {taken} 2>&1", status=1)
    assert "rule OwnAlias: the alias is taken" in refused


JAVA = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Greet:
    Type: AWS::Lambda::Function
    Properties:
      {Runtime: java21, Handler: "com.example.Line::greet", Role: !GetAtt Role.Arn, Code: {ZipFile: "class Line {}"}}
"""


def test_java_functions_are_refused_by_name(stranger: Stranger) -> None:
    (stranger.folder / "java.yaml").write_text(JAVA)
    printed = stranger.run("connect-sandbox deploy java.yaml 2>&1", status=1)
    assert "Greet: the sandbox does not emulate AWS::Lambda::Function Runtime=java21" in printed
    assert "it runs python3.x and nodejsNN.x from a zip" in printed
    rest = stranger.run("connect-sandbox deploy java.yaml --tolerate AWS::Lambda::Function")
    assert "stack  java  CREATE_COMPLETE" in rest
    assert re.search(r"not rehearsed  java/Greet  AWS::Lambda::Function: .*Runtime=java21", rest)


def test_nothing_is_changed_at_home(clinic: Path, stages: Path, stranger: Stranger) -> None:
    assert not (clinic / "cdk.out").exists()
    assert not (stages / "cdk.out").exists()
    # The CDK's library keeps there which files it has seen, wherever its command line is told to keep its things.
    left = {name: text for name, text in stranger.at_home().items() if "/fingerprints/" not in name}
    assert left == AT_HOME
