"""The function's code for Lambda: its own files and its packages, which are no pure Python, without Docker."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FUNCTION = Path(__file__).parent / "function"
BUILT = Path(__file__).parent / ".cache"
LAMBDA = (
    *("--platform", "manylinux2014_aarch64", "--platform", "manylinux_2_28_aarch64"),
    *("--platform", "manylinux_2_34_aarch64", "--implementation", "cp", "--python-version", "3.14"),
)
"""What Lambda's Python 3.14 on arm64 takes."""


def function_folder(*, for_this_machine: bool = False) -> Path:
    """Return the folder to deploy, made anew when a file of the function or its list of packages changes.

    for_this_machine: take the packages of this machine, where a sandbox runs the function, in place of Lambda's.
    """
    platform = () if for_this_machine else LAMBDA
    files = sorted(FUNCTION.glob("*.*"))
    told = (
        b"".join(file.read_bytes() for file in files)
        + repr((platform, for_this_machine and sys.version)).encode()
    )
    folder = BUILT / hashlib.sha256(told).hexdigest()[:16]
    if not folder.is_dir():
        BUILT.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=BUILT))
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:")
        list_of_packages = ("--target", str(made), "-r", str(FUNCTION / "requirements.txt"))
        subprocess.run((*command, *platform, *list_of_packages), check=True)  # noqa: S603 (pip, on a list of ours)
        for file in files:
            shutil.copy(file, made)
        try:
            made.rename(folder)
        except OSError:  # somebody else was faster
            shutil.rmtree(made)
    return folder
