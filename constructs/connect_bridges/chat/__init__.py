"""Chats are streamed to an external bot."""
