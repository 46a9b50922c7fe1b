"""Install the oldest aws-cdk-lib, constructs and jsii that pyproject.toml allows, and synthesize every construct.

In build/oldest, a virtual environment that is kept: the first run downloads about 100 MB, later ones take seconds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from tests.support import ROOT

_HOME = ROOT / "build" / "oldest"
_BOUND = re.compile(r"(?P<name>[a-z-]+)>=(?P<version>[0-9.]+),<[0-9.]+")


def oldest() -> list[str]:
    """Return the lower bounds of the distribution connect-bridges, as pip pins: ``aws-cdk-lib==2.222.0``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [_BOUND.fullmatch(requirement) for requirement in project["dependencies"]]
    return [f"{bound['name']}=={bound['version']}" for bound in found if bound]


def main() -> int:
    """Return 0 if everything synthesizes, otherwise the status of what failed."""
    pins = oldest()
    python = _HOME / "bin" / "python"
    mark = _HOME / "pins"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != "\n".join(pins):
        venv.create(_HOME, with_pip=True, clear=True)
        installed = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins], check=False
        )
        if installed.returncode:
            return installed.returncode
        mark.write_text("\n".join(pins), encoding="utf-8")
    sys.stdout.write(f"{', '.join(pins)}\n")
    sys.stdout.flush()
    roots = os.pathsep.join(str(ROOT / part) for part in ("constructs", "packages/connect-flows/src"))
    app = Path(__file__).with_name("app.py")
    environment = {
        **os.environ,
        "PYTHONPATH": roots,
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "20",
    }
    return subprocess.run([python, app], cwd=_HOME, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
