"""Bridges between Amazon Connect and the platforms outside it, as CDK constructs."""
