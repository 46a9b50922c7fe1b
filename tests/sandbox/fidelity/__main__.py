"""`python -m tests.sandbox.fidelity`: ask the sandbox everything, and print how much it answers as AWS did.

`--write` puts the section into docs/sandbox.md instead; names of areas ask those alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from connect_sandbox.cloud import Sandbox

from tests.sandbox.fidelity.cases import areas, unexpected
from tests.sandbox.fidelity.drivers import verdicts
from tests.sandbox.fidelity.page import PAGE, written


def main() -> int:
    """Print a line for each area, and each case that answers otherwise than its file says."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.fidelity", description=__doc__)
    parser.add_argument("area", nargs="*", help=f"one of {', '.join(area.name for area in areas())}")
    parser.add_argument("--write", action="store_true", help="write the section of docs/sandbox.md")
    arguments = parser.parse_args()
    if arguments.write:
        PAGE.write_text(written(PAGE.read_text()))
        return 0
    wanted = [area for area in areas() if not arguments.area or area.name in arguments.area]
    surprises: list[str] = []
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(Path(folder)) as sandbox:
        for area in wanted:
            found = verdicts(sandbox, area)
            surprises += unexpected(found)
            differ = [verdict.case for verdict in found if verdict.case.disagrees]
            agreeing = sum(verdict.agrees for verdict in found)
            sys.stdout.write(f"{agreeing:4} of {len(found):4} as AWS  {area.title}\n")
            for case in differ:
                sys.stdout.write(f"      {case.id}: {case.disagrees}\n")
    for surprise in surprises:
        sys.stdout.write(f"\nnot as its file says: {surprise}\n")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
