"""The AWS SDK for JavaScript for an app whose functions leave it to Lambda and which has not installed it itself.

Lambda's Node.js runtimes hold the SDK. The CDK's own functions rely on that (emptied buckets, AwsCustomResource, log
retention), in apps of any language: one in Python has no node_modules.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_CODE = frozenset({".js", ".mjs", ".cjs"})
# require("…"), import("…"), from "…", import "…"; in a template the quotes may be escaped.
_IMPORTED = re.compile(r"""(?:require\(|import\(|\bfrom|\bimport)\s*\\?["'](@aws-sdk/[a-z0-9-]+)\\?["']""")
# What AwsCustomResource calls, in a text of JSON in the template: its name in version 2 of the SDK or its package.
_CALLED = re.compile(r"""\\?"service\\?":\s*\\?"([A-Za-z0-9@/_-]+)\\?\"""")
#: Names whose package is not `client-` and the name in lower case.
_PACKAGES = {
    "apigateway": "api-gateway",
    "cloudwatchevents": "cloudwatch-events",
    "cloudwatchlogs": "cloudwatch-logs",
    "cognitoidentityserviceprovider": "cognito-identity-provider",
    "customerprofiles": "customer-profiles",
    "lexmodelsv2": "lex-models-v2",
    "secretsmanager": "secrets-manager",
    "stepfunctions": "sfn",
}


def packages_of(deployed: Path) -> set[str]:
    """Return which packages of the SDK the functions of a cloud assembly or a template import and do not bring."""
    if deployed.is_file():
        return set(_IMPORTED.findall(deployed.read_text(encoding="utf-8-sig")))
    found: set[str] = set()
    for template in deployed.rglob("*.template.json"):
        text = template.read_text(encoding="utf-8")
        found |= set(_IMPORTED.findall(text))
        if '"Custom::AWS"' in text:
            found |= {_package(name) for name in _CALLED.findall(text)}
    for asset in deployed.rglob("asset.*"):
        if asset.is_dir():
            named = {
                name
                for file in _code(asset)
                for name in _IMPORTED.findall(file.read_text("utf-8", "replace"))
            }
            found |= {name for name in named if not (asset / "node_modules" / name).exists()}
    return found


def provide(
    deployed: Path,
    app: Path,
    home: Path,
    *,
    tell: Callable[[str], None],
    environment: Mapping[str, str],
) -> None:
    """Install into `home` what the functions of `deployed` import and neither the app nor `home` has.

    Without npm or a registry nothing is installed; a function that needs it then says so.
    """
    places = [app.resolve(), *app.resolve().parents, home]
    missing = sorted(
        name
        for name in packages_of(deployed)
        if not any((one / "node_modules" / name).exists() for one in places)
    )
    npm = shutil.which("npm", path=environment.get("PATH"))
    if not missing or npm is None:
        return
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "package.json").exists():
        (home / "package.json").write_text(json.dumps({"private": True}))
    command = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *missing]
    tell(f"$ npm {' '.join(command)}  # in {home}: Lambda's Node.js runtimes have it")
    done = subprocess.run(  # noqa: S603  (the app's own package manager)
        [npm, *command],
        cwd=home,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tell(f"npm could not install it: {done.stderr.strip() or done.stdout.strip()}")


def _code(asset: Path) -> Iterator[Path]:
    yield from (
        file for file in asset.rglob("*") if file.suffix in _CODE and "node_modules" not in file.parts
    )


def _package(service: str) -> str:
    if service.startswith("@"):
        return service
    return f"@aws-sdk/client-{_PACKAGES.get(service.lower(), service.lower())}"
