"""Apps around a contact centre that exists, or that has a key of its own."""
