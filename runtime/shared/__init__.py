"""What the functions share: logging, metrics, environment, errors, AWS clients, secrets, HTTP."""
