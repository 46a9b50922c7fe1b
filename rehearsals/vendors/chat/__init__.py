"""The external chat bot: a process of its own, and how it is told what to do."""
