"""The zips of the deployed functions, as they are uploaded."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

from bench.figures import Goal, Section
from bench.functions import DeployedFunction

LIMIT_MB = 1.0


def measure(functions: Sequence[DeployedFunction]) -> Section:
    """Read the sizes, in MB of 1,000,000 bytes."""
    sizes = {function.module: function.archive.stat().st_size / 1e6 for function in functions}
    files = {function.module: len(zipfile.ZipFile(function.archive).namelist()) for function in functions}
    return Section(
        "zips",
        "Zip of each function",
        ["function", "files", "MB"],
        [[name, str(files[name]), f"{size:.2f}"] for name, size in sizes.items()],
        {"megabytes": sizes, "files": files},
        [Goal(f"zip of {name} in MB", size, LIMIT_MB) for name, size in sizes.items()],
    )
