"""Calls go out to an external voice system and come back."""
