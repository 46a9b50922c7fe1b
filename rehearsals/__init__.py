"""The rehearsals of this app: its scenarios, the fakes of its vendors, and the demo. In no wheel."""
