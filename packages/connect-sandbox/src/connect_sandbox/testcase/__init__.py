"""Test cases of Amazon Connect's own testing and simulation: made from scenarios, played here, run there.

`document` reads and checks what CreateTestCase takes; `events` is what such a test can see of a contact; `player` plays
a test case on a flow; `convert` makes one from a scenario; `run` starts those of an instance and waits for them.
"""
