"""API Gateway's fake for REST APIs: what is deployed (registry) and what answers requests to it (runtime)."""
