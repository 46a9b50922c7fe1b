"""An app of one's own in a sandbox: deploy it, look at it, call it, from the command line and from pytest."""
