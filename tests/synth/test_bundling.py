from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from connect_bridges.shared import bundling, places

METADATA_FUNCTIONS = ("metadata.store", "metadata.authorize", "metadata.retrieve")
HANDLERS = (*METADATA_FUNCTIONS, "voice.handler")


@pytest.mark.parametrize("module", METADATA_FUNCTIONS)
def test_a_metadata_functions_zip_is_small_and_leaves_boto3_to_lambda(module: str) -> None:
    path = bundling.bundle_zip(module, "python3.14")
    names = zipfile.ZipFile(path).namelist()
    assert path.stat().st_size <= 2 * 1024 * 1024
    assert not [
        name for name in names if name.split("/")[0] in {"boto3", "botocore", "s3transfer", "aws_cdk", "moto"}
    ]
    assert f"runtime/{module.replace('.', '/')}.py" in names
    assert not [name for name in names if name.endswith((".pyc", "RECORD", ".lock"))]


def test_the_cdk_is_handed_the_zip(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    lambda_.Function(
        cdk.Stack(app, "users-stack"),
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="runtime.metadata.store.handler",
        code=bundling.runtime_code("metadata.store", "python3.14"),
    )
    app.synth()

    [staged] = tmp_path.glob("asset.*.zip")
    assert staged.read_bytes() == bundling.bundle_zip("metadata.store", "python3.14").read_bytes()
    files = json.loads((tmp_path / "users-stack.assets.json").read_text())["files"]
    assert {"path": staged.name, "packaging": "file"} in [file["source"] for file in files.values()]


def test_a_stack_that_a_command_leaves_out_is_not_bundled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(tmp_path / "cache"))
    app = cdk.App(outdir=str(tmp_path / "out"), context={"aws:cdk:bundling-stacks": ["another"]})
    lambda_.Function(
        cdk.Stack(app, "users-stack"),
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="runtime.metadata.store.handler",
        code=bundling.runtime_code("metadata.store", "python3.14"),
    )
    app.synth()
    assert not (tmp_path / "cache").exists()


def test_the_same_files_give_the_same_zip_wherever_and_whenever_they_are_written(tmp_path: Path) -> None:
    archives = []
    for name, mtime, mode in (("first", 10**9, 0o600), ("second", 1.5 * 10**9, 0o755)):
        source = tmp_path / name / "module.py"
        source.parent.mkdir()
        source.write_text("x = 1\n")
        source.chmod(mode)
        os.utime(source, (mtime, mtime))
        archives.append(bundling._zipped({"b.py": source.read_bytes(), "ä/a.py": source.read_bytes()}))

    assert archives[0] == archives[1]
    written = zipfile.ZipFile(io.BytesIO(archives[0]))
    assert written.testzip() is None
    assert [
        (entry.filename, oct(entry.external_attr >> 16), written.read(entry)) for entry in written.infolist()
    ] == [("b.py", "0o100644", b"x = 1\n"), ("ä/a.py", "0o100644", b"x = 1\n")]
    # Lambda, and Python importing from a zip, read it by themselves; unzip is what most others use.
    (tmp_path / "it.zip").write_bytes(archives[0])
    shutil.unpack_archive(tmp_path / "it.zip", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "b.py").read_text() == "x = 1\n"


# --- the cache is not believed -----------------------------------------------------------------------------------


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache that somebody may write to: a copy of what the tests' own one holds."""
    module = "metadata.retrieve"
    bundling.bundle_zip(module, "python3.14")
    kept, copy = bundling._cache_root(), tmp_path / "cache"
    shutil.copytree(kept, copy, ignore=shutil.ignore_patterns("*.zip"))
    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(copy))
    as_in_another_process()
    yield copy
    as_in_another_process()


def as_in_another_process() -> None:
    bundling._VERIFIED.clear()
    bundling._PACKED.clear()


@pytest.mark.parametrize("change", ["changed", "added", "removed", "link"])
def test_code_put_among_the_cached_dependencies_reaches_no_function(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    clean = bundling.bundle_zip("metadata.retrieve", "python3.14").read_bytes()
    for zip_file in own_cache.glob("*.zip"):
        zip_file.unlink()
    for site in (path for path in own_cache.iterdir() if (path / "jmespath").is_dir()):
        if change == "changed":
            with (site / "jmespath" / "__init__.py").open("a") as module:
                module.write("import evil\n")
        elif change == "added":
            (site / "sitecustomize.py").write_text("import evil\n")
        elif change == "removed":
            (site / "jmespath" / "__init__.py").unlink()
        else:
            (tmp_path / "evil").mkdir(exist_ok=True)
            (tmp_path / "evil" / "__init__.py").write_text("import evil\n")
            (site / "evil").symlink_to(tmp_path / "evil")
    as_in_another_process()
    assert bundling.bundle_zip("metadata.retrieve", "python3.14").read_bytes() == clean
    assert "is not what requirements.sum says" in caplog.text
    as_in_another_process()
    caplog.clear()
    assert bundling.bundle_zip("metadata.retrieve", "python3.14").read_bytes() == clean
    assert caplog.text == "", "what was installed anew is kept"


@pytest.mark.parametrize("how", ["another entry", "bytes before", "bytes behind", "empty", "link"])
def test_a_cached_zip_that_was_changed_reaches_no_function(
    own_cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    kept = bundling.bundle_zip("metadata.retrieve", "python3.14")
    clean = kept.read_bytes()
    if how == "another entry":
        with zipfile.ZipFile(kept, "a") as archive:
            archive.writestr("sitecustomize.py", "import evil")
    elif how == "link":
        (tmp_path / "other.zip").write_bytes(b"PK evil")
        kept.unlink()
        kept.symlink_to(tmp_path / "other.zip")
    else:
        kept.write_bytes({"bytes before": b"#!evil" + clean, "bytes behind": clean + b"evil"}.get(how, b""))
    as_in_another_process()
    assert bundling.bundle_zip("metadata.retrieve", "python3.14").read_bytes() == clean
    assert not kept.is_symlink()
    assert "made anew" in caplog.text


def test_a_cached_zip_of_another_zlib_is_a_right_one(
    own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = bundling.bundle_zip("metadata.retrieve", "python3.14")
    entries = bundling._Bundle.of("metadata.retrieve", "python3.14", "arm64").contents()
    as_in_another_process()
    for content in entries.values():
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        bundling._PACKED[content] = packer.compress(content) + packer.flush()
    kept.write_bytes(otherwise := bundling._zipped(entries))
    as_in_another_process()
    assert bundling.bundle_zip("metadata.retrieve", "python3.14").read_bytes() == otherwise
    assert caplog.text == ""


def test_dependencies_that_are_not_what_was_locked_are_refused(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the package index, or pip itself, had given something else under the same hash."""
    real = bundling._install

    def install(lock: Path, python: str, architecture: str, target: Path) -> None:
        real(lock, python, architecture, target)
        (target / "evil.py").write_text("import evil\n")

    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(bundling, "_install", install)
    with pytest.raises(bundling.BundlingError, match=r"requirements\.sum"):
        bundling.bundle_zip("metadata.retrieve", "python3.14")
    assert not [path for path in (tmp_path / "empty").rglob("*") if path.is_file()]


def test_zips_of_a_month_ago_leave_the_cache(tmp_path: Path) -> None:
    old, young = tmp_path / "old.zip", tmp_path / "young.zip"
    for path, days in ((old, 31), (young, 29)):
        path.touch()
        then = time.time() - days * 24 * 3600
        os.utime(path, (then, then))
    bundling._discard_old_zips(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["young.zip"]


def test_changing_a_handler_changes_only_its_own_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "runtime"
    shutil.copytree(places.data_folder("runtime"), room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bundling, "data_folder", lambda _name: room)

    def hashes() -> dict[str, str]:
        bundling.source_closure.cache_clear()
        lock = room / "requirements.txt"
        return {
            module: bundling._digest([lock, *bundling.source_closure(module)], "python3.14", "arm64")
            for module in HANDLERS
        }

    before = hashes()
    store = room / "metadata" / "store.py"
    store.write_text(store.read_text() + "\n# changed\n")
    after = hashes()
    bundling.source_closure.cache_clear()

    assert {module for module in HANDLERS if before[module] != after[module]} == {"metadata.store"}


def test_a_handler_brings_only_what_it_imports() -> None:
    store = {path.name for path in bundling.source_closure("metadata.store")}
    assert "store.py" in store
    assert not store & {"authorize.py", "retrieve.py", "handler.py"}


def test_a_handler_that_does_not_exist_is_named() -> None:
    with pytest.raises(bundling.BundlingError, match=r"runtime\.metadata\.stroe"):
        bundling.source_closure("metadata.stroe")


def test_dependencies_that_cannot_be_installed_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("connect-bridges-does-not-exist==9 --hash=sha256:" + "0" * 64)
    lock.with_suffix(".sum").write_text("0" * 64)
    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bundling, "data_folder", lambda _name: tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(bundling.BundlingError, match="connect-bridges-does-not-exist"):
        bundling._dependencies(lock, "python3.14", "arm64")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_imports_are_found_wherever_a_statement_may_stand() -> None:
    source = """
import first.part
from . import second
def function():
    try:
        with open("x") as f:
            from third import thing
    except ImportError:
        import fourth
    else:
        import fifth
    finally:
        import sixth
    match 1:
        case 1:
            import seventh
class Holder:
    if True:
        pass
    elif False:
        import eighth
    for _ in ():
        import ninth
"""
    assert set(bundling._imports(source, "runtime.voice")) == {
        *("first.part", "runtime.voice", "runtime.voice.second", "third", "third.thing"),
        *("fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    }


def test_each_architecture_gets_dependencies_of_its_own() -> None:
    digests = {
        bundling._Bundle.of("metadata.store", "python3.14", architecture).digest
        for architecture in ("arm64", "x86_64")
    }
    assert len(digests) == 2
    with pytest.raises(bundling.BundlingError, match=r"'arm'; choose one of arm64, x86_64"):
        bundling.runtime_code("metadata.store", "python3.14", "arm")


def test_uv_installs_where_there_is_no_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@" >"$0.called"\nexit 3\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(bundling.BundlingError, match="uv could not install the Lambda dependencies"):
        bundling._install(tmp_path / "requirements.txt", "python3.13", "x86_64", tmp_path / "site")
    asked = (tmp_path / "uv.called").read_text().split()
    assert asked[:3] == ["pip", "install", f"--python={sys.executable}"]
    assert {"--require-hashes", "--python-version=3.13", "--python-platform=x86_64-manylinux2014"} <= set(
        asked
    )


def test_without_pip_and_uv_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(bundling.BundlingError, match=r"has no pip, .* no uv on the PATH.*-m ensurepip"):
        bundling._install(tmp_path / "requirements.txt", "python3.14", "arm64", tmp_path / "site")
