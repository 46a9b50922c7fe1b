"""Flow templates: what Amazon Connect runs, as JSON in the flow language with ${Placeholder} where a value goes."""
