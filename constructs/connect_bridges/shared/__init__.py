"""What the bridges share: functions and their bundles, tables, secrets, APIs, checks."""
