"""The external voice system: a process of its own, and how calls reach it."""
