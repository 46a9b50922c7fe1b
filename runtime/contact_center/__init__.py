"""Custom resources of the contact centre itself."""
