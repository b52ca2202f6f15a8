"""Conversations as Markdown documents, read, written and applied."""
