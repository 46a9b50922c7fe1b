"""An app whose data lies behind keys of its own."""
