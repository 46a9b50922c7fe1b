"""A fake of API Gateway for REST APIs: what is deployed (registry) and what answers requests (runtime)."""
