"""The Amazon Connect instance, and the flows and modules published on it."""
