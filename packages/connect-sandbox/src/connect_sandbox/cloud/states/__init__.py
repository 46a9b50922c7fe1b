"""AWS Step Functions: state machines in JSONPath, played with the rights of their role."""
