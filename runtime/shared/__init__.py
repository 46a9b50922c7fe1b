"""What the functions share: logging, metrics, environment, errors, HTTP answers, AWS clients."""
