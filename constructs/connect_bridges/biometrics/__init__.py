"""Callers enrol and verify by voice."""
