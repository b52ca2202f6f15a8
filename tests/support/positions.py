"""Positions as editors send them, worked out apart from the code under test."""

from __future__ import annotations

from lsprotocol import types


def utf16_position(before: str) -> types.Position:
    """Return the position after `before`, a text from the start of the document."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return types.Position(len(lines) - 1, len(lines[-1].encode("utf-16-le", "surrogatepass")) // 2)
