"""API Gateway's stand-in for REST APIs: what is deployed (registry) and what answers requests to it (runtime)."""
