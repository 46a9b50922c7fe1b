from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from connect_bridges.shared import bundling
from connect_bridges.shared.places import data_folder

METADATA_FUNCTIONS = ("metadata.store", "metadata.authorize", "metadata.retrieve")
HANDLERS = (*METADATA_FUNCTIONS, "voice.handler")


def bundle(module: str, target: Path) -> Path:
    files = bundling.source_closure(module)
    locks = bundling.lock_files(module)
    assert bundling._LocalBundling(files, locks, "python3.14").try_bundle(str(target), None)
    return target


@pytest.mark.parametrize("module", METADATA_FUNCTIONS)
def test_a_metadata_functions_zip_is_small_and_leaves_boto3_to_lambda(module: str, tmp_path: Path) -> None:
    folder = bundle(module, tmp_path / "bundle")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in folder.rglob("*"):
            out.write(path, path.relative_to(folder))
    names = zipfile.ZipFile(archive).namelist()
    assert len(archive.getvalue()) <= 2 * 1024 * 1024
    assert not [
        name for name in names if name.split("/")[0] in {"boto3", "botocore", "s3transfer", "aws_cdk", "moto"}
    ]
    assert f"runtime/{module.replace('.', '/')}.py" in names
    assert not [name for name in names if name.endswith((".pyc", "RECORD"))]


def test_changing_a_handler_changes_only_its_own_asset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "runtime"
    shutil.copytree(data_folder("runtime"), room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bundling, "data_folder", lambda _name: room)

    def hashes() -> dict[str, str]:
        bundling.source_closure.cache_clear()
        lock = room / "requirements.txt"
        return {
            module: bundling._digest([lock, *bundling.source_closure(module)], salt="test")
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
    monkeypatch.setenv("CONNECT_BRIDGES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bundling, "data_folder", lambda _name: tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(bundling.BundlingError, match="connect-bridges-does-not-exist"):
        bundling._dependencies(lock, "python3.14")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
