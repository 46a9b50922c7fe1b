"""One HTML page for flows, or for two versions of a flow: self-contained, and without any network.

The page holds the pictures (``connect_flows.pictures``), the linter's findings and what the blocks say. A browser
opens it from disk; its Content-Security-Policy forbids to load or to send anything, and only the page's own script
runs. Text from flows gets into it as text: escaped in the markup, and as data for the script, which writes text nodes.
"""

from __future__ import annotations

from connect_flows.page.changes import diff_page
from connect_flows.page.flows import flows_page
from connect_flows.page.shown import Shown, read

__all__ = ["Shown", "diff_page", "flows_page", "read"]
