"""Which packages of the AWS SDK the functions of an app leave to Lambda, and how they get there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from connect_sandbox.workbench.sdk import packages_of, provide

INLINE = "const { S3 } = require('@aws-sdk/client-s3');"
CALL = '{"service":"CloudWatchLogs","action":"putRetentionPolicy"}'


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A cloud assembly: a function in the template, two in folders, a call by AwsCustomResource."""
    out = tmp_path / "app/cdk.out"
    resources = {
        "Inline": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": INLINE}}},
        "Call": {"Type": "Custom::AWS", "Properties": {"Create": CALL}},
        "ByPackage": {
            "Type": "Custom::AWS",
            "Properties": {"Create": '{"service":"@aws-sdk/client-connect"}'},
        },
    }
    files = {
        "line.template.json": json.dumps({"Resources": resources}),
        "asset.1/index.mjs": 'import{DynamoDBClient as D}from"@aws-sdk/client-dynamodb";export const handler=0',
        "asset.1/notes.txt": 'require("@aws-sdk/client-ec2")',
        "asset.2/index.js": 'require("@aws-sdk/client-sqs"); const text = "@aws-sdk/client-iam";',
        "asset.2/node_modules/@aws-sdk/client-sqs/index.js": 'require("@aws-sdk/core")',
    }
    for name, text in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    return out


def test_what_functions_import_and_do_not_bring_is_found(assembly: Path, tmp_path: Path) -> None:
    assert packages_of(assembly) == {
        f"@aws-sdk/client-{name}" for name in ("cloudwatch-logs", "connect", "dynamodb", "s3")
    }
    template = tmp_path / "line.yaml"
    template.write_text(f"Code:\n  ZipFile: |\n    {INLINE}\n")
    assert packages_of(template) == {"@aws-sdk/client-s3"}


def test_what_the_app_has_not_installed_is_installed_beside_the_sandbox(
    assembly: Path, tmp_path: Path
) -> None:
    programs, home = tmp_path / "bin", tmp_path / "app/.connect-sandbox"
    programs.mkdir()
    # It does what npm does, without a registry.
    (programs / "npm").write_text(
        '#!/bin/sh\necho "$@" >> asked\n'
        'for name; do case $name in @*) mkdir -p "node_modules/$name";; esac; done\n'
    )
    (programs / "npm").chmod(0o755)
    for name in ("client-dynamodb", "client-connect"):
        (tmp_path / "node_modules/@aws-sdk" / name).mkdir(parents=True)
    told: list[str] = []
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for _ in range(2):  # the second time it is there
        provide(assembly, assembly.parent, home, tell=told.append, environment=environment)
    (asked,) = (home / "asked").read_text().splitlines()
    assert asked.endswith(
        "--ignore-scripts --loglevel=error @aws-sdk/client-cloudwatch-logs @aws-sdk/client-s3"
    )
    assert [line.split()[:3] for line in told] == [["$", "npm", "install"]]

    (programs / "npm").write_text("#!/bin/sh\necho no such registry >&2; exit 1\n")
    provide(assembly, assembly.parent, tmp_path / "elsewhere", tell=told.append, environment=environment)
    assert told[-1] == "npm could not install it: no such registry"


def test_without_npm_nothing_is_installed(assembly: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    provide(assembly, assembly.parent, home, tell=pytest.fail, environment={"PATH": str(tmp_path)})
    assert not home.exists()
