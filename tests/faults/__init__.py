"""The fault matrix: every call that a function makes, times every way in which a call can fail."""
