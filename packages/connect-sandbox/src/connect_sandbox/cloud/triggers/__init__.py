"""What sets functions, queues and state machines going besides a call: events, messages, streams, objects."""
