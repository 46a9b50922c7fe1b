"""The app, rehearsed: a package, so that its deployment ends with its last test."""
