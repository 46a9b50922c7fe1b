"""The linter's checks, one file per family of rules; each declares its rules and one ``check`` function."""
