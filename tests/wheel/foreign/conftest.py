"""Somebody who has installed connect-sandbox, and apps that know nothing of this repository."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.wheel.conftest import Installed

APPS = Path(__file__).with_name("apps")
#: What a developer has at home, and what a sandbox must neither read nor change.
AT_HOME = {
    ".aws/config": "[default]\nregion = ap-south-1\n[profile production]\nregion = eu-west-2\n",
    ".aws/credentials": "[default]\naws_access_key_id = mine\naws_secret_access_key = mine\n",
    ".cdk/cache/accounts_partitions.json": "{}\n",
}
#: The template's parameters. The instance was made by hand, as the sandbox takes it for one that no stack makes.
OF_CALLBACKS = (
    "InstanceArn=arn:aws:connect:us-east-1:123456789012:instance/0d9c1c5a-7a39-4b36-8b0e-0c3b3b0f9b11",
    "Alias=harbour-desk",
    "Language=de",
)


@dataclass(frozen=True)
class Stranger:
    """A folder with copies of the apps, a home, and one sandbox for all of them."""

    sandbox: Installed
    folder: Path
    home: Path

    def app(self, name: str) -> Path:
        """An app as it was written, away from this repository."""
        app = self.folder / name
        if not app.exists():
            source = APPS / name
            if source.is_dir():
                shutil.copytree(source, app, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, app)
        return app

    def run(self, command: str, *, status: int = 0, cwd: Path | None = None, path: str = "") -> str:
        """Run a command as this person would; `path`: folders of programs that come first."""
        programs = [path, str(self.sandbox.home / "bin"), str(ROOT / "node_modules/.bin"), os.environ["PATH"]]
        return self.sandbox.run(
            command,
            cwd or self.folder,
            status=status,
            HOME=str(self.home),
            PATH=os.pathsep.join(filter(None, programs)),
            AWS_PROFILE="production",
            # Where jsii keeps what it unpacks, once for all runs.
            XDG_CACHE_HOME=os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            CDK_VALIDATION="false",
            NPM_CONFIG_OFFLINE="true",
        )

    def at_home(self) -> dict[str, str]:
        """What is in the folders of the AWS CLI and of the CDK."""
        files = [
            path for place in (".aws", ".cdk") for path in (self.home / place).rglob("*") if path.is_file()
        ]
        return {str(path.relative_to(self.home)): path.read_text() for path in files}


@pytest.fixture(scope="session")
def stranger(sandbox: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    home = tmp_path_factory.mktemp("home")
    for name, text in AT_HOME.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    someone = Stranger(sandbox, tmp_path_factory.mktemp("apps"), home)
    (someone.folder / ".connect-sandbox").mkdir()  # commands in the apps' folders find this one
    yield someone
    someone.run("connect-sandbox destroy")


@pytest.fixture(scope="session")
def clinic(stranger: Stranger) -> Path:
    """The TypeScript app, with its dependencies installed."""
    app = stranger.app("clinic")
    (app / "node_modules").symlink_to(ROOT / "node_modules")
    (app / "package-lock.json").write_text('{"name": "clinic-line", "lockfileVersion": 3, "packages": {}}\n')
    stranger.run("connect-sandbox deploy", cwd=app)
    return app


@pytest.fixture(scope="session")
def stages(stranger: Stranger) -> Path:
    """The Python app; it has the CDK in an environment of its own, without connect-sandbox's."""
    app = stranger.app("two_stages")
    programs = app / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python3").chmod(0o755)
    stranger.run("connect-sandbox deploy", cwd=app, path=str(programs))
    return app


@pytest.fixture(scope="session")
def callbacks(stranger: Stranger) -> Path:
    """The template, with values for its parameters."""
    app = stranger.app("callbacks.yaml")
    stranger.run(
        f"connect-sandbox deploy callbacks.yaml {' '.join(f'--parameter {one}' for one in OF_CALLBACKS)}"
    )
    return app
