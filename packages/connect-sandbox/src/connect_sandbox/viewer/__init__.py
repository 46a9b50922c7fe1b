"""The page that shows a run: calls as they move through their flows, live or from a file.

`report.write_report` writes a run as one HTML file that opens from disk; `live` serves the same page for a sandbox that
is up. Both read run events (docs/run-file.md) and nothing else. `run.js` turns events into what there is to see at one
of them, `views.js` shows that, `player.js` moves from event to event, `live.js` plays the caller, the agent and the
faults.
"""
