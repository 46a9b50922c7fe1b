"""Writes scenarios for a flow: facts under which it takes every branch that can be taken."""
