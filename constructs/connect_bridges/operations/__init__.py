"""Commands for those who run a deployed bridge."""
