"""Lambda bundles without Docker: the handler's own modules and the locked dependencies, zipped, the same every time.

A bundle is what a handler imports, found by reading its import statements, plus what runtime/requirements.txt locks
(with hashes; boto3 is left to the Lambda runtime). A package that needs more brings a requirements.txt of its own,
which only its functions get, and a requirements.prune that names what of it is dropped. The dependencies are installed
by pip, or by uv where there is no pip, for Lambda's platform: once per lock file, Python version and architecture.
They and the finished zips are kept in a cache folder: set CONNECT_BRIDGES_CACHE to move it. The cache is not believed:
the dependencies must be, to the byte, what requirements.sum beside the lock file says, or they are installed anew; a
zip is put together in memory every time, and a kept one that differs is replaced. After a change of a lock file,
``python -m connect_bridges.shared.bundling`` writes the sums.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import io
import logging
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from connect_bridges.shared.places import data_folder
from constructs import Construct

_PACKAGE = "runtime"
_MANYLINUX = "manylinux2014"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_LAYOUT_VERSION = "2"  # raise it when the way of bundling changes what is in the zip
_UNWANTED = ("*.dist-info", "__pycache__", "bin", "*.pyi", "py.typed", ".lock")
_ZIP_KEPT_SECONDS = 30 * 24 * 3600
_LOG = logging.getLogger(__name__)
_LOCAL_HEADER_BYTES = 30
_PACKED: dict[bytes, bytes] = {}
"""How contents of files are compressed."""
_VERIFIED: dict[Path, dict[str, bytes]] = {}
"""Contents of the folders of dependencies that this process has read and found to be right."""


class BundlingError(RuntimeError):
    """A Lambda bundle could not be made; the message says which, why, and what to do."""


def runtime_code(
    module: str, python: str, architecture: str = "arm64", *, scope: Construct | None = None
) -> lambda_.Code:
    """Return the code asset of a handler module below ``runtime``.

    python: the Lambda runtime's name, as in ``python3.14``. architecture: Lambda's name of it, ``arm64`` or
    ``x86_64``. scope: where the function is defined; with it the bundle is made at once, and handed over as a file.
    The asset hash depends on the handler's modules, the lock files, the Python version and the architecture only, so
    that the same sources give the same template anywhere, and an unchanged handler is neither bundled nor uploaded
    again. A stack that a command leaves out is not bundled.
    Raises ``BundlingError`` for a module or an architecture that does not exist.
    """
    bundle = _Bundle.of(module, python, architecture)
    if scope is not None and cdk.Stack.of(scope).bundling_required:
        return lambda_.Code.from_asset(
            str(bundle.archive()), asset_hash_type=cdk.AssetHashType.CUSTOM, asset_hash=bundle.digest
        )
    return lambda_.Code.from_asset(
        str(data_folder(_PACKAGE)),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=bundle.digest,
        bundling=cdk.BundlingOptions(
            # The CDK asks for an image, and would use it only if the local way refused; it raises instead.
            image=cdk.DockerImage.from_registry("not-used"),
            local=_LocalBundling(bundle),  # type: ignore[arg-type] # jsii passes options as one value
            # One file to hand over: the CDK would copy, hash and zip hundreds.
            output_type=cdk.BundlingOutput.ARCHIVED,
        ),
    )


def bundle_zip(module: str, python: str, architecture: str = "arm64") -> Path:
    """Return the zip that Lambda gets for a handler module, made on first need; leave the file as it is.

    Takes and raises what ``runtime_code`` does, and raises ``BundlingError`` if the dependencies cannot be installed.
    """
    return _Bundle.of(module, python, architecture).archive()


def lock_files(module: str) -> tuple[Path, ...]:
    """Return the lock files of a handler module: the shared one, and that of the handler's package if it has one."""
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
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting.extend(_imports(path.read_text(encoding="utf-8"), package))
    return tuple(sorted(found))


@cache
def _imports(source: str, package: str) -> tuple[str, ...]:
    """Return the names that a module of ``package`` imports anywhere, some of which may be no modules."""
    names: list[str] = []
    for node in _statements(ast.parse(source).body):
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
    return tuple(names)


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements and those within them; expressions, which hold no import, are most of a tree and left out."""
    for node in nodes:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, part, ()))


def _file_of(module: str) -> Path | None:
    path = data_folder(_PACKAGE).joinpath(*module.removeprefix(_PACKAGE).strip(".").split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@jsii.implements(cdk.ILocalBundling)
class _LocalBundling:
    """What the CDK calls, when it needs the bundle, with the folder to put its zip into."""

    def __init__(self, bundle: _Bundle) -> None:
        self._bundle = bundle

    def try_bundle(self, output_dir: str, options: Any) -> bool:  # noqa: ANN401, ARG002 (jsii passes both by position)
        # A copy, not a link: what is done to the cloud assembly must not reach the cache.
        shutil.copyfile(self._bundle.archive(), Path(output_dir) / "bundle.zip")
        return True


@dataclass(frozen=True)
class _Bundle:
    """What goes into one function's zip."""

    files: tuple[Path, ...]
    locks: tuple[Path, ...]
    python: str
    architecture: str

    @classmethod
    def of(cls, module: str, python: str, architecture: str) -> _Bundle:
        if architecture not in _MACHINES:
            raise BundlingError(
                f"Lambda has no architecture {architecture!r}; choose one of {', '.join(_MACHINES)}."
            )
        return cls(source_closure(module), lock_files(module), python, architecture)

    @property
    def digest(self) -> str:
        """Stands for the contents, on any machine."""
        prunes = [lock.with_suffix(".prune") for lock in self.locks if lock.with_suffix(".prune").is_file()]
        return _digest([*self.locks, *prunes, *self.files], self.python, self.architecture)

    def archive(self) -> Path:
        """Return the zip in the cache, which is made, or made anew, unless it is the right one to the byte."""
        kept = _cache_root() / f"function-{self.digest}.zip"
        entries = self.contents()
        if kept.is_symlink() or kept.exists():
            found = b"" if kept.is_symlink() else kept.read_bytes()
            _learn(found, entries)
            if found == (content := _zipped(entries)):
                return kept
            _LOG.warning("%s is not what its sources give: made anew", kept)
        else:
            content = _zipped(entries)
            _discard_old_zips(kept.parent)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as work:
            fresh = Path(work) / kept.name
            fresh.write_bytes(content)
            fresh.replace(kept)  # somebody else may have been faster: theirs is the same
        return kept

    def contents(self) -> dict[str, bytes]:
        """Return what is in the zip, by name. Raises BundlingError."""
        entries: dict[str, bytes] = {}
        for lock in self.locks:
            entries |= _dependencies(lock, self.python, self.architecture)
        for file in self.files:
            entries[f"{_PACKAGE}/{file.relative_to(data_folder(_PACKAGE)).as_posix()}"] = file.read_bytes()
        return entries


def _zipped(entries: dict[str, bytes]) -> bytes:
    """Return a zip of files, sorted, without dates and owners: the same files give the same bytes.

    Not by zipfile, which would compress the dependencies for each function again, a second for an app.
    Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.4.
    """
    files, directory = bytearray(), bytearray()
    for name, content in sorted(entries.items()):
        packed, encoded = _deflated(content), name.encode()
        # Version needed, names in UTF-8, deflate, midnight of 1980-01-01.
        facts = struct.pack(
            "<5H3L2H", 20, 0x800, 8, 0, 33, zlib.crc32(content), len(packed), len(content), len(encoded), 0
        )
        # Made on Unix; readable by all, for Lambda runs as another user.
        directory += struct.pack("<LH", 0x02014B50, 3 << 8 | 20) + facts
        directory += struct.pack("<3H2L", 0, 0, 0, 0o100644 << 16, len(files)) + encoded
        files += struct.pack("<L", 0x04034B50) + facts + encoded + packed
    end = struct.pack("<L4H2LH", 0x06054B50, 0, 0, len(entries), len(entries), len(directory), len(files), 0)
    return bytes(files + directory + end)


def _deflated(content: bytes) -> bytes:
    if content not in _PACKED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        _PACKED[content] = packer.compress(content) + packer.flush()
    return _PACKED[content]


def _learn(archive: bytes, entries: dict[str, bytes]) -> None:
    """Take from a zip how files are compressed, where it unpacks to just these: that costs a tenth of compressing.

    Nothing else of it is believed. So a zip that another version of zlib made is not taken for a changed one.
    """
    try:
        listed = zipfile.ZipFile(io.BytesIO(archive)).infolist()
    except (zipfile.BadZipFile, ValueError):
        return
    for entry in listed:
        content = entries.get(entry.filename)
        if content is None or content in _PACKED:
            continue
        start = entry.header_offset + _LOCAL_HEADER_BYTES + len(entry.filename.encode())
        packed = archive[start : start + entry.compress_size]
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        with contextlib.suppress(zlib.error):
            same = unpacker.decompress(packed, len(content) + 1) == content
            if same and unpacker.eof and not unpacker.unused_data:
                _PACKED[content] = packed


def _discard_old_zips(folder: Path) -> None:
    """Remove zips of a month ago: every change of a handler leaves one, and one still in use is soon made again."""
    oldest = time.time() - _ZIP_KEPT_SECONDS
    for path in folder.glob("*.zip"):
        with contextlib.suppress(FileNotFoundError):  # another process may tidy up too
            if path.stat().st_mtime < oldest:
                path.unlink()


def _dependencies(lock: Path, python: str, architecture: str) -> dict[str, bytes]:
    """Return the locked dependencies' files by name, as kept in the cache or installed. Raises BundlingError.

    They are compared with the sum of the lock file when a process reads them first, and kept in its memory.
    """
    prune = lock.with_suffix(".prune")
    inputs = [lock, prune] if prune.is_file() else [lock]
    kept = _cache_root() / _digest(inputs, python, architecture)
    if kept not in _VERIFIED:
        _VERIFIED[kept] = _kept(kept, lock) or _installed(kept, lock, python, architecture)
    return _VERIFIED[kept]


def _kept(kept: Path, lock: Path) -> dict[str, bytes]:
    """Return what is in a folder of the cache, nothing if it is not there or was changed: then it goes."""
    if not kept.is_dir():
        return {}
    found = _files_in(kept)
    if _sum(found) == _expected(lock):
        return found
    _LOG.warning("%s is not what %s says: it is discarded, and installed anew", kept, _sums(lock).name)
    with tempfile.TemporaryDirectory(dir=kept.parent) as work, contextlib.suppress(FileNotFoundError):
        kept.rename(Path(work) / "changed")  # another process may have been faster
    return {}


def _installed(kept: Path, lock: Path, python: str, architecture: str) -> dict[str, bytes]:
    """Install the locked dependencies into a folder of the cache, and return their files."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as work:
        fresh = Path(work) / "site"
        found = _pruned(lock, python, architecture, fresh)
        if _sum(found) != _expected(lock):
            raise BundlingError(
                f"What was installed from {lock.name} for {python} on {architecture} is not what "
                f"{_sums(lock).name} says. If nobody changed {lock.name}, do not deploy: look at the package index and "
                f"the installer. If somebody did, write the sums anew: {sys.executable} -m {__spec__.name}"
            )
        try:
            fresh.rename(kept)
        except OSError:
            if not kept.is_dir():  # somebody else was faster; what is right is in memory
                raise
    return found


def _pruned(lock: Path, python: str, architecture: str, fresh: Path) -> dict[str, bytes]:
    _install(lock, python, architecture, fresh)
    unwanted = [path for pattern in _UNWANTED for path in sorted(fresh.rglob(pattern))]
    unwanted += [
        path for pattern in _prune_list(lock.with_suffix(".prune")) for path in sorted(fresh.glob(pattern))
    ]
    for path in unwanted:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return _files_in(fresh)


def _files_in(folder: Path) -> dict[str, bytes]:
    """Return the contents of a folder's files by name; a link, which no package brings, as one to nothing."""
    found: dict[str, bytes] = {}
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(place) / name
            found[path.relative_to(folder).as_posix()] = b"" if path.is_symlink() else path.read_bytes()
    return found


def _sum(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sums(lock: Path) -> Path:
    return lock.with_suffix(".sum")


def _expected(lock: Path) -> str:
    """Return the sum that was written when the lock file was: of pure Python, so for every runtime the same."""
    try:
        return _sums(lock).read_text(encoding="ascii").split()[0]
    except (OSError, IndexError):
        raise BundlingError(
            f"{_sums(lock)} does not say what {lock.name} installs; write it: {sys.executable} -m {__spec__.name}"
        ) from None


def write_sums(python: str = "python3.14", architecture: str = "arm64") -> None:
    """Install what each lock file below ``runtime`` names, from the package index, and write its sum beside it."""
    for lock in sorted(data_folder(_PACKAGE).rglob("requirements.txt")):
        with tempfile.TemporaryDirectory() as work:
            found = _pruned(lock, python, architecture, Path(work) / "site")
        _sums(lock).write_text(
            f"{_sum(found)}  what requirements.txt installs, less requirements.prune\n", encoding="ascii"
        )


def _prune_list(file: Path) -> list[str]:
    """Return the globs of a prune list, one a line, relative to where the packages are installed."""
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _install(lock: Path, python: str, architecture: str, target: Path) -> None:
    command = _installer(lock, python.removeprefix("python"), _MACHINES[architecture])
    done = subprocess.run(  # noqa: S603 (our own command)
        [*command, "--target", str(target), "--requirement", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        tool = "pip" if "--platform" in command else "uv"
        raise BundlingError(
            f"{tool} could not install the Lambda dependencies of {lock.name} for {python} on {architecture}: "
            f"{done.stderr.strip() or done.stdout.strip()}. Synthesis needs a package index on first use; "
            f"afterwards it takes them from {_cache_root()}."
        )


def _installer(lock: Path, python: str, machine: str) -> list[str]:
    """Return the command, without target and lock file, that installs for Lambda's platform: pip's, or else uv's."""
    common = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:", f"--python-version={python}"]
    if importlib.util.find_spec("pip"):
        return [
            *(
                sys.executable,
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
                "--no-compile",
            ),
            *(*common, f"--platform={_MANYLINUX}_{machine}", "--implementation=cp"),
        ]
    uv = shutil.which("uv")
    if uv:  # environments that uv makes hold no pip
        return [
            *(uv, "pip", "install", f"--python={sys.executable}", *common),
            f"--python-platform={machine}-{_MANYLINUX}",
        ]
    raise BundlingError(
        f"{sys.executable} has no pip, and there is no uv on the PATH: nothing can install the Lambda dependencies of "
        f"{lock.name}. Run `{sys.executable} -m ensurepip`, or install uv."
    )


def _cache_root() -> Path:
    configured = os.environ.get("CONNECT_BRIDGES_CACHE")
    if configured:
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "connect-bridges" / "bundles"


def _digest(files: list[Path], python: str, architecture: str) -> str:
    digest = hashlib.sha256(f"{_LAYOUT_VERSION}/{python}/{_MANYLINUX}/{architecture}".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(data_folder(_PACKAGE)).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


if __name__ == "__main__":
    write_sums()
