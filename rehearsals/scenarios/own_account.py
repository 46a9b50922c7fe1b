"""An account of a scenario's own, and the commands that people run in it: connect-bridges, the CDK's, the AWS CLI's."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import boto3
from connect_sandbox.cloud import Sandbox
from connect_sandbox.cloud.cdk_cli import find_cdk, run_cdk

from rehearsals.scenarios.aws_command import call
from rehearsals.scenarios.command_process import CommandProcess
from rehearsals.vendors.process import VendorProcess


class OwnAccount(VendorProcess):
    """A sandbox in a process of its own, as a context manager. `more` are environment variables of its commands."""

    module = "rehearsals.scenarios.account_process"
    name = "the scenario's own account"

    def __init__(self, sandbox: Sandbox, project: Path) -> None:
        """`sandbox` is the shared one, whose environment the commands get but for the endpoint."""
        super().__init__()
        self._shared = sandbox
        self._project = project
        self._commands = CommandProcess()
        self.more: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start the account, and the process that runs commands in it."""
        self._commands.__enter__()
        return super().__enter__()

    def _stop(self) -> None:
        self._commands.__exit__(None, None, None)
        super()._stop()

    def environment(self) -> dict[str, str]:
        """Return the environment that points a command at this account."""
        return {
            **self._shared.environment(),
            "AWS_ENDPOINT_URL": f"http://localhost:{self.port}",
            **self.more,
        }

    def told(self, name: str, content: Any = None) -> Any:  # noqa: ANN401 (JSON)
        """Tell the account something (account_process.py); return its answer."""
        return self.command(name, content)["answer"]

    def client(self, service: str) -> Any:  # noqa: ANN401 (a boto3 client)
        """Return a boto3 client with the developer's permissions."""
        return boto3.client(
            service,
            endpoint_url=f"http://localhost:{self.port}",
            region_name=self._shared.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  (nobody checks it)
        )

    def bridges(self, *arguments: str, **credentials: str) -> subprocess.CompletedProcess[str]:
        """Run connect-bridges as people do, with these credentials if there are any."""
        return subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", "connect_bridges.cli", *arguments],
            env={**self.environment(), **credentials},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )

    def bridges_again(self, *arguments: str, **credentials: str) -> subprocess.CompletedProcess[str]:
        """Run connect-bridges in the interpreter that has run it before: much sooner."""
        status, output, errors = self._commands.run(arguments, {**self.environment(), **credentials})
        return subprocess.CompletedProcess(arguments, status, output, errors)

    def cdk(self, *arguments: str) -> str:
        """Run the CDK's command line in the project; CdkFailedError if it fails.

        bootstrap has no use for the app, which the CDK would synthesize first, and runs elsewhere.
        """
        with tempfile.TemporaryDirectory() as elsewhere:
            run = run_cdk(
                arguments,
                command=find_cdk(self._project),
                cwd=Path(elsewhere) if arguments[0] == "bootstrap" else self._project,
                environment=self.environment(),
            )
        return run.output

    def aws(self, command: str, files: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 (boto3's answer)
        """Run a command line of the AWS CLI; `files` are what file://NAME holds."""
        return call(command, self.client, files or {})

    def role(self, name: str, policy: Mapping[str, Any]) -> dict[str, str]:
        """Make a role with exactly this policy; return a session's credentials, as environment variables."""
        account = self._shared.account
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
        session = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="doctor")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }
