"""The linter's checks, one file per family of rules. Each declares its rules and a ``check`` function."""
