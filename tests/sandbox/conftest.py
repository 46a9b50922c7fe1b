"""Fixtures of the rehearsals."""

from connect_bridges.sandbox.testing import deployment

__all__ = ["deployment"]
