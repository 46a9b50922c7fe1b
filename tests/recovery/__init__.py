"""Deployments that fail: a package, so that its sandbox ends with its last test."""
