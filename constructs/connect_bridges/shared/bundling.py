"""Lambda bundles without Docker: the handler's own modules and the locked dependencies, the same bytes every time.

A bundle is what a handler imports, found by reading its import statements, plus what runtime/requirements.txt locks
(with hashes; boto3 is left to the Lambda runtime). A package that needs more brings a requirements.txt of its own,
which only its functions get, and a requirements.prune that names what of it is dropped. The dependencies are installed
by pip for Lambda's platform once per lock file and Python version, and kept in a cache folder: set
CONNECT_BRIDGES_CACHE to move it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from connect_bridges.shared.places import data_folder

_PACKAGE = "runtime"
_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
"""What pip calls Lambda's architectures."""
_LAYOUT_VERSION = "1"  # raise it when the way of bundling changes what is in the zip
_UNWANTED = ("*.dist-info", "__pycache__", "bin", "*.pyi", "py.typed")


class BundlingError(RuntimeError):
    """A Lambda bundle could not be made; the message says which, why, and what to do."""


def runtime_code(module: str, python: str, architecture: str = "arm64") -> lambda_.Code:
    """Return the code asset of a handler module below ``runtime``.

    python: the Lambda runtime's name, as in ``python3.14``. architecture: Lambda's name for it, arm64 or x86_64.
    The asset hash depends on the handler's modules, the lock file, Python version and architecture only, so that the
    same sources give the same template anywhere, and an unchanged handler is neither bundled nor uploaded again.
    """
    platform = _PLATFORMS[architecture]
    files = source_closure(module)
    locks = lock_files(module)
    prunes = [lock.with_suffix(".prune") for lock in locks if lock.with_suffix(".prune").is_file()]
    return lambda_.Code.from_asset(
        str(data_folder(_PACKAGE)),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=_digest([*locks, *prunes, *files], salt=f"{_LAYOUT_VERSION}/{python}/{platform}"),
        bundling=cdk.BundlingOptions(
            # The CDK asks for an image, and would use it only if the local way refused; it raises instead.
            image=cdk.DockerImage.from_registry("not-used"),
            local=_LocalBundling(files, locks, python, platform),  # type: ignore[arg-type] # jsii passes options as one value
        ),
    )


def lock_files(module: str) -> tuple[Path, ...]:
    """Return the lock files of a handler module: everybody's, and that of the handler's package if it has one."""
    everybodys = data_folder(_PACKAGE) / "requirements.txt"
    own = data_folder(_PACKAGE) / module.split(".", maxsplit=1)[0] / "requirements.txt"
    return (everybodys, own) if own.is_file() else (everybodys,)


@cache
def source_closure(module: str) -> tuple[Path, ...]:
    """Return the files of ``runtime`` that a handler module needs, itself included, sorted.

    Packages count with their ``__init__``. Raises ``BundlingError`` for a module that does not exist.
    """
    found: set[Path] = set()
    waiting = [f"{_PACKAGE}.{module}"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or not (name == _PACKAGE or name.startswith(f"{_PACKAGE}.")):
            continue
        seen.add(name)
        path = _file_of(name)
        if path is None:
            if name == f"{_PACKAGE}.{module}":
                raise BundlingError(
                    f"There is no module {name} to bundle; look for its file in {data_folder(_PACKAGE)}."
                )
            continue  # `from package import name` where name is no module
        found.add(path)
        waiting.append(name.rpartition(".")[0])
        waiting.extend(_imports(path, name))
    return tuple(sorted(found))


def _imports(path: Path, module: str) -> list[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (
                importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                if node.level
                else node.module
            )
            names.append(base or "")
            names.extend(f"{base}.{alias.name}" for alias in node.names)
    return names


def _file_of(module: str) -> Path | None:
    path = data_folder(_PACKAGE).joinpath(*module.removeprefix(_PACKAGE).strip(".").split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@jsii.implements(cdk.ILocalBundling)
class _LocalBundling:
    """What the CDK calls, when it needs the bundle, with the folder to fill."""

    def __init__(
        self,
        files: tuple[Path, ...],
        locks: tuple[Path, ...],
        python: str,
        platform: str = _PLATFORMS["arm64"],
    ) -> None:
        self._files = files
        self._locks = locks
        self._python = python
        self._platform = platform

    def try_bundle(self, output_dir: str, options: Any) -> bool:  # noqa: ANN401, ARG002 (jsii passes both by position)
        target = Path(output_dir)
        for lock in self._locks:
            shutil.copytree(_dependencies(lock, self._python, self._platform), target, dirs_exist_ok=True)
        for file in self._files:
            place = target / _PACKAGE / file.relative_to(data_folder(_PACKAGE))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        return True


def _dependencies(lock: Path, python: str, platform: str = _PLATFORMS["arm64"]) -> Path:
    """Return a folder with the locked dependencies, installed on first need and shared by all functions."""
    prune = lock.with_suffix(".prune")
    inputs = [lock, prune] if prune.is_file() else [lock]
    kept = _cache_root() / _digest(inputs, salt=f"{_LAYOUT_VERSION}/{python}/{platform}")
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as work:
        fresh = Path(work) / "site"
        _pip_install(lock, python, platform, fresh)
        unwanted = [path for pattern in _UNWANTED for path in sorted(fresh.rglob(pattern))]
        unwanted += [path for pattern in _prune_list(prune) for path in sorted(fresh.glob(pattern))]
        for path in unwanted:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        try:
            fresh.rename(kept)
        except OSError:
            if not kept.is_dir():  # somebody else was faster: theirs is the same
                raise
    return kept


def _prune_list(file: Path) -> list[str]:
    """Return the globs of a prune list, one a line, relative to where the packages are installed."""
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _pip_install(lock: Path, python: str, platform: str, target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"),
        *(
            "--platform",
            platform,
            "--implementation",
            "cp",
            "--python-version",
            python.removeprefix("python"),
        ),
        *("--target", str(target), "--requirement", str(lock)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise BundlingError(
            f"pip could not install the Lambda dependencies of {lock.name} for {python}: "
            f"{done.stderr.strip() or done.stdout.strip()}. Synthesis needs pip and a package index on first use; "
            f"afterwards it takes them from {_cache_root()}."
        )


def _cache_root() -> Path:
    configured = os.environ.get("CONNECT_BRIDGES_CACHE")
    if configured:
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "connect-bridges" / "bundles"


def _digest(files: list[Path], *, salt: str) -> str:
    digest = hashlib.sha256(salt.encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(data_folder(_PACKAGE)).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
