"""Which constructs an environment gets."""
