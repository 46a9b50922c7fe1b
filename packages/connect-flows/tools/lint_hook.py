#!/usr/bin/env python3
"""The pre-commit hook ``connect-flows-lint``: lint the flows that are committed, from a clone, without installing.

The linter needs Python's standard library alone (3.11 or newer), so the hook runs it as it lies in the repository.
"""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whose python3 this is, nobody has checked
    sys.exit(f"connect-flows needs Python 3.11 or newer; python3 is {sys.version.split()[0]}")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from connect_flows.cli import main

sys.exit(main(["lint", *sys.argv[1:]]))
