"""What AWS answered, taken as facts from public tests and documents, and what the sandbox answers."""
