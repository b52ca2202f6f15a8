"""Edits of texts: the smallest ones, moved with the text, and what they break."""
