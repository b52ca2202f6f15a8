"""Test inputs as drawn: source text with the cursor as `█`."""

from __future__ import annotations

CURSOR = "█"


def cursor(drawn: str) -> tuple[str, int]:
    """Return the text without its cursor mark, and the cursor's offset."""
    text, mark, rest = drawn.partition(CURSOR)
    if not mark or CURSOR in rest:
        raise ValueError(f"a drawing needs exactly one {CURSOR}")
    return text + rest, len(text)
