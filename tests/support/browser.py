"""Pages in a real browser: Chromium from npm, driven by Playwright; one start for all checks of a module."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

DRIVER = Path(__file__).with_name("browser.mjs")
needs_browser = pytest.mark.skipif(
    not all((ROOT / "node_modules" / name).exists() for name in ("@sparticuz/chromium", "playwright-core"))
    and "CI" not in os.environ,
    reason="npm's Chromium is not installed: make setup",
)


def observe(checks: Path, **arguments: Any) -> dict[str, Any]:
    """Run a module of checks (see browser.mjs) with the arguments; return what it observed.

    Beside that: ``complaints`` (errors and warnings on the console), ``requests`` (for anything but the page itself)
    and ``dialogs``.
    """
    done = subprocess.run(
        ["node", DRIVER, checks],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
