"""`make oldest`: do the constructs still synthesize on the oldest aws-cdk-lib that pyproject.toml allows?"""
