"""Writes the pictures of the sandbox's page in docs/pictures: python -m tests.support.page_pictures."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from connect_sandbox.cli import main
from connect_sandbox.viewer.report import write_report
from connect_sandbox.workbench.place import Place

from tests.support import ROOT
from tests.support.browser import observe
from tests.support.own_line import template
from tests.support.sample_run import sample_run


def draw(folder: Path) -> None:
    """Deploy a support line, call it on its page, and leave pictures of that and of a report in the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        app = Path(scratch) / "support-line"
        app.mkdir()
        line = template()
        line["Resources"]["Lookup"]["Properties"]["FunctionName"] = "customer-lookup"
        line["Resources"]["Callers"]["Properties"]["TableName"] = "callers"
        (app / "support-line.json").write_text(json.dumps(line))
        try:
            if main(["deploy", str(app / "support-line.json"), "--at", str(app)]) != 0:
                raise SystemExit(1)
            running = Place.of(app).remembered()
            if running is None:
                raise SystemExit("the sandbox has ended")
            report = write_report(sample_run(), Path(scratch) / "report.html")
            seen = observe(
                Path(__file__).with_suffix(".mjs"),
                address=running.page_url,
                report=str(report),
                folder=str(folder),
            )
            if seen["complaints"]:
                raise SystemExit(f"the page complains: {seen['complaints']}")
        finally:
            main(["destroy", "--at", str(app)])


if __name__ == "__main__":
    draw(ROOT / "docs/pictures")
    sys.stdout.write("docs/pictures/page-live.png and page-report.png are written; look at them\n")
